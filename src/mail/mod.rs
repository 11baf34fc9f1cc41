//! Mail: frozen MIME, and handing it over so that nobody has to guess what became of it.
//!
//! [`build`] makes the bytes once; every try sends the same ones. [`Mailer`] hands them to a mail server, to the
//! local `sendmail`, or to a directory, one transaction per recipient, and every try ends in an [`Outcome`]:
//!
//! | what happened | outcome |
//! |---|---|
//! | accepted | [`OutcomeKind::Sent`] |
//! | no connection, no TLS, greeting or EHLO refused, any 4xx, 421 at any time, silence, nonsense or a loss before the final dot | [`OutcomeKind::Deferred`] |
//! | 5xx to RCPT | [`OutcomeKind::RecipientRefused`] |
//! | 5xx to DATA or after the final dot, 552 to MAIL | [`OutcomeKind::ContentRefused`] |
//! | certificate not trusted, no STARTTLS, login refused or not offered, 530 anywhere, another 5xx to MAIL | [`OutcomeKind::Misconfigured`] |
//! | silence, a loss or nonsense after the final dot | [`OutcomeKind::Uncertain`] |
//!
//! A 5xx to MAIL refuses our sender, which is the same for every message: it is a matter of configuration, and
//! failing one message after the other for it would lose them all.

mod clean;
mod directory;
mod identity;
mod mailer;
mod mime;
mod sendmail;
mod smtp;

use jiff::Timestamp;

use crate::config::Address;

pub use identity::message_id;
pub use mailer::{Mailer, Session, SetupError};
pub use mime::{BuildError, build};

/// One mail to one recipient, not yet bytes.
#[derive(Debug, Clone)]
pub struct Message {
    /// The sender.
    pub from: Address,
    /// Where replies and wishes to unsubscribe go; the sender when absent.
    pub reply_to: Option<Address>,
    /// The recipient.
    pub to: Address,
    /// Any text; bounded and cleaned by [`build`].
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// With its angle brackets, from [`message_id`].
    pub message_id: String,
    /// The `Date` header.
    pub date: Timestamp,
    /// `name.burdenwatch.domain`; also switches `List-Unsubscribe` on.
    pub list_id: Option<String>,
    /// What the mail is.
    pub kind: Kind,
    /// Message-IDs of the thread, oldest first.
    pub references: Vec<String>,
    /// Further headers; none of those that [`build`] makes itself, except `List-Unsubscribe`.
    pub headers: Vec<(String, String)>,
}

/// What a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One story, at once.
    Alert,
    /// The regular digest.
    Digest,
    /// Alerts over the cap, together.
    Rollup,
    /// A word to the operator.
    Notice,
}

impl Kind {
    /// Returns the name used in Message-IDs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Digest => "digest",
            Self::Rollup => "rollup",
            Self::Notice => "notice",
        }
    }
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What to do next.
    pub kind: OutcomeKind,
    /// The server's words, or ours where it had none; one line of at most 500 characters, without secrets.
    pub reply: String,
    /// The SMTP reply code or the exit code.
    pub code: Option<u16>,
}

impl Outcome {
    pub(crate) fn new(kind: OutcomeKind, code: Option<u16>, reply: &str) -> Self {
        Self { kind, reply: clean::line(reply, 500), code }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(out, "{code} {}", self.reply),
            None => out.write_str(&self.reply),
        }
    }
}

/// The kinds of outcome, by what they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// Nothing more: it was accepted.
    Sent,
    /// Try again later; it was not accepted.
    Deferred,
    /// The recipient is at fault; others are not.
    RecipientRefused,
    /// The message is at fault.
    ContentRefused,
    /// Our configuration is at fault; hold everything and tell the operator.
    Misconfigured,
    /// Try again with the same bytes; it may have been accepted.
    Uncertain,
}
