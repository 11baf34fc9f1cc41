//! Namespaces, as far as they tell fields apart.

use std::borrow::Cow;
use std::collections::HashMap;

use super::markup::{Kind, Markup};
use crate::news::text::entity;

/// How many tags are searched for namespace declarations.
const SEARCHED: usize = 100_000;
/// How many prefixes are remembered.
const REMEMBERED: usize = 1_000;
/// How many of those are that one tag declares for itself.
const MOST_OWN: usize = 16;

/// The vocabulary an element is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// RSS of any version, Atom of any version.
    Core,
    DublinCore,
    Terms,
    Content,
    Media,
    Itunes,
    Feedburner,
    Xhtml,
    Other,
}

impl Vocabulary {
    /// Tells whether it is one whose fields are read beside the feed's own.
    fn is_extension(self) -> bool {
        !matches!(self, Self::Core | Self::Xhtml | Self::Other)
    }
}

/// The prefixes of a document.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    prefixes: HashMap<&'a str, Vocabulary>,
    /// Some tag says for itself what a prefix, or none, means in it.
    inner: bool,
}

impl<'a> Names<'a> {
    /// Collects the declarations of a document.
    pub(super) fn of(markup: &Markup<'a>) -> Self {
        let mut names = Self::default();
        for token in markup
            .tokens
            .iter()
            .take(SEARCHED)
            .filter(|token| matches!(token.kind, Kind::Start | Kind::Empty))
        {
            let tag = markup.slice(token.from, token.to);
            // Most tags have no attributes.
            let bare = tag.len() <= token.name.len() + "< xmlns=>".len();
            if bare || memchr::memmem::find(tag.as_bytes(), b"xmlns").is_none() {
                continue;
            }
            for (name, value) in Attributes::of(tag).take(REMEMBERED) {
                names.declare(name, value);
            }
        }
        names
    }

    fn declare(&mut self, name: &'a str, uri: &str) {
        let Some(prefix) = name.strip_prefix("xmlns:") else {
            self.inner |= name == "xmlns" && vocabulary(uri).is_extension();
            return;
        };
        let means = declared(prefix, uri);
        if let Some(known) = self.prefixes.get(prefix) {
            self.inner |= *known != means;
        } else if self.prefixes.len() < REMEMBERED {
            self.prefixes.insert(prefix, means);
        }
    }

    /// Returns the vocabulary and the local name of an element or attribute.
    pub(super) fn resolve(&self, name: &'a str) -> (Vocabulary, &'a str) {
        let Some((prefix, local)) = name.split_once(':') else { return (Vocabulary::Core, name) };
        let declared = self.prefixes.get(prefix).copied();
        (declared.unwrap_or_else(|| usual(prefix)), local)
    }

    /// Returns what a tag says for itself of prefixes, and of names without one.
    pub(super) fn own(&self, tag: &'a str) -> Own<'a> {
        if !self.inner {
            return Own::default();
        }
        let declares = |(name, uri): (&'a str, &'a str)| match name.strip_prefix("xmlns:") {
            Some(prefix) => Some((prefix, declared(prefix, uri))),
            None => (name == "xmlns").then(|| ("", vocabulary(uri))).filter(|(_, own)| own.is_extension()),
        };
        Own(Attributes::of(tag).take(256).filter_map(declares).take(MOST_OWN).collect())
    }
}

/// What one tag says for itself.
#[derive(Debug, Default)]
pub(super) struct Own<'a>(Vec<(&'a str, Vocabulary)>);

impl Own<'_> {
    /// Returns the vocabulary of a prefix, the empty one being none.
    pub(super) fn of(&self, prefix: &str) -> Option<Vocabulary> {
        self.0.iter().find(|(own, _)| *own == prefix).map(|(_, means)| *means)
    }
}

/// What a prefix means that is declared. Of an address nobody knows, it is what it usually is.
fn declared(prefix: &str, uri: &str) -> Vocabulary {
    match vocabulary(uri) {
        Vocabulary::Other if usual(prefix).is_extension() => usual(prefix),
        known => known,
    }
}

/// What a prefix means that nobody declared.
fn usual(prefix: &str) -> Vocabulary {
    match prefix.to_ascii_lowercase().as_str() {
        "dc" => Vocabulary::DublinCore,
        "dcterms" | "dct" => Vocabulary::Terms,
        "content" => Vocabulary::Content,
        "media" => Vocabulary::Media,
        "itunes" => Vocabulary::Itunes,
        "feedburner" => Vocabulary::Feedburner,
        "xhtml" | "html" | "h" => Vocabulary::Xhtml,
        "atom" | "atom10" | "a10" | "atom03" | "rss" | "rdf" => Vocabulary::Core,
        _ => Vocabulary::Other,
    }
}

fn vocabulary(uri: &str) -> Vocabulary {
    let uri = uri.trim().to_ascii_lowercase();
    let has = |part: &str| uri.contains(part);
    if has("purl.org/dc/elements") || has("purl.org/metadata/dublin_core") {
        Vocabulary::DublinCore
    } else if has("purl.org/dc/terms") {
        Vocabulary::Terms
    } else if has("purl.org/rss/1.0/modules/content") {
        Vocabulary::Content
    } else if has("search.yahoo.com/mrss") || has("video.search.yahoo.com") || has("/media-rss") {
        Vocabulary::Media
    } else if has("itunes.com/dtds") {
        Vocabulary::Itunes
    } else if has("feedburner") {
        Vocabulary::Feedburner
    } else if has("w3.org/1999/xhtml") {
        Vocabulary::Xhtml
    } else if has("purl.org/rss/1.0/modules") {
        Vocabulary::Other
    } else if [
        "w3.org/2005/atom",
        "purl.org/atom",
        "purl.org/rss",
        "purl.org/net/rss",
        "userland.com",
        "my.netscape.com",
        "22-rdf-syntax-ns",
        "harvard.edu",
        "rssboard",
    ]
    .iter()
    .any(|part| has(part))
    {
        Vocabulary::Core
    } else {
        Vocabulary::Other
    }
}

/// The attributes of a tag, raw.
pub(super) struct Attributes<'a>(&'a str);

impl<'a> Attributes<'a> {
    /// Reads those of `tag`, brackets included.
    pub(super) fn of(tag: &'a str) -> Self {
        let tag = tag.trim_start_matches('<').trim_end_matches('>');
        Self(tag.find(|char: char| char.is_whitespace()).and_then(|at| tag.get(at..)).unwrap_or_default())
    }

    /// Returns an attribute's value, decoded.
    pub(super) fn get(tag: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
        // `<title>` is asked for a type, a mode and more.
        if tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let found = Self::of(tag).take(256).find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| entity::decode(value))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start_matches(|char: char| char.is_whitespace() || char == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|char: char| char.is_whitespace() || char == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            self.0 = after;
            return Some((name, ""));
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''));
        let (value, after) = match quote {
            Some(quote) => {
                let inner = value.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        self.0 = after;
        Some((name, value))
    }
}
