//! The stories an article may join, kept ready between polls.
//!
//! Reading fingerprints back is the dearest step of a match, and hundreds of polls
//! share them. What is kept is only ever a copy of the database: a random stamp,
//! changed in the transaction that adds a member, tells whether it still is one.
//! A transaction undone, or another daemon's, leaves another stamp, and all is read anew.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::news::story::{Group, Print};
use crate::store::{StoreError, Tx};

/// Copies of one text come within this time.
const WINDOW: SignedDuration = SignedDuration::from_hours(72);
/// Members compared with: the first so many. A story of more outlets is one story all the same.
const COMPARED: usize = 50;
/// What was read longer ago than this is read anew, so that closed stories are let go.
const KEEP: SignedDuration = SignedDuration::from_hours(6);

/// Recent stories, shared by the polls of a process.
#[derive(Default)]
pub struct RecentStories(Mutex<Shelf>);

impl fmt::Debug for RecentStories {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RecentStories")
    }
}

#[derive(Default)]
struct Shelf {
    groups: Vec<Group>,
    stamp: Option<String>,
    read_at: Option<Timestamp>,
}

/// The shelf, up to date, for one article.
pub(super) struct Open<'s>(MutexGuard<'s, Shelf>);

impl RecentStories {
    /// Returns the stories as the transaction sees them.
    pub(super) fn open(&self, tx: Tx<'_>, now: Timestamp) -> Result<Open<'_>, StoreError> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = tx.story_stamp()?;
        let recent = shelf.read_at.is_some_and(|at| now.duration_since(at).abs() < KEEP);
        if !recent || shelf.stamp != stamp {
            let since = now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
            let groups = tx.open_stories(since)?.into_iter().map(|row| Group {
                id: row.id,
                members: row
                    .prints
                    .iter()
                    .take(COMPARED)
                    .filter_map(|print| serde_json::from_str(print).ok())
                    .collect(),
            });
            *shelf = Shelf { groups: groups.collect(), stamp, read_at: Some(now) };
        }
        Ok(Open(shelf))
    }
}

impl Open<'_> {
    /// The stories, oldest first.
    pub(super) fn groups(&self) -> &[Group] {
        &self.0.groups
    }

    /// Notes that an article joined a story in this transaction.
    pub(super) fn join(&mut self, tx: Tx<'_>, story: i64, print: Print) -> Result<(), StoreError> {
        let stamp = format!("{:032x}", fastrand::u128(..));
        tx.set_story_stamp(&stamp)?;
        self.0.stamp = Some(stamp);
        match self.0.groups.iter_mut().find(|group| group.id == story) {
            Some(group) if group.members.len() >= COMPARED => {}
            Some(group) => group.members.push(print),
            None => self.0.groups.push(Group { id: story, members: vec![print] }),
        }
        Ok(())
    }
}
