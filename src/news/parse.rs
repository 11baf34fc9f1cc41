//! Feed bytes into a [`Document`].
//!
//! Bytes are decoded, then read by one of three readers: feed-rs where the
//! document is clean and of a shape it reads without loss, a reader of our own
//! for all other markup, and one for JSON. A broken entry costs itself, never
//! the feed, and nothing here panics, whatever the bytes.

mod clean;
mod draft;
mod field;
mod json;
mod lenient;
mod markup;
mod names;
mod shape;
mod value;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::news::decode;
use crate::news::entry::{Context, Document, Flaw, Unreadable};
use crate::news::text::entity;

/// Reads a feed document of any kind.
///
/// # Errors
///
/// When the document is empty, a web page, or nothing like a feed.
pub fn read(bytes: &[u8], context: &Context<'_>) -> Result<Document, Unreadable> {
    // No panic is known; a feed must not be able to find one.
    catch_unwind(AssertUnwindSafe(|| read_bytes(bytes, context))).unwrap_or_else(|_| {
        Err(Unreadable::NotAFeed("reading it failed; please report this document".to_owned()))
    })
}

fn read_bytes(bytes: &[u8], context: &Context<'_>) -> Result<Document, Unreadable> {
    let decoded = decode::decode(bytes, context.content_type);
    let text = decoded
        .text
        .trim_start_matches(|char: char| char == '\u{feff}' || char == '\0' || char.is_whitespace());
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    let mut document = read_text(text, context)?;
    let mut flaws = decoded.flaws;
    flaws.append(&mut document.flaws);
    document.flaws = flaws;
    Ok(document)
}

fn read_text(text: &str, context: &Context<'_>) -> Result<Document, Unreadable> {
    if text.starts_with(['{', '[']) {
        return json::read(text, context);
    }
    let clean = shape::faithful(text).and_then(|shape| clean::read(text, shape, context));
    if let Some(document) = clean {
        return Ok(document);
    }
    let mut document = match lenient::read(text, context) {
        Err(error) if shows_a_feed(text) => {
            // A page that shows the feed's source; once decoded, it is the feed.
            let mut document = lenient::read(&entity::decode(text), context).map_err(|_| error)?;
            document.flaws.push(Flaw {
                kind: "feed-in-page",
                note: "the feed is shown as text on a web page; read from there".to_owned(),
            });
            return Ok(document);
        }
        other => other?,
    };
    document.flaws.extend(damage(text));
    Ok(document)
}

fn shows_a_feed(text: &str) -> bool {
    ["&lt;rss", "&lt;feed", "&lt;rdf:RDF"]
        .iter()
        .any(|root| memchr::memmem::find(text.as_bytes(), root.as_bytes()).is_some())
}

/// Names what a document without a clean shape has wrong besides its tags.
fn damage(text: &str) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut note = |kind, note: String| flaws.push(Flaw { kind, note });
    if !text.starts_with('<') {
        let junk: String =
            text.chars().take_while(|char| *char != '<').filter(|char| !char.is_control()).take(40).collect();
        note("junk-before", format!("text stands before the feed: {junk:?}; skipped"));
    }
    let ampersands = bare_ampersands(text);
    if ampersands > 0 {
        note("bare-ampersand", format!("{ampersands} ampersands are not escaped; read as they are"));
    }
    let controls = text.bytes().filter(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')).count();
    if controls > 0 {
        note("control-characters", format!("{controls} control characters; left out"));
    }
    flaws
}

/// Counts ampersands outside CDATA sections that begin no reference.
fn bare_ampersands(text: &str) -> usize {
    let mut count = 0;
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, tail) = rest.split_at(at);
        if let Some(begin) = memchr::memmem::rfind(before.as_bytes(), b"<![CDATA[") {
            let section = rest.get(begin..).unwrap_or_default();
            let Some(end) = memchr::memmem::find(section.as_bytes(), b"]]>") else { break };
            if begin + end > at {
                rest = section.get(end..).unwrap_or_default();
                continue;
            }
        }
        let len = entity::reference(tail).map_or(0, |reference| reference.len);
        count += usize::from(len == 0);
        rest = tail.get(len.max(1)..).unwrap_or_default();
    }
    count
}
