//! What evaluating rules on an article yields.

use serde::{Deserialize, Serialize};

/// The text rules look at. Plain text; a newline is a block boundary (a hard separator).
#[derive(Debug, Clone, Copy, Default)]
pub struct Article<'a> {
    /// The headline.
    pub title: &'a str,
    /// Description or summary.
    pub summary: &'a str,
    /// Full text, where there is one.
    pub body: &'a str,
    /// The article's address.
    pub url: &'a str,
    /// The outlet's name.
    pub source: &'a str,
    /// Language tag, empty when unknown.
    pub lang: &'a str,
}

impl<'a> Article<'a> {
    /// Returns the text of one field.
    pub fn text(&self, field: Field) -> &'a str {
        match field {
            Field::Title => self.title,
            Field::Summary => self.summary,
            Field::Body => self.body,
            Field::Url => self.url,
            Field::Source => self.source,
            Field::Lang => self.lang,
        }
    }
}

/// A part of an article that rules search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The headline.
    Title,
    /// Description or summary.
    Summary,
    /// Full text.
    Body,
    /// The address.
    Url,
    /// The outlet.
    Source,
    /// The language tag.
    Lang,
}

/// How soon a reader wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Kept in the archive only.
    Log,
    /// In the next digest.
    Digest,
    /// Mailed at once.
    Alert,
}

impl Level {
    /// Returns its name, as rule files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Digest => "digest",
            Self::Alert => "alert",
        }
    }
}

/// One pattern met in one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hit {
    /// The set the pattern belongs to.
    pub set: String,
    /// The pattern as the rule file writes it.
    pub pattern: String,
    /// Where it was met.
    pub field: Field,
    /// First byte in the field's text.
    pub start: usize,
    /// One past the last byte in the field's text.
    pub end: usize,
    /// Exactly that slice.
    pub text: String,
}

/// One rule that fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// The rule's id.
    pub id: String,
    /// The rule's title.
    pub title: String,
    /// The rule's topic.
    pub topic: String,
    /// The rule's level, lifted where its `alert_when` holds; an experimental rule's alert has become digest here.
    pub level: Level,
    /// The rank within its topic.
    pub score: i64,
    /// The branch of `when` that held, as the rule file writes it.
    pub branch: String,
    /// The set or expression of `unless` that held: the rule fired and was vetoed.
    pub vetoed_by: Option<String>,
    /// Facets the rule is tagged with.
    pub tags: Vec<String>,
    /// The evidence, in order of field and position.
    pub hits: Vec<Hit>,
}

impl Match {
    /// Whether the match stands: it fired, was not vetoed, and its level is alert or digest.
    pub fn counts(&self) -> bool {
        self.vetoed_by.is_none() && self.level >= Level::Digest
    }
}
