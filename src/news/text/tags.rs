//! Which tags break a block, which hide what is in them, and where a tag ends.

use std::collections::HashSet;

/// Tags that end a line of text: what is before them and what is after them are
/// not one sentence.
const BLOCKS: [&str; 66] = [
    "address",
    "article",
    "aside",
    "basefont",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "iframe",
    "img",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "noframes",
    "noscript",
    "ol",
    "optgroup",
    "option",
    "p",
    "picture",
    "pre",
    "section",
    "select",
    "summary",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "video",
];

/// Tags that only dress the text they are in.
const INLINE: [&str; 75] = [
    "a",
    "abbr",
    "acronym",
    "applet",
    "area",
    "audio",
    "b",
    "base",
    "bdi",
    "bdo",
    "bgsound",
    "big",
    "blink",
    "canvas",
    "cite",
    "code",
    "data",
    "datalist",
    "del",
    "dfn",
    "em",
    "embed",
    "font",
    "i",
    "image",
    "input",
    "ins",
    "isindex",
    "kbd",
    "keygen",
    "label",
    "layer",
    "link",
    "listing",
    "map",
    "mark",
    "marquee",
    "math",
    "meta",
    "meter",
    "multicol",
    "nobr",
    "noembed",
    "nolayer",
    "object",
    "output",
    "param",
    "plaintext",
    "progress",
    "q",
    "rb",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "slot",
    "small",
    "source",
    "spacer",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "svg",
    "template",
    "time",
    "track",
    "tt",
    "u",
    "var",
    "wbr",
    "xmp",
];

/// Tags whose content nobody reads.
const HIDDEN: [&str; 2] = ["script", "style"];

/// A tag's name, lower case, as far as this module cares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name([u8; 12], usize);

impl Name {
    fn as_bytes(&self) -> &[u8] {
        self.0.get(..self.1).unwrap_or_default()
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Tells whether the tag breaks a block.
    pub(super) fn breaks(&self) -> bool {
        // The commonest first: a search costs more than all the rest of a short tag.
        match self.as_bytes() {
            b"p" | b"br" | b"li" | b"div" => return true,
            b"a" | b"b" | b"i" | b"em" | b"span" | b"strong" => return false,
            _ => {}
        }
        BLOCKS.binary_search(&self.as_str()).is_ok()
    }

    /// Returns the end tag, without its `>`, that ends hidden content.
    pub(super) fn hides(&self) -> Option<&'static str> {
        match self.as_str() {
            "script" => Some("</script"),
            "style" => Some("</style"),
            _ => None,
        }
    }

    /// Tells whether HTML has such a tag.
    pub(super) fn known(&self) -> bool {
        if matches!(self.as_bytes(), b"a" | b"b" | b"i" | b"em" | b"span" | b"strong") {
            return true;
        }
        self.breaks() || INLINE.binary_search(&self.as_str()).is_ok() || HIDDEN.contains(&self.as_str())
    }
}

/// A tag at the beginning of some text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag {
    pub(super) name: Name,
    pub(super) closing: bool,
    /// Length in bytes, brackets included.
    pub(super) len: usize,
}

/// What a tag begins with.
#[derive(Debug)]
pub(super) struct Head<'t> {
    pub(super) name: Name,
    closing: bool,
    /// The name as written, of any length.
    raw: &'t str,
}

impl Head<'_> {
    /// Tells whether a tag that HTML does not have is one all the same; `rest` is what follows its name.
    pub(super) fn is_tag(&self, rest: &str) -> bool {
        // `<o:p>`, `<amp-img>`, and whatever has attributes or says that it is empty.
        let foreign =
            self.raw.contains([':', '-']) && !self.raw.bytes().any(|byte| byte.is_ascii_uppercase());
        let inner = || {
            let end = memchr::memchr2(b'<', b'>', rest.as_bytes())
                .filter(|end| rest.as_bytes().get(*end) == Some(&b'>'));
            end.and_then(|end| rest.get(..end)).unwrap_or_default()
        };
        self.closing
            || foreign
            || memchr::memchr(b'=', inner().as_bytes()).is_some()
            || inner().ends_with('/')
    }

    /// The name in lower case.
    pub(super) fn lower(&self) -> String {
        self.raw.to_ascii_lowercase()
    }
}

/// How many names of end tags are remembered.
const MOST_ENDED: usize = 256;

/// Returns the names of the elements that `html` has end tags of, in lower case.
pub(super) fn ended(html: &str) -> HashSet<String> {
    let mut names = HashSet::new();
    for at in memchr::memmem::find_iter(html.as_bytes(), b"</") {
        let name = html.get(at + 2..).map(name).unwrap_or_default();
        if names.len() < MOST_ENDED && !name.is_empty() && name.len() <= 64 {
            names.insert(name.to_ascii_lowercase());
        }
    }
    names
}

/// Returns the name that `text` begins with.
fn name(text: &str) -> &str {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
    let end = text.bytes().position(|byte| !is_name(byte)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Finds tags' ends in one text, in linear time whatever the text is.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// No `>` follows any more.
    exhausted: bool,
    /// How often a quote ran to the end of the text: after a few, quotes are just characters.
    runaways: u8,
}

impl Scanner {
    /// Reads the tag at the beginning of `text`, which starts with `<`, if `is_tag` takes it for one, given
    /// what follows its name. The end is looked for only then: a search for each `<` would be too many.
    pub(super) fn tag(&mut self, text: &str, is_tag: impl Fn(&Head<'_>, &str) -> bool) -> Option<Tag> {
        let bytes = text.as_bytes();
        let closing = bytes.get(1) == Some(&b'/');
        let from = 1 + usize::from(closing);
        if self.exhausted || !bytes.get(from)?.is_ascii_alphabetic() {
            return None;
        }
        let raw = name(text.get(from..)?);
        let mut lower = Name([0; 12], 0);
        // A longer name is nobody's.
        if raw.len() <= lower.0.len() {
            for (slot, byte) in lower.0.iter_mut().zip(raw.bytes()) {
                *slot = byte.to_ascii_lowercase();
            }
            lower.1 = raw.len();
        }
        let after = from + raw.len();
        if !is_tag(&Head { name: lower, closing, raw }, text.get(after..)?) {
            return None;
        }
        let len = after + self.end(bytes.get(after..)?)?;
        Some(Tag { name: lower, closing, len })
    }

    /// Returns the length up to and with the `>` that ends a tag.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.exhausted {
            return None;
        }
        let mut at = 0;
        let quick = loop {
            let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr3(b'>', b'"', b'\'', rest)) else {
                break None;
            };
            at += next;
            match bytes.get(at) {
                Some(b'>') => break Some(at + 1),
                // Only a quote after an equals sign opens a value.
                Some(quote) if self.runaways < 8 && opens_value(bytes, at) => {
                    match bytes.get(at + 1..).and_then(|rest| memchr::memchr(*quote, rest)) {
                        Some(close) => at += close + 2,
                        None => break None,
                    }
                }
                _ => at += 1,
            }
        };
        if quick.is_some() {
            return quick;
        }
        self.runaways = self.runaways.saturating_add(1);
        let any = memchr::memchr(b'>', bytes).map(|at| at + 1);
        self.exhausted = any.is_none();
        any
    }
}

fn opens_value(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rev().take(8).find(|byte| !byte.is_ascii_whitespace()) == Some(&b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_binary_search() {
        assert!(BLOCKS.is_sorted() && INLINE.is_sorted());
    }

    #[test]
    fn a_quoted_bracket_does_not_end_a_tag() {
        let tag = Scanner::default().tag(r#"<a title="a > b" href='x'>text"#, |_, _| true).unwrap();
        assert_eq!(tag.len, r#"<a title="a > b" href='x'>"#.len());
        assert!(tag.name.known() && !tag.name.breaks());
    }
}
