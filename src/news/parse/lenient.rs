//! The reader of markup with items or entries in it, whatever its version, namespace or damage.

use std::borrow::Cow;

use url::Url;

use super::draft::{Draft, Finisher, MOST_ENTRIES};
use super::field::{self, Item};
use super::markup::{Kind, Markup, Token, is_item};
use super::names::{Attributes, Names, Vocabulary};
use super::value;
use crate::news::entry::{Context, Document, Flaw, Unreadable};

/// Reads a document of any markup.
pub(super) fn read(text: &str, context: &Context<'_>) -> Result<Document, Unreadable> {
    let markup = Markup::cut(text);
    let names = Names::of(&markup);
    let mut reader = Reader {
        markup: &markup,
        names: &names,
        document: Document::default(),
        base: context.base.cloned(),
        lang: None,
    };
    let items = reader.items();
    let Some(root) = reader.root(&items) else {
        return Err(not_a_feed(text));
    };
    reader.head(root, &items);
    let lang = reader.lang.clone().or_else(|| context.lang.map(str::to_owned));
    let hints = crate::news::dates::Hints { zone: context.zone.as_ref(), lang: lang.as_deref() };
    let base = reader.base.clone();
    let mut finisher = Finisher::new(base.as_ref(), hints);
    reader.entries(&items, &mut finisher);
    reader.end(root);
    let mut document = reader.document;
    finisher.report(&mut document);
    if document.entries.is_empty() && looks_like_html(text) {
        return Err(Unreadable::Html);
    }
    document.lang = reader.lang;
    damage(&markup, &mut document);
    Ok(document)
}

fn not_a_feed(text: &str) -> Unreadable {
    if looks_like_html(text) {
        return Unreadable::Html;
    }
    let beginning: String = text.trim_start().chars().filter(|char| !char.is_control()).take(40).collect();
    Unreadable::NotAFeed(format!("it begins {beginning:?} and has no rss, RDF or feed element"))
}

fn looks_like_html(text: &str) -> bool {
    let head = text.chars().take(1024).collect::<String>().to_ascii_lowercase();
    head.contains("<html") || head.contains("<!doctype html") || head.contains("<body")
}

/// Notes what the tags themselves had wrong.
fn damage(markup: &Markup<'_>, document: &mut Document) {
    let mut note = |kind, note| document.flaws.push(Flaw { kind, note });
    if markup.bare > 0 {
        note("bare-bracket", format!("{} times a < that begins no tag; read as text", markup.bare));
    }
    if markup.open > 0 {
        note(
            "unterminated",
            format!("{} comments or CDATA sections have no end; read on behind their beginning", markup.open),
        );
    }
    if markup.cut {
        note("too-many-tags", "the document has millions of tags; the rest was not read".to_owned());
    }
}

struct Reader<'m, 'a> {
    markup: &'m Markup<'a>,
    names: &'m Names<'a>,
    document: Document,
    base: Option<Url>,
    lang: Option<String>,
}

impl<'a> Reader<'_, 'a> {
    fn token(&self, index: usize) -> Option<Token<'a>> {
        self.markup.tokens.get(index).copied()
    }

    fn attribute(&self, token: &Token<'_>, name: &str) -> Option<Cow<'a, str>> {
        Attributes::get(self.markup.slice(token.from, token.to), name)
    }

    /// Returns the indices of the tags that begin an entry.
    fn items(&self) -> Vec<usize> {
        let begins = |token: &Token<'a>| {
            matches!(token.kind, Kind::Start | Kind::Empty)
                && is_item(token.name)
                && matches!(self.names.resolve(token.name).0, Vocabulary::Core | Vocabulary::Other)
        };
        let tokens = self.markup.tokens.iter().enumerate();
        tokens.filter(|(_, token)| begins(token)).map(|(index, _)| index).collect()
    }

    /// Returns the index of the tag that begins the feed, or of its first item.
    fn root(&self, items: &[usize]) -> Option<usize> {
        let is_root = |token: &Token<'a>| {
            let local = self.names.resolve(token.name).1;
            matches!(token.kind, Kind::Start | Kind::Empty)
                && ["rss", "rdf", "feed", "channel"].iter().any(|root| local.eq_ignore_ascii_case(root))
        };
        let root = self.markup.tokens.iter().position(is_root);
        // A page's script or menu may have items; it is no feed for that.
        if root.is_none() && looks_like_html(self.markup.text) {
            return None;
        }
        match (root, items.first()) {
            (Some(root), Some(first)) => Some(root.min(*first)),
            (root, first) => root.or(first.copied()),
        }
    }

    /// Reads what the feed says about itself.
    fn head(&mut self, root: usize, items: &[usize]) {
        let mut at = root;
        while let Some(token) = self.token(at) {
            at += 1;
            if !matches!(token.kind, Kind::Start | Kind::Empty) {
                continue;
            }
            if is_item(token.name) && items.binary_search(&(at - 1)).is_ok() {
                if token.closed {
                    at = token.close as usize;
                }
                continue;
            }
            let (vocabulary, local) = self.names.resolve(token.name);
            let local = local.to_ascii_lowercase();
            if matches!(local.as_str(), "rss" | "rdf" | "feed" | "channel" | "skiphours" | "skipdays") {
                self.container(&token);
                continue;
            }
            let next = items.get(items.partition_point(|item| *item < at));
            let holds_items =
                token.kind == Kind::Start && next.is_some_and(|item| *item < token.close as usize);
            if token.kind == Kind::Empty || holds_items && token.closed {
                continue;
            }
            // One that lost its end tag ends where the next begins.
            let stop = if token.closed { None } else { Some(self.next_start(at)) };
            self.about(vocabulary, &local, at - 1, stop);
            if token.closed {
                at = token.close as usize;
            }
        }
    }

    fn container(&mut self, token: &Token<'a>) {
        if let Some(href) = self.attribute(token, "xml:base") {
            let joined = field::joined(self.base.as_ref(), &href);
            self.base = joined.or(self.base.take());
        }
        if let Some(lang) = self.attribute(token, "xml:lang").filter(|lang| !lang.trim().is_empty()) {
            self.lang = Some(field::tag(&lang));
        }
    }

    fn next_start(&self, from: usize) -> usize {
        let tokens = self.markup.tokens.get(from..).unwrap_or_default();
        let begins = |token: &Token<'a>| matches!(token.kind, Kind::Start | Kind::Empty);
        tokens.iter().position(begins).map_or(self.markup.tokens.len(), |step| from + step)
    }

    fn about(&mut self, vocabulary: Vocabulary, local: &str, index: usize, stop: Option<usize>) {
        let value = || value::between(self.markup, index, stop, false).into_owned();
        match (vocabulary, local) {
            (Vocabulary::Core, "title") if self.document.title.is_none() => {
                self.document.title =
                    Some(crate::news::text::title_clip(&value(), 1024).0).filter(|title| !title.is_empty());
            }
            (Vocabulary::Core | Vocabulary::DublinCore, "language") if self.lang.is_none() => {
                self.lang = Some(field::tag(&value())).filter(|lang| !lang.is_empty());
            }
            (Vocabulary::Core, "ttl") if self.document.ttl_minutes.is_none() => {
                self.document.ttl_minutes = value().trim().parse().ok()
            }
            (Vocabulary::Core, "hour") if self.document.skip_hours.len() < 24 => {
                // Some count to 24.
                let hour = value().trim().parse::<u8>().ok().filter(|hour| *hour <= 24).map(|hour| hour % 24);
                self.document.skip_hours.extend(hour.filter(|hour| !self.document.skip_hours.contains(hour)));
            }
            (Vocabulary::Core, "day") if self.document.skip_days.len() < 7 => {
                let day = field::weekday(value().trim());
                self.document.skip_days.extend(day.filter(|day| !self.document.skip_days.contains(day)));
            }
            _ => {}
        }
    }

    fn entries(&mut self, items: &[usize], finisher: &mut Finisher<'_>) {
        let (mut done, mut unclosed) = (0, 0usize);
        for (nth, index) in items.iter().copied().enumerate() {
            let Some(token) = self.token(index).filter(|_| index >= done) else { continue };
            if self.document.entries.len() >= MOST_ENTRIES {
                let note =
                    format!("the document has more than {MOST_ENTRIES} entries; the rest was not read");
                self.document.flaws.push(Flaw { kind: "too-many-entries", note });
                break;
            }
            if self.markup.exhausted() {
                let note =
                    "reading the document takes more work than it is worth; the rest was not read".to_owned();
                self.document.flaws.push(Flaw { kind: "too-much-work", note });
                break;
            }
            let next = items.get(nth + 1).copied();
            let end = match token.kind {
                Kind::Empty => index + 1,
                _ if token.closed => token.close as usize,
                _ => (token.close as usize).min(next.unwrap_or(usize::MAX)),
            };
            done = end;
            let truncated = token.kind == Kind::Start && !token.closed && end >= self.markup.tokens.len();
            unclosed += usize::from(token.kind == Kind::Start && !token.closed && !truncated);
            let mut item = Item::new(self.markup, self.names, self.base.clone());
            item.read(index, end);
            let whole = item.identified;
            let draft: Draft<'_> = item.draft();
            if truncated {
                let kept = if whole {
                    "its last entry is kept as far as it goes"
                } else {
                    "its last entry is left out until it comes whole, or ends there again"
                };
                self.cut_off(format!("the document ends in the middle; {kept}"));
                self.document.last_is_cut = whole;
                if !whole {
                    self.document.cut_entry = finisher.finish(&draft, self.lang.as_deref());
                    continue;
                }
            }
            self.document.entries.extend(finisher.finish(&draft, self.lang.as_deref()));
        }
        if unclosed > 0 {
            let note = format!("{unclosed} entries have no end tag; they end where the next begins");
            self.document.flaws.push(Flaw { kind: "missing-end-tag", note });
        }
    }

    /// Tells whether the feed's own element has its end: if not, entries may be missing behind the last.
    fn end(&mut self, root: usize) {
        let open = |token: &Token<'a>| {
            token.kind == Kind::Start && !token.closed && !is_item(token.name) && !self.markup.cut
        };
        if !self.document.cut_off && self.token(root).as_ref().is_some_and(open) {
            self.cut_off("the document ends before its last tag; entries may be missing there".to_owned());
        }
    }

    fn cut_off(&mut self, note: String) {
        self.document.cut_off = true;
        self.document.flaws.push(Flaw { kind: "truncated", note });
    }
}
