//! Finds every pattern in an article: one pass of an automaton, then edges and capitals.

use std::cell::{OnceCell, RefCell};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::rules::edges::{fits, left_edge};
use crate::rules::expression::SetId;
use crate::rules::fields::{FIELDS, FieldSet, of_field};
use crate::rules::normal::Normal;
use crate::rules::outcome::{Article, Field};
use crate::rules::pattern::{Edge, Ends, Variant};
use crate::rules::ruler::{self, Ruler};
use crate::rules::shapes::Shapes;

/// For so many literals the fastest automaton is still small; for a whole pack it takes tens of megabytes.
const FEW: usize = 200;

/// A pattern met in a place, in positions of the normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    pub(crate) field: Field,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) pattern: u32,
    /// It counts only when another pattern of the same rule follows at once.
    pub(crate) needs_follower: bool,
}

/// What an automaton literal leads to: a pattern's variant in a set.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) set: u32,
    pub(crate) pattern: u32,
    pub(crate) ends: Ends,
    pub(crate) beyond: Beyond,
}

/// What must be true beyond the literal and its ends.
#[derive(Debug)]
pub(crate) enum Beyond {
    Nothing,
    /// It is the beginning of a variant with capitals or stars within: the shape.
    Shape(u32),
    /// The same, and after the word it stands in the text must go on like this.
    Followed([u8; 3], u32),
    /// A regular expression must match, and cannot without the literal.
    Regex(u32),
}

impl Beyond {
    /// Returns what a variant asks for.
    pub(crate) fn of(variant: &Variant, shapes: &mut Shapes) -> Self {
        if variant.is_plain() {
            return Self::Nothing;
        }
        let shape = shapes.add(variant);
        shapes.follower(shape).map_or(Self::Shape(shape), |follower| Self::Followed(follower, shape))
    }
}

/// Literals and what they lead to, while rules are compiled.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    /// All of them, one after the other.
    text: String,
    entries: Vec<(Range<u32>, Entry)>,
}

impl Literals {
    pub(crate) fn add(&mut self, word: &str, entry: Entry) {
        let from = self.text.len() as u32;
        self.text.push_str(word);
        self.entries.push((from..self.text.len() as u32, entry));
    }
}

/// The automaton and what its literals mean.
#[derive(Debug)]
pub(crate) struct Scanner {
    automaton: Option<AhoCorasick>,
    /// What must be true before each literal, for all of its entries: asked first, as most literals stand within other
    /// words, and kept apart from the rest to be near at hand.
    lefts: Vec<Edge>,
    /// Where the entries of each literal begin; they end where those of the next one do.
    firsts: Vec<u32>,
    entries: Vec<Entry>,
    shapes: Shapes,
    regexes: Vec<Expression>,
    fields: FieldSet,
}

/// A pattern met in what another pattern matches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Covering {
    pub(crate) set: SetId,
    pub(crate) pattern: usize,
    /// It matches all of it.
    pub(crate) whole: bool,
    /// It matches up to its end.
    pub(crate) at_end: bool,
}

/// A compiled regular expression.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) regex: regex::Regex,
    pub(crate) set: SetId,
    pub(crate) pattern: u32,
}

/// What a scan found, reused from article to article.
#[derive(Debug, Default)]
pub(crate) struct Found {
    normals: [Normal; 6],
    /// Made for a field when a distance in it is first asked for.
    rulers: [OnceCell<Ruler>; 6],
    spare: RefCell<Vec<Ruler>>,
    /// Occurrences by set: as they were met, and sorted by field and place, each once, after [`Found::tidy`].
    pub(crate) by_set: Vec<Vec<Occurrence>>,
    /// The fields each set occurs in.
    fields_of: Vec<FieldSet>,
    /// Sets with an occurrence.
    pub(crate) touched: Vec<SetId>,
    /// Whether an occurrence needs a follower.
    pub(crate) unsure: bool,
    wanted: Vec<u32>,
}

impl Found {
    pub(crate) fn normal(&self, field: Field) -> &Normal {
        of_field(&self.normals, field)
    }

    /// Whether at most so many half-units begin between two positions of a field.
    pub(crate) fn is_within(&self, field: Field, from: u32, to: u32, most: u32) -> bool {
        let nearby = |text: &str| ruler::is_within(text, from, to, most);
        self.measure(field, nearby, |ruler| ruler.gap(from, to) <= most)
    }

    /// Whether no sentence ends between two positions of a field.
    pub(crate) fn is_one_sentence(&self, field: Field, from: u32, to: u32) -> bool {
        let nearby = |text: &str| ruler::is_one_sentence(text, from, to);
        self.measure(field, nearby, |ruler| ruler.same_sentence(from, to))
    }

    /// Measures by the ruler where there is one already, else on the spot, and where that is too far by a new ruler.
    fn measure(
        &self,
        field: Field,
        nearby: impl FnOnce(&str) -> Option<bool>,
        by_ruler: impl FnOnce(&Ruler) -> bool,
    ) -> bool {
        match of_field(&self.rulers, field).get() {
            Some(ruler) => by_ruler(ruler),
            None => nearby(self.normal(field).text()).unwrap_or_else(|| by_ruler(self.ruler(field))),
        }
    }

    /// Returns the distances and sentences of a field.
    pub(crate) fn ruler(&self, field: Field) -> &Ruler {
        of_field(&self.rulers, field).get_or_init(|| {
            let mut ruler = self.spare.borrow_mut().pop().unwrap_or_default();
            ruler.read(self.normal(field).text());
            ruler
        })
    }

    /// Returns the occurrences of a set.
    pub(crate) fn of(&self, set: SetId) -> &[Occurrence] {
        self.by_set.get(set).map_or(&[], Vec::as_slice)
    }

    /// Returns the fields a set occurs in; more than that where [`Found::expect`] was told so.
    pub(crate) fn fields_of(&self, set: SetId) -> FieldSet {
        self.fields_of.get(set).copied().unwrap_or_default()
    }

    /// Expects a set in more fields than it was found in so far.
    pub(crate) fn expect(&mut self, set: SetId, fields: FieldSet) {
        self.fields_of.get_mut(set).into_iter().for_each(|known| *known = known.or(fields));
    }

    /// Adds the last occurrences to a set and forgets what was expected of it.
    pub(crate) fn finish(&mut self, set: SetId, occurrences: impl Iterator<Item = Occurrence>) {
        occurrences.for_each(|occurrence| self.add(set, occurrence));
        self.by_set.get_mut(set).into_iter().for_each(tidy);
        let fields = self.of(set).iter().map(|occurrence| occurrence.field).collect();
        self.fields_of.get_mut(set).into_iter().for_each(|known| *known = fields);
    }

    /// Puts all occurrences in order.
    pub(crate) fn tidy(&mut self) {
        for set in &self.touched {
            self.by_set.get_mut(*set).into_iter().for_each(tidy);
        }
    }

    fn add(&mut self, set: SetId, occurrence: Occurrence) {
        if let Some(list) = self.by_set.get_mut(set) {
            if list.is_empty() {
                self.touched.push(set);
            }
            list.push(occurrence);
            self.expect(set, FieldSet::one(occurrence.field));
            self.unsure |= occurrence.needs_follower;
        }
    }
}

/// Puts a set's occurrences in order. Two patterns that cover the same place are one occurrence, a sure one first.
fn tidy(list: &mut Vec<Occurrence>) {
    list.sort_unstable_by_key(|o| (o.field, o.start, o.end, o.needs_follower, o.pattern));
    list.dedup_by_key(|o| (o.field, o.start, o.end));
}

impl Scanner {
    /// Builds the automaton. `literals` pairs each literal with its entry.
    pub(crate) fn new(
        literals: Literals,
        shapes: Shapes,
        regexes: Vec<Expression>,
        fields: FieldSet,
    ) -> Result<Self, aho_corasick::BuildError> {
        let Literals { text, entries: mut literals } = literals;
        let word =
            |range: &Range<u32>| text.get(range.start as usize..range.end as usize).unwrap_or_default();
        literals.sort_by(|(a, _), (b, _)| word(a).cmp(word(b)));
        let mut words: Vec<&str> = Vec::with_capacity(literals.len());
        let (mut lefts, mut firsts): (Vec<Edge>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut entries: Vec<Entry> = Vec::with_capacity(literals.len());
        for (range, entry) in literals {
            let word = word(&range);
            let left = entry.ends.left;
            match lefts.last_mut() {
                Some(known) if words.last() == Some(&word) => {
                    *known = if *known == left { left } else { Edge::Free };
                }
                _ => {
                    words.push(word);
                    lefts.push(left);
                    firsts.push(entries.len() as u32);
                }
            }
            entries.push(entry);
        }
        let automaton = (!words.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .match_kind(MatchKind::Standard)
                    .kind(Some(if words.len() <= FEW {
                        AhoCorasickKind::DFA
                    } else {
                        AhoCorasickKind::ContiguousNFA
                    }))
                    .build(&words)
            })
            .transpose()?;
        lefts.shrink_to_fit();
        firsts.shrink_to_fit();
        let mut shapes = shapes;
        shapes.shrink();
        Ok(Self { automaton, lefts, firsts, entries, shapes, regexes, fields })
    }

    /// Returns the fields that are searched.
    #[cfg(test)]
    pub(crate) fn fields(&self) -> FieldSet {
        self.fields
    }

    /// Finds every occurrence in an article's fields, in no order.
    pub(crate) fn scan(&self, article: &Article<'_>, sets: usize, found: &mut Found) {
        self.scan_in(article, sets, found, self.fields);
    }

    /// Normalises the fields and runs the automaton over them, and does nothing with what it meets.
    pub(crate) fn run_bare(&self, article: &Article<'_>, found: &mut Found) -> usize {
        let mut met = 0;
        for (field, normal) in FIELDS.into_iter().zip(&mut found.normals) {
            if let (true, Some(automaton)) = (self.fields.contains(field), &self.automaton) {
                normal.read(article.text(field));
                met += automaton.find_overlapping_iter(normal.text()).count();
            }
        }
        met
    }

    fn scan_in(&self, article: &Article<'_>, sets: usize, found: &mut Found, fields: FieldSet) {
        for set in std::mem::take(&mut found.touched) {
            found.by_set.get_mut(set).into_iter().for_each(Vec::clear);
        }
        found.unsure = false;
        found.spare.get_mut().extend(found.rulers.iter_mut().filter_map(OnceCell::take));
        if found.by_set.len() < sets {
            found.by_set.resize_with(sets, Vec::new);
        }
        found.fields_of.clear();
        found.fields_of.resize(sets, FieldSet::NONE);
        for (field, normal) in FIELDS.into_iter().zip(&mut found.normals) {
            normal.read(if fields.contains(field) { article.text(field) } else { "" });
        }
        for field in FIELDS.into_iter().filter(|field| fields.contains(*field)) {
            self.scan_field(field, found);
        }
    }

    /// Finds what covers a text that a variant matches.
    pub(crate) fn covers(&self, written: &str, sets: usize, found: &mut Found) -> Vec<Covering> {
        let article = Article { title: written, ..Article::default() };
        self.scan_in(&article, sets, found, FieldSet::one(Field::Title));
        found.tidy();
        let whole = found.normal(Field::Title).text().len() as u32;
        let occurrences = found.touched.iter().flat_map(|set| found.of(*set).iter().map(|o| (*set, o)));
        let sure = occurrences.filter(|(_, occurrence)| !occurrence.needs_follower);
        sure.map(|(set, occurrence)| Covering {
            set,
            pattern: occurrence.pattern as usize,
            whole: (occurrence.start, occurrence.end) == (0, whole),
            at_end: occurrence.end == whole,
        })
        .collect()
    }

    fn entries_of(&self, literal: usize) -> &[Entry] {
        let begin =
            |literal: usize| self.firsts.get(literal).map_or(self.entries.len(), |first| *first as usize);
        self.entries.get(begin(literal)..begin(literal + 1)).unwrap_or_default()
    }

    fn scan_field(&self, field: Field, found: &mut Found) {
        let Some(automaton) = &self.automaton else { return };
        // Lent out while `found` is written to.
        let at = FIELDS.iter().position(|known| *known == field).unwrap_or_default();
        let Some(slot) = found.normals.get_mut(at) else { return };
        let normal = std::mem::take(slot);
        let mut wanted = std::mem::take(&mut found.wanted);
        wanted.clear();
        for met in automaton.find_overlapping_iter(normal.text()) {
            let literal = met.pattern().as_usize();
            let Some(asked) = self.lefts.get(literal) else { continue };
            if !left_edge(*asked, &normal, met.start()) {
                continue;
            }
            let follower = OnceCell::new();
            for entry in self.entries_of(literal) {
                if let Beyond::Followed(wanted, _) = &entry.beyond
                    && *follower.get_or_init(|| normal.after_word(met.end())) != Some(*wanted)
                {
                    continue;
                }
                let left = entry.ends.left;
                if left != *asked && !left_edge(left, &normal, met.start()) {
                    continue;
                }
                let end = match entry.beyond {
                    Beyond::Regex(regex) => {
                        wanted.push(regex);
                        continue;
                    }
                    Beyond::Nothing => Some(met.end()),
                    Beyond::Shape(shape) | Beyond::Followed(_, shape) => {
                        self.shapes.follow(shape, &normal, met.start(), met.end())
                    }
                };
                let fit = end.and_then(|end| fits(entry.ends, &normal, end));
                if let Some((end, needs_follower)) = fit {
                    let (start, end) = (met.start() as u32, end as u32);
                    let occurrence = Occurrence { field, start, end, pattern: entry.pattern, needs_follower };
                    found.add(entry.set as SetId, occurrence);
                }
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        for regex in wanted.iter().filter_map(|regex| self.regexes.get(*regex as usize)) {
            for met in regex.regex.find_iter(normal.text()).filter(|met| !met.is_empty()) {
                let (start, end) = (met.start() as u32, met.end() as u32);
                found.add(
                    regex.set,
                    Occurrence { field, start, end, pattern: regex.pattern, needs_follower: false },
                );
            }
        }
        found.wanted = wanted;
        if let Some(slot) = found.normals.get_mut(at) {
            *slot = normal;
        }
    }
}
