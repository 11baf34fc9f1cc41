//! HTTP: conditional, polite, bounded, guarded.
//!
//! [`Fetcher::get`] is the one way out. It waits for the host's turn, asks
//! with the validators of the last answer, follows redirects itself so that
//! the [`guard`] sees every hop, streams the body under a limit counted after
//! decompression, and puts every failure in words for the operator. Nothing
//! of it is kept between two calls but the turns, the clients, and a
//! [`Connection`] that is to be shared.

mod answer;
mod clients;
mod cookies;
mod domain;
mod fault;
mod fetcher;
pub mod guard;
mod hop;
mod resolve;
mod turns;
mod unpack;
mod wall;
mod wishes;

pub use self::clients::SetupError;
pub use self::domain::domain;
pub use self::fetcher::Fetcher;

use std::time::Duration;

use url::Url;

/// What makes the next request conditional. Kept verbatim from the last answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`, weak or strong.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What to get, and within which limits.
#[derive(Debug, Clone)]
pub struct Request {
    /// The address.
    pub url: Url,
    /// Empty for an unconditional request.
    pub validators: Validators,
    /// Extra headers of this feed; dropped when the origin changes.
    pub headers: Vec<(String, String)>,
    /// Overrides the general User-Agent.
    pub user_agent: Option<String>,
    /// Dropped when the origin changes.
    pub basic_auth: Option<(String, crate::config::Secret)>,
    /// The whole request, redirects included.
    pub timeout: Duration,
    /// In bytes after decompression.
    pub max_body: u64,
    /// Accept an invalid certificate from this feed.
    pub tls_insecure: bool,
}

impl Request {
    /// The unconditional request a feed's configuration asks for.
    pub fn of(feed: &crate::config::Feed, polling: &crate::config::Polling) -> Self {
        Self {
            url: feed.url.clone(),
            validators: Validators::default(),
            headers: feed.headers.clone(),
            user_agent: feed.user_agent.clone(),
            basic_auth: feed.basic_auth.clone(),
            timeout: feed.timeout.unwrap_or(polling.timeout),
            max_body: feed.max_body.unwrap_or(polling.max_body),
            tls_insecure: feed.tls_insecure,
        }
    }
}

/// What becomes of the connection a request is made on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Connection {
    /// Made for it, and closed after it.
    #[default]
    Own,
    /// Taken over from the request before it to its host, where that still stands and has been silent, and left
    /// to the next.
    Shared,
    /// Taken over likewise, and closed after it.
    Last,
}

/// What the server wishes about the next request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `Cache-Control: max-age` less `Age`, or `Expires` less `Date`.
    pub fresh_for: Option<Duration>,
    /// `Retry-After`, on 429 and 503.
    pub retry_after: Option<Duration>,
}

/// An answer that is not a failure.
#[derive(Debug, Clone)]
pub struct Response {
    /// 200 or 304 (other 2xx count as 200).
    pub status: u16,
    /// The address the body came from.
    pub final_url: Url,
    /// The target of the unbroken leading run of 301 and 308 hops, if any.
    pub moved_to: Option<Url>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// For the next request; of a 304, the old ones updated.
    pub validators: Validators,
    /// For the schedule.
    pub wishes: Wishes,
    /// Decompressed; empty for 304.
    pub body: Vec<u8>,
}

/// Why a feed could not be had, in words for its operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// What was tried and what happened; no credentials.
    pub what: String,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// When the server wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// The kinds of failure that are treated or shown differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No such name, no connection, a reset.
    Unreachable,
    /// The certificate or the handshake.
    Tls,
    /// A time limit.
    Timeout,
    /// The address guard.
    Refused,
    /// More redirects than allowed, or a loop.
    Redirects,
    /// The body or the headers are larger than allowed.
    TooLarge,
    /// 410.
    Gone,
    /// 429, or 503 with `Retry-After`.
    Throttled,
    /// 403 and the like from a bot wall.
    Blocked,
    /// Another status.
    Status,
    /// The body does not decompress, or ends early.
    Body,
}
