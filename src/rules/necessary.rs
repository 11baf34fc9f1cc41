//! What must be true for an expression to hold, so that a rule costs nothing where none of them does.

use crate::rules::compile::Builder;
use crate::rules::compound::NO_POINTS;
use crate::rules::evaluate::Weights;
use crate::rules::expression::{Expr, Nearness, Node, SetId};

/// Returns the score without which an expression cannot hold, if there is one: the first thing to ask, as it rules out
/// nearly every article that some of the words are in.
pub(crate) fn least_score(expr: &Expr) -> Option<i64> {
    match &expr.node {
        Node::Score(least) => Some(*least),
        Node::And(parts) => parts.iter().filter_map(least_score).max(),
        Node::Or(parts) => parts.iter().map(least_score).min().flatten(),
        _ => None,
    }
}

impl Builder {
    /// Chooses the cheapest sets of which one must occur for an expression to hold.
    pub(crate) fn necessary(&self, expr: &Expr, score: &Weights) -> Option<Vec<SetId>> {
        let cheapest = |parts: &mut dyn Iterator<Item = &Expr>| {
            let families = parts.filter_map(|part| self.necessary(part, score));
            families.min_by_key(|family| {
                family.iter().map(|set| self.costs.get(*set).copied().unwrap_or(1)).sum::<usize>()
            })
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
            Node::Pair(Nearness::Away(_), left, _) => self.necessary(left, score),
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
}
