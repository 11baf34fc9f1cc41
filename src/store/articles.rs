//! Articles, and the keys they are known by.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use crate::news::identity::Key;
use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;

/// How many rows one statement inserts: few sizes, so that few statements are kept prepared.
const TOGETHER: [usize; 3] = [32, 8, 1];

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

/// An entry of a feed, and the article it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// The entry's key in its feed.
    pub key: i64,
    /// The article.
    pub article_id: i64,
    /// Hash of the text it had there.
    pub text_hash: i64,
}

impl Tx<'_> {
    /// Returns those of a feed's entries that were seen before.
    pub fn sightings(&self, feed_id: i64, keys: &[i64]) -> Result<Vec<Sighting>, StoreError> {
        const SQL: &str = "SELECT article_id, text_hash FROM sighting WHERE feed_id = ?1 AND key = ?2";
        let mut sql = self.prepared(SQL)?;
        let mut seen = Vec::new();
        for key in keys {
            let found = sql
                .query_row(params![feed_id, key], |row| {
                    Ok(Sighting { key: *key, article_id: row.get(0)?, text_hash: row.get(1)? })
                })
                .optional()
                .doing("look up an entry")?;
            seen.extend(found);
        }
        Ok(seen)
    }

    /// Returns whether any entry of a feed was seen before.
    pub fn has_sightings(&self, feed_id: i64) -> Result<bool, StoreError> {
        self.prepared("SELECT 1 FROM sighting WHERE feed_id = ?1 LIMIT 1")?
            .exists([feed_id])
            .doing("look up a feed's entries")
    }

    /// Records entries of a feed that were not seen before.
    pub fn record_sightings(&self, feed_id: i64, new: &[Sighting]) -> Result<(), StoreError> {
        let rows: Vec<_> = new
            .iter()
            .map(|one| [Some(feed_id), Some(one.key), Some(one.article_id), Some(one.text_hash)])
            .collect();
        self.insert(
            "sighting (feed_id, key, article_id, text_hash)",
            "ON CONFLICT DO UPDATE SET article_id = excluded.article_id, text_hash = excluded.text_hash",
            &rows,
        )
    }

    /// Records that a known entry is another article, or has another text, than before.
    pub fn revise_sighting(&self, feed_id: i64, known: Sighting) -> Result<(), StoreError> {
        self.prepared("UPDATE sighting SET article_id = ?3, text_hash = ?4 WHERE feed_id = ?1 AND key = ?2")?
            .execute(params![feed_id, known.key, known.article_id, known.text_hash])
            .doing("record an entry")?;
        Ok(())
    }

    /// Returns the articles that keys stand for, and whether each is kept as schema 2 keeps it.
    pub fn articles_by_key(&self, keys: &[Key]) -> Result<Vec<(Key, i64, bool)>, StoreError> {
        let doing = "look up a key";
        let mut near = self.prepared("SELECT article_id FROM near_key WHERE key = ?1")?;
        // Only a database that was begun with schema 1 has any.
        let old = self.prepared("SELECT 1 FROM article_key LIMIT 1")?.exists([]).doing(doing)?;
        let mut far = self.prepared("SELECT article_id FROM article_key WHERE key = ?1")?;
        let mut found = Vec::new();
        for key in keys {
            let kept = near.query_row([key.near], |row| row.get(0)).optional().doing(doing)?;
            if let Some(article) = kept {
                found.push((*key, article, true));
            } else if old
                && let Some(article) = far.query_row([key.far], |row| row.get(0)).optional().doing(doing)?
            {
                found.push((*key, article, false));
            }
        }
        Ok(found)
    }

    /// Lets new keys stand for articles: the near form of each, and the article.
    pub fn record_keys(&self, new: &[(i64, i64)]) -> Result<(), StoreError> {
        let rows: Vec<_> = new.iter().map(|(key, article)| [Some(*key), Some(*article)]).collect();
        self.insert(
            "near_key (key, article_id)",
            "ON CONFLICT DO UPDATE SET article_id = excluded.article_id",
            &rows,
        )
    }

    /// Lets a key that is kept stand for another article from now on.
    pub fn revise_key(&self, near: i64, article_id: i64) -> Result<(), StoreError> {
        self.prepared("UPDATE near_key SET article_id = ?2 WHERE key = ?1")?
            .execute([near, article_id])
            .doing("record a key")?;
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

    /// Returns the id the next new article gets.
    pub fn next_article(&self) -> Result<i64, StoreError> {
        self.prepared("SELECT coalesce(max(id), 0) + 1 FROM article")?
            .query_row([], |row| row.get(0))
            .doing("number an article")
    }

    /// Records new articles.
    pub fn record_articles(&self, new: &[ArticleRow]) -> Result<(), StoreError> {
        let row = |one: &ArticleRow| {
            let place = one.batch.map_or(0, |(_, place)| i64::try_from(place).unwrap_or(0));
            [
                Some(one.id),
                Some(one.feed_id),
                Some(ms(one.seen_at)),
                one.published_at.map(ms),
                Some(one.text_hash),
                Some(one.path_hash),
                one.batch.map(|(id, _)| id),
                Some(place),
            ]
        };
        let rows: Vec<_> = new.iter().map(row).collect();
        self.insert(
            "article (id, feed_id, seen_at, published_at, text_hash, path_hash, batch_id, place)",
            "",
            &rows,
        )
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

    /// Inserts rows of numbers, many with one statement: running one costs more than a row does.
    fn insert<const N: usize>(
        &self,
        into: &str,
        conflict: &str,
        mut rows: &[[Option<i64>; N]],
    ) -> Result<(), StoreError> {
        let doing = "record articles and their keys";
        while !rows.is_empty() {
            let many = TOGETHER.into_iter().find(|many| *many <= rows.len()).unwrap_or(1);
            let (now, later) = rows.split_at(many);
            let row = format!(", ({}?)", "?, ".repeat(N.saturating_sub(1)));
            let all = row.repeat(many);
            let values = all.strip_prefix(", ").unwrap_or_default();
            let mut sql = self.prepared(&format!("INSERT INTO {into} VALUES {values} {conflict}"))?;
            for (place, value) in now.iter().flatten().enumerate() {
                sql.raw_bind_parameter(place + 1, value).doing(doing)?;
            }
            sql.raw_execute().doing(doing)?;
            rows = later;
        }
        Ok(())
    }
}
