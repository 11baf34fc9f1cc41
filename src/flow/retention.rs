//! What is kept for a time, and forgotten, a little at a time.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::flow::Setup;
use crate::store::StoreError;

/// Rows that go in one transaction.
const SLICE: u32 = 50;
/// A mail's bytes and a digest's words are kept at least so long: retries and folding have their days.
const LEAST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often a single run looks: it may come every minute.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The fact that tells when it last did, and with which retention: a changed one is obeyed at once.
const SWEPT: &str = "retention.swept";

/// Forgets what is old enough; returns of how many polls the texts went.
pub async fn sweep(setup: &Setup, stop: &CancellationToken) -> Result<usize, StoreError> {
    let keep = SignedDuration::try_from(setup.config.service.retention).unwrap_or(SignedDuration::MAX);
    let now = setup.clock.now();
    let ago = |time: SignedDuration| now.saturating_sub(time).unwrap_or(Timestamp::MIN);
    let (texts, mails, holds) = (ago(keep), ago(keep.max(LEAST)), ago(DAY));
    let mut polls = 0;
    while !stop.is_cancelled() {
        let (batches, others) = setup
            .store
            .write(move |tx| {
                let batches = tx.forget_texts(texts, SLICE)?;
                let mails_looked_at = tx.forget_mails(mails, now, SLICE)?;
                let digests = tx.forget_digests(mails, now, SLICE)?;
                tx.forget_holds(holds)?;
                tx.set_fact(SWEPT, Some(&format!("{now} {}", keep.as_secs())))?;
                Ok((batches, mails_looked_at + digests))
            })
            .await?;
        polls += batches;
        if batches + others == 0 {
            break;
        }
    }
    Ok(polls)
}

/// Does so at most once a day.
pub async fn sweep_daily(setup: &Setup, stop: &CancellationToken) -> Result<usize, StoreError> {
    let swept = setup.store.write(|tx| tx.fact(SWEPT)).await?.unwrap_or_default();
    let (at, kept) = swept.split_once(' ').unwrap_or_default();
    let (now, keep) = (setup.clock.now(), setup.config.service.retention.as_secs().to_string());
    if kept == keep && at.parse::<Timestamp>().is_ok_and(|at| now.duration_since(at).abs() < DAY) {
        return Ok(0);
    }
    sweep(setup, stop).await
}
