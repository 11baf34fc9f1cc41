//! The HTTP clients, each built when first needed.
//!
//! Reading the system's certificates takes some 30 ms, which a run over plain
//! http (a test, a feed on the local network) never has to pay.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Proxy, redirect};
use tokio::sync::OnceCell;

use super::guard::Guard;
use super::resolve::Resolver;
use crate::config::Polling;

/// The longest a connection may take to stand, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// What the machine lacks for fetching, in words for its operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(pub(super) String);

/// How a client treats the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// No TLS at all.
    Plain,
    /// The system's store.
    System,
    /// Whatever the server shows.
    Anything,
}

#[derive(Debug)]
pub(super) struct Clients {
    plain: Client,
    system: OnceCell<Client>,
    anything: OnceCell<Client>,
    making: Making,
}

/// What all clients share.
#[derive(Debug, Clone)]
struct Making {
    resolver: Arc<Resolver>,
    connect: Duration,
    proxy: Option<url::Url>,
}

impl Clients {
    pub(super) fn new(polling: &Polling, guard: &Guard) -> Result<Self, SetupError> {
        let connect = CONNECT.min(polling.timeout);
        let resolver = Arc::new(Resolver::new(guard.clone(), connect));
        let making = Making { resolver, connect, proxy: polling.proxy.clone() };
        let plain = making.client(Trust::Plain)?;
        Ok(Self { plain, system: OnceCell::new(), anything: OnceCell::new(), making })
    }

    pub(super) async fn get(&self, trust: Trust) -> Result<&Client, SetupError> {
        let cell = match trust {
            Trust::Plain => return Ok(&self.plain),
            Trust::System => &self.system,
            Trust::Anything => &self.anything,
        };
        let making = &self.making;
        cell.get_or_try_init(|| async {
            let making = making.clone();
            tokio::task::spawn_blocking(move || making.client(trust))
                .await
                .unwrap_or_else(|failed| Err(SetupError(format!("the TLS client was not built: {failed}"))))
        })
        .await
    }
}

impl Making {
    fn client(&self, trust: Trust) -> Result<Client, SetupError> {
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect)
            // Polls of one host are minutes apart; idle connections would only cost memory.
            .pool_max_idle_per_host(0)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true);
        let builder = match trust {
            // No certificate is trusted, so none has to be read.
            Trust::Plain => builder.tls_certs_only([]),
            Trust::System => builder,
            Trust::Anything => builder.tls_danger_accept_invalid_certs(true),
        };
        self.route(builder)?.build().map_err(|failed| SetupError(words(&failed)))
    }

    /// Straight under the guard, or through the proxy, which then sees to the names.
    fn route(&self, builder: ClientBuilder) -> Result<ClientBuilder, SetupError> {
        let Some(address) = &self.proxy else {
            return Ok(builder.no_proxy().dns_resolver(Arc::clone(&self.resolver)));
        };
        let proxy = Proxy::all(address.as_str()).map_err(|failed| {
            SetupError(format!("the proxy {} cannot be used: {failed}", super::hop::shown(address)))
        })?;
        Ok(builder.proxy(proxy))
    }
}

fn words(failed: &reqwest::Error) -> String {
    let chain = super::fault::chain(failed);
    if chain.contains("No CA certificates") {
        return "no CA certificates were found on this system, so no https feed can be trusted: \
                install the package ca-certificates (or set SSL_CERT_FILE)"
            .to_owned();
    }
    format!("the HTTP client was not built: {chain}")
}
