//! What no recipient got goes into the next digest: nothing is dropped, nothing storms.

use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::flow::Setup;
use crate::flow::digests;
use crate::store::{OutboxRow, StoreError, Tx};

/// An alert undelivered for this long is folded into the next digest.
const ALERT_KEEPS: SignedDuration = SignedDuration::from_hours(24);
/// A digest undelivered for this long is folded into the next (RFC 5321 section 4.5.4.1).
const DIGEST_KEEPS: SignedDuration = SignedDuration::from_hours(5 * 24);

/// Gives up what could not be delivered for too long, and folds it into the next digest.
pub async fn fold_overdue(setup: &Setup) -> Result<(), StoreError> {
    let (config, now) = (setup.config.clone(), setup.clock.now());
    let before = move |keeps: SignedDuration| now.saturating_sub(keeps).unwrap_or(Timestamp::MIN);
    setup
        .store
        .write(move |tx| {
            for kind in ["alert", "rollup"] {
                for mail in tx.overdue_mails(kind, before(ALERT_KEEPS))? {
                    // Without a digest there is nothing to fold it into: it is tried on.
                    if has_digest(&config, &mail.subscription) {
                        tx.give_up(mail.id, now, "not delivered for 24 h; the next digest carries it")?;
                        fold_if_refused(tx, &config, &mail.dedup_key)?;
                    }
                }
            }
            for mail in tx.overdue_mails("digest", before(DIGEST_KEEPS))? {
                tx.give_up(mail.id, now, "not delivered for 5 days; the next digest carries its stories")?;
                fold_if_refused(tx, &config, &mail.dedup_key)?;
            }
            Ok(())
        })
        .await
}

/// Folds a mail's stories into the next digest once every recipient's copy has failed for good.
pub(super) fn fold_if_refused(tx: Tx<'_>, config: &Config, dedup_key: &str) -> Result<(), StoreError> {
    let copies = tx.mails_of(dedup_key)?;
    let Some(mail) = copies.first() else { return Ok(()) };
    if copies.iter().any(|copy| copy.state != "failed") {
        return Ok(());
    }
    match mail.kind.as_str() {
        "alert" | "rollup" if has_digest(config, &mail.subscription) => tx.fold_alerts(dedup_key),
        "digest" => fold_digest(tx, mail),
        _ => Ok(()),
    }
}

fn has_digest(config: &Config, subscription: &str) -> bool {
    config.subscriptions.iter().any(|one| one.name == subscription && one.digest.is_some())
}

fn fold_digest(tx: Tx<'_>, mail: &OutboxRow) -> Result<(), StoreError> {
    let number = digests::number_in(&mail.dedup_key);
    if let Some(digest) = number.map(|number| tx.digest(&mail.subscription, number)).transpose()?.flatten() {
        tx.release_claims(digest.id)?;
    }
    Ok(())
}
