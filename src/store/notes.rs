//! What people say about the news (labels, mutes), and small facts the program keeps.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, named_params};

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;

/// A person's judgement of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The article.
    pub article_id: i64,
    /// Whether it is on the subject.
    pub relevant: bool,
    /// Why.
    pub note: String,
}

/// What a mute silences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuteKind {
    /// A rule's alerts.
    Rule,
    /// One story.
    Story,
    /// An outlet's alerts.
    Source,
}

impl MuteKind {
    /// Returns the word the database and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Story => "story",
            Self::Source => "source",
        }
    }
}

/// A mute in force.
#[derive(Debug, Clone)]
pub struct Mute {
    /// Row id.
    pub id: i64,
    /// `rule`, `story` or `source`.
    pub kind: String,
    /// The rule's id, the story's number, the outlet's name.
    pub what: String,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

impl Tx<'_> {
    /// Records a judgement, replacing an earlier one.
    pub fn record_label(&self, label: &Label, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO label (article_id, relevant, note, at) VALUES (:article, :relevant, :note, :now)
            ON CONFLICT (article_id) DO UPDATE SET relevant = :relevant, note = :note, at = :now";
        self.prepared(SQL)?
            .execute(named_params! {
                ":article": label.article_id, ":relevant": label.relevant, ":note": label.note, ":now": ms(now),
            })
            .doing("record a label")?;
        Ok(())
    }

    /// Returns all judgements.
    pub fn labels(&self) -> Result<Vec<Label>, StoreError> {
        let mut sql = self.prepared("SELECT article_id, relevant, note FROM label ORDER BY article_id")?;
        let rows = sql
            .query_map([], |row| {
                Ok(Label { article_id: row.get(0)?, relevant: row.get(1)?, note: text(row, 2)? })
            })
            .doing("list the labels")?;
        rows.collect::<Result<_, _>>().doing("list the labels")
    }

    /// Mutes until a date.
    pub fn record_mute(
        &self,
        kind: MuteKind,
        what: &str,
        until: Timestamp,
        reason: &str,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "
            INSERT INTO mute (kind, what, until_at, reason, created_at) VALUES (:kind, :what, :until, :reason, :now)";
        self.prepared(SQL)?
            .execute(named_params! {
                ":kind": kind.as_str(), ":what": what, ":until": ms(until), ":reason": reason, ":now": ms(now),
            })
            .doing("record a mute")?;
        Ok(self.db.last_insert_rowid())
    }

    /// Ends a mute; returns whether there was one.
    pub fn end_mute(&self, id: i64) -> Result<bool, StoreError> {
        let rows = self
            .prepared("DELETE FROM mute WHERE id = :id")?
            .execute(named_params! { ":id": id })
            .doing("end a mute")?;
        Ok(rows == 1)
    }

    /// Returns the mutes in force.
    pub fn mutes(&self, now: Timestamp) -> Result<Vec<Mute>, StoreError> {
        const SQL: &str =
            "SELECT id, kind, what, until_at, reason FROM mute WHERE until_at > :now ORDER BY id";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":now": ms(now) }, |row| {
                Ok(Mute {
                    id: row.get(0)?,
                    kind: text(row, 1)?,
                    what: text(row, 2)?,
                    until: at(row.get(3)?),
                    reason: text(row, 4)?,
                })
            })
            .doing("list the mutes")?;
        rows.collect::<Result<_, _>>().doing("list the mutes")
    }

    /// Returns a small fact.
    pub fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.prepared("SELECT value FROM fact WHERE name = :name")?
            .query_row(named_params! { ":name": name }, |row| text(row, 0))
            .optional()
            .doing("read a fact")
    }

    /// Keeps a small fact; `None` forgets it.
    pub fn set_fact(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        const SET: &str = "
            INSERT INTO fact (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value";
        match value {
            Some(value) => self.prepared(SET)?.execute(named_params! { ":name": name, ":value": value }),
            None => {
                self.prepared("DELETE FROM fact WHERE name = :name")?.execute(named_params! { ":name": name })
            }
        }
        .doing("keep a fact")?;
        Ok(())
    }
}
