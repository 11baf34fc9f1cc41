//! Character references, named and numeric, decoded the way browsers do.

use quick_xml::escape::resolve_html5_entity;

/// The longest reference worth looking at, `&` and `;` included.
const LONGEST: usize = 36;

/// Names that browsers read without their semicolon.
const BARE: [&str; 9] = ["nbsp", "quot", "copy", "reg", "laquo", "raquo", "amp", "lt", "gt"];

/// What a reference stands for and how many bytes it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The text it stands for; empty for a character no text may hold.
    pub(crate) text: Meaning,
    /// Its length in bytes, from `&` on.
    pub(crate) len: usize,
}

/// What a reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A named entity's text.
    Named(&'static str),
    /// One character.
    Char(char),
    /// Nothing: a control character, a surrogate, a number out of range.
    Nothing,
}

impl Meaning {
    /// Appends the text to `out`.
    pub(crate) fn push(self, out: &mut String) {
        match self {
            Self::Named(text) => out.push_str(text),
            Self::Char(char) => out.push(char),
            Self::Nothing => {}
        }
    }

    fn is(self, char: char) -> bool {
        match self {
            Self::Named(text) => {
                let mut chars = text.chars();
                chars.next() == Some(char) && chars.next().is_none()
            }
            Self::Char(own) => own == char,
            Self::Nothing => false,
        }
    }
}

/// Reads the reference at the beginning of `text`, which starts with `&`.
pub(crate) fn reference(text: &str) -> Option<Reference> {
    if let Some(common) = of_xml(text) {
        return Some(common);
    }
    let body = text.strip_prefix('&')?;
    if let Some(number) = body.strip_prefix('#') {
        return numeric(number);
    }
    let end = body.bytes().take(LONGEST).position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(body.len());
    let name = body.get(..end)?;
    if body.as_bytes().get(end) == Some(&b';')
        && let Some(text) = resolve_html5_entity(name)
    {
        return Some(Reference { text: Meaning::Named(text), len: end + 2 });
    }
    // `&nbsp ` and the like; not `&lt=5`, which is a query.
    let bare = BARE.contains(&name) && body.as_bytes().get(end) != Some(&b'=');
    let text = resolve_html5_entity(name).filter(|_| bare)?;
    Some(Reference { text: Meaning::Named(text), len: end + 1 })
}

/// The references that escape markup: nearly all there are, read without a search.
fn of_xml(text: &str) -> Option<Reference> {
    let (char, len) = match text.as_bytes() {
        [b'&', b'l', b't', b';', ..] => ('<', 4),
        [b'&', b'g', b't', b';', ..] => ('>', 4),
        [b'&', b'a', b'm', b'p', b';', ..] => ('&', 5),
        [b'&', b'q', b'u', b'o', b't', b';', ..] => ('"', 6),
        [b'&', b'#', b'3', b'9', b';', ..] => ('\'', 5),
        _ => return None,
    };
    Some(Reference { text: Meaning::Char(char), len })
}

fn numeric(number: &str) -> Option<Reference> {
    let (radix, digits, lead) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits, 3),
        None => (10, number, 2),
    };
    let len = digits.bytes().take(LONGEST).take_while(|byte| char::from(*byte).is_digit(radix)).count();
    if len == 0 {
        return None;
    }
    let text = digits
        .get(..len)
        .and_then(|digits| u32::from_str_radix(digits, radix).ok())
        .map_or(Meaning::Nothing, character);
    let closed = usize::from(digits.as_bytes().get(len) == Some(&b';'));
    Some(Reference { text, len: lead + len + closed })
}

/// Maps a code point as HTML does: 0x80 to 0x9F mean Windows-1252.
fn character(code: u32) -> Meaning {
    match code {
        0x80..=0x9f => {
            let byte = [u8::try_from(code).unwrap_or(b' ')];
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
            text.chars().next().filter(|char| !char.is_control()).map_or(Meaning::Nothing, Meaning::Char)
        }
        0x9 | 0xa | 0xd => Meaning::Char(' '),
        // A form feed separates pages of text.
        0xb | 0xc => Meaning::Char(' '),
        _ => char::from_u32(code).filter(|char| !char.is_control()).map_or(Meaning::Nothing, Meaning::Char),
    }
}

/// Reads the reference at the beginning of `text`, and through it the one it may
/// spell: `&amp;eacute;` was encoded twice and means é.
pub(crate) fn twice(text: &str) -> Option<Reference> {
    let first = reference(text)?;
    if !first.text.is('&') {
        return Some(first);
    }
    let rest = text.get(first.len..)?;
    // Only a whole reference counts: "AT&amp;T" and "R&amp;D;" stay what they are.
    let end = rest.bytes().take(LONGEST).position(|byte| byte == b';');
    let Some(spelled) = end.and_then(|end| rest.get(..=end)) else { return Some(first) };
    let mut whole = String::with_capacity(spelled.len() + 1);
    whole.push('&');
    whole.push_str(spelled);
    match reference(&whole) {
        Some(second) if second.len == whole.len() => {
            Some(Reference { text: second.text, len: first.len + spelled.len() })
        }
        _ => Some(first),
    }
}

/// Decodes the references of `text` once.
pub(crate) fn decode(text: &str) -> std::borrow::Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return text.into();
    }
    let spelled_out = |tail: &str, out: &mut String| {
        let reference = reference(tail)?;
        reference.text.push(out);
        Some(reference.len)
    };
    replace(text, spelled_out).into()
}

/// Walks from `&` to `&`. `put` writes what stands for the reference that begins there and returns its length, or
/// leaves it a character.
pub(crate) fn replace(text: &str, mut put: impl FnMut(&str, &mut String) -> Option<usize>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let len = put(tail, &mut out).unwrap_or_else(|| {
            out.push('&');
            1
        });
        rest = tail.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
