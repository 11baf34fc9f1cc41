//! `Fetcher` against a scripted server on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

#[path = "support/http.rs"]
mod http;

#[path = "fetch/conditional.rs"]
mod conditional;
#[path = "fetch/hostile.rs"]
mod hostile;
#[path = "fetch/packed.rs"]
mod packed;
#[path = "fetch/redirects.rs"]
mod redirects;
#[path = "fetch/sharing.rs"]
mod sharing;
#[path = "fetch/tls.rs"]
mod tls;

use std::time::Duration;

use burdenwatch::config::Polling;
use burdenwatch::fetch::{Failure, Fetcher, Request, Response, Validators};
use url::Url;

pub(crate) fn polling() -> Polling {
    Polling {
        every: Duration::from_secs(900),
        min_every: Duration::from_secs(300),
        max_every: Duration::from_secs(7200),
        adaptive: true,
        concurrency: 32,
        per_host: 4,
        host_gap: Duration::ZERO,
        timeout: Duration::from_secs(5),
        max_body: 1 << 20,
        user_agent: "burdenwatch/test (+https://example.org/)".to_owned(),
        proxy: None,
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
    }
}

pub(crate) fn request(url: &Url) -> Request {
    Request {
        url: url.clone(),
        validators: Validators::default(),
        headers: Vec::new(),
        user_agent: None,
        basic_auth: None,
        timeout: Duration::from_secs(5),
        max_body: 1 << 20,
        tls_insecure: false,
    }
}

pub(crate) fn fetcher() -> Fetcher {
    Fetcher::new(&polling()).unwrap()
}

pub(crate) async fn get(url: &Url) -> Result<Response, Failure> {
    fetcher().get(&request(url)).await
}
