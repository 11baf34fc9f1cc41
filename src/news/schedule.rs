//! When to ask a feed again.
//!
//! Between its bounds an adaptive interval follows the feed: a request is
//! worth most where most entries wait. With entries coming at rate L and an
//! interval I their mean wait is I/2, so the sum of L*I over all feeds and
//! hours is least, at a given number of requests, where I goes as one over
//! the square root of L (after Sia, Cho and Cho, 2007). The root is best for
//! the mean; news is judged by the median, for which the simulation finds a
//! steeper power. So polls are laid along time at the density
//! (L / typical)^steepness / every, and the next one is where that density has
//! summed up to one: a quiet night before a busy morning is left in time.
//!
//! A rule that looks at one feed only cannot hold a budget over all. Its one
//! constant, `rhythm::TYPICAL`, is calibrated in `benches/schedule.rs` such
//! that a broad mix of feeds costs one poll per `every` and feed.

mod rhythm;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use self::rhythm::Rhythm;
use self::rhythm::{Rates, TYPICAL, hour, weekday};

/// How steeply polls follow entries. By `cargo bench --bench schedule` at about one budget: 0.5 gives a
/// median delay of 3.18 min and a 95th percentile of 11.5 min, 0.67 3.03 and 12.0, 0.85 2.95 and 12.9.
const STEEPNESS: f64 = 0.85;
/// The longest `Retry-After` that is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// Polls so often that at most this share of a document is new, or entries may scroll off unseen.
const SHARE_OF_DOCUMENT: f64 = 0.5;

/// The operator's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The usual interval: the feed's own, else the general one.
    pub every: Duration,
    /// The shortest adaptive interval.
    pub min_every: Duration,
    /// The longest interval, failures included.
    pub max_every: Duration,
    /// Whether the interval follows the feed; false also for a feed with an interval of its own.
    pub adaptive: bool,
}

/// What the feed and its server wish.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// RSS `ttl`.
    pub ttl_minutes: Option<u32>,
    /// `Cache-Control` or `Expires`.
    pub fresh_for: Option<Duration>,
    /// Hours of the day, UTC, in which the feed does not change.
    pub skip_hours: &'a [u8],
    /// Days on which it does not; 0 is Monday.
    pub skip_days: &'a [u8],
}

/// All that the next poll depends on.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// The end of the last poll.
    pub now: Timestamp,
    /// The operator's bounds.
    pub pace: Pace,
    /// The feed's habits.
    pub rhythm: &'a Rhythm,
    /// The feed's and server's wishes.
    pub hints: Hints<'a>,
    /// Failed polls in a row, the last one included; 0 after an answer.
    pub failures: u32,
    /// Of a failed poll.
    pub retry_after: Option<Duration>,
    /// Entries in the last document; 0 when unknown.
    pub shown: usize,
    /// A random number from 0 to 1, so that feeds do not march in step.
    pub chance: f64,
}

/// The next poll, and the reason as `feeds list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When.
    pub at: Timestamp,
    /// Why then, in a few words.
    pub why: String,
}

/// Decides when to ask a feed again.
pub fn next_poll(input: &Input<'_>) -> Plan {
    let (wait, why) = match input.failures {
        0 if input.pace.adaptive => adaptive(input),
        0 => (input.pace.every, format!("every {}, as configured", span(input.pace.every))),
        failures => after_failure(input, failures),
    };
    let step = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    Plan { at: input.now.saturating_add(step).unwrap_or(Timestamp::MAX), why }
}

/// Doubles from `every` to `max_every` and never stops; a server that names a time is taken at its word.
fn after_failure(input: &Input<'_>, failures: u32) -> (Duration, String) {
    let pace = input.pace;
    if let Some(asked) = input.retry_after {
        let wait = asked.min(LONGEST_WAIT).max(pace.every);
        return (wait, format!("server asks {} (Retry-After)", span(asked.min(LONGEST_WAIT))));
    }
    let doubled = pace.every.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    // Failing is no reason to come more often than usual.
    let most = pace.max_every.max(pace.every);
    let wait = later(doubled.min(most), input.chance).min(most);
    let why = if failures == 1 {
        "1st failure, trying again".to_owned()
    } else {
        format!("{} failure in a row, backing off", ordinal(failures))
    };
    (wait, why)
}

fn adaptive(input: &Input<'_>) -> (Duration, String) {
    let pace = input.pace;
    let (least, most) = (pace.min_every, pace.max_every.max(pace.min_every));
    let (mut wait, mut why) = own_rhythm(input, least, most);
    wait = scaled(wait, 0.95 + 0.1 * unit(input.chance));
    if let Some((asked, name)) = longest_wish(&input.hints).filter(|(asked, _)| *asked > wait) {
        (wait, why) = (later(asked, input.chance), format!("server asks {} ({name})", span(asked)));
    }
    wait = wait.clamp(least, most);
    if let Some(end) = end_of_pause(&input.hints, input.now, wait, most) {
        (wait, why) = (end, "server asks for a pause (skipHours, skipDays)".to_owned());
    }
    (wait.clamp(least, most), why)
}

fn own_rhythm(input: &Input<'_>, least: Duration, most: Duration) -> (Duration, String) {
    let every = input.pace.every;
    if input.rhythm.hurries(input.now) {
        return (least, "entries may have been missed, asking as often as allowed".to_owned());
    }
    if !input.rhythm.is_known() {
        // Watched for long and never anything: the prior has faded, and the interval with it.
        let rates = input.rhythm.rates(input.now);
        return (along(&rates, input.now, every, most), "no rhythm seen yet".to_owned());
    }
    let rates = input.rhythm.rates(input.now);
    let rate = rates.at(input.now.as_second());
    let mut wait = along(&rates, input.now, every, most);
    let usual = Duration::try_from_secs_f64(3600.0 / rate.max(1e-6)).unwrap_or(LONGEST_WAIT);
    let mut why = format!("usual rhythm: an entry every {} at this hour", rough(usual));
    if input.shown > 0 {
        let shown = f64::from(u32::try_from(input.shown).unwrap_or(u32::MAX));
        let room = Duration::try_from_secs_f64(SHARE_OF_DOCUMENT * shown * 3600.0 / rate.max(1e-6));
        if let Some(room) = room.ok().filter(|room| *room < wait) {
            wait = room;
            why =
                format!("the feed shows only {} entries, and one comes every {}", input.shown, rough(usual));
        }
    }
    (wait, why)
}

/// The span over which the density of polls sums up to one, hour by hour.
fn along(rates: &Rates, now: Timestamp, every: Duration, most: Duration) -> Duration {
    let every = every.as_secs_f64().max(1.0);
    let end = most.as_secs_f64();
    let start = now.as_second();
    let (mut gone, mut summed) = (0.0, 0.0);
    let mut at = start;
    // At least one hour a step; two days are more than any sensible `max_every`.
    for _ in 0..48 {
        let density = (rates.at(at) / TYPICAL).powf(STEEPNESS) / every;
        let to_next_hour = SignedDuration::from_secs(3600 - at.rem_euclid(3600)).as_secs_f64();
        if summed + density * to_next_hour >= 1.0 {
            gone += (1.0 - summed) / density;
            return Duration::try_from_secs_f64(gone).unwrap_or(most).min(most);
        }
        summed += density * to_next_hour;
        gone += to_next_hour;
        if gone >= end {
            return most;
        }
        at = at.saturating_add(3600 - at.rem_euclid(3600));
    }
    most
}

fn longest_wish(hints: &Hints<'_>) -> Option<(Duration, &'static str)> {
    let ttl =
        hints.ttl_minutes.map(|minutes| (Duration::from_secs(u64::from(minutes).saturating_mul(60)), "ttl"));
    let fresh = hints.fresh_for.map(|fresh| (fresh, "cache headers"));
    ttl.into_iter().chain(fresh).max_by_key(|(asked, _)| *asked)
}

/// Where the poll falls into hours or days the feed wants skipped: the wait until they end, or the longest allowed.
fn end_of_pause(hints: &Hints<'_>, now: Timestamp, wait: Duration, most: Duration) -> Option<Duration> {
    let start = now.as_second();
    let mut at = start.saturating_add(i64::try_from(wait.as_secs()).ok()?);
    if !skipped(hints, at) {
        return None;
    }
    // A week of hours: a feed that skips them all is asked at the longest interval.
    for _ in 0..168 {
        at = at.saturating_add(3600 - at.rem_euclid(3600));
        if !skipped(hints, at) {
            break;
        }
    }
    let until = Duration::from_secs(u64::try_from(at.saturating_sub(start)).ok()?);
    Some(until.min(most))
}

fn skipped(hints: &Hints<'_>, at: i64) -> bool {
    // Some feeds count the hours from 1 to 24.
    hints.skip_hours.iter().any(|skip| usize::from(*skip % 24) == hour(at))
        || hints.skip_days.iter().any(|skip| usize::from(*skip) == weekday(at))
}

/// Up to a tenth later.
fn later(wait: Duration, chance: f64) -> Duration {
    scaled(wait, 1.0 + 0.1 * unit(chance))
}

fn scaled(wait: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() * factor).unwrap_or(wait)
}

fn unit(chance: f64) -> f64 {
    if chance.is_finite() { chance.clamp(0.0, 1.0) } else { 0.5 }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A length of time as the configuration would write it.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 7200 && seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds >= 120 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// A length of time as one says it.
fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 48 * 3600 => format!("{} days", (seconds + 43_200) / 86_400),
        seconds if seconds >= 2 * 3600 => format!("{} h", (seconds + 1800) / 3600),
        seconds if seconds >= 90 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} s", seconds.max(1)),
    }
}

#[cfg(test)]
mod tests;
