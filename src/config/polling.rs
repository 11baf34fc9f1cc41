//! `[polling]`.

use std::path::Path;
use std::time::Duration;

use url::Url;

use super::advice::Intervals;
use super::files::Text;
use super::tree::{At, File, Section, Sink};
use super::unit::{Complaint, duration, network, shown, size};
use super::{Address, Polling};

/// Reads `[polling]`; defaults give way to what is written, so that `every = "1s"` alone is no contradiction.
pub(super) fn read(root: &Section<'_>, operator: Option<&Address>) -> (Polling, Intervals) {
    let section = root.section("polling", "[polling]", "write [polling] above its keys");
    let every = section.parsed("every", "\"15m\"", interval);
    let min_every = section.parsed("min_every", "\"5m\"", interval);
    let max_every = section.parsed("max_every", "\"2h\"", interval);
    let adaptive = section.flag("adaptive").is_none_or(|flag| flag.value);
    contradictions(&section, every.as_ref(), min_every.as_ref(), max_every.as_ref(), adaptive);
    let place = |at: &Option<At<Duration>>| at.as_ref().map(|at| section.place(&at.span));
    let intervals = Intervals { every: place(&every), min_every: place(&min_every) };
    let value = |at: Option<At<Duration>>| at.map(|at| at.value);
    let (every, min_every, max_every) = (value(every), value(min_every), value(max_every));
    let longest = max_every.unwrap_or(
        Duration::from_secs(7_200).max(every.unwrap_or_default()).max(min_every.unwrap_or_default()),
    );
    let shortest = min_every.unwrap_or(Duration::from_secs(300).min(every.unwrap_or(longest)).min(longest));
    let polling = Polling {
        every: every.unwrap_or(Duration::from_secs(900).max(shortest).min(longest)),
        min_every: shortest,
        max_every: longest,
        adaptive,
        concurrency: section.number("concurrency", 1..=4_096).map_or(32, |at| at.value as usize),
        per_host: section.number("per_host", 1..=256).map_or(1, |at| at.value as usize),
        host_gap: value(section.parsed("host_gap", "\"2s\"", duration)).unwrap_or(Duration::from_secs(2)),
        timeout: value(section.parsed("timeout", "\"30s\"", limit)).unwrap_or(Duration::from_secs(30)),
        max_body: section.parsed("max_body", "\"20 MiB\"", size).map_or(20 << 20, |at| at.value),
        user_agent: section
            .parsed("user_agent", "\"burdenwatch (+https://example.org/contact)\"", header_value)
            .map(|at| at.value)
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| usual_user_agent(operator)),
        proxy: section.parsed("proxy", "\"http://proxy.example.org:3128\"", proxy).and_then(|at| at.value),
        allow_networks: section
            .list("allow_networks", "\"127.0.0.0/8\"", network)
            .map(|list| list.value.into_iter().map(|net| net.value).collect())
            .unwrap_or_default(),
    };
    section.finish();
    (polling, intervals)
}

impl Default for Polling {
    /// What an empty configuration says.
    fn default() -> Self {
        let nothing = Text { text: String::new(), broken_at: None };
        File::new(Path::new(""), nothing).read(&Sink::default(), |root| read(root, None).0)
    }
}

/// Complains about intervals that cannot all hold.
fn contradictions(
    section: &Section<'_>,
    every: Option<&At<Duration>>,
    min_every: Option<&At<Duration>>,
    max_every: Option<&At<Duration>>,
    adaptive: bool,
) {
    if let (Some(min), Some(max)) = (min_every, max_every)
        && min.value > max.value
    {
        section.error(&min.span, "`min_every` is longer than `max_every`", "swap them, or leave one out");
        return;
    }
    let Some(every) = every.filter(|_| adaptive) else { return };
    if min_every.is_some_and(|min| every.value < min.value) {
        let hint = "adaptive intervals stay between the two: lower `min_every` or raise `every`";
        section.warn(&every.span, "`every` is shorter than `min_every`", hint);
    }
    if max_every.is_some_and(|max| every.value > max.value) {
        let hint = "adaptive intervals stay between the two: raise `max_every` or lower `every`";
        section.warn(&every.span, "`every` is longer than `max_every`", hint);
    }
}

/// A duration of at least a second.
pub(super) fn interval(text: &str) -> Result<Duration, Complaint> {
    duration(text).and_then(|wait| match wait < Duration::from_secs(1) {
        true => {
            Err(Complaint::new(format!("{} is too short an interval", shown(text)), "write \"1s\" or more"))
        }
        false => Ok(wait),
    })
}

/// A time limit: more than nothing.
pub(super) fn limit(text: &str) -> Result<Duration, Complaint> {
    duration(text).and_then(|limit| match limit.is_zero() {
        true => Err(Complaint::new("a limit of no time lets nothing through", "write \"30s\", for example")),
        false => Ok(limit),
    })
}

/// What may stand in an HTTP header: visible ASCII and blanks.
pub(super) fn header_value(text: &str) -> Result<String, Complaint> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(text.trim().to_owned());
    }
    Err(Complaint::new(format!("{} cannot stand in an HTTP header", shown(text)), "write it in plain ASCII"))
}

/// Reads `"http://host:port"`; empty is none.
fn proxy(text: &str) -> Result<Option<Url>, Complaint> {
    if text.is_empty() {
        return Ok(None);
    }
    let hint = "write \"http://host:port\"; \"\" is none";
    let wrong = || Complaint::new(format!("{} is not the address of an HTTP proxy", shown(text)), hint);
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        let hint = "let the proxy know this machine by its address instead";
        return Err(Complaint::new("a proxy's password does not belong in this file: others read it", hint));
    }
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/";
    if plain { Ok(Some(url)) } else { Err(wrong()) }
}

/// Names the program, its version, and where to complain about it.
fn usual_user_agent(operator: Option<&Address>) -> String {
    const PAGE: &str = "https://burdenwatch.example.org/";
    let contact = operator.map(|operator| format!("mailto:{}", operator.email));
    let contact = contact.unwrap_or_else(|| PAGE.to_owned());
    format!("burdenwatch/{} (+{contact})", env!("CARGO_PKG_VERSION"))
}
