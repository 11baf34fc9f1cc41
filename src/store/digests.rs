//! Subscriptions as the database knows them, and the digests they were sent.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;
use crate::store::text_if_any;

/// A subscription's state.
#[derive(Debug, Clone)]
pub struct SubscriptionRow {
    /// As configured.
    pub name: String,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// The next digest's number.
    pub next_number: u32,
    /// When the last digest was composed.
    pub digest_at: Option<Timestamp>,
    /// The newest article then.
    pub digest_article: i64,
    /// The newest slot dealt with, a local date.
    pub slot: Option<String>,
    /// The newest match that its digests are done with, in them or not.
    pub from_seq: i64,
}

/// A digest to be recorded.
#[derive(Debug, Clone)]
pub struct NewDigest<'a> {
    /// Whom it is for.
    pub subscription: &'a str,
    /// Its number.
    pub number: u32,
    /// Its slot; none when asked for by hand.
    pub slot: Option<&'a str>,
    /// Where its period starts.
    pub since: Option<Timestamp>,
    /// Stories in it.
    pub stories: usize,
    /// The matches it claims.
    pub claims: &'a [i64],
    /// The words.
    pub subject: &'a str,
    /// The words.
    pub text: &'a str,
    /// The words.
    pub html: &'a str,
    /// The newest article when it was composed.
    pub newest_article: i64,
}

/// A digest's row.
#[derive(Debug, Clone)]
pub struct DigestRow {
    /// Row id.
    pub id: i64,
    /// Whom it was for.
    pub subscription: String,
    /// Its number.
    pub number: u32,
    /// Its slot.
    pub slot: Option<String>,
    /// When it was composed.
    pub at: Timestamp,
    /// Stories in it.
    pub stories: u64,
    /// Matches it claimed.
    pub articles: u64,
    /// The words.
    pub subject: String,
    /// The words.
    pub text: String,
    /// The words.
    pub html: String,
}

const COLUMNS: &str = "id, subscription, number, slot, at, stories, articles, subject, body_text, body_html";

fn digest(row: &Row<'_>) -> rusqlite::Result<DigestRow> {
    Ok(DigestRow {
        id: row.get(0)?,
        subscription: text(row, 1)?,
        number: u32::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
        slot: text_if_any(row, 3)?,
        at: at(row.get(4)?),
        stories: row.get::<_, i64>(5)?.unsigned_abs(),
        articles: row.get::<_, i64>(6)?.unsigned_abs(),
        subject: text(row, 7)?,
        text: text(row, 8)?,
        html: text(row, 9)?,
    })
}

impl Tx<'_> {
    /// Makes a subscription known: its digests choose from matches of the day before on.
    pub fn know_subscription(
        &self,
        name: &str,
        now: Timestamp,
        day_before: Timestamp,
    ) -> Result<(), StoreError> {
        // What a day brought is gone through only for one that is not known yet, not at each start.
        const SQL: &str = "
            INSERT INTO subscription (name, created_at, from_seq, digest_article)
            SELECT :name, :now, coalesce((SELECT min(seq) - 1 FROM match WHERE at >= :before), (SELECT max(seq) FROM match), 0),
                   coalesce((SELECT max(id) FROM article WHERE seen_at < :before), 0)
            WHERE NOT EXISTS (SELECT 1 FROM subscription WHERE name = :name)";
        self.prepared(SQL)?
            .execute(named_params! { ":name": name, ":now": ms(now), ":before": ms(day_before) })
            .doing("note a subscription")?;
        Ok(())
    }

    /// Returns a subscription's state.
    pub fn subscription(&self, name: &str) -> Result<Option<SubscriptionRow>, StoreError> {
        const SQL: &str = "
            SELECT name, created_at, next_number, digest_at, digest_article, slot, from_seq
            FROM subscription WHERE name = :name";
        self.prepared(SQL)?
            .query_row(named_params! { ":name": name }, |row| {
                Ok(SubscriptionRow {
                    name: text(row, 0)?,
                    created_at: at(row.get(1)?),
                    next_number: u32::try_from(row.get::<_, i64>(2)?).unwrap_or(1),
                    digest_at: row.get::<_, Option<i64>>(3)?.map(at),
                    digest_article: row.get(4)?,
                    slot: text_if_any(row, 5)?,
                    from_seq: row.get(6)?,
                })
            })
            .optional()
            .doing("find a subscription")
    }

    /// Returns the names of all subscriptions there ever were.
    pub fn subscriptions(&self) -> Result<Vec<String>, StoreError> {
        let mut sql = self.prepared("SELECT name FROM subscription ORDER BY name")?;
        let rows = sql.query_map([], |row| text(row, 0)).doing("list the subscriptions")?;
        rows.collect::<Result<_, _>>().doing("list the subscriptions")
    }

    /// Returns the newest match and the newest article of before `before`.
    pub fn newest_before(&self, before: Timestamp) -> Result<(i64, i64), StoreError> {
        const SQL: &str = "
            SELECT coalesce((SELECT min(seq) - 1 FROM match WHERE at >= :before), (SELECT max(seq) FROM match), 0),
                   coalesce((SELECT max(id) FROM article WHERE seen_at < :before), 0)";
        self.prepared(SQL)?
            .query_row(named_params! { ":before": ms(before) }, |row| Ok((row.get(0)?, row.get(1)?)))
            .doing("find where a day began")
    }

    /// Begins a subscription anew, as this row says; its number goes on.
    pub fn renew_subscription(&self, row: &SubscriptionRow) -> Result<(), StoreError> {
        const SQL: &str = "
            UPDATE subscription SET created_at = :created, from_seq = :from, digest_at = :digest, digest_article = :article
            WHERE name = :name";
        self.prepared(SQL)?
            .execute(named_params! {
                ":created": ms(row.created_at), ":from": row.from_seq, ":digest": row.digest_at.map(ms),
                ":article": row.digest_article, ":name": row.name,
            })
            .doing("begin a subscription anew")?;
        Ok(())
    }

    /// Notes that a subscription's digests are done with all matches so far: what nobody wanted of them is not owed.
    pub fn pass_matches(&self, name: &str) -> Result<(), StoreError> {
        const SQL: &str = "
            UPDATE subscription SET from_seq = max(from_seq, coalesce((SELECT max(seq) FROM match), 0)) WHERE name = :name";
        self.prepared(SQL)?
            .execute(named_params! { ":name": name })
            .doing("note what a digest was chosen from")?;
        Ok(())
    }

    /// Marks a slot as dealt with without a digest (a quiet day that gets none).
    pub fn skip_slot(&self, subscription: &str, slot: &str) -> Result<(), StoreError> {
        self.prepared("UPDATE subscription SET slot = :slot WHERE name = :name")?
            .execute(named_params! { ":slot": slot, ":name": subscription })
            .doing("skip a slot")?;
        Ok(())
    }

    /// Records a digest with its claims, and moves the subscription on.
    pub fn record_digest(&self, new: &NewDigest<'_>, now: Timestamp) -> Result<i64, StoreError> {
        const SQL: &str = "
            INSERT INTO digest (subscription, number, slot, at, since_at, stories, articles, subject, body_text, body_html)
            VALUES (:name, :number, :slot, :at, :since, :stories, :articles, :subject, :text, :html)";
        const MOVE: &str = "
            UPDATE subscription SET next_number = :number + 1, digest_at = :at, digest_article = :article,
                   slot = coalesce(:slot, slot)
            WHERE name = :name";
        const CLAIM: &str = "
            INSERT INTO digest_item (subscription, article_id, digest_id) VALUES (:name, :article, :digest)";
        let doing = "record a digest";
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.prepared(SQL)?
            .execute(named_params! {
                ":name": new.subscription, ":number": new.number, ":slot": new.slot, ":at": ms(now),
                ":since": new.since.map(ms), ":stories": count(new.stories), ":articles": count(new.claims.len()),
                ":subject": new.subject, ":text": new.text, ":html": new.html,
            })
            .doing(doing)?;
        let id = self.db.last_insert_rowid();
        self.prepared(MOVE)?
            .execute(named_params! {
                ":number": new.number, ":at": ms(now), ":article": new.newest_article, ":slot": new.slot,
                ":name": new.subscription,
            })
            .doing(doing)?;
        self.pass_matches(new.subscription)?;
        for article in new.claims {
            self.prepared(CLAIM)?
                .execute(named_params! { ":name": new.subscription, ":article": article, ":digest": id })
                .doing(doing)?;
        }
        Ok(id)
    }

    /// Lets the next digest carry again what an undelivered one claimed.
    pub fn release_claims(&self, digest_id: i64) -> Result<(), StoreError> {
        const BACK: &str = "
            UPDATE subscription SET from_seq = min(from_seq, coalesce((
                SELECT min(m.seq) - 1 FROM digest_item d JOIN match m ON m.article_id = d.article_id
                WHERE d.digest_id = :id), from_seq))
            WHERE name = (SELECT subscription FROM digest WHERE id = :id)";
        self.prepared(BACK)?
            .execute(named_params! { ":id": digest_id })
            .doing("fold a digest into the next")?;
        self.prepared("DELETE FROM digest_item WHERE digest_id = :id")?
            .execute(named_params! { ":id": digest_id })
            .doing("fold a digest into the next")?;
        Ok(())
    }

    /// Returns past digests, the newest first.
    pub fn digests(&self, subscription: Option<&str>, limit: u32) -> Result<Vec<DigestRow>, StoreError> {
        let mut sql = self.prepared(&format!(
            "SELECT {COLUMNS} FROM digest WHERE :name IS NULL OR subscription = :name ORDER BY id DESC LIMIT :limit"
        ))?;
        let rows = sql
            .query_map(named_params! { ":name": subscription, ":limit": limit }, digest)
            .doing("list the digests")?;
        rows.collect::<Result<_, _>>().doing("list the digests")
    }

    /// Returns a subscription's digest by number.
    pub fn digest(&self, subscription: &str, number: u32) -> Result<Option<DigestRow>, StoreError> {
        self.prepared(&format!(
            "SELECT {COLUMNS} FROM digest WHERE subscription = :name AND number = :number"
        ))?
        .query_row(named_params! { ":name": subscription, ":number": number }, digest)
        .optional()
        .doing("find a digest")
    }

    /// Returns how many articles came after `article`, and the newest article's id.
    pub fn articles_since(&self, article: i64) -> Result<(u64, i64), StoreError> {
        self.prepared("SELECT count(*), coalesce(max(id), :after) FROM article WHERE id > :after")?
            .query_row(named_params! { ":after": article }, |row| {
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
            })
            .doing("count the articles read")
    }
}
