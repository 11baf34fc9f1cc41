//! Builds the frozen MIME of a message.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use crate::config::Address;
use crate::mail::clean;
use crate::mail::{Kind, Message};

/// The longest header text in characters; as ASCII it stays on a line of 998 bytes even without a space in it.
const MAX_HEADER: usize = 400;
/// The longest value that must stay on one line.
const MAX_ONE_LINE: usize = 900;
/// 9999-12-31, the last day a `Date` header can name.
const LAST_SECOND: i64 = 253_402_214_400;
/// What `build` writes itself: nobody else may.
const OWN: [&str; 16] = [
    "from",
    "reply-to",
    "to",
    "date",
    "message-id",
    "subject",
    "list-id",
    "list-unsubscribe-post",
    "auto-submitted",
    "precedence",
    "x-auto-response-suppress",
    "in-reply-to",
    "references",
    "mime-version",
    "cc",
    "bcc",
];

/// Why a message cannot be built; each is a mistake of the caller or of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// An address that is none.
    #[error("mail to build: `{0}` is not a mail address")]
    Address(String),
    /// A Message-ID that is none.
    #[error("mail to build: `{0}` is not a Message-ID such as <name@example.org>")]
    MessageId(String),
    /// A header name that is none, or one that is not the caller's to set.
    #[error("mail to build: a header of the name `{0}` cannot be added")]
    Header(String),
    /// The library refuses what is left.
    #[error("mail to build: {0}")]
    Library(String),
}

/// Builds the bytes that every try will send: ASCII, CRLF, no line over 998 bytes.
pub fn build(message: &Message) -> Result<Vec<u8>, BuildError> {
    let id = clean::token(&message.message_id, 250);
    if id != message.message_id || !is_message_id(&id) {
        return Err(BuildError::MessageId(clean::line(&message.message_id, 100)));
    }
    let mut mail = lettre::Message::builder()
        .from(mailbox(&message.from)?)
        .to(mailbox(&message.to)?)
        .date(date(message.date))
        .subject(clean::header(&message.subject, MAX_HEADER))
        .raw_header(one_line("Message-ID", id.clone()))
        .raw_header(one_line("Auto-Submitted", "auto-generated".into()))
        .raw_header(one_line("X-Auto-Response-Suppress", "All".into()));
    if let Some(reply_to) = &message.reply_to {
        mail = mail.reply_to(mailbox(reply_to)?);
    }
    if matches!(message.kind, Kind::Digest | Kind::Rollup) {
        mail = mail.raw_header(one_line("Precedence", "bulk".into()));
    }
    if let Some(list) = message.list_id.as_deref().map(list_name).filter(|name| !name.is_empty()) {
        mail = mail.raw_header(one_line("List-Id", format!("<{list}>")));
        if !message.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("List-Unsubscribe")) {
            mail = mail.raw_header(one_line("List-Unsubscribe", unsubscribe(message, &list)));
        }
    }
    let references = thread(&message.references);
    if let Some(last) = references.last() {
        mail = mail.raw_header(one_line("In-Reply-To", last.clone()));
        // one to a line: folded at a space, each far below the limit
        mail = mail.raw_header(one_line("References", references.join("\r\n ")));
    }
    for (name, value) in &message.headers {
        mail = mail.raw_header(extra(name, value)?);
    }
    let parts = MultiPart::alternative()
        .boundary(boundary(&id))
        .singlepart(part(ContentType::TEXT_PLAIN, &message.text)?)
        .singlepart(part(ContentType::TEXT_HTML, &message.html)?);
    let mail = mail.multipart(parts).map_err(|error| BuildError::Library(error.to_string()))?;
    Ok(mail.formatted())
}

fn mailbox(address: &Address) -> Result<Mailbox, BuildError> {
    let email = clean::token(&address.email, 254);
    let wrong = || BuildError::Address(clean::line(&address.email, 100));
    if email != address.email {
        return Err(wrong());
    }
    let name = address.name.as_deref().map(|name| clean::header(name, 100)).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, email.parse().map_err(|_| wrong())?))
}

fn date(at: jiff::Timestamp) -> SystemTime {
    // the header's four-digit years after 1970 are all the library can write; outside it panics
    let seconds = at.as_second().clamp(0, LAST_SECOND);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}

fn is_message_id(id: &str) -> bool {
    let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    inner.and_then(|inner| inner.split_once('@')).is_some_and(|(left, right)| {
        let plain =
            |text: &str| !text.is_empty() && !text.contains(['<', '>', '@', '(', ')', ',', ';', '"', '\\']);
        plain(left) && plain(right)
    })
}

fn thread(references: &[String]) -> Vec<String> {
    // the root and the newest are what clients thread by (RFC 5322 section 3.6.4)
    let known: Vec<String> =
        references.iter().filter(|id| is_message_id(id)).map(|id| clean::token(id, 250)).collect();
    let skip = known.len().saturating_sub(10);
    known
        .into_iter()
        .enumerate()
        .filter(|(place, _)| *place == 0 || *place > skip)
        .map(|(_, id)| id)
        .collect()
}

fn list_name(list_id: &str) -> String {
    list_id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')).take(200).collect()
}

fn unsubscribe(message: &Message, list: &str) -> String {
    let owner = message.reply_to.as_ref().unwrap_or(&message.from);
    let name = list.split_once(".burdenwatch.").map_or(list, |(name, _)| name);
    // what a mailto address may not hold as it is (RFC 6068)
    let owner = owner.email.replace('%', "%25").replace('?', "%3F").replace('&', "%26").replace('#', "%23");
    format!("<mailto:{owner}?subject=unsubscribe%20{name}>")
}

fn extra(name: &str, value: &str) -> Result<HeaderValue, BuildError> {
    let wrong = || BuildError::Header(clean::line(name, 100));
    let lower = name.to_ascii_lowercase();
    let plain =
        !name.is_empty() && name.len() <= 70 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !plain || OWN.contains(&lower.as_str()) || lower.starts_with("content-") {
        return Err(wrong());
    }
    let header_name = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| wrong())?;
    if lower.starts_with("list-") {
        // an encoded word or a fold here is ignored by those who read it
        let value = clean::token(value, MAX_ONE_LINE);
        return Ok(HeaderValue::dangerous_new_pre_encoded(header_name, value.clone(), value));
    }
    Ok(HeaderValue::new(header_name, clean::header(value, MAX_HEADER)))
}

/// A header of printable ASCII that stands as it is.
fn one_line(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

/// The same for the same message; `=_` occurs neither in base64 nor in quoted-printable.
fn boundary(id: &str) -> String {
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(id.as_bytes()));
    format!("=_{}", hash.chars().take(32).collect::<String>())
}

fn part(kind: ContentType, text: &str) -> Result<SinglePart, BuildError> {
    let text = clean::body(text);
    let encoded = |encoding| {
        Body::new_with_encoding(text.clone(), encoding)
            .map_err(|_| BuildError::Library("the library refuses an encoding it knows".into()))
    };
    let quoted = encoded(ContentTransferEncoding::QuotedPrintable)?;
    let base64 = encoded(ContentTransferEncoding::Base64)?;
    let body = if base64.len() < quoted.len() { base64 } else { quoted };
    Ok(SinglePart::builder().header(kind).body(body))
}
