//! The items of a list one after the other, so that what one has lost costs no other.
//!
//! Items of one feed begin with the same key. Where the JSON turns out to be
//! broken, an object that begins with it is the next item, whatever the brackets say.

use super::reader::Reader;

/// Goes through a list of items.
pub(super) struct Items<'a> {
    text: &'a str,
    pub(super) reader: Reader<'a>,
    /// Lists in the list that it is in.
    depth: usize,
    /// The key that items begin with, in its quotes; and whether it is known or only likely.
    key: String,
    learned: bool,
    /// The document is known to be broken.
    broken: bool,
    /// No item begins behind what was searched.
    never: bool,
    /// Bytes that were read and read again.
    again: usize,
}

impl<'a> Items<'a> {
    /// Begins with the list at `at`.
    pub(super) fn new(text: &'a str, at: usize, broken: bool) -> Self {
        let mut reader = Reader::new(text, at);
        reader.enter();
        Self {
            text,
            reader,
            depth: 0,
            key: "\"id\"".to_owned(),
            learned: false,
            broken,
            never: false,
            again: 0,
        }
    }

    /// Goes to the next object; tells whether there is one.
    pub(super) fn advance(&mut self) -> bool {
        loop {
            if self.reader.element() {
                match self.reader.peek() {
                    Some(b'{') => return true,
                    Some(b'[') => {
                        self.depth += 1;
                        self.reader.enter();
                    }
                    _ => self.reader.skip(),
                }
            } else if self.depth > 0 && !self.reader.ended {
                self.depth -= 1;
            } else {
                let broken = self.broken || self.reader.broken > 0 || self.reader.ended;
                let next = if broken { self.search(self.reader.place()) } else { None };
                let Some(next) = next else { return false };
                self.reader.go(next);
            }
        }
    }

    /// Takes note of how an item begins: the first one, if it was read whole. Later ones may be none.
    pub(super) fn learn(&mut self, key: &str) {
        if !self.learned && !key.is_empty() && key.len() <= 64 {
            self.key = format!("\"{key}\"");
            self.never = false;
        }
        self.learned = true;
    }

    /// Returns where the next item begins, if the one from `start` on, just read, has run into it. `sound` is
    /// whether nothing broken was met.
    pub(super) fn overrun(&mut self, start: usize, sound: bool) -> Option<usize> {
        let next = self.reader.peek();
        if sound && matches!(next, Some(b',' | b']')) {
            return None;
        }
        let next = self.search(start + 1).filter(|next| *next < self.reader.place())?;
        self.again += self.reader.place() - next;
        // A document made to be read again and again is not.
        if self.again > self.text.len().saturating_mul(8) {
            return None;
        }
        self.reader.go(next);
        Some(next)
    }

    fn search(&mut self, from: usize) -> Option<usize> {
        if self.never {
            return None;
        }
        let bytes = self.text.as_bytes();
        let found = memchr::memmem::find_iter(bytes.get(from..)?, self.key.as_bytes()).find_map(|step| {
            let before = bytes.get(from..from + step)?.trim_ascii_end();
            (before.last() == Some(&b'{')).then(|| from + before.len() - 1)
        });
        self.never = found.is_none();
        found
    }
}
