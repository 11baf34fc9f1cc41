//! Deliveries over whole runs: at least once, the same bytes, a storm never.
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

#[path = "flow_delivery/bulk.rs"]
mod bulk;
#[path = "flow_delivery/names.rs"]
mod names;
#[path = "flow_delivery/retention.rs"]
mod retention;
#[path = "flow_delivery/server.rs"]
mod server;
#[path = "flow_delivery/tries.rs"]
mod tries;
