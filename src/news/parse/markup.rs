//! Markup cut into tags, whatever state it is in, and matched as well as may be.
//!
//! One pass, linear time, no recursion. A `<` that begins no tag is text; a tag
//! without its end is closed where what it stands in closes, and marked so.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use super::cut::{Cutter, Piece};

/// More tags than this in one document are not looked at.
const MOST: usize = 2_000_000;
/// Elements of more names than this have no end that is found.
const MOST_NAMES: usize = 4096;
/// Nor have elements whose names are longer than this.
const LONGEST_NAME: usize = 64;
/// How often the whole document may be read over by whoever looks for fields; a good one is read twice.
const ROUNDS: usize = 16;
/// No depth, and no name's number.
const NONE: u32 = u32::MAX;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A start tag.
    Start,
    /// A start tag that is its own end.
    Empty,
    /// An end tag.
    End,
    /// A CDATA section.
    CData,
    /// A comment, an instruction, a document type: nothing to read.
    Skip,
}

/// One piece of markup.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// The qualified name.
    pub(super) name: &'a str,
    /// Where it begins and ends in the text, brackets included.
    pub(super) from: u32,
    pub(super) to: u32,
    /// For a start tag, the index of the token that ends the element; for a CDATA section, where its text ends.
    pub(super) close: u32,
    /// Whether that token is its own end tag.
    pub(super) closed: bool,
}

/// A document's tags.
#[derive(Debug)]
pub(super) struct Markup<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token<'a>>,
    /// Bare `<` that were read as text.
    pub(super) bare: usize,
    /// Comments or CDATA sections without an end.
    pub(super) open: usize,
    /// Tags beyond what is looked at.
    pub(super) cut: bool,
    /// Bytes that may still be looked at.
    left: Cell<usize>,
}

impl<'a> Markup<'a> {
    /// Cuts `text`.
    pub(super) fn cut(text: &'a str) -> Self {
        let mut markup = Self { text, tokens: Vec::new(), bare: 0, open: 0, cut: false, left: Cell::new(0) };
        markup.left.set(text.len().saturating_mul(ROUNDS).saturating_add(1 << 20));
        markup.tokenise();
        markup.join();
        markup
    }

    /// Returns the text between two offsets.
    pub(super) fn slice(&self, from: u32, to: u32) -> &'a str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Takes note that `bytes` are about to be looked at; tells whether they may be.
    ///
    /// Everything here is meant to be linear. Should it not be, this is what keeps a document from taking hours.
    pub(super) fn spend(&self, bytes: usize) -> bool {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Tells whether the document has taken more work than any good one.
    pub(super) fn exhausted(&self) -> bool {
        self.left.get() == 0
    }

    fn tokenise(&mut self) {
        let mut cutter = Cutter::new(self.text);
        let bytes = self.text.as_bytes();
        let (mut at, mut own) = (0, "");
        while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr(b'<', rest)) {
            at += next;
            if self.tokens.len() >= MOST {
                self.cut = true;
                break;
            }
            let Some(Piece { kind, name, len, inner }) = cutter.piece(at, own) else {
                self.bare += 1;
                at += 1;
                continue;
            };
            match kind {
                Kind::Start => own = name,
                Kind::End => own = "",
                _ => {}
            }
            let close = if kind == Kind::CData { offset(at + inner) } else { u32::MAX };
            self.tokens.push(Token {
                kind,
                name,
                from: offset(at),
                to: offset(at + len),
                close,
                closed: false,
            });
            at += len;
        }
        self.open = cutter.open;
    }

    /// Matches start and end tags. No end tag but a container's own reaches past an item.
    fn join(&mut self) {
        let mut names = Open::default();
        let mut stack: Vec<Element> = Vec::new();
        let mut items: Vec<usize> = Vec::new();
        for index in 0..self.tokens.len() {
            let Some(token) = self.tokens.get(index).copied() else { break };
            match token.kind {
                Kind::Start => {
                    if is_item(token.name) {
                        items.push(stack.len());
                    }
                    stack.push(names.begin(token.name, index, stack.len()));
                }
                Kind::End => {
                    let Some(depth) = names.depth(token.name) else { continue };
                    let inner = items.last().copied().unwrap_or(0);
                    if depth < inner && !is_item(token.name) && !is_container(token.name) {
                        continue;
                    }
                    while stack.len() > depth {
                        let Some(element) = stack.pop() else { break };
                        if items.last() == Some(&stack.len()) {
                            items.pop();
                        }
                        let own = stack.len() == depth;
                        if let Some(token) = self.tokens.get_mut(element.index as usize) {
                            token.close = offset(index);
                            token.closed = own;
                        }
                        names.end(&element);
                    }
                }
                _ => {}
            }
        }
        let end = offset(self.tokens.len());
        for element in stack {
            if let Some(token) = self.tokens.get_mut(element.index as usize) {
                token.close = end;
            }
        }
    }
}

/// An element that was begun: its token, its name's number, and the depth of the next one further out that has
/// the same name.
struct Element {
    index: u32,
    name: u32,
    outer: u32,
}

/// The depth of the innermost open element of each name, whose case does not matter.
#[derive(Default)]
struct Open<'a> {
    numbers: HashMap<Folded<'a>, u32>,
    innermost: Vec<u32>,
}

impl<'a> Open<'a> {
    fn begin(&mut self, name: &'a str, index: usize, depth: usize) -> Element {
        let room = self.numbers.len() < MOST_NAMES && name.len() <= LONGEST_NAME;
        let number = match self.numbers.get(&Folded(name)) {
            Some(number) => *number,
            None if room => {
                let number = offset(self.innermost.len());
                self.numbers.insert(Folded(name), number);
                self.innermost.push(NONE);
                number
            }
            None => NONE,
        };
        let outer = self.innermost.get_mut(number as usize);
        let outer = outer.map_or(NONE, |innermost| std::mem::replace(innermost, offset(depth)));
        Element { index: offset(index), name: number, outer }
    }

    fn depth(&self, name: &'a str) -> Option<usize> {
        let number = self.numbers.get(&Folded(name))?;
        let depth = self.innermost.get(*number as usize)?;
        (*depth != NONE).then_some(*depth as usize)
    }

    fn end(&mut self, element: &Element) {
        if let Some(innermost) = self.innermost.get_mut(element.name as usize) {
            *innermost = element.outer;
        }
    }
}

/// A name whose case does not matter.
struct Folded<'a>(&'a str);

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Folded<'_> {}

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut lower = [0; LONGEST_NAME];
        for (slot, byte) in lower.iter_mut().zip(self.0.bytes()) {
            *slot = byte.to_ascii_lowercase();
        }
        state.write(lower.get(..self.0.len()).unwrap_or(&lower));
    }
}

/// Returns a name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Tells whether an element is an entry of a feed.
pub(super) fn is_item(name: &str) -> bool {
    // Every tag is asked, more than once: from behind, most are seen not to be at once.
    let ends = |own: &str| {
        let (prefix, tail) = name.split_at_checked(name.len().wrapping_sub(own.len())).unwrap_or_default();
        tail.eq_ignore_ascii_case(own) && (prefix.is_empty() || prefix.ends_with(':'))
    };
    ends("item") || ends("entry")
}

/// Tells whether an element holds entries.
pub(super) fn is_container(name: &str) -> bool {
    let name = local(name);
    ["rss", "rdf", "feed", "channel", "items"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Documents are capped far below 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_on_a_document_has_an_end() {
        let markup = Markup::cut("<a>b</a>");
        let read = (0..).take_while(|_| markup.spend(1 << 16)).count();
        assert!((10..100).contains(&read) && markup.exhausted());
    }

    #[test]
    fn names_beyond_what_is_remembered_are_open() {
        let names: String = (0..MOST_NAMES + 10).map(|number| format!("<a{number}></a{number}>")).collect();
        let text = format!("{names}<a0></A0>");
        let markup = Markup::cut(&text);
        let closed = |index: usize| markup.tokens.get(index).is_some_and(|token| token.closed);
        assert!(closed(0) && closed(2 * MOST_NAMES - 2) && !closed(2 * MOST_NAMES));
        assert!(closed(markup.tokens.len() - 2));
    }
}
