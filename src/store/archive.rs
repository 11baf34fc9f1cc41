//! The archive: texts of articles that matched nothing, compressed by polls, kept for a time.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, named_params};
use serde::{Deserialize, Serialize};

use crate::rules::outcome::Article;
use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;

/// Bytes a decompressed batch may have: more than a feed's cap ever yields.
const BATCH_LIMIT: usize = 256 << 20;

/// How many batches are held open while the archive is walked.
const BATCHES_OPEN: usize = 4;

/// What is kept of an article that matched nothing, and what `explain` and back-tests read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize + AsRef<str>"))]
pub struct ArchivedText<T = String> {
    /// Headline.
    #[serde(rename = "t", default)]
    pub title: T,
    /// Summary.
    #[serde(rename = "s", default)]
    pub summary: T,
    /// Full text.
    #[serde(rename = "b", default, skip_serializing_if = "is_empty")]
    pub body: T,
    /// Address.
    #[serde(rename = "u", default, skip_serializing_if = "is_empty")]
    pub link: T,
    /// Outlet.
    #[serde(rename = "o", default, skip_serializing_if = "is_empty")]
    pub source: T,
    /// Language tag.
    #[serde(rename = "l", default, skip_serializing_if = "is_empty")]
    pub lang: T,
}

fn is_empty(text: &impl AsRef<str>) -> bool {
    text.as_ref().is_empty()
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

impl Tx<'_> {
    /// Archives the compressed texts of a poll and returns the batch's id.
    pub fn record_batch(&self, feed_id: i64, now: Timestamp, body: &[u8]) -> Result<i64, StoreError> {
        self.prepared("INSERT INTO batch (feed_id, at, body) VALUES (:feed, :at, :body)")?
            .execute(named_params! { ":feed": feed_id, ":at": ms(now), ":body": body })
            .doing("archive the texts of a poll")?;
        Ok(self.db.last_insert_rowid())
    }

    /// Fills a batch that was begun empty.
    pub fn fill_batch(&self, id: i64, body: &[u8]) -> Result<(), StoreError> {
        self.prepared("UPDATE batch SET body = :body WHERE id = :id")?
            .execute(named_params! { ":id": id, ":body": body })
            .doing("archive the texts of a poll")?;
        Ok(())
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
        // Articles of one poll follow each other, but for those that a later one revised: few batches are open.
        let mut open: VecDeque<(i64, HashMap<usize, ArchivedText>)> = VecDeque::new();
        for row in rows {
            let (id, seen, batch, place) = row.doing("walk the archive")?;
            let text = match batch {
                None => self.any_text(id)?,
                Some(batch) => {
                    if !open.iter().any(|(id, _)| *id == batch) {
                        open.truncate(BATCHES_OPEN - 1);
                        open.push_front((batch, self.batch(batch)?.into_iter().enumerate().collect()));
                    }
                    let texts = open.iter_mut().find(|(id, _)| *id == batch);
                    let place = usize::try_from(place).ok();
                    texts.zip(place).and_then(|((_, texts), place)| texts.remove(&place))
                }
            };
            if let Some(text) = text {
                visit(id, at(seen), text)?;
            }
        }
        Ok(())
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
pub fn pack(texts: &[ArchivedText<&str>]) -> Result<Vec<u8>, std::io::Error> {
    let size = |text: &ArchivedText<&str>| text.title.len() + text.summary.len() + text.link.len() + 64;
    let mut json = Vec::with_capacity(texts.iter().map(size).sum());
    serde_json::to_writer(&mut json, texts)?;
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
