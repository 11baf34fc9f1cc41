//! The use cases, each readable top to bottom: a poll, an alert, a digest, a delivery.
//!
//! This is the only place where a fetch meets the store and the store meets the
//! mail. Nothing here waits or spawns but the [`parsers`]: [`daemon`](crate::daemon)
//! decides when.

pub mod alerts;
pub mod brief;
pub mod digests;
pub mod dispatch;
pub mod feed;
pub mod health;
pub mod ingest;
pub mod letters;
mod newsroom;
pub mod parsers;
pub mod recent;
mod register;
pub mod resolve;
pub mod retention;
pub mod slots;
pub mod subscribers;
pub mod undelivered;
pub mod watchman;

use std::sync::Arc;

use crate::config::Config;
use crate::digest::Templates;
use crate::fetch::Fetcher;
use crate::mail::Mailer;
use crate::rules::set::RuleSet;
use crate::store::Store;
use crate::store::StoreError;
use crate::time::Clock;

/// What every use case works with. A reload makes a new one; work in flight keeps the old.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The rule set in force.
    pub rules: Arc<RuleSet>,
    /// How mails look.
    pub templates: Arc<Templates>,
    /// How feeds are had.
    pub fetcher: Arc<Fetcher>,
    /// How mail leaves.
    pub mailer: Arc<Mailer>,
    /// The archive.
    pub store: Store,
    /// The stories an article may join, read once.
    pub stories: Arc<recent::RecentStories>,
    /// The threads that parse documents.
    pub parsers: parsers::Parsers,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Which run this is.
    pub run: Run,
}

/// Which run this is: permanent redirects are adopted by runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whether every feed is polled once and the program ends.
    pub once: bool,
    /// Different for each start; also the owner of leases.
    pub id: String,
}

/// What a round of composing did: one subscription's trouble is not another's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Composed {
    /// Alerts, roll-ups and digests queued.
    pub mails: usize,
    /// What could not be composed, and why.
    pub failed: Vec<String>,
}

impl Composed {
    /// Adds what became of one subscription's.
    fn add(&mut self, what: &str, subscription: &str, done: Result<usize, StoreError>) {
        match done {
            Ok(mails) => self.mails += mails,
            Err(why) => self.failed.push(format!("{what} of {subscription} cannot be composed: {why}")),
        }
    }

    /// Joins two rounds.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.mails += other.mails;
        self.failed.extend(other.failed);
        self
    }
}
