//! What a feed document says, once read.

use jiff::Timestamp;

/// One entry of a feed, as a reader would see it.
///
/// All text is plain: no tags, entities decoded, white space collapsed to
/// single spaces, and every block boundary (paragraph, list item, table cell,
/// line break) a single newline, which rules treat as a hard separator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The feed's own identifier: guid, `atom:id`, `rdf:about`, JSON `id`; trimmed, never invented.
    pub id: Option<String>,
    /// The headline.
    pub title: Option<String>,
    /// The article's address: absolute, http or https where the feed gives one, wrappers undone.
    pub link: Option<String>,
    /// The address as the feed gives it, when `link` was wrapped in it.
    pub given_link: Option<String>,
    /// When the feed says it was published; falls back to `updated`.
    pub published: Option<Timestamp>,
    /// When the feed says it was last changed.
    pub updated: Option<Timestamp>,
    /// The date as the feed wrote it, kept as a claim even when it cannot be read.
    pub claimed_date: Option<String>,
    /// Description or summary.
    pub summary: Option<String>,
    /// Full text, where the feed carries it beside a summary.
    pub content: Option<String>,
    /// Author names.
    pub authors: Vec<String>,
    /// Language tag of the entry, else of the feed.
    pub lang: Option<String>,
    /// The outlet an aggregator credits (`<source>`), when it is not the feed itself.
    pub source: Option<String>,
}

/// What a document had wrong with it and was read in spite of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// A stable short name such as `bare-ampersand`.
    pub kind: &'static str,
    /// What was found and what was done about it, for a person.
    pub note: String,
}

/// A feed document, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The feed's own title.
    pub title: Option<String>,
    /// The feed's language tag.
    pub lang: Option<String>,
    /// RSS `ttl`, in minutes.
    pub ttl_minutes: Option<u32>,
    /// RSS `skipHours`: hours of the day, 0 to 23, UTC.
    pub skip_hours: Vec<u8>,
    /// RSS `skipDays`: 0 is Monday.
    pub skip_days: Vec<u8>,
    /// The entries, in document order.
    pub entries: Vec<Entry>,
    /// What had to be repaired.
    pub flaws: Vec<Flaw>,
    /// Whether it ends in the middle, so that the server has more of it than came.
    pub cut_off: bool,
    /// Whether it ends in the last of the entries, whose text is not whole.
    pub last_is_cut: bool,
    /// The entry it ends in, where too little of it came to know it by.
    pub cut_entry: Option<Entry>,
}

/// What is known about a document besides its bytes.
#[derive(Debug, Clone, Default)]
pub struct Context<'a> {
    /// The HTTP `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The final address, after redirects.
    pub base: Option<&'a url::Url>,
    /// The zone of dates that name none; UTC when absent.
    pub zone: Option<jiff::tz::TimeZone>,
    /// The feed's configured language, which decides what `CST` or `IST` means.
    pub lang: Option<&'a str>,
}

/// Why nothing could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body has no bytes but white space.
    #[error("the document is empty")]
    Empty,
    /// A web page came instead of a feed.
    #[error("the document is a web page, not a feed")]
    Html,
    /// Nothing in it looks like a feed.
    #[error("the document is not a feed: {0}")]
    NotAFeed(String),
}
