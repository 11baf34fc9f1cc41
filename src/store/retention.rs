//! What is forgotten in time: the bytes of mails that were sent, the words of old digests, holds that are over.
//!
//! Rows stay, so that nothing is told or mailed twice and every number keeps its meaning; what is large goes.

use jiff::Timestamp;
use rusqlite::named_params;

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::ms;

/// The facts that hold the last row looked at: what comes before it is never read again.
const MAILS: &str = "retention.mails";
const DIGESTS: &str = "retention.digests";

impl Tx<'_> {
    /// Forgets the bytes and the tries of mails queued before `before` whose end is known, of at most `limit`; returns
    /// how many were old enough.
    pub fn forget_mails(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        const OLD: &str = "SELECT id, created_at FROM outbox WHERE id > :from ORDER BY id LIMIT :limit";
        const TRIES: &str = "
            DELETE FROM outbox_try WHERE outbox_id = (SELECT id FROM outbox WHERE id = :id AND state IN ('sent', 'failed'))";
        const BYTES: &str = "UPDATE outbox SET mime = x'' WHERE id = :id AND state IN ('sent', 'failed')";
        let doing = "forget old mails";
        let old = self.old_rows(MAILS, OLD, before, now, limit)?;
        for id in &old {
            self.prepared(TRIES)?.execute(named_params! { ":id": id }).doing(doing)?;
            self.prepared(BYTES)?.execute(named_params! { ":id": id }).doing(doing)?;
        }
        Ok(old.len())
    }

    /// Forgets the words of digests composed before `before`, at most `limit`; returns how many.
    pub fn forget_digests(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        const OLD: &str = "SELECT id, at FROM digest WHERE id > :from ORDER BY id LIMIT :limit";
        let old = self.old_rows(DIGESTS, OLD, before, now, limit)?;
        for id in &old {
            self.prepared("UPDATE digest SET body_text = '', body_html = '' WHERE id = :id")?
                .execute(named_params! { ":id": id })
                .doing("forget old digests")?;
        }
        Ok(old.len())
    }

    /// Forgets holds that were over before `before`.
    pub fn forget_holds(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.prepared("DELETE FROM hold WHERE until_at < :before")?
            .execute(named_params! { ":before": ms(before) })
            .doing("forget old holds")
    }

    /// Returns the next rows that are old enough, in the order they came, and remembers the last looked at.
    fn old_rows(
        &self,
        fact: &str,
        sql: &str,
        before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<i64>, StoreError> {
        let doing = "look for what is old";
        let from = self.fact(fact)?.and_then(|id| id.parse::<i64>().ok()).unwrap_or(0);
        let mut sql = self.prepared(sql)?;
        let mut rows = sql.query(named_params! { ":from": from, ":limit": limit }).doing(doing)?;
        let (mut old, mut last) = (Vec::new(), None);
        while let Some(row) = rows.next().doing(doing)? {
            let (id, at): (i64, i64) = (row.get(0).doing(doing)?, row.get(1).doing(doing)?);
            if at >= ms(before) && at <= ms(now) {
                break;
            }
            last = Some(id);
            // One that a clock ahead of ours dated is kept, and must not keep all that follow.
            if at < ms(before) {
                old.push(id);
            }
        }
        if let Some(last) = last {
            self.set_fact(fact, Some(&last.to_string()))?;
        }
        Ok(old)
    }
}
