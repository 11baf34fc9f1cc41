//! Precision and recall of rules on labelled articles, and what a changed rule set would change.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::rules::outcome::{Article, Match};
use crate::rules::set::RuleSet;

/// How often rules were right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Relevant and matched.
    pub tp: u64,
    /// Irrelevant and matched.
    pub fp: u64,
    /// Relevant and missed.
    pub fn_: u64,
    /// Irrelevant and left alone.
    pub tn: u64,
}

impl Tally {
    /// Counts one article.
    pub fn add(&mut self, relevant: bool, matched: bool) {
        match (relevant, matched) {
            (true, true) => self.tp += 1,
            (false, true) => self.fp += 1,
            (true, false) => self.fn_ += 1,
            (false, false) => self.tn += 1,
        }
    }

    /// Returns the share of the matched that is relevant; 1 when nothing matched.
    pub fn precision(&self) -> f64 {
        ratio(self.tp, self.tp + self.fp)
    }

    /// Returns the share of the relevant that matched; 1 when nothing is relevant.
    pub fn recall(&self) -> f64 {
        ratio(self.tp, self.tp + self.fn_)
    }

    /// Returns the F-measure; below 1, `beta` favours precision.
    pub fn f(&self, beta: f64) -> f64 {
        let (p, r, b) = (self.precision(), self.recall(), beta * beta);
        if p + r == 0.0 { 0.0 } else { (1.0 + b) * p * r / (b * p + r) }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

impl Serialize for Tally {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(8))?;
        for (key, count) in [("tp", self.tp), ("fp", self.fp), ("fn", self.fn_), ("tn", self.tn)] {
            map.serialize_entry(key, &count)?;
        }
        let figures = [
            ("precision", self.precision()),
            ("recall", self.recall()),
            ("f1", self.f(1.0)),
            ("f05", self.f(0.5)),
        ];
        for (key, figure) in figures {
            map.serialize_entry(key, &((figure * 1e4).round() / 1e4))?;
        }
        map.end()
    }
}

/// An article the rules judged wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// Its id in the corpus.
    pub id: String,
    /// 1 relevant, 0 not.
    pub label: u8,
    /// What the rules said.
    pub matched: bool,
    /// The rules that matched.
    pub rules: Vec<String>,
    /// For a person: the headline, and what matched or was lacking.
    #[serde(skip)]
    pub note: String,
}

/// Figures over a corpus.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// All articles.
    pub overall: Tally,
    /// By language tag.
    pub by_lang: BTreeMap<String, Tally>,
    /// By rule: its matches against the label of the article.
    pub by_rule: BTreeMap<String, Tally>,
    /// Misses and false alarms, in the order of the corpus.
    pub errors: Vec<Wrong>,
}

impl Figures {
    /// Begins with every rule of a set.
    pub fn new(rules: &RuleSet) -> Self {
        let by_rule = rules.rules().iter().map(|rule| (rule.id.clone(), Tally::default())).collect();
        Self { by_rule, ..Self::default() }
    }

    /// Judges one labelled article.
    pub fn judge(&mut self, rules: &RuleSet, id: &str, article: &Article<'_>, relevant: bool) {
        let matches: Vec<Match> = rules.evaluate(article).into_iter().collect();
        let counting: Vec<&Match> = matches.iter().filter(|m| m.counts()).collect();
        let matched = !counting.is_empty();
        self.overall.add(relevant, matched);
        self.by_lang.entry(article.lang.to_owned()).or_default().add(relevant, matched);
        for (rule, tally) in &mut self.by_rule {
            tally.add(relevant, counting.iter().any(|m| m.id == *rule));
        }
        if matched == relevant {
            return;
        }
        let mut note = article.title.to_owned();
        for found in &counting {
            let hits: Vec<&str> = found.hits.iter().map(|hit| hit.text.as_str()).collect();
            note += &format!("\n    {} by {}: {}", found.id, found.branch, hits.join(" / "));
        }
        for veto in matches.iter().filter(|m| m.vetoed_by.is_some() && relevant) {
            note +=
                &format!("\n    {} was vetoed by {}", veto.id, veto.vetoed_by.as_deref().unwrap_or_default());
        }
        for near in rules.near_misses(article, usize::from(relevant)) {
            let hits: Vec<&str> = near.hits.iter().map(|hit| hit.text.as_str()).collect();
            note += &format!("\n    nearest {}: {} (found {})", near.rule, near.lacking, hits.join(" / "));
        }
        let rules = counting.iter().map(|m| m.id.clone()).collect();
        self.errors.push(Wrong { id: id.to_owned(), label: u8::from(relevant), matched, rules, note });
    }
}

/// What becomes of one rule's match on one stored article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "change")]
pub enum Change {
    /// Only the new rules match.
    Added {
        /// The new score.
        score: i64,
    },
    /// Only the old rules matched.
    Lost {
        /// The old score.
        score: i64,
    },
    /// Both match, with another score or level.
    Reranked {
        /// The old score.
        from: i64,
        /// The new score.
        to: i64,
    },
}

/// One difference between two rule sets on one article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference<Id> {
    /// The article.
    pub article: Id,
    /// The rule.
    pub rule: String,
    /// What changes.
    #[serde(flatten)]
    pub change: Change,
}

/// Compares two rule sets on stored articles, in their order.
pub fn backtest<'a, Id: Clone>(
    old: &RuleSet,
    new: &RuleSet,
    articles: impl IntoIterator<Item = (Id, Article<'a>)>,
) -> Vec<Difference<Id>> {
    let mut differences = Vec::new();
    for (id, article) in articles {
        let before: Vec<Match> = old.evaluate(&article).into_iter().filter(Match::counts).collect();
        let after: Vec<Match> = new.evaluate(&article).into_iter().filter(Match::counts).collect();
        let mut put = |rule: &str, change| {
            differences.push(Difference { article: id.clone(), rule: rule.to_owned(), change });
        };
        // A renamed rule is the same rule.
        let same = |a: &Match, b: &Match| {
            a.id == b.id || new.rules().iter().any(|rule| rule.id == b.id && rule.was.contains(&a.id))
        };
        for found in &after {
            match before.iter().find(|was| same(was, found)) {
                None => put(&found.id, Change::Added { score: found.score }),
                Some(was) if (was.score, was.level) != (found.score, found.level) => {
                    put(&found.id, Change::Reranked { from: was.score, to: found.score });
                }
                Some(_) => {}
            }
        }
        for was in before.iter().filter(|was| !after.iter().any(|found| same(was, found))) {
            put(&was.id, Change::Lost { score: was.score });
        }
    }
    differences
}
