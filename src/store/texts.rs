//! The texts of matched articles: for readers, and for the search.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, named_params};

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;
use crate::store::text_if_any;

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
    /// The feed it came from, which speaks for its wording.
    pub feed_id: Option<i64>,
}

impl Tx<'_> {
    /// Records the text of a matched article, replacing an earlier wording.
    ///
    /// The search gets it by `Tx::index_texts`, which ends every transaction.
    pub fn record_text(&self, article_id: i64, text: &NewText) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO article_text
                (article_id, title, summary, body, link, source, authors, lang, claimed_date, wire, official, feed_id)
            VALUES (:id, :title, :summary, :body, :link, :source, :authors, :lang, :claimed, :wire, :official, :feed)
            ON CONFLICT (article_id) DO UPDATE SET title = :title, summary = :summary, body = :body, link = :link,
                authors = :authors, lang = :lang, claimed_date = :claimed, wire = :wire, feed_id = :feed";
        self.index_later(article_id)?;
        self.prepared(SQL)?
            .execute(named_params! {
                ":id": article_id, ":title": text.title, ":summary": text.summary, ":body": text.body,
                ":link": text.link, ":source": text.source, ":authors": text.authors, ":lang": text.lang,
                ":claimed": text.claimed_date, ":wire": text.wire, ":official": text.official,
                ":feed": text.feed_id,
            })
            .doing("record an article's text")?;
        Ok(())
    }

    /// Returns the text of a matched article.
    pub fn text(&self, article_id: i64) -> Result<Option<NewText>, StoreError> {
        const SQL: &str = "
            SELECT title, summary, body, link, source, authors, lang, claimed_date, wire, official, feed_id
            FROM article_text WHERE article_id = :id";
        self.prepared(SQL)?
            .query_row(named_params! { ":id": article_id }, |row| {
                Ok(NewText {
                    title: text(row, 0)?,
                    summary: text(row, 1)?,
                    body: text(row, 2)?,
                    link: text_if_any(row, 3)?,
                    source: text(row, 4)?,
                    authors: text(row, 5)?,
                    lang: text_if_any(row, 6)?,
                    claimed_date: text_if_any(row, 7)?,
                    wire: text_if_any(row, 8)?,
                    official: row.get(9)?,
                    feed_id: row.get(10)?,
                })
            })
            .optional()
            .doing("read an article's text")
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
            .query_map(named_params! { ":id": article_id }, |row| Ok((text(row, 0)?, text_if_any(row, 1)?)))
            .doing("list the outlets")?;
        rows.collect::<Result<_, _>>().doing("list the outlets")
    }

    /// Keeps the wording an article had until now.
    ///
    /// One that gave way to nothing new stands for all such in a row: a summary with
    /// a counter in it has another wording at every poll.
    pub fn record_revision(
        &self,
        article_id: i64,
        now: Timestamp,
        old: (&str, &str),
        changed: Option<&str>,
    ) -> Result<(), StoreError> {
        const REPLACE: &str = "
            UPDATE revision SET at = :at, title = :title, summary = :summary, changed = :changed
            WHERE id = (SELECT max(id) FROM revision WHERE article_id = :id) AND changed IS NULL";
        const ADD: &str = "
            INSERT INTO revision (article_id, at, title, summary, changed) VALUES (:id, :at, :title, :summary, :changed)";
        for sql in [REPLACE, ADD] {
            let kept = self
                .prepared(sql)?
                .execute(named_params! {
                    ":id": article_id, ":at": ms(now), ":title": old.0, ":summary": old.1, ":changed": changed,
                })
                .doing("keep an earlier wording")?;
            if kept > 0 {
                break;
            }
        }
        Ok(())
    }

    /// Returns an article's earlier wordings, oldest first: when it was replaced, its title, what changed.
    pub fn revisions(&self, article_id: i64) -> Result<Vec<(Timestamp, String, Option<String>)>, StoreError> {
        const SQL: &str = "SELECT at, title, changed FROM revision WHERE article_id = :id ORDER BY id";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":id": article_id }, |row| {
                Ok((at(row.get(0)?), text(row, 1)?, text_if_any(row, 2)?))
            })
            .doing("list earlier wordings")?;
        rows.collect::<Result<_, _>>().doing("list earlier wordings")
    }
}
