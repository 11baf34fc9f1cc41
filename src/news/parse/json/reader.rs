//! JSON read forwards, value by value, with what is broken in it read around.
//!
//! No tree and no recursion: what nobody asks for is skipped, however deep it is
//! and whatever is wrong with it.

use std::borrow::Cow;

/// Reads one text from a place on.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Places that are not JSON.
    pub(super) broken: usize,
    /// Escapes that stand for nothing.
    pub(super) escapes: usize,
    /// Control characters that stand unescaped in a text; line breaks and tabs are not counted.
    pub(super) controls: usize,
    /// The text ended inside a value.
    pub(super) ended: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at, broken: 0, escapes: 0, controls: 0, ended: false }
    }

    /// Where it is in the text.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Goes to a place in the text.
    pub(super) fn go(&mut self, at: usize) {
        self.at = at;
        self.ended = false;
    }

    /// Returns the first byte of what comes next.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += rest.iter().take_while(|byte| **byte <= b' ').count();
        let next = self.text.as_bytes().get(self.at).copied();
        self.ended |= next.is_none();
        next
    }

    /// Steps into an object or a list.
    pub(super) fn enter(&mut self) {
        self.at += 1;
    }

    /// Returns the next key of the object it is in, ready for its value; `None` at the object's end.
    pub(super) fn key(&mut self) -> Option<Cow<'a, str>> {
        loop {
            match self.peek()? {
                b'"' => {
                    let key = self.string()?;
                    if self.peek()? == b':' {
                        self.at += 1;
                        return Some(key);
                    }
                    self.broken += 1;
                }
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return None;
                }
                // The object's own end is missing: here ends what it is in, or the next one begins.
                b']' | b'{' => {
                    self.broken += 1;
                    return None;
                }
                _ => {
                    self.broken += 1;
                    self.junk();
                }
            }
        }
    }

    /// Tells whether another element of the list it is in follows, and goes there.
    pub(super) fn element(&mut self) -> bool {
        loop {
            match self.peek() {
                None => return false,
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return false;
                }
                Some(b'}' | b':') => {
                    // One end too many, if the list goes on behind it; else the list's end is missing.
                    self.broken += 1;
                    let mut ahead = Self::new(self.text, self.at + 1);
                    if ahead.peek() != Some(b',') {
                        return false;
                    }
                    self.at += 1;
                }
                Some(_) => return true,
            }
        }
    }

    /// Reads a text or a number; anything else is skipped and is none.
    pub(super) fn scalar(&mut self) -> Option<Cow<'a, str>> {
        match self.peek()? {
            b'"' => self.string(),
            b'0'..=b'9' | b'-' => {
                let from = self.at;
                self.junk();
                self.text.get(from..self.at).map(|number| number.trim_end().into())
            }
            _ => {
                self.skip();
                None
            }
        }
    }

    /// Skips a value.
    pub(super) fn skip(&mut self) {
        let mut depth = 0usize;
        while let Some(next) = self.peek() {
            match next {
                b'"' => self.skip_string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                b',' | b':' => return,
                _ => self.junk(),
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Steps over what is no text, up to what may structure an object or a list.
    fn junk(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let structural = |byte: &u8| matches!(byte, b'"' | b',' | b':' | b'{' | b'}' | b'[' | b']');
        let step = rest.iter().skip(1).position(structural).map_or(rest.len(), |step| step + 1);
        self.at += step;
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(step) = self.to_quote() {
            self.at += step + 1;
            if self.text.as_bytes().get(self.at - 1) == Some(&b'"') {
                return;
            }
            self.at += 1;
        }
        self.at = self.text.len();
        self.ended = true;
    }

    /// Returns the distance to the next quote or backslash.
    fn to_quote(&self) -> Option<usize> {
        memchr::memchr2(b'"', b'\\', self.text.as_bytes().get(self.at..)?)
    }

    /// Reads the text that begins here with a quote; `None` when it has no end.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.at += 1;
        let mut out = Cow::Borrowed("");
        while let Some(step) = self.to_quote() {
            let piece = self.text.get(self.at..self.at + step).unwrap_or_default();
            self.at += step;
            let piece = self.spaced(piece);
            if out.is_empty() {
                out = piece;
            } else {
                out.to_mut().push_str(&piece);
            }
            if self.text.as_bytes().get(self.at) == Some(&b'"') {
                self.at += 1;
                return Some(out);
            }
            self.escape(out.to_mut());
        }
        self.at = self.text.len();
        self.ended = true;
        None
    }

    /// Control characters have to be escaped in JSON; where they are not, they are white space.
    fn spaced(&mut self, piece: &'a str) -> Cow<'a, str> {
        if !piece.bytes().fold(false, |seen, byte| seen | (byte < b' ')) {
            return piece.into();
        }
        self.controls +=
            piece.bytes().filter(|byte| *byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t')).count();
        piece.replace(|char| char < ' ', " ").into()
    }

    /// Reads an escape. One that stands for nothing is read as what it most likely was.
    fn escape(&mut self, out: &mut String) {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let mut len = 2;
        match rest.bytes().next() {
            Some(b'n') => out.push('\n'),
            Some(b'r') => out.push('\r'),
            Some(b't') => out.push('\t'),
            Some(b'b' | b'f') => out.push(' '),
            Some(char @ (b'"' | b'\\' | b'/')) => out.push(char::from(char)),
            Some(b'u') if let Some(unit) = hex(rest, 1, 4) => {
                len = 6;
                let low = || rest.get(5..7).filter(|lead| *lead == "\\u").and_then(|_| hex(rest, 7, 4));
                let pair = if (0xd800..0xdc00).contains(&unit) { low() } else { None };
                let char = match pair.filter(|low| (0xdc00..0xe000).contains(low)) {
                    Some(low) => {
                        len = 12;
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
                    }
                    None => char::from_u32(unit),
                };
                self.escapes += usize::from(char.is_none());
                out.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(b'x') if let Some(char) = hex(rest, 1, 2).and_then(char::from_u32) => {
                len = 4;
                self.escapes += 1;
                out.push(char);
            }
            _ => {
                // The backslash alone is dropped.
                len = 1;
                self.escapes += 1;
            }
        }
        self.at += len;
    }
}

fn hex(text: &str, from: usize, len: usize) -> Option<u32> {
    let digits = text.get(from..from + len)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}
