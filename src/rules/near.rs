//! How near an article came to a rule that did not fire.

use crate::rules::evaluate::{Place, View, phrase};
use crate::rules::expression::{Expr, Nearness, Node};
use crate::rules::outcome::{Article, Hit};
use crate::rules::set::{Rule, RuleSet, with_scratch};

/// A rule that did not fire although something of it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// The rule's id.
    pub rule: String,
    /// The points it would have had.
    pub score: i64,
    /// The operand that failed.
    pub lacking: String,
    /// What was found.
    pub hits: Vec<Hit>,
}

impl RuleSet {
    /// Returns the rules that came nearest without firing, the nearest first.
    pub fn near_misses(&self, article: &Article<'_>, limit: usize) -> Vec<Near> {
        with_scratch(|scratch| {
            let found = &mut scratch.found;
            self.scan(article, found);
            let mut nears: Vec<(f64, Near)> =
                self.rules.iter().filter_map(|rule| self.near(rule, found, article)).collect();
            nears.sort_by(|(a, x), (b, y)| {
                b.total_cmp(a).then(y.score.cmp(&x.score)).then_with(|| x.rule.cmp(&y.rule))
            });
            nears.into_iter().take(limit).map(|(_, near)| near).collect()
        })
    }

    fn near(
        &self,
        rule: &Rule,
        found: &crate::rules::scan::Found,
        article: &Article<'_>,
    ) -> Option<(f64, Near)> {
        let view = rule.view(found);
        if view.holds(&rule.when) {
            return None;
        }
        let mut hits: Vec<Hit> = Vec::new();
        let mut named = Vec::new();
        rule.when.walk(&mut |expr| {
            if let Node::Set { id, field, .. } = expr.node {
                named.push((id, field));
            }
        });
        named.sort_unstable();
        named.dedup();
        for (set, field) in named {
            let parts = view.within(set, field).take(4).flat_map(|o| self.made_of(found, (set, *o)));
            hits.extend(parts.map(|(set, o)| self.hit(found, set, &o, article)));
        }
        if hits.is_empty() {
            return None;
        }
        hits.sort_by_key(|hit| (hit.field, hit.start, hit.end));
        hits.dedup();
        let (share, lacking) = self.lacking(&view, &rule.when, &rule.when_text);
        Some((share, Near { rule: rule.info.id.clone(), score: view.score(), lacking, hits }))
    }

    /// Returns how much of an expression holds, from 0 to 1, and what its nearest branch lacks.
    fn lacking(&self, view: &View<'_>, expr: &Expr, text: &str) -> (f64, String) {
        if view.holds(expr) {
            return (1.0, String::new());
        }
        let words = phrase(text, expr);
        match &expr.node {
            Node::Or(parts) => {
                let best = parts.iter().map(|part| self.lacking(view, part, text));
                best.max_by(|(a, _), (b, _)| a.total_cmp(b)).unwrap_or_default()
            }
            Node::And(parts) => {
                let all: Vec<(f64, String)> =
                    parts.iter().map(|part| self.lacking(view, part, text)).collect();
                let share = all.iter().map(|(share, _)| share).sum::<f64>() / all.len().max(1) as f64;
                let missing: Vec<String> =
                    all.into_iter().filter(|(share, _)| *share < 1.0).map(|(_, m)| m).collect();
                (share.min(0.99), missing.join("; "))
            }
            Node::Of(least, parts) => {
                let holding = parts.iter().filter(|part| view.holds(part)).count();
                (holding as f64 / *least as f64, format!("`{words}` has only {holding}"))
            }
            Node::Pair(nearness, left, right) => {
                self.lacking_pair(view, (*nearness, left, right), text, &words)
            }
            Node::Set { id, field, least } => {
                let times = view.within(*id, *field).count();
                match times {
                    0 => (0.0, format!("`{words}` is not there")),
                    _ => (
                        0.5_f64.min(times as f64 / f64::from(*least)),
                        format!("`{words}`: found {times} times"),
                    ),
                }
            }
            Node::Score(least) => {
                let score = view.score();
                (
                    (score.max(0) as f64 / (*least).max(1) as f64).min(0.99),
                    format!("`{words}`: the score is {score}"),
                )
            }
            Node::Not(inner) => (0.0, format!("`{}` is there", phrase(text, inner))),
        }
    }

    fn lacking_pair(
        &self,
        view: &View<'_>,
        (nearness, left, right): (Nearness, &Expr, &Expr),
        text: &str,
        words: &str,
    ) -> (f64, String) {
        let (left_share, left_lacks) = self.lacking(view, left, text);
        if matches!(nearness, Nearness::Away(_)) {
            return match left_share < 1.0 {
                true => (left_share * 0.5, left_lacks),
                false => (0.5, format!("`{words}`: `{}` stands too near", phrase(text, right))),
            };
        }
        let (right_share, right_lacks) = self.lacking(view, right, text);
        let lacks: Vec<String> =
            [left_lacks, right_lacks].into_iter().filter(|lacks| !lacks.is_empty()).collect();
        if !lacks.is_empty() {
            return ((left_share + right_share) / 2.0 * 0.9, lacks.join("; "));
        }
        let places = |expr| view.places::<Place>(expr).unwrap_or_default();
        let gap = nearest(view, &places(left), &places(right));
        let how = match (nearness, gap) {
            (Nearness::Same, _) => "never in one sentence".to_owned(),
            (_, None) => "never in one field, or only over each other".to_owned(),
            (Nearness::Then(units), Some(gap)) if gap <= units => "in the other order".to_owned(),
            (_, Some(gap)) => format!("the nearest are {} words apart", gap.div_ceil(2)),
        };
        (0.95, format!("`{words}`: {how}"))
    }
}

/// Returns the shortest distance between two kinds of places, in half-units.
fn nearest(view: &View<'_>, left: &[Place], right: &[Place]) -> Option<u32> {
    let gaps = left.iter().take(200).flat_map(|a| {
        right.iter().take(200).filter(|b| a.field == b.field).filter_map(move |b| {
            let ruler = view.found.ruler(a.field);
            let (first, second) = if a.start <= b.start { (a, b) } else { (b, a) };
            (first.end <= second.start).then(|| ruler.gap(first.end, second.start))
        })
    });
    gaps.min()
}

impl RuleSet {
    /// Says how near an article came to one rule.
    pub(crate) fn nearness(&self, article: &Article<'_>, rule: &str) -> Option<String> {
        let near = self.near_misses(article, usize::MAX).into_iter().find(|near| near.rule == rule)?;
        let hits: Vec<String> = near.hits.iter().map(|hit| format!("{} \"{}\"", hit.set, hit.text)).collect();
        Some(format!("{}; found {}", near.lacking, hits.join(", ")))
    }
}
