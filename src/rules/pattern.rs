//! One pattern of a set: what a person writes, and the literals it stands for.

use crate::rules::fold::fold;
use crate::rules::normal::{HARD, Normal, STOP};
use crate::rules::script::Class;

/// A pattern may stand for this many literals.
pub(crate) const MOST_VARIANTS: usize = 64;

/// What must be true where a match begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Anything may stand beside it: Han, Hiragana, longer Hangul, scripts without spaces, after a `*`.
    Free,
    /// No letter or digit of the spaced scripts.
    Alpha,
    /// No Arabic letter, but for prefixes on the left.
    Arabic,
    /// No Katakana.
    Katakana,
    /// No Hangul, but for particles on the right: a noun of one or two syllables.
    Hangul,
}

/// A stretch of a variant between two stars, in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The normal form.
    pub(crate) text: String,
    /// For a case-sensitive pattern: for each byte, whether it was a capital.
    pub(crate) capitals: Option<Vec<bool>>,
}

/// One of the literals a pattern stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    /// What the automaton looks for.
    pub(crate) head: Piece,
    /// What must follow, each after the rest of a word.
    pub(crate) rest: Vec<Piece>,
    /// Where it begins and ends.
    pub(crate) ends: Ends,
}

impl Variant {
    /// Whether its literal and its ends say all of it.
    pub(crate) fn is_plain(&self) -> bool {
        self.rest.is_empty() && self.head.capitals.is_none()
    }
}

/// What must be true at both ends of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    /// Where it begins.
    pub(crate) left: Edge,
    /// Where it ends.
    pub(crate) right: Edge,
    /// Whether the last word may go on.
    pub(crate) star: bool,
    /// Whether the last word may take an English plural.
    pub(crate) plural: bool,
}

impl Ends {
    /// Anything may stand beside it.
    pub(crate) const FREE: Self = Self { left: Edge::Free, right: Edge::Free, star: false, plural: false };
}

/// A mistake in a pattern: bytes of the pattern, what, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where in the pattern.
    pub(crate) span: std::ops::Range<usize>,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) hint: String,
    /// Whether the pattern cannot be used at all.
    pub(crate) fatal: bool,
}

impl Mistake {
    fn fatal(span: std::ops::Range<usize>, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { span, what: what.into(), hint: hint.into(), fatal: true }
    }

    fn slight(span: std::ops::Range<usize>, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { span, what: what.into(), hint: hint.into(), fatal: false }
    }
}

/// Reads a pattern of a set's list for `lang`.
pub(crate) fn read(pattern: &str, lang: &str) -> (Vec<Variant>, Vec<Mistake>) {
    let (body, cased) = match pattern.strip_prefix('=') {
        Some(body) => (body, true),
        None => (pattern, false),
    };
    let mut mistakes = Vec::new();
    let spellings = match expand(body, pattern.len() - body.len()) {
        Ok(spellings) => spellings,
        Err(mistake) => return (Vec::new(), vec![mistake]),
    };
    let mut variants: Vec<Variant> = Vec::new();
    for spelling in &spellings {
        match variant(spelling, cased, lang == "en", pattern) {
            Ok((variant, found)) => {
                if !variants.contains(&variant) {
                    variants.push(variant);
                }
                mistakes.extend(found);
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.dedup();
    (variants, mistakes)
}

/// Writes out alternatives `(a|b)` and options `[c ]`.
fn expand(body: &str, offset: usize) -> Result<Vec<String>, Mistake> {
    let mut parser = Brackets { chars: body.char_indices().peekable(), offset, end: offset + body.len() };
    let (spellings, closing) = parser.alternatives()?;
    match closing {
        None => Ok(spellings),
        Some((at, c)) => Err(Mistake::fatal(
            at..at + c.len_utf8(),
            format!("`{c}` closes nothing"),
            "write `(a|b)` for alternatives and `[a ]` for what may be missing",
        )),
    }
}

/// Spellings, and the bracket that ended them.
type Alternatives = (Vec<String>, Option<(usize, char)>);

/// A reader of nested alternatives.
struct Brackets<'p> {
    chars: std::iter::Peekable<std::str::CharIndices<'p>>,
    offset: usize,
    end: usize,
}

impl Brackets<'_> {
    /// Reads up to a closing bracket or the end.
    fn alternatives(&mut self) -> Result<Alternatives, Mistake> {
        let mut done = Vec::new();
        let mut current = vec![String::new()];
        while let Some((at, c)) = self.chars.next() {
            let at = at + self.offset;
            match c {
                ')' | ']' => {
                    done.append(&mut current);
                    return Ok((done, Some((at, c))));
                }
                '|' => {
                    done.append(&mut current);
                    current.push(String::new());
                }
                '(' | '[' => {
                    let close = if c == '(' { ')' } else { ']' };
                    let (mut inner, closing) = self.alternatives()?;
                    if closing.is_none_or(|(_, found)| found != close) {
                        let to = closing.map_or(self.end, |(at, c)| at + c.len_utf8());
                        return Err(Mistake::fatal(
                            at..to,
                            format!("`{c}` is not closed"),
                            format!("close it with `{close}`"),
                        ));
                    }
                    if c == '[' {
                        inner.push(String::new());
                    }
                    current = product(&current, &inner, at..self.end)?;
                }
                _ => current.iter_mut().for_each(|spelling| spelling.push(c)),
            }
            if done.len() + current.len() > MOST_VARIANTS {
                return Err(too_many(at..self.end));
            }
        }
        done.append(&mut current);
        Ok((done, None))
    }
}

fn product(left: &[String], right: &[String], span: std::ops::Range<usize>) -> Result<Vec<String>, Mistake> {
    if left.len() * right.len() > MOST_VARIANTS {
        return Err(too_many(span));
    }
    Ok(left.iter().flat_map(|left| right.iter().map(move |right| format!("{left}{right}"))).collect())
}

fn too_many(span: std::ops::Range<usize>) -> Mistake {
    Mistake::fatal(
        span,
        format!("the pattern stands for more than {MOST_VARIANTS} literals"),
        "split it into several patterns, or use two sets and `near`",
    )
}

/// Reads one spelling without brackets.
fn variant(
    spelling: &str,
    cased: bool,
    english: bool,
    pattern: &str,
) -> Result<(Variant, Vec<Mistake>), Mistake> {
    let whole = 0..pattern.len();
    let mut mistakes = Vec::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut parts = spelling.split('*').peekable();
    let mut previous: Option<&str> = None;
    while let Some(part) = parts.next() {
        if let Some(before) = previous {
            if part.is_empty() && parts.peek().is_none() {
                break;
            }
            if part
                .chars()
                .next()
                .is_some_and(|c| fold(c).first.class.is_letter() && !fold(c).first.class.is_cjk())
            {
                return Err(Mistake::fatal(
                    whole,
                    format!("`*` stands inside a word after `{before}`"),
                    "write `*` at the end of a word only",
                ));
            }
        }
        let starred = parts.peek().is_some();
        let normal = Normal::of(part);
        if normal.text().is_empty() {
            let (what, hint) = match starred && previous.is_none() {
                true => ("a pattern cannot begin with `*`", "begin with at least three letters"),
                false => ("the pattern has no letters", "write at least one word"),
            };
            return Err(Mistake::fatal(whole, what, hint));
        }
        if starred {
            mistakes.extend(short_star(part, &normal, pattern));
        }
        if normal.text().contains([HARD, STOP]) {
            mistakes.push(Mistake::slight(
                whole.clone(),
                format!("`{spelling}` can never match: it holds punctuation that ends a phrase"),
                "leave the punctuation out, or make two sets and join them with `near`",
            ));
        }
        let mut text = normal.text().to_owned();
        let mut capitals: Vec<bool> = (0..text.len()).map(|at| normal.is_upper(at)).collect();
        if let Some(last) = pieces.last() {
            let joined = [last.text.chars().next_back(), text.chars().next()]
                .into_iter()
                .all(|c| c.is_some_and(|c| fold(c).first.class.is_cjk()));
            if !joined {
                text.insert(0, ' ');
                capitals.insert(0, false);
            }
        }
        pieces.push(Piece { text, capitals: cased.then_some(capitals) });
        previous = Some(part);
    }
    let star = spelling.ends_with('*');
    let mut pieces = pieces.into_iter();
    let Some(head) = pieces.next() else {
        return Err(Mistake::fatal(whole, "the pattern is empty", "write at least one word"));
    };
    let rest: Vec<Piece> = pieces.collect();
    let last = rest.last().unwrap_or(&head);
    let left = edge(head.text.chars());
    let right = if star { Edge::Free } else { edge(last.text.chars().rev()) };
    let plural =
        english && !star && right == Edge::Alpha && last.text.ends_with(|c: char| c.is_ascii_lowercase());
    Ok((Variant { head, rest, ends: Ends { left, right, star, plural } }, mistakes))
}

/// Complains about a `*` after too few letters.
fn short_star(part: &str, normal: &Normal, pattern: &str) -> Option<Mistake> {
    // Words before the last one narrow it down as letters do.
    let letters: Vec<Class> =
        normal.text().chars().rev().filter(|c| *c != ' ').map(|c| fold(c).first.class).collect();
    let enough = match letters.first() {
        Some(Class::Hangul) => letters.iter().take_while(|class| **class == Class::Hangul).count() >= 2,
        Some(class) if class.is_cjk() => true,
        _ => letters.len() >= 3,
    };
    (!enough).then(|| {
        Mistake::slight(
            0..pattern.len(),
            format!("`*` after `{}` matches very many words", part.trim()),
            "put at least three letters (two Hangul syllables) before `*`",
        )
    })
}

/// The edge of a literal whose characters come from the edge inwards.
fn edge(mut inwards: impl Iterator<Item = char>) -> Edge {
    let Some(first) = inwards.next() else { return Edge::Free };
    match fold(first).first.class {
        Class::Arabic => Edge::Arabic,
        Class::Katakana => Edge::Katakana,
        Class::Hangul if inwards.take(2).filter(|c| fold(*c).first.class == Class::Hangul).count() < 2 => {
            Edge::Hangul
        }
        Class::Hangul | Class::Han | Class::Hiragana | Class::Free | Class::Percent => Edge::Free,
        _ => Edge::Alpha,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(pattern: &str) -> Vec<String> {
        read(pattern, "en").0.into_iter().map(|variant| variant.head.text).collect()
    }

    #[test]
    fn alternatives_and_options_are_written_out() {
        assert_eq!(
            heads("(US|American) (military|forces) in [South ]Korea"),
            [
                "us military in south korea",
                "us military in korea",
                "us forces in south korea",
                "us forces in korea",
                "american military in south korea",
                "american military in korea",
                "american forces in south korea",
                "american forces in korea",
            ]
        );
        assert_eq!(heads("a(b(c|d)|e)"), ["abc", "abd", "ae"]);
    }

    #[test]
    fn stars_split_a_pattern_into_pieces() {
        let (variants, mistakes) = read("share* [of ]the cost*", "en");
        assert_eq!(mistakes, []);
        let written: Vec<_> = variants
            .iter()
            .map(|v| (v.head.text.as_str(), v.rest.first().map(|p| p.text.as_str()), v.ends.star))
            .collect();
        assert_eq!(written, [("share", Some(" of the cost"), true), ("share", Some(" the cost"), true)]);
    }

    #[test]
    fn mistakes_are_told_apart() {
        for (pattern, what, fatal) in [
            ("*cost", "a pattern cannot begin with `*`", true),
            ("(a|b", "`(` is not closed", true),
            ("a]", "`]` closes nothing", true),
            ("co*st", "`*` stands inside a word after `co`", true),
            ("...", "the pattern has no letters", true),
            ("", "the pattern has no letters", true),
            ("a, b", "`a, b` can never match: it holds punctuation that ends a phrase", false),
            ("us*", "`*` after `us` matches very many words", false),
            ("(a|b|c|d|e)(a|b|c|d|e)(a|b|c)", "the pattern stands for more than 64 literals", true),
        ] {
            let (_, mistakes) = read(pattern, "en");
            let found: Vec<_> = mistakes.iter().map(|m| (m.what.as_str(), m.fatal)).collect();
            assert_eq!(found, [(what, fatal)], "{pattern}");
        }
    }

    #[test]
    fn edges_follow_the_script() {
        for (pattern, left, right) in [
            ("cost", Edge::Alpha, Edge::Alpha),
            ("日米", Edge::Free, Edge::Free),
            ("サポート", Edge::Katakana, Edge::Katakana),
            ("협정", Edge::Hangul, Edge::Hangul),
            ("분담금", Edge::Free, Edge::Free),
            ("한미 협정", Edge::Free, Edge::Free),
            ("دفاع", Edge::Arabic, Edge::Arabic),
            ("ค่าใช้จ่าย", Edge::Free, Edge::Free),
            ("SMA 협정", Edge::Alpha, Edge::Hangul),
        ] {
            let (variants, _) = read(pattern, "en");
            let ends = variants[0].ends;
            assert_eq!((ends.left, ends.right), (left, right), "{pattern}");
        }
    }
}
