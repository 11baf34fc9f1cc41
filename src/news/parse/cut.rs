//! Where each piece of markup ends, in documents that do not always say.
//!
//! What has lost its end must not hide what follows: a comment, a section or a
//! document type ends at the latest where an item visibly begins. Every search
//! either moves on behind what it looked at, or remembers what it found.

use super::markup::{Kind, is_container, is_item, local};

/// How far from its beginning an instruction that holds `<` may end.
const LONGEST_INSTRUCTION: usize = 4096;
/// How far a quoted value that holds `<` is looked for.
const SIGHT: usize = 16 * 1024;
/// The elements a section that is cut off is likely to run into.
const FIELDS: [&str; 13] = [
    "title",
    "link",
    "guid",
    "id",
    "pubdate",
    "date",
    "description",
    "summary",
    "content",
    "encoded",
    "author",
    "creator",
    "category",
];

/// One piece of markup.
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    /// The qualified name of a tag.
    pub(super) name: &'a str,
    /// Its length in bytes, brackets included.
    pub(super) len: usize,
    /// Where the text of a CDATA section ends, from the section's beginning.
    pub(super) inner: usize,
}

/// Cuts one text, from its beginning to its end.
pub(super) struct Cutter<'a> {
    text: &'a str,
    comment: Next,
    cdata: Next,
    instruction: Next,
    /// Comments or CDATA sections without an end.
    pub(super) open: usize,
    /// Bytes looked at for tags that turned out to be none.
    wasted: usize,
    /// A document type's internal subset was read; there is one at most.
    subset: bool,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let (comment, cdata, instruction) = (Next::default(), Next::default(), Next::default());
        Self { text, comment, cdata, instruction, open: 0, wasted: 0, subset: false }
    }

    /// Returns the piece that begins with the `<` at `at`; `None` when it is just a character.
    /// `own` is the name of the element whose text it stands in.
    pub(super) fn piece(&mut self, at: usize, own: &str) -> Option<Piece<'a>> {
        let rest = self.text.as_bytes().get(at..)?;
        match rest.get(1)? {
            b'!' if rest.starts_with(b"<!--") => Some(self.comment(at)),
            b'!' if is_section(rest) => Some(self.section(at, own)),
            b'!' => self.declaration(rest).map(skip),
            b'?' => self.instruction(rest, at).map(skip),
            b'/' => self.tag(rest, at, 2),
            _ => self.tag(rest, at, 1),
        }
    }

    fn comment(&mut self, at: usize) -> Piece<'a> {
        // `<!-->` is a whole one.
        let end = self.comment.find(self.text, at + 2, b"-->");
        let inner = self.text.as_bytes().get(at + 4..end.unwrap_or(0)).unwrap_or_default();
        // One that holds the beginning of another and an item before it is the one that lost its end.
        let runs_on = memchr::memmem::find(inner, b"<!--")
            .and_then(|next| inner.get(..next))
            .is_some_and(|before| Tags(before, 0).any(|tag| is_item(tag.name)));
        let end = end.filter(|_| !runs_on);
        self.open += usize::from(end.is_none());
        skip(end.map_or(4, |end| end + 3 - at))
    }

    fn section(&mut self, at: usize, own: &str) -> Piece<'a> {
        const LEAD: usize = "<![CDATA[".len();
        let end = self.cdata.find(self.text, at + LEAD, b"]]>");
        let inner = self.text.as_bytes().get(at + LEAD..end.unwrap_or(self.text.len())).unwrap_or_default();
        let next = memchr::memmem::find(inner, b"<![CDATA[");
        if let (Some(end), None) = (end, next) {
            return Piece { kind: Kind::CData, name: "", len: end + 3 - at, inner: end - at };
        }
        let before = inner.get(..next.unwrap_or(inner.len())).unwrap_or_default();
        // With no end to move on to, what lies behind the next section is looked at from there.
        let beyond = || if end.is_some() { breaks_off(inner, own, false) } else { None };
        let stop = breaks_off(before, own, next.is_some()).or_else(beyond);
        if let Some(stop) = stop {
            self.open += 1;
            let text = inner.get(..stop).unwrap_or_default();
            // What is left of the lost end is not text.
            let text = text.strip_suffix(b"]>").or_else(|| text.strip_suffix(b"]]")).unwrap_or(text);
            let text = text.strip_suffix(b"]").unwrap_or(text);
            return Piece { kind: Kind::CData, name: "", len: LEAD + stop, inner: LEAD + text.len() };
        }
        match end {
            Some(end) => Piece { kind: Kind::CData, name: "", len: end + 3 - at, inner: end - at },
            None => {
                self.open += 1;
                skip(LEAD)
            }
        }
    }

    /// Returns the length of a declaration. `Wow <! [sic]` is none.
    fn declaration(&mut self, rest: &[u8]) -> Option<usize> {
        let body = rest.get(2..)?;
        if !body.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'[') {
            return None;
        }
        let is_doctype = body.get(..7).is_some_and(|name| name.eq_ignore_ascii_case(b"DOCTYPE"));
        if is_doctype && !self.subset {
            let end = memchr::memchr3(b'>', b'<', b'[', body)?;
            if body.get(end) == Some(&b'[') {
                self.subset = true;
                return Some(3 + end + subset(body.get(end + 1..)?));
            }
        }
        let end = memchr::memchr2(b'>', b'<', body)?;
        (body.get(end) == Some(&b'>')).then_some(2 + end + 1)
    }

    /// Returns the length of an instruction. `what <? he said` is none.
    fn instruction(&mut self, rest: &[u8], at: usize) -> Option<usize> {
        if !rest.get(2)?.is_ascii_alphabetic() {
            return None;
        }
        let end = memchr::memchr2(b'>', b'<', rest.get(2..)?)? + 2;
        if rest.get(end) == Some(&b'<') {
            // A program's text may hold tags.
            let close = self.instruction.find(self.text, at + end, b"?>")? + 2 - at;
            return (rest.starts_with(b"<?php") && close <= LONGEST_INSTRUCTION).then_some(close);
        }
        if rest.get(end - 1) == Some(&b'?') {
            return Some(end + 1);
        }
        // `>` may stand in a value; or the instruction was ended like a tag.
        let more = rest.get(end + 1..)?;
        let more = more.get(..memchr::memchr(b'<', more).unwrap_or(more.len()))?;
        Some(end + 1 + memchr::memmem::find(more, b"?>").map_or(0, |close| close + 2))
    }

    fn tag(&mut self, rest: &[u8], at: usize, lead: usize) -> Option<Piece<'a>> {
        let first = rest.get(lead)?;
        if !first.is_ascii_alphabetic() && *first != b'_' {
            return None;
        }
        let len = name_len(rest.get(lead..)?);
        let name = self.text.get(at + lead..at + lead + len)?;
        let mut end = lead + len;
        // Quotes that never close make every tag reach far in vain: after a while they are characters.
        let quotes = self.wasted <= self.text.len().saturating_mul(4);
        // Outside quotes a second `<` means that the first began no tag. Quotes that
        // hold one are taken at their word only if they close within sight.
        loop {
            let more = rest.get(end..)?;
            let Some(step) = more.iter().position(|byte| matches!(byte, b'>' | b'<' | b'"' | b'\'')) else {
                self.wasted += rest.len();
                return None;
            };
            end += step;
            match rest.get(end)? {
                b'>' => break,
                // An end tag that lost its bracket is still an end tag: `</item <item>`.
                b'<' if lead == 2 => return Some(Piece { kind: Kind::End, name, len: end, inner: 0 }),
                b'<' => {
                    self.wasted += end;
                    return None;
                }
                _ if !quotes => end += 1,
                quote => {
                    let sight = rest.get(end + 1..rest.len().min(end + 1 + SIGHT))?;
                    let before = rest.get(..end)?.trim_ascii_end().last();
                    let close = memchr::memchr2(*quote, b'<', sight);
                    end += match close {
                        Some(close) if before == Some(&b'=') && sight.get(close) == Some(quote) => close + 2,
                        Some(_) if before == Some(&b'=') => {
                            quoted(*quote, sight).map_or(1, |close| close + 2)
                        }
                        _ => 1,
                    };
                }
            }
        }
        let empty = rest.get(end - 1) == Some(&b'/') && !(is_item(name) && ends_bare(rest.get(..end - 1)?));
        let kind = match (lead, empty) {
            (2, _) => Kind::End,
            (_, true) => Kind::Empty,
            _ => Kind::Start,
        };
        Some(Piece { kind, name, len: end + 1, inner: 0 })
    }
}

fn skip<'a>(len: usize) -> Piece<'a> {
    Piece { kind: Kind::Skip, name: "", len, inner: 0 }
}

/// Some write `<![cdata[`.
fn is_section(rest: &[u8]) -> bool {
    rest.get(..9).is_some_and(|lead| lead.eq_ignore_ascii_case(b"<![CDATA["))
}

fn name_len(bytes: &[u8]) -> usize {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.');
    bytes.iter().take_while(|byte| is_name(byte)).count()
}

fn quoted(quote: u8, sight: &[u8]) -> Option<usize> {
    // A value may hold `<` if it ends like a value: before white space, a slash or a bracket.
    let close = memchr::memchr(quote, sight.get(..sight.len().min(4096))?)?;
    matches!(sight.get(close + 1), Some(b'>' | b'/' | b' ' | b'\n' | b'\r' | b'\t')).then_some(close)
}

/// Tells whether a tag ends in a value without quotes, so that a slash behind it belongs to the value.
fn ends_bare(tag: &[u8]) -> bool {
    let word = tag.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    memchr::memchr(b'=', word).is_some() && !matches!(word.last(), Some(b'"' | b'\'' | b'='))
}

/// Returns where a section that lost its end is over, if what it holds shows that it did: the end of the
/// element it stands in, an item's tag, or a field whose own section begins right behind its tag.
fn breaks_off(before: &[u8], own: &str, followed: bool) -> Option<usize> {
    let mut last = None;
    for tag in Tags(before, 0) {
        if is_item(tag.name) || tag.closing && !own.is_empty() && tag.name.eq_ignore_ascii_case(own) {
            return Some(tag.at);
        }
        last = Some(tag);
    }
    let field = last.filter(|tag| {
        let name = local(tag.name);
        let behind = before.get(tag.at + 1 + tag.name.len()..).map(<[u8]>::trim_ascii_end);
        !tag.closing && behind == Some(b">") && FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field))
    });
    field.filter(|_| followed).map(|tag| tag.at)
}

/// Returns the length of a document type's internal subset with the `]>` that ends it; if it has no end, of
/// what looks like it.
fn subset(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let Some(rest) = bytes.get(at..) else { return bytes.len() };
        let Some(step) = memchr::memchr2(b'<', b']', rest) else { return 0 };
        at += step;
        let rest = bytes.get(at..).unwrap_or_default();
        let after = |end: &[u8]| memchr::memmem::find(rest, end).map(|step| step + end.len());
        let len = match rest {
            [b']', tail @ ..] => {
                let tail = tail.trim_ascii_start();
                if tail.first() == Some(&b'>') {
                    return bytes.len() - tail.len() + 1;
                }
                Some(1)
            }
            [b'<', b'!', b'-', b'-', ..] => after(b"-->"),
            [b'<', b'?', ..] => after(b"?>"),
            [b'<', b'!', first, ..] if first.is_ascii_alphabetic() => Some(1 + definition(rest)),
            _ => None,
        };
        match len {
            Some(len) => at += len,
            None => return at,
        }
    }
}

/// Returns the length of a definition in a subset, up to its `>` or to what cannot be in it.
fn definition(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(rest) = bytes.get(at..) {
        let special = |byte: &u8| matches!(byte, b'>' | b'<' | b'"' | b'\'');
        let Some(step) = rest.iter().position(special) else { break };
        at += step;
        match bytes.get(at) {
            Some(quote @ (b'"' | b'\'')) => {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                let value = memchr::memchr(*quote, rest).and_then(|close| rest.get(..close));
                // A value that holds the feed has lost its own end.
                let value = value.filter(|value| !Tags(value, 0).any(|tag| is_container(tag.name)));
                at += value.map_or(1, |value| value.len() + 2);
            }
            _ => return at - 1,
        }
    }
    at - 1
}

/// Something that looks like the beginning of a tag.
struct Seen<'a> {
    at: usize,
    closing: bool,
    name: &'a str,
}

/// What looks like tags in some bytes, and where to look next.
struct Tags<'a>(&'a [u8], usize);

impl<'a> Iterator for Tags<'a> {
    type Item = Seen<'a>;

    fn next(&mut self) -> Option<Seen<'a>> {
        loop {
            let at = self.1 + memchr::memchr(b'<', self.0.get(self.1..)?)?;
            let closing = self.0.get(at + 1) == Some(&b'/');
            let from = at + 1 + usize::from(closing);
            let name = self.0.get(from..)?;
            let name = name.get(..name_len(name))?;
            self.1 = from + name.len();
            if name.first().is_some_and(u8::is_ascii_alphabetic) {
                return Some(Seen { at, closing, name: std::str::from_utf8(name).unwrap_or_default() });
            }
        }
    }
}

/// The next place of one needle, looked for once.
#[derive(Default)]
enum Next {
    #[default]
    Unknown,
    At(usize),
    Never,
}

impl Next {
    fn find(&mut self, text: &str, from: usize, needle: &[u8]) -> Option<usize> {
        match self {
            Self::At(at) if *at >= from => return Some(*at),
            Self::Never => return None,
            _ => {}
        }
        let found = text
            .as_bytes()
            .get(from..)
            .and_then(|rest| memchr::memmem::find(rest, needle))
            .map(|at| at + from);
        *self = found.map_or(Self::Never, Self::At);
        found
    }
}
