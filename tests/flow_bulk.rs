//! Thousands of mails to a directory: fast, at level memory. Alone in its process, so that it can be measured.
//!
//! `BULK=10000 cargo test --release --test flow_bulk -- --nocapture` prints the figures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::cast_precision_loss,
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

use std::time::Duration;

use burdenwatch::daemon;
use tokio_util::sync::CancellationToken;

use crate::house::{House, queue_mails};

/// Processor time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Resident memory in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_mails_leave_fast_and_at_level_memory() {
    let count: usize = std::env::var("BULK").map_or(2_000, |n| n.parse().unwrap());
    let house = House::new().await;
    queue_mails(&house, count).await;
    let (before, memory_before) = (cpu(), memory());
    let report = daemon::once(house.setup(), true, &CancellationToken::new()).await.unwrap();
    let (took, grown) = (cpu().saturating_sub(before), memory().saturating_sub(memory_before));
    let rate = count as f64 / took.as_secs_f64();
    eprintln!(
        "bulk: {count} mails in {took:.1?} of processor time: {rate:.0} a second; {grown} KiB more (unoptimised build)"
    );
    assert_eq!(report.mail.sent, count);
    assert_eq!(std::fs::read_dir(house.dir.path().join("state/outbox")).unwrap().count(), count);
    assert!(rate >= 200.0, "{rate}");
    assert!(grown < 16 << 10, "{grown} KiB");
}
