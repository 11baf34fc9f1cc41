//! Text as a reader sees it: out of HTML, into plain lines.
//!
//! Every function here is linear in its input, whatever the input is: tags are
//! never put into a tree, and no search is repeated over the same bytes.

pub(crate) mod entity;
mod tags;

use std::borrow::Cow;
use std::cell::OnceCell;

use self::tags::Scanner;

/// The longest title kept, in bytes.
pub const TITLE_CAP: usize = 1024;
/// The longest summary or content kept, in bytes.
pub const BODY_CAP: usize = 64 * 1024;

/// Returns the text of some HTML: tags out, entities decoded, each block boundary
/// one newline, all other white space single spaces.
pub fn plain(html: &str) -> String {
    clip(html, usize::MAX).0
}

/// Like [`plain`], stopping at `cap` bytes; tells whether anything was cut.
pub(crate) fn clip(html: &str, cap: usize) -> (String, bool) {
    let html = unescaped(html);
    let mut writer = Writer::new(html.len().min(cap), cap);
    // A text may name `<The Hill>`; but it may also have tags that no list has.
    let ended = OnceCell::new();
    writer.html(&html, |head, rest| {
        head.name.known()
            || head.is_tag(rest)
            || ended.get_or_init(|| tags::ended(&html)).contains(&head.lower())
    });
    (writer.out, writer.cut)
}

/// Returns a headline on one line: tags out, entities decoded at most twice.
pub fn title(text: &str) -> String {
    title_clip(text, usize::MAX).0
}

/// Like [`title`], stopping at `cap` bytes; tells whether anything was cut.
pub(crate) fn title_clip(text: &str, cap: usize) -> (String, bool) {
    let mut writer = Writer::new(text.len().min(cap), cap);
    // A headline may hold `<NK News>` or `a <b>`; only tags that HTML has are tags.
    let known = |head: &tags::Head<'_>, _: &str| head.name.known();
    let tags = writer.html(text, known);
    let (mut out, mut cut) = (writer.out, writer.cut);
    if tags == 0 && out.contains('<') {
        let mut again = Writer::new(out.len(), cap);
        again.html(&out, known);
        cut |= again.cut;
        out = again.out;
    }
    if out.contains('\n') {
        out = out.replace('\n', " ");
    }
    (out, cut)
}

/// Removes control characters and those that reorder text, for mail and terminals.
///
/// Newlines and tabs become spaces.
pub fn safe(text: &str) -> String {
    let visible = |char: char| match char {
        '\n' | '\r' | '\t' => Some(' '),
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => None,
        char if char.is_control() => None,
        char => Some(char),
    };
    text.chars().filter_map(visible).collect()
}

/// Undoes one escaping of HTML that was escaped once too often: no tag to be seen,
/// but `&lt;p&gt;`.
fn unescaped(html: &str) -> Cow<'_, str> {
    let bytes = html.as_bytes();
    if memchr::memchr(b'<', bytes).is_some() || memchr::memmem::find(bytes, b"&lt;").is_none() {
        return html.into();
    }
    let decoded = entity::decode(html);
    let mut scanner = Scanner::default();
    let mut tags = memchr::memchr_iter(b'<', decoded.as_bytes())
        .filter_map(|at| decoded.get(at..))
        .filter_map(|rest| scanner.tag(rest, |head, _| head.name.known()));
    if tags.next().is_some() { decoded } else { html.into() }
}

/// White space owed before the next character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
}

/// Collects plain text.
struct Writer {
    out: String,
    cap: usize,
    cut: bool,
    gap: Gap,
}

impl Writer {
    fn new(capacity: usize, cap: usize) -> Self {
        Self { out: String::with_capacity(capacity), cap, cut: false, gap: Gap::None }
    }

    /// Writes the text of `html`; a tag counts as one if `is_tag` says so. Returns how many did.
    fn html(&mut self, html: &str, is_tag: impl Fn(&tags::Head<'_>, &str) -> bool) -> usize {
        let (mut scanner, mut rest, mut count) = (Scanner::default(), html, 0);
        let mut comments = true;
        let mut hidden = Hidden::default();
        while !self.cut {
            let Some(at) = memchr::memchr2(b'<', b'&', rest.as_bytes()) else { break };
            let (before, tail) = rest.split_at(at);
            self.text(before);
            let len = if tail.starts_with('&') {
                self.reference(tail)
            } else if !begins_markup(tail) {
                self.literal(tail)
            } else if let Some(body) = tail.strip_prefix("<!--") {
                let end = if comments { memchr::memmem::find(body.as_bytes(), b"-->") } else { None };
                comments = end.is_some();
                end.map_or(4, |end| end + 7)
            } else if let Some(body) = tail.strip_prefix("<![CDATA[") {
                let end = memchr::memmem::find(body.as_bytes(), b"]]>").unwrap_or(body.len());
                self.text(body.get(..end).unwrap_or_default());
                9 + (end + 3).min(body.len())
            } else if is_declaration(tail) {
                scanner.end(tail.as_bytes()).unwrap_or_else(|| self.literal(tail))
            } else if let Some(tag) = scanner.tag(tail, &is_tag) {
                count += 1;
                if tag.name.breaks() {
                    self.gap = self.gap.max(Gap::Line);
                }
                let hides = tag.name.hides().filter(|_| !tag.closing);
                tag.len + hides.map_or(0, |end| hidden.len(tail, tag.len, end))
            } else {
                self.literal(tail)
            };
            rest = tail.get(len..).unwrap_or_default();
        }
        self.text(rest);
        count
    }

    fn literal(&mut self, tail: &str) -> usize {
        self.push(tail.get(..1).unwrap_or_default());
        1
    }

    fn reference(&mut self, tail: &str) -> usize {
        let Some(found) = entity::twice(tail) else { return self.literal(tail) };
        match found.text {
            entity::Meaning::Named(text) => self.text(text),
            entity::Meaning::Char(char) => self.text(char.encode_utf8(&mut [0; 4])),
            entity::Meaning::Nothing => {}
        }
        found.len
    }

    /// Writes text that has no markup in it, white space collapsed.
    ///
    /// Most text needs nothing done to it: stretches of words with single spaces go over whole.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() && !self.cut {
            let (plain, tail) = rest.split_at(stretch(rest));
            self.push(plain);
            let Some(char) = tail.chars().next() else { return };
            if char.is_whitespace() {
                self.gap = self.gap.max(Gap::Space);
            } else if !char.is_control() {
                self.push(char.encode_utf8(&mut [0; 4]));
            }
            rest = tail.get(char.len_utf8()..).unwrap_or_default();
        }
    }

    fn push(&mut self, word: &str) {
        if word.is_empty() || self.cut {
            return;
        }
        if self.gap != Gap::None && !self.out.is_empty() {
            self.out.push(if self.gap == Gap::Line { '\n' } else { ' ' });
        }
        self.gap = Gap::None;
        let room = self.cap.saturating_sub(self.out.len());
        if word.len() > room {
            self.cut = true;
            self.out.push_str(head(word, room));
            self.out.truncate(self.out.trim_end().len());
        } else {
            self.out.push_str(word);
        }
    }
}

/// Returns the length of the words and single spaces that `text` begins with.
fn stretch(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    // A space counts once a word follows it.
    let mut end = 0;
    while let Some(byte) = bytes.get(at) {
        let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map(u64::from_le_bytes);
        if let Some(ends_in_space) = eight.and_then(|eight| words(eight, at != end || at == 0)) {
            at += 8;
            end = at - usize::from(ends_in_space);
            continue;
        }
        let doubtful = matches!(byte, 0xc2 | 0xe1..=0xe3);
        at += match byte {
            b'!'..=b'~' => 1,
            b' ' if at == end && at > 0 => {
                at += 1;
                continue;
            }
            _ if doubtful && !is_text(bytes.get(at..).unwrap_or_default()) => break,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0.. => 4,
            _ => break,
        };
        end = at;
    }
    end
}

/// Whether eight bytes are words of ASCII with single spaces, none at the beginning where none may be; tells
/// whether a space ends them.
fn words(bytes: u64, no_space_first: bool) -> Option<bool> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    if bytes & HIGH != 0 {
        return None;
    }
    // A high bit for each byte that is zero; none of them carries into the next.
    let zero = |bytes: u64| !(bytes + 0x7f * ONES) & HIGH;
    if zero(bytes & (0x60 * ONES)) | zero(bytes ^ (0x7f * ONES)) != 0 {
        return None;
    }
    let spaces = zero(bytes ^ (u64::from(b' ') * ONES));
    let doubled = spaces & (spaces << 8);
    (doubled == 0 && !(no_space_first && spaces & 0x80 != 0)).then_some(spaces >> 63 == 1)
}

/// Whether the character that `bytes` begins with is neither white space nor control: U+0080 to U+00A0, U+1680,
/// U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F and U+3000 are.
fn is_text(bytes: &[u8]) -> bool {
    !matches!(
        bytes,
        [0xc2, 0x80..=0xa0, ..]
            | [0xe1, 0x9a, 0x80, ..]
            | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..]
            | [0xe2, 0x81, 0x9f, ..]
            | [0xe3, 0x80, 0x80, ..]
    )
}

/// Tells whether a `<` may be more than a character.
fn begins_markup(tail: &str) -> bool {
    tail.as_bytes()
        .get(1)
        .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?'))
}

/// Tells whether `<!` or `<?` begins what HTML hides, and not just a shout.
fn is_declaration(tail: &str) -> bool {
    let name = tail.as_bytes().get(1..).unwrap_or_default();
    let name =
        name.strip_prefix(b"![").or_else(|| name.strip_prefix(b"!")).or_else(|| name.strip_prefix(b"?"));
    name.and_then(<[u8]>::first).is_some_and(u8::is_ascii_alphabetic)
}

/// Returns the longest beginning of `text` that fits in `room` bytes.
fn head(text: &str, room: usize) -> &str {
    let end = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Content that nobody reads: scripts and styles.
#[derive(Default)]
struct Hidden {
    /// The end tags that do not come any more.
    never: Vec<&'static str>,
}

impl Hidden {
    /// Returns the length of the hidden content that begins at `from`, its end tag excluded. What has no end is
    /// not hidden, nor has `<script/>` any content.
    fn len(&mut self, tail: &str, from: usize, end: &'static str) -> usize {
        let (tag, body) = tail.as_bytes().split_at_checked(from).unwrap_or_default();
        if tag.ends_with(b"/>") || self.never.contains(&end) {
            return 0;
        }
        let closes = |at: &usize| {
            body.get(*at..at + end.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(end.as_bytes()))
        };
        memchr::memchr_iter(b'<', body).find(closes).unwrap_or_else(|| {
            self.never.push(end);
            0
        })
    }
}

#[cfg(test)]
#[path = "text/tests.rs"]
mod tests;
