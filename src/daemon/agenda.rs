//! What to poll next: due feeds, no more at once than allowed, hosts taking turns.
//!
//! Pure but for `Instant`s handed in: feeds fall due by the wall clock, the pause
//! between two requests to a host runs by the monotonic one.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::config::Polling;
use crate::fetch::Connection;

/// A connection is not held for a feed that must wait longer than this for its turn.
const HELD: Duration = Duration::from_secs(5);

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
    /// Hosts whose connection is held for their next feed: they go before others, so that few are.
    going_on: VecDeque<String>,
    /// How many connections are held.
    held: usize,
    in_flight: usize,
}

#[derive(Debug)]
struct Place {
    host: String,
    state: State,
    /// While in flight.
    connection: Connection,
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
    /// Whether a connection is held for its next feed.
    held: bool,
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
            going_on: VecDeque::new(),
            held: 0,
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
        self.feeds.insert(
            feed,
            Place { host: host.to_owned(), state: State::Later(at), connection: Connection::Own },
        );
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
                    if host.due.is_empty() && std::mem::take(&mut host.held) {
                        self.held = self.held.saturating_sub(1);
                    }
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
        while let Some(name) = self.going_on.pop_front() {
            if let Some(feed) = self.start(&name, clock) {
                return Some(feed);
            }
        }
        // Each host once: one that must wait does not hold up the others.
        for _ in 0..self.turn.len() {
            let name = self.turn.pop_front()?;
            let Some(host) = self.hosts.get_mut(&name) else { continue };
            if host.due.is_empty() {
                host.in_turn = false;
                continue;
            }
            let started = self.start(&name, clock);
            self.turn.push_back(name);
            if started.is_some() {
                return started;
            }
        }
        None
    }

    /// Starts a host's next feed, if it has one and may be asked.
    fn start(&mut self, name: &str, clock: Instant) -> Option<i64> {
        let host = self.hosts.get_mut(name)?;
        if host.in_flight >= self.per_host || host.not_before.is_some_and(|at| at > clock) {
            return None;
        }
        let feed = host.due.pop_front()?;
        host.in_flight += 1;
        host.not_before = clock.checked_add(self.host_gap);
        self.in_flight += 1;
        let more = !host.due.is_empty();
        let connection = match (host.held, more) {
            (true, true) => Connection::Shared,
            (true, false) => {
                host.held = false;
                self.held = self.held.saturating_sub(1);
                Connection::Last
            }
            (false, true) if self.held < self.concurrency && self.host_gap <= HELD => {
                host.held = true;
                self.held += 1;
                Connection::Shared
            }
            (false, _) => Connection::Own,
        };
        if let Some(place) = self.feeds.get_mut(&feed) {
            place.state = State::InFlight;
            place.connection = connection;
        }
        Some(feed)
    }

    /// Returns how a feed in flight is to be asked for.
    pub fn connection(&self, feed: i64) -> Connection {
        self.feeds.get(&feed).map(|place| place.connection).unwrap_or_default()
    }

    /// Ends a feed's turn and puts it down for `next`; none when it is not to be polled again.
    pub fn done(&mut self, feed: i64, next: Option<Timestamp>) {
        let Some(place) = self.feeds.remove(&feed) else { return };
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(host) = self.hosts.get_mut(&place.host) {
            host.in_flight = host.in_flight.saturating_sub(1);
            if host.held {
                self.going_on.push_back(place.host.clone());
            }
        }
        if let (Some(next), State::InFlight) = (next, place.state) {
            self.put(feed, &place.host, next);
        }
    }

    /// Lets a feed that is not due yet ask another host from now on.
    pub fn moved(&mut self, feed: i64, host: &str) {
        if let Some(Place { state: State::Later(at), host: old, .. }) = self.feeds.get(&feed)
            && old != host
        {
            self.put(feed, host, *at);
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
            going_on: VecDeque::new(),
            held: 0,
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
    fn feeds_of_one_host_share_a_connection_and_follow_each_other() {
        let mut agenda = polling(2, 1, 0);
        for (feed, host) in [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "c"), (6, "c")] {
            agenda.put(feed, host, at(0));
        }
        let start = Instant::now();
        let mut asked = Vec::new();
        let mut running = VecDeque::new();
        loop {
            while let Some(feed) = agenda.next(at(1), start) {
                asked.push((feed, agenda.connection(feed)));
                running.push_back(feed);
            }
            let Some(feed) = running.pop_front() else { break };
            agenda.done(feed, None);
        }
        use Connection::{Last, Own, Shared};
        assert_eq!(asked, [(1, Shared), (4, Own), (2, Shared), (5, Shared), (3, Last), (6, Last)]);
        assert_eq!(agenda.held, 0);
    }

    #[test]
    fn no_connection_is_held_for_long_nor_too_many_nor_for_a_feed_that_is_gone() {
        let mut agenda = polling(1, 1, 60);
        agenda.put(1, "a", at(0));
        agenda.put(2, "a", at(0));
        let start = Instant::now();
        assert_eq!(agenda.next(at(1), start), Some(1));
        assert_eq!(agenda.connection(1), Connection::Own, "the next turn is a minute off");
        let mut agenda = polling(1, 1, 2);
        for (feed, host) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
            agenda.put(feed, host, at(0));
        }
        assert_eq!(agenda.next(at(1), start), Some(1));
        assert_eq!(agenda.connection(1), Connection::Shared);
        agenda.done(1, None);
        assert_eq!(agenda.next(at(1), start), Some(3));
        assert_eq!(agenda.connection(3), Connection::Own, "one is held already");
        agenda.remove(2);
        assert_eq!(agenda.held, 0);
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
    fn a_feed_moved_in_flight_asks_its_new_host_next() {
        let mut agenda = polling(4, 1, 0);
        let start = Instant::now();
        agenda.put(1, "a", at(0));
        agenda.put(2, "b", at(9));
        assert_eq!(agenda.next(at(0), start), Some(1));
        agenda.put(1, "b", at(0));
        agenda.done(1, Some(at(9)));
        agenda.moved(1, "b");
        assert_eq!(agenda.next(at(9), start), Some(1));
        assert_eq!(agenda.next(at(9), start), None, "one in flight to a host");
        agenda.remove(1);
        agenda.done(1, Some(at(20)));
        agenda.moved(1, "a");
        assert_eq!(agenda.feeds(), [2], "what is gone stays gone");
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
