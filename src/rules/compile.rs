//! From rule files to a [`RuleSet`], or to all that is wrong with them.

use std::collections::HashMap;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use crate::problem::{Problem, Severity, Source};
use crate::rules::compound::{Also, NO_POINTS};
use crate::rules::evaluate::Weights;
use crate::rules::expression::{self, Expr, Node, SetId};
use crate::rules::file::{self, File, meant};
use crate::rules::literal;
use crate::rules::normal::Normal;
use crate::rules::outcome::{Field, Level};
use crate::rules::pattern;
use crate::rules::scan::{Entry, EntryKind, Expression, Scanner};
use crate::rules::set::{Pattern, Rule, RuleInfo, RuleSet, Set};
use crate::rules::table::Word;

/// A regular expression's compiled form may take this many bytes.
const REGEX_SIZE: usize = 1 << 20;

/// What [`RuleSet::compile`] yields.
#[derive(Debug)]
pub struct Compiled {
    /// The rules; none when there is any error.
    pub set: Option<RuleSet>,
    /// Errors and warnings, in the order of the files.
    pub problems: Vec<Problem>,
}

impl RuleSet {
    /// Compiles rule files, which share their global sets.
    pub fn compile(sources: &[Source]) -> Compiled {
        let mut problems = Vec::new();
        let files: Vec<File> = sources.iter().map(|source| file::read(source, &mut problems)).collect();
        let mut builder = Builder { problems, ..Builder::default() };
        builder.global_sets(&files);
        builder.global_compounds(&files);
        for file in &files {
            for rule in &file.rules {
                builder.rule(file, rule);
            }
        }
        builder.tests(&files);
        let compounds = builder.in_order();
        let Builder { mut problems, sets, patterns, literals, regexes, rules, .. } = builder;
        let broken = problems.iter().any(|problem| problem.severity == Severity::Error);
        let mut set = None;
        if !broken {
            let mut wanted: Vec<Field> = Vec::new();
            for rule in &rules {
                wanted.extend(&rule.fields);
                let mut scoped = |expr: &Expr| {
                    wanted.extend(match expr.node {
                        Node::Set { field, .. } => field,
                        _ => None,
                    })
                };
                rule.when.walk(&mut scoped);
                rule.unless.iter().for_each(|(unless, _)| unless.walk(&mut scoped));
                rule.alert_when.iter().for_each(|lift| lift.walk(&mut scoped));
            }
            wanted.sort_unstable();
            wanted.dedup();
            match Scanner::new(literals, regexes, wanted) {
                Ok(scanner) => {
                    set = Some(assemble(sources, files, (sets, compounds), patterns, rules, scanner))
                }
                Err(error) => problems.push(Problem::bare(format!("the rules are too large: {error}"))),
            }
        }
        if let Some(set) = &set {
            problems.extend(crate::rules::lint::lint(set));
        }
        sort(&mut problems, sources);
        Compiled { set, problems }
    }
}

/// Puts problems in the order of the files.
fn sort(problems: &mut [Problem], sources: &[Source]) {
    problems.sort_by_key(|problem| {
        let file =
            problem.source.as_ref().and_then(|source| sources.iter().position(|s| s.path == source.path));
        (file, problem.span.start)
    });
}

fn assemble(
    sources: &[Source],
    files: Vec<File>,
    (sets, compounds): (Vec<Set>, Vec<SetId>),
    patterns: Vec<Pattern>,
    rules: Vec<Rule>,
    scanner: Scanner,
) -> RuleSet {
    let mut rules_of: Vec<Vec<u32>> = vec![Vec::new(); sets.len()];
    let mut always = Vec::new();
    for (rule, at) in rules.iter().zip(0_u32..) {
        if rule.necessary.is_empty() {
            always.push(at);
        }
        for set in &rule.necessary {
            rules_of.get_mut(*set).into_iter().for_each(|list| list.push(at));
        }
    }
    let mut hash = Sha256::new();
    for source in sources {
        hash.update((source.text.len() as u64).to_le_bytes());
        hash.update(source.text.as_bytes());
    }
    RuleSet {
        infos: rules.iter().map(|rule| rule.info.clone()).collect(),
        hash: data_encoding::HEXLOWER.encode(&hash.finalize()),
        tests: files
            .iter()
            .flat_map(|file| file.tests.iter().map(|t| (file.source.clone(), t.clone())))
            .collect(),
        rules,
        sets,
        patterns,
        scanner,
        compounds,
        rules_of,
        always,
        reports: OnceLock::new(),
    }
}

/// Everything gathered so far.
#[derive(Default)]
struct Builder {
    problems: Vec<Problem>,
    sets: Vec<Set>,
    patterns: Vec<Pattern>,
    literals: Vec<(String, Entry)>,
    regexes: Vec<Expression>,
    rules: Vec<Rule>,
    globals: HashMap<String, SetId>,
    ids: HashMap<String, (Source, Word)>,
}

impl Builder {
    fn global_sets(&mut self, files: &[File]) {
        for file in files {
            for set in &file.sets {
                if self.globals.contains_key(&set.name.text) {
                    let what = format!("the set `{}` is defined twice", set.name.text);
                    let problem = Problem::error(&file.source, set.name.span.clone(), what);
                    self.problems.push(problem.hint("files share their sets: merge the two, or rename one"));
                    continue;
                }
                let id = self.set(&file.source, set, None);
                self.globals.insert(set.name.text.clone(), id);
            }
        }
    }

    fn set(&mut self, source: &Source, set: &file::Set, rule: Option<usize>) -> SetId {
        let id = self.sets.len();
        let first = self.patterns.len();
        for pattern in &set.patterns {
            match pattern.regex {
                true => self.regex(source, id, pattern),
                false => self.literal(source, id, pattern),
            }
        }
        let patterns = first..self.patterns.len();
        self.sets.push(Set {
            name: set.name.text.clone(),
            patterns,
            source: source.clone(),
            span: set.name.span.clone(),
            rule,
            also: None,
        });
        id
    }

    fn global_compounds(&mut self, files: &[File]) {
        for file in files {
            for set in file.sets.iter().filter(|set| set.also.is_some()) {
                if let Some(id) = self.globals.get(&set.name.text).copied() {
                    self.compound(file, set, id, &HashMap::new());
                }
            }
        }
    }

    /// Reads a set's `also`. It must be sure to find something, and know no points: it belongs to no rule.
    fn compound(&mut self, file: &File, set: &file::Set, id: SetId, locals: &HashMap<String, SetId>) {
        let Some(word) = &set.also else { return };
        let Some(expr) = self.expression(file, word, locals) else { return };
        let (mut sets, mut scored) = (Vec::new(), false);
        expr.walk(&mut |part| match part.node {
            Node::Set { id, .. } => sets.push(id),
            Node::Score(_) => scored = true,
            _ => {}
        });
        if scored {
            let what = "`also` knows no score: that belongs to a rule";
            let hint = "write which sets must meet, such as `a near/2 b`";
            self.problems.push(Problem::error(&file.source, word.span.clone(), what).hint(hint));
            return;
        }
        sets.sort_unstable();
        sets.dedup();
        if let Some(set) = self.sets.get_mut(id) {
            set.also = Some(Also { expr, sets, span: word.span.clone() });
        }
    }

    /// Returns the sets that say `also`, each after those it names; complains about those that name each other.
    fn in_order(&mut self) -> Vec<SetId> {
        let mut waiting: Vec<SetId> = (0..self.sets.len())
            .filter(|id| self.sets.get(*id).is_some_and(|set| set.also.is_some()))
            .collect();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let named =
                |id: &SetId| self.sets.get(*id).and_then(|set| set.also.as_ref()).map(|also| &also.sets);
            let ready =
                |id: &SetId| named(id).is_none_or(|sets| !sets.iter().any(|set| waiting.contains(set)));
            let (now, later): (Vec<SetId>, Vec<SetId>) = waiting.iter().partition(|id| ready(id));
            if now.is_empty() {
                break;
            }
            order.extend(now);
            waiting = later;
        }
        for set in waiting.iter().filter_map(|id| self.sets.get(*id)) {
            let span = set.also.as_ref().map_or(set.span.clone(), |also| also.span.clone());
            let what = format!("the set `{}` leads back to itself through `also`", set.name);
            self.problems.push(
                Problem::error(&set.source, span, what)
                    .hint("let one of the sets stand by its patterns alone"),
            );
        }
        order
    }

    fn literal(&mut self, source: &Source, set: SetId, pattern: &file::Pattern) {
        let (variants, mistakes) = pattern::read(&pattern.word.text, &pattern.lang);
        for mistake in mistakes {
            let span = pattern.word.place(mistake.span);
            let problem = match mistake.fatal {
                true => Problem::error(source, span, mistake.what),
                false => Problem::warning(source, span, mistake.what),
            };
            self.problems.push(problem.hint(mistake.hint));
        }
        let number = self.patterns.len() as u32;
        for variant in &variants {
            let kind = EntryKind::Literal(variant.clone());
            self.literals.push((variant.head.text.clone(), Entry { set, pattern: number, kind }));
        }
        self.keep(source, pattern, variants);
    }

    fn keep(&mut self, source: &Source, pattern: &file::Pattern, variants: Vec<pattern::Variant>) {
        self.patterns.push(Pattern {
            text: pattern.word.text.clone(),
            lang: pattern.lang.clone(),
            variants,
            source: source.clone(),
            span: pattern.word.span.clone(),
        });
    }

    fn regex(&mut self, source: &Source, set: SetId, pattern: &file::Pattern) {
        let span = pattern.word.span.clone();
        let text = &pattern.word.text;
        let number = self.patterns.len() as u32;
        self.keep(source, pattern, Vec::new());
        let regex = regex::RegexBuilder::new(text).size_limit(REGEX_SIZE).dfa_size_limit(REGEX_SIZE).build();
        let (regex, hir) = match (regex, regex_syntax::parse(text)) {
            (Ok(regex), Ok(hir)) => (regex, hir),
            (Err(error), _) => {
                let what = format!("the regular expression is refused: {}", last_line(&error.to_string()));
                self.problems.push(
                    Problem::error(source, span, what).hint("see https://docs.rs/regex for the syntax"),
                );
                return;
            }
            (_, Err(error)) => {
                let what = format!("the regular expression is refused: {}", last_line(&error.to_string()));
                self.problems.push(
                    Problem::error(source, span, what).hint("see https://docs.rs/regex for the syntax"),
                );
                return;
            }
        };
        let Some(family) = literal::required(&hir) else {
            let what = "the regular expression can match without any fixed word";
            let hint = format!(
                "let it contain at least {} fixed characters in a row in every branch",
                literal::SHORTEST
            );
            self.problems.push(Problem::error(source, span, what).hint(hint));
            return;
        };
        for word in family {
            if Normal::of(&word).text() != word.trim() {
                let what = format!("`{word}` never stands in a normalised text");
                let hint = "texts are folded first: small letters, no accents, single spaces for hyphens";
                self.problems.push(Problem::warning(source, span.clone(), what).hint(hint));
            }
            let kind = EntryKind::Regex(self.regexes.len());
            self.literals.push((word, Entry { set, pattern: number, kind }));
        }
        self.regexes.push(Expression { regex, set, pattern: number });
    }

    fn rule(&mut self, file: &File, rule: &file::Rule) {
        for id in std::iter::once(&rule.id).chain(&rule.was) {
            if let Some((source, first)) = self.ids.get(&id.text) {
                let place = Problem::error(source, first.span.clone(), "").place().unwrap_or_default();
                let what = format!("the rule id `{}` is taken", id.text);
                let hint = format!("it was given at {place}; ids are unique over all files");
                self.problems.push(Problem::error(&file.source, id.span.clone(), what).hint(hint));
            } else {
                self.ids.insert(id.text.clone(), (file.source.clone(), id.clone()));
            }
        }
        let number = self.rules.len();
        let mut locals: HashMap<String, SetId> = HashMap::new();
        for set in &rule.sets {
            let id = self.set(&file.source, set, Some(number));
            locals.insert(set.name.text.clone(), id);
        }
        for set in &rule.sets {
            if let Some(id) = locals.get(&set.name.text).copied() {
                self.compound(file, set, id, &locals);
            }
        }
        let when = self.expression(file, &rule.when, &locals);
        let unless = rule.unless.as_ref().map(|unless| (self.expression(file, unless, &locals), unless));
        let weights = self.weights(file, rule, &locals);
        let lift = rule.alert_when.as_ref().map(|lift| self.expression(file, lift, &locals));
        let (Some(when), None | Some((Some(_), _)), None | Some(Some(_))) = (when, &unless, &lift) else {
            return;
        };
        let unless = unless.and_then(|(expr, word)| expr.map(|expr| (expr, word.text.clone())));
        let mut sets: Vec<SetId> = weights.iter().flatten().map(|(set, _)| *set).collect();
        let mut in_when = Vec::new();
        let visit = |expr: &Expr, list: &mut Vec<SetId>| {
            if let Node::Set { id, .. } = &expr.node {
                list.push(*id);
            }
        };
        when.walk(&mut |expr| visit(expr, &mut in_when));
        unless.iter().for_each(|(unless, _)| unless.walk(&mut |expr| visit(expr, &mut sets)));
        lift.iter().flatten().for_each(|lift| lift.walk(&mut |expr| visit(expr, &mut sets)));
        sets.extend(&in_when);
        sets.sort_unstable();
        sets.dedup();
        in_when.sort_unstable();
        in_when.dedup();
        let score = Weights {
            of: weights.unwrap_or_else(|| in_when.iter().map(|set| (*set, 1)).collect()),
            title_x: rule.score.title_x,
            cap: rule.score.cap,
        };
        let necessary = self.necessary(&when, &score).unwrap_or_default();
        self.rules.push(Rule {
            info: info(rule),
            level: if rule.experimental { rule.level.min(Level::Digest) } else { rule.level },
            when_text: rule.when.text.clone(),
            fields: file.fields.clone(),
            source: file.source.clone(),
            written: rule.clone(),
            when,
            unless,
            // A rule on trial alerts nobody.
            alert_when: lift.flatten().filter(|_| !rule.experimental),
            score,
            sets,
            necessary,
        });
    }

    fn expression(&mut self, file: &File, word: &Word, locals: &HashMap<String, SetId>) -> Option<Expr> {
        let globals = &self.globals;
        let mut resolve = |name: &str| {
            locals.get(name).or_else(|| globals.get(name)).copied().ok_or_else(|| {
                let operator = name.to_lowercase();
                if expression::RESERVED.contains(&operator.as_str()) {
                    return format!("operators are written small: `{operator}`");
                }
                let known: Vec<&str> = locals.keys().chain(globals.keys()).map(String::as_str).collect();
                match crate::problem::did_you_mean(name, known) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => {
                        format!("define it: `[sets.{name}]`, or `[rule.sets.{name}]` for this rule alone")
                    }
                }
            })
        };
        match expression::parse(&word.text, file.near, &mut resolve) {
            Ok(expr) => Some(expr),
            Err(mistakes) => {
                for mistake in mistakes {
                    let span = word.place(mistake.span);
                    self.problems.push(Problem::error(&file.source, span, mistake.what).hint(mistake.hint));
                }
                None
            }
        }
    }

    fn weights(
        &mut self,
        file: &File,
        rule: &file::Rule,
        locals: &HashMap<String, SetId>,
    ) -> Option<Vec<(SetId, i64)>> {
        let mut weights = Vec::new();
        for (name, weight) in &rule.score.weights {
            match locals.get(&name.text).or_else(|| self.globals.get(&name.text)) {
                Some(set) => weights.push((*set, *weight)),
                None => {
                    let known: Vec<&str> =
                        locals.keys().chain(self.globals.keys()).map(String::as_str).collect();
                    let what = format!("there is no set `{}`", name.text);
                    let problem = Problem::error(&file.source, name.span.clone(), what);
                    self.problems.push(problem.hint(meant(&name.text, &known)));
                }
            }
        }
        (!weights.is_empty()).then_some(weights)
    }

    /// Chooses the cheapest sets of which one must occur for an expression to hold.
    fn necessary(&self, expr: &Expr, score: &Weights) -> Option<Vec<SetId>> {
        let cheapest = |parts: &mut dyn Iterator<Item = &Expr>| {
            let families = parts.filter_map(|part| self.necessary(part, score));
            families.min_by_key(|family| family.iter().map(|set| self.cost(*set)).sum::<usize>())
        };
        let all = |parts: &[Expr]| {
            let families: Option<Vec<Vec<SetId>>> =
                parts.iter().map(|part| self.necessary(part, score)).collect();
            families.map(|families| families.concat())
        };
        match &expr.node {
            Node::Set { id, .. } => self.found_by(*id),
            Node::And(parts) => cheapest(&mut parts.iter()),
            Node::Or(parts) | Node::Of(_, parts) => all(parts),
            Node::Pair(expression::Nearness::Away(_), left, _) => self.necessary(left, score),
            Node::Pair(_, left, right) => cheapest(&mut [left.as_ref(), right.as_ref()].into_iter()),
            Node::Not(_) => None,
            // A score of nothing is 0.
            Node::Score(least) if *least <= 0 => None,
            Node::Score(_) => {
                let earning = score.of.iter().filter(|(_, weight)| *weight > 0);
                let families: Option<Vec<Vec<SetId>>> = earning.map(|(set, _)| self.found_by(*set)).collect();
                families.map(|families| families.concat())
            }
        }
    }

    /// Returns the sets of which one has a pattern in the text wherever this one occurs.
    fn found_by(&self, set: SetId) -> Option<Vec<SetId>> {
        let Some(also) = self.sets.get(set).and_then(|set| set.also.as_ref()) else { return Some(vec![set]) };
        // Sets that lead back to themselves are refused later.
        let nested =
            also.sets.iter().any(|named| self.sets.get(*named).is_some_and(|named| named.also.is_some()));
        let mut family = match nested {
            true => also.sets.iter().map(|named| self.plain(*named)).collect::<Vec<_>>().concat(),
            false => self.necessary(&also.expr, &NO_POINTS)?,
        };
        family.push(set);
        Some(family)
    }

    /// Returns every set that a compound rests on.
    fn plain(&self, set: SetId) -> Vec<SetId> {
        let mut all = vec![set];
        let mut next = 0;
        while let Some(id) = all.get(next).copied() {
            next += 1;
            let named = self.sets.get(id).and_then(|set| set.also.as_ref()).map(|also| also.sets.clone());
            all.extend(named.into_iter().flatten().filter(|named| !all.contains(named)).collect::<Vec<_>>());
        }
        all
    }

    /// Guesses how often a set occurs: short literals often, long ones hardly ever.
    fn cost(&self, set: SetId) -> usize {
        let patterns = self.sets.get(set).map_or(0..0, |set| set.patterns.clone());
        let variants =
            self.patterns.get(patterns).unwrap_or_default().iter().flat_map(|pattern| &pattern.variants);
        1 + variants.map(|variant| 10_000 / variant.head.text.len().pow(2).max(1)).sum::<usize>()
    }

    fn tests(&mut self, files: &[File]) {
        for file in files {
            for test in &file.tests {
                for word in test.matches.iter().chain(&test.no).flatten() {
                    if !self.ids.contains_key(&word.text) {
                        let known: Vec<&str> = self.ids.keys().map(String::as_str).collect();
                        let what = format!("there is no rule `{}`", word.text);
                        let problem = Problem::error(&file.source, word.span.clone(), what);
                        self.problems.push(problem.hint(meant(&word.text, &known)));
                    }
                }
            }
        }
    }
}

fn info(rule: &file::Rule) -> RuleInfo {
    RuleInfo {
        id: rule.id.text.clone(),
        was: rule.was.iter().map(|word| word.text.clone()).collect(),
        title: rule.title.clone(),
        topic: rule.topic.clone(),
        level: rule.level,
        alert_when: rule.alert_when.as_ref().map(|word| word.text.clone()),
        status: if rule.experimental { "experimental" } else { "stable" },
        owner: rule.owner.clone(),
        refs: rule.refs.clone(),
        falsepos: rule.falsepos.clone(),
        tags: rule.tags.clone(),
    }
}

fn last_line(message: &str) -> &str {
    message.lines().last().unwrap_or(message).trim_start_matches("error: ")
}
