//! The fields of one entry, out of markup in any state.

use std::borrow::Cow;

use url::Url;

use super::draft::{Dates, Draft, MOST_AUTHORS};
use super::markup::{Kind, Markup, Token};
use super::names::{Attributes, Names, Vocabulary};
use super::value::{between, child, has_child, typed};
use crate::news::text::entity;

/// The most addresses looked at in one entry.
const MOST_LINKS: usize = 64;
/// The most dates of one kind kept besides the best.
const MOST_DATES: usize = 8;
/// The most descriptions kept besides the summary.
const MOST_ASIDES: usize = 8;

/// The longest base address, in bytes.
const LONGEST_BASE: usize = 4096;

/// A field's candidate, and how good a place it came from: less is better.
type Ranked<'a> = Option<(u8, Cow<'a, str>)>;

/// A date's candidates: the best, and those to fall back on.
#[derive(Default)]
struct Candidates<'a> {
    best: Ranked<'a>,
    others: Vec<(u8, Cow<'a, str>)>,
}

impl<'a> Candidates<'a> {
    fn offer(&mut self, rank: u8, value: Cow<'a, str>) {
        if value.trim().is_empty() {
            return;
        }
        let lesser = match &mut self.best {
            Some(best) if rank < best.0 => std::mem::replace(best, (rank, value)),
            Some(_) => (rank, value),
            best => {
                *best = Some((rank, value));
                return;
            }
        };
        if self.others.len() < MOST_DATES {
            self.others.push(lesser);
        }
    }

    fn dates(mut self) -> Dates<'a> {
        self.others.sort_by_key(|(rank, _)| *rank);
        let bare = |(_, value)| value;
        Dates { best: self.best.map(bare), others: self.others.into_iter().map(bare).collect() }
    }
}

/// The fields of an entry as they are met.
pub(super) struct Item<'m, 'a> {
    markup: &'m Markup<'a>,
    names: &'m Names<'a>,
    base: Option<Url>,
    id: Ranked<'a>,
    title: Ranked<'a>,
    published: Candidates<'a>,
    updated: Candidates<'a>,
    summary: Ranked<'a>,
    content: Ranked<'a>,
    source: Ranked<'a>,
    /// Descriptions in other vocabularies, which may say more.
    asides: Vec<Cow<'a, str>>,
    lang: Option<Cow<'a, str>>,
    original: Option<Cow<'a, str>>,
    links: Vec<(u8, Cow<'a, str>, Option<Url>)>,
    authors: Vec<Cow<'a, str>>,
    titled: bool,
    addressed: bool,
    /// Title and address are whole, so what is missing at the end of the document does no harm.
    pub(super) identified: bool,
}

impl<'m, 'a> Item<'m, 'a> {
    /// Makes an item without fields; `base` is what its addresses are relative to.
    pub(super) fn new(markup: &'m Markup<'a>, names: &'m Names<'a>, base: Option<Url>) -> Self {
        Self {
            markup,
            names,
            base,
            id: None,
            title: None,
            published: Candidates::default(),
            updated: Candidates::default(),
            summary: None,
            content: None,
            source: None,
            asides: Vec::new(),
            lang: None,
            original: None,
            links: Vec::new(),
            authors: Vec::new(),
            titled: false,
            addressed: false,
            identified: false,
        }
    }

    /// Reads the item that begins with the tag `index`, up to the token `end`.
    pub(super) fn read(&mut self, index: usize, end: usize) {
        let Some(own) = self.markup.tokens.get(index) else { return };
        let tag = self.markup.slice(own.from, own.to);
        if let Some(about) = Attributes::get(tag, "rdf:about").or_else(|| Attributes::get(tag, "about")) {
            offer(&mut self.id, 3, about.clone());
            self.links.push((5, about, None));
        }
        self.lang = Attributes::get(tag, "xml:lang");
        self.base = rebased(self.base.take(), tag);
        let mut at = index + 1;
        let items_own = self.names.own(tag);
        // Where a media object ends: what has no prefix in it is not the item's.
        let mut media = 0;
        while at < end {
            let Some(token) = self.markup.tokens.get(at).copied() else { break };
            if !matches!(token.kind, Kind::Start | Kind::Empty) {
                at += 1;
                continue;
            }
            let (mut vocabulary, local) = self.names.resolve(token.name);
            if at < media && !token.name.contains(':') {
                vocabulary = Vocabulary::Media;
            }
            let prefix = token.name.split_once(':').map_or("", |(prefix, _)| prefix);
            let own = self.names.own(self.markup.slice(token.from, token.to)).of(prefix);
            let own = own.or_else(|| items_own.of(prefix).filter(|_| !prefix.is_empty()));
            let vocabulary = own.unwrap_or(vocabulary);
            let local = local.to_ascii_lowercase();
            if vocabulary == Vocabulary::Media && matches!(local.as_str(), "group" | "content") {
                if token.closed {
                    media = media.max(token.close as usize);
                }
                at += 1;
                continue;
            }
            let known = self.field(at, &token, vocabulary, &local, end);
            at = match token.kind {
                Kind::Start if token.closed => token.close as usize + 1,
                // A field that lost its end tag ends where the next field begins.
                Kind::Start if known => self.next_field(at + 1, end),
                _ => at + 1,
            };
        }
        self.identified = self.titled && self.addressed;
    }

    fn next_field(&self, from: usize, end: usize) -> usize {
        let begins = |token: &Token<'a>| {
            let (vocabulary, local) = self.names.resolve(token.name);
            matches!(token.kind, Kind::Start | Kind::Empty)
                && is_field(vocabulary, &local.to_ascii_lowercase())
        };
        let range = self.markup.tokens.get(from..end).unwrap_or_default();
        range.iter().position(begins).map_or(end, |step| from + step)
    }

    /// Reads one field; tells whether it is one.
    fn field(
        &mut self,
        at: usize,
        token: &Token<'a>,
        vocabulary: Vocabulary,
        local: &str,
        end: usize,
    ) -> bool {
        if token.kind == Kind::Start && !token.closed && !is_field(vocabulary, local) {
            return false;
        }
        let tag = self.markup.slice(token.from, token.to);
        let stop =
            if token.closed || token.kind == Kind::Empty { None } else { Some(self.next_field(at + 1, end)) };
        let markup = self.markup;
        let text = || typed(markup, at, stop, tag);
        let raw =
            || if token.kind == Kind::Empty { Cow::Borrowed("") } else { between(markup, at, stop, false) };
        let prefixed = u8::from(token.name.contains(':'));
        use Vocabulary::{Content, Core, DublinCore, Feedburner, Itunes, Media, Terms, Xhtml};
        match (vocabulary, local) {
            (Core, "title") => {
                self.titled |= token.closed;
                offer(&mut self.title, prefixed, text());
            }
            (DublinCore | Terms, "title") => offer(&mut self.title, 2, text()),
            (Media, "title") => offer(&mut self.title, 3, text()),
            (Itunes, "title") => offer(&mut self.title, 4, text()),
            (Core, "link") => {
                self.addressed |= token.closed || token.kind == Kind::Empty;
                self.link(at, tag, raw(), prefixed);
            }
            (Core, "guid" | "id") => {
                let id = raw();
                self.addressed |= token.closed;
                let permanent = local == "guid"
                    && !Attributes::get(tag, "isPermaLink")
                        .is_some_and(|flag| flag.trim().eq_ignore_ascii_case("false"));
                if permanent {
                    self.candidate(4, id.clone(), None);
                }
                offer(&mut self.id, prefixed, id);
            }
            (DublinCore, "identifier") => offer(&mut self.id, 2, raw()),
            (Feedburner, "origlink") => self.original = Some(raw()),
            (Core, "pubdate" | "published" | "issued" | "date" | "created") => {
                let rank = ["pubdate", "published", "issued", "date", "created"]
                    .iter()
                    .position(|name| *name == local);
                self.published.offer(u8::try_from(rank.unwrap_or(0)).unwrap_or(0), raw());
            }
            (DublinCore, "date") => self.published.offer(6, raw()),
            (Terms, "issued" | "available" | "date" | "created") => self.published.offer(7, raw()),
            (Core, "updated" | "modified" | "lastbuilddate") => {
                self.updated.offer(u8::from(local != "updated"), raw())
            }
            (Terms, "modified") => self.updated.offer(2, raw()),
            (Core, "description" | "summary" | "abstract" | "tagline") => {
                offer(&mut self.summary, prefixed, text())
            }
            (DublinCore | Terms, "description" | "abstract") => self.aside(2, text()),
            (Itunes, "summary" | "subtitle") => self.aside(3 + u8::from(local == "subtitle"), text()),
            (Media, "description" | "text") => self.aside(5, text()),
            (Content, "encoded") => offer(&mut self.content, 0, text()),
            (Core, "content" | "fulltext" | "fullitem" | "body" | "encoded") => {
                if let (Some(lang), None) = (Attributes::get(tag, "xml:lang"), &self.lang) {
                    self.lang = Some(lang);
                }
                offer(&mut self.content, 1, text());
            }
            (Xhtml, "body" | "div") => offer(&mut self.content, 2, text()),
            (Core, "author") | (DublinCore, "creator") | (Itunes, "author") => {
                let name = child(markup, at, token, "name").or_else(|| child(markup, at, token, "email"));
                if self.authors.len() < MOST_AUTHORS {
                    // One that only has an address of its own has no name.
                    let nameless =
                        ["name", "uri", "url"].iter().any(|name| has_child(markup, at, token, name));
                    self.authors.extend(name.or_else(|| (!nameless).then(raw)));
                }
            }
            (Core, "source") => {
                let name = child(markup, at, token, "title").unwrap_or_else(raw);
                offer(&mut self.source, 0, name);
            }
            (DublinCore | Core, "language") => self.lang = Some(raw()),
            _ => return is_field(vocabulary, local),
        }
        true
    }

    /// Takes a description that stands in for a missing summary, and adds to the content of an entry that has one.
    fn aside(&mut self, rank: u8, text: Cow<'a, str>) {
        if self.asides.len() < MOST_ASIDES && !text.trim().is_empty() && !self.asides.contains(&text) {
            self.asides.push(text.clone());
        }
        offer(&mut self.summary, rank, text);
    }

    /// Takes an address from an RSS or an Atom link.
    fn link(&mut self, at: usize, tag: &'a str, text: Cow<'a, str>, prefixed: u8) {
        let attribute = |name| Attributes::get(tag, name);
        let rel = attribute("rel").unwrap_or_default().trim().to_ascii_lowercase();
        let rel = rel.rsplit('/').next().unwrap_or_default().to_owned();
        let Some(href) =
            attribute("href").or_else(|| attribute("rdf:resource")).filter(|href| !href.trim().is_empty())
        else {
            let rank = if rel.is_empty() { Some(prefixed) } else { rank(&rel, "") };
            let text = if tag.ends_with("/>") { self.behind(at) } else { text };
            if let Some(rank) = rank
                && !text.trim().is_empty()
            {
                self.candidate(rank, text, rebased_here(self.base.as_ref(), tag));
            }
            return;
        };
        let kind = attribute("type").unwrap_or_default().to_ascii_lowercase();
        if let Some(rank) = rank(&rel, &kind) {
            self.candidate(rank, href, rebased_here(self.base.as_ref(), tag));
        }
    }

    /// Keeps an address; once there are enough, in the place of a worse one only.
    fn candidate(&mut self, rank: u8, href: Cow<'a, str>, base: Option<Url>) {
        if self.links.len() >= MOST_LINKS {
            let worst = self.links.iter().enumerate().max_by_key(|(_, (rank, ..))| *rank);
            let Some((place, _)) = worst.filter(|(_, (worst, ..))| rank < *worst) else { return };
            self.links.remove(place);
        }
        self.links.push((rank, href, base));
    }

    /// The address behind a void tag: to HTML a link has no content, so what wrote `<link/>https://…` meant it.
    fn behind(&self, at: usize) -> Cow<'a, str> {
        let tokens = &self.markup.tokens;
        let from = tokens.get(at).map_or(0, |token| token.to);
        let end = u32::try_from(self.markup.text.len()).unwrap_or(u32::MAX);
        let until = tokens.get(at + 1).map_or(end, |token| token.from);
        let text = match tokens.get(at + 1) {
            Some(next) if next.kind == Kind::CData && self.markup.slice(from, until).trim().is_empty() => {
                Cow::Borrowed(self.markup.slice(next.from + 9, next.to.saturating_sub(3)))
            }
            _ => entity::decode(self.markup.slice(from, until)),
        };
        if looks_like_address(&text) { text } else { Cow::Borrowed("") }
    }

    /// Hands over what was found.
    pub(super) fn draft(mut self) -> Draft<'a> {
        self.links.sort_by_key(|(rank, ..)| *rank);
        let base = self.base;
        let mut links: Vec<(Cow<'a, str>, Option<Url>)> = self
            .links
            .into_iter()
            .filter(|(rank, href, _)| *rank != 4 || looks_like_address(href))
            .map(|(_, href, own)| (href, own.or_else(|| base.clone())))
            .collect();
        // FeedBurner's own addresses are only redirects, and many no longer redirect.
        let burned = links.first().is_none_or(|(href, _)| {
            href.contains("feedproxy.google.com") || href.contains("feeds.feedburner.com")
        });
        if let Some(original) = self.original.filter(|_| burned) {
            links.insert(0, (original, None));
        }
        let said = |text: &Cow<'a, str>| {
            let own = |ranked: &Ranked<'a>| ranked.as_ref().is_some_and(|(_, own)| own.contains(text.trim()));
            own(&self.summary) || own(&self.content)
        };
        let more: Vec<&str> =
            self.asides.iter().filter(|text| !said(text)).map(|text| text.as_ref()).collect();
        if !more.is_empty() {
            let full = self.content.take().map(|(_, text)| text.into_owned()).unwrap_or_default();
            let all = std::iter::once(full.as_str()).chain(more).collect::<Vec<_>>().join("<p>");
            self.content = Some((0, all.into()));
        }
        let plain =
            |ranked: Ranked<'a>| ranked.map(|(_, value)| value).filter(|value| !value.trim().is_empty());
        Draft {
            id: plain(self.id),
            title: plain(self.title),
            links,
            published: self.published.dates(),
            updated: self.updated.dates(),
            summary: plain(self.summary),
            content: plain(self.content),
            authors: self.authors,
            lang: self.lang.map(|lang| Cow::Owned(tag(&lang))),
            source: plain(self.source),
        }
    }
}

/// How good a link of an Atom relation is as the article's address.
pub(super) fn rank(rel: &str, kind: &str) -> Option<u8> {
    let html = kind.is_empty() || kind.contains("html") || kind.starts_with("text/");
    match rel {
        "" | "alternate" => Some(if html { 0 } else { 1 }),
        "related" | "via" => Some(7),
        "self" => Some(8),
        "enclosure" => Some(9),
        _ => None,
    }
}

fn looks_like_address(id: &str) -> bool {
    let id = id.trim();
    !id.is_empty()
        && !id.contains(char::is_whitespace)
        && (id.contains("://")
            || id.starts_with('/')
            || (id.contains('.') && id.contains('/') && !id.contains(':')))
}

/// Keeps the better of two candidates; an empty one is none.
fn offer<'a>(slot: &mut Ranked<'a>, rank: u8, value: Cow<'a, str>) {
    let better = slot.as_ref().is_none_or(|(own, held)| rank < *own || held.trim().is_empty());
    if better && !value.trim().is_empty() {
        *slot = Some((rank, value));
    }
}

/// Tells whether an element is a field; `local` is in lower case.
fn is_field(vocabulary: Vocabulary, local: &str) -> bool {
    const CORE: [&str; 21] = [
        "title",
        "link",
        "guid",
        "id",
        "pubdate",
        "published",
        "issued",
        "created",
        "updated",
        "modified",
        "description",
        "summary",
        "content",
        "author",
        "category",
        "comments",
        "enclosure",
        "source",
        "contributor",
        "rights",
        "copyright",
    ];
    match vocabulary {
        Vocabulary::Core => CORE.contains(&local),
        Vocabulary::Other | Vocabulary::Xhtml => false,
        _ => true,
    }
}

fn rebased(base: Option<Url>, tag: &str) -> Option<Url> {
    rebased_here(base.as_ref(), tag).or(base)
}

fn rebased_here(base: Option<&Url>, tag: &str) -> Option<Url> {
    joined(base, &Attributes::get(tag, "xml:base")?)
}

/// Joins a base address with the one it is in. It is copied for every link, so it must be no longer than
/// addresses are.
pub(super) fn joined(base: Option<&Url>, href: &str) -> Option<Url> {
    let href = Some(href.trim()).filter(|href| href.len() <= LONGEST_BASE)?;
    let joined = match base {
        Some(base) => base.join(href).ok(),
        None => Url::parse(href).ok(),
    };
    joined.filter(|url| url.as_str().len() <= LONGEST_BASE)
}

/// A language tag, lower case.
pub(super) fn tag(raw: &str) -> String {
    raw.trim().chars().filter(|char| !char.is_control()).take(35).collect::<String>().to_ascii_lowercase()
}

/// Returns a weekday's number, Monday being 0.
pub(super) fn weekday(name: &str) -> Option<u8> {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let name = name.to_ascii_lowercase();
    days.iter().position(|day| name.starts_with(day)).and_then(|at| u8::try_from(at).ok())
}
