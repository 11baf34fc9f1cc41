//! Runs the `[[test]]`s of rule files.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::problem::Problem;
use crate::rules::evaluate::View;
use crate::rules::expression::{Expr, Node};
use crate::rules::file::Test;
use crate::rules::outcome::{Article, Level, Match};
use crate::rules::set::{RuleSet, with_scratch};

/// One `[[test]]`, run.
#[derive(Debug, Clone)]
pub struct TestReport {
    /// Its title, else its summary.
    pub name: String,
    /// What it says about each rule it names, and what came out.
    pub outcomes: Vec<TestOutcome>,
    /// Every rule that fired and was not vetoed.
    pub fired: Vec<String>,
    /// Its place, as a problem to show when something failed.
    pub problem: Option<Problem>,
}

impl TestReport {
    /// Whether all came out as the test says.
    pub fn passed(&self) -> bool {
        self.problem.is_none()
    }
}

/// What a test says about one rule, and what came out.
#[derive(Debug, Clone)]
pub struct TestOutcome {
    /// The rule.
    pub rule: String,
    /// Whether it should fire.
    pub wanted: bool,
    /// At which level it should fire, where the test says so.
    pub level: Option<Level>,
    /// The match, when it fired.
    pub fired: Option<Match>,
    /// For a rule that did not fire: how near it came.
    pub nearest: Option<String>,
}

impl TestOutcome {
    /// Whether it came out as wanted.
    pub fn passed(&self) -> bool {
        let fired = self.fired.as_ref().filter(|fired| fired.vetoed_by.is_none());
        self.wanted == fired.is_some() && self.is_of_level()
    }

    /// Whether a match has the level it should have.
    fn is_of_level(&self) -> bool {
        self.level.zip(self.fired.as_ref()).is_none_or(|(level, fired)| fired.level == level)
    }

    /// Says what went wrong.
    fn complaint(&self) -> String {
        let mut text = match (&self.fired, self.wanted) {
            (Some(Match { vetoed_by: Some(veto), .. }), true) => {
                format!("`{}` was vetoed by `{veto}`", self.rule)
            }
            (Some(fired), true) => {
                format!("`{}` fired as {}, by {}", self.rule, fired.level.name(), fired.branch)
            }
            (Some(fired), false) => format!("`{}` fired: {}", self.rule, fired.branch),
            (None, _) => format!("`{}` did not fire", self.rule),
        };
        if let Some(fired) = &self.fired {
            let hits: Vec<String> =
                fired.hits.iter().map(|hit| format!("{} \"{}\"", hit.set, hit.text)).collect();
            let _ = write!(text, " ({})", hits.join(", "));
        }
        if let Some(nearest) = &self.nearest {
            let _ = write!(text, " ({nearest})");
        }
        text
    }
}

impl Test {
    /// Whether no rule at all may fire.
    pub(crate) fn demands_silence(&self) -> bool {
        self.matches.as_ref().is_some_and(Vec::is_empty) && self.no.is_none()
    }

    pub(crate) fn article(&self) -> Article<'_> {
        Article {
            title: &self.title,
            summary: &self.summary,
            body: &self.body,
            url: &self.url,
            source: &self.source,
            lang: &self.lang,
        }
    }
}

impl RuleSet {
    /// Runs every `[[test]]`.
    pub fn test(&self) -> Vec<TestReport> {
        self.reports().to_vec()
    }

    /// Runs every `[[test]]` the first time it is asked.
    pub(crate) fn reports(&self) -> &[TestReport] {
        self.reports.get_or_init(|| self.tests.iter().map(|(source, test)| self.run(source, test)).collect())
    }

    /// Returns the failed tests as errors.
    pub fn failures(&self) -> Vec<Problem> {
        self.reports().iter().filter_map(|report| report.problem.clone()).collect()
    }

    fn run(&self, source: &crate::problem::Source, test: &Test) -> TestReport {
        let article = test.article();
        let matches = self.evaluate(&article);
        let wanted = test.matches.iter().flatten().map(|word| (self.current(&word.text), true));
        let mut unwanted: Vec<String> =
            test.no.iter().flatten().map(|word| self.current(&word.text)).collect();
        // An empty list on its own demands silence.
        if test.demands_silence() {
            unwanted = matches.iter().filter(|m| m.vetoed_by.is_none()).map(|m| m.id.clone()).collect();
        }
        let outcomes: Vec<TestOutcome> = wanted
            .chain(unwanted.into_iter().map(|rule| (rule, false)))
            .map(|(rule, wanted)| {
                let fired = matches.iter().find(|fired| fired.id == rule).cloned();
                let nearest = (fired.is_none() && wanted).then(|| self.nearness(&article, &rule)).flatten();
                TestOutcome { rule, wanted, level: test.level.filter(|_| wanted), fired, nearest }
            })
            .collect();
        let complaints: Vec<String> =
            outcomes.iter().filter(|outcome| !outcome.passed()).map(TestOutcome::complaint).collect();
        let name = if test.title.is_empty() { &test.summary } else { &test.title };
        let problem = (!complaints.is_empty()).then(|| {
            let what = format!("the test \"{name}\" fails: {}", complaints.join("; "));
            Problem::error(source, test.span.clone(), what).hint("mend the rule, or the test")
        });
        let fired = matches.iter().filter(|m| m.vetoed_by.is_none()).map(|m| m.id.clone()).collect();
        TestReport { name: name.clone(), outcomes, fired, problem }
    }

    /// Returns a rule's present id, which it may be named by a former one.
    fn current(&self, id: &str) -> String {
        let found = self.infos.iter().find(|info| info.id == id || info.was.iter().any(|was| was == id));
        found.map_or_else(|| id.to_owned(), |info| info.id.clone())
    }

    /// Returns rule and set of every set that could be taken out of its rule without any `[[test]]` failing.
    pub fn unguarded(&self) -> Vec<(String, String)> {
        let mut unguarded: BTreeSet<(usize, usize)> = BTreeSet::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let mut name = |expr: &Expr| {
                if let Node::Set { id, .. } = expr.node {
                    unguarded.insert((at, id));
                }
            };
            rule.when.walk(&mut name);
            rule.unless.iter().for_each(|(unless, _)| unless.walk(&mut name));
            unguarded.extend(rule.score.of.iter().map(|(set, _)| (at, *set)));
        }
        for (_, test) in &self.tests {
            let demands = [(&test.matches, true), (&test.no, false)];
            for (word, wanted) in demands
                .into_iter()
                .flat_map(|(words, wanted)| words.iter().flatten().map(move |w| (w, wanted)))
            {
                let id = self.current(&word.text);
                let Some((at, rule)) = self.rules.iter().enumerate().find(|(_, rule)| rule.info.id == id)
                else {
                    continue;
                };
                with_scratch(|scratch| {
                    self.scan(&test.article(), &mut scratch.found);
                    unguarded.retain(|(of, set)| {
                        let blind = rule.view(&scratch.found).without(*set);
                        let fires = |view: &View<'_>| {
                            view.holds(&rule.when)
                                && !rule.unless.as_ref().is_some_and(|(unless, _)| view.holds(unless))
                        };
                        *of != at || fires(&blind) == wanted
                    });
                });
            }
        }
        let name = |(rule, set): (usize, usize)| {
            Some((self.rules.get(rule)?.info.id.clone(), self.sets.get(set)?.name.clone()))
        };
        unguarded.into_iter().filter_map(name).collect()
    }
}
