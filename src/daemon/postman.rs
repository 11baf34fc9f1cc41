//! The scribe, who turns what is owed into mails, and the postman, who hands them over.
//!
//! Two tasks, since a mail server may stall for ten minutes while alerts fall due.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::daemon::House;
use crate::flow::Composed;
use crate::flow::Setup;
use crate::flow::alerts;
use crate::flow::digests;
use crate::flow::dispatch;
use crate::flow::slots;

/// We look again at least this often: the wall clock may be set, folding has its hours.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// Before what is due and was left is looked at again.
const OVERDUE: Duration = Duration::from_secs(1);
/// After the database failed.
const TROUBLE: Duration = Duration::from_secs(10);
/// How soon a command's mail is noticed.
const NEIGHBOURS: Duration = Duration::from_secs(2);

/// Composes alerts and digests when they are due.
pub(crate) async fn compose(house: House) {
    let mut told: Vec<String> = Vec::new();
    while !house.stop.is_cancelled() {
        let setup = house.setup();
        let composed = compose_all(&setup).await;
        if composed.mails > 0 {
            house.mail.notify_one();
        }
        // Said once, not every few seconds.
        for trouble in composed.failed.iter().filter(|trouble| !told.contains(trouble)) {
            tracing::error!("{trouble}; tried again every {} s", TROUBLE.as_secs());
        }
        if composed.failed.is_empty() && !told.is_empty() {
            tracing::info!("mails can be composed again");
        }
        let wait = if composed.failed.is_empty() {
            next_composition(&setup)
        } else {
            next_composition(&setup).min(TROUBLE)
        };
        told = composed.failed;
        drop(setup);
        tokio::select! {
            () = house.stop.cancelled() => {}
            () = house.news.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Composes everything that is due.
pub(crate) async fn compose_all(setup: &Setup) -> Composed {
    alerts::compose_due(setup).await.and(digests::compose_due(setup).await)
}

fn next_composition(setup: &Setup) -> Duration {
    let now = setup.clock.now();
    let names: Vec<&str> = setup.config.subscriptions.iter().map(|one| one.name.as_str()).collect();
    let alert = setup.store.read(|tx| tx.next_alert(&names)).ok().flatten();
    let slots = setup
        .config
        .subscriptions
        .iter()
        .filter_map(|one| slots::next(one.digest.as_ref()?, &one.time_zone, now))
        .min();
    until(now, [alert, slots].into_iter().flatten().min())
}

/// The time until `then`, a little after it so that it has come, and never too long.
///
/// What is due already was just looked at and left: looking again at once would only spin.
fn until(now: Timestamp, then: Option<Timestamp>) -> Duration {
    let wait =
        then.map_or(LONGEST_SLEEP, |then| Duration::try_from(then.duration_since(now)).unwrap_or(OVERDUE));
    let wait = if wait.is_zero() { OVERDUE } else { wait };
    (wait + Duration::from_millis(2)).min(LONGEST_SLEEP)
}

/// Delivers mails when they are due.
pub(crate) async fn deliver(house: House) {
    while !house.stop.is_cancelled() {
        let setup = house.setup();
        // A stop does not wait for a server that stalls: what was being sent is
        // found uncertain at the next start and sent again with the same bytes.
        let round = tokio::select! {
            round = dispatch::deliver_due(&setup, &house.stop) => round,
            () = stalled(&house.stop) => break,
        };
        let wait = match round {
            Ok(done) => {
                house.tally.count_mail(done);
                next_delivery(&setup)
            }
            Err(why) => {
                tracing::error!(
                    "the outbox could not be worked on: {why}; tried again in {} s",
                    TROUBLE.as_secs()
                );
                TROUBLE
            }
        };
        drop(setup);
        tokio::select! {
            () = house.stop.cancelled() => {}
            () = house.mail.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Ends some seconds after the stop.
pub(crate) async fn stalled(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
}

fn next_delivery(setup: &Setup) -> Duration {
    let now = setup.clock.now();
    let (next, pause) =
        setup.store.read(|tx| Ok((tx.next_mail()?, dispatch::channel(tx)?.until))).unwrap_or_default();
    // While the server is left alone, nothing is due before the pause ends.
    until(now, next.map(|next| next.max(pause.unwrap_or(next))))
}

/// Wakes the postman when another process queued something: `digest send`, `outbox retry`.
pub(crate) async fn listen_to_neighbours(house: House) {
    while !house.stop.is_cancelled() {
        if next_delivery(&house.setup()) < NEIGHBOURS {
            house.mail.notify_one();
        }
        tokio::select! {
            () = house.stop.cancelled() => {}
            () = tokio::time::sleep(NEIGHBOURS) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_and_was_left_is_not_looked_at_in_a_spin() {
        let now: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        let left = |ms: i64| until(now, Some(now + jiff::SignedDuration::from_millis(ms)));
        assert!(left(-5) >= OVERDUE && left(0) >= OVERDUE);
        assert_eq!(left(300), Duration::from_millis(302), "what is to come is met in time");
        assert_eq!(until(now, None), LONGEST_SLEEP);
    }
}
