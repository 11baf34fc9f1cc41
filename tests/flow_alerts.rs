//! Alerts over whole runs: collected, capped, rolled up, deferred, muted; never lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[path = "support/house.rs"]
mod house;
#[path = "support/http.rs"]
mod http;
#[path = "support/smtp.rs"]
mod smtp;

#[path = "flow_alerts/burst.rs"]
mod burst;
#[path = "flow_alerts/gone.rs"]
mod gone;
#[path = "flow_alerts/mutes.rs"]
mod mutes;
#[path = "flow_alerts/pace.rs"]
mod pace;
