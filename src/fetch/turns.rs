//! Politeness: who may ask a host, and when.
//!
//! A request first takes a place at its host (`per_host`), then waits there
//! until `host_gap` has passed since the host's last request, and only then
//! takes one of the `concurrency` places of the whole program. So a queue
//! before one host costs the others nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Hosts remembered before the idle ones are forgotten.
const REMEMBERED: usize = 1024;

/// The turns of all hosts.
#[derive(Debug)]
pub(super) struct Turns {
    hosts: Mutex<Hosts>,
    everywhere: Semaphore,
    per_host: usize,
    gap: Duration,
}

#[derive(Debug)]
struct Hosts {
    by_name: HashMap<String, Arc<Host>>,
    forget_at: usize,
}

#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    last_start: Mutex<Option<Instant>>,
    last_end: Mutex<Option<Instant>>,
}

/// A place at one host; given up when dropped.
#[derive(Debug)]
pub(super) struct Place {
    host: Arc<Host>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// How long the host has been left in peace; none when it was not asked yet.
    pub(super) fn quiet_for(&self) -> Option<Duration> {
        let last = *self.host.last_end.lock().unwrap_or_else(PoisonError::into_inner);
        last.map(|last| last.elapsed())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.host.last_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

impl Turns {
    pub(super) fn new(concurrency: usize, per_host: usize, gap: Duration) -> Self {
        let most = Semaphore::MAX_PERMITS;
        Self {
            hosts: Mutex::new(Hosts { by_name: HashMap::new(), forget_at: REMEMBERED }),
            everywhere: Semaphore::new(concurrency.clamp(1, most)),
            per_host: per_host.clamp(1, most),
            gap,
        }
    }

    /// Waits for a place at a host, first come first served.
    pub(super) async fn enter(&self, name: &str) -> Place {
        let host = self.host(name);
        let place = Arc::clone(&host.places).acquire_owned().await.ok();
        Place { host, _place: place }
    }

    /// Waits until the host may be asked again and there is room in all, and counts that as a start.
    pub(super) async fn start(&self, place: &Place) -> Option<SemaphorePermit<'_>> {
        loop {
            if let Some(due) = place.host.due(self.gap) {
                tokio::time::sleep_until(due).await;
            }
            let permit = self.everywhere.acquire().await.ok();
            // With several places a neighbour may have started while this one waited for room.
            if place.host.try_start(self.gap) {
                return permit;
            }
        }
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.by_name.get(name) {
            return Arc::clone(host);
        }
        if hosts.by_name.len() >= hosts.forget_at {
            // The map's own handle is the only one of a host nobody waits for.
            hosts.by_name.retain(|_, host| Arc::strong_count(host) > 1 || host.due(self.gap).is_some());
            hosts.forget_at = REMEMBERED.max(hosts.by_name.len().saturating_mul(2));
        }
        let host = Arc::new(Host {
            places: Arc::new(Semaphore::new(self.per_host)),
            last_start: Mutex::new(None),
            last_end: Mutex::new(None),
        });
        hosts.by_name.insert(name.to_owned(), Arc::clone(&host));
        host
    }
}

impl Host {
    /// The instant from which the next request may start, if that is still ahead.
    fn due(&self, gap: Duration) -> Option<Instant> {
        let last = *self.last_start.lock().unwrap_or_else(PoisonError::into_inner);
        last.and_then(|last| last.checked_add(gap)).filter(|due| *due > Instant::now())
    }

    fn try_start(&self, gap: Duration) -> bool {
        let mut last = self.last_start.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let free = last.is_none_or(|last| now.saturating_duration_since(last) >= gap);
        if free {
            *last = Some(now);
        }
        free
    }
}

#[cfg(test)]
mod tests;
