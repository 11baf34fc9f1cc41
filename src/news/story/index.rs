//! Which stories can hold a copy of an article, without looking at their texts.
//!
//! A copy shares whole runs of words or characters, so many at least as
//! [`compare`](super::compare()) asks for. The index keeps the runs alone, a few
//! bytes each, and never leaves out a story that [`attach`](super::attach()) would choose.

use std::collections::{BTreeMap, BTreeSet};

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
    heads: BTreeSet<(u32, u32)>,
    bodies: BTreeSet<(u32, u32)>,
}

#[derive(Debug)]
struct Story {
    id: i64,
    /// Whether a member is hardly more than a headline.
    bare: bool,
    /// Fewest runs that a copy of a member shares with it.
    least: usize,
}

impl Index {
    /// Adds a member to a story; stories come in the order they were opened.
    pub fn add(&mut self, id: i64, member: &Print) {
        let features = &member.features;
        let known = self.stories.iter().rposition(|story| story.id == id);
        let place = known.unwrap_or(self.stories.len());
        if known.is_none() {
            self.stories.push(Story { id, bare: false, least: usize::MAX });
        }
        let Some(story) = self.stories.get_mut(place) else { return };
        if features.is_bare() {
            story.bare = true;
        }
        story.least = story.least.min(least_body(features));
        // As many stories as there are numbers for are never open at once.
        let Ok(place) = u32::try_from(place) else { return };
        self.heads.extend(head_runs(features).into_iter().map(|run| (run, place)));
        self.bodies.extend(features.shingles.iter().map(|run| (*run, place)));
    }

    /// Returns the stories that share with the article what a copy would share, oldest first.
    pub fn candidates(&self, article: &Print) -> Vec<i64> {
        let features = &article.features;
        let heads = count(&self.heads, &head_runs(features));
        let bodies = count(&self.bodies, &features.shingles);
        let (head, body) = (least_head(features), least_body(features));
        let shares = |place: usize, story: &Story| {
            let place = u32::try_from(place).ok();
            let of = |runs: &BTreeMap<u32, usize>| place.and_then(|p| runs.get(&p).copied()).unwrap_or(0);
            ((features.is_bare() || story.bare) && of(&heads) >= head)
                || (!features.is_bare() && of(&bodies) >= body.min(story.least))
        };
        let places = self.stories.iter().enumerate();
        places.filter(|(place, story)| shares(*place, story)).map(|(_, story)| story.id).collect()
    }
}

/// How many of these runs each story has.
fn count(index: &BTreeSet<(u32, u32)>, runs: &[u32]) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for run in runs {
        for (_, place) in index.range((*run, 0)..=(*run, u32::MAX)) {
            *counts.entry(*place).or_insert(0) += 1;
        }
    }
    counts
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
/// A run that stands twice is counted once.
fn least_head(features: &Features) -> usize {
    let size = features.head.sentence.tokens.len();
    let standing = |size: usize| {
        let lost = share(size, 1.0 - LEAST_HEADLINE);
        size.saturating_sub(lost + (HEAD_RUN - 1) * (lost + 1))
    };
    // The other headline may be longer, by what may be lost, and one token more that is lost costs three runs.
    let least = (size..=size + size / 4 + 1).map(standing).min().unwrap_or(0);
    let repeats = size.saturating_sub(HEAD_RUN - 1).saturating_sub(head_runs(features).len());
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
