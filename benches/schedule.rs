//! How long news waits to be found, by polling policy, at one budget of requests.
//!
//! `cargo bench --bench schedule`
//!
//! 10,000 feeds publish for four weeks after two weeks of history. Entries
//! come by a Poisson process whose mean rate is log-normal over the feeds
//! (median 6 a day, sigma 1.6: from one a month to one every two minutes) and
//! swings with the hour (each feed has its own peak, as it has its own time
//! zone) and the day (most are quieter at weekends). A document shows the
//! last 40. Nobody knows the rates; all learn from what they have been shown,
//! and the weeks of learning count.
//!
//! Our policy runs as shipped. Each of the others has one free number, which
//! is bisected until it makes as many requests as ours: the fixed interval
//! its interval, miniflux's `entry_frequency` its factor, CommaFeed's
//! empirical rule a factor on its intervals. Both formulas run twice: within
//! their own bounds (5 min to 24 h; 5 min to 4 h) and within ours.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "a simulation"
)]

use std::time::{Duration, Instant};

use burdenwatch::news::schedule::{Hints, Input, Pace, Rhythm, next_poll};
use fastrand::Rng;
use jiff::Timestamp;

const SEED: u64 = 20_201_116;
const FEEDS: usize = 10_000;
/// Feeds on which the free numbers are sought first.
const SAMPLE: usize = 500;
const SHOWN: usize = 40;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// A Monday, 00:00 UTC.
const HISTORY: i64 = 1_604_275_200;
const START: i64 = HISTORY + 2 * WEEK;
const END: i64 = START + 4 * WEEK;
const PACE: Pace = Pace {
    every: Duration::from_secs(900),
    min_every: Duration::from_secs(300),
    max_every: Duration::from_secs(7200),
    adaptive: true,
};

/// The instants of a feed's entries, ascending.
type Feed = Vec<i64>;

#[derive(Clone, Copy)]
enum Policy {
    Fixed { every: f64 },
    Miniflux { factor: f64, most: i64 },
    CommaFeed { factor: f64, most: i64 },
    Ours,
}

fn main() {
    let start = Instant::now();
    let feeds = generate();
    let entries: usize = feeds.iter().map(Vec::len).sum();
    println!("{FEEDS} feeds, {entries} entries in 6 weeks, seed {SEED}");
    let target = (run(&feeds[..SAMPLE], Policy::Ours).requests, run(&feeds, Policy::Ours).requests);
    let most = PACE.max_every.as_secs() as i64;
    let rows = [
        ("fixed interval", bisect(&feeds, target, |x| Policy::Fixed { every: x })),
        ("miniflux, own bounds", bisect(&feeds, target, |x| Policy::Miniflux { factor: 1e3 / x, most: DAY })),
        ("miniflux, our bounds", bisect(&feeds, target, |x| Policy::Miniflux { factor: 1e3 / x, most })),
        (
            "CommaFeed, own bounds",
            bisect(&feeds, target, |x| Policy::CommaFeed { factor: x / 1e3, most: 4 * HOUR }),
        ),
        ("CommaFeed, our bounds", bisect(&feeds, target, |x| Policy::CommaFeed { factor: x / 1e3, most })),
        ("burdenwatch", Policy::Ours),
    ];
    println!(
        "\n| policy | free number | requests a feed and hour | median delay | mean | 95th percentile | 99th | missed |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    let mut medians = Vec::new();
    for (name, policy) in rows {
        let result = run(&feeds, policy);
        medians.push(result.percentile(0.5));
        println!(
            "| {name} | {} | {:.3} | {} | {} | {} | {} | {} |",
            free_number(policy),
            result.requests as f64 / FEEDS as f64 / ((END - START) / HOUR) as f64,
            minutes(result.percentile(0.5)),
            minutes(result.mean()),
            minutes(result.percentile(0.95)),
            minutes(result.percentile(0.99)),
            result.missed,
        );
    }
    println!("\nour median / fixed interval's: {:.2}   ({:.0?})", medians[5] / medians[0], start.elapsed());
}

fn minutes(seconds: f64) -> String {
    format!("{:.2} min", seconds / 60.0)
}

fn free_number(policy: Policy) -> String {
    match policy {
        Policy::Fixed { every } => minutes(every),
        Policy::Miniflux { factor, .. } | Policy::CommaFeed { factor, .. } => format!("{factor:.3}"),
        Policy::Ours => "none".to_owned(),
    }
}

/// Finds the number that makes a policy's requests meet the target, on a sample first.
fn bisect(feeds: &[Feed], (of_sample, of_all): (u64, u64), policy: impl Fn(f64) -> Policy) -> Policy {
    let rough = narrow(&feeds[..SAMPLE], of_sample, &policy, (1.0, 1e6), 1.01);
    policy(narrow(feeds, of_all, &policy, (rough / 1.05, rough * 1.05), 1.006))
}

/// Requests fall as the number grows.
fn narrow(
    feeds: &[Feed],
    target: u64,
    policy: impl Fn(f64) -> Policy,
    (mut low, mut high): (f64, f64),
    near: f64,
) -> f64 {
    while high / low > near {
        let middle = (low * high).sqrt();
        if run(feeds, policy(middle)).requests > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low * high).sqrt()
}

/// Delays in seconds, counted.
struct Delays {
    requests: u64,
    missed: u64,
    counts: Vec<u64>,
}

impl Delays {
    fn new() -> Self {
        Self { requests: 0, missed: 0, counts: vec![0; (2 * DAY) as usize] }
    }

    fn add(&mut self, delay: i64) {
        let last = self.counts.len() - 1;
        self.counts[(delay.max(0) as usize).min(last)] += 1;
    }

    fn merge(mut self, other: &Self) -> Self {
        self.requests += other.requests;
        self.missed += other.missed;
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, other)| *mine += other);
        self
    }

    fn percentile(&self, share: f64) -> f64 {
        let wanted = self.counts.iter().sum::<u64>() as f64 * share;
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            seen as f64 >= wanted
        });
        place.unwrap_or(0) as f64
    }

    fn mean(&self) -> f64 {
        let sum: f64 =
            self.counts.iter().enumerate().map(|(delay, count)| delay as f64 * *count as f64).sum();
        sum / self.counts.iter().sum::<u64>() as f64
    }
}

fn run(feeds: &[Feed], policy: Policy) -> Delays {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let parts: Vec<_> = feeds
            .chunks(feeds.len().div_ceil(workers))
            .map(|part| scope.spawn(move || simulate(part, policy)))
            .collect();
        parts.into_iter().fold(Delays::new(), |sum, part| sum.merge(&part.join().unwrap()))
    })
}

fn simulate(feeds: &[Feed], policy: Policy) -> Delays {
    let mut delays = Delays::new();
    for feed in feeds {
        let mut rng = Rng::with_seed(SEED ^ feed.len() as u64);
        let mut rhythm = Rhythm::default();
        let mut now = START + rng.i64(0..900);
        let mut known = feed.partition_point(|at| *at <= now).saturating_sub(SHOWN);
        let stored_from = known;
        let mut week_from = known;
        let first = now;
        loop {
            delays.requests += 1;
            let old = known;
            while feed.get(known).is_some_and(|at| *at <= now) {
                known += 1;
            }
            let new = &feed[old..known];
            delays.missed += new.len().saturating_sub(SHOWN) as u64;
            new.iter().filter(|at| **at > first).for_each(|at| delays.add(now - at));
            if now >= END {
                break;
            }
            while week_from < known && feed[week_from] <= now - WEEK {
                week_from += 1;
            }
            now += match policy {
                Policy::Fixed { every } => every.round() as i64,
                Policy::Miniflux { factor, most } => miniflux(&feed[week_from..known], factor, most),
                Policy::CommaFeed { factor, most } => {
                    commafeed(&feed[known.saturating_sub(SHOWN).max(stored_from)..known], now, factor, most)
                }
                Policy::Ours => ours(&mut rhythm, now, new, rng.f64()),
            };
        }
    }
    delays
}

fn ours(rhythm: &mut Rhythm, now: i64, new: &[i64], chance: f64) -> i64 {
    let instant = Timestamp::from_second(now).unwrap();
    let times: Vec<_> = new.iter().map(|at| Timestamp::from_second(*at).unwrap()).collect();
    rhythm.observe(instant, &times);
    let hints = Hints::default();
    let input = Input {
        now: instant,
        pace: PACE,
        rhythm,
        hints,
        failures: 0,
        retry_after: None,
        shown: SHOWN,
        chance,
    };
    next_poll(&input).at.as_second() - now
}

/// One week over (entries a week times factor), entries a week from the mean gap of the last week's.
fn miniflux(week: &[i64], factor: f64, most: i64) -> i64 {
    let (Some(first), Some(last)) = (week.first(), week.last()) else { return most };
    let gap = (last - first) as f64 / (week.len().max(2) - 1) as f64;
    let weekly = (WEEK as f64 / gap).ceil();
    if week.len() < 2 || weekly < 1.0 {
        return most;
    }
    ((WEEK as f64 / (weekly * factor)) as i64).clamp(300, most)
}

/// Half the mean gap of the entries shown, longer for feeds that have fallen silent.
fn commafeed(shown: &[i64], now: i64, factor: f64, most: i64) -> i64 {
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return most };
    let scaled = |wait: i64| ((wait as f64 * factor) as i64).clamp(300, most);
    match now - last {
        age if age >= 30 * DAY => most,
        age if age >= 14 * DAY => scaled(most / 2),
        age if age >= 7 * DAY => scaled(most / 4),
        _ if shown.len() < 2 => scaled(most / 4),
        _ => scaled(((last - first) / (shown.len() as i64 - 1) / 2).min(most / 4)),
    }
}

fn generate() -> Vec<Feed> {
    let mut rng = Rng::with_seed(SEED);
    (0..FEEDS).map(|_| generate_one(&mut rng)).collect()
}

fn generate_one(rng: &mut Rng) -> Feed {
    let per_hour = 0.25 * (1.6 * normal(rng)).exp();
    let peak = rng.f64() * 24.0;
    let depth = 0.05 + 0.4 * rng.f64();
    let weekend = if rng.f64() < 0.85 { 0.2 + 0.6 * rng.f64() } else { 1.0 };
    let hours: Vec<f64> = (0..24)
        .map(|hour| {
            let off = (f64::from(hour) - peak).rem_euclid(24.0);
            let off = off.min(24.0 - off);
            depth + (-off * off / 40.0).exp()
        })
        .collect();
    let even: f64 = hours.iter().sum::<f64>() / 24.0 * (5.0 + 2.0 * weekend) / 7.0;
    let mut feed = Vec::new();
    let mut at = HISTORY;
    while at < END + 2 * DAY {
        let hour = ((at / HOUR) % 24) as usize;
        let by_day = if (at - HISTORY) / DAY % 7 >= 5 { weekend } else { 1.0 };
        let rate = per_hour * hours[hour] * by_day / even;
        for _ in 0..poisson(rng, rate) {
            feed.push(at + rng.i64(0..HOUR));
        }
        at += HOUR;
    }
    feed.sort_unstable();
    feed
}

fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}

fn poisson(rng: &mut Rng, mean: f64) -> u32 {
    // By sums of exponential gaps: no underflow at high rates.
    let (mut count, mut sum) = (0, 0.0);
    loop {
        sum -= (1.0 - rng.f64()).ln();
        if sum > mean {
            return count;
        }
        count += 1;
    }
}
