//! Entities that a document type defines: names for a few words, put in their place.

use std::borrow::Cow;

use crate::news::text::entity;

/// A document type stands in the first bytes, if anywhere.
const HEAD: usize = 64 * 1024;
/// The most entities put in their place, and the longest text of one.
const MOST: usize = 64;
const LONGEST: usize = 256;
/// The most bytes a document may grow by.
const MOST_GROWTH: usize = 1 << 20;

/// Puts the document's own entities in their place. Only plain text is: nothing in it is looked at again.
pub(super) fn expand(text: &str) -> Cow<'_, str> {
    let head = text.as_bytes().get(..HEAD.min(text.len())).unwrap_or_default();
    if memchr::memmem::find(head, b"<!ENTITY").is_none() {
        return text.into();
    }
    let own = definitions(text);
    if own.is_empty() {
        return text.into();
    }
    let put = |tail: &str, out: &mut String| {
        let (name, value) = own.iter().find(|(name, _)| {
            tail.get(1..).and_then(|tail| tail.strip_prefix(name)).is_some_and(|tail| tail.starts_with(';'))
        })?;
        if out.len() >= text.len() + MOST_GROWTH {
            return None;
        }
        out.push_str(value);
        Some(name.len() + 2)
    };
    entity::replace(text, put).into()
}

/// Returns names and texts of the entities that HTML does not know already.
fn definitions(text: &str) -> Vec<(&str, &str)> {
    let ends = memchr::memmem::find_iter(text.as_bytes(), b"<!ENTITY").take_while(|at| *at < HEAD);
    let definitions = ends.filter_map(|at| {
        let (name, value) =
            text.get(at + "<!ENTITY".len()..)?.trim_start().split_once(char::is_whitespace)?;
        let value = value.trim_start();
        let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''))?;
        let value = value.get(1..)?;
        let end = value.bytes().take(LONGEST + 1).position(|byte| byte == quote as u8)?;
        let value = value.get(..end)?;
        let plain = !value.contains(['<', '&', '%']);
        let named =
            !name.is_empty() && name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (plain && named && entity::reference(&format!("&{name};")).is_none()).then_some((name, value))
    });
    definitions.take(MOST).collect()
}
