//! Instants that cannot be: left behind by a clock that was ahead and has come back.

use jiff::Timestamp;
use rusqlite::named_params;

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
    /// Brings what waits for an instant beyond its bounds back to now; what is in time is not touched.
    ///
    /// A digest composed for a slot that is yet to come keeps its number and loses
    /// its slot, so that the day has its digest when it comes.
    pub fn bring_back(&self, bounds: &Bounds, now: Timestamp) -> Result<(), StoreError> {
        let doing = "bring back what waits for an instant too far ahead";
        let (now, slot) = (ms(now), &bounds.slot);
        self.prepared(
            "UPDATE outbox SET next_at = :now WHERE state IN ('queued', 'deferred', 'uncertain') AND next_at > :latest",
        )?
        .execute(named_params! { ":now": now, ":latest": ms(bounds.mail) })
        .doing(doing)?;
        self.prepared("UPDATE alert SET due_at = :now WHERE state = 'waiting' AND due_at > :latest")?
            .execute(named_params! { ":now": now, ":latest": ms(bounds.alert) })
            .doing(doing)?;
        self.prepared("UPDATE hold SET until_at = :latest WHERE until_at > :latest")?
            .execute(named_params! { ":latest": ms(bounds.hold) })
            .doing(doing)?;
        self.prepared("UPDATE digest SET slot = NULL WHERE slot > :slot")?
            .execute(named_params! { ":slot": slot })
            .doing(doing)?;
        self.prepared(
            "UPDATE subscription SET slot = (SELECT max(d.slot) FROM digest d WHERE d.subscription = subscription.name)
             WHERE slot > :slot",
        )?
        .execute(named_params! { ":slot": slot })
        .doing(doing)?;
        self.prepared(
            "UPDATE subscription SET created_at = min(created_at, :now), digest_at = min(digest_at, :now)
             WHERE created_at > :now OR digest_at > :now",
        )?
        .execute(named_params! { ":now": now })
        .doing(doing)?;
        Ok(())
    }
}
