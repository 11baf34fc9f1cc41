//! Polls feeds when they are due: never on a tick, never too many, hosts in turn.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Feed};
use crate::daemon::House;
use crate::daemon::OnceReport;
use crate::daemon::agenda::Agenda;
use crate::daemon::keeper::Pulse;
use crate::daemon::open;
use crate::fetch;
use crate::fetch::Connection;
use crate::flow::Setup;
use crate::flow::ingest;
use crate::flow::ingest::{Ended, Report, TROUBLE};
use crate::store::{FeedRow, Scheduled, StoreError};

/// The wall clock may be set while we sleep: we look at it this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// Rows that a single run keeps from its start; looking one up costs a tenth of a poll, keeping it a kilobyte.
const AT_HAND: usize = 2000;

/// What a poll's task hands back: the feed as it was polled, and how the poll went.
struct Polled {
    id: i64,
    name: String,
    url: String,
    config: Arc<Config>,
    report: Result<Report, StoreError>,
}

/// The feeds of a reload, to replace those on the agenda.
pub(crate) type Change = Vec<Scheduled>;

/// How long polls in flight may take to end after a stop. One cut off has stored nothing and is repeated.
const LAST_POLLS: Duration = Duration::from_secs(4);

/// Polls until told to stop; then polls in flight have a moment to end.
pub(crate) async fn run(
    house: House,
    agenda: Agenda,
    feeds: Vec<Scheduled>,
    mut pulses: mpsc::Receiver<Pulse>,
    mut changes: mpsc::Receiver<Change>,
) {
    let mut desk = Desk::new(agenda);
    desk.remember_holds(&house.setup());
    desk.take_over(feeds);
    let mut stopping: Option<Instant> = None;
    loop {
        let setup = house.setup();
        let wait = if house.stop.is_cancelled() {
            let since = *stopping.get_or_insert_with(Instant::now);
            if since.elapsed() >= LAST_POLLS {
                desk.polls.abort_all();
                break;
            }
            LAST_POLLS.saturating_sub(since.elapsed())
        } else {
            desk.start_due(&setup);
            desk.wait(&setup).min(LONGEST_SLEEP)
        };
        house.tally.set_polls(desk.agenda.in_flight(), desk.agenda.due());
        if house.stop.is_cancelled() && desk.polls.is_empty() {
            break;
        }
        tokio::select! {
            Some(ended) = desk.polls.join_next_with_id() => {
                // Not the one of before the wait: a reload may have come.
                let setup = house.setup();
                if let Some((name, report)) = desk.finish(&setup, ended).await {
                    log(&name, &report, setup.clock.now());
                    house.tally.count_poll(&report);
                    if matches!(report, Ok(Report { ended: Ended::Read { matched: 1.., .. }, .. })) {
                        house.news.notify_one();
                    }
                }
            }
            Some(pulse) = pulses.recv() => drop(pulse.send(())),
            Some(feeds) = changes.recv() => {
                desk.agenda.set_limits(&house.setup().config.polling);
                desk.take_over(feeds);
            }
            () = house.stop.cancelled(), if !house.stop.is_cancelled() => {}
            () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
        }
    }
}

/// Polls what is due, or everything, once.
///
/// # Errors
///
/// Fails when the feeds cannot be read.
pub(crate) async fn once(
    setup: &Setup,
    all: bool,
    stop: &CancellationToken,
) -> Result<OnceReport, StoreError> {
    let now = setup.clock.now();
    let mut desk = Desk::new(Agenda::new(&setup.config.polling));
    if !all {
        desk.remember_holds(setup);
    }
    setup.store.read(|tx| {
        tx.each_feed(true, |feed| {
            if all || feed.next_poll_at <= now || feed.last_poll_at.is_none() {
                desk.agenda.put(feed.id, &host(address(&feed.url, feed.moved_url.as_deref())), now);
                if desk.rows.len() < AT_HAND {
                    desk.rows.insert(feed.id, Box::new(feed));
                }
            }
        })
    })?;
    let mut report = OnceReport::default();
    loop {
        if !stop.is_cancelled() {
            desk.start_due(setup);
        }
        if desk.polls.is_empty() && (stop.is_cancelled() || desk.agenda.is_idle()) {
            break;
        }
        let wait = desk.wait(setup);
        tokio::select! {
            Some(ended) = desk.polls.join_next_with_id() => {
                let id = desk.feed_of(&ended);
                if let Some((name, polled)) = desk.finish(setup, ended).await {
                    log(&name, &polled, setup.clock.now());
                    report.count(name, polled);
                }
                // Once is once, also for a feed with an interval of a second.
                if let Some(id) = id {
                    desk.agenda.remove(id);
                }
            }
            () = stop.cancelled(), if !stop.is_cancelled() => {}
            () = tokio::time::sleep(LAST_POLLS), if stop.is_cancelled() => desk.polls.abort_all(),
            () = tokio::time::sleep(wait), if !desk.agenda.is_idle() && !stop.is_cancelled() => {}
        }
    }
    Ok(report)
}

impl OnceReport {
    fn count(&mut self, name: String, polled: Result<Report, StoreError>) {
        self.polled += 1;
        match polled {
            Ok(Report { ended: Ended::Read { new, matched, .. }, .. }) => {
                self.new += new;
                self.matched += matched;
            }
            Ok(Report { ended: Ended::Failed { what, .. }, .. }) => self.failed.push((name, what)),
            Ok(Report { ended: Ended::Unchanged, .. }) => {}
            Err(why) => self.trouble.push(format!("{name}: {why}")),
        }
    }
}

struct Desk {
    agenda: Agenda,
    polls: JoinSet<Polled>,
    /// Which feed a task polls, for the case that it panics.
    in_flight: HashMap<tokio::task::Id, i64>,
    /// Domains that asked to be left alone.
    holds: HashMap<String, Timestamp>,
    /// Rows at hand, of feeds that are polled only once.
    rows: HashMap<i64, Box<FeedRow>>,
    /// Where each feed stands in the configuration, by name.
    places: HashMap<String, usize>,
}

type Joined = Result<(tokio::task::Id, Polled), tokio::task::JoinError>;

impl Desk {
    fn new(agenda: Agenda) -> Self {
        Self {
            agenda,
            polls: JoinSet::new(),
            in_flight: HashMap::new(),
            holds: HashMap::new(),
            rows: HashMap::new(),
            places: HashMap::new(),
        }
    }

    fn take_over(&mut self, feeds: Vec<Scheduled>) {
        let stay: HashSet<i64> = feeds.iter().map(|feed| feed.id).collect();
        for gone in self.agenda.feeds() {
            if !stay.contains(&gone) {
                self.agenda.remove(gone);
            }
        }
        for feed in feeds {
            let address = address(&feed.url, feed.moved_url.as_deref());
            self.agenda.put(feed.id, &host(address), feed.next_poll_at);
        }
    }

    fn remember_holds(&mut self, setup: &Setup) {
        let now = setup.clock.now();
        match setup.store.read(|tx| tx.holds(now)) {
            Ok(holds) => self.holds = holds.into_iter().map(|(domain, until, _)| (domain, until)).collect(),
            Err(why) => tracing::warn!("holds of earlier runs are not known: {why}"),
        }
    }

    fn start_due(&mut self, setup: &Setup) {
        // What waits to be read takes memory: no more is fetched until some of it is.
        while !setup.parsers.are_behind()
            && let Some(id) = self.agenda.next(setup.clock.now(), Instant::now())
        {
            if let Err(wait) = self.start(setup, id) {
                self.agenda.done(id, wait);
            }
        }
    }

    /// How long nothing can be started, if nothing else happens: a poll that ends is something.
    fn wait(&self, setup: &Setup) -> Duration {
        if setup.parsers.are_behind() && !self.polls.is_empty() {
            return LONGEST_SLEEP;
        }
        self.agenda.wait(setup.clock.now(), Instant::now()).unwrap_or(LONGEST_SLEEP)
    }

    /// Starts a poll, or says when to think of the feed again (never, when it is gone).
    fn start(&mut self, setup: &Setup, id: i64) -> Result<(), Option<Timestamp>> {
        let now = setup.clock.now();
        let known = self.rows.remove(&id).map(|row| Some(*row));
        let row = match known.map_or_else(|| setup.store.read(|tx| tx.feed(id)), Ok) {
            Ok(Some(row)) => row,
            Ok(None) => return Err(None),
            Err(why) => {
                tracing::error!("cannot read a feed's state: {why}; tried again in a minute");
                return Err(Some(soon(now)));
            }
        };
        let configured = self.configured(setup, &row.name).filter(|feed| feed.enabled);
        let Some(feed) = configured else { return Err(None) };
        if !self.holds.is_empty()
            && let Ok(url) = url::Url::parse(address(&row.url, row.moved_url.as_deref()))
            && let Some(until) = self.holds.get(&fetch::domain(&url)).copied()
            && until > now
        {
            return Err(Some(until));
        }
        let task = self.polls.spawn(poll(setup.clone(), feed.clone(), row, self.agenda.connection(id)));
        self.in_flight.insert(task.id(), id);
        Ok(())
    }

    /// Finds a feed in the configuration in force.
    fn configured<'s>(&mut self, setup: &'s Setup, name: &str) -> Option<&'s Feed> {
        let feeds = &setup.config.feeds;
        let at = |place: &usize| feeds.get(*place).filter(|feed| feed.name == name);
        if let Some(feed) = self.places.get(name).and_then(at) {
            return Some(feed);
        }
        // New, or a reload moved it.
        self.places = feeds.iter().enumerate().map(|(place, feed)| (feed.name.clone(), place)).collect();
        self.places.get(name).and_then(at)
    }

    fn feed_of(&self, ended: &Joined) -> Option<i64> {
        let task = match ended {
            Ok((task, _)) => *task,
            Err(why) => why.id(),
        };
        self.in_flight.get(&task).copied()
    }

    /// Puts the feed down for its next poll; returns how this one went.
    async fn finish(&mut self, setup: &Setup, ended: Joined) -> Option<(String, Result<Report, StoreError>)> {
        let feed = self.feed_of(&ended);
        let trouble = soon(setup.clock.now());
        match ended {
            Ok((task, polled)) => {
                self.in_flight.remove(&task);
                let (next, host) = if Arc::ptr_eq(&polled.config, &setup.config) {
                    (None, None)
                } else {
                    after_reload(setup, &polled).await
                };
                let Polled { id, name, report, .. } = polled;
                if let Ok(Report { hold: Some((domain, until)), .. }) = &report {
                    self.holds.insert(domain.clone(), *until);
                }
                let next = next.unwrap_or_else(|| match &report {
                    Ok(report) => report.next_at,
                    Err(_) => usual(setup, &name).map_or(trouble, |usual| usual.min(trouble)),
                });
                self.agenda.done(id, Some(next));
                if let Some(host) = host {
                    self.agenda.moved(id, &host);
                }
                Some((name, report))
            }
            Err(why) => {
                self.in_flight.remove(&why.id());
                if let Some(id) = feed {
                    self.agenda.done(id, Some(trouble));
                }
                tracing::error!(FEED = feed, "a poll ended in a panic and is tried again in a minute: {why}");
                None
            }
        }
    }
}

/// When and at which host a feed is polled next whose poll ended under another configuration than it began under.
async fn after_reload(setup: &Setup, polled: &Polled) -> (Option<Timestamp>, Option<String>) {
    let (id, now) = (polled.id, setup.clock.now());
    let Ok(Some(row)) = setup.store.read(|tx| tx.feed(id)) else { return (None, None) };
    let host = Some(host(address(&row.url, row.moved_url.as_deref())));
    if row.url != polled.url {
        // What the reload said of the new address stands: the poll of the old one left it alone.
        return (Some(row.next_poll_at), host);
    }
    let feed = setup.config.feeds.iter().find(|feed| feed.name == row.name);
    let latest = feed.map(|feed| open::latest(&setup.config, feed, now));
    let Some(latest) = latest.filter(|latest| row.failures == 0 && row.next_poll_at > *latest) else {
        return (None, host);
    };
    // For `feeds list` and a restart; the agenda obeys without it.
    let noted = setup.store.write(move |tx| tx.pull_forward(id, latest, open::SHORTENED)).await;
    if let Err(why) = noted {
        tracing::warn!("a feed's shorter interval could not be noted: {why}");
    }
    (Some(latest), host)
}

/// Where a feed is asked for.
fn address<'f>(configured: &'f str, moved: Option<&'f str>) -> &'f str {
    moved.unwrap_or(configured)
}

fn host(address: &str) -> String {
    let url = url::Url::parse(address).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// When a feed would be polled next if all had gone well.
fn usual(setup: &Setup, name: &str) -> Option<Timestamp> {
    let feed = setup.config.feeds.iter().find(|feed| feed.name == name)?;
    let every = SignedDuration::try_from(feed.every.unwrap_or(setup.config.polling.every)).ok()?;
    setup.clock.now().checked_add(every).ok()
}

fn soon(now: Timestamp) -> Timestamp {
    now.saturating_add(TROUBLE).unwrap_or(Timestamp::MAX)
}

async fn poll(setup: Setup, feed: Feed, row: FeedRow, connection: Connection) -> Polled {
    let (id, name, url) = (row.id, row.name.clone(), row.url.clone());
    let report = ingest::poll(&setup, &feed, row, connection).await;
    Polled { id, name, url, config: setup.config, report }
}

/// One line a poll, at a level by what it means; a failure that goes on is told again only when it counts.
fn log(name: &str, polled: &Result<Report, StoreError>, now: Timestamp) {
    let next = |report: &Report| report.next_at.duration_since(now).as_mins();
    match polled {
        Ok(report) => match &report.ended {
            Ended::Unchanged => tracing::debug!(FEED = name, "{name}: unchanged"),
            Ended::Read { entries, new, matched, gap } => {
                if *gap {
                    tracing::warn!(
                        FEED = name,
                        "{name}: nothing in the document was known; entries may have been missed since the last poll, it is polled faster now"
                    );
                }
                if *matched > 0 {
                    tracing::info!(FEED = name, "{name}: {new} new of {entries} entries, {matched} flagged");
                } else {
                    tracing::debug!(FEED = name, "{name}: {new} new of {entries} entries");
                }
            }
            Ended::Failed { what, in_a_row } => {
                let minutes = next(report);
                // The first, the third (from then on it counts as failing), then each doubling.
                if *in_a_row == 1 || *in_a_row == 3 || in_a_row.is_power_of_two() {
                    tracing::warn!(
                        FEED = name,
                        "{name}: {what}; failure {in_a_row} in a row, next try in {minutes} min"
                    );
                } else {
                    tracing::debug!(FEED = name, "{name}: {what}; failure {in_a_row} in a row");
                }
            }
        },
        Err(why) => tracing::error!(
            FEED = name,
            "{name}: what was fetched could not be stored: {why}; fetched again soon"
        ),
    }
}
