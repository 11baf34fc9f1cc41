//! Where log lines go: to the journal with their fields under systemd, readable to stderr elsewhere.

use std::io;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging; `verbosity` is `-v` less `-q`.
pub fn start(verbosity: i8) {
    // Libraries speak at debug of things that must not be logged: addresses, bodies.
    let level = match verbosity {
        ..0 => "burdenwatch=warn,error",
        0 => "burdenwatch=info,warn",
        1 => "burdenwatch=debug,warn",
        2.. => "burdenwatch=trace,warn",
    };
    let filter = std::env::var("BURDENWATCH_LOG")
        .ok()
        .and_then(|filter| EnvFilter::try_new(filter).ok())
        .unwrap_or_else(|| EnvFilter::new(level));
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let layer = if journal { tracing_journald::layer().ok() } else { None };
    let started = match layer {
        // Fields keep their own names: FEED, RULE, DIGEST, MESSAGE_ID can be asked for with journalctl.
        Some(layer) => {
            tracing_subscriber::registry().with(layer.with_field_prefix(None).with_filter(filter)).try_init()
        }
        None => {
            let plain = tracing_subscriber::fmt::layer()
                .with_writer(io::stderr)
                .with_target(false)
                .with_ansi(io::stderr().is_terminal());
            tracing_subscriber::registry().with(plain.with_filter(filter)).try_init()
        }
    };
    // A second start in one process (tests) keeps the first.
    drop(started);
}
