//! A feed's state before and after a poll: what to ask, what was learnt, when to ask again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::config::{Feed, Polling};
use crate::fetch;
use crate::fetch::{Failure, FailureKind, Request, Response, Validators, Wishes};
use crate::flow::Run;
use crate::news::entry::Document;
use crate::news::schedule;
use crate::news::schedule::{Hints, Input, Pace, Rhythm};
use crate::store::FeedRow;

/// A 200 is asked for at least this often, whatever validators say: servers answer 304 for ever.
const UNCONDITIONAL: SignedDuration = SignedDuration::from_hours(24);
/// A permanent redirect must hold this long before it is remembered.
const MOVED_FOR: SignedDuration = SignedDuration::from_hours(1);
/// A remembered redirect that fails so often is forgotten: the configured address is asked again.
const MOVE_FAILS: u32 = 3;
/// How long a domain is left alone that throttles us without saying how long.
const HOLD: Duration = Duration::from_secs(600);
const LONGEST_HOLD: Duration = Duration::from_secs(6 * 3600);
/// Flaws shown in feed health.
const FLAWS: usize = 20;

/// What a document taught about its feed.
#[derive(Debug)]
pub(super) struct Reading<'r> {
    pub(super) document: &'r Document,
    pub(super) entries: usize,
    pub(super) new: usize,
    /// When the new entries say they were published.
    pub(super) published: &'r [Option<Timestamp>],
    /// New articles that were news before the feed was watched.
    pub(super) baseline: usize,
    pub(super) gap: bool,
    /// What came of an entry that the document was cut off in.
    pub(super) cut_key: Option<i64>,
}

/// Returns the request a feed is due.
pub(super) fn request(polling: &Polling, feed: &Feed, row: &FeedRow, now: Timestamp) -> Request {
    let moved = row.moved_url.as_deref().and_then(|url| Url::parse(url).ok());
    let fresh = row.last_full_at.is_some_and(|at| now.duration_since(at).abs() < UNCONDITIONAL);
    let validators = if fresh {
        Validators { etag: row.etag.clone(), last_modified: row.last_modified.clone() }
    } else {
        Validators::default()
    };
    let plain = Request::of(feed, polling);
    Request { url: moved.unwrap_or_else(|| feed.url.clone()), validators, ..plain }
}

/// Returns a feed's row after a 304.
pub(super) fn after_unchanged(
    polling: &Polling,
    feed: &Feed,
    mut row: FeedRow,
    response: &Response,
    now: Timestamp,
    run: &Run,
) -> FeedRow {
    row.not_modified = row.not_modified.saturating_add(1);
    let mut rhythm = rhythm(&row);
    rhythm.observe(now, &[]);
    answered(&mut row, response, now, run);
    schedule_next(polling, feed, &mut row, &rhythm, response.wishes, None, now);
    row
}

/// Returns a feed's row after a document was read.
pub(super) fn after_reading(
    polling: &Polling,
    feed: &Feed,
    mut row: FeedRow,
    response: &Response,
    read: &Reading<'_>,
    now: Timestamp,
    run: &Run,
) -> FeedRow {
    if row.first_ok_at.is_none() || read.baseline > 0 {
        row.baseline = read.baseline as u64;
    }
    row.first_ok_at = row.first_ok_at.or(Some(now));
    row.last_full_at = Some(now);
    row.entries = read.entries as u64;
    row.title = read.document.title.clone().or(row.title);
    row.ttl_minutes = read.document.ttl_minutes;
    row.skip_hours = serde_json::to_string(&read.document.skip_hours).unwrap_or_default();
    row.skip_days = serde_json::to_string(&read.document.skip_days).unwrap_or_default();
    let flaws: Vec<&str> = read.document.flaws.iter().take(FLAWS).map(|flaw| flaw.note.as_str()).collect();
    row.flaws = serde_json::to_string(&flaws).unwrap_or_default();
    if read.new > 0 {
        row.last_new_at = Some(now);
    }
    let mut rhythm = rhythm(&row);
    let times: Vec<Timestamp> = read.published.iter().map(|at| at.unwrap_or(now).min(now)).collect();
    rhythm.observe(now, &times);
    if read.gap {
        row.gaps = row.gaps.saturating_add(1);
        row.gap_at = Some(now);
        rhythm.suspect_gap(now);
    }
    answered(&mut row, response, now, run);
    row.cut_key = read.cut_key;
    if read.document.cut_off {
        // They stand for the whole document: what was cut off would be answered 304.
        (row.etag, row.last_modified) = (None, None);
    }
    schedule_next(polling, feed, &mut row, &rhythm, response.wishes, None, now);
    row
}

/// Returns a feed's row after a failure, and the domain to be left alone with until when.
pub(super) fn after_failure(
    polling: &Polling,
    feed: &Feed,
    mut row: FeedRow,
    failure: &Failure,
    now: Timestamp,
) -> (FeedRow, Option<(String, Timestamp)>) {
    row.polls = row.polls.saturating_add(1);
    row.last_poll_at = Some(now);
    row.last_status = failure.status;
    row.failures = row.failures.saturating_add(1);
    row.failing_since = row.failing_since.or(Some(now));
    row.failure = Some(failure.what.clone());
    row.failure_kind = Some(format!("{:?}", failure.kind).to_lowercase());
    // Not being able to reach it says nothing about a redirect; an answer without one does.
    if failure.status.is_some() {
        row.moving_url = None;
    }
    if row.failures >= MOVE_FAILS && row.moved_url.take().is_some() {
        (row.etag, row.last_modified) = (None, None);
    }
    let hold = (failure.kind == FailureKind::Throttled).then(|| {
        let doubled =
            HOLD.saturating_mul(1_u32.checked_shl(row.failures - 1).unwrap_or(u32::MAX)).min(LONGEST_HOLD);
        let wait = failure.retry_after.unwrap_or(doubled);
        let until =
            now.saturating_add(SignedDuration::try_from(wait).unwrap_or_default()).unwrap_or(Timestamp::MAX);
        (fetch::domain(&request(polling, feed, &row, now).url), until)
    });
    let rhythm = rhythm(&row);
    let asked = failure.retry_after;
    schedule_next(polling, feed, &mut row, &rhythm, Wishes::default(), asked, now);
    (row, hold)
}

/// What every readable answer changes.
fn answered(row: &mut FeedRow, response: &Response, now: Timestamp, run: &Run) {
    row.polls = row.polls.saturating_add(1);
    row.last_poll_at = Some(now);
    row.last_ok_at = Some(now);
    row.last_status = Some(response.status);
    row.failures = 0;
    (row.failing_since, row.failure, row.failure_kind) = (None, None, None);
    row.etag = response.validators.etag.clone();
    row.last_modified = response.validators.last_modified.clone();
    consider_move(row, response, now, run);
}

/// Remembers a permanent redirect once it has held: for an hour of polling, or in two single runs in a row.
fn consider_move(row: &mut FeedRow, response: &Response, now: Timestamp, run: &Run) {
    let Some(target) = response.moved_to.as_ref().map(Url::to_string) else {
        (row.moving_url, row.moving_since, row.moving_run) =
            (None, row.moving_since.filter(|_| row.moved_url.is_some()), None);
        return;
    };
    if row.moving_url.as_deref() != Some(target.as_str()) {
        (row.moving_url, row.moving_since, row.moving_run) = (Some(target), Some(now), Some(run.id.clone()));
        return;
    }
    let held = row.moving_since.is_some_and(|since| now.duration_since(since) >= MOVED_FOR);
    let again = run.once && row.moving_run.as_deref() != Some(run.id.as_str());
    if held || again {
        row.moved_url = row.moving_url.take();
        row.moving_since = Some(now);
        row.moving_run = None;
    }
}

fn rhythm(row: &FeedRow) -> Rhythm {
    serde_json::from_str(&row.rhythm).unwrap_or_default()
}

fn schedule_next(
    polling: &Polling,
    feed: &Feed,
    row: &mut FeedRow,
    rhythm: &Rhythm,
    wishes: Wishes,
    retry_after: Option<Duration>,
    now: Timestamp,
) {
    let list = |json: &str| serde_json::from_str::<Vec<u8>>(json).unwrap_or_default();
    let (skip_hours, skip_days) = (list(&row.skip_hours), list(&row.skip_days));
    let plan = schedule::next_poll(&Input {
        now,
        pace: Pace {
            every: feed.every.unwrap_or(polling.every),
            min_every: polling.min_every,
            max_every: polling.max_every,
            adaptive: polling.adaptive && feed.every.is_none(),
        },
        rhythm,
        hints: Hints {
            ttl_minutes: row.ttl_minutes,
            fresh_for: wishes.fresh_for,
            skip_hours: &skip_hours,
            skip_days: &skip_days,
        },
        failures: row.failures,
        retry_after,
        shown: usize::try_from(row.entries).unwrap_or(usize::MAX),
        chance: fastrand::f64(),
    });
    row.rhythm = serde_json::to_string(rhythm).unwrap_or_default();
    (row.next_poll_at, row.next_why) = (plan.at, plan.why);
}
