//! From a configuration to a setup that works.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::load::Loaded;
use crate::config::{Config, Feed};
use crate::daemon::StartError;
use crate::daemon::lock;
use crate::daemon::lock::Lock;
use crate::digest::Templates;
use crate::fetch::Fetcher;
use crate::flow::alerts::later;
use crate::flow::dispatch;
use crate::flow::parsers::Parsers;
use crate::flow::subscribers;
use crate::flow::{Run, Setup};
use crate::mail::Mailer;
use crate::store::{Bounds, Scheduled, Store, StoreError, Tx};
use crate::time::Clock;

/// Documents parsed at a time.
const PARSERS: usize = 2;
/// First polls are spread over this long, and never beyond a feed's own interval.
const SPREAD: Duration = Duration::from_secs(60);
/// Why a feed is polled before the time it had.
pub(crate) const SHORTENED: &str = "its interval was shortened";
/// The longest that anything waits which does not follow the configuration.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a start waits for a command that has the state directory, such as `digest send`, to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens everything a run needs, the lock first.
pub fn open(loaded: Loaded, clock: Arc<dyn Clock>, once: bool) -> Result<(Setup, Lock), StartError> {
    let lock = enter(&loaded)?;
    Ok((unlocked(loaded, clock, once)?, lock))
}

/// Does the same, and gives whoever holds the lock a moment to end.
pub async fn open_soon(
    loaded: Loaded,
    clock: Arc<dyn Clock>,
    once: bool,
) -> Result<(Setup, Lock), StartError> {
    let begun = Instant::now();
    let mut told = false;
    let lock = loop {
        match enter(&loaded) {
            Err(StartError::Running(state_dir)) if begun.elapsed() < PATIENCE => {
                if !told {
                    tracing::info!("waiting for the burdenwatch that has {} to end", state_dir.display());
                    told = true;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            done => break done?,
        }
    };
    Ok((unlocked(loaded, clock, once)?, lock))
}

fn enter(loaded: &Loaded) -> Result<Lock, StartError> {
    let state_dir = &loaded.config.service.state_dir;
    std::fs::create_dir_all(state_dir).map_err(|source| StartError::State {
        what: "make the state directory",
        path: state_dir.clone(),
        source,
    })?;
    lock::take(state_dir)
}

fn unlocked(loaded: Loaded, clock: Arc<dyn Clock>, once: bool) -> Result<Setup, StartError> {
    let store = Store::open(&loaded.config.service.state_dir.join("burdenwatch.db"), clock.now(), !once)?;
    let run = Run { once, id: format!("{:016x}", fastrand::u64(..)) };
    install(loaded, store, clock, run)
}

/// Makes a setup of a configuration and an open store.
pub fn install(loaded: Loaded, store: Store, clock: Arc<dyn Clock>, run: Run) -> Result<Setup, StartError> {
    let Loaded { config, rules, templates, .. } = loaded;
    let fetcher = Fetcher::new(&config.polling).map_err(|why| StartError::Fetch(why.to_string()))?;
    let mailer = Mailer::new(&config.mail).map_err(|why| StartError::Mail(why.to_string()))?;
    let parsers = Parsers::start(PARSERS).map_err(StartError::Threads)?;
    Ok(Setup {
        config: Arc::new(config),
        rules,
        templates: templates.unwrap_or_else(|| Arc::new(Templates::builtin())),
        fetcher: Arc::new(fetcher),
        mailer: Arc::new(mailer),
        store,
        stories: Arc::default(),
        parsers,
        clock,
        run,
    })
}

/// Brings the database in line at a start: leases of the dead are void, then as [`resync`].
pub async fn sync(setup: &Setup) -> Result<Vec<Scheduled>, StoreError> {
    let now = setup.clock.now();
    setup.store.write(move |tx| tx.void_leases(now)).await?;
    resync(setup).await
}

/// Brings the database in line with the configuration: feeds, subscriptions, the rule set's name.
pub async fn resync(setup: &Setup) -> Result<Vec<Scheduled>, StoreError> {
    let (config, now) = (Arc::clone(&setup.config), setup.clock.now());
    let rule_set = setup.rules.hash().to_owned();
    setup
        .store
        .write(move |tx| {
            // Spread evenly: many feeds at one instant would queue behind each other anyway.
            let active: Vec<_> = config.feeds.iter().filter(|feed| feed.enabled).collect();
            let total = u32::try_from(active.len().max(1)).unwrap_or(u32::MAX);
            let first = |place: usize| {
                let every = active.get(place).map_or(SPREAD, |feed| usual(&config, feed));
                let share = f64::from(u32::try_from(place).unwrap_or(0)) / f64::from(total);
                let after = SPREAD.min(every / 2).mul_f64(share);
                now.saturating_add(SignedDuration::try_from(after).unwrap_or_default()).unwrap_or(now)
            };
            let configured: Vec<_> =
                active.iter().map(|feed| (feed.name.clone(), feed.url.as_str().to_owned())).collect();
            tx.mend_waits(&bounds(&config, now), now)?;
            dispatch::bound_pause(tx, bounds(&config, now).mail)?;
            let by_name: HashMap<&str, &Feed> =
                active.iter().map(|feed| (feed.name.as_str(), *feed)).collect();
            let mut rows = tx.sync_feeds(&configured, first)?;
            for row in &mut rows {
                if let Some(feed) = by_name.get(row.name.as_str()) {
                    keep_interval(tx, &config, feed, row, now)?;
                }
            }
            subscribers::sync(tx, &config, now)?;
            let before = tx.fact("rules.hash")?;
            if before.as_deref() != Some(rule_set.as_str()) {
                tx.set_fact("rules.hash", Some(&rule_set))?;
                // The first rule set of a new database is no change.
                tx.set_fact("rules.changed", before.map(|_| now.to_string()).as_deref())?;
            }
            tx.set_fact("rules.refused", None)?;
            tx.set_fact("config.refused", None)?;
            Ok(rows)
        })
        .await
}

/// A healthy feed never waits longer than its interval allows, whatever it was told before.
fn keep_interval(
    tx: Tx<'_>,
    config: &Config,
    feed: &Feed,
    row: &mut Scheduled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let latest = latest(config, feed, now);
    if row.failures > 0 || row.next_poll_at <= latest {
        return Ok(());
    }
    row.next_poll_at = latest;
    tx.pull_forward(row.id, latest, SHORTENED)
}

/// When a healthy feed polled now is polled again at the latest.
pub(crate) fn latest(config: &Config, feed: &Feed, now: Timestamp) -> Timestamp {
    let longest = if config.polling.adaptive && feed.every.is_none() {
        config.polling.max_every
    } else {
        usual(config, feed)
    };
    later(now, longest)
}

/// Beyond these, what waits was told to by a clock that was ahead.
pub(crate) fn bounds(config: &Config, now: Timestamp) -> Bounds {
    let retry = config.mail.retry.iter().max().copied().unwrap_or(DAY);
    let alert = config.subscriptions.iter().map(|one| one.alert_wait).max().unwrap_or_default();
    // Somewhere it is tomorrow already.
    let date = later(now, DAY).to_zoned(TimeZone::UTC).date();
    Bounds {
        mail: later(now, retry.saturating_mul(2)),
        // Quiet hours put an alert off by less than a day.
        alert: later(now, DAY.saturating_add(alert)),
        hold: later(now, DAY),
        slot: date.to_string(),
    }
}

fn usual(config: &Config, feed: &Feed) -> Duration {
    feed.every.unwrap_or(config.polling.every)
}
