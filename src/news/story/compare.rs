//! Decides whether two articles are copies of one text.

use super::Print;
use super::align::{hunks, shared};
use super::conflict::{self, Findings};
use super::evidence::{Evidence, Ground, Verdict};
use super::features::{Features, Line, run_length};

/// Copies appear within this many seconds of each other.
pub(super) const WINDOW: i64 = 72 * 3600;
/// Share of the shorter text that must stand in the other.
const LEAST_SHARED: f64 = 0.55;
/// Share of each lead that must stand in the other text.
const LEAST_LEAD: f64 = 0.50;
/// The same, where both leads coincide: much background was added or cut.
pub(super) const LEAST_SHARED_WITH_LEAD: f64 = 0.30;
/// Share of the longer headline that must stand in the other, where there is hardly any text.
pub(super) const LEAST_HEADLINE: f64 = 0.85;
/// Content swaps in aligned sentences that make it another text; one in the lead is enough.
const MOST_SWAPS: u32 = 2;

/// Compares two articles.
pub fn compare(a: &Print, b: &Print) -> Verdict {
    let (x, y) = (&a.features, &b.features);
    let mut evidence =
        Evidence { ground: Ground::OwnWords, shared: 0, lead: 0, run: 0, characters: x.cjk, conflict: None };
    if x.lang != y.lang && (x.cjk || y.cjk || shared(&x.shingles, &y.shingles) == 0) {
        evidence.ground = Ground::OtherLanguage;
        return Verdict { copy: false, evidence };
    }
    if (a.at.as_second() - b.at.as_second()).abs() > WINDOW {
        evidence.ground = Ground::TooFarApart;
        return Verdict { copy: false, evidence };
    }
    if !a.source.is_empty() && a.source == b.source {
        let same = !x.head.sentence.text.is_empty() && x.head.sentence.text == y.head.sentence.text;
        if !same {
            evidence.ground = Ground::SameOutlet;
            return Verdict { copy: false, evidence };
        }
        // A column keeps its headline while its text changes: with text on both sides, the text decides.
        if x.is_bare() || y.is_bare() {
            evidence.ground = Ground::SameHeadline;
            return Verdict { copy: true, evidence };
        }
        return texts(x, y, evidence);
    }
    if x.is_bare() || y.is_bare() {
        return titles(x, y, evidence);
    }
    texts(x, y, evidence)
}

/// Items with a headline and hardly any text.
fn titles(x: &Features, y: &Features, mut evidence: Evidence) -> Verdict {
    let least = if x.cjk { 8 } else { 5 };
    let (n, m) = (x.head.sentence.tokens.len(), y.head.sentence.tokens.len());
    if n.min(m) < least {
        evidence.ground = Ground::TooShort;
        return Verdict { copy: false, evidence };
    }
    let lost: usize = hunks(&x.head, &y.head).iter().map(|h| (h.a.1 - h.a.0).max(h.b.1 - h.b.0)).sum();
    let kept = 1.0 - ratio(lost, n.max(m));
    evidence.shared = percent(kept);
    evidence.run = clamp(n.min(m));
    let found = conflict::find(x, y);
    if found.contradiction.is_some() {
        evidence.ground = Ground::Contradiction;
        evidence.conflict = found.contradiction;
        return Verdict { copy: false, evidence };
    }
    let copy = kept >= LEAST_HEADLINE;
    evidence.ground = if copy { Ground::SameHeadline } else { Ground::OwnWords };
    Verdict { copy, evidence }
}

fn texts(x: &Features, y: &Features, mut evidence: Evidence) -> Verdict {
    let common = common(&x.shingles, &y.shingles);
    let (in_y, in_x) = (cover(x, &common), cover(y, &common));
    let smaller = if x.size <= y.size { &in_y } else { &in_x };
    let contained = smaller.share;
    let lead = in_y.lead.min(in_x.lead);
    evidence.shared = percent(contained);
    evidence.lead = percent(lead);
    evidence.run = in_y.run.max(in_x.run);
    let refuse = |mut evidence: Evidence, ground, conflict| {
        evidence.ground = ground;
        evidence.conflict = conflict;
        Verdict { copy: false, evidence }
    };
    if contained < LEAST_SHARED_WITH_LEAD {
        return refuse(evidence, Ground::OwnWords, None);
    }
    let Findings { contradiction, swaps, lead_swaps } = conflict::find(x, y);
    if contradiction.is_some() {
        return refuse(evidence, Ground::Contradiction, contradiction);
    }
    // a text cut short may end within its lead
    let whole = contained >= 0.95;
    if contained < if lead >= 0.9 { LEAST_SHARED_WITH_LEAD } else { LEAST_SHARED } {
        return refuse(evidence, Ground::OwnWords, None);
    }
    if in_y.lead.max(in_x.lead) < 0.7 || (lead < LEAST_LEAD && !whole) {
        return refuse(evidence, Ground::OwnLead, None);
    }
    if swaps >= MOST_SWAPS || lead_swaps >= 1 {
        return refuse(evidence, Ground::Rewritten, None);
    }
    if let Some(news) = announced(x, y, lead >= 0.9).or_else(|| announced(y, x, lead >= 0.9)) {
        return refuse(evidence, Ground::NewFacts, Some(news));
    }
    if x.tags.correction != y.tags.correction && contained < 0.98 {
        return refuse(evidence, Ground::NewFacts, Some("one is a correction".to_owned()));
    }
    evidence.ground = Ground::SameText;
    Verdict { copy: true, evidence }
}

/// How much of a text stands in another, in whole runs.
#[derive(Debug, Clone, Copy, Default)]
struct Cover {
    share: f64,
    lead: f64,
    run: u16,
}

/// The features both sorted lists have.
fn common(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (mut i, mut j) = (0, 0);
    let mut both = Vec::new();
    // Which list is behind is anyone's guess, so nothing branches on it.
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x == y {
            both.push(*x);
        }
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    both
}

/// Measures a text against the runs it has in common with another.
fn cover(text: &Features, common: &[u32]) -> Cover {
    let k = run_length(text.cjk);
    let mut out = Cover::default();
    // Most pairs are strangers.
    if common.is_empty() {
        return out;
    }
    let mut total = 0;
    let mut run = 0;
    for (at, line) in text.body.iter().enumerate() {
        let n = line.sentence.tokens.len();
        let mut hit = vec![false; n];
        for (i, shingle) in line.shingles(k).enumerate() {
            if common.binary_search(&shingle).is_ok() {
                hit.iter_mut().skip(i).take(k).for_each(|h| *h = true);
            }
        }
        for h in &hit {
            run = if *h { run + 1 } else { 0 };
            out.run = out.run.max(clamp(run));
        }
        let covered = hit.iter().filter(|h| **h).count();
        total += covered;
        if at == 0 {
            out.lead = ratio(covered, n);
        }
    }
    out.share = ratio(total, text.size);
    out
}

/// What a headline announces out of its own text that the other article has nowhere: the mark of an update.
///
/// Where the leads coincide, more of it is needed: an editor may take a headline from the background.
fn announced(x: &Features, y: &Features, same_lead: bool) -> Option<String> {
    let theirs = gather(y.lines());
    let own = gather(x.body.iter());
    let gram = |g: &u32| own.binary_search(g).is_ok() && theirs.binary_search(g).is_err();
    let fresh = x.head.grams.iter().filter(|g| gram(g)).count();
    let (least, share) = match (x.cjk, same_lead) {
        (true, true) => (6, 5),
        (true, false) => (4, 4),
        (false, true) => (3, 5),
        (false, false) => (2, 4),
    };
    let enough = |n: usize| n >= least && n * 10 >= x.head.grams.len() * share;
    if !enough(fresh) || (!x.cjk && !enough(x.head.foreign_words(y))) {
        return None;
    }
    Some("the headline tells what only its own text has".to_owned())
}

fn gather<'a>(lines: impl Iterator<Item = &'a Line>) -> Vec<u32> {
    let mut all: Vec<u32> = lines.flat_map(|l| l.grams.iter().copied()).collect();
    all.sort_unstable();
    all
}

#[expect(clippy::cast_precision_loss, reason = "token counts are small")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100")]
fn percent(share: f64) -> u8 {
    (share * 100.0).clamp(0.0, 100.0) as u8
}

fn clamp(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
