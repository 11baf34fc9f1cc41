//! A second evaluator, slow and plain, that the real one must agree with.

use std::collections::BTreeSet;

use crate::rules::compound::NO_POINTS;
use crate::rules::evaluate::Weights;
use crate::rules::expression::{Expr, Nearness, Node, SetId};
use crate::rules::fields::{FIELDS, FieldSet};
use crate::rules::normal::Normal;
use crate::rules::outcome::{Article, Field, Level};
use crate::rules::pattern::Variant;
use crate::rules::script::{Class, class};
use crate::rules::set::RuleSet;

/// Korean particles that may follow a short noun.
const PARTICLES: [&str; 19] = [
    "은", "는", "이", "가", "을", "를", "의", "에", "와", "과", "로", "도", "만", "에서", "으로", "에게",
    "부터", "까지", "에는",
];

/// Field, first character, one past the last.
type Place = (Field, usize, usize);

/// A field's normal form as characters: the character, a capital, a break before.
pub(super) struct Text(pub(super) Vec<(char, bool, bool)>);

impl Text {
    pub(super) fn of(text: &str) -> Self {
        let normal = Normal::of(text);
        let chars = normal.text().char_indices();
        Self(chars.map(|(at, c)| (c, normal.is_upper(at), normal.is_break(at))).collect())
    }

    fn class(&self, at: isize) -> Option<Class> {
        usize::try_from(at).ok().and_then(|at| self.0.get(at)).map(|(c, ..)| class(*c))
    }

    fn is_break(&self, at: usize) -> bool {
        self.0.get(at).is_some_and(|(.., is_break)| *is_break)
    }

    fn stands(&self, at: usize, text: &str, capitals: Option<&Vec<bool>>) -> Option<usize> {
        let wanted: Vec<(usize, char)> = text.char_indices().collect();
        let fits = wanted.iter().zip(at..).all(|((byte, c), at)| {
            self.0
                .get(at)
                .is_some_and(|(d, upper, _)| c == d && capitals.is_none_or(|caps| caps[*byte] == *upper))
        });
        fits.then_some(at + wanted.len())
    }

    /// Every end of a variant that begins at `at`; with whether it needs a follower.
    pub(super) fn ends(&self, at: usize, variant: &Variant) -> Option<(usize, bool)> {
        let mut end = self.stands(at, &variant.head.text, variant.head.capitals.as_ref())?;
        for piece in &variant.rest {
            // A word of a spaced script goes on to its end; a Hangul word for up to four syllables.
            let kind = self.class(end as isize - 1)?;
            let mut tries = vec![end];
            let mut next = end;
            while self.class(next as isize) == Some(kind) && (kind != Class::Hangul || next - end < 4) {
                next += 1;
                tries.push(next);
            }
            match kind {
                Class::Alpha | Class::Arabic => tries = vec![next],
                Class::Hangul => {}
                _ => tries = vec![end],
            }
            end = tries.into_iter().find_map(|at| self.stands(at, &piece.text, piece.capitals.as_ref()))?;
        }
        let first = self.class(at as isize)?;
        let before = self.class(at as isize - 1);
        let syllables = |text: &str, back: bool| {
            let mut chars: Vec<char> = text.chars().collect();
            if back {
                chars.reverse();
            }
            chars.into_iter().take_while(|c| class(*c) == Class::Hangul).count()
        };
        let left = match first {
            Class::Alpha => before != Some(Class::Alpha),
            Class::Katakana => before != Some(Class::Katakana) || self.is_break(at),
            Class::Hangul if syllables(&variant.head.text, false) < 3 => {
                before != Some(Class::Hangul) || self.is_break(at)
            }
            _ => true,
        };
        if !left {
            return None;
        }
        let last = self.class(end as isize - 1)?;
        if variant.ends.star {
            while matches!(last, Class::Alpha | Class::Arabic) && self.class(end as isize) == Some(last) {
                end += 1;
            }
            return Some((end, false));
        }
        let outside = |at: usize, kind: Class| self.class(at as isize) != Some(kind);
        match last {
            Class::Alpha => {
                let plurals = if variant.ends.plural { vec!["", "s", "es"] } else { vec![""] };
                let ends = plurals.iter().filter_map(|plural| self.stands(end, plural, None));
                ends.into_iter().find(|at| outside(*at, Class::Alpha)).map(|end| (end, false))
            }
            Class::Katakana => (outside(end, Class::Katakana) || self.is_break(end)).then_some((end, false)),
            Class::Hangul => {
                let piece = variant.rest.last().unwrap_or(&variant.head);
                if syllables(&piece.text, true) >= 3 {
                    return Some((end, false));
                }
                let free = |at: usize| outside(at, Class::Hangul) || self.is_break(at);
                let particle = PARTICLES.iter().any(|p| self.stands(end, p, None).is_some_and(free));
                Some((end, !(free(end) || particle)))
            }
            _ => Some((end, false)),
        }
    }

    /// Half-units of the words that begin in a stretch.
    fn gap(&self, from: usize, to: usize) -> u32 {
        (from..to)
            .map(|at| match self.class(at as isize) {
                Some(class) if class.is_cjk() => 1,
                Some(class) if class.has_words() && self.class(at as isize - 1) != Some(class) => 2,
                _ => 0,
            })
            .sum()
    }

    fn ends_sentence(&self, from: usize, to: usize) -> bool {
        self.0[from..to].iter().any(|(c, ..)| *c == '\u{2}')
    }
}

/// What is read: which sets stand together, where, and what they earn.
struct View<'r> {
    sets: &'r [SetId],
    fields: FieldSet,
    score: &'r Weights,
}

struct Reader<'r> {
    view: View<'r>,
    texts: &'r [Text],
    /// For each set, where it stands and whether it needs a follower.
    raw: &'r [Vec<(Place, bool)>],
}

impl Reader<'_> {
    fn text(&self, field: Field) -> &Text {
        &self.texts[FIELDS.iter().position(|f| *f == field).unwrap()]
    }

    fn set(&self, set: SetId) -> BTreeSet<Place> {
        let all: Vec<(Place, bool)> = self.view.sets.iter().flat_map(|set| self.raw[*set].clone()).collect();
        // Grow where sure ones begin until no unsure one ends at such a place unnoticed.
        let mut starts: BTreeSet<(Field, usize)> =
            all.iter().filter(|(_, unsure)| !unsure).map(|((field, start, _), _)| (*field, *start)).collect();
        loop {
            let before = starts.len();
            let held = all.iter().filter(|((field, _, end), _)| starts.contains(&(*field, *end)));
            let held: Vec<(Field, usize)> = held.map(|((field, start, _), _)| (*field, *start)).collect();
            starts.extend(held);
            if starts.len() == before {
                break;
            }
        }
        let raw = self.raw[set].iter().copied();
        raw.filter(|((field, _, end), unsure)| !unsure || starts.contains(&(*field, *end)))
            .map(|(place, _)| place)
            .collect()
    }

    fn places(&self, expr: &Expr) -> Option<BTreeSet<Place>> {
        match &expr.node {
            Node::Set { id, field, least } => {
                let fields = field.map_or(self.view.fields, FieldSet::one);
                let places: BTreeSet<Place> =
                    self.set(*id).into_iter().filter(|(field, ..)| fields.contains(*field)).collect();
                (count(&places) >= *least).then_some(places)
            }
            Node::And(parts) => {
                let all: Option<Vec<BTreeSet<Place>>> = parts.iter().map(|part| self.places(part)).collect();
                all.map(|all| all.into_iter().flatten().collect())
            }
            Node::Or(parts) => self.some(parts, 1),
            Node::Of(least, parts) => self.some(parts, *least),
            Node::Not(part) => self.places(part).is_none().then(BTreeSet::new),
            Node::Score(least) => (self.score() >= *least).then(BTreeSet::new),
            Node::Pair(nearness, left, right) => {
                let left = self.places(left)?;
                let right = self.places(right).unwrap_or_default();
                let within = |a: &Place, b: &Place, units: u32| {
                    a.0 == b.0 && a.2 <= b.1 && self.text(a.0).gap(a.2, b.1) <= units
                };
                let places: BTreeSet<Place> = if let Nearness::Away(units) = nearness {
                    let close = |a: &Place, b: &Place| {
                        let overlap = a.0 == b.0 && a.1 < b.2 && b.1 < a.2;
                        overlap || within(a, b, *units) || within(b, a, *units)
                    };
                    left.into_iter().filter(|a| !right.iter().any(|b| close(a, b))).collect()
                } else {
                    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
                    let fits = |(a, b): &(&Place, &Place)| match nearness {
                        Nearness::Then(units) => within(a, b, *units),
                        Nearness::Near(units) => within(a, b, *units) || within(b, a, *units),
                        _ => {
                            let disjoint = a.0 == b.0 && (a.2 <= b.1 || b.2 <= a.1);
                            disjoint && !self.text(a.0).ends_sentence(a.1.min(b.1), a.2.max(b.2))
                        }
                    };
                    pairs.filter(fits).map(|(a, b)| (a.0, a.1.min(b.1), a.2.max(b.2))).collect()
                };
                (!places.is_empty()).then_some(places)
            }
        }
    }

    fn some(&self, parts: &[Expr], least: usize) -> Option<BTreeSet<Place>> {
        let all: Vec<BTreeSet<Place>> = parts.iter().filter_map(|part| self.places(part)).collect();
        (all.len() >= least).then(|| all.into_iter().flatten().collect())
    }

    fn score(&self) -> i64 {
        let mut score = 0;
        for (set, weight) in &self.view.score.of {
            let places = self.set(*set);
            for field in FIELDS.into_iter().filter(|field| self.view.fields.contains(*field)) {
                let here = places.iter().filter(|(f, ..)| *f == field).copied().collect();
                let title = if field == Field::Title { self.view.score.title_x } else { 1 };
                score += weight * i64::from(count(&here)).min(self.view.score.cap) * title;
            }
        }
        score
    }
}

fn count(places: &BTreeSet<Place>) -> u32 {
    let mut count = 0;
    let mut last: Option<(Field, usize)> = None;
    for (field, start, end) in places {
        if last.is_none_or(|(f, e)| f != *field || *start >= e) {
            count += 1;
            last = Some((*field, *end));
        }
    }
    count
}

/// Finds a set by trying every pattern at every character.
fn raw(rules: &RuleSet, set: SetId, texts: &[Text]) -> Vec<(Place, bool)> {
    let mut places = Vec::new();
    for pattern in &rules.patterns[rules.sets[set].patterns.clone()] {
        for variant in &pattern.variants() {
            for (field, text) in FIELDS.into_iter().zip(texts) {
                let met = (0..text.0.len()).filter_map(|at| Some((at, text.ends(at, variant)?)));
                places.extend(met.map(|(at, (end, unsure))| ((field, at, end), unsure)));
            }
        }
    }
    places
}

/// Returns id, score, veto and level of every rule that fires.
pub(super) fn evaluate(rules: &RuleSet, article: &Article<'_>) -> Vec<(String, i64, bool, Level)> {
    let text = |field| if rules.scanner.fields().contains(field) { article.text(field) } else { "" };
    let texts: Vec<Text> = FIELDS.into_iter().map(|field| Text::of(text(field))).collect();
    let mut raw: Vec<Vec<(Place, bool)>> = (0..rules.sets.len()).map(|set| raw(rules, set, &texts)).collect();
    for set in &rules.compounds {
        let also = rules.sets[*set].also.as_ref().unwrap();
        let view = View { sets: &also.sets, fields: FieldSet::ALL, score: &NO_POINTS };
        let reader = Reader { view, texts: &texts, raw: &raw };
        let places = reader.places(&also.expr).unwrap_or_default();
        raw[*set].extend(places.into_iter().map(|place| (place, false)));
    }
    let mut fired = Vec::new();
    for rule in &rules.rules {
        let view = View { sets: &rule.sets, fields: rule.fields, score: &rule.score };
        let reader = Reader { view, texts: &texts, raw: &raw };
        if reader.places(&rule.when).is_some() {
            let vetoed = rule.unless.as_ref().is_some_and(|(unless, _)| reader.places(unless).is_some());
            let lifted = rule.alert_when.as_ref().is_some_and(|lift| reader.places(lift).is_some());
            let level = if lifted { Level::Alert } else { rule.level };
            fired.push((rule.info.id.clone(), reader.score(), vetoed, level));
        }
    }
    fired
}
