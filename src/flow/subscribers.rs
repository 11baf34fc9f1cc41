//! Who is mailed: subscriptions as they come into the configuration and go.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::store::{StoreError, Tx};

/// How far back a new subscription is told of, and how long what was taken away may be put back as if nothing had been.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// For how long `status` says what became of the alerts of subscriptions that are gone.
const TELL: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The fact that holds it.
const GONE: &str = "alerts.gone";

/// Alerts that were closed because their subscription is no longer configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// When.
    pub at: Timestamp,
    /// Their subscriptions.
    pub subscriptions: Vec<String>,
    /// How many.
    pub alerts: usize,
}

/// Brings the subscriptions in line with the configuration.
pub fn sync(tx: Tx<'_>, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    for subscription in &config.subscriptions {
        know(tx, &subscription.name, now)?;
    }
    close_alerts(tx, config, now)
}

/// Makes a subscription known: it is told of what came since the day before.
pub fn know(tx: Tx<'_>, name: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.know_subscription(name, now, now.saturating_sub(DAY).unwrap_or(Timestamp::MIN))
}

/// Returns what became of alerts whose subscription is gone, for a while.
pub fn gone(tx: Tx<'_>) -> Result<Option<Gone>, StoreError> {
    Ok(tx.fact(GONE)?.and_then(|json| serde_json::from_str(&json).ok()))
}

/// Closes the alerts that wait for subscriptions which are no longer configured: nobody would ever mail them.
///
/// Like muted ones: should the subscription come back, its digest has them.
fn close_alerts(tx: Tx<'_>, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let known = |name: &str| config.subscriptions.iter().any(|one| one.name == name);
    let lost: Vec<_> = tx.waiting_alerts()?.into_iter().filter(|alert| !known(&alert.subscription)).collect();
    if lost.is_empty() {
        if gone(tx)?.is_some_and(|gone| now.duration_since(gone.at) > TELL) {
            tx.set_fact(GONE, None)?;
        }
        return Ok(());
    }
    let mut names: Vec<String> = lost.iter().map(|alert| alert.subscription.clone()).collect();
    names.sort();
    names.dedup();
    for alert in &lost {
        tx.close_alert(alert.id, "muted", "", now)?;
    }
    tracing::warn!(
        "{} alerts that waited for {} are closed: no such subscription is configured any more; `burdenwatch matches list` has what they were about",
        lost.len(),
        names.join(", ")
    );
    let gone = Gone { at: now, subscriptions: names, alerts: lost.len() };
    tx.set_fact(GONE, serde_json::to_string(&gone).ok().as_deref())
}
