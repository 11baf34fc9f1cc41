//! What to poll next: due feeds, no more at once than allowed, hosts taking turns.
//!
//! Pure but for `Instant`s handed in: feeds fall due by the wall clock, the pause
//! between two requests to a host runs by the monotonic one.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::config::Polling;

/// The feeds, by when they are due and which host they ask.
#[derive(Debug)]
pub struct Agenda {
    concurrency: usize,
    per_host: usize,
    host_gap: Duration,
    /// Not yet due.
    later: BTreeSet<(Timestamp, i64)>,
    /// Where each feed lives, and where it stands.
    feeds: HashMap<i64, Place>,
    hosts: HashMap<String, Host>,
    /// Hosts with due feeds, in turn.
    turn: VecDeque<String>,
    in_flight: usize,
}

#[derive(Debug)]
struct Place {
    host: String,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Later(Timestamp),
    Due,
    InFlight,
    /// Taken off the agenda while in flight.
    Gone,
}

#[derive(Debug, Default)]
struct Host {
    due: VecDeque<i64>,
    in_flight: usize,
    not_before: Option<Instant>,
    /// Whether it stands in `turn`.
    in_turn: bool,
}

impl Agenda {
    /// Makes an empty agenda with the limits of the configuration.
    pub fn new(polling: &Polling) -> Self {
        Self {
            concurrency: polling.concurrency,
            per_host: polling.per_host,
            host_gap: polling.host_gap,
            later: BTreeSet::new(),
            feeds: HashMap::new(),
            hosts: HashMap::new(),
            turn: VecDeque::new(),
            in_flight: 0,
        }
    }

    /// Takes over new limits.
    pub fn set_limits(&mut self, polling: &Polling) {
        self.concurrency = polling.concurrency;
        self.per_host = polling.per_host;
        self.host_gap = polling.host_gap;
    }

    /// Puts a feed down for `at`; a feed in flight keeps its turn and is put down when it ends.
    pub fn put(&mut self, feed: i64, host: &str, at: Timestamp) {
        match self.feeds.get(&feed).map(|place| place.state) {
            Some(State::InFlight | State::Gone) => {
                if let Some(place) = self.feeds.get_mut(&feed) {
                    place.state = State::InFlight;
                }
                return;
            }
            Some(_) => self.remove(feed),
            None => {}
        }
        self.later.insert((at, feed));
        self.feeds.insert(feed, Place { host: host.to_owned(), state: State::Later(at) });
    }

    /// Takes a feed off the agenda.
    pub fn remove(&mut self, feed: i64) {
        let Some(place) = self.feeds.get_mut(&feed) else { return };
        match place.state {
            State::Later(at) => {
                self.later.remove(&(at, feed));
                self.feeds.remove(&feed);
            }
            State::Due => {
                if let Some(host) = self.hosts.get_mut(&place.host) {
                    host.due.retain(|due| *due != feed);
                }
                self.feeds.remove(&feed);
            }
            State::InFlight | State::Gone => place.state = State::Gone,
        }
    }

    /// Returns the feeds on the agenda.
    pub fn feeds(&self) -> Vec<i64> {
        self.feeds.keys().copied().collect()
    }

    /// Returns how many polls are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns whether nothing is due and nothing in flight.
    pub fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.hosts.values().all(|host| host.due.is_empty())
    }

    /// Returns the next feed to poll now, if one may be.
    pub fn next(&mut self, now: Timestamp, clock: Instant) -> Option<i64> {
        self.fall_due(now);
        if self.in_flight >= self.concurrency {
            return None;
        }
        // Each host once: one that must wait does not hold up the others.
        for _ in 0..self.turn.len() {
            let name = self.turn.pop_front()?;
            let Some(host) = self.hosts.get_mut(&name) else { continue };
            if host.due.is_empty() {
                host.in_turn = false;
                continue;
            }
            if host.in_flight >= self.per_host || host.not_before.is_some_and(|at| at > clock) {
                self.turn.push_back(name);
                continue;
            }
            let feed = host.due.pop_front()?;
            host.in_flight += 1;
            host.not_before = clock.checked_add(self.host_gap);
            self.in_flight += 1;
            if let Some(place) = self.feeds.get_mut(&feed) {
                place.state = State::InFlight;
            }
            self.turn.push_back(name);
            return Some(feed);
        }
        None
    }

    /// Ends a feed's turn and puts it down for `next`; none when it is not to be polled again.
    pub fn done(&mut self, feed: i64, next: Option<Timestamp>) {
        let Some(place) = self.feeds.remove(&feed) else { return };
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(host) = self.hosts.get_mut(&place.host) {
            host.in_flight = host.in_flight.saturating_sub(1);
        }
        if let (Some(next), State::InFlight) = (next, place.state) {
            self.put(feed, &place.host, next);
        }
    }

    /// Returns how long to wait for the next feed that may be polled, if nothing else happens.
    pub fn wait(&self, now: Timestamp, clock: Instant) -> Option<Duration> {
        if self.in_flight >= self.concurrency {
            return None;
        }
        let gap = self
            .hosts
            .values()
            .filter(|host| !host.due.is_empty() && host.in_flight < self.per_host)
            .map(|host| host.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(clock)))
            .min();
        let due = self
            .later
            .first()
            .map(|(at, _)| Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO));
        gap.into_iter().chain(due).min()
    }

    /// Returns how many feeds are due and wait for their turn.
    pub fn due(&self) -> usize {
        self.hosts.values().map(|host| host.due.len()).sum()
    }

    fn fall_due(&mut self, now: Timestamp) {
        while let Some((at, feed)) = self.later.first().copied() {
            if at > now {
                break;
            }
            self.later.remove(&(at, feed));
            let Some(place) = self.feeds.get_mut(&feed) else { continue };
            place.state = State::Due;
            let host = self.hosts.entry(place.host.clone()).or_default();
            host.due.push_back(feed);
            if !host.in_turn {
                host.in_turn = true;
                self.turn.push_back(place.host.clone());
            }
        }
        if self.hosts.len() > 4 * self.feeds.len() + 64 {
            self.hosts.retain(|_, host| !host.due.is_empty() || host.in_flight > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polling(concurrency: usize, per_host: usize, gap: u64) -> Agenda {
        Agenda {
            concurrency,
            per_host,
            host_gap: Duration::from_secs(gap),
            later: BTreeSet::new(),
            feeds: HashMap::new(),
            hosts: HashMap::new(),
            turn: VecDeque::new(),
            in_flight: 0,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn five_hundred_feeds_of_one_host_are_spaced_and_do_not_hold_up_another() {
        let mut agenda = polling(4, 1, 2);
        for feed in 0..500 {
            agenda.put(feed, "slow.example", at(0));
        }
        agenda.put(900, "other.example", at(1));
        let start = Instant::now();
        assert_eq!(agenda.next(at(1), start), Some(0));
        assert_eq!(agenda.next(at(1), start), Some(900));
        assert_eq!(agenda.next(at(1), start), None, "one in flight to a host");
        agenda.done(0, Some(at(100)));
        assert_eq!(agenda.next(at(1), start + Duration::from_secs(1)), None, "the gap");
        assert_eq!(agenda.wait(at(1), start + Duration::from_secs(1)), Some(Duration::from_secs(1)));
        assert_eq!(agenda.next(at(1), start + Duration::from_secs(2)), Some(1));
    }

    #[test]
    fn it_wakes_when_the_earliest_feed_is_due_and_not_before() {
        let mut agenda = polling(4, 1, 0);
        agenda.put(1, "a", at(60));
        agenda.put(2, "b", at(30));
        let start = Instant::now();
        assert_eq!(agenda.next(at(0), start), None);
        assert_eq!(agenda.wait(at(0), start), Some(Duration::from_secs(30)));
        assert_eq!(agenda.next(at(30), start), Some(2));
        agenda.done(2, Some(at(90)));
        assert_eq!(agenda.wait(at(30), start), Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_feed_removed_in_flight_does_not_come_back_and_one_put_again_does() {
        let mut agenda = polling(4, 1, 0);
        let start = Instant::now();
        agenda.put(1, "a", at(0));
        assert_eq!(agenda.next(at(0), start), Some(1));
        agenda.remove(1);
        agenda.done(1, Some(at(5)));
        assert_eq!(agenda.next(at(9), start), None);
        agenda.put(1, "a", at(9));
        assert_eq!(agenda.next(at(9), start), Some(1));
        agenda.remove(1);
        agenda.put(1, "a", at(0));
        agenda.done(1, Some(at(20)));
        assert_eq!(agenda.wait(at(9), start), Some(Duration::from_secs(11)));
    }
}
