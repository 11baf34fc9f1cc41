//! A second evaluator, slow and plain, that the real one must agree with.

use std::collections::BTreeSet;

use crate::problem::Source;
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
struct Text(Vec<(char, bool, bool)>);

impl Text {
    fn of(text: &str) -> Self {
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
    fn ends(&self, at: usize, variant: &Variant) -> Option<(usize, bool)> {
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
fn evaluate(rules: &RuleSet, article: &Article<'_>) -> Vec<(String, i64, bool, Level)> {
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

const WORDS: [&str; 39] = [
    "cost",
    "costs",
    "sharing",
    "U.S.",
    "S.M.A.",
    "SMA",
    "sma",
    "Japan",
    "japanese",
    "host",
    "nation",
    "support",
    "pay",
    "日本",
    "在日",
    "米軍",
    "駐留",
    "経費",
    "サポート",
    "ホスト",
    "한국",
    "한미",
    "방위비",
    "분담",
    "분담금",
    "협정",
    "은",
    "에서",
    "Kosten",
    "деньги",
    "ёлка",
    "دفاع",
    "F-35",
    "國",
    "5",
    "5%",
    "%5",
    "3.5",
    "1,519",
];
const GAPS: [&str; 14] = [" ", " ", " ", "", "", "-", "・", ", ", ". ", "。", "\n", "」", "'", "/"];

fn phrase(random: &mut fastrand::Rng, most: usize) -> String {
    let mut text = String::new();
    for _ in 0..random.usize(1..=most) {
        text += random.choice(WORDS).unwrap();
        text += random.choice(GAPS).unwrap();
    }
    text
}

fn pattern(random: &mut fastrand::Rng) -> String {
    // No pattern contains what separates hard; within a number a point is none.
    let plain = |word: &str| {
        if word.contains(|c: char| c.is_ascii_digit()) {
            word.to_owned()
        } else {
            word.replace(['.', '-'], "")
        }
    };
    let mut words: Vec<String> =
        (0..random.usize(1..=3)).map(|_| plain(random.choice(WORDS).unwrap())).collect();
    for word in &mut words {
        if random.u8(0..5) == 0 {
            word.push('*');
        }
    }
    format!("{}{}", if random.u8(0..5) == 0 { "=" } else { "" }, words.join(" "))
}

fn expression(random: &mut fastrand::Rng, depth: usize) -> String {
    let set = |random: &mut fastrand::Rng| format!("s{}", random.u8(0..5));
    if depth == 0 {
        return match random.u8(0..7) {
            0 => format!("title:{}", set(random)),
            6 => format!("body:{}", set(random)),
            1 => format!("{}#>=2", set(random)),
            _ => set(random),
        };
    }
    let mut part = || expression(random, depth - 1);
    let (a, b, c) = (part(), part(), part());
    let n = random.u8(0..7);
    match random.u8(0..10) {
        0 => format!("(({a}) and ({b}))"),
        1 => format!("(({a}) or ({b}) or ({c}))"),
        2 => format!("(({a}) and not ({b}))"),
        3 => format!("2 of ({}, {}, {})", set(random), set(random), set(random)),
        4 => format!("(({a}) and score >= {n})"),
        5 => format!("(({a}) then/{n} ({b}))"),
        6 => format!("(({a}) away/{n} ({b}))"),
        7 => format!("(({a}) same ({b}))"),
        _ => format!("(({a}) near/{n} ({b}))"),
    }
}

fn rules(random: &mut fastrand::Rng) -> RuleSet {
    let mut file = String::from("[defaults]\nfields = [\"title\", \"summary\"]\n");
    // Those beyond the fifth are in no rule: rule sets differ in size.
    for set in 0..random.u8(5..9) {
        let patterns: Vec<String> = (0..4).map(|_| format!("{:?}", pattern(random))).collect();
        file += &format!("[sets.s{set}]\nen = [{}]\n", patterns.join(", "));
        // Each may rest on those before it, compounds too.
        if set > 1 && random.bool() {
            let (a, b, c, n) = (random.u8(0..set), random.u8(0..set), random.u8(0..set), random.u8(0..5));
            file += &match random.u8(0..6) {
                0 => format!("also = \"s{a} and not s{b}\"\n"),
                1 => format!("also = \"s{a} away/{n} s{b}\"\n"),
                2 => format!("also = \"2 of (s{a}, title:s{b}, s{c})\"\n"),
                3 => format!("also = \"(s{a} then/{n} s{b}) or body:s{c}\"\n"),
                _ => format!("also = \"s{a} near/{n} s{b}\"\n"),
            };
        }
    }
    for rule in 0..8 {
        let depth = random.usize(0..3);
        let mut when = expression(random, depth);
        // What only a score lets in is decided before anything else is looked at.
        if random.bool() {
            when = format!("({when}) and score >= {}", random.u8(0..14));
        }
        file += &format!("[[rule]]\nid = \"r{rule}\"\nwhen = '''{when}'''\n");
        file += &format!("unless = '''{}'''\n", expression(random, 0));
        file += &format!("level = \"digest\"\nalert_when = '''{}'''\n", expression(random, 1));
        let weights: Vec<String> = (0..5)
            .filter(|set| (rule + set) % 4 > 0)
            .map(|set| format!("s{set} = {}", random.i8(-3..5)))
            .collect();
        let (title_x, cap) = (random.u8(1..4), random.u8(1..4));
        file += &format!("[rule.score]\ntitle_x = {title_x}\ncap = {cap}\n");
        file += &format!("weights = {{ {} }}\n", weights.join(", "));
    }
    let compiled = RuleSet::compile(&[Source::new("random.toml", file.clone())]);
    compiled.set.unwrap_or_else(|| panic!("{file}\n{:#?}", compiled.problems))
}

#[test]
fn the_automaton_and_the_plain_reading_agree() {
    let mut random = fastrand::Rng::with_seed(20_201_019);
    let mut fired_in_all = 0;
    let mut before = rules(&mut random);
    for _ in 0..100 {
        let rules = rules(&mut random);
        for _ in 0..100 {
            let (title, summary) = (phrase(&mut random, 8), phrase(&mut random, 14));
            let body = phrase(&mut random, 3);
            let article = Article { title: &title, summary: &summary, body: &body, ..Article::default() };
            // Both use the memory of this thread: nothing of one may stay for the other.
            before.evaluate(&article);
            let mut fast: Vec<(String, i64, bool, Level)> = rules
                .evaluate(&article)
                .into_iter()
                .map(|fired| (fired.id, fired.score, fired.vetoed_by.is_some(), fired.level))
                .collect();
            fast.sort();
            let slow = evaluate(&rules, &article);
            assert_eq!(fast, slow, "{article:?}\n{}", &*rules.rules[0].source.text);
            fired_in_all += fast.len();
        }
        before = rules;
    }
    assert!(fired_in_all > 5_000, "only {fired_in_all} rules fired: the texts are too poor");
}

#[test]
fn every_slice_matches_again_by_itself() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut hits = 0;
    for _ in 0..40 {
        let rules = rules(&mut random);
        for _ in 0..60 {
            let (title, summary) = (phrase(&mut random, 9), phrase(&mut random, 9));
            let article = Article { title: &title, summary: &summary, ..Article::default() };
            for hit in rules.evaluate(&article).into_iter().flat_map(|fired| fired.hits) {
                hits += 1;
                assert_eq!(article.text(hit.field).get(hit.start..hit.end), Some(hit.text.as_str()));
                let pattern = rules.patterns.iter().find(|pattern| *pattern.text() == *hit.pattern).unwrap();
                let text = Text::of(&hit.text);
                let again =
                    pattern.variants().iter().any(|v| (0..text.0.len()).any(|at| text.ends(at, v).is_some()));
                assert!(again, "{hit:?} in {article:?}");
            }
        }
    }
    assert!(hits > 1_000, "{hits}");
}
