//! How often a feed publishes, by hour of the day and day of the week.
//!
//! Entries are counted with weights that halve every two weeks. The weights
//! grow forward from an origin instead of shrinking with time, so a poll that
//! finds nothing new changes nothing and costs nothing. Hours and days are
//! kept apart and multiplied: 31 numbers learn in days what 168 would need
//! months for. All are UTC, which shifts a rhythm but does not hide it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Weights halve in this many hours.
const HALF_LIFE: f64 = 14.0 * 24.0;
/// Older entries say nothing about today.
const LOOK_BACK: i64 = 28 * 24 * 3600;
/// The rate, in entries an hour, that deserves exactly one poll per `every`; the prior of an
/// unknown feed. Calibrated by `cargo bench --bench schedule`, which see: there the mean feed
/// then costs one poll per `every`.
pub(super) const TYPICAL: f64 = 0.42;
/// Hours of watching that the prior is worth.
const PRIOR_HOURS: f64 = 12.0;
/// Entries that the belief in an even hour, or day, is worth.
const EVEN_HOUR: f64 = 2.0;
const EVEN_DAY: f64 = 6.0;
/// Hours of watching before the hour, and the day, are told apart.
const HOURS_KNOWN: f64 = 48.0;
const DAYS_KNOWN: f64 = 9.0 * 24.0;
/// How long a suspected gap keeps a feed at the shortest interval.
const HURRY: i64 = 6 * 3600;
/// Arrivals remembered one by one.
const RECENT: usize = 4;

/// A feed's publishing habits, as far as they have been seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rhythm {
    /// Unix seconds from which on entries were watched; none before the first look.
    since: Option<i64>,
    /// Unix seconds at which an entry weighs one.
    origin: i64,
    /// Weighted hours watched before the origin, in hundredths.
    watched: u32,
    /// Weighted entries by hour of the day, in hundredths.
    hours: [u32; 24],
    /// The same by weekday, Monday first.
    days: [u32; 7],
    /// The last few arrivals, oldest first.
    recent: Vec<i64>,
    /// Until when entries are feared to be missed.
    hurry_until: Option<i64>,
}

impl Rhythm {
    /// Takes in the times of the entries a poll found new: published, or first seen where that is
    /// earlier or nothing else is known. Call it after every poll, with none as well.
    ///
    /// The first document shows entries from before the first look; their dates are history.
    /// Those without one all bear the time of that look and say nothing.
    pub fn observe(&mut self, now: Timestamp, new: &[Timestamp]) {
        let now = now.as_second();
        let first = self.since.is_none();
        let known = |at: i64| at > now.saturating_sub(LOOK_BACK) && if first { at < now } else { true };
        let mut times: Vec<i64> =
            new.iter().map(|at| at.as_second().min(now)).filter(|at| known(*at)).collect();
        times.sort_unstable();
        if first {
            self.origin = times.first().copied().unwrap_or(now);
            self.since = Some(self.origin);
        }
        self.settle(now);
        for at in times {
            let weight = hundredths(self.growth(at));
            if let Some(count) = self.hours.get_mut(hour(at)) {
                *count = count.saturating_add(weight);
            }
            if let Some(count) = self.days.get_mut(weekday(at)) {
                *count = count.saturating_add(weight);
            }
            self.recent.push(at);
        }
        self.recent.sort_unstable();
        let surplus = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..surplus);
        self.hurry_until = self.hurry_until.filter(|until| *until > now);
    }

    /// Notes that entries may have been missed: a document without any known entry.
    pub fn suspect_gap(&mut self, now: Timestamp) {
        self.hurry_until = Some(now.as_second().saturating_add(HURRY));
    }

    /// The usual time between two entries, where enough were seen to tell.
    pub fn usual_gap(&self) -> Option<SignedDuration> {
        let newest = *self.recent.last()?;
        // As it was when entries last came: silence since then must not stretch it.
        let count = self.hours.iter().map(|count| from_hundredths(*count)).sum::<f64>() / self.growth(newest);
        let watched = self.watched_until(newest) / self.growth(newest);
        let enough = count >= 3.0 && watched > 0.0 && self.is_known();
        let hours = enough.then(|| watched / count)?;
        Some(SignedDuration::from_secs_f64((hours * 3600.0).clamp(60.0, 365.0 * 86400.0)))
    }

    /// Whether entries are feared to be missed.
    pub(super) fn hurries(&self, now: Timestamp) -> bool {
        // An end too far ahead was written by a clock that has since been put back.
        let now = now.as_second();
        self.hurry_until.is_some_and(|until| until > now && until <= now.saturating_add(HURRY))
    }

    /// Whether anything was ever observed that came by itself.
    pub(super) fn is_known(&self) -> bool {
        self.hours.iter().any(|count| *count > 0)
    }

    /// Reads the rates as they stand now.
    pub(super) fn rates(&self, now: Timestamp) -> Rates {
        let now = now.as_second();
        let growth = self.growth(now);
        let count = self.hours.iter().map(|count| from_hundredths(*count)).sum::<f64>() / growth;
        let watched = self.watched_until(now) / growth;
        let mean = (count + TYPICAL * PRIOR_HOURS) / (watched + PRIOR_HOURS);
        let span = self.since.map_or(0.0, |since| hours_between(since, now));
        let mut rates = Rates { mean, by_hour: [1.0; 24], by_day: [1.0; 7], burst: 0.0 };
        if span >= HOURS_KNOWN {
            rates.by_hour = self.shape_of_day(growth, count);
        }
        if span >= DAYS_KNOWN {
            for (factor, seen) in rates.by_day.iter_mut().zip(self.days) {
                *factor = (from_hundredths(seen) / growth + EVEN_DAY) / (count / 7.0 + EVEN_DAY);
            }
        }
        rates.burst = self.burst(now, rates.at(now));
        rates
    }

    /// Each hour's share of the entries against an even one, blurred into its neighbours.
    fn shape_of_day(&self, growth: f64, count: f64) -> [f64; 24] {
        let mut shape = [1.0; 24];
        let before = self.hours.iter().cycle().skip(23);
        let after = self.hours.iter().cycle().skip(1);
        for (((factor, here), before), after) in shape.iter_mut().zip(&self.hours).zip(before).zip(after) {
            let blurred =
                (from_hundredths(*before) + 2.0 * from_hundredths(*here) + from_hundredths(*after)) / 4.0;
            *factor = (blurred / growth + EVEN_HOUR) / (count / 24.0 + EVEN_HOUR);
        }
        shape
    }

    /// The rate of the last arrivals where they came far faster than usual: breaking news.
    ///
    /// Four where less than half a one was due happens by chance twice in a thousand times.
    fn burst(&self, now: i64, usual: f64) -> f64 {
        // Arrivals from a future that did not come were noted by a clock since put back.
        let all_past = self.recent.len() >= RECENT && self.recent.iter().all(|at| *at <= now);
        let Some(first) = self.recent.first().filter(|_| all_past) else { return 0.0 };
        let hours = hours_between(*first, now).max(1.0 / 12.0);
        let due = usual * hours;
        if due < 0.5 { 4.0 / hours } else { 0.0 }
    }

    /// Brings the origin forward before the weights grow large, and back after a clock that ran ahead.
    fn settle(&mut self, now: i64) {
        let age = now.saturating_sub(self.origin);
        if (-3600..LOOK_BACK.saturating_mul(2)).contains(&age) {
            return;
        }
        if age < 0 {
            self.origin = now;
            self.since = self.since.map(|since| since.min(now));
            self.recent.retain(|at| *at <= now);
            return;
        }
        let growth = self.growth(now);
        self.watched = hundredths(self.watched_until(now) / growth);
        for count in self.hours.iter_mut().chain(&mut self.days) {
            *count = hundredths(from_hundredths(*count) / growth);
        }
        self.origin = now;
    }

    /// What an entry of this time weighs. Bounded, as clocks are not.
    fn growth(&self, at: i64) -> f64 {
        (hours_between(self.origin, at) / HALF_LIFE).clamp(-16.0, 16.0).exp2()
    }

    /// Weighted hours watched; none before the first look.
    fn watched_until(&self, now: i64) -> f64 {
        if self.since.is_none() {
            return 0.0;
        }
        from_hundredths(self.watched) + HALF_LIFE / std::f64::consts::LN_2 * (self.growth(now) - 1.0).max(0.0)
    }
}

/// Entries to be expected per hour, by time.
#[derive(Debug, Clone)]
pub(super) struct Rates {
    mean: f64,
    by_hour: [f64; 24],
    by_day: [f64; 7],
    burst: f64,
}

impl Rates {
    /// Entries an hour around this time.
    pub(super) fn at(&self, second: i64) -> f64 {
        let by_hour = self.by_hour.get(hour(second)).copied().unwrap_or(1.0);
        let by_day = self.by_day.get(weekday(second)).copied().unwrap_or(1.0);
        let usual = self.mean * by_hour * by_day;
        if self.burst > usual { (usual * self.burst).sqrt() } else { usual }
    }
}

/// Hour of the day, UTC.
pub(super) fn hour(second: i64) -> usize {
    usize::try_from(second.div_euclid(3600).rem_euclid(24)).unwrap_or(0)
}

/// Day of the week, UTC, 0 is Monday; the epoch was a Thursday.
pub(super) fn weekday(second: i64) -> usize {
    usize::try_from(second.div_euclid(86_400).saturating_add(3).rem_euclid(7)).unwrap_or(0)
}

fn hours_between(from: i64, to: i64) -> f64 {
    SignedDuration::from_secs(to.saturating_sub(from)).as_secs_f64() / 3600.0
}

fn from_hundredths(count: u32) -> f64 {
    f64::from(count) / 100.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn hundredths(value: f64) -> u32 {
    (value * 100.0).round() as u32
}
