//! Digests over whole runs: one a slot, numbered, whatever the clock, the mail server and the operator do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
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

#[path = "flow_digests/bounds.rs"]
mod bounds;
#[path = "flow_digests/content.rs"]
mod content;
#[path = "flow_digests/damage.rs"]
mod damage;
#[path = "flow_digests/slots.rs"]
mod slots;
#[path = "flow_digests/undelivered.rs"]
mod undelivered;
