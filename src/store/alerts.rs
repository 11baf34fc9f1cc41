//! Alerts: what a subscription is to be told at once, before it is a mail.

use jiff::Timestamp;
use rusqlite::{Row, named_params};

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;
use crate::store::text_if_any;

/// An alert to be recorded.
#[derive(Debug, Clone)]
pub struct NewAlert<'a> {
    /// Whom it is for.
    pub subscription: &'a str,
    /// The story.
    pub story_id: i64,
    /// The article that caused it.
    pub article_id: i64,
    /// 0 for the first alert of the story.
    pub revision: i64,
    /// What is materially new, on a follow-up.
    pub changed: Option<&'a str>,
    /// When it may be mailed.
    pub due_at: Timestamp,
    /// Whether a mute applies.
    pub muted: bool,
}

/// An alert's row.
#[derive(Debug, Clone)]
pub struct AlertRow {
    /// Row id.
    pub id: i64,
    /// Whom it is for.
    pub subscription: String,
    /// The story.
    pub story_id: i64,
    /// 0 for the first alert of the story.
    pub revision: i64,
    /// The article that caused it.
    pub article_id: i64,
    /// What is materially new.
    pub changed: Option<String>,
    /// When it came about.
    pub created_at: Timestamp,
    /// When it may be mailed.
    pub due_at: Timestamp,
    /// `waiting`, `mailed`, `rolled`, `muted`, `folded`.
    pub state: String,
    /// When it became a mail.
    pub mailed_at: Option<Timestamp>,
    /// That mail.
    pub dedup_key: Option<String>,
}

const COLUMNS: &str = "
    id, subscription, story_id, revision, article_id, changed, created_at, due_at, state, mailed_at, dedup_key";

fn alert(row: &Row<'_>) -> rusqlite::Result<AlertRow> {
    Ok(AlertRow {
        id: row.get(0)?,
        subscription: text(row, 1)?,
        story_id: row.get(2)?,
        revision: row.get(3)?,
        article_id: row.get(4)?,
        changed: text_if_any(row, 5)?,
        created_at: at(row.get(6)?),
        due_at: at(row.get(7)?),
        state: text(row, 8)?,
        mailed_at: row.get::<_, Option<i64>>(9)?.map(at),
        dedup_key: text_if_any(row, 10)?,
    })
}

impl Tx<'_> {
    /// Records an alert; a subscription has one per story and revision.
    pub fn record_alert(&self, new: &NewAlert<'_>, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO alert (subscription, story_id, revision, article_id, changed, created_at, due_at, state)
            VALUES (:subscription, :story, :revision, :article, :changed, :now, :due, :state)
            ON CONFLICT DO NOTHING";
        self.prepared(SQL)?
            .execute(named_params! {
                ":subscription": new.subscription, ":story": new.story_id, ":revision": new.revision,
                ":article": new.article_id, ":changed": new.changed, ":now": ms(now), ":due": ms(new.due_at),
                ":state": if new.muted { "muted" } else { "waiting" },
            })
            .doing("record an alert")?;
        Ok(())
    }

    /// Returns a subscription's alerts of a story, oldest first.
    pub fn alerts_of(&self, subscription: &str, story_id: i64) -> Result<Vec<AlertRow>, StoreError> {
        self.alerts_where(
            "subscription = :a AND story_id = :b ORDER BY revision",
            named_params! { ":a": subscription, ":b": story_id },
        )
    }

    /// Returns the alerts of a subscription that wait, due by `now`, oldest first.
    pub fn due_alerts(&self, subscription: &str, now: Timestamp) -> Result<Vec<AlertRow>, StoreError> {
        self.alerts_where(
            "state = 'waiting' AND subscription = :a AND due_at <= :b ORDER BY due_at, id",
            named_params! { ":a": subscription, ":b": ms(now) },
        )
    }

    /// Returns all alerts that wait.
    pub fn waiting_alerts(&self) -> Result<Vec<AlertRow>, StoreError> {
        self.alerts_where("state = 'waiting' ORDER BY due_at, id", &[])
    }

    /// Returns the alerts a mail carries.
    pub fn alerts_in(&self, dedup_key: &str) -> Result<Vec<AlertRow>, StoreError> {
        self.alerts_where("dedup_key = :a ORDER BY id", named_params! { ":a": dedup_key })
    }

    fn alerts_where(
        &self,
        condition: &str,
        values: &[(&str, &dyn rusqlite::ToSql)],
    ) -> Result<Vec<AlertRow>, StoreError> {
        let mut sql = self.prepared(&format!("SELECT {COLUMNS} FROM alert WHERE {condition}"))?;
        let rows = sql.query_map(values, alert).doing("list alerts")?;
        rows.collect::<Result<_, _>>().doing("list alerts")
    }

    /// Marks an alert as part of a mail: `mailed` alone, or `rolled` up with others.
    pub fn close_alert(
        &self,
        id: i64,
        state: &str,
        dedup_key: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE alert SET state = :state, dedup_key = :key, mailed_at = :now WHERE id = :id";
        self.prepared(SQL)?
            .execute(named_params! { ":state": state, ":key": dedup_key, ":now": ms(now), ":id": id })
            .doing("close an alert")?;
        Ok(())
    }

    /// Lets an alert that was muted wait to be mailed after all, for another article of its story.
    pub fn unmute_alert(&self, id: i64, article_id: i64, due_at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "
            UPDATE alert SET state = 'waiting', article_id = :article, due_at = :due, mailed_at = NULL, dedup_key = NULL
            WHERE id = :id AND state = 'muted'";
        self.prepared(SQL)?
            .execute(named_params! { ":article": article_id, ":due": ms(due_at), ":id": id })
            .doing("end an alert's silence")?;
        Ok(())
    }

    /// Puts an alert off.
    pub fn defer_alert(&self, id: i64, due_at: Timestamp) -> Result<(), StoreError> {
        self.prepared("UPDATE alert SET due_at = :due WHERE id = :id")?
            .execute(named_params! { ":due": ms(due_at), ":id": id })
            .doing("put an alert off")?;
        Ok(())
    }

    /// Marks the alerts of a mail that could not be delivered: the next digest carries them in full.
    ///
    /// Also where one before it, not knowing better, listed them as sent. What was folded once is not told again when
    /// a retry fails too.
    pub fn fold_alerts(&self, dedup_key: &str) -> Result<(), StoreError> {
        const BACK: &str = "
            UPDATE subscription SET from_seq = min(from_seq, coalesce((
                SELECT min(f.seq) - 1 FROM alert a JOIN story_member m ON m.story_id = a.story_id
                JOIN match f ON f.article_id = m.article_id
                WHERE a.dedup_key = :key AND a.state <> 'folded' AND a.subscription = subscription.name), from_seq))
            WHERE name IN (SELECT subscription FROM alert WHERE dedup_key = :key)";
        const RELEASE: &str = "
            DELETE FROM digest_item WHERE (subscription, article_id) IN (
                SELECT a.subscription, m.article_id FROM alert a JOIN story_member m ON m.story_id = a.story_id
                WHERE a.dedup_key = :key AND a.state <> 'folded')";
        self.prepared(BACK)?
            .execute(named_params! { ":key": dedup_key })
            .doing("fold alerts into the digest")?;
        self.prepared(RELEASE)?
            .execute(named_params! { ":key": dedup_key })
            .doing("fold alerts into the digest")?;
        self.prepared("UPDATE alert SET state = 'folded' WHERE dedup_key = :key")?
            .execute(named_params! { ":key": dedup_key })
            .doing("fold alerts into the digest")?;
        Ok(())
    }

    /// Returns when alert mails and roll-ups of a subscription were composed, from `since` to `now`.
    ///
    /// What a clock ahead of ours composed does not count.
    pub fn alert_mails(
        &self,
        subscription: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        const SQL: &str = "
            SELECT kind, min(created_at) FROM outbox
            WHERE subscription = :name AND kind IN ('alert', 'rollup') AND created_at > :since AND created_at <= :now
            GROUP BY dedup_key ORDER BY 2";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":name": subscription, ":since": ms(since), ":now": ms(now) }, |row| {
                Ok((text(row, 0)?, at(row.get(1)?)))
            })
            .doing("count alert mails")?;
        rows.collect::<Result<_, _>>().doing("count alert mails")
    }

    /// Returns when the next waiting alert of these subscriptions is due: nobody mails those of others.
    pub fn next_alert(&self, subscriptions: &[&str]) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "
            SELECT min(due_at) FROM alert
            WHERE state = 'waiting' AND subscription IN (SELECT value FROM json_each(:names))";
        let names = serde_json::to_string(subscriptions).unwrap_or_default();
        self.prepared(SQL)?
            .query_row(named_params! { ":names": names }, |row| row.get::<_, Option<i64>>(0))
            .doing("find the next alert")
            .map(|due| due.map(at))
    }
}
