//! What stands in an element, as HTML, whatever way it was put there.

use std::borrow::Cow;

use super::markup::{Kind, Markup, Token};
use super::names::Attributes;
use crate::news::text::entity;

/// Returns the value of the first child of that name.
pub(super) fn child<'a>(
    markup: &Markup<'a>,
    at: usize,
    token: &Token<'a>,
    name: &str,
) -> Option<Cow<'a, str>> {
    let at = position(markup, at, token, name, |kind| kind == Kind::Start)?;
    Some(value(markup, at, false)).filter(|value| !value.trim().is_empty())
}

/// Tells whether an element has a child of that name, be it empty.
pub(super) fn has_child(markup: &Markup<'_>, at: usize, token: &Token<'_>, name: &str) -> bool {
    position(markup, at, token, name, |kind| matches!(kind, Kind::Start | Kind::Empty)).is_some()
}

fn position(
    markup: &Markup<'_>,
    at: usize,
    token: &Token<'_>,
    name: &str,
    is: impl Fn(Kind) -> bool,
) -> Option<usize> {
    if token.kind != Kind::Start || !token.closed {
        return None;
    }
    let range = markup.tokens.get(at + 1..token.close as usize)?;
    let is_child =
        |token: &Token<'_>| is(token.kind) && super::markup::local(token.name).eq_ignore_ascii_case(name);
    range.iter().position(is_child).map(|step| at + 1 + step)
}

/// Returns the content of an element as HTML.
pub(super) fn value<'a>(markup: &Markup<'a>, at: usize, xhtml: bool) -> Cow<'a, str> {
    between(markup, at, None, xhtml)
}

/// Reads a text construct by its declared type: base64, XHTML, anything else as HTML.
pub(super) fn typed<'a>(markup: &Markup<'a>, at: usize, stop: Option<usize>, tag: &'a str) -> Cow<'a, str> {
    if tag.ends_with("/>") {
        return Cow::Borrowed("");
    }
    let kind = Attributes::get(tag, "type").unwrap_or_default().trim().to_ascii_lowercase();
    let mode = Attributes::get(tag, "mode").unwrap_or_default().trim().to_ascii_lowercase();
    let encoded = Attributes::get(tag, "rdf:encoding").is_some();
    let text = between(markup, at, stop, kind.contains("xhtml") || mode == "xml" || encoded);
    let textual =
        kind.is_empty() || ["text", "html", "xml", "plain", "escaped"].iter().any(|part| kind.contains(part));
    if mode == "base64" || !textual {
        return base64(&text).map_or(text, Cow::Owned);
    }
    text
}

fn base64(text: &str) -> Option<String> {
    let bare: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').collect();
    let bytes = data_encoding::BASE64_NOPAD.decode(&bare).ok()?;
    String::from_utf8(bytes).ok()
}

/// Returns what stands between a start tag and its end as HTML: escaped text decoded
/// once, CDATA as it is, tags without their attributes.
pub(super) fn between<'a>(markup: &Markup<'a>, at: usize, stop: Option<usize>, xhtml: bool) -> Cow<'a, str> {
    let Some(token) = markup.tokens.get(at) else { return Cow::Borrowed("") };
    if token.kind != Kind::Start {
        return Cow::Borrowed("");
    }
    let last = stop.unwrap_or(token.close as usize).min(markup.tokens.len());
    let size = u32::try_from(markup.text.len()).unwrap_or(u32::MAX);
    let until = markup.tokens.get(last).map_or(size, |token| token.from);
    let inner = markup.tokens.get(at + 1..last).unwrap_or_default();
    if !markup.spend(until.saturating_sub(token.to) as usize) {
        return Cow::Borrowed("");
    }
    let tagged = inner.iter().any(|token| matches!(token.kind, Kind::Start | Kind::Empty));
    let raw = xhtml && tagged;
    if inner.is_empty() {
        return entity::decode(markup.slice(token.to, until));
    }
    let mut out = String::with_capacity((until.saturating_sub(token.to)) as usize);
    let mut from = token.to;
    let piece = |from: u32, to: u32, out: &mut String| {
        let text = markup.slice(from, to);
        out.push_str(&if raw { Cow::Borrowed(text) } else { entity::decode(text) });
    };
    for token in inner {
        piece(from, token.from, &mut out);
        from = token.to;
        match token.kind {
            Kind::CData => {
                let text = markup.slice(token.from + 9, token.close);
                out.push_str(&if raw { escaped(text) } else { text.into() });
            }
            Kind::Skip => {}
            Kind::Start | Kind::Empty | Kind::End => {
                out.push_str(if token.kind == Kind::End { "</" } else { "<" });
                out.push_str(super::markup::local(token.name));
                out.push_str(if token.kind == Kind::Empty { "/>" } else { ">" });
            }
        }
    }
    piece(from, until, &mut out);
    out.into()
}

/// In XHTML a CDATA section is text.
fn escaped(text: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'<', b'&', text.as_bytes()).is_none() {
        return text.into();
    }
    text.replace('&', "&amp;").replace('<', "&lt;").into()
}
