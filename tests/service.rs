//! The daemon as systemd and its operator know it: signals, notify socket, one state directory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

#[path = "support/http.rs"]
mod http;
#[path = "support/press.rs"]
mod press;
#[path = "support/sink.rs"]
mod sink;
#[path = "support/watch.rs"]
mod watch;

#[path = "service/beside.rs"]
mod beside;
#[path = "service/notify.rs"]
mod notify;
#[path = "service/pace.rs"]
mod pace;
#[path = "service/reload.rs"]
mod reload;
#[path = "service/start.rs"]
mod start;
#[path = "service/stop.rs"]
mod stop;

use press::Press;
use sink::{Mood, Sink};
use watch::Watch;

pub(crate) fn feed(name: &str, url: &url::Url) -> String {
    format!("[[feed]]\nname = \"{name}\"\nurl = \"{url}\"\n")
}

/// A subscription that gets every alert at once.
pub(crate) const DESK: &str = "[[subscription]]\nname = \"desk\"\nto = [\"desk@example.org\"]\nalert_wait = \"0s\"\n\
    alerts_per_hour = 100000\ndigest = { at = \"23:59:59\" }\n";

/// A feed that publishes, a mail server in good mood, and a daemon's configuration for both.
pub(crate) struct Town {
    pub(crate) press: Press,
    pub(crate) feeds: http::Server,
    pub(crate) sink: Sink,
    pub(crate) watch: Watch,
}

impl Town {
    pub(crate) async fn found(seed: u64, rate: usize) -> Self {
        let press = Press::new(seed, rate);
        let feeds = press.serve().await;
        let sink = Sink::start(|_| Mood::Kind).await;
        let watch = Watch::new(&format!("{}{}{DESK}", feed("A", &feeds.url("/a")), sink.tables()));
        Self { press, feeds, sink, watch }
    }
}
