//! What in two texts contradicts: another number, another outcome, another country in the same place.

use super::align::{Hunk, hunks, shared};
use super::features::{Features, Line, Mark};
use super::lexicon::Role;
use super::quantity::rounds_to;
use super::token::Kind;

/// What comparing the lines of two texts found.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    /// The first contradiction, in words.
    pub(super) contradiction: Option<String>,
    /// Content replaced by other content in aligned sentences, with no word list to say what it means.
    pub(super) swaps: u32,
    /// The same in the lead sentence.
    pub(super) lead_swaps: u32,
}

/// Compares headline with headline and every sentence with its counterpart.
pub(super) fn find(a: &Features, b: &Features) -> Findings {
    let mut found = Findings::default();
    headline(a, b, &mut found);
    for (at, line) in a.body.iter().enumerate() {
        if found.contradiction.is_some() {
            break;
        }
        if let Some(other) = counterpart(line, &b.body, a.cjk)
            && counterpart(other, &a.body, a.cjk).is_some_and(|back| std::ptr::eq(back, line))
        {
            let lead = at == 0 || b.body.first().is_some_and(|first| std::ptr::eq(first, other));
            pair(line, other, a, b, lead, &mut found);
        }
    }
    found
}

/// The line of the other text that is the same sentence, edited.
fn counterpart<'a>(line: &Line, others: &'a [Line], cjk: bool) -> Option<&'a Line> {
    let least = if cjk { 5 } else { 3 };
    let (n, best) = others
        .iter()
        .map(|o| (shared(&line.grams, &o.grams), o))
        .max_by(|x, y| x.0.cmp(&y.0).then(y.1.grams.len().cmp(&x.1.grams.len())))?;
    let smaller = line.grams.len().min(best.grams.len());
    (n >= least && n * 5 >= smaller * 3).then_some(best)
}

fn headline(a: &Features, b: &Features, found: &mut Findings) {
    let (x, y) = (&a.head, &b.head);
    let n = shared(&x.grams, &y.grams);
    let close = n * 5 >= 3 * x.grams.len().max(y.grams.len()) && n > 0;
    if close {
        for hunk in hunks(x, y) {
            if let Some(words) = replaced(x, y, &hunk, false).or_else(|| one_sided(x, y, &hunk, true)) {
                found.contradiction.get_or_insert(words);
            }
        }
    }
    let (only_x, only_y) = (only(x, y), only(y, x));
    for m in &only_x {
        for o in &only_y {
            let quantity = m.quantity.is_some();
            let here = b.claims(m);
            let there = a.claims(o);
            let missing = if quantity || close { !here || !there } else { !here && !there };
            if missing && opposed(m, o, true) {
                found.contradiction.get_or_insert(words(x, m, y, o));
            }
        }
    }
    // a denial in one headline, and none in the other text
    for (one, text) in [(&only_x, b), (&only_y, a)] {
        if let Some(m) = one
            .iter()
            .find(|m| m.axis == "claim" && !text.lines().any(|l| l.marks.iter().any(|o| o.agrees(m))))
        {
            found.contradiction.get_or_insert(format!(
                "only one headline says \"{}\"",
                m_text(if std::ptr::eq(text, b) { x } else { y }, m)
            ));
        }
    }
}

fn pair(x: &Line, y: &Line, a: &Features, b: &Features, lead: bool, found: &mut Findings) {
    let most = x.grams.len().max(y.grams.len());
    let close = shared(&x.grams, &y.grams) * 5 >= most * 3;
    for hunk in &hunks(x, y) {
        if let Some(words) =
            replaced(x, y, hunk, true).or_else(|| one_sided(x, y, hunk, lead).filter(|_| close))
        {
            found.contradiction.get_or_insert(words);
        }
        if lead && let Some(words) = news(x, hunk.a, &a.head, b).or_else(|| news(y, hunk.b, &b.head, a)) {
            found.contradiction.get_or_insert(words);
        }
        if close && swap(x, y, hunk, a.cjk) {
            found.swaps += 1;
            found.lead_swaps += u32::from(lead);
            if announced(x, hunk.a, &a.head, b) || announced(y, hunk.b, &b.head, a) {
                found.contradiction.get_or_insert(format!(
                    "in text and headline: {} / {}",
                    x.words(hunk.a.0, hunk.a.1),
                    y.words(hunk.b.0, hunk.b.1)
                ));
            }
        }
    }
    if !close {
        return;
    }
    let (only_x, only_y) = (only(x, y), only(y, x));
    for m in &only_x {
        for o in &only_y {
            if (m.quantity.is_some() || m.role == Role::Entity)
                && opposed(m, o, false)
                && !(b.claims(m) && a.claims(o))
            {
                found.contradiction.get_or_insert(words(x, m, y, o));
            }
        }
    }
}

/// A figure or an outcome put into the lead and the headline, which the other article has nowhere.
fn news(line: &Line, range: (usize, usize), head: &Line, other: &Features) -> Option<String> {
    let telling = |m: &Mark| m.axis_id <= 1 || m.pole != 0 || m.axis == "level";
    let fresh = |m: &Mark| {
        telling(m)
            && head.marks.iter().any(|h| h.agrees(m))
            && !other.lines().any(|l| l.marks.iter().any(|o| o.axis_id == m.axis_id))
    };
    inside(line, range)
        .into_iter()
        .find(|m| fresh(m))
        .map(|m| format!("only one lead and headline have \"{}\"", m_text(line, m)))
}

/// Whether the headline repeats a word of the stretch that the other article has nowhere.
fn announced(line: &Line, range: (usize, usize), head: &Line, other: &Features) -> bool {
    let repeats = |i: usize| {
        let Some(token) = line.sentence.tokens.get(i).filter(|_| line.content.get(i) == Some(&true)) else {
            return false;
        };
        if token.kind == Kind::Character {
            let Some(next) =
                line.sentence.tokens.get(i + 1).filter(|n| n.kind == Kind::Character && i + 1 < range.1)
            else {
                return false;
            };
            let gram = token.id.rotate_left(7) ^ next.id;
            return weighty(line, i)
                && weighty(line, i + 1)
                && head.grams.binary_search(&gram).is_ok()
                && !other.lines().any(|l| l.grams.binary_search(&gram).is_ok());
        }
        let word = line.words(i, i + 1);
        let says = |l: &Line| (0..l.sentence.tokens.len()).any(|k| alike(l.words(k, k + 1), word));
        word.chars().count() >= 3 && says(head) && !other.lines().any(says)
    };
    (range.0..range.1).any(repeats)
}

/// The marks of `x` that `y` does not have.
fn only<'a>(x: &'a Line, y: &Line) -> Vec<&'a Mark> {
    x.marks.iter().filter(|m| m.role != Role::Same && !y.marks.iter().any(|o| o.agrees(m))).collect()
}

fn opposed(m: &Mark, o: &Mark, coarse: bool) -> bool {
    if m.axis_id != o.axis_id || m.value == o.value || matches!(m.role, Role::Same | Role::Lone | Role::Stop)
    {
        return false;
    }
    match (&m.quantity, &o.quantity) {
        (Some(p), Some(q)) => !rounds_to(p, q, if coarse { 1 } else { 2 }),
        _ => true,
    }
}

/// A stretch replaced by another whose claims differ on one axis.
fn replaced(x: &Line, y: &Line, hunk: &Hunk, strict: bool) -> Option<String> {
    if hunk.a.0 == hunk.a.1 || hunk.b.0 == hunk.b.1 {
        return None;
    }
    // long stretches on both sides are two clauses, not one place
    let cjk = x.sentence.tokens.get(hunk.a.0).is_some_and(|t| t.kind == Kind::Character);
    if (hunk.a.1 - hunk.a.0).min(hunk.b.1 - hunk.b.0) > if cjk { 20 } else { 8 } {
        return None;
    }
    let (here, there) = (inside(x, hunk.a), inside(y, hunk.b));
    for m in here.iter().filter(|m| !there.iter().any(|o| o.agrees(m))) {
        for o in there.iter().filter(|o| !here.iter().any(|m| m.agrees(o))) {
            if opposed(m, o, !strict) {
                return Some(words(x, m, y, o));
            }
        }
    }
    if let Some(words) = poles(x, &here, y, &there).or_else(|| one_or_more(x, &here, y, &there)) {
        return Some(words);
    }
    names(x, y, hunk).filter(|_| strict)
}

/// Good news in the place of bad: signed / rejected, begins / postponed.
fn poles(x: &Line, here: &[&Mark], y: &Line, there: &[&Mark]) -> Option<String> {
    let pole = |m: &Mark| match m.pole {
        0 => None,
        p => Some(p),
    };
    let all = |marks: &[&Mark], p: i8| marks.iter().filter_map(|m| pole(m)).all(|q| q == p);
    let (m, o) = (here.iter().find(|m| m.pole != 0)?, there.iter().find(|m| m.pole != 0)?);
    (m.pole != o.pole && all(here, m.pole) && all(there, o.pole)).then(|| words(x, m, y, o))
}

/// "five years" / "a year".
fn one_or_more(x: &Line, here: &[&Mark], y: &Line, there: &[&Mark]) -> Option<String> {
    let counted = |marks: &[&Mark]| marks.iter().any(|m| m.quantity.is_some());
    let many = |marks: &[&Mark]| marks.iter().position(|m| m.quantity.is_some_and(|q| q.value > 1.0));
    let one = |marks: &[&Mark]| marks.iter().position(|m| m.axis == "one");
    let (m, o) = match (many(here), one(there), one(here), many(there)) {
        (Some(m), Some(o), ..) if !counted(there) => (m, o),
        (_, _, Some(m), Some(o)) if !counted(here) => (m, o),
        _ => return None,
    };
    Some(words(x, here.get(m)?, y, there.get(o)?))
}

fn inside(line: &Line, range: (usize, usize)) -> Vec<&Mark> {
    line.marks.iter().filter(|m| m.first < range.1 && range.0 < m.last).collect()
}

/// A few words put in that turn the sentence: a negation, a failure, a plan where there was a fact.
fn one_sided(x: &Line, y: &Line, hunk: &Hunk, lead: bool) -> Option<String> {
    for (line, range, other, gone) in [(x, hunk.a, y, hunk.b), (y, hunk.b, x, hunk.a)] {
        let cjk = line.sentence.tokens.get(range.0).is_some_and(|t| t.kind == Kind::Character);
        let short = if cjk { 12 } else { 5 };
        if range.1 - range.0 > short || gone.1 - gone.0 > short {
            continue;
        }
        let turns = |m: &&Mark| {
            let negation = m.role == Role::Lone && m.axis == "negation";
            let plan = m.role == Role::Lone && m.axis == "plan" && (gone.1 > gone.0 || cjk) && lead;
            let failure = m.role == Role::Opposite && (m.axis == "accord" || m.axis == "claim");
            negation || plan || failure
        };
        let count = |l: &Line, axis: &str| l.marks.iter().filter(|m| m.axis == axis).count();
        if let Some(m) =
            inside(line, range).into_iter().find(turns).filter(|m| count(line, m.axis) > count(other, m.axis))
        {
            return Some(format!("{}: only one says \"{}\"", m.axis, m_text(line, m)));
        }
    }
    None
}

/// A name replaced by another name, in scripts that write names with capitals.
fn names(x: &Line, y: &Line, hunk: &Hunk) -> Option<String> {
    let name = |line: &Line, range: (usize, usize)| {
        let tokens = line.sentence.tokens.get(range.0..range.1).unwrap_or(&[]);
        let mut content = tokens
            .iter()
            .enumerate()
            .filter(|(i, _)| line.content.get(range.0 + i) == Some(&true))
            .peekable();
        content.peek().is_some()
            && tokens.len() <= 4
            && content.all(|(_, t)| t.capital && t.kind == Kind::Word)
    };
    let known = inside(x, hunk.a).iter().any(|m| inside(y, hunk.b).iter().any(|o| o.agrees(m)));
    (!known && name(x, hunk.a) && name(y, hunk.b) && !kin(x, hunk.a, y, hunk.b))
        .then(|| format!("name: {} / {}", x.words(hunk.a.0, hunk.a.1), y.words(hunk.b.0, hunk.b.1)))
}

/// Whether some word on one side is a form of a word on the other.
fn kin(x: &Line, a: (usize, usize), y: &Line, b: (usize, usize)) -> bool {
    let list = |line: &Line, r: (usize, usize)| {
        (r.0..r.1).map(|i| line.words(i, i + 1).to_owned()).collect::<Vec<_>>()
    };
    let there = list(y, b);
    list(x, a).iter().any(|w| there.iter().any(|o| alike(w, o))) || list(x, a).concat() == there.concat()
}

/// Forms of one word begin alike, and a slip of the pen leaves most letters.
fn alike(a: &str, b: &str) -> bool {
    let (n, m) = (a.chars().count(), b.chars().count());
    let prefix = a.chars().zip(b.chars()).take_while(|(p, q)| p == q).count();
    let least = n.min(m);
    (least >= 4 && prefix >= 4 && prefix * 2 >= n.max(m))
        || (least >= 6 && strsim::levenshtein(a, b) <= 1)
        || (a == b && n >= 3)
}

/// Content replaced by content that is no form and no synonym of it.
fn swap(x: &Line, y: &Line, hunk: &Hunk, cjk: bool) -> bool {
    let least = if cjk { 2 } else { 1 };
    unexplained(x, hunk.a, y, hunk.b, cjk) >= least && unexplained(y, hunk.b, x, hunk.a, cjk) >= least
}

/// How many content tokens of a stretch the other stretch does not have in some form.
fn unexplained(line: &Line, range: (usize, usize), other: &Line, there: (usize, usize), cjk: bool) -> usize {
    let claims = inside(other, there);
    let known = |i: usize| {
        line.marks.iter().any(|m| {
            m.first <= i && i < m.last && (m.role == Role::Same || claims.iter().any(|o| o.agrees(m)))
        })
    };
    let form = |i: usize| {
        let word = line.words(i, i + 1);
        (there.0..there.1).map(|k| other.words(k, k + 1)).any(|o| o == word || alike(o, word))
    };
    (range.0..range.1)
        .filter(|i| {
            line.content.get(*i) == Some(&true) && (!cjk || weighty(line, *i)) && !known(*i) && !form(*i)
        })
        .count()
}

/// Hiragana is grammar; kanji, katakana and Hangul carry content.
fn weighty(line: &Line, i: usize) -> bool {
    line.words(i, i + 1).chars().any(|c| !matches!(c, '\u{3040}'..='\u{309f}'))
}

fn words(x: &Line, m: &Mark, y: &Line, o: &Mark) -> String {
    format!("{}: {} / {}", m.axis, m_text(x, m), m_text(y, o))
}

fn m_text<'a>(line: &'a Line, m: &Mark) -> &'a str {
    let extra = usize::from(m.quantity.is_some() && m.axis_id <= 1);
    line.words(m.first, (m.last + extra).min(line.sentence.tokens.len()))
}

/// The first material difference between two versions of one article, old first: "amount: 1.38 trillion won -> 1.52 trillion won".
pub(super) fn difference(old: &Features, new: &Features) -> Option<String> {
    let lines = std::iter::once((&old.head, &new.head))
        .chain(old.body.iter().filter_map(|l| counterpart(l, &new.body, old.cjk).map(|o| (l, o))));
    for (x, y) in lines {
        for hunk in hunks(x, y) {
            if let Some(words) = replaced(x, y, &hunk, true).or_else(|| one_sided(x, y, &hunk, true)) {
                return Some(words.replace(" / ", " -> "));
            }
        }
    }
    let fresh = new
        .lines()
        .find_map(|l| l.marks.iter().find(|m| m.axis == "amount" && !old.claims(m)).map(|m| (l, m)))?;
    let stale = old
        .lines()
        .find_map(|l| l.marks.iter().find(|m| m.axis == "amount" && !new.claims(m)).map(|m| (l, m)));
    let now = m_text(fresh.0, fresh.1);
    Some(match stale {
        Some((line, mark)) if opposed(mark, fresh.1, false) => {
            format!("amount: {} -> {now}", m_text(line, mark))
        }
        Some(_) => return None,
        None => format!("new amount: {now}"),
    })
}
