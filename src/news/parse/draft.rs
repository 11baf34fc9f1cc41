//! An entry as found, before its fields are made plain: what both readers hand on.

use std::borrow::Cow;

use jiff::Timestamp;
use url::Url;

use crate::news::dates::{self, Hints};
use crate::news::entry::{Document, Entry, Flaw};
use crate::news::link;
use crate::news::text;

/// The most entries kept of one document.
pub(super) const MOST_ENTRIES: usize = 50_000;
/// The most authors kept of one entry.
pub(super) const MOST_AUTHORS: usize = 20;
/// The longest identifier, in bytes; longer ones are not identifiers.
const LONGEST_ID: usize = 4096;

/// An entry as found. Texts are HTML.
#[derive(Debug, Default)]
pub(super) struct Draft<'a> {
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) title: Option<Cow<'a, str>>,
    /// Candidate addresses, best first, each with the base it is relative to.
    pub(super) links: Vec<(Cow<'a, str>, Option<Url>)>,
    pub(super) published: Dates<'a>,
    pub(super) updated: Dates<'a>,
    pub(super) summary: Option<Cow<'a, str>>,
    pub(super) content: Option<Cow<'a, str>>,
    pub(super) authors: Vec<Cow<'a, str>>,
    pub(super) lang: Option<Cow<'a, str>>,
    pub(super) source: Option<Cow<'a, str>>,
}

/// What an entry has of one kind of date: the best, then what may do instead if that cannot be read.
#[derive(Debug, Default)]
pub(super) struct Dates<'a> {
    pub(super) best: Option<Cow<'a, str>>,
    pub(super) others: Vec<Cow<'a, str>>,
}

/// Makes entries of drafts and remembers what it had to cut.
#[derive(Debug)]
pub(super) struct Finisher<'a> {
    pub(super) base: Option<&'a Url>,
    pub(super) hints: Hints<'a>,
    titles: usize,
    texts: usize,
    dates: Option<String>,
    links: Option<String>,
}

impl<'a> Finisher<'a> {
    pub(super) fn new(base: Option<&'a Url>, hints: Hints<'a>) -> Self {
        Self { base, hints, titles: 0, texts: 0, dates: None, links: None }
    }

    /// Makes the entry; `None` when there is nothing in it.
    pub(super) fn finish(&mut self, draft: &Draft<'_>, feed_lang: Option<&str>) -> Option<Entry> {
        let title = draft.title.as_deref().and_then(|raw| self.title(raw));
        let mut summary = draft.summary.as_deref().and_then(|raw| self.body(raw));
        let mut content = draft.content.as_deref().and_then(|raw| self.body(raw));
        if summary.is_none() || summary == content {
            summary = summary.or_else(|| content.take());
            content = None;
        }
        let (link, given_link) = self.link(draft);
        let id = draft
            .id
            .as_deref()
            .map(str::trim)
            .filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)
            .map(clean);
        let updated = self.instant(&draft.updated);
        let published = self.instant(&draft.published).or(updated);
        let claimed = draft.published.best.as_deref().or(draft.updated.best.as_deref());
        if let (None, Some(raw)) = (published, claimed) {
            self.dates.get_or_insert_with(|| claim(raw));
        }
        let claimed_date = claimed.map(claim).filter(|raw| !raw.is_empty());
        let nothing = title.is_none() && summary.is_none() && link.is_none() && id.is_none();
        if nothing && published.is_none() && draft.authors.is_empty() && given_link.is_none() {
            return None;
        }
        let lang = draft.lang.as_deref().map(str::trim).filter(|lang| !lang.is_empty() && lang.len() < 36);
        Some(Entry {
            id,
            title,
            link,
            given_link,
            published,
            updated,
            claimed_date,
            summary,
            content,
            authors: authors(&draft.authors),
            lang: lang.or(feed_lang).map(clean),
            source: draft.source.as_deref().and_then(|raw| self.title(raw)),
        })
    }

    pub(super) fn title(&mut self, raw: &str) -> Option<String> {
        let (title, cut) = text::title_clip(raw, text::TITLE_CAP);
        self.titles += usize::from(cut);
        Some(title).filter(|title| !title.is_empty())
    }

    fn body(&mut self, raw: &str) -> Option<String> {
        let (body, cut) = text::clip(raw, text::BODY_CAP);
        self.texts += usize::from(cut);
        Some(body).filter(|body| !body.is_empty())
    }

    fn instant(&self, dates: &Dates<'_>) -> Option<Timestamp> {
        dates.best.iter().chain(&dates.others).find_map(|raw| dates::parse(raw, &self.hints))
    }

    /// Returns the article's address, and the one given if that was a wrapper round it.
    fn link(&mut self, draft: &Draft<'_>) -> (Option<String>, Option<String>) {
        let mut all =
            draft.links.iter().filter_map(|(href, base)| link::absolute(href, base.as_ref().or(self.base)));
        // Where to write to, or what it is called, only where nothing says where it stands.
        let first = all.next();
        let found = match &first {
            Some(url) if !is_web(url) => all.find(is_web).or(first),
            _ => first,
        };
        if found.is_none()
            && let Some((href, _)) = draft.links.first()
        {
            self.links.get_or_insert_with(|| claim(href));
        }
        let Some(found) = found else { return (None, None) };
        match link::unwrap(&found) {
            Some(inner) => (Some(inner.into()), Some(found.into())),
            None => (Some(found.into()), None),
        }
    }

    /// Adds to `document` what was cut or could not be read.
    pub(super) fn report(self, document: &mut Document) {
        let mut note = |kind, note| document.flaws.push(Flaw { kind, note });
        if self.titles > 0 {
            note(
                "long-title",
                format!("{} titles were longer than {} bytes; cut", self.titles, text::TITLE_CAP),
            );
        }
        if self.texts > 0 {
            note("long-text", format!("{} texts were longer than {} bytes; cut", self.texts, text::BODY_CAP));
        }
        if let Some(raw) = self.dates {
            note(
                "unreadable-date",
                format!("a date could not be read: {raw:?}; such entries count as undated"),
            );
        }
        if let Some(raw) = self.links {
            note("unusable-link", format!("an address leads nowhere: {raw:?}; such entries have no link"));
        }
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn clean(text: &str) -> String {
    if is_clean(text) {
        return text.to_owned();
    }
    text.chars().filter(|char| !char.is_control()).collect()
}

fn is_clean(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..0x7f).contains(&byte))
}

/// The beginning of a raw value, for showing.
fn claim(raw: &str) -> String {
    let raw = raw.trim();
    if raw.len() <= 100 && is_clean(raw) {
        return raw.to_owned();
    }
    raw.chars().filter(|char| !char.is_control()).take(100).collect()
}

fn authors(raw: &[Cow<'_, str>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for raw in raw.iter().take(MOST_AUTHORS) {
        let name = person(&text::clip(raw, 256).0.replace('\n', " "));
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Takes the name out of `a@b.c (Name)`, `Name <a@b.c>` and `Name a@b.c`.
fn person(raw: &str) -> String {
    if !raw.contains('@') {
        return raw.to_owned();
    }
    let is_edge =
        |char: char| matches!(char, '(' | ')' | '<' | '>' | '（' | '）' | '[' | ']' | ',' | '·' | ';');
    let words = raw.split(|char: char| char.is_whitespace() || is_edge(char));
    let named: Vec<&str> = words.filter(|word| !word.is_empty() && !word.contains('@')).collect();
    if named.is_empty() { raw.trim_matches(is_edge).to_owned() } else { named.join(" ") }
}
