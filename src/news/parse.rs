//! Feed bytes into a [`Document`].
//!
//! Bytes are decoded, then read as JSON or as markup. A broken entry costs
//! itself, never the feed, and nothing here panics, whatever the bytes.
//!
//! feed-rs read clean documents until one reader for all markup was found to
//! read them to the same entries in half the time; it is now the measure that
//! reader is held to (`tests/reading.rs`, `benches/parse.rs`).

mod cut;
mod draft;
mod entities;
mod field;
mod json;
mod lenient;
mod markup;
mod names;
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
    let expanded = entities::expand(text);
    let text = expanded.as_ref();
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

/// Names what a document has wrong besides its tags.
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
    // Whether there is any is asked without a branch for each byte; how many, only then.
    let control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    if text.bytes().fold(false, |seen, byte| seen | control(byte)) {
        let controls = text.bytes().filter(|byte| control(*byte)).count();
        note("control-characters", format!("{controls} control characters; left out"));
    }
    flaws
}

/// Counts ampersands outside CDATA sections that begin no reference.
fn bare_ampersands(text: &str) -> usize {
    let mut count = 0;
    let (mut at, mut section) = (0, begin_of_section(text, 0));
    while let Some(step) = text.as_bytes().get(at..).and_then(|rest| memchr::memchr(b'&', rest)) {
        at += step;
        if let Some(begin) = section.filter(|begin| *begin < at) {
            let inside = text.as_bytes().get(begin..).unwrap_or_default();
            let Some(end) = memchr::memmem::find(inside, b"]]>") else { break };
            section = begin_of_section(text, begin + end);
            at = at.max(begin + end);
            continue;
        }
        let len = text.get(at..).and_then(entity::reference).map_or(0, |reference| reference.len);
        count += usize::from(len == 0);
        at += len.max(1);
    }
    count
}

fn begin_of_section(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    memchr::memmem::find(rest, b"<![CDATA[").map(|step| from + step)
}
