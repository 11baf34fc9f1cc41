//! The server as configured, and opening a connection to it.

use std::sync::Arc;
use std::time::Duration;

use rustls_platform_verifier::Verifier;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig};

use crate::config::{Secret, Security, Smtp};
use crate::mail::mailer::SetupError;
use crate::mail::smtp::dialogue::Dialogue;
use crate::mail::smtp::judge::Step;
use crate::mail::smtp::wire::{Stream, Wire};
use crate::mail::{Outcome, OutcomeKind};

/// What is known before the first byte.
#[derive(Debug, Clone)]
pub(in crate::mail) struct Server {
    host: String,
    port: u16,
    security: Security,
    hello: Option<String>,
    pub(super) login: Option<(String, Secret)>,
    pub(super) timeout: Duration,
    pub(super) data_timeout: Duration,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Server {
    pub(in crate::mail) fn new(smtp: &Smtp, extra_roots: &[Vec<u8>]) -> Result<Self, SetupError> {
        let tls = match smtp.security {
            Security::None => None,
            Security::Tls | Security::StartTls => {
                let name = ServerName::try_from(smtp.host.clone());
                let name = name.map_err(|_| SetupError::Host(smtp.host.clone()))?;
                let config = trust(extra_roots).map_err(|error| SetupError::Roots(error.to_string()))?;
                Some((Arc::new(config), name))
            }
        };
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port,
            security: smtp.security,
            hello: smtp.hello.clone(),
            login: smtp.login.clone(),
            timeout: smtp.timeout,
            data_timeout: smtp.data_timeout,
            tls,
        })
    }

    /// Connects, protects the connection, logs in.
    pub(in crate::mail) async fn connect(&self) -> Result<Dialogue, Outcome> {
        let tcp = self.tcp().await?;
        // a server may ask that a name be one; the address in brackets always is (RFC 5321 section 4.1.3)
        let hello = self.hello.clone().or_else(full_host_name).unwrap_or_else(|| literal(&tcp));
        let mut stream: Box<dyn Stream> = Box::new(tcp);
        if self.security == Security::Tls {
            stream = self.protect(stream).await?;
        }
        let mut dialogue =
            Dialogue::new(Wire::new(stream), self.clone(), hello, self.security == Security::Tls);
        dialogue.greet().await?;
        if self.security == Security::StartTls {
            let stream = self.protect(dialogue.start_tls().await?).await?;
            let hello = dialogue.hello;
            dialogue = Dialogue::new(Wire::new(stream), self.clone(), hello, true);
            dialogue.ehlo().await?;
        }
        dialogue.log_in().await?;
        Ok(dialogue)
    }

    /// Words about a failure that name the server.
    pub(super) fn words(&self, step: Step, what: &str) -> String {
        format!("{}:{}, {}: {what}", self.host, self.port, step.words())
    }

    async fn tcp(&self) -> Result<TcpStream, Outcome> {
        let failed = |what: &str| Outcome::new(OutcomeKind::Deferred, None, &self.words(Step::Connect, what));
        let late = || failed(&format!("no connection within {} s", self.timeout.as_secs_f32()));
        let end = Instant::now() + self.timeout;
        let host = (self.host.as_str(), self.port);
        let found = timeout_at(end, lookup_host(host)).await.map_err(|_| late())?;
        let addresses: Vec<_> = found.map_err(|error| failed(&error.to_string()))?.take(8).collect();
        let mut last = failed("the name has no address");
        let mut left = u32::try_from(addresses.len()).unwrap_or(1);
        for address in addresses {
            // one dead address must not take the time of the others
            let share = end.saturating_duration_since(Instant::now()) / left.max(1);
            left = left.saturating_sub(1);
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // without it every short command waits for the other side's delayed acknowledgement
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => last = failed(&error.to_string()),
                Err(_) => last = late(),
            }
        }
        Err(last)
    }

    async fn protect(&self, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Outcome> {
        let says = |kind, what: &str| Outcome::new(kind, None, &self.words(Step::Handshake, what));
        let Some((config, name)) = &self.tls else {
            return Err(says(OutcomeKind::Misconfigured, "TLS is not set up"));
        };
        let connector = TlsConnector::from(Arc::clone(config));
        match timeout(self.timeout, connector.connect(name.clone(), stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) if is_distrust(&error) => Err(says(
                OutcomeKind::Misconfigured,
                &format!("{error}; the certificate must name the host and be trusted by the system's store"),
            )),
            Ok(Err(error)) => Err(says(OutcomeKind::Deferred, &error.to_string())),
            Err(_) => {
                let limit = self.timeout.as_secs_f32();
                Err(says(OutcomeKind::Deferred, &format!("nothing happened within {limit} s")))
            }
        }
    }
}

fn trust(extra_roots: &[Vec<u8>]) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = extra_roots.iter().map(|root| CertificateDer::from(root.clone()));
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn is_distrust(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented))
}

fn full_host_name() -> Option<String> {
    // Asked of the kernel: under systemd's ProcSubset=pid there is no /proc/sys.
    let system = rustix::system::uname();
    let name = system.nodename().to_str().ok()?;
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    (plain && name.contains('.') && name.len() <= 255).then(|| name.to_owned())
}

fn literal(stream: &TcpStream) -> String {
    match stream.local_addr().map(|address| address.ip().to_canonical()) {
        Ok(std::net::IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        Ok(ip) => format!("[{ip}]"),
        Err(_) => "[127.0.0.1]".into(),
    }
}
