//! The HTTP clients, each built when first needed.
//!
//! Reading the system's certificates takes some 30 ms, which a run over plain
//! http (a test, a feed on the local network) never has to pay.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Proxy, redirect};
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use super::guard::Guard;
use super::resolve::Resolver;
use crate::config::Polling;

/// The longest a connection may take to stand, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a shared connection waits for the next request.
const HELD: Duration = Duration::from_secs(15);

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
    plain: Pair,
    system: OnceCell<Pair>,
    anything: OnceCell<Pair>,
    making: Making,
}

/// Two clients of one trust.
#[derive(Debug)]
struct Pair {
    /// Closes each connection after its request.
    own: Client,
    /// Leaves them open for a while. It speaks HTTP/1.1 only, in which the last request can say that it is the last.
    shared: Client,
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
        let plain = making.pair(Trust::Plain)?;
        Ok(Self { plain, system: OnceCell::new(), anything: OnceCell::new(), making })
    }

    pub(super) async fn get(&self, trust: Trust, shared: bool) -> Result<&Client, SetupError> {
        let pair = self.pair(trust).await?;
        Ok(if shared { &pair.shared } else { &pair.own })
    }

    async fn pair(&self, trust: Trust) -> Result<&Pair, SetupError> {
        let cell = match trust {
            Trust::Plain => return Ok(&self.plain),
            Trust::System => &self.system,
            Trust::Anything => &self.anything,
        };
        let making = &self.making;
        cell.get_or_try_init(|| async {
            let making = making.clone();
            tokio::task::spawn_blocking(move || making.pair(trust))
                .await
                .unwrap_or_else(|failed| Err(SetupError(format!("the TLS client was not built: {failed}"))))
        })
        .await
    }
}

impl Making {
    fn pair(&self, trust: Trust) -> Result<Pair, SetupError> {
        // What the system trusts is read once for both.
        let system = if trust == Trust::System { Some(system_trust()?) } else { None };
        let secure = |builder: ClientBuilder, protocols: &[&str]| match (trust, &system) {
            (Trust::System, Some(config)) => {
                let mut config = config.clone();
                config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
                builder.tls_backend_preconfigured(config)
            }
            (Trust::Anything, _) => builder.tls_danger_accept_invalid_certs(true),
            // No certificate is trusted, so none has to be read.
            _ => builder.tls_certs_only([]),
        };
        let own = secure(self.builder()?.pool_max_idle_per_host(0), &["h2", "http/1.1"]);
        let shared = self.builder()?.pool_max_idle_per_host(1).pool_idle_timeout(HELD).http1_only();
        let build = |builder: ClientBuilder| builder.build().map_err(|failed| SetupError(words(&failed)));
        Ok(Pair { own: build(own)?, shared: build(secure(shared, &["http/1.1"]))? })
    }

    fn builder(&self) -> Result<ClientBuilder, SetupError> {
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect)
            // A request is over, one way or the other, long before a probe would be sent.
            .tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
            .tcp_user_timeout(None)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true);
        self.route(builder)
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

/// TLS as reqwest sets it up by itself, with the system's certificates.
fn system_trust() -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = Verifier::new(Arc::clone(&provider)).and_then(|verifier| {
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    });
    config.map_err(|failed| SetupError(lack(&failed.to_string())))
}

fn words(failed: &reqwest::Error) -> String {
    lack(&super::fault::chain(failed))
}

fn lack(chain: &str) -> String {
    if chain.contains("No CA certificates") {
        return "no CA certificates were found on this system, so no https feed can be trusted: \
                install the package ca-certificates (or set SSL_CERT_FILE)"
            .to_owned();
    }
    format!("the HTTP client was not built: {chain}")
}
