//! A rule set: what rule files say, compiled, and what it says about an article.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use crate::problem::Source;
use crate::rules::ceiling::Ceilings;
use crate::rules::compound::Also;
use crate::rules::evaluate::{Evidence, View, Weights};
use crate::rules::expression::{Expr, Node, SetId};
use crate::rules::fields::FieldSet;
use crate::rules::file::{self, Test};
use crate::rules::outcome::{Article, Field, Hit, Level, Match};
use crate::rules::pattern::Variant;
use crate::rules::scan::{Found, Occurrence, Scanner};
use crate::rules::table::Word;
use crate::rules::testing::TestReport;

/// Evidence beyond this many hits is not kept.
const MOST_HITS: usize = 64;

/// What a rule is called and who looks after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Stable for ever.
    pub id: String,
    /// Former ids.
    pub was: Vec<String>,
    /// What a reader calls it.
    pub title: String,
    /// The topic its matches are listed under.
    pub topic: String,
    /// The level the file asks for; see [`RuleInfo::status`].
    pub level: Level,
    /// What lifts a match of level digest to an alert, as the file has it.
    pub alert_when: Option<String>,
    /// `stable` or `experimental`; an experimental rule's alerts become digest entries.
    pub status: &'static str,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Where to read more.
    pub refs: Vec<String>,
    /// What it is known to match wrongly.
    pub falsepos: Vec<String>,
    /// Facets its matches are tagged with.
    pub tags: Vec<String>,
}

/// One compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) info: RuleInfo,
    pub(crate) level: Level,
    pub(crate) when: Expr,
    pub(crate) when_text: String,
    pub(crate) unless: Option<(Expr, String)>,
    /// What lifts a match of level digest to an alert.
    pub(crate) alert_when: Option<Expr>,
    pub(crate) fields: FieldSet,
    pub(crate) score: Weights,
    /// Every set the rule names.
    pub(crate) sets: Vec<SetId>,
    /// Sets of which one must occur; none when the rule may fire without.
    pub(crate) necessary: Vec<SetId>,
    /// The score without which it cannot fire.
    pub(crate) least_score: Option<i64>,
    pub(crate) source: Source,
    /// The rule as the file has it, for the linter.
    pub(crate) written: file::Rule,
}

/// A compiled set.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) name: String,
    /// Its patterns, by number.
    pub(crate) patterns: Range<usize>,
    pub(crate) source: Source,
    pub(crate) span: Range<usize>,
    /// The rule it belongs to, when it is not shared.
    pub(crate) rule: Option<usize>,
    /// Where else it stands than its patterns do.
    pub(crate) also: Option<Also>,
}

/// A compiled pattern.
///
/// Tens of thousands of them are kept for as long as the daemon runs, so what the file says is looked up there.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    list: Arc<List>,
    span: Range<u32>,
}

/// Where patterns stand.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) source: Source,
    pub(crate) lang: String,
    /// They are regular expressions.
    pub(crate) regex: bool,
    /// What is written, for the few that the file has with escapes, by where they stand.
    unescaped: HashMap<u32, String>,
}

impl List {
    /// Returns the list of patterns that stand in `source`: what is written, and where, quotes included.
    pub(crate) fn new<'p>(
        source: &Source,
        lang: &str,
        regex: bool,
        patterns: impl Iterator<Item = (&'p str, Range<usize>)>,
    ) -> Self {
        let escaped = |(text, span): &(&str, Range<usize>)| quoted(source, span.clone()) != Some(*text);
        let unescaped = patterns.filter(escaped).map(|(text, span)| (span.start as u32, text.to_owned()));
        Self { source: source.clone(), lang: lang.to_owned(), regex, unescaped: unescaped.collect() }
    }
}

/// Returns what stands between quotes.
fn quoted(source: &Source, span: Range<usize>) -> Option<&str> {
    source.text.get(span).and_then(|raw| raw.get(1..raw.len().checked_sub(1)?))
}

impl Pattern {
    /// Returns the pattern of a list whose value stands at `span`, quotes included.
    pub(crate) fn new(list: Arc<List>, span: Range<usize>) -> Self {
        Self { list, span: span.start as u32..span.end as u32 }
    }

    /// Returns what is written.
    pub(crate) fn text(&self) -> &str {
        let unescaped = self.list.unescaped.get(&self.span.start).map(String::as_str);
        unescaped.or_else(|| quoted(self.source(), self.span())).unwrap_or_default()
    }

    pub(crate) fn source(&self) -> &Source {
        &self.list.source
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.span.start as usize..self.span.end as usize
    }

    /// Returns the place in the file of a range of what is written.
    pub(crate) fn place(&self, range: Range<usize>) -> Range<usize> {
        Word::new(self.source(), self.text(), self.span()).place(range)
    }

    pub(crate) fn is_regex(&self) -> bool {
        self.list.regex
    }

    pub(crate) fn lang(&self) -> &str {
        &self.list.lang
    }

    /// Returns what it stands for, read anew; nothing for a regular expression.
    pub(crate) fn variants(&self) -> Vec<Variant> {
        if self.is_regex() { Vec::new() } else { crate::rules::pattern::read(self.text(), self.lang()).0 }
    }
}

/// Compiled rules. Made by [`RuleSet::compile`].
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    pub(crate) infos: Vec<RuleInfo>,
    pub(crate) sets: Vec<Set>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) scanner: Scanner,
    /// The sets that say `also`, each after those it names.
    pub(crate) compounds: Vec<SetId>,
    /// For each set, the rules to look at when a pattern of it occurs. Compounds are not found yet then: the sets they
    /// rest on lead to their rules.
    pub(crate) rules_of: Vec<Vec<u32>>,
    /// Rules to look at always.
    pub(crate) always: Vec<u32>,
    pub(crate) ceilings: Ceilings,
    pub(crate) tests: Vec<(Source, Test)>,
    /// How many there were.
    pub(crate) test_count: usize,
    pub(crate) hash: String,
    pub(crate) reports: OnceLock<Vec<TestReport>>,
}

/// A part of a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Points {
    /// The set.
    pub set: String,
    /// Where it occurs.
    pub field: Field,
    /// Occurrences that count.
    pub times: i64,
    /// What they add.
    pub points: i64,
}

/// What evaluation keeps from article to article.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) found: Found,
    candidates: Vec<u32>,
    most: Vec<i64>,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Lends the thread's scratch memory.
pub(crate) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    let mut scratch = SCRATCH.take().unwrap_or_default();
    let result = work(&mut scratch);
    SCRATCH.set(Some(scratch));
    result
}

impl RuleSet {
    /// Returns the rules, in the order of the files.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.infos
    }

    /// Returns the hash of rule files, hexadecimal (SHA-256 over each one's length and text).
    pub fn hash_of(sources: &[Source]) -> String {
        let mut hash = Sha256::new();
        for source in sources {
            hash.update((source.text.len() as u64).to_le_bytes());
            hash.update(source.text.as_bytes());
        }
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }

    /// Lets go of the tests and how they went: for whoever only evaluates, for months.
    pub fn forget_tests(&mut self) {
        self.tests = Vec::new();
        self.forget_reports();
    }

    /// Lets go of how the tests went.
    pub fn forget_reports(&mut self) {
        self.reports = OnceLock::new();
    }

    /// Returns the hash of the sources, hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Returns the number of `[[test]]`s.
    pub fn test_count(&self) -> usize {
        self.test_count
    }

    /// Returns the number of patterns.
    pub fn pattern_count(&self) -> usize {
        self.patterns.len()
    }

    /// Returns what each set adds to a rule's score on an article.
    pub fn points(&self, article: &Article<'_>, rule: &str) -> Vec<Points> {
        let Some(rule) = self.rules.iter().find(|known| known.info.id == rule) else { return Vec::new() };
        with_scratch(|scratch| {
            self.scan(article, &mut scratch.found);
            let points = rule.view(&scratch.found);
            let name = |set: SetId| self.sets.get(set).map(|set| set.name.clone()).unwrap_or_default();
            points
                .points()
                .map(|(set, field, times, points)| Points { set: name(set), field, times, points })
                .collect()
        })
    }

    /// Normalises an article and runs the automaton over it, no more: what evaluation is measured against.
    #[doc(hidden)]
    pub fn scan_only(&self, article: &Article<'_>) -> usize {
        with_scratch(|scratch| self.scanner.run_bare(article, &mut scratch.found))
    }

    /// Returns every rule that fired, vetoed ones included, the best score first.
    pub fn evaluate(&self, article: &Article<'_>) -> Vec<Match> {
        with_scratch(|scratch| {
            self.scanner.scan(article, self.sets.len(), &mut scratch.found);
            self.choose(scratch);
            let mut matches = Vec::new();
            if scratch.candidates.is_empty() {
                return matches;
            }
            self.complete(&mut scratch.found);
            for rule in scratch.candidates.iter().filter_map(|rule| self.rules.get(*rule as usize)) {
                let view = rule.view(&scratch.found);
                if rule.least_score.is_none_or(|least| view.score() >= least) && view.holds(&rule.when) {
                    matches.push(self.record(rule, &view, article));
                }
            }
            matches.sort_by(|a: &Match, b| b.score.cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
            matches
        })
    }

    /// Chooses the rules that can fire on what the patterns found.
    fn choose(&self, scratch: &mut Scratch) {
        let Scratch { found, candidates, most } = scratch;
        candidates.clear();
        candidates.extend(&self.always);
        for set in &found.touched {
            candidates.extend_from_slice(self.rules_of.get(*set).map_or(&[], Vec::as_slice));
        }
        if candidates.is_empty() {
            return;
        }
        self.foresee(found);
        self.ceilings.reach(found, most);
        candidates.retain(|candidate| {
            let at = *candidate as usize;
            let least = self.rules.get(at).and_then(|rule| rule.least_score);
            least.is_none_or(|least| most.get(at).is_some_and(|most| *most >= least))
        });
        candidates.sort_unstable();
        candidates.dedup();
    }

    /// Writes down why a rule fired.
    fn record(&self, rule: &Rule, view: &View<'_>, article: &Article<'_>) -> Match {
        let branches = view.branches(&rule.when);
        let places = branches.iter().filter_map(|branch| view.places::<Evidence>(branch)).flatten();
        let mut parts: Vec<(SetId, Occurrence)> = places.flat_map(|evidence| evidence.parts).collect();
        // Where the points decide, what earned them is the reason.
        if branches.iter().any(|branch| asks_for_points(branch)) {
            parts.extend(view.earners());
        }
        parts = parts.into_iter().flat_map(|part| self.made_of(view.found, part)).collect();
        parts.sort_unstable_by_key(|(set, o)| (o.field, o.start, o.end, *set));
        parts.dedup();
        parts.truncate(MOST_HITS);
        let veto = rule.unless.as_ref().filter(|(unless, _)| view.holds(unless));
        Match {
            id: rule.info.id.clone(),
            title: rule.info.title.clone(),
            topic: rule.info.topic.clone(),
            level: rule.level_of(view),
            score: view.score(),
            branch: view.held(&rule.when, &rule.when_text),
            vetoed_by: veto.map(|(unless, text)| view.held(unless, text)),
            tags: rule.info.tags.clone(),
            hits: parts.iter().map(|(set, o)| self.hit(view.found, *set, o, article)).collect(),
        }
    }

    /// Puts an occurrence into the words of the original text.
    pub(crate) fn hit(
        &self,
        found: &Found,
        set: SetId,
        occurrence: &Occurrence,
        article: &Article<'_>,
    ) -> Hit {
        let text = article.text(occurrence.field);
        let (start, end) = (occurrence.start as usize, occurrence.end as usize);
        let range = found.normal(occurrence.field).original(text, start, end);
        Hit {
            set: self.sets.get(set).map(|set| set.name.clone()).unwrap_or_default(),
            pattern: self
                .patterns
                .get(occurrence.pattern as usize)
                .map(|p| p.text().to_owned())
                .unwrap_or_default(),
            field: occurrence.field,
            start: range.start,
            end: range.end,
            text: text.get(range).unwrap_or_default().to_owned(),
        }
    }
}

impl Rule {
    /// The level of a match: what the file asks for, or more where it says so, but never more than a trial allows.
    fn level_of(&self, view: &View<'_>) -> Level {
        let lifted = self.alert_when.as_ref().is_some_and(|lift| view.holds(lift));
        if lifted { Level::Alert } else { self.level }
    }

    pub(crate) fn view<'f>(&'f self, found: &'f Found) -> View<'f> {
        View::new(found, self.fields, &self.score, &self.sets)
    }
}

fn asks_for_points(expr: &Expr) -> bool {
    let mut asks = false;
    expr.walk(&mut |part| asks |= matches!(part.node, Node::Score(_)));
    asks
}
