//! `[[feed]]`.

use std::time::Duration;

use url::Url;

use super::polling::{header_value, interval, limit};
use super::secret;
use super::tree::{Place, Section};
use super::unit::{Complaint, shown, size, zone};
use super::{Feed, Secret};
use crate::problem::did_you_mean;

/// A feed, and where it says what.
#[derive(Debug)]
pub(super) struct Written {
    /// `None` when a required key is absent or wrong.
    pub(super) feed: Option<Feed>,
    pub(super) name: Option<(String, Place)>,
    pub(super) url: Option<(Url, Place)>,
    pub(super) every: Option<Place>,
}

/// Reads one `[[feed]]`.
pub(super) fn read(section: &Section<'_>) -> Written {
    let name = section.parsed("name", "\"Yonhap, North Korea\"", name);
    section.missing("name", "every feed needs a name of its own: write name = \"...\"");
    let url = section.parsed("url", "\"https://example.org/feed.xml\"", url);
    section.missing("url", "write url = \"https://...\"");
    let every = section.parsed("every", "\"15m\"", interval);
    let settings = settings(section, every.as_ref().map(|every| every.value));
    section.finish();
    let feed =
        name.as_ref().zip(url.as_ref()).map(|(name, url)| settings(name.value.clone(), url.value.clone()));
    Written {
        feed,
        name: name.map(|name| (name.value, section.place(&name.span))),
        url: url.map(|url| (url.value, section.place(&url.span))),
        every: every.map(|every| section.place(&every.span)),
    }
}

/// Reads all that has a default, and returns what makes a feed of it.
fn settings(section: &Section<'_>, every: Option<Duration>) -> impl FnOnce(String, Url) -> Feed + use<> {
    let language = section.parsed("language", "\"en\"", language).map(|at| at.value);
    let tags = section.list("tags", "\"korea\", \"wire\"", word);
    let user_agent = section.parsed("user_agent", "\"...\"", header_value).map(|at| at.value);
    let headers = headers(section);
    let basic_auth = basic_auth(section);
    let timeout = section.parsed("timeout", "\"30s\"", limit).map(|at| at.value);
    let max_body = section.parsed("max_body", "\"20 MiB\"", size).map(|at| at.value);
    let time_zone = section.parsed("time_zone", "\"Asia/Seoul\"", zone).map(|at| at.value.1);
    let kind = section
        .parsed("kind", "\"official\"", |text| choice("kind", text, &[("official", true), ("press", false)]));
    let tls = section
        .parsed("tls", "\"insecure\"", |text| choice("tls", text, &[("verify", false), ("insecure", true)]));
    let critical = section.flag("critical").is_some_and(|flag| flag.value);
    let enabled = section.flag("enabled").is_none_or(|flag| flag.value);
    move |name, url| Feed {
        name,
        url,
        language,
        tags: tags.map(|list| list.value.into_iter().map(|tag| tag.value).collect()).unwrap_or_default(),
        every,
        headers,
        user_agent: user_agent.filter(|text| !text.is_empty()),
        basic_auth,
        timeout,
        max_body,
        time_zone,
        official: kind.is_some_and(|kind| kind.value),
        critical,
        enabled,
        tls_insecure: tls.is_some_and(|tls| tls.value),
    }
}

/// A name: something to see, on one line.
fn name(text: &str) -> Result<String, Complaint> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
        let hint = "write one to two hundred characters, none of them a control character";
        return Err(Complaint::new(format!("{} is not a name", shown(text)), hint));
    }
    Ok(text.to_owned())
}

/// A tag: like a name.
fn word(text: &str) -> Result<String, Complaint> {
    name(text).map_err(|_| Complaint::new(format!("{} is not a tag", shown(text)), "write a short word"))
}

/// An address of a feed, without a password in it.
fn url(text: &str) -> Result<Url, Complaint> {
    let hint = "write a full address, such as \"https://example.org/feed.xml\"";
    let url = Url::parse(text.trim())
        .map_err(|why| Complaint::new(format!("{} is not a URL: {why}", shown(text)), hint))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Complaint::new(format!("a feed cannot be polled over `{}`", shown_scheme(&url)), hint));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Complaint::new(
            "a password does not belong in a URL: it ends up in logs",
            "write basic_auth = { username = \"...\", password_file = \"...\" }",
        ));
    }
    Ok(url)
}

/// The scheme, short enough for a message.
fn shown_scheme(url: &Url) -> String {
    url.scheme().chars().take(20).collect()
}

/// A language tag in the shape of BCP 47.
fn language(text: &str) -> Result<String, Complaint> {
    let mut parts = text.split('-');
    let alphabetic = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let first = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && alphabetic(part));
    let rest =
        parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if first && rest {
        return Ok(text.to_ascii_lowercase());
    }
    let hint = "write the language's tag, such as \"en\", \"ko\" or \"pt-br\"";
    Err(Complaint::new(format!("{} is not a language tag", shown(text)), hint))
}

/// One of a few words.
pub(super) fn choice<T: Copy>(key: &str, text: &str, choices: &[(&str, T)]) -> Result<T, Complaint> {
    choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let hint = match did_you_mean(text, choices.iter().map(|(word, _)| *word)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("write one of {}", words.join(", ")),
        };
        Complaint::new(format!("{} is not a value of `{key}`", shown(text)), hint)
    })
}

/// Request headers, without those that are ours to set.
fn headers(section: &Section<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in section.pairs("headers", "{ \"Accept-Language\" = \"en\" }") {
        match header_name(name.value) {
            Err(Complaint { what, hint }) => section.error(&name.span, what, hint),
            Ok(name) => {
                if let Some(value) = section.judged(value.span, header_value(value.value)) {
                    headers.push((name, value.value));
                }
            }
        }
    }
    headers
}

/// A token of RFC 9110 that may be set by hand.
fn header_name(text: &str) -> Result<String, Complaint> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if text.is_empty() || !text.bytes().all(token) {
        return Err(Complaint::new(
            format!("{} is not the name of a header", shown(text)),
            "such as \"Accept\"",
        ));
    }
    let instead = match text.to_ascii_lowercase().as_str() {
        "user-agent" => "use the key `user_agent`",
        "authorization" => "use the key `basic_auth`, which keeps the password out of this file",
        "host" | "connection" | "content-length" | "transfer-encoding" | "te" | "upgrade"
        | "accept-encoding" | "if-none-match" | "if-modified-since" | "range" => {
            "burdenwatch sets it itself: leave it out"
        }
        _ => return Ok(text.to_owned()),
    };
    Err(Complaint::new(format!("the header {} cannot be set here", shown(text)), instead))
}

/// User and password for the feed's server.
fn basic_auth(section: &Section<'_>) -> Option<(String, Secret)> {
    let hint = "write basic_auth = { username = \"...\", password_file = \"...\" }";
    let auth = section.section("basic_auth", "basic_auth", hint);
    if !auth.is_there() {
        return None;
    }
    let username = auth.parsed("username", "\"...\"", name);
    auth.missing("username", hint);
    auth.refuse_secret("password", "put it into a file of its own and name that in `password_file`");
    let password = secret::named(&auth, "password_file");
    if !auth.has("password") {
        auth.missing("password_file", hint);
    }
    auth.finish();
    Some((username?.value, password?))
}
