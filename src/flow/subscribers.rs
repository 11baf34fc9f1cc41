//! Who is mailed: subscriptions as they come into the configuration and go.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Subscription};
use crate::store::{StoreError, SubscriptionRow, Tx};

/// How far back a new subscription is told of, and how long what was taken away may be put back as if nothing had been.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// For how long `status` says what became of the alerts of subscriptions that are gone.
const TELL: SignedDuration = SignedDuration::from_hours(7 * 24);
const NEVER: &str = "never";
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
        know(tx, subscription, now)?;
    }
    for name in tx.subscriptions()? {
        if !is_configured(config, &name) {
            note_off(tx, &name, &now.to_string())?;
        }
    }
    close_alerts(tx, config, now)
}

fn is_configured(config: &Config, name: &str) -> bool {
    config.subscriptions.iter().any(|one| one.name == name)
}

/// Makes a subscription known as it is configured: a new one is told of what came since the day before.
///
/// So is one that has no digest for long, or is gone, and then is back: what came meanwhile was not owed to it.
pub fn know(tx: Tx<'_>, subscription: &Subscription, now: Timestamp) -> Result<(), StoreError> {
    let name = &subscription.name;
    if tx.subscription(name)?.is_none() {
        tx.know_subscription(name, now, day_before(now))?;
        return if subscription.digest.is_some() { Ok(()) } else { note_off(tx, name, NEVER) };
    }
    if subscription.digest.is_none() {
        return note_off(tx, name, &now.to_string());
    }
    if tx.fact(&off(name))?.is_none() {
        return Ok(());
    }
    if let Some(row) = standing(tx, name, now)? {
        tx.renew_subscription(&row)?;
    }
    tx.set_fact(&off(name), None)
}

/// Returns a subscription as its next digest is to see it: begun anew where it is back after a day and more.
///
/// Within a day it was a slip of the editor, or a rename taken back, and all that was owed to it still is.
pub fn standing(tx: Tx<'_>, name: &str, now: Timestamp) -> Result<Option<SubscriptionRow>, StoreError> {
    let Some(row) = tx.subscription(name)? else { return Ok(None) };
    let Some(since) = tx.fact(&off(name))? else { return Ok(Some(row)) };
    let anew = match since.parse::<Timestamp>() {
        // A digest asked for by hand since then has set a new bound.
        Ok(since) => row.digest_at.is_none_or(|at| at <= since) && now.duration_since(since) >= DAY,
        Err(_) => row.digest_at.is_none(),
    };
    if !anew {
        return Ok(Some(row));
    }
    let (seq, article) = tx.newest_before(day_before(now))?;
    Ok(Some(SubscriptionRow {
        created_at: now,
        digest_at: None,
        digest_article: row.digest_article.max(article),
        from_seq: row.from_seq.max(seq),
        ..row
    }))
}

/// The instant from which on a new subscription is told.
pub(super) fn day_before(now: Timestamp) -> Timestamp {
    now.saturating_sub(DAY).unwrap_or(Timestamp::MIN)
}

/// The fact that a subscription has no digest: since when, or [`NEVER`] that it had one.
fn off(name: &str) -> String {
    format!("digest.off {name}")
}

fn note_off(tx: Tx<'_>, name: &str, since: &str) -> Result<(), StoreError> {
    match tx.fact(&off(name))? {
        Some(_) => Ok(()),
        None => tx.set_fact(&off(name), Some(since)),
    }
}

/// Returns what became of alerts whose subscription is gone, for a while.
pub fn gone(tx: Tx<'_>) -> Result<Option<Gone>, StoreError> {
    Ok(tx.fact(GONE)?.and_then(|json| serde_json::from_str(&json).ok()))
}

/// Closes the alerts that wait for subscriptions which are no longer configured: nobody would ever mail them.
///
/// Like muted ones: should the subscription come back, its digest has them.
fn close_alerts(tx: Tx<'_>, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let lost: Vec<_> = tx
        .waiting_alerts()?
        .into_iter()
        .filter(|alert| !is_configured(config, &alert.subscription))
        .collect();
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
