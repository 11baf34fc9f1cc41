//! Times until which something waits, when the wall clock turns out to have been wrong.

use jiff::{SignedDuration, Timestamp};
use rusqlite::named_params;

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::ms;

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

    /// Shortens the waits that were begun by a clock ahead of ours: each keeps its length, from now on.
    pub fn mend_waits(&self, now: Timestamp) -> Result<(), StoreError> {
        const SQL: [&str; 3] = [
            "UPDATE feed SET next_poll_at = :now + max(0, next_poll_at - last_poll_at), last_poll_at = :now
             WHERE last_poll_at > :now",
            "UPDATE outbox SET next_at = :now
             WHERE state IN ('queued', 'deferred', 'uncertain', 'sending') AND created_at > :now",
            "UPDATE alert SET due_at = :now + max(0, due_at - created_at) WHERE state = 'waiting' AND created_at > :now",
        ];
        for sql in SQL {
            self.prepared(sql)?.execute(named_params! { ":now": ms(now) }).doing("mend what waits")?;
        }
        Ok(())
    }
}
