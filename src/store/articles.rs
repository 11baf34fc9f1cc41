//! Articles, the keys they are known by, and their texts.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};
use serde::{Deserialize, Serialize};

use crate::rules::outcome::Article;
use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;

/// Bytes a decompressed batch may have: more than a feed's cap ever yields.
const BATCH_LIMIT: usize = 256 << 20;

/// What is kept of an article that matched nothing, and what `explain` and back-tests read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedText {
    /// Headline.
    #[serde(rename = "t", default)]
    pub title: String,
    /// Summary.
    #[serde(rename = "s", default)]
    pub summary: String,
    /// Full text.
    #[serde(rename = "b", default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Address.
    #[serde(rename = "u", default, skip_serializing_if = "String::is_empty")]
    pub link: String,
    /// Outlet.
    #[serde(rename = "o", default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Language tag.
    #[serde(rename = "l", default, skip_serializing_if = "String::is_empty")]
    pub lang: String,
}

impl ArchivedText {
    /// The text as rules look at it.
    pub fn as_article(&self) -> Article<'_> {
        Article {
            title: &self.title,
            summary: &self.summary,
            body: &self.body,
            url: &self.link,
            source: &self.source,
            lang: &self.lang,
        }
    }
}

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

/// The text of a matched article.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewText {
    /// Headline.
    pub title: String,
    /// Summary.
    pub summary: String,
    /// Full text.
    pub body: String,
    /// Address.
    pub link: Option<String>,
    /// Outlet.
    pub source: String,
    /// Authors, joined by commas.
    pub authors: String,
    /// Language tag.
    pub lang: Option<String>,
    /// The date as the feed wrote it.
    pub claimed_date: Option<String>,
    /// The agency credited.
    pub wire: Option<String>,
    /// Whether it is a primary source.
    pub official: bool,
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

    /// Archives the compressed texts of a poll and returns the batch's id.
    pub fn record_batch(&self, feed_id: i64, now: Timestamp, body: &[u8]) -> Result<i64, StoreError> {
        self.prepared("INSERT INTO batch (feed_id, at, body) VALUES (:feed, :at, :body)")?
            .execute(named_params! { ":feed": feed_id, ":at": ms(now), ":body": body })
            .doing("archive the texts of a poll")?;
        Ok(self.db.last_insert_rowid())
    }

    /// Returns the texts of a batch; none when retention has taken it or its bytes are damaged.
    pub fn batch(&self, id: i64) -> Result<Vec<ArchivedText>, StoreError> {
        let body: Option<Vec<u8>> = self
            .prepared("SELECT body FROM batch WHERE id = :id")?
            .query_row(named_params! { ":id": id }, |row| row.get(0))
            .optional()
            .doing("read archived texts")?;
        Ok(body.map(|body| unpack(&body)).unwrap_or_default())
    }

    /// Records the text of a matched article, replacing an earlier wording.
    pub fn record_text(&self, article_id: i64, text: &NewText) -> Result<(), StoreError> {
        const KNOWN: &str = "SELECT 1 FROM article_text WHERE article_id = ?1";
        const FORGET: &str = "
            INSERT INTO article_fts (article_fts, rowid, title, summary, body)
            SELECT 'delete', article_id, title, summary, body FROM article_text WHERE article_id = :id";
        const SQL: &str = "
            INSERT INTO article_text
                (article_id, title, summary, body, link, source, authors, lang, claimed_date, wire, official)
            VALUES (:id, :title, :summary, :body, :link, :source, :authors, :lang, :claimed, :wire, :official)
            ON CONFLICT (article_id) DO UPDATE SET title = :title, summary = :summary, body = :body, link = :link,
                authors = :authors, lang = :lang, claimed_date = :claimed, wire = :wire";
        const INDEX: &str =
            "INSERT INTO article_fts (rowid, title, summary, body) VALUES (:id, :title, :summary, :body)";
        let doing = "record an article's text";
        // Asked first: the statement makes the index write out what it holds back, even for nothing.
        if self.prepared(KNOWN)?.exists(params![article_id]).doing(doing)? {
            self.prepared(FORGET)?.execute(named_params! { ":id": article_id }).doing(doing)?;
        }
        self.prepared(SQL)?
            .execute(named_params! {
                ":id": article_id, ":title": text.title, ":summary": text.summary, ":body": text.body,
                ":link": text.link, ":source": text.source, ":authors": text.authors, ":lang": text.lang,
                ":claimed": text.claimed_date, ":wire": text.wire, ":official": text.official,
            })
            .doing(doing)?;
        self.prepared(INDEX)?
            .execute(named_params! {
                ":id": article_id, ":title": text.title, ":summary": text.summary, ":body": text.body,
            })
            .doing(doing)?;
        Ok(())
    }

    /// Returns the text of a matched article.
    pub fn text(&self, article_id: i64) -> Result<Option<NewText>, StoreError> {
        const SQL: &str = "
            SELECT title, summary, body, link, source, authors, lang, claimed_date, wire, official
            FROM article_text WHERE article_id = :id";
        self.prepared(SQL)?
            .query_row(named_params! { ":id": article_id }, |row| {
                Ok(NewText {
                    title: row.get(0)?,
                    summary: row.get(1)?,
                    body: row.get(2)?,
                    link: row.get(3)?,
                    source: row.get(4)?,
                    authors: row.get(5)?,
                    lang: row.get(6)?,
                    claimed_date: row.get(7)?,
                    wire: row.get(8)?,
                    official: row.get(9)?,
                })
            })
            .optional()
            .doing("read an article's text")
    }

    /// Returns the text of any article that is still archived, matched or not.
    pub fn any_text(&self, article_id: i64) -> Result<Option<ArchivedText>, StoreError> {
        if let Some(text) = self.text(article_id)? {
            return Ok(Some(ArchivedText {
                title: text.title,
                summary: text.summary,
                body: text.body,
                link: text.link.unwrap_or_default(),
                source: text.source,
                lang: text.lang.unwrap_or_default(),
            }));
        }
        let Some((batch, place)) = self.article(article_id)?.and_then(|article| article.batch) else {
            return Ok(None);
        };
        Ok(self.batch(batch)?.into_iter().nth(place))
    }

    /// Calls `visit` with every archived article seen since `since`, oldest first.
    pub fn each_text(
        &self,
        since: Timestamp,
        mut visit: impl FnMut(i64, Timestamp, ArchivedText) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "
            SELECT id, seen_at, batch_id, place FROM article WHERE seen_at >= :since ORDER BY id";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":since": ms(since) }, |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, Option<i64>>(2)?,
                    row.get::<_, i64>(3)?,
                ))
            })
            .doing("walk the archive")?;
        // Articles of one poll follow each other: one batch is open at a time.
        let mut open: (i64, HashMap<usize, ArchivedText>) = (0, HashMap::new());
        for row in rows {
            let (id, seen, batch, place) = row.doing("walk the archive")?;
            let text = match batch {
                None => self.any_text(id)?,
                Some(batch) => {
                    if open.0 != batch {
                        open = (batch, self.batch(batch)?.into_iter().enumerate().collect());
                    }
                    usize::try_from(place).ok().and_then(|place| open.1.remove(&place))
                }
            };
            if let Some(text) = text {
                visit(id, at(seen), text)?;
            }
        }
        Ok(())
    }

    /// Records that an outlet carries a matched article.
    pub fn record_appearance(
        &self,
        article_id: i64,
        feed_id: i64,
        source: &str,
        link: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO appearance (article_id, feed_id, source, link, seen_at)
            VALUES (:article, :feed, :source, :link, :now) ON CONFLICT DO NOTHING";
        self.prepared(SQL)?
            .execute(named_params! {
                ":article": article_id, ":feed": feed_id, ":source": source, ":link": link, ":now": ms(now),
            })
            .doing("record an outlet")?;
        Ok(())
    }

    /// Returns the outlets that carry an article, in the order they were seen.
    pub fn appearances(&self, article_id: i64) -> Result<Vec<(String, Option<String>)>, StoreError> {
        const SQL: &str =
            "SELECT source, link FROM appearance WHERE article_id = :id ORDER BY seen_at, source";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":id": article_id }, |row| Ok((row.get(0)?, row.get(1)?)))
            .doing("list the outlets")?;
        rows.collect::<Result<_, _>>().doing("list the outlets")
    }

    /// Keeps the wording an article had until now.
    pub fn record_revision(
        &self,
        article_id: i64,
        now: Timestamp,
        old: (&str, &str),
        changed: Option<&str>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO revision (article_id, at, title, summary, changed) VALUES (:id, :at, :title, :summary, :changed)";
        self.prepared(SQL)?
            .execute(named_params! {
                ":id": article_id, ":at": ms(now), ":title": old.0, ":summary": old.1, ":changed": changed,
            })
            .doing("keep an earlier wording")?;
        Ok(())
    }

    /// Returns an article's earlier wordings, oldest first: when it was replaced, its title, what changed.
    pub fn revisions(&self, article_id: i64) -> Result<Vec<(Timestamp, String, Option<String>)>, StoreError> {
        const SQL: &str = "SELECT at, title, changed FROM revision WHERE article_id = :id ORDER BY id";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":id": article_id }, |row| {
                Ok((at(row.get(0)?), row.get(1)?, row.get(2)?))
            })
            .doing("list earlier wordings")?;
        rows.collect::<Result<_, _>>().doing("list earlier wordings")
    }

    /// Forgets texts of unmatched articles archived before `before`, at most `limit` polls' worth; returns how many.
    ///
    /// Keys and sightings stay: what was once seen is never new again.
    pub fn forget_texts(&self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        const SQL: &str = "
            DELETE FROM batch WHERE id IN (SELECT id FROM batch WHERE at < :before ORDER BY at LIMIT :limit)";
        self.prepared(SQL)?
            .execute(named_params! { ":before": ms(before), ":limit": limit })
            .doing("forget old texts")
    }
}

/// Compresses the texts of a poll.
pub fn pack(texts: &[ArchivedText]) -> Result<Vec<u8>, std::io::Error> {
    let json = serde_json::to_vec(texts)?;
    COMPRESSOR.with_borrow_mut(|kept| {
        if kept.is_none() {
            *kept = Some(zstd::bulk::Compressor::new(1)?);
        }
        match kept {
            Some(compressor) => compressor.compress(&json),
            None => zstd::bulk::compress(&json, 1),
        }
    })
}

thread_local! {
    /// Setting a compressor up costs more than a poll's texts.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

fn unpack(body: &[u8]) -> Vec<ArchivedText> {
    zstd::bulk::decompress(
        body,
        zstd::bulk::Decompressor::upper_bound(body).unwrap_or(BATCH_LIMIT).min(BATCH_LIMIT),
    )
    .ok()
    .and_then(|json| serde_json::from_slice(&json).ok())
    .unwrap_or_default()
}
