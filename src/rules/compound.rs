//! Sets that also stand wherever an expression over other sets holds.
//!
//! `US troops`, `soldiers of the American army`, `troupes américaines`: two ideas
//! side by side make a third. A set that says `also = "troops near/2 us"` need
//! not list every pair of their words.

use std::ops::Range;

use crate::rules::evaluate::{Evidence, Place, View, Weights};
use crate::rules::expression::{Expr, SetId};
use crate::rules::fields::FieldSet;
use crate::rules::outcome::Article;
use crate::rules::scan::{Found, Occurrence};
use crate::rules::set::RuleSet;

/// Stands for the pattern of an occurrence that an expression made.
const COMPOUND: u32 = u32::MAX;
/// An expression knows no score.
pub(crate) static NO_POINTS: Weights = Weights { of: Vec::new(), title_x: 1, cap: 1 };

/// The expression beside a set's patterns.
#[derive(Debug)]
pub(crate) struct Also {
    pub(crate) expr: Expr,
    /// The sets it names.
    pub(crate) sets: Vec<SetId>,
    /// Sets of which one must occur, to ask first; none when it may hold without. A compound among them stands for
    /// itself: those it rests on are foreseen before.
    pub(crate) necessary: Vec<SetId>,
    /// Where the file has it.
    pub(crate) span: Range<usize>,
}

impl Also {
    fn view<'f>(&'f self, found: &'f Found) -> View<'f> {
        View::new(found, FieldSet::ALL, &NO_POINTS, &self.sets)
    }
}

impl RuleSet {
    /// Finds every occurrence in an article: of patterns first, then of what they make together.
    pub(crate) fn scan(&self, article: &Article<'_>, found: &mut Found) {
        self.scanner.scan(article, self.sets.len(), found);
        self.complete(found);
    }

    /// Tells where compounds may stand, for whoever has yet to decide whether to look.
    pub(crate) fn foresee(&self, found: &mut Found) {
        for set in &self.compounds {
            let Some(also) = self.also(*set) else { continue };
            let occurs = |set: &SetId| !found.fields_of(*set).is_empty();
            if (also.necessary.is_empty() || also.necessary.iter().any(occurs))
                && let Some(fields) = found.may_hold(&also.expr, FieldSet::ALL)
            {
                found.expect(*set, fields);
            }
        }
    }

    /// Puts the occurrences of patterns in order and adds those of compounds.
    pub(crate) fn complete(&self, found: &mut Found) {
        found.tidy();
        for set in &self.compounds {
            let Some(also) = self.also(*set) else { continue };
            let places = also.view(found).places::<Place>(&also.expr).unwrap_or_default();
            let occurrence = |Place { field, start, end }| Occurrence {
                field,
                start,
                end,
                pattern: COMPOUND,
                needs_follower: false,
            };
            found.finish(*set, places.into_iter().map(occurrence));
        }
    }

    /// Returns the occurrences of patterns that an occurrence is made of: itself, unless an expression made it.
    pub(crate) fn made_of(
        &self,
        found: &Found,
        (set, occurrence): (SetId, Occurrence),
    ) -> Vec<(SetId, Occurrence)> {
        if occurrence.pattern != COMPOUND {
            return vec![(set, occurrence)];
        }
        let Some(also) = self.also(set) else { return Vec::new() };
        let here = Place { field: occurrence.field, start: occurrence.start, end: occurrence.end };
        let places = also.view(found).places::<Evidence>(&also.expr).unwrap_or_default();
        let evidence = places.into_iter().find(|evidence| evidence.place == here);
        // What an expression names never leads back to it: the compiler has seen to that.
        evidence
            .into_iter()
            .flat_map(|evidence| evidence.parts)
            .flat_map(|part| self.made_of(found, part))
            .collect()
    }

    fn also(&self, set: SetId) -> Option<&Also> {
        self.sets.get(set).and_then(|set| set.also.as_ref())
    }
}
