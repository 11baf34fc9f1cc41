//! Name resolution under the guard: only checked addresses are dialled.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::guard::Guard;

/// `getaddrinfo` cannot be called off, so a dead name server holds a thread
/// each. More than this many wait here instead of on the blocking pool.
const LOOKUPS: usize = 12;

/// Why a name gave no address.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unresolved {
    #[error("the name does not resolve ({0})")]
    Lookup(std::io::Error),
    #[error("the name has no address")]
    Empty,
    #[error("the name was not resolved within {} s", .0.as_secs_f32())]
    Slow(Duration),
}

/// The system's resolver, with a time limit and the guard behind it.
#[derive(Debug)]
pub(super) struct Resolver {
    guard: Guard,
    limit: Duration,
    lookups: Arc<Semaphore>,
}

impl Resolver {
    pub(super) fn new(guard: Guard, limit: Duration) -> Self {
        Self { guard, limit, lookups: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, limit, lookups) = (self.guard.clone(), self.limit, Arc::clone(&self.lookups));
        Box::pin(async move {
            let found = match tokio::time::timeout(limit, lookup(lookups, name.as_str().to_owned())).await {
                Ok(found) => found.map_err(Unresolved::Lookup)?,
                Err(_) => return Err(Unresolved::Slow(limit).into()),
            };
            let mut refusal = None;
            let mut open = Vec::with_capacity(found.len());
            for address in found {
                match guard.check(address.ip()) {
                    Ok(()) => open.push(address),
                    Err(refused) => refusal = Some(refused),
                }
            }
            match (open.is_empty(), refusal) {
                (false, _) => Ok(Box::new(open.into_iter()) as Addrs),
                (true, Some(refused)) => Err(refused.into()),
                (true, None) => Err(Unresolved::Empty.into()),
            }
        })
    }
}

/// Runs on when nobody waits any more, so that its place stays taken as long as its thread is.
async fn lookup(lookups: Arc<Semaphore>, name: String) -> std::io::Result<Vec<SocketAddr>> {
    let place = lookups.acquire_owned().await.map_err(std::io::Error::other)?;
    let running = tokio::spawn(async move {
        let found = tokio::net::lookup_host((name, 0)).await.map(Iterator::collect);
        drop(place);
        found
    });
    running.await.map_err(std::io::Error::other)?
}
