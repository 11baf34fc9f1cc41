//! Finds every pattern in an article: one pass of an automaton, then edges and capitals.

use std::cell::{OnceCell, RefCell};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::rules::expression::SetId;
use crate::rules::normal::{Normal, STOP, class_in_normal};
use crate::rules::outcome::{Article, Field};
use crate::rules::pattern::{Edge, Ends, Piece, Variant};
use crate::rules::script::{Class, PARTICLE_BYTES, PARTICLES, is_arabic_prefix};

/// For so many literals the fastest automaton is still small; for a whole pack it takes tens of megabytes.
const FEW: usize = 200;

/// All fields, in the order of [`field_text`].
pub(crate) const FIELDS: [Field; 6] =
    [Field::Title, Field::Summary, Field::Body, Field::Url, Field::Source, Field::Lang];

/// Returns a field's text.
pub(crate) fn field_text<'a>(article: &Article<'a>, field: Field) -> &'a str {
    match field {
        Field::Title => article.title,
        Field::Summary => article.summary,
        Field::Body => article.body,
        Field::Url => article.url,
        Field::Source => article.source,
        Field::Lang => article.lang,
    }
}

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

/// A pattern's variant in a set.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) set: u32,
    pub(crate) pattern: u32,
    pub(crate) kind: EntryKind,
}

/// What an automaton literal leads to.
#[derive(Debug)]
pub(crate) enum EntryKind {
    /// A literal that only has to end well.
    Plain(Ends),
    /// The beginning of a variant with capitals or stars within.
    Shaped(Box<Variant>),
    /// A literal that a regular expression cannot match without.
    Regex(u32),
}

impl Entry {
    /// What must be true before it.
    fn left(&self) -> Edge {
        match &self.kind {
            EntryKind::Plain(ends) => ends.left,
            EntryKind::Shaped(variant) => variant.ends.left,
            EntryKind::Regex(_) => Edge::Free,
        }
    }
}

impl EntryKind {
    /// Returns what a variant's literal leads to.
    pub(crate) fn of(variant: Variant) -> Self {
        if variant.is_plain() { Self::Plain(variant.ends) } else { Self::Shaped(Box::new(variant)) }
    }
}

/// The automaton and what its literals mean.
#[derive(Debug)]
pub(crate) struct Scanner {
    automaton: Option<AhoCorasick>,
    literals: Vec<Literal>,
    /// Those of one literal lie together.
    entries: Vec<Entry>,
    regexes: Vec<Expression>,
    fields: Vec<Field>,
}

/// What the automaton looks for.
#[derive(Debug)]
struct Literal {
    /// Where its entries begin; they end where those of the next one do.
    first: u32,
    /// What must be true before it, for all of its entries: asked first, as most literals stand within other words.
    left: Edge,
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
    /// Occurrences by set, sorted by field and place.
    pub(crate) by_set: Vec<Vec<Occurrence>>,
    /// Sets with an occurrence.
    pub(crate) touched: Vec<SetId>,
    /// Whether an occurrence needs a follower.
    pub(crate) unsure: bool,
    wanted: Vec<u32>,
}

impl Found {
    pub(crate) fn normal(&self, field: Field) -> &Normal {
        let [title, summary, body, url, source, lang] = &self.normals;
        match field {
            Field::Title => title,
            Field::Summary => summary,
            Field::Body => body,
            Field::Url => url,
            Field::Source => source,
            Field::Lang => lang,
        }
    }

    /// Returns the distances and sentences of a field.
    pub(crate) fn ruler(&self, field: Field) -> &Ruler {
        let [title, summary, body, url, source, lang] = &self.rulers;
        let slot = match field {
            Field::Title => title,
            Field::Summary => summary,
            Field::Body => body,
            Field::Url => url,
            Field::Source => source,
            Field::Lang => lang,
        };
        slot.get_or_init(|| {
            let mut ruler = self.spare.borrow_mut().pop().unwrap_or_default();
            ruler.read(self.normal(field).text());
            ruler
        })
    }

    /// Returns the occurrences of a set.
    pub(crate) fn of(&self, set: SetId) -> &[Occurrence] {
        self.by_set.get(set).map_or(&[], Vec::as_slice)
    }

    /// Adds occurrences to a set and keeps them in order.
    pub(crate) fn extend(&mut self, set: SetId, occurrences: impl Iterator<Item = Occurrence>) {
        occurrences.for_each(|occurrence| self.add(set, occurrence));
        self.by_set.get_mut(set).into_iter().for_each(tidy);
    }

    fn add(&mut self, set: SetId, occurrence: Occurrence) {
        if let Some(list) = self.by_set.get_mut(set) {
            if list.is_empty() {
                self.touched.push(set);
            }
            list.push(occurrence);
            self.unsure |= occurrence.needs_follower;
        }
    }
}

/// Puts a set's occurrences in order. Two patterns that cover the same place are one occurrence, a sure one first.
fn tidy(list: &mut Vec<Occurrence>) {
    list.sort_unstable_by_key(|o| (o.field, o.start, o.end, o.needs_follower, o.pattern));
    list.dedup_by_key(|o| (o.field, o.start, o.end));
}

/// Distances and sentences of a text.
#[derive(Debug, Default)]
pub(crate) struct Ruler {
    /// For each byte: half-units of the words that begin before it, and sentence ends before it.
    marks: Vec<(u32, u32)>,
}

impl Ruler {
    fn read(&mut self, text: &str) {
        self.marks.clear();
        self.marks.reserve(text.len() + 1);
        let (mut units, mut sentence) = (0, 0);
        let (mut last, mut run) = (Class::Hard, 0_u32);
        for c in text.chars() {
            let class = class_in_normal(c);
            let before = (units, sentence);
            run = if class == last { run + 1 } else { 0 };
            units += match class {
                _ if class.is_cjk() => 1,
                Class::Free => u32::from(run.is_multiple_of(3)),
                Class::Alpha | Class::Arabic if run == 0 => 2,
                _ => 0,
            };
            sentence += u32::from(c == STOP);
            last = class;
            self.marks.push(before);
            self.marks.extend(std::iter::repeat_n((units, sentence), c.len_utf8() - 1));
        }
        self.marks.push((units, sentence));
    }

    fn mark(&self, at: u32) -> (u32, u32) {
        self.marks.get(at as usize).copied().unwrap_or_default()
    }

    /// Returns the half-units of the words that begin between two positions.
    pub(crate) fn gap(&self, from: u32, to: u32) -> u32 {
        self.mark(to).0.saturating_sub(self.mark(from).0)
    }

    /// Whether no sentence ends between two positions.
    pub(crate) fn same_sentence(&self, from: u32, to: u32) -> bool {
        self.mark(from).1 == self.mark(to).1
    }
}

impl Scanner {
    /// Builds the automaton. `literals` pairs each literal with its entry.
    pub(crate) fn new(
        literals: Vec<(String, Entry)>,
        regexes: Vec<Expression>,
        fields: Vec<Field>,
    ) -> Result<Self, aho_corasick::BuildError> {
        let mut literals = literals;
        literals.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut words: Vec<String> = Vec::with_capacity(literals.len());
        let mut read: Vec<Literal> = Vec::with_capacity(literals.len());
        let mut entries: Vec<Entry> = Vec::with_capacity(literals.len());
        for (word, entry) in literals {
            let left = entry.left();
            match read.last_mut() {
                Some(literal) if words.last() == Some(&word) => {
                    literal.left = if literal.left == left { left } else { Edge::Free };
                }
                _ => {
                    words.push(word);
                    read.push(Literal { first: entries.len() as u32, left });
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
        Ok(Self { automaton, literals: read, entries, regexes, fields })
    }

    /// Returns the fields that are searched.
    #[cfg(test)]
    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Finds every occurrence in an article's fields.
    pub(crate) fn scan(&self, article: &Article<'_>, sets: usize, found: &mut Found) {
        self.scan_in(article, sets, found, &self.fields);
    }

    /// Normalises the fields and runs the automaton over them, and does nothing with what it meets.
    pub(crate) fn run_bare(&self, article: &Article<'_>, found: &mut Found) -> usize {
        let mut met = 0;
        for (field, normal) in FIELDS.into_iter().zip(&mut found.normals) {
            if let (true, Some(automaton)) = (self.fields.contains(&field), &self.automaton) {
                normal.read(field_text(article, field));
                met += automaton.find_overlapping_iter(normal.text()).count();
            }
        }
        met
    }

    fn scan_in(&self, article: &Article<'_>, sets: usize, found: &mut Found, fields: &[Field]) {
        for set in std::mem::take(&mut found.touched) {
            found.by_set.get_mut(set).into_iter().for_each(Vec::clear);
        }
        found.unsure = false;
        found.spare.get_mut().extend(found.rulers.iter_mut().filter_map(OnceCell::take));
        if found.by_set.len() < sets {
            found.by_set.resize_with(sets, Vec::new);
        }
        for (field, normal) in FIELDS.into_iter().zip(&mut found.normals) {
            normal.read(if fields.contains(&field) { field_text(article, field) } else { "" });
        }
        for field in fields {
            self.scan_field(*field, found);
        }
        for set in &found.touched {
            found.by_set.get_mut(*set).into_iter().for_each(tidy);
        }
    }

    /// Finds what covers a text that a variant matches.
    pub(crate) fn covers(&self, written: &str, sets: usize, found: &mut Found) -> Vec<Covering> {
        let article = Article { title: written, ..Article::default() };
        self.scan_in(&article, sets, found, &[Field::Title]);
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

    fn scan_field(&self, field: Field, found: &mut Found) {
        let Some(automaton) = &self.automaton else { return };
        // Lent out while `found` is written to.
        let at = FIELDS.iter().position(|known| *known == field).unwrap_or_default();
        let Some(slot) = found.normals.get_mut(at) else { return };
        let normal = std::mem::take(slot);
        let mut wanted = std::mem::take(&mut found.wanted);
        wanted.clear();
        for met in automaton.find_overlapping_iter(normal.text()) {
            let Some(literal) = self.literals.get(met.pattern().as_usize()) else { continue };
            if !left_edge(literal.left, &normal, met.start()) {
                continue;
            }
            let next = self.literals.get(met.pattern().as_usize() + 1);
            let entries = literal.first as usize..next.map_or(self.entries.len(), |next| next.first as usize);
            for entry in self.entries.get(entries).unwrap_or_default() {
                let fit = match &entry.kind {
                    EntryKind::Regex(regex) => {
                        wanted.push(*regex);
                        continue;
                    }
                    EntryKind::Plain(ends) => fits(*ends, &normal, met.start(), met.end()),
                    EntryKind::Shaped(variant) => fits_all(variant, &normal, met.start(), met.end()),
                };
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

/// Checks a variant whose first piece stands at `start..end`; returns where all of it
/// ends, and whether that counts only when another pattern follows.
fn fits_all(variant: &Variant, normal: &Normal, start: usize, end: usize) -> Option<(usize, bool)> {
    if !same_case(&variant.head, normal, start) {
        return None;
    }
    fits(variant.ends, normal, start, follow(&variant.rest, normal, end)?)
}

/// Checks the ends of a variant that stands at `start..end`, but for what goes on there.
fn fits(ends: Ends, normal: &Normal, start: usize, end: usize) -> Option<(usize, bool)> {
    if !left_edge(ends.left, normal, start) {
        return None;
    }
    if ends.star {
        return Some((normal.word_end(end), false));
    }
    let rest = normal.text().get(end..)?;
    let plurals = if ends.plural { ["", "s", "es"].as_slice() } else { &[""] };
    let (end, verdict) = plurals
        .iter()
        .filter(|plural| rest.starts_with(**plural))
        .map(|plural| (end + plural.len(), right_edge(ends.right, normal, end + plural.len())))
        .find(|(_, verdict)| *verdict != Verdict::No)?;
    Some((end, verdict == Verdict::WithFollower))
}

fn same_case(piece: &Piece, normal: &Normal, start: usize) -> bool {
    let Some(capitals) = &piece.capitals else { return true };
    capitals.iter().zip(start..).all(|(capital, at)| normal.is_upper(at) == *capital)
}

/// Matches the pieces after stars; Hangul words may go on for up to four syllables.
fn follow(rest: &[Piece], normal: &Normal, end: usize) -> Option<usize> {
    let Some((piece, rest)) = rest.split_first() else { return Some(end) };
    let here = |at: usize| {
        let stands = normal.text().get(at..).is_some_and(|text| text.starts_with(&piece.text));
        (stands && same_case(piece, normal, at))
            .then(|| follow(rest, normal, at + piece.text.len()))
            .flatten()
    };
    if normal.class_before(end) != Some(Class::Hangul) {
        return here(normal.word_end(end));
    }
    let syllables =
        normal.text().get(end..)?.char_indices().map(|(at, _)| end + at).chain([normal.text().len()]);
    syllables
        .take_while(|at| *at == end || normal.class_before(*at) == Some(Class::Hangul))
        .take(5)
        .find_map(here)
}

fn left_edge(edge: Edge, normal: &Normal, at: usize) -> bool {
    let before = normal.class_before(at);
    match edge {
        Edge::Free => true,
        Edge::Alpha => before != Some(Class::Alpha),
        Edge::Katakana => before != Some(Class::Katakana) || normal.is_break(at),
        Edge::Hangul => before != Some(Class::Hangul) || normal.is_break(at),
        Edge::Arabic => {
            // One letter more than the longest prefix decides, however long the word is.
            let nearest = normal.text().get(normal.text().ceil_char_boundary(at.saturating_sub(18))..at);
            let nearest = nearest.unwrap_or_default();
            let word = nearest.trim_end_matches(|c| class_in_normal(c) == Class::Arabic).len();
            nearest.len() - word <= 16 && is_arabic_prefix(nearest.get(word..).unwrap_or_default())
        }
    }
}

/// What an edge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Yes,
    No,
    WithFollower,
}

fn right_edge(edge: Edge, normal: &Normal, at: usize) -> Verdict {
    let after = normal.class_at(at);
    let free = match edge {
        Edge::Free => true,
        Edge::Alpha => after != Some(Class::Alpha),
        Edge::Arabic => after != Some(Class::Arabic),
        Edge::Katakana => after != Some(Class::Katakana) || normal.is_break(at),
        Edge::Hangul => {
            let ends = |at: usize| normal.class_at(at) != Some(Class::Hangul) || normal.is_break(at);
            let is_particle = |length: usize| {
                ends(at + length)
                    && normal.text().get(at..at + length).is_some_and(|rest| PARTICLES.contains(&rest))
            };
            if !ends(at) && !PARTICLE_BYTES.into_iter().any(is_particle) {
                return Verdict::WithFollower;
            }
            true
        }
    };
    if free { Verdict::Yes } else { Verdict::No }
}
