//! Keeps house: tells systemd that work goes on, tells the operator when it does not, forgets old texts.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::daemon::House;
use crate::daemon::systemd;
use crate::flow::Setup;
use crate::flow::retention;
use crate::flow::watchman;
use crate::store::StoreError;

/// A question the poller answers between two turns.
pub(crate) type Pulse = oneshot::Sender<()>;

/// How often the status line is renewed when no watchdog asks more often.
const ROUND: Duration = Duration::from_secs(30);
/// A poller or a writer that takes longer to answer is stuck.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often what is old is looked for.
const RETENTION: Duration = Duration::from_secs(3600);

/// Pats the watchdog while the poll loop turns and the database commits; a slow feed or mail server does not matter.
pub(crate) async fn run(house: House, pulse: mpsc::Sender<Pulse>) {
    let round = systemd::watchdog().map_or(ROUND, |limit| limit / 3).max(Duration::from_millis(100));
    while !house.stop.is_cancelled() {
        let setup = house.setup();
        let answered = tokio::select! {
            answered = tokio::time::timeout(PATIENCE.min(round * 2), works(&setup, &pulse)) => answered,
            // The poller may have ended already: its answer will not come.
            () = house.stop.cancelled() => break,
        };
        match answered {
            Ok(Ok(line)) => {
                systemd::status(&line);
                systemd::alive();
            }
            Ok(Err(why)) => {
                // The disk may be full: that is told, not cured by a restart.
                tracing::error!(
                    "the database cannot be used: {why}; what is fetched meanwhile is fetched again"
                );
                systemd::alive();
            }
            Err(_) => tracing::error!(
                "the poll loop or the database writer does not answer; systemd's watchdog will restart us"
            ),
        }
        if let Err(why) = watchman::watch(&setup).await {
            tracing::warn!("the operator could not be told: {why}");
        } else {
            house.mail.notify_one();
        }
        // A reload replaces it; its rules must not stay in memory for as long as this waits.
        drop(setup);
        tokio::select! {
            () = house.stop.cancelled() => {}
            () = tokio::time::sleep(round) => {}
        }
    }
}

/// Asks the poller and the writer for a sign of life, and phrases the status line.
async fn works(setup: &Setup, pulse: &mpsc::Sender<Pulse>) -> Result<String, StoreError> {
    let (question, answer) = oneshot::channel();
    if pulse.send(question).await.is_err() || answer.await.is_err() {
        // The poller has ended: either a stop is under way, or the watchdog must bite.
        std::future::pending::<()>().await;
    }
    let now = setup.clock.now();
    setup.store.write(move |tx| tx.counts(now)).await.map(|counts| {
        let lag = counts.oldest_due.map_or(0, |due| now.duration_since(due).as_secs().max(0));
        let unsent = counts.queued + counts.deferred + counts.uncertain;
        format!(
            "{} feeds ({} failing), lag {lag} s; {unsent} mails waiting, {} sent; {} articles, {} flagged",
            counts.feeds, counts.failing, counts.sent, counts.articles, counts.matches
        )
    })
}

/// Forgets what is old enough, a little at a time.
pub(crate) async fn retain(house: House) {
    while !house.stop.is_cancelled() {
        let setup = house.setup();
        match retention::sweep(&setup, &house.stop).await {
            Ok(0) => {}
            Ok(polls) => tracing::info!("forgot the texts of {polls} old polls that matched nothing"),
            Err(why) => tracing::warn!("what is old could not be forgotten: {why}"),
        }
        drop(setup);
        tokio::select! {
            () = house.stop.cancelled() => {}
            () = tokio::time::sleep(RETENTION) => {}
        }
    }
}
