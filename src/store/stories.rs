//! Stories: which matched articles are copies of one text.

use jiff::Timestamp;
use rusqlite::named_params;

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;
use crate::store::text_if_any;

/// An article in a story.
#[derive(Debug, Clone)]
pub struct Member {
    /// The article.
    pub article_id: i64,
    /// When it joined.
    pub at: Timestamp,
    /// Why it is a copy, JSON; none for the first.
    pub evidence: Option<String>,
}

impl Tx<'_> {
    /// Returns the stories that had a member since `since`, oldest first.
    pub fn open_stories(&self, since: Timestamp) -> Result<Vec<i64>, StoreError> {
        let mut sql = self.prepared("SELECT id FROM story WHERE last_at >= :since ORDER BY id")?;
        let rows = sql
            .query_map(named_params! { ":since": ms(since) }, |row| row.get(0))
            .doing("list recent stories")?;
        rows.collect::<Result<_, _>>().doing("list recent stories")
    }

    /// Returns the fingerprints, JSON, of a story's first `most` members in the order they came.
    pub fn story_prints(&self, story_id: i64, most: u32) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "
            SELECT print FROM story_member WHERE story_id = :id ORDER BY at, article_id LIMIT :most";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":id": story_id, ":most": most }, |row| text(row, 0))
            .doing("read a story")?;
        rows.collect::<Result<_, _>>().doing("read a story")
    }

    /// Returns a word that changes whenever a story gains a member.
    pub fn story_stamp(&self) -> Result<Option<String>, StoreError> {
        self.fact("stories.stamp")
    }

    /// Sets that word; part of the transaction that adds the member.
    pub fn set_story_stamp(&self, stamp: &str) -> Result<(), StoreError> {
        self.set_fact("stories.stamp", Some(stamp))
    }

    /// Opens a story.
    pub fn open_story(&self, now: Timestamp) -> Result<i64, StoreError> {
        self.prepared("INSERT INTO story (opened_at, last_at) VALUES (:now, :now)")?
            .execute(named_params! { ":now": ms(now) })
            .doing("open a story")?;
        Ok(self.db.last_insert_rowid())
    }

    /// Adds an article to a story, or renews its fingerprint there.
    pub fn join_story(
        &self,
        story_id: i64,
        article_id: i64,
        now: Timestamp,
        print: &str,
        evidence: Option<&str>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO story_member (article_id, story_id, at, print, evidence)
            VALUES (:article, :story, :at, :print, :evidence)
            ON CONFLICT (article_id) DO UPDATE SET print = :print";
        self.prepared(SQL)?
            .execute(named_params! {
                ":article": article_id, ":story": story_id, ":at": ms(now), ":print": print, ":evidence": evidence,
            })
            .doing("add to a story")?;
        self.prepared("UPDATE story SET last_at = max(last_at, :at) WHERE id = :story")?
            .execute(named_params! { ":at": ms(now), ":story": story_id })
            .doing("add to a story")?;
        Ok(())
    }

    /// Returns the story an article is in.
    pub fn story_of(&self, article_id: i64) -> Result<Option<i64>, StoreError> {
        use rusqlite::OptionalExtension;
        self.prepared("SELECT story_id FROM story_member WHERE article_id = :id")?
            .query_row(named_params! { ":id": article_id }, |row| row.get(0))
            .optional()
            .doing("find a story")
    }

    /// Returns a story's members in the order they came.
    pub fn members(&self, story_id: i64) -> Result<Vec<Member>, StoreError> {
        const SQL: &str = "
            SELECT article_id, at, evidence FROM story_member WHERE story_id = :id ORDER BY at, article_id";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":id": story_id }, |row| {
                Ok(Member { article_id: row.get(0)?, at: at(row.get(1)?), evidence: text_if_any(row, 2)? })
            })
            .doing("list a story")?;
        rows.collect::<Result<_, _>>().doing("list a story")
    }

    /// Returns each topic's stories, with when each was opened, since `since`, baseline left out.
    pub fn story_times(
        &self,
        since: Timestamp,
        topics: &[String],
    ) -> Result<Vec<(String, i64, Timestamp)>, StoreError> {
        const SQL: &str = "
            SELECT r.topic, s.opened_at, r.rule_id, s.id FROM story s
            JOIN story_member sm ON sm.story_id = s.id
            JOIN match m ON m.article_id = sm.article_id AND m.disposition <> 'baseline'
            JOIN match_rule r ON r.article_id = sm.article_id AND r.counts
            WHERE s.opened_at >= :since GROUP BY r.topic, s.id";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":since": ms(since) }, |row| {
                Ok((text(row, 0)?, at(row.get(1)?), text(row, 2)?, row.get(3)?))
            })
            .doing("count stories by day")?;
        let mut times = Vec::new();
        for row in rows {
            let (topic, opened, rule, story) = row.doing("count stories by day")?;
            if topics.iter().any(|wanted| wanted == "*" || *wanted == topic || *wanted == rule) {
                times.push((topic, story, opened));
            }
        }
        Ok(times)
    }
}
