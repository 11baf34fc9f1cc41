//! One polite, guarded, bounded GET.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use tokio::time::Instant;
use url::{Host, Url};

use super::answer::{self, Limits};
use super::clients::{Clients, SetupError, Trust};
use super::guard::{Guard, Refusal};
use super::hop::{self, Chain};
use super::turns::Turns;
use super::{Connection, Failure, FailureKind, Request, Response, fault};
use crate::config::Polling;
use crate::time::{Clock, SystemClock};

/// The longest a server may pause within a body.
const IDLE: Duration = Duration::from_secs(15);

/// How long a connection must have been silent before it is used again.
///
/// A server that sends more than one answer to a request puts all that follow
/// out of step: feeds would get each other's documents, and nothing in HTTP
/// tells. The client closes a connection on which bytes come unasked, but only
/// if they come before the next request is sent; so they get the time to.
const SILENCE: Duration = Duration::from_millis(500);

/// Gets feeds for the whole program: holds the clients, the guard and the hosts' turns.
#[derive(Debug)]
pub struct Fetcher {
    clients: Clients,
    guard: Guard,
    turns: Turns,
    gap: Duration,
    agent: HeaderValue,
    clock: Arc<dyn Clock>,
    idle: Duration,
}

impl Fetcher {
    /// Makes a fetcher; reads no certificates before the first https address.
    pub fn new(polling: &Polling) -> Result<Self, SetupError> {
        let guard = Guard::new(&polling.allow_networks);
        let agent = HeaderValue::from_str(&polling.user_agent)
            .map_err(|_| SetupError("user_agent has characters that HTTP does not allow".to_owned()))?;
        Ok(Self {
            clients: Clients::new(polling, &guard)?,
            guard,
            turns: Turns::new(polling.concurrency, polling.per_host, polling.host_gap),
            gap: polling.host_gap,
            agent,
            clock: Arc::new(SystemClock),
            idle: IDLE,
        })
    }

    /// Reads `Retry-After` and `Expires` against this clock where a server shows none.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how long a server may pause within a body.
    #[must_use]
    pub fn with_idle_limit(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Builds what https needs, so that a lack shows before the first poll.
    pub async fn ready(&self) -> Result<(), SetupError> {
        self.clients.get(Trust::System, false).await.map(drop)
    }

    /// Gets a feed, waiting for its host's turn first. The wait is not part of `timeout`.
    pub async fn get(&self, request: &Request) -> Result<Response, Failure> {
        self.get_on(request, Connection::Own).await
    }

    /// Does the same on a connection that may be shared.
    pub async fn get_on(&self, request: &Request, connection: Connection) -> Result<Response, Failure> {
        let mut chain = Chain::new(request, &self.agent)?;
        let mut left = request.timeout;
        let mut place = None;
        let mut held = String::new();
        loop {
            self.admit(&chain)?;
            let here = chain.url.host_str().unwrap_or_default();
            if place.is_none() || held != here {
                // The old place goes first: two chains that wait for each other's host would never end.
                drop(place.take());
                here.clone_into(&mut held);
                place = Some(self.turns.enter(here).await);
            }
            let Some(standing) = &place else { continue };
            let running = self.turns.start(standing).await;
            // Others follow to the feed's own host, not to where it redirects.
            let shares = !chain.redirected() && may_share(&chain.url, self.gap, standing.quiet_for());
            let connection = if shares { connection } else { Connection::Own };
            let started = Instant::now();
            let Ok(outcome) =
                tokio::time::timeout(left, self.exchange(&mut chain, request, connection)).await
            else {
                return Err(fault::late(&chain.url, request.timeout));
            };
            drop(running);
            left = left.saturating_sub(started.elapsed());
            if let Some(response) = outcome? {
                return Ok(response);
            }
        }
    }

    /// One request and its answer; none when it was a redirect, now the chain's next address.
    async fn exchange(
        &self,
        chain: &mut Chain,
        request: &Request,
        connection: Connection,
    ) -> Result<Option<Response>, Failure> {
        let trust = match (chain.url.scheme(), request.tls_insecure) {
            ("https", true) if !chain.left_origin() => Trust::Anything,
            ("https", _) => Trust::System,
            _ => Trust::Plain,
        };
        let client = async |shared| {
            self.clients.get(trust, shared).await.map_err(|lack| fault::setup(&chain.url, &lack))
        };
        let shared = connection != Connection::Own;
        let mut got = client(shared).await?.execute(chain.request(connection)).await;
        // A server may close a connection it held at the very moment it is used again.
        if shared && got.as_ref().is_err_and(fault::hung_up) {
            got = client(false).await?.execute(chain.request(Connection::Own)).await;
        }
        let got =
            got.map_err(|failed| fault::of(&failed, &chain.url, chain.redirected(), request.timeout))?;
        let status = got.status();
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            chain.follow(status, got.headers())?;
            return Ok(None);
        }
        let limits = Limits { body: request.max_body, idle: self.idle, whole: request.timeout };
        answer::read(got, chain, &request.validators, limits, self.clock.now()).await.map(Some)
    }

    /// Lets a hop through the guard as far as its URL shows where it leads.
    fn admit(&self, chain: &Chain) -> Result<(), Failure> {
        if !matches!(chain.url.scheme(), "http" | "https") || !chain.url.has_host() {
            let what = format!("{} is not an http or https address", hop::shown(&chain.url));
            return Err(Failure { kind: FailureKind::Refused, what, status: None, retry_after: None });
        }
        let judged: Result<(), Refusal> = self.guard.check_literal(&chain.url);
        judged.map_err(|refusal| fault::refused(&chain.url, chain.redirected(), &refusal))
    }
}

/// Tells whether a connection may be shared with the requests before and after.
fn may_share(url: &Url, gap: Duration, quiet_for: Option<Duration>) -> bool {
    // What runs on this machine is its operator's own, and all one server's.
    let at_home = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    // The gap is from start to start, so a slow answer may leave no silence at all.
    at_home || gap >= SILENCE && quiet_for.is_none_or(|quiet| quiet >= SILENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_shared_after_a_silence_only() {
        let (second, short) = (Duration::from_secs(1), Duration::from_millis(100));
        for (url, gap, quiet, shared) in [
            ("https://a.example/f", second, None, true),
            ("https://a.example/f", second, Some(second), true),
            ("https://a.example/f", second, Some(short), false),
            ("https://a.example/f", short, Some(second), false),
            ("https://a.example/f", Duration::ZERO, None, false),
            ("http://192.168.1.1/f", Duration::ZERO, None, false),
            ("http://127.0.0.1:8080/f", Duration::ZERO, Some(Duration::ZERO), true),
            ("http://[::1]/f", Duration::ZERO, Some(Duration::ZERO), true),
            ("http://localhost/f", Duration::ZERO, Some(Duration::ZERO), true),
        ] {
            assert_eq!(may_share(&Url::parse(url).unwrap(), gap, quiet), shared, "{url} {gap:?} {quiet:?}");
        }
    }
}
