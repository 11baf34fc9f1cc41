//! What is one article: ids that change, repeat, vanish and lie, and servers that do.
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

#[path = "flow_identity/defects.rs"]
mod defects;
#[path = "flow_identity/first_poll.rs"]
mod first_poll;
#[path = "flow_identity/ids.rs"]
mod ids;
#[path = "flow_identity/moves.rs"]
mod moves;
#[path = "flow_identity/settings.rs"]
mod settings;
#[path = "flow_identity/shared.rs"]
mod shared;
#[path = "flow_identity/upgrade.rs"]
mod upgrade;
#[path = "flow_identity/wording.rs"]
mod wording;
