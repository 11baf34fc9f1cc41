//! Articles, and the keys they are known by.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;

/// An article's row.
#[derive(Debug, Clone)]
pub struct ArticleRow {
    /// Row id.
    pub id: i64,
    /// Where it was first seen.
    pub feed_id: i64,
    /// When it was first seen.
    pub seen_at: Timestamp,
    /// When the feed says it was published.
    pub published_at: Option<Timestamp>,
    /// Hash of its text.
    pub text_hash: i64,
    /// Hash of its address's path.
    pub path_hash: i64,
    /// Where its text is archived.
    pub batch: Option<(i64, usize)>,
}

/// An article to be recorded.
#[derive(Debug, Clone)]
pub struct NewArticle {
    /// Where it was seen.
    pub feed_id: i64,
    /// When.
    pub seen_at: Timestamp,
    /// As the feed claims.
    pub published_at: Option<Timestamp>,
    /// Hash of its text.
    pub text_hash: i64,
    /// Hash of its address's path.
    pub path_hash: i64,
    /// Where its text is archived.
    pub batch: Option<(i64, usize)>,
}

fn article(row: &Row<'_>) -> rusqlite::Result<ArticleRow> {
    let batch: Option<i64> = row.get("batch_id")?;
    let place = usize::try_from(row.get::<_, i64>("place")?).unwrap_or(0);
    Ok(ArticleRow {
        id: row.get("id")?,
        feed_id: row.get("feed_id")?,
        seen_at: at(row.get("seen_at")?),
        published_at: row.get::<_, Option<i64>>("published_at")?.map(at),
        text_hash: row.get("text_hash")?,
        path_hash: row.get("path_hash")?,
        batch: batch.map(|batch| (batch, place)),
    })
}

impl Tx<'_> {
    /// Returns the article an entry of a feed is, and the hash of the text it last had there.
    pub fn sighting(&self, feed_id: i64, key: i64) -> Result<Option<(i64, i64)>, StoreError> {
        const SQL: &str = "SELECT article_id, text_hash FROM sighting WHERE feed_id = ?1 AND key = ?2";
        self.prepared(SQL)?
            .query_row(params![feed_id, key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .doing("look up an entry")
    }

    /// Records that an entry of a feed is this article, with this text.
    pub fn record_sighting(
        &self,
        feed_id: i64,
        key: i64,
        article_id: i64,
        text_hash: i64,
    ) -> Result<(), StoreError> {
        // Not one upsert: what may update a reference is run with a statement journal, which costs more than the row.
        const NEW: &str = "
            INSERT INTO sighting (feed_id, key, article_id, text_hash) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        const KNOWN: &str =
            "UPDATE sighting SET article_id = ?3, text_hash = ?4 WHERE feed_id = ?1 AND key = ?2";
        let values = params![feed_id, key, article_id, text_hash];
        if self.prepared(NEW)?.execute(values).doing("record an entry")? == 0 {
            self.prepared(KNOWN)?.execute(values).doing("record an entry")?;
        }
        Ok(())
    }

    /// Returns the article a key stands for.
    pub fn article_by_key(&self, key: i64) -> Result<Option<i64>, StoreError> {
        self.prepared("SELECT article_id FROM article_key WHERE key = ?1")?
            .query_row(params![key], |row| row.get(0))
            .optional()
            .doing("look up a key")
    }

    /// Lets a key stand for this article from now on.
    pub fn record_key(&self, key: i64, article_id: i64) -> Result<(), StoreError> {
        // In two statements for the reason given above.
        const NEW: &str = "INSERT INTO article_key (key, article_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        const KNOWN: &str = "UPDATE article_key SET article_id = ?2 WHERE key = ?1";
        let values = params![key, article_id];
        if self.prepared(NEW)?.execute(values).doing("record a key")? == 0 {
            self.prepared(KNOWN)?.execute(values).doing("record a key")?;
        }
        Ok(())
    }

    /// Returns one article.
    pub fn article(&self, id: i64) -> Result<Option<ArticleRow>, StoreError> {
        const SQL: &str = "
            SELECT id, feed_id, seen_at, published_at, text_hash, path_hash, batch_id, place FROM article WHERE id = :id";
        self.prepared(SQL)?
            .query_row(named_params! { ":id": id }, article)
            .optional()
            .doing("find an article")
    }

    /// Records a new article and returns its id.
    pub fn record_article(&self, new: &NewArticle) -> Result<i64, StoreError> {
        const SQL: &str = "
            INSERT INTO article (feed_id, seen_at, published_at, text_hash, path_hash, batch_id, place)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.prepared(SQL)?
            .execute(params![
                new.feed_id,
                ms(new.seen_at),
                new.published_at.map(ms),
                new.text_hash,
                new.path_hash,
                new.batch.map(|(id, _)| id),
                new.batch.map_or(0, |(_, place)| i64::try_from(place).unwrap_or(0)),
            ])
            .doing("record an article")?;
        Ok(self.db.last_insert_rowid())
    }

    /// Gives a known article a new text hash and a new place in the archive.
    pub fn revise_article(
        &self,
        id: i64,
        text_hash: i64,
        batch: Option<(i64, usize)>,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE article SET text_hash = :text, batch_id = :batch, place = :place WHERE id = :id";
        self.prepared(SQL)?
            .execute(named_params! {
                ":id": id, ":text": text_hash, ":batch": batch.map(|(id, _)| id),
                ":place": batch.map_or(0, |(_, place)| i64::try_from(place).unwrap_or(0)),
            })
            .doing("revise an article")?;
        Ok(())
    }
}
