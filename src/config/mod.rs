//! The configuration: a file a person wrote, checked until it cannot be wrong.

pub mod address;
mod advice;
mod feed;
mod files;
pub mod load;
mod mail;
mod polling;
mod redact;
mod secret;
mod service;
mod subscription;
mod syntax;
mod tree;
pub mod unit;

pub use self::advice::check_topics;
pub use self::secret::Env;
pub use self::tree::Place;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use url::Url;

/// Everything the program does, as its operator wants it.
#[derive(Debug, Clone)]
pub struct Config {
    /// The main file.
    pub path: PathBuf,
    /// `[service]`.
    pub service: Service,
    /// `[polling]`.
    pub polling: Polling,
    /// Enabled and disabled feeds, from the main file and those it includes.
    pub feeds: Vec<Feed>,
    /// The rule files, read: compiled by whoever needs them.
    pub rule_sources: Vec<crate::problem::Source>,
    /// `[mail]`.
    pub mail: Mail,
    /// `[[subscription]]`.
    pub subscriptions: Vec<Subscription>,
    /// Where each topic of a subscription is written, for [`check_topics`].
    pub topic_places: Vec<TopicPlace>,
}

/// A topic that a subscription wants, and where it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlace {
    /// Name of the subscription.
    pub subscription: String,
    /// A topic, a rule id, or `*`.
    pub topic: String,
    /// Where it stands.
    pub place: Place,
}

/// `[service]`.
#[derive(Debug, Clone)]
pub struct Service {
    /// Holds `burdenwatch.db`.
    pub state_dir: PathBuf,
    /// IANA name of `time_zone`.
    pub time_zone_name: String,
    /// The zone of times shown and of slots, where a subscription names none.
    pub time_zone: TimeZone,
    /// How long the text of articles that matched nothing is kept.
    pub retention: Duration,
    /// Who is told when the service itself is ill.
    pub operator: Option<Address>,
    /// Where `/healthz` and `/metrics` listen; off when absent.
    pub listen: Option<SocketAddr>,
    /// What a client must show; required beyond loopback.
    pub listen_token: Option<Secret>,
}

/// `[polling]`.
#[derive(Debug, Clone)]
pub struct Polling {
    /// The usual interval.
    pub every: Duration,
    /// The shortest adaptive interval.
    pub min_every: Duration,
    /// The longest interval, failures included.
    pub max_every: Duration,
    /// Whether intervals follow a feed's rhythm.
    pub adaptive: bool,
    /// Requests in flight in all.
    pub concurrency: usize,
    /// Requests in flight to one host.
    pub per_host: usize,
    /// The pause between two requests to one host.
    pub host_gap: Duration,
    /// One whole request, redirects included.
    pub timeout: Duration,
    /// Body limit in bytes, after decompression.
    pub max_body: u64,
    /// How we name ourselves.
    pub user_agent: String,
    /// An HTTP proxy, and the only one.
    pub proxy: Option<Url>,
    /// Networks reachable although they are private, loopback or the like.
    pub allow_networks: Vec<IpNet>,
}

/// `[[feed]]`.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Unique.
    pub name: String,
    /// http or https.
    pub url: Url,
    /// Language tag.
    pub language: Option<String>,
    /// Free words.
    pub tags: Vec<String>,
    /// A fixed interval of its own.
    pub every: Option<Duration>,
    /// Request headers of its own.
    pub headers: Vec<(String, String)>,
    /// A User-Agent of its own.
    pub user_agent: Option<String>,
    /// User and password.
    pub basic_auth: Option<(String, Secret)>,
    /// A time limit of its own.
    pub timeout: Option<Duration>,
    /// A body limit of its own.
    pub max_body: Option<u64>,
    /// The zone of dates that name none.
    pub time_zone: Option<TimeZone>,
    /// Whether its texts are primary sources (`kind = "official"`).
    pub official: bool,
    /// Whether the operator is mailed when it fails.
    pub critical: bool,
    /// Whether it is polled.
    pub enabled: bool,
    /// Whether an invalid TLS certificate is accepted from it (`tls = "insecure"`).
    pub tls_insecure: bool,
}

/// `[mail]`.
#[derive(Debug, Clone)]
pub struct Mail {
    /// How mail leaves.
    pub transport: Transport,
    /// The sender.
    pub from: Address,
    /// Where replies go.
    pub reply_to: Option<Address>,
    /// Waits after a deferred or uncertain try; the last repeats.
    pub retry: Vec<Duration>,
    /// A directory whose templates replace the built-in ones.
    pub templates: Option<PathBuf>,
}

/// How mail leaves.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Submission to a mail server.
    Smtp(Smtp),
    /// The local `sendmail` program.
    Sendmail {
        /// The program and its arguments before `-i -f FROM -- TO`.
        command: PathBuf,
    },
    /// One `.eml` file a message.
    Directory(PathBuf),
}

/// `[mail.smtp]`.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// User name and password, when the server wants them.
    pub login: Option<(String, Secret)>,
    /// The name given in EHLO; the machine's own when absent.
    pub hello: Option<String>,
    /// Connect, greeting, each command's reply.
    pub timeout: Duration,
    /// The reply after the final dot (RFC 5321 section 4.5.3.2).
    pub data_timeout: Duration,
}

/// How an SMTP connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// Plain until STARTTLS, which must succeed.
    StartTls,
    /// Plain; loopback only.
    None,
}

/// `[[subscription]]`.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Stable: part of Message-ID, List-Id and the digest's number.
    pub name: String,
    /// The recipients, one mail each.
    pub to: Vec<Address>,
    /// IANA name of the zone.
    pub time_zone_name: String,
    /// The zone of slots, quiet hours and times shown.
    pub time_zone: TimeZone,
    /// Topics or rule ids; `*` is all.
    pub topics: Vec<String>,
    /// Whether rules of level alert are mailed at once.
    pub alerts: bool,
    /// How long an alert waits for copies of its story.
    pub alert_wait: Duration,
    /// Alert mails an hour before the rest is rolled up.
    pub alerts_per_hour: u32,
    /// Local times between which alerts wait; may cross midnight.
    pub quiet_hours: Option<(Time, Time)>,
    /// When a digest is sent; never when absent.
    pub digest: Option<DigestPlan>,
}

impl Subscription {
    /// Whether a rule of this topic and id is one the subscription wants.
    pub fn wants(&self, topic: &str, rule: &str) -> bool {
        self.topics.iter().any(|wanted| wanted == "*" || wanted == topic || wanted == rule)
    }
}

/// `digest = { ... }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestPlan {
    /// Local time of the slot.
    pub at: Time,
    /// Days with a slot.
    pub days: Vec<Weekday>,
    /// What a day without matches gets.
    pub quiet: Quiet,
}

/// What a day without matches gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// A digest that says so.
    Send,
    /// One such digest a week.
    Weekly,
    /// Nothing.
    Never,
}

/// A checked mail address, with or without a display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Display name.
    pub name: Option<String>,
    /// `local@domain`, ASCII.
    pub email: String,
}

impl Address {
    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.email.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A password or token: never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns it, for the one place that must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}
