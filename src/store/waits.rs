//! Times until which something waits, when the wall clock turns out to have been wrong.

use jiff::{SignedDuration, Timestamp};
use rusqlite::named_params;
use rusqlite::types::Value;

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::ms;

/// The latest instants that what waits may wait for.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// A mail's next try.
    pub mail: Timestamp,
    /// An alert's composition.
    pub alert: Timestamp,
    /// The end of a domain's hold.
    pub hold: Timestamp,
    /// The newest slot, a date that is not yet over anywhere.
    pub slot: String,
}

impl Tx<'_> {
    /// Moves everything that waits by `step`: the clock was set by it.
    pub fn move_waits(&self, step: SignedDuration) -> Result<(), StoreError> {
        const SQL: [&str; 4] = [
            "UPDATE feed SET next_poll_at = next_poll_at + :step",
            "UPDATE outbox SET next_at = next_at + :step, lease_until_at = lease_until_at + :step
             WHERE state IN ('queued', 'deferred', 'uncertain', 'sending')",
            "UPDATE alert SET due_at = due_at + :step WHERE state = 'waiting'",
            "UPDATE hold SET until_at = until_at + :step",
        ];
        let step = i64::try_from(step.as_millis()).unwrap_or(0);
        for sql in SQL {
            self.prepared(sql)?.execute(named_params! { ":step": step }).doing("move what waits")?;
        }
        Ok(())
    }

    /// Mends what a clock ahead of ours left behind; what is in time is not touched.
    ///
    /// A feed keeps the length of its wait, from now on. A digest composed for a slot
    /// that is yet to come keeps its number and loses its slot, so that the day has
    /// its digest when it comes.
    pub fn mend_waits(&self, bounds: &Bounds, now: Timestamp) -> Result<(), StoreError> {
        let slot = Value::from(bounds.slot.clone());
        // Each names both values, needed or not: a value that a statement does not name is an error.
        let mending: [(&str, Value); 6] = [
            (
                "UPDATE feed SET next_poll_at = :now + max(0, next_poll_at - last_poll_at), last_poll_at = :now
                 WHERE last_poll_at > :now AND :latest IS NULL",
                Value::Null,
            ),
            (
                "UPDATE outbox SET next_at = :now WHERE state IN ('queued', 'deferred', 'uncertain') AND next_at > :latest",
                ms(bounds.mail).into(),
            ),
            // One that came about in hours yet to come has waited enough; quiet hours put it off again.
            (
                "UPDATE alert SET due_at = :now WHERE state = 'waiting' AND due_at > :now
                   AND (due_at > :latest OR created_at > :now)",
                ms(bounds.alert).into(),
            ),
            ("UPDATE hold SET until_at = :latest WHERE until_at > :latest AND :now", ms(bounds.hold).into()),
            ("UPDATE digest SET slot = NULL WHERE slot > :latest AND :now", slot.clone()),
            (
                "UPDATE subscription SET created_at = min(created_at, :now), digest_at = min(digest_at, :now),
                        slot = CASE WHEN slot > :latest
                               THEN (SELECT max(d.slot) FROM digest d WHERE d.subscription = subscription.name) ELSE slot END
                 WHERE created_at > :now OR digest_at > :now OR slot > :latest",
                slot,
            ),
        ];
        for (sql, latest) in mending {
            self.prepared(sql)?
                .execute(named_params! { ":now": ms(now), ":latest": latest })
                .doing("mend what waits")?;
        }
        Ok(())
    }
}
