//! The facts a mail is made of.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A piece of a why-sentence.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fragment {
    /// The text.
    pub text: String,
    /// Whether a pattern met it.
    pub hit: bool,
}

/// Another outlet that carries a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlet {
    /// Its name.
    pub name: String,
    /// Its copy.
    pub link: Option<String>,
}

/// One story as a mail shows it: its leader and who else carries it.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The archive's number of the leading match, for `matches show`.
    pub match_id: i64,
    /// The leader's headline, in its own language.
    pub title: String,
    /// Language tag of the headline.
    pub lang: Option<String>,
    /// The outlet.
    pub source: String,
    /// The address.
    pub link: Option<String>,
    /// When burdenwatch first saw it.
    pub first_seen: Timestamp,
    /// When the feed says it was published.
    pub published: Option<Timestamp>,
    /// The other outlets.
    pub also: Vec<Outlet>,
    /// The agency credited, where one is.
    pub wire: Option<String>,
    /// Whether it is a primary source.
    pub official: bool,
    /// Topic id.
    pub topic: String,
    /// Rule id and title.
    pub rule: (String, String),
    /// Further rules that fired.
    pub other_rules: Vec<String>,
    /// Rank.
    pub score: i64,
    /// The sentence with the hits marked.
    pub why: Vec<Fragment>,
    /// Set on a follow-up or a changed headline: what changed.
    pub changed: Option<String>,
    /// What the article states: amounts, stages, dates; a few words each.
    pub facts: Vec<String>,
}

/// One alert mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// The subscription's name.
    pub subscription: String,
    /// The zone of times shown.
    pub zone: TimeZone,
    /// The story.
    pub story: Story,
    /// Whether it follows an earlier alert of the same story.
    pub follow_up: bool,
}

/// One mail for the alerts beyond the hourly cap.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollup {
    /// The subscription's name.
    pub subscription: String,
    /// The zone of times shown.
    pub zone: TimeZone,
    /// The cap that was reached.
    pub per_hour: u32,
    /// All of them; the composer shows what fits and counts the rest.
    pub stories: Vec<Story>,
}

/// The stories of one topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    /// Topic id.
    pub id: String,
    /// Its stories; the composer orders them.
    pub stories: Vec<Story>,
    /// Stories a day over the last 30 days, oldest first.
    pub trend: Vec<u32>,
}

/// A story that was alerted since the last digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerted {
    /// When the alert was sent.
    pub at: Timestamp,
    /// Recipients whose mail server has not taken it yet.
    pub waiting: u32,
    /// The story.
    pub story: Story,
}

/// An article that nearly matched.
#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss {
    /// The archive's number.
    pub article_id: i64,
    /// Headline.
    pub title: String,
    /// Language tag.
    pub lang: Option<String>,
    /// Outlet.
    pub source: String,
    /// Address.
    pub link: Option<String>,
    /// The nearest rule.
    pub rule: String,
    /// What it lacked.
    pub lacking: String,
}

/// One digest mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// The subscription's name.
    pub subscription: String,
    /// The number; the one before it, if there was one.
    pub number: u32,
    /// The number of the digest before.
    pub follows: Option<u32>,
    /// When it is composed.
    pub at: Timestamp,
    /// Where its period starts; none for the first.
    pub since: Option<Timestamp>,
    /// The zone of times shown.
    pub zone: TimeZone,
    /// Days covered when slots were missed; 1 otherwise.
    pub covers_days: u32,
    /// Whether it was asked for by hand.
    pub extra: bool,
    /// Articles read since the last digest.
    pub articles_read: u64,
    /// Feeds enabled.
    pub feeds_total: u32,
    /// Feeds in good health.
    pub feeds_healthy: u32,
    /// Stories by topic, in the reader's order.
    pub topics: Vec<Topic>,
    /// Alerts already sent since the last digest.
    pub alerted: Vec<Alerted>,
    /// The highest that did not match.
    pub near_misses: Vec<NearMiss>,
    /// Feed health, mail trouble, refused rule sets, baselines: one line each, worst first.
    pub notices: Vec<Notice>,
    /// Stories a day over the last 30 days, oldest first, today last.
    pub trend: Vec<u32>,
    /// Dates ahead that matter to the reader, one line each.
    pub coming: Vec<String>,
    /// The rule set: short hash, rules, tests passed.
    pub rules: RuleState,
    /// How to reach the schedule in words: `mon, tue 07:30 Asia/Seoul`.
    pub schedule: String,
    /// The next slot.
    pub next_at: Option<Timestamp>,
    /// Who may be asked to end the subscription.
    pub owner: String,
}

/// One line of the health section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whether a person must act.
    pub urgent: bool,
    /// Whom or what it is about: a feed, `mail`, `rules`.
    pub subject: String,
    /// What is the case and since when.
    pub text: String,
}

/// The rule set a digest was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleState {
    /// Short hash.
    pub hash: String,
    /// Rules in force.
    pub rules: u32,
    /// Tests in the rule files, all passed.
    pub tests: u32,
}

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject: one line, no control characters.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}
