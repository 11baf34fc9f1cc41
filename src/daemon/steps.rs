//! The wall clock set while we run: nothing may wait for hours that have been taken back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tokio::sync::mpsc;

use crate::daemon::House;
use crate::daemon::open;
use crate::daemon::poller::Change;
use crate::flow::Setup;
use crate::flow::dispatch;
use crate::store::StoreError;

/// How often the two clocks are compared.
const ROUND: Duration = Duration::from_secs(2);
/// A difference less than this is a slow turn of ours, or a clock being slewed.
const STEP: SignedDuration = SignedDuration::from_secs(3);

/// Compares the wall clock with the monotonic one, and moves what waits when the first was set.
pub(crate) async fn run(house: House, changes: mpsc::Sender<Change>) {
    let mut before = (house.setup().clock.now(), Instant::now());
    while !house.stop.is_cancelled() {
        tokio::select! {
            () = house.stop.cancelled() => break,
            () = tokio::time::sleep(ROUND) => {}
        }
        let setup = house.setup();
        let now = (setup.clock.now(), Instant::now());
        let passed = SignedDuration::try_from(now.1.duration_since(before.1)).unwrap_or_default();
        let step = now.0.duration_since(before.0) - passed;
        before = now;
        if step.abs() < STEP {
            continue;
        }
        tracing::warn!("the clock was set by {} s; what waits is put in line with it", step.as_secs());
        if step.is_negative()
            && let Err(why) = move_back(&setup, step, &changes).await
        {
            tracing::error!("what waits could not be put in line with the clock: {why}");
        }
        house.news.notify_one();
        house.mail.notify_one();
    }
}

async fn move_back(
    setup: &Arc<Setup>,
    step: SignedDuration,
    changes: &mpsc::Sender<Change>,
) -> Result<(), StoreError> {
    let (config, now) = (Arc::clone(&setup.config), setup.clock.now());
    let feeds = setup
        .store
        .write(move |tx| {
            tx.move_waits(step)?;
            dispatch::move_pause(tx, step)?;
            tx.mend_waits(&open::bounds(&config, now), now)?;
            tx.scheduled(true)
        })
        .await?;
    // The poller may be gone when a stop came meanwhile.
    drop(changes.send(feeds).await);
    Ok(())
}
