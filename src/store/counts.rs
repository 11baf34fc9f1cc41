//! The figures of `status`.

use jiff::Timestamp;

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;

/// The state of the house in numbers.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Active feeds.
    pub feeds: u64,
    /// Of these, with three failed polls in a row.
    pub failing: u64,
    /// Feeds due but not polled.
    pub overdue: u64,
    /// When the longest overdue feed was due.
    pub oldest_due: Option<Timestamp>,
    /// Articles ever seen.
    pub articles: u64,
    /// Articles flagged.
    pub matches: u64,
    /// Stories.
    pub stories: u64,
    /// Mails by state; `sending` counts as queued.
    pub queued: u64,
    /// Mails by state.
    pub deferred: u64,
    /// Mails by state.
    pub uncertain: u64,
    /// Mails by state.
    pub sent: u64,
    /// Mails by state.
    pub failed: u64,
    /// When the oldest undelivered mail was queued.
    pub oldest_unsent: Option<Timestamp>,
    /// Alerts that wait to become mails.
    pub waiting_alerts: u64,
    /// The last poll of any feed.
    pub last_poll: Option<Timestamp>,
    /// When the last digest was composed.
    pub last_digest: Option<Timestamp>,
}

impl Tx<'_> {
    /// Counts everything `status` shows.
    pub fn counts(&self, now: Timestamp) -> Result<Counts, StoreError> {
        const FEEDS: &str = "
            SELECT count(*), coalesce(sum(failures >= 3), 0), coalesce(sum(next_poll_at < :now), 0),
                   min(CASE WHEN next_poll_at < :now THEN next_poll_at END), max(last_poll_at)
            FROM feed WHERE active = 1";
        const REST: &str = "
            SELECT (SELECT coalesce(max(id), 0) FROM article), (SELECT count(*) FROM match), (SELECT count(*) FROM story),
                   (SELECT count(*) FROM alert WHERE state = 'waiting'), (SELECT max(at) FROM digest),
                   (SELECT min(created_at) FROM outbox WHERE state IN ('queued', 'sending', 'deferred', 'uncertain'))";
        let number = |row: &rusqlite::Row<'_>, place| row.get::<_, i64>(place).map(i64::unsigned_abs);
        let instant = |row: &rusqlite::Row<'_>, place| row.get::<_, Option<i64>>(place).map(|ms| ms.map(at));
        let mut counts = self
            .prepared(FEEDS)?
            .query_row(rusqlite::named_params! { ":now": ms(now) }, |row| {
                Ok(Counts {
                    feeds: number(row, 0)?,
                    failing: number(row, 1)?,
                    overdue: number(row, 2)?,
                    oldest_due: instant(row, 3)?,
                    last_poll: instant(row, 4)?,
                    ..Counts::default()
                })
            })
            .doing("count the feeds")?;
        self.prepared(REST)?
            .query_row([], |row| {
                counts.articles = number(row, 0)?;
                counts.matches = number(row, 1)?;
                counts.stories = number(row, 2)?;
                counts.waiting_alerts = number(row, 3)?;
                counts.last_digest = instant(row, 4)?;
                counts.oldest_unsent = instant(row, 5)?;
                Ok(())
            })
            .doing("count the archive")?;
        let mut sql = self.prepared("SELECT state, count(*) FROM outbox GROUP BY state")?;
        let rows = sql.query_map([], |row| Ok((text(row, 0)?, number(row, 1)?))).doing("count the outbox")?;
        for row in rows {
            let (state, count) = row.doing("count the outbox")?;
            match state.as_str() {
                "deferred" => counts.deferred += count,
                "uncertain" => counts.uncertain += count,
                "sent" => counts.sent += count,
                "failed" => counts.failed += count,
                _ => counts.queued += count,
            }
        }
        Ok(counts)
    }
}
