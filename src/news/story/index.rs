//! Which stories can hold a copy of an article, without looking at their texts.
//!
//! A copy shares whole runs of words or characters, so many at least as
//! [`compare`](super::compare()) asks for. The index keeps the runs alone, a few
//! bytes each, and never leaves out a story that [`attach`](super::attach()) would choose.

use std::collections::BTreeSet;

use super::Print;
use super::compare::{LEAST_HEADLINE, LEAST_SHARED_WITH_LEAD};
use super::features::{Features, run_length};
use super::token::hash;

/// Tokens in a run of a headline.
const HEAD_RUN: usize = 3;

/// The runs of stories.
#[derive(Debug, Default)]
pub struct Index {
    stories: Vec<Story>,
    heads: Runs,
    bodies: Runs,
}

/// Runs, and the places of the stories they stand in.
///
/// Sorted, with what came last apart: a tree of all would take twice the memory.
#[derive(Debug, Default)]
struct Runs {
    settled: Vec<(u32, u32)>,
    fresh: BTreeSet<(u32, u32)>,
}

/// Fresh runs are settled when there are so many.
const SETTLED_AT: usize = 8192;

#[derive(Debug)]
struct Story {
    id: i64,
    members: u32,
    /// Whether a member is hardly more than a headline.
    bare: bool,
    /// Fewest runs that a copy of a member shares with it.
    least: usize,
}

impl Index {
    /// Adds a member to a story; stories come in the order they were opened.
    pub fn add(&mut self, id: i64, member: &Print) {
        let features = &member.features;
        let known = self.place(id);
        let place = known.unwrap_or(self.stories.len());
        if known.is_none() {
            self.stories.push(Story { id, members: 0, bare: false, least: usize::MAX });
        }
        let Some(story) = self.stories.get_mut(place) else { return };
        story.members += 1;
        story.bare |= features.is_bare();
        story.least = story.least.min(least_body(features));
        // As many stories as there are numbers for are never open at once.
        let Ok(place) = u32::try_from(place) else { return };
        self.heads.add(&head_runs(features), place, known.is_none());
        self.bodies.add(&features.shingles, place, known.is_none());
    }

    /// Returns how many members of a story were added.
    pub fn size(&self, id: i64) -> u32 {
        self.place(id).and_then(|place| self.stories.get(place)).map_or(0, |story| story.members)
    }

    /// Where a story stands; most often asked for is the last.
    fn place(&self, id: i64) -> Option<usize> {
        self.stories.iter().rposition(|story| story.id == id)
    }

    /// Returns the stories that share with the article what a copy would share, those that share most first.
    pub fn candidates(&self, article: &Print) -> Vec<i64> {
        let features = &article.features;
        let runs = head_runs(features);
        let (head, body) = (least_head(features, runs.len()), least_body(features));
        let heads = self.heads.count(&runs, self.stories.len());
        let bodies = self.bodies.count(&features.shingles, self.stories.len());
        let shared = |((story, heads), bodies): ((&Story, usize), usize)| {
            let enough = ((features.is_bare() || story.bare) && heads >= head)
                || (!features.is_bare() && bodies >= body.min(story.least));
            enough.then_some((heads + bodies, story.id))
        };
        let mut near: Vec<_> = self.stories.iter().zip(heads).zip(bodies).filter_map(shared).collect();
        near.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
        near.into_iter().map(|(_, id)| id).collect()
    }
}

impl Runs {
    /// Adds the runs of a story; of a new one none is there yet.
    fn add(&mut self, runs: &[u32], place: u32, new: bool) {
        let pairs = runs.iter().map(|run| (*run, place));
        self.fresh.extend(pairs.filter(|pair| new || self.settled.binary_search(pair).is_err()));
        if self.fresh.len() >= SETTLED_AT {
            self.settled.extend(std::mem::take(&mut self.fresh));
            // Two sorted halves: a stable sort merges them.
            self.settled.sort();
        }
    }

    /// Counts how many of these runs each of `stories` stories has.
    fn count(&self, runs: &[u32], stories: usize) -> Vec<usize> {
        let mut counts = vec![0; stories];
        let mut add = |(_, place): &(u32, u32)| {
            if let Some(count) = usize::try_from(*place).ok().and_then(|place| counts.get_mut(place)) {
                *count += 1;
            }
        };
        for run in runs {
            let start = self.settled.partition_point(|(known, _)| known < run);
            let settled = self.settled.get(start..).unwrap_or_default();
            settled.iter().take_while(|(known, _)| known == run).for_each(&mut add);
            self.fresh.range((*run, 0)..=(*run, u32::MAX)).for_each(&mut add);
        }
        counts
    }
}

/// The runs of a headline, each once; of one without words, the headline.
fn head_runs(features: &Features) -> Vec<u32> {
    let mut runs: Vec<u32> = features.head.shingles(HEAD_RUN).collect();
    if runs.is_empty() {
        runs.push(hash(features.head.sentence.text.as_bytes()));
    }
    runs.sort_unstable();
    runs.dedup();
    runs
}

/// Fewest runs that two headlines share when they say the same.
///
/// Every token that one lacks ends a run, and a run of n tokens has n - 2 runs of three.
/// A run that stands twice is counted once among its `runs`.
fn least_head(features: &Features, runs: usize) -> usize {
    let size = features.head.sentence.tokens.len();
    let standing = |size: usize| {
        let lost = share(size, 1.0 - LEAST_HEADLINE);
        size.saturating_sub(lost + (HEAD_RUN - 1) * (lost + 1))
    };
    // The other headline may be longer, by what may be lost, and one token more that is lost costs three runs.
    let least = (size..=size + size / 4 + 1).map(standing).min().unwrap_or(0);
    let repeats = size.saturating_sub(HEAD_RUN - 1).saturating_sub(runs);
    least.saturating_sub(repeats).max(1)
}

/// Fewest runs of a text that stand in a copy: each covers its own length at most, once for each time it stands there.
fn least_body(features: &Features) -> usize {
    let k = run_length(features.cjk);
    let runs: usize = features.body.iter().map(|line| line.shingles(k).count()).sum();
    let repeats = runs.saturating_sub(features.shingles.len());
    (share(features.size, LEAST_SHARED_WITH_LEAD) / k).saturating_sub(repeats).max(1)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "token counts are small"
)]
fn share(size: usize, share: f64) -> usize {
    (size as f64 * share) as usize
}
