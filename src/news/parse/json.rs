//! JSON Feed, whatever the types of its fields and the state of its JSON.

mod items;
mod reader;

use std::borrow::Cow;

use self::items::Items;
use self::reader::Reader;
use super::draft::{Dates, Draft, Finisher, MOST_AUTHORS, MOST_ENTRIES};
use super::field;
use crate::news::dates::Hints;
use crate::news::entry::{Context, Document, Flaw, Unreadable};

/// What a feed says about itself, and where its items begin.
#[derive(Debug, Default)]
struct Head<'a> {
    title: Option<Cow<'a, str>>,
    language: Option<Cow<'a, str>>,
    items: Option<usize>,
    /// It does not end where it should.
    broken: bool,
}

/// An item as found. Of a key that comes twice the last one counts.
#[derive(Debug, Default)]
struct Item<'a> {
    /// The first key.
    first: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    url: Option<Cow<'a, str>>,
    external_url: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    summary: Option<Cow<'a, str>>,
    content_html: Option<Cow<'a, str>>,
    content_text: Option<Cow<'a, str>>,
    date_published: Option<Cow<'a, str>>,
    date_modified: Option<Cow<'a, str>>,
    language: Option<Cow<'a, str>>,
    author: Vec<Cow<'a, str>>,
    authors: Vec<Cow<'a, str>>,
}

/// Reads a JSON Feed.
pub(super) fn read(text: &str, context: &Context<'_>) -> Result<Document, Unreadable> {
    let head = head(text);
    let Some(list) = head.items else {
        return Err(Unreadable::NotAFeed("it is JSON without a list of items".to_owned()));
    };
    let lang = head.language.as_deref().map(field::tag).filter(|lang| !lang.is_empty());
    let hints = Hints { zone: context.zone.as_ref(), lang: lang.as_deref().or(context.lang) };
    let mut finisher = Finisher::new(context.base, hints);
    let mut document = Document {
        title: head.title.as_deref().and_then(|title| finisher.title(title)),
        ..Document::default()
    };
    let feed_lang = lang.as_deref().or(context.lang);
    let mut items = Items::new(text, list, head.broken);
    let mut more = false;
    while items.advance() {
        more = document.entries.len() >= MOST_ENTRIES;
        if more {
            break;
        }
        let (start, broken) = (items.reader.place(), items.reader.broken);
        let mut found = item(&mut items.reader);
        let (sound, cut) = (items.reader.broken == broken && !items.reader.ended, items.reader.ended);
        if let Some(next) = items.overrun(start, sound) {
            items.reader.broken = broken + 1;
            found = item(&mut Reader::new(text.get(..next).unwrap_or_default(), start));
        } else if cut {
            // What is cut off comes whole with the next poll.
            continue;
        } else if sound {
            items.learn(found.first.as_deref().unwrap_or_default());
        }
        document.entries.extend(finisher.finish(&draft(&found), feed_lang));
    }
    let reader = &items.reader;
    if document.entries.is_empty() && (reader.ended || reader.broken > 0) {
        return Err(Unreadable::NotAFeed("it is broken JSON, without a whole item".to_owned()));
    }
    damage(reader, more, &mut document);
    finisher.report(&mut document);
    document.cut_off = reader.ended;
    document.lang = lang;
    Ok(document)
}

/// Notes what was wrong with the JSON itself.
fn damage(reader: &Reader<'_>, more: bool, document: &mut Document) {
    let entries = document.entries.len();
    let mut note = |kind, note: String| document.flaws.push(Flaw { kind, note });
    if reader.controls > 0 {
        note("control-characters", "control characters stand unescaped; read as spaces".to_owned());
    }
    if reader.escapes > 0 {
        note("bad-escapes", format!("{} escapes stand for no character; read around", reader.escapes));
    }
    if reader.broken > 0 {
        note("broken-json", format!("{} places are not JSON; read around", reader.broken));
    }
    if reader.ended {
        note("truncated", format!("the JSON ends in the middle; the {entries} items before that were read"));
    }
    if more {
        note(
            "too-many-entries",
            format!("the document has more than {MOST_ENTRIES} entries; the rest was not read"),
        );
    }
}

fn head(text: &str) -> Head<'_> {
    let mut reader = Reader::new(text, 0);
    let mut head = Head::default();
    if reader.peek() != Some(b'{') {
        return head;
    }
    reader.enter();
    while let Some(key) = reader.key() {
        match key.as_ref() {
            "title" if head.title.is_none() => head.title = reader.scalar(),
            "language" if head.language.is_none() => head.language = reader.scalar(),
            "items" if reader.peek() == Some(b'[') => {
                head.items = Some(reader.place());
                reader.skip();
            }
            _ => reader.skip(),
        }
    }
    head.broken = reader.broken > 0 || reader.ended || reader.peek().is_some();
    head
}

/// Reads the item that begins here.
fn item<'a>(reader: &mut Reader<'a>) -> Item<'a> {
    let mut item = Item::default();
    reader.enter();
    while let Some(key) = reader.key() {
        item.first.get_or_insert_with(|| key.clone());
        let slot = match key.as_ref() {
            "id" => &mut item.id,
            "url" => &mut item.url,
            "external_url" => &mut item.external_url,
            "title" => &mut item.title,
            "summary" => &mut item.summary,
            "content_html" => &mut item.content_html,
            "content_text" => &mut item.content_text,
            "date_published" => &mut item.date_published,
            "date_modified" => &mut item.date_modified,
            "language" => &mut item.language,
            "author" => {
                item.author = people(reader);
                continue;
            }
            "authors" => {
                item.authors = people(reader);
                continue;
            }
            _ => {
                reader.skip();
                continue;
            }
        };
        *slot = reader.scalar();
    }
    item
}

/// Reads a name, an object with a name, or a list of them.
fn people<'a>(reader: &mut Reader<'a>) -> Vec<Cow<'a, str>> {
    if reader.peek() != Some(b'[') {
        return person(reader).into_iter().collect();
    }
    let mut names = Vec::new();
    reader.enter();
    while reader.element() {
        if names.len() < MOST_AUTHORS {
            names.extend(person(reader));
        } else {
            reader.skip();
        }
    }
    names
}

fn person<'a>(reader: &mut Reader<'a>) -> Option<Cow<'a, str>> {
    match reader.peek()? {
        b'"' => reader.scalar(),
        b'{' => {
            let mut name = None;
            reader.enter();
            while let Some(key) = reader.key() {
                if key == "name" {
                    name = reader.scalar();
                } else {
                    reader.skip();
                }
            }
            name
        }
        _ => {
            reader.skip();
            None
        }
    }
}

fn draft<'i>(item: &'i Item<'_>) -> Draft<'i> {
    fn text<'i>(field: &'i Option<Cow<'_, str>>) -> Option<Cow<'i, str>> {
        field.as_deref().filter(|text| !text.trim().is_empty()).map(Cow::Borrowed)
    }
    // Plain text may hold what looks like markup.
    let escaped = text(&item.content_text)
        .map(|text| Cow::Owned(text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>")));
    let addresses = [&item.url, &item.external_url].into_iter().filter_map(text);
    let permalink = text(&item.id).filter(|id| id.starts_with("http"));
    Draft {
        id: text(&item.id),
        title: text(&item.title),
        links: addresses.chain(permalink).map(|href| (href, None)).collect(),
        published: Dates { best: text(&item.date_published), ..Dates::default() },
        updated: Dates { best: text(&item.date_modified), ..Dates::default() },
        summary: text(&item.summary),
        content: text(&item.content_html).or(escaped),
        authors: item.authors.iter().chain(&item.author).map(|name| Cow::Borrowed(name.as_ref())).collect(),
        lang: text(&item.language),
        source: None,
    }
}
