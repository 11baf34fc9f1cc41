//! From rule files to a [`RuleSet`], or to all that is wrong with them.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::problem::{Problem, Severity, Source};
use crate::rules::ceiling::Ceilings;
use crate::rules::evaluate::Weights;
use crate::rules::expression::{self, Expr, Node, SetId};
use crate::rules::fields::FieldSet;
use crate::rules::file::{self, File, meant};
use crate::rules::grammar;
use crate::rules::necessary::least_score;
use crate::rules::outcome::Level;
use crate::rules::scan::{Expression, Literals, Scanner};
use crate::rules::set::{Pattern, Rule, RuleInfo, RuleSet, Set};
use crate::rules::shapes::Shapes;
use crate::rules::table::Word;

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
        let Builder { mut problems, sets, mut patterns, literals, shapes, regexes, rules, .. } = builder;
        patterns.shrink_to_fit();
        let broken = problems.iter().any(|problem| problem.severity == Severity::Error);
        let mut set = None;
        if !broken {
            let mut wanted = FieldSet::NONE;
            for rule in &rules {
                wanted = wanted.or(rule.fields);
                let mut scoped = |expr: &Expr| {
                    if let Node::Set { field: Some(field), .. } = expr.node {
                        wanted = wanted.or(FieldSet::one(field));
                    }
                };
                rule.when.walk(&mut scoped);
                rule.unless.iter().for_each(|(unless, _)| unless.walk(&mut scoped));
                rule.alert_when.iter().for_each(|lift| lift.walk(&mut scoped));
            }
            match Scanner::new(literals, shapes, regexes, wanted) {
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
    let mut ceilings = Ceilings::new(sets.len(), &compounds);
    for (rule, at) in rules.iter().zip(0_u32..) {
        if rule.least_score.is_some() {
            ceilings.add(at, rule.fields, &rule.score);
        }
        if rule.necessary.is_empty() {
            always.push(at);
        }
        for set in &rule.necessary {
            rules_of.get_mut(*set).into_iter().for_each(|list| list.push(at));
        }
    }
    RuleSet {
        infos: rules.iter().map(|rule| rule.info.clone()).collect(),
        hash: RuleSet::hash_of(sources),
        test_count: files.iter().map(|file| file.tests.len()).sum(),
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
        ceilings,
        reports: OnceLock::new(),
    }
}

/// Everything gathered so far.
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) problems: Vec<Problem>,
    pub(crate) sets: Vec<Set>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) literals: Literals,
    pub(crate) shapes: Shapes,
    pub(crate) regexes: Vec<Expression>,
    pub(crate) globals: HashMap<String, SetId>,
    /// For each set, how often it may be expected.
    pub(crate) costs: Vec<usize>,
    rules: Vec<Rule>,
    ids: HashMap<String, (Source, Word)>,
}

impl Builder {
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
            let id = self.set(&[(&file.source, set)], Some(number));
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
        let mut score = Weights {
            of: weights.unwrap_or_else(|| in_when.iter().map(|set| (*set, 1)).collect()),
            title_x: rule.score.title_x,
            cap: rule.score.cap,
        };
        score.of.sort_unstable();
        let necessary = self.necessary(&when, &score).unwrap_or_default();
        let least_score = least_score(&when);
        self.rules.push(Rule {
            info: info(rule),
            level: if rule.experimental { rule.level.min(Level::Digest) } else { rule.level },
            when_text: rule.when.text.clone(),
            fields: file.fields,
            source: file.source.clone(),
            written: rule.clone(),
            when,
            least_score,
            unless,
            // A rule on trial alerts nobody.
            alert_when: lift.flatten().filter(|_| !rule.experimental),
            score,
            sets,
            necessary,
        });
    }

    pub(crate) fn expression(
        &mut self,
        file: &File,
        word: &Word,
        locals: &HashMap<String, SetId>,
    ) -> Option<Expr> {
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
        match grammar::parse(&word.text, file.near, &mut resolve) {
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
