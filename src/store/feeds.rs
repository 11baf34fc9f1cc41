//! Feeds: what is due, and how the last poll went.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;
use crate::store::text_if_any;

/// A feed's state.
#[derive(Debug, Clone, Default)]
pub struct FeedRow {
    /// Row id.
    pub id: i64,
    /// As configured.
    pub name: String,
    /// As configured.
    pub url: String,
    /// Configured and enabled.
    pub active: bool,
    /// What the feed calls itself.
    pub title: Option<String>,
    /// When it is polled next.
    pub next_poll_at: Timestamp,
    /// Why then.
    pub next_why: String,
    /// The last try.
    pub last_poll_at: Option<Timestamp>,
    /// The last readable answer.
    pub last_ok_at: Option<Timestamp>,
    /// The last new article.
    pub last_new_at: Option<Timestamp>,
    /// The first readable answer of its address.
    pub first_ok_at: Option<Timestamp>,
    /// The last 200.
    pub last_full_at: Option<Timestamp>,
    /// The last HTTP status.
    pub last_status: Option<u16>,
    /// Polls in all.
    pub polls: u64,
    /// Of these, answered 304.
    pub not_modified: u64,
    /// Failures in a row.
    pub failures: u32,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
    /// What kind of failure.
    pub failure_kind: Option<String>,
    /// The failure in words.
    pub failure: Option<String>,
    /// Validator.
    pub etag: Option<String>,
    /// Validator.
    pub last_modified: Option<String>,
    /// RSS `ttl`.
    pub ttl_minutes: Option<u32>,
    /// RSS `skipHours`, JSON.
    pub skip_hours: String,
    /// RSS `skipDays`, JSON.
    pub skip_days: String,
    /// An adopted permanent redirect.
    pub moved_url: Option<String>,
    /// One seen but not yet adopted.
    pub moving_url: Option<String>,
    /// Since when it is seen.
    pub moving_since: Option<Timestamp>,
    /// The run that saw it first.
    pub moving_run: Option<String>,
    /// Its rhythm, JSON.
    pub rhythm: String,
    /// Entries in the last document.
    pub entries: u64,
    /// Flaws of the last document, JSON.
    pub flaws: String,
    /// Times entries may have been missed.
    pub gaps: u64,
    /// The last such time.
    pub gap_at: Option<Timestamp>,
    /// Articles taken in as what was there before.
    pub baseline: u64,
    /// What the operator was last told about it.
    pub told: String,
    /// The entry the last document was cut off in, as far as it came.
    pub cut_key: Option<i64>,
}

/// A feed as far as the schedule needs it: there may be ten thousand.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// Row id.
    pub id: i64,
    /// As configured.
    pub name: String,
    /// As configured.
    pub url: String,
    /// Configured and enabled.
    pub active: bool,
    /// An adopted permanent redirect.
    pub moved_url: Option<String>,
    /// When it is polled next.
    pub next_poll_at: Timestamp,
    /// Failures in a row.
    pub failures: u32,
}

/// What a poll changes about a feed: the whole row is written back.
pub type PollRecord = FeedRow;

const COLUMNS: &str = "id, name, url, active, title, next_poll_at, next_why, last_poll_at, last_ok_at, last_new_at, \
    first_ok_at, last_full_at, last_status, polls, not_modified, failures, failing_since_at, failure_kind, failure, \
    etag, last_modified, ttl_minutes, skip_hours, skip_days, moved_url, moving_url, moving_since_at, moving_run, \
    rhythm, entries, flaws, gaps, gap_at, baseline, told, cut_key";

/// Reads a row in the order of [`COLUMNS`]; looking columns up by name would cost more than the query.
fn feed(row: &Row<'_>) -> rusqlite::Result<FeedRow> {
    let instant = |column: usize| row.get::<_, Option<i64>>(column).map(|ms| ms.map(at));
    let count = |column: usize| row.get::<_, i64>(column).map(|n| n.max(0).unsigned_abs());
    Ok(FeedRow {
        id: row.get(0)?,
        name: text(row, 1)?,
        url: text(row, 2)?,
        active: row.get(3)?,
        title: text_if_any(row, 4)?,
        next_poll_at: at(row.get(5)?),
        next_why: text(row, 6)?,
        last_poll_at: instant(7)?,
        last_ok_at: instant(8)?,
        last_new_at: instant(9)?,
        first_ok_at: instant(10)?,
        last_full_at: instant(11)?,
        last_status: row.get::<_, Option<i64>>(12)?.and_then(|status| u16::try_from(status).ok()),
        polls: count(13)?,
        not_modified: count(14)?,
        failures: failures(row, 15)?,
        failing_since: instant(16)?,
        failure_kind: text_if_any(row, 17)?,
        failure: text_if_any(row, 18)?,
        etag: text_if_any(row, 19)?,
        last_modified: text_if_any(row, 20)?,
        ttl_minutes: row.get::<_, Option<i64>>(21)?.and_then(|ttl| u32::try_from(ttl).ok()),
        skip_hours: text(row, 22)?,
        skip_days: text(row, 23)?,
        moved_url: text_if_any(row, 24)?,
        moving_url: text_if_any(row, 25)?,
        moving_since: instant(26)?,
        moving_run: text_if_any(row, 27)?,
        rhythm: text(row, 28)?,
        entries: count(29)?,
        flaws: text(row, 30)?,
        gaps: count(31)?,
        gap_at: instant(32)?,
        baseline: count(33)?,
        told: text(row, 34)?,
        cut_key: row.get(35)?,
    })
}

fn failures(row: &Row<'_>, column: usize) -> rusqlite::Result<u32> {
    Ok(u32::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

impl Tx<'_> {
    /// Makes the feed table say what the configuration says, and returns the feeds in use.
    ///
    /// A feed is known by its name, else by its address, so that either may be
    /// changed without losing its history. `first_poll` gives a new feed its first
    /// time. A feed that is gone from the configuration stays, inactive. Rows that
    /// say it already are not written: most starts change nothing.
    pub fn sync_feeds(
        &self,
        configured: &[(String, String)],
        mut first_poll: impl FnMut(usize) -> Timestamp,
    ) -> Result<Vec<Scheduled>, StoreError> {
        const INSERT: &str =
            "INSERT INTO feed (name, url, next_poll_at, next_why) VALUES (:name, :url, :at, 'new')";
        const RENAME: &str = "UPDATE feed SET name = :name, active = 1 WHERE id = :id";
        const ACTIVATE: &str = "UPDATE feed SET active = :active WHERE id = :id";
        // Another address is another server: its validators, redirects and failures are void, and its first
        // document may be another feed's.
        const READDRESS: &str = "
            UPDATE feed SET url = :url, active = 1, etag = NULL, last_modified = NULL, moved_url = NULL,
                   moving_url = NULL, moving_since_at = NULL, failures = 0, failing_since_at = NULL, failure = NULL,
                   failure_kind = NULL, cut_key = NULL, first_ok_at = NULL, next_poll_at = :at,
                   next_why = 'its address was changed'
            WHERE id = :id";
        let doing = "bring the feeds in line with the configuration";
        let rows = self.scheduled(false)?;
        let mut in_line = true;
        let by_name: HashMap<&str, &Scheduled> = rows.iter().map(|row| (row.name.as_str(), row)).collect();
        let wanted: HashSet<&str> = configured.iter().map(|(name, _)| name.as_str()).collect();
        // Of rows with one address, that in use was renamed.
        let of_no_name = |active| {
            rows.iter()
                .filter(move |row| row.active == active)
                .filter(|row| !wanted.contains(row.name.as_str()))
        };
        let mut unnamed: HashMap<&str, &Scheduled> =
            of_no_name(false).chain(of_no_name(true)).map(|row| (row.url.as_str(), row)).collect();
        let mut used: HashSet<i64> = HashSet::with_capacity(configured.len());
        for (place, (name, url)) in configured.iter().enumerate() {
            let known = by_name.get(name.as_str()).copied();
            let renamed = if known.is_none() { unnamed.remove(url.as_str()) } else { None };
            used.extend(known.or(renamed).map(|row| row.id));
            let done = match (known, renamed) {
                (Some(row), _) if row.url == *url && row.active => continue,
                (Some(row), _) if row.url == *url => {
                    self.prepared(ACTIVATE)?.execute(named_params! { ":id": row.id, ":active": true })
                }
                (Some(row), _) => self
                    .prepared(READDRESS)?
                    .execute(named_params! { ":id": row.id, ":url": url, ":at": ms(first_poll(place)) }),
                (None, Some(row)) => {
                    self.prepared(RENAME)?.execute(named_params! { ":id": row.id, ":name": name })
                }
                (None, None) => self
                    .prepared(INSERT)?
                    .execute(named_params! { ":name": name, ":url": url, ":at": ms(first_poll(place)) }),
            };
            done.doing(doing)?;
            in_line = false;
        }
        // What no feed of the configuration is any more.
        for row in rows.iter().filter(|row| row.active && !used.contains(&row.id)) {
            self.prepared(ACTIVATE)?
                .execute(named_params! { ":id": row.id, ":active": false })
                .doing(doing)?;
            in_line = false;
        }
        if in_line { Ok(rows.into_iter().filter(|row| row.active).collect()) } else { self.scheduled(true) }
    }

    /// Returns where the feeds stand in the schedule, by name; only those in use when `active`.
    pub fn scheduled(&self, active: bool) -> Result<Vec<Scheduled>, StoreError> {
        const SQL: &str = "
            SELECT id, name, url, active, moved_url, next_poll_at, failures
            FROM feed WHERE active >= :active ORDER BY name";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":active": active }, |row| {
                Ok(Scheduled {
                    id: row.get(0)?,
                    name: text(row, 1)?,
                    url: text(row, 2)?,
                    active: row.get(3)?,
                    moved_url: text_if_any(row, 4)?,
                    next_poll_at: at(row.get(5)?),
                    failures: failures(row, 6)?,
                })
            })
            .doing("list the feeds")?;
        rows.collect::<Result<_, _>>().doing("list the feeds")
    }

    /// Hands over each feed, by name; only those in use when `active`.
    pub fn each_feed(&self, active: bool, mut take: impl FnMut(FeedRow)) -> Result<(), StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM feed WHERE active >= :active ORDER BY name");
        let mut sql = self.prepared(&sql)?;
        let rows = sql.query_map(named_params! { ":active": active }, feed).doing("list the feeds")?;
        for row in rows {
            take(row.doing("list the feeds")?);
        }
        Ok(())
    }

    /// Returns the feeds, by name; only those in use when `active`.
    pub fn feeds(&self, active: bool) -> Result<Vec<FeedRow>, StoreError> {
        let mut rows = Vec::new();
        self.each_feed(active, |row| rows.push(row))?;
        Ok(rows)
    }

    /// Returns the feed in use that has a name.
    pub fn feed_named(&self, name: &str) -> Result<Option<FeedRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM feed WHERE name = :name AND active = 1");
        self.prepared(&sql)?.query_row(named_params! { ":name": name }, feed).optional().doing("find a feed")
    }

    /// Returns one feed.
    pub fn feed(&self, id: i64) -> Result<Option<FeedRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM feed WHERE id = :id");
        self.prepared(&sql)?.query_row(named_params! { ":id": id }, feed).optional().doing("find a feed")
    }

    /// Moves every feed that is due later than its interval allows to a time within it.
    ///
    /// After a configuration change a feed must not sit out the longer wait it was
    /// given before; `latest` is the last instant allowed for each feed.
    pub fn pull_forward(&self, feed_id: i64, latest: Timestamp, why: &str) -> Result<(), StoreError> {
        const SQL: &str = "
            UPDATE feed SET next_poll_at = :latest, next_why = :why WHERE id = :id AND next_poll_at > :latest";
        self.prepared(SQL)?
            .execute(named_params! { ":latest": ms(latest), ":why": why, ":id": feed_id })
            .doing("reschedule a feed")?;
        Ok(())
    }

    /// Writes back a feed after a poll; one whose address was changed meanwhile is left as it is.
    pub fn record_feed(&self, feed: &PollRecord) -> Result<(), StoreError> {
        const SQL: &str = "
            UPDATE feed SET title = ?2, next_poll_at = ?3, next_why = ?4, last_poll_at = ?5, last_ok_at = ?6,
                last_new_at = ?7, first_ok_at = ?8, last_full_at = ?9, last_status = ?10, polls = ?11,
                not_modified = ?12, failures = ?13, failing_since_at = ?14, failure_kind = ?15, failure = ?16,
                etag = ?17, last_modified = ?18, ttl_minutes = ?19, skip_hours = ?20, skip_days = ?21,
                moved_url = ?22, moving_url = ?23, moving_since_at = ?24, moving_run = ?25, rhythm = ?26,
                entries = ?27, flaws = ?28, gaps = ?29, gap_at = ?30, baseline = ?31,
                cut_key = ?32
            WHERE id = ?1 AND url = ?33";
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.prepared(SQL)?
            .execute(params![
                feed.id,
                feed.title,
                ms(feed.next_poll_at),
                feed.next_why,
                feed.last_poll_at.map(ms),
                feed.last_ok_at.map(ms),
                feed.last_new_at.map(ms),
                feed.first_ok_at.map(ms),
                feed.last_full_at.map(ms),
                feed.last_status,
                count(feed.polls),
                count(feed.not_modified),
                feed.failures,
                feed.failing_since.map(ms),
                feed.failure_kind,
                feed.failure,
                feed.etag,
                feed.last_modified,
                feed.ttl_minutes,
                feed.skip_hours,
                feed.skip_days,
                feed.moved_url,
                feed.moving_url,
                feed.moving_since.map(ms),
                feed.moving_run,
                feed.rhythm,
                count(feed.entries),
                feed.flaws,
                count(feed.gaps),
                feed.gap_at.map(ms),
                count(feed.baseline),
                feed.cut_key,
                feed.url,
            ])
            .doing("record a poll")?;
        Ok(())
    }

    /// Notes what the operator was told about a feed.
    pub fn record_told(&self, feed_id: i64, told: &str) -> Result<(), StoreError> {
        self.prepared("UPDATE feed SET told = :told WHERE id = :id")?
            .execute(named_params! { ":told": told, ":id": feed_id })
            .doing("note what the operator was told")?;
        Ok(())
    }

    /// Puts a domain on hold; a longer hold in force stays.
    pub fn hold(&self, domain: &str, until: Timestamp, why: &str) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO hold (domain, until_at, why) VALUES (:domain, :until, :why)
            ON CONFLICT (domain) DO UPDATE SET until_at = :until, why = :why WHERE until_at < :until";
        self.prepared(SQL)?
            .execute(named_params! { ":domain": domain, ":until": ms(until), ":why": why })
            .doing("hold a domain")?;
        Ok(())
    }

    /// Returns the holds in force.
    pub fn holds(&self, now: Timestamp) -> Result<Vec<(String, Timestamp, String)>, StoreError> {
        let mut sql = self.prepared("SELECT domain, until_at, why FROM hold WHERE until_at > :now")?;
        let rows = sql
            .query_map(named_params! { ":now": ms(now) }, |row| {
                Ok((text(row, 0)?, at(row.get(1)?), text(row, 2)?))
            })
            .doing("list the holds")?;
        rows.collect::<Result<_, _>>().doing("list the holds")
    }

    pub(super) fn prepared(&self, sql: &str) -> Result<rusqlite::CachedStatement<'_>, StoreError> {
        self.db.prepare_cached(sql).doing("prepare a statement")
    }
}
