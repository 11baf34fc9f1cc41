//! Which articles are copies of one text.
//!
//! Copies of one text are one story and one alert; everything else is news of
//! its own: a translation, a later development, a denial, the same event told
//! anew. So the shared text is evidence for (runs of words or characters, the
//! lead above all), and anything that contradicts in the same place is evidence
//! against: a number, an outcome, a country, a name.

mod align;
mod change;
mod clean;
mod compare;
mod conflict;
mod evidence;
mod features;
mod index;
mod lexicon;
mod quantity;
mod token;
mod wire;

use jiff::Timestamp;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

pub use change::material_change;
pub use compare::compare;
pub use evidence::{Evidence, Ground, Verdict};
pub use index::Index;
pub use wire::wire;

use features::Features;

/// An article as the grouping reads it; texts are plain.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The headline.
    pub title: &'a str,
    /// Summary or text.
    pub summary: &'a str,
    /// The outlet; empty when unknown.
    pub source: &'a str,
    /// Language tag; empty when unknown.
    pub lang: &'a str,
    /// When it was published.
    pub at: Timestamp,
}

/// The features of one article.
///
/// Stored as the cut text they are read from, so that an archive survives a
/// change of the algorithm.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Stored")]
pub struct Print {
    title: String,
    body: String,
    source: String,
    at: Timestamp,
    features: Features,
}

/// What of a [`Print`] is stored.
#[derive(Debug, Deserialize)]
struct Stored {
    title: String,
    body: String,
    lang: String,
    source: String,
    at: Timestamp,
}

impl Serialize for Print {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut stored = to.serialize_struct("Stored", 5)?;
        stored.serialize_field("title", &self.title)?;
        stored.serialize_field("body", &self.body)?;
        // The language that was found, not the one that was given: guessing it is half the cost of reading.
        stored.serialize_field("lang", &self.features.lang)?;
        stored.serialize_field("source", &self.source)?;
        stored.serialize_field("at", &self.at)?;
        stored.end()
    }
}

impl From<Stored> for Print {
    fn from(s: Stored) -> Self {
        let features = Features::read(&s.title, &s.body, &s.lang);
        Self { title: s.title, body: s.body, source: s.source, at: s.at, features }
    }
}

/// Longest headline and text that are read, in characters.
const MOST_TITLE: usize = 300;
const MOST_BODY: usize = 2000;

/// Reads the features of one article.
pub fn print(text: &Text<'_>) -> Print {
    Stored {
        title: text.title.chars().take(MOST_TITLE).collect(),
        body: cut(text.summary),
        lang: text.lang.to_owned(),
        source: text.source.trim().to_lowercase(),
        at: text.at,
    }
    .into()
}

/// Cuts a text; a CJK character says as much as two letters and takes as many bytes.
fn cut(text: &str) -> String {
    let mut left = MOST_BODY;
    text.chars()
        .take_while(|c| {
            let costs = if token::is_cjk(*c) { 2 } else { 1 };
            let fits = left >= costs;
            left = left.saturating_sub(costs);
            fits
        })
        .collect()
}

/// A story: the articles that are copies of its first member.
#[derive(Debug, Clone)]
pub struct Group {
    /// The story's number.
    pub id: i64,
    /// Its articles, the leader first.
    pub members: Vec<Print>,
}

/// A story takes no more members than this.
const MOST_MEMBERS: usize = 60;

/// Finds the story an article is a copy of.
///
/// It must be a copy of the leader, or of at least half of the members that
/// have a text to compare: a chain of ever less similar texts is not one
/// story. Of several stories the one that shares most wins, then the older.
pub fn attach<'g>(article: &Print, groups: impl IntoIterator<Item = &'g Group>) -> Option<(i64, Verdict)> {
    groups
        .into_iter()
        .filter(|g| g.members.len() < MOST_MEMBERS)
        .filter_map(|g| admits(article, g).map(|v| (g.id, v)))
        .max_by_key(rank)
}

/// The better of two stories that an article is a copy in.
pub fn better(a: Option<(i64, Verdict)>, b: Option<(i64, Verdict)>) -> Option<(i64, Verdict)> {
    a.into_iter().chain(b).max_by_key(rank)
}

fn rank((id, verdict): &(i64, Verdict)) -> (u8, u8, std::cmp::Reverse<i64>) {
    (verdict.evidence.shared, verdict.evidence.lead, std::cmp::Reverse(*id))
}

fn admits(article: &Print, group: &Group) -> Option<Verdict> {
    let mut copies = 0;
    let mut judged = 0;
    let mut best: Option<Verdict> = None;
    for (at, member) in group.members.iter().enumerate() {
        let verdict = compare(article, member);
        // a contradiction of the leader is final, and strangers need no second look
        if at == 0
            && (verdict.evidence.ground == Ground::Contradiction
                || (verdict.evidence.shared == 0 && !bare(article, member)))
        {
            return None;
        }
        if verdict.copy {
            copies += 1;
            judged += 1;
            if at == 0 {
                return Some(verdict);
            }
            if best.as_ref().is_none_or(|b| verdict.evidence.shared > b.evidence.shared) {
                best = Some(verdict);
            }
        } else if !bare(article, member) {
            judged += 1;
        }
    }
    best.filter(|_| copies * 2 >= judged)
}

/// Whether one of the two is hardly more than a headline, which says nothing against another headline.
fn bare(a: &Print, b: &Print) -> bool {
    a.features.is_bare() || b.features.is_bare()
}
