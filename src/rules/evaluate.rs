//! Whether an expression holds for what was found, and what in the text makes it hold.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::rules::expression::{Expr, Nearness, Node, SetId};
use crate::rules::fields::FieldSet;
use crate::rules::outcome::Field;
use crate::rules::scan::{Found, Occurrence};

/// No part of an expression yields more places than this; more cannot change an answer a person would give.
pub(crate) const MOST_PLACES: usize = 10_000;

/// A stretch of a field's normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) field: Field,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A place, with or without the memory of what it covers.
pub(crate) trait Cover: Clone {
    fn leaf(set: SetId, occurrence: &Occurrence) -> Self;
    fn join(&self, other: &Self) -> Self;
    fn place(&self) -> Place;
}

impl Cover for Place {
    fn leaf(_: SetId, occurrence: &Occurrence) -> Self {
        Self { field: occurrence.field, start: occurrence.start, end: occurrence.end }
    }

    fn join(&self, other: &Self) -> Self {
        Self { field: self.field, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    fn place(&self) -> Place {
        *self
    }
}

/// A place and the occurrences it is made of.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) place: Place,
    pub(crate) parts: Vec<(SetId, Occurrence)>,
}

impl Cover for Evidence {
    fn leaf(set: SetId, occurrence: &Occurrence) -> Self {
        Self { place: Place::leaf(set, occurrence), parts: vec![(set, *occurrence)] }
    }

    fn join(&self, other: &Self) -> Self {
        Self {
            place: self.place.join(&other.place),
            parts: self.parts.iter().chain(&other.parts).copied().collect(),
        }
    }

    fn place(&self) -> Place {
        self.place
    }
}

/// What one rule sees of an article.
#[derive(Debug)]
pub(crate) struct View<'f> {
    pub(crate) found: &'f Found,
    /// The fields a bare set name searches.
    pub(crate) fields: FieldSet,
    pub(crate) score: &'f Weights,
    /// Lists that differ for this rule, because an occurrence needed a follower and has one here.
    followed: Vec<(SetId, Vec<Occurrence>)>,
    /// The score, once it was asked for.
    score_of_all: OnceCell<i64>,
}

/// How a rule counts points.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// In the order of the sets.
    pub(crate) of: Vec<(SetId, i64)>,
    pub(crate) title_x: i64,
    pub(crate) cap: i64,
}

impl<'f> View<'f> {
    pub(crate) fn new(found: &'f Found, fields: FieldSet, score: &'f Weights, sets: &[SetId]) -> Self {
        let mut view = Self { found, fields, score, followed: Vec::new(), score_of_all: OnceCell::new() };
        if found.unsure && sets.iter().any(|set| found.of(*set).iter().any(|o| o.needs_follower)) {
            view.settle(sets);
        }
        view
    }

    /// The same view, blind for one set.
    pub(crate) fn without(mut self, set: SetId) -> Self {
        self.score_of_all.take();
        self.followed.retain(|(followed, _)| *followed != set);
        self.followed.push((set, Vec::new()));
        self
    }

    /// Decides the occurrences that count only when another pattern of the rule follows at once.
    fn settle(&mut self, sets: &[SetId]) {
        let mut sure: Vec<(Field, u32)> = Vec::new();
        let mut unsure: Vec<(SetId, Occurrence)> = Vec::new();
        for set in sets {
            for occurrence in self.found.of(*set) {
                match occurrence.needs_follower {
                    true => unsure.push((*set, *occurrence)),
                    false => sure.push((occurrence.field, occurrence.start)),
                }
            }
        }
        sure.sort_unstable();
        // From the back, so that a chain of short nouns holds when its last one does.
        unsure.sort_by_key(|(_, o)| std::cmp::Reverse((o.field, o.start)));
        let mut kept: Vec<(SetId, Occurrence)> = Vec::new();
        for (set, occurrence) in unsure {
            let next = (occurrence.field, occurrence.end);
            if sure.binary_search(&next).is_ok() || kept.iter().any(|(_, o)| (o.field, o.start) == next) {
                kept.push((set, occurrence));
            }
        }
        for set in sets.iter().filter(|set| self.found.of(**set).iter().any(|o| o.needs_follower)) {
            let list = self.found.of(*set).iter();
            let list = list.filter(|o| !o.needs_follower || kept.contains(&(*set, **o))).copied().collect();
            self.followed.push((*set, list));
        }
    }

    /// Returns the occurrences of a set in all fields.
    pub(crate) fn of(&self, set: SetId) -> &[Occurrence] {
        match self.followed.iter().find(|(followed, _)| *followed == set) {
            Some((_, list)) => list,
            None => self.found.of(set),
        }
    }

    /// Returns the occurrences of a set where it is looked for.
    pub(crate) fn within(
        &self,
        set: SetId,
        field: Option<Field>,
    ) -> impl Iterator<Item = &Occurrence> + Clone {
        self.of(set).iter().filter(move |occurrence| match field {
            Some(field) => occurrence.field == field,
            None => self.fields.contains(occurrence.field),
        })
    }

    /// Whether an expression holds.
    pub(crate) fn holds(&self, expr: &Expr) -> bool {
        match &expr.node {
            Node::Set { id, field, least: 1 } => self.within(*id, *field).next().is_some(),
            // What takes one look goes first.
            Node::And(parts) => {
                let mut quick = parts.iter().filter(|part| is_quick(part));
                quick.all(|part| self.holds(part))
                    && parts.iter().filter(|part| !is_quick(part)).all(|part| self.holds(part))
            }
            Node::Or(parts) => parts.iter().any(|part| self.holds(part)),
            Node::Not(part) => !self.holds(part),
            Node::Of(least, parts) => parts.iter().filter(|part| self.holds(part)).count() >= *least,
            Node::Score(least) => self.score() >= *least,
            Node::Set { .. } | Node::Pair(..) => self.places::<Place>(expr).is_some(),
        }
    }

    /// Returns the places that make an expression hold; none when it does not hold.
    pub(crate) fn places<C: Cover>(&self, expr: &Expr) -> Option<Vec<C>> {
        match &expr.node {
            Node::Set { id, field, least } => {
                let places: Vec<C> =
                    self.within(*id, *field).take(MOST_PLACES).map(|o| C::leaf(*id, o)).collect();
                let enough = *least == 1 && !places.is_empty()
                    || self.count(self.within(*id, *field)) >= u64::from(*least);
                enough.then_some(places)
            }
            Node::And(parts) => {
                let places: Option<Vec<Vec<C>>> = parts.iter().map(|part| self.places(part)).collect();
                places.map(gather)
            }
            Node::Or(parts) => {
                let places: Vec<Vec<C>> = parts.iter().filter_map(|part| self.places(part)).collect();
                (!places.is_empty()).then(|| gather(places))
            }
            Node::Not(part) => (!self.holds(part)).then(Vec::new),
            Node::Of(least, parts) => {
                let places: Vec<Vec<C>> = parts.iter().filter_map(|part| self.places(part)).collect();
                (places.len() >= *least).then(|| gather(places))
            }
            Node::Score(least) => (self.score() >= *least).then(Vec::new),
            // Far cheaper than where its sets stand.
            Node::Pair(..) if self.found.may_hold(expr, self.fields).is_none() => None,
            Node::Pair(nearness, left, right) => {
                let left = self.places::<C>(left)?;
                let right = self.places::<C>(right);
                let places = match nearness {
                    Nearness::Away(units) => self.away(left, &right.unwrap_or_default(), *units),
                    Nearness::Then(units) => self.then(&left, &right?, Some(*units)),
                    Nearness::Near(units) => self.beside(&left, &right?, Some(*units)),
                    Nearness::Same => self.beside(&left, &right?, None),
                };
                (!places.is_empty()).then_some(places)
            }
        }
    }

    fn beside<C: Cover>(&self, left: &[C], right: &[C], units: Option<u32>) -> Vec<C> {
        let mut places = self.then(left, right, units);
        places.extend(self.then(right, left, units));
        gather(vec![places])
    }

    /// Joins each first place with every second one that begins after it, near enough or in its sentence.
    fn then<C: Cover>(&self, first: &[C], second: &[C], units: Option<u32>) -> Vec<C> {
        let mut places = Vec::new();
        for a in first {
            let at = a.place();
            let from = second.partition_point(|b| (b.place().field, b.place().start) < (at.field, at.end));
            let after = second.get(from..).unwrap_or_default().iter();
            if after.as_slice().first().is_none_or(|b| b.place().field != at.field) {
                continue;
            }
            let one_sentence = |to: u32| self.found.is_one_sentence(at.field, at.start, to);
            let reachable = after.take_while(|b| {
                let b = b.place();
                b.field == at.field
                    && match units {
                        Some(units) => self.found.is_within(at.field, at.end, b.start, units),
                        None => one_sentence(b.start),
                    }
            });
            for b in reachable {
                if units.is_none() && !one_sentence(b.place().end) {
                    continue;
                }
                if places.len() == MOST_PLACES {
                    return places;
                }
                places.push(a.join(b));
            }
        }
        places
    }

    /// Keeps the places with no other one over or near them.
    fn away<C: Cover>(&self, places: Vec<C>, others: &[C], units: u32) -> Vec<C> {
        // The furthest end of all others up to each one, so that one look decides the left side.
        let mut reach: Vec<(Field, u32)> = Vec::with_capacity(others.len());
        for other in others {
            let other = other.place();
            let last = reach.last().filter(|(field, _)| *field == other.field).map_or(0, |(_, end)| *end);
            reach.push((other.field, other.end.max(last)));
        }
        let mut places = places;
        places.retain(|place| {
            let at = place.place();
            let within = |from: u32, to: u32| self.found.is_within(at.field, from, to, units);
            let next = others
                .partition_point(|other| (other.place().field, other.place().start) < (at.field, at.end));
            let before =
                next.checked_sub(1).and_then(|last| reach.get(last)).filter(|(field, _)| *field == at.field);
            let after = others.get(next).map(Cover::place).filter(|other| other.field == at.field);
            before.is_none_or(|(_, end)| *end <= at.start && !within(*end, at.start))
                && after.is_none_or(|other| !within(at.end, other.start))
        });
        places
    }

    /// Counts occurrences that do not overlap.
    fn count<'o>(&self, occurrences: impl Iterator<Item = &'o Occurrence>) -> u64 {
        let (mut count, mut last) = (0, None);
        for occurrence in occurrences {
            if last.is_none_or(|(field, end)| field != occurrence.field || occurrence.start >= end) {
                count += 1;
                last = Some((occurrence.field, occurrence.end));
            }
        }
        count
    }

    /// Returns the points of each set in each field that has some: set, field, times counted, points.
    pub(crate) fn points(&self) -> impl Iterator<Item = (SetId, Field, i64, i64)> {
        self.score.of.iter().flat_map(|(set, weight)| self.points_of(*set, *weight))
    }

    fn points_of(&self, set: SetId, weight: i64) -> impl Iterator<Item = (SetId, Field, i64, i64)> {
        // They are in the order of the fields.
        self.of(set).chunk_by(|a, b| a.field == b.field).filter_map(move |occurrences| {
            let field = occurrences.first()?.field;
            let count = i64::try_from(self.count(occurrences.iter())).unwrap_or(i64::MAX);
            let times = count.min(self.score.cap);
            let title_x = if field == Field::Title { self.score.title_x } else { 1 };
            (times > 0 && self.fields.contains(field))
                .then(|| (set, field, times, weight.saturating_mul(times).saturating_mul(title_x)))
        })
    }

    /// Returns the occurrences that earn points, one for each time counted.
    pub(crate) fn earners(&self) -> impl Iterator<Item = (SetId, Occurrence)> {
        self.points().filter(|(.., points)| *points > 0).flat_map(move |(set, field, times, _)| {
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            self.within(set, Some(field)).take(times).map(move |occurrence| (set, *occurrence))
        })
    }

    /// Returns the score.
    pub(crate) fn score(&self) -> i64 {
        // A few sets occur; a rule may weigh a hundred.
        let points_of = |set: &SetId| {
            let weighed = self.score.of.binary_search_by_key(set, |(weighed, _)| *weighed).ok();
            let weight = weighed.and_then(|at| self.score.of.get(at)).map_or(0, |(_, weight)| *weight);
            self.points_of(*set, weight).fold(0, |sum: i64, (.., points)| sum.saturating_add(points))
        };
        *self
            .score_of_all
            .get_or_init(|| self.found.touched.iter().map(points_of).fold(0, i64::saturating_add))
    }

    /// Returns the branches of an expression that hold: the alternatives of an outermost `or`, else the whole.
    pub(crate) fn branches<'e>(&self, expr: &'e Expr) -> Vec<&'e Expr> {
        match &expr.node {
            Node::Or(parts) => parts.iter().filter(|part| self.holds(part)).collect(),
            _ if self.holds(expr) => vec![expr],
            _ => Vec::new(),
        }
    }
}

impl View<'_> {
    /// Returns the part of an expression that held: of each `or`, the first alternative that did.
    pub(crate) fn held(&self, expr: &Expr, text: &str) -> String {
        match &expr.node {
            Node::Or(parts) => {
                let first = parts.iter().find(|part| self.holds(part));
                first.map_or_else(|| phrase(text, expr).into_owned(), |part| self.held(part, text))
            }
            Node::And(parts) => {
                parts.iter().map(|part| self.held(part, text)).collect::<Vec<_>>().join(" and ")
            }
            _ => phrase(text, expr).into_owned(),
        }
    }
}

fn is_quick(expr: &Expr) -> bool {
    match &expr.node {
        Node::Score(_) | Node::Set { .. } => true,
        Node::Not(part) => is_quick(part),
        _ => false,
    }
}

/// Puts places of several parts in order, each once.
fn gather<C: Cover>(lists: Vec<Vec<C>>) -> Vec<C> {
    let mut all: Vec<C> = lists.into_iter().flatten().take(MOST_PLACES).collect();
    all.sort_by_key(Cover::place);
    all.dedup_by_key(|place| place.place());
    all
}

/// Cuts a part of an expression out of its text, on one line.
pub(crate) fn phrase<'t>(text: &'t str, expr: &Expr) -> Cow<'t, str> {
    let part = text.get(expr.span.clone()).unwrap_or(text).trim();
    match part.contains(char::is_whitespace) {
        true => Cow::Owned(part.split_whitespace().collect::<Vec<_>>().join(" ")),
        false => Cow::Borrowed(part),
    }
}
