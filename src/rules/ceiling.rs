//! How far an article can come at most: where an expression may hold, and the points a rule may get.
//!
//! For that it is enough to know which sets occur in which fields, and how often at most. It decides nearly all articles
//! before a compound is looked for, an occurrence put in order, a distance measured.

use crate::rules::evaluate::Weights;
use crate::rules::expression::{Expr, Nearness, Node, SetId};
use crate::rules::fields::FieldSet;
use crate::rules::outcome::Field;
use crate::rules::scan::Found;

impl Found {
    /// Returns the fields in which an expression may have places, bare sets searching `fields`; none at all when it
    /// cannot hold.
    pub(crate) fn may_hold(&self, expr: &Expr, fields: FieldSet) -> Option<FieldSet> {
        let some = |fields: FieldSet| Some(fields).filter(|fields| !fields.is_empty());
        let part = |part| self.may_hold(part, fields);
        match &expr.node {
            Node::Set { id, field, .. } => some(self.fields_of(*id).and(field.map_or(fields, FieldSet::one))),
            Node::And(parts) => parts.iter().try_fold(FieldSet::NONE, |all, each| Some(all.or(part(each)?))),
            Node::Or(parts) => parts.iter().filter_map(part).reduce(FieldSet::or),
            Node::Of(least, parts) => {
                let (count, all) = parts
                    .iter()
                    .filter_map(part)
                    .fold((0, FieldSet::NONE), |(count, all), each| (count + 1, all.or(each)));
                (count >= *least).then_some(all)
            }
            Node::Pair(Nearness::Away(_), left, _) => some(part(left)?),
            Node::Pair(_, left, right) => some(part(left)?.and(part(right)?)),
            Node::Not(_) | Node::Score(_) => Some(FieldSet::NONE),
        }
    }
}

/// The rules that ask for a score, by what they count.
#[derive(Debug)]
pub(crate) struct Ceilings {
    /// For each set that patterns find, what it is worth to whom.
    plain: Vec<Vec<Worth>>,
    /// For the sets that may occur more often than patterns find them.
    compounds: Vec<(SetId, Vec<Worth>)>,
    /// One more than the last rule that asks for a score.
    rules: usize,
}

/// What a set is worth to a rule.
#[derive(Debug)]
struct Worth {
    rule: u32,
    /// The fields other than the headline.
    fields: FieldSet,
    /// Points for each time.
    points: i64,
    title_points: i64,
    cap: i64,
}

impl Ceilings {
    /// Makes one for so many sets, which no rule weighs yet.
    pub(crate) fn new(sets: usize, compounds: &[SetId]) -> Self {
        let compounds = compounds.iter().map(|set| (*set, Vec::new())).collect();
        Self { plain: std::iter::repeat_with(Vec::new).take(sets).collect(), compounds, rules: 0 }
    }

    /// Adds the rule of that number.
    pub(crate) fn add(&mut self, rule: u32, fields: FieldSet, score: &Weights) {
        let title = fields.contains(Field::Title);
        for (set, weight) in &score.of {
            let worth = Worth {
                rule,
                fields: fields.without(Field::Title),
                points: *weight,
                title_points: if title { weight.saturating_mul(score.title_x) } else { 0 },
                cap: score.cap,
            };
            let compound =
                self.compounds.iter_mut().find(|(compound, _)| compound == set).map(|(_, list)| list);
            if let Some(list) = compound.or(self.plain.get_mut(*set)) {
                list.push(worth);
            }
        }
        self.rules = self.rules.max(rule as usize + 1);
    }

    /// Finds the most points each rule may have of what was found and foreseen.
    pub(crate) fn reach(&self, found: &Found, most: &mut Vec<i64>) {
        most.clear();
        most.resize(self.rules, 0);
        for set in &found.touched {
            if let Some(list) = self.plain.get(*set) {
                count(list, found.fields_of(*set), found.of(*set).len() as i64, found.unsure, most);
            }
        }
        for (set, list) in &self.compounds {
            let fields = found.fields_of(*set);
            if !fields.is_empty() {
                count(list, fields, i64::MAX, true, most);
            }
        }
    }
}

/// Counts a set that occurs at most so often in some fields for every rule; against it only where it is sure to occur.
fn count(list: &[Worth], fields: FieldSet, times: i64, unsure: bool, most: &mut [i64]) {
    let in_title = fields.contains(Field::Title);
    for worth in list {
        let times = if worth.points > 0 { times.min(worth.cap) } else { i64::from(!unsure) };
        let elsewhere = worth.points.saturating_mul(i64::from(fields.and(worth.fields).len()));
        let each = elsewhere.saturating_add(if in_title { worth.title_points } else { 0 });
        if let Some(sum) = most.get_mut(worth.rule as usize) {
            *sum = sum.saturating_add(each.saturating_mul(times));
        }
    }
}
