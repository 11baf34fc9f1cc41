//! Markup cut into tags, whatever state it is in, and matched as well as may be.
//!
//! One pass, linear time, no recursion. A `<` that begins no tag is text; a tag
//! without its end is closed where what it stands in closes, and marked so.

use std::collections::HashMap;

/// More tags than this in one document are not looked at.
const MOST: usize = 4_000_000;

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
    /// For a start tag, the index of the token that ends the element.
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
}

impl<'a> Markup<'a> {
    /// Cuts `text`.
    pub(super) fn cut(text: &'a str) -> Self {
        let mut markup = Self { text, tokens: Vec::new(), bare: 0, open: 0, cut: false };
        markup.tokenise();
        markup.join();
        markup
    }

    /// Returns the text between two offsets.
    pub(super) fn slice(&self, from: u32, to: u32) -> &'a str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    fn tokenise(&mut self) {
        let bytes = self.text.as_bytes();
        let mut ends = Ends::default();
        let mut at = 0;
        while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr(b'<', rest)) {
            at += next;
            if self.tokens.len() >= MOST {
                self.cut = true;
                break;
            }
            let rest = bytes.get(at..).unwrap_or_default();
            let found = match rest.get(1) {
                Some(b'!') => self.declaration(rest, at, &mut ends),
                Some(b'?') => memchr::memchr(b'>', rest).map(|end| (Kind::Skip, "", end + 1)),
                Some(b'/') => self.tag(rest, at, 2),
                _ => self.tag(rest, at, 1),
            };
            let Some((kind, name, len)) = found else {
                self.bare += 1;
                at += 1;
                continue;
            };
            let (from, to) = (offset(at), offset(at + len));
            self.tokens.push(Token { kind, name, from, to, close: u32::MAX, closed: false });
            at += len;
        }
    }

    fn declaration(&mut self, rest: &[u8], at: usize, ends: &mut Ends) -> Option<(Kind, &'a str, usize)> {
        if rest.starts_with(b"<!--") {
            let end = ends.comment.find(self.text, at + 4, b"-->");
            self.open += usize::from(end.is_none());
            return Some((Kind::Skip, "", end.map_or(4, |end| end + 3 - at)));
        }
        if rest.starts_with(b"<![CDATA[") {
            let end =
                ends.cdata.find(self.text, at + 9, b"]]>").filter(|end| !swallows(self.text, at + 9, *end));
            self.open += usize::from(end.is_none());
            return Some(match end {
                Some(end) => (Kind::CData, "", end + 3 - at),
                None => (Kind::Skip, "", 9),
            });
        }
        let end = memchr::memchr2(b'>', b'[', rest)?;
        if rest.get(end) == Some(&b'[')
            && let Some(close) = ends.subset.find(self.text, at + end, b"]>")
        {
            return Some((Kind::Skip, "", close + 2 - at));
        }
        memchr::memchr(b'>', rest).map(|end| (Kind::Skip, "", end + 1))
    }

    fn tag(&self, rest: &[u8], at: usize, lead: usize) -> Option<(Kind, &'a str, usize)> {
        let first = rest.get(lead)?;
        if !first.is_ascii_alphabetic() && *first != b'_' {
            return None;
        }
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.');
        let len = rest.iter().skip(lead).take_while(|byte| is_name(byte)).count();
        let name = self.text.get(at + lead..at + lead + len)?;
        let mut end = lead + len;
        // Outside quotes a second `<` means that the first began no tag. Quotes that
        // hold one are taken at their word only if they close within sight.
        loop {
            let step = rest.get(end..)?.iter().position(|byte| matches!(byte, b'>' | b'<' | b'"' | b'\''))?;
            end += step;
            match rest.get(end)? {
                b'>' => break,
                // An end tag that lost its bracket is still an end tag: `</item <item>`.
                b'<' if lead == 2 => return Some((Kind::End, name, end)),
                b'<' => return None,
                quote => {
                    let sight = rest.get(end + 1..rest.len().min(end + 1 + 16 * 1024))?;
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
        let empty = rest.get(end - 1) == Some(&b'/');
        let kind = match (lead, empty) {
            (2, _) => Kind::End,
            (_, true) => Kind::Empty,
            _ => Kind::Start,
        };
        Some((kind, name, end + 1))
    }

    /// Matches start and end tags. No end tag but a container's own reaches past an item.
    fn join(&mut self) {
        let mut stack: Vec<usize> = Vec::new();
        let mut open: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut items: Vec<usize> = Vec::new();
        for index in 0..self.tokens.len() {
            let Some(token) = self.tokens.get(index).copied() else { break };
            match token.kind {
                Kind::Start => {
                    if is_item(token.name) {
                        items.push(stack.len());
                    }
                    open.entry(token.name).or_default().push(stack.len());
                    stack.push(index);
                }
                Kind::End => {
                    let Some(depth) = open.get(token.name).and_then(|depths| depths.last()).copied() else {
                        continue;
                    };
                    let inner = items.last().copied().unwrap_or(0);
                    if depth < inner && !is_item(token.name) && !is_container(token.name) {
                        continue;
                    }
                    while stack.len() > depth {
                        let Some(start) = stack.pop() else { break };
                        if items.last() == Some(&stack.len()) {
                            items.pop();
                        }
                        let own = stack.len() == depth;
                        if let Some(token) = self.tokens.get_mut(start) {
                            token.close = offset(index);
                            token.closed = own;
                            if let Some(depths) = open.get_mut(token.name) {
                                depths.pop();
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        let end = offset(self.tokens.len());
        for start in stack {
            if let Some(token) = self.tokens.get_mut(start) {
                token.close = end;
            }
        }
    }
}

fn quoted(quote: u8, sight: &[u8]) -> Option<usize> {
    // A value may hold `<` if it ends like a value: before white space, a slash or a bracket.
    let close = memchr::memchr(quote, sight.get(..sight.len().min(4096))?)?;
    matches!(sight.get(close + 1), Some(b'>' | b'/' | b' ' | b'\n' | b'\r' | b'\t')).then_some(close)
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

fn is_container(name: &str) -> bool {
    let name = local(name);
    ["rss", "rdf", "feed", "channel", "items"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Tells whether a CDATA section runs over the end of its own item into the next one's.
fn swallows(text: &str, from: usize, end: usize) -> bool {
    let inner = text.as_bytes().get(from..end).unwrap_or_default();
    let Some(next) = memchr::memmem::find(inner, b"<![CDATA[") else { return false };
    let before = inner.get(..next).unwrap_or_default();
    memchr::memmem::find(before, b"</item>").is_some() || memchr::memmem::find(before, b"</entry>").is_some()
}

/// The next places where comments, CDATA sections and document types end, each looked for once.
#[derive(Default)]
struct Ends {
    comment: Next,
    cdata: Next,
    subset: Next,
}

/// The next place of one needle.
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

/// Documents are capped far below 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
