//! The stories an article may join, kept ready between polls.
//!
//! Reading fingerprints back is the dearest step of a match, and hundreds of polls
//! share them. Kept are the runs that tell which stories may hold a copy, and the
//! few stories that were compared with last. It is only ever a copy of the database:
//! a random stamp, changed in the transaction that adds a member, tells whether it
//! still is one. A transaction undone, or another daemon's, leaves another stamp,
//! and all is read anew.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::news::story::{Group, Index, Print, Verdict, attach, better};
use crate::store::{StoreError, Tx};

/// Copies of one text come within this time.
const WINDOW: SignedDuration = SignedDuration::from_hours(72);
/// Members compared with: the first so many. A story of more outlets is one story all the same.
const COMPARED: u32 = 50;
/// What was read longer ago than this is read anew, so that closed stories are let go.
const KEEP: SignedDuration = SignedDuration::from_hours(6);
/// Stories compared with, of those that share enough: a thousand may share a boilerplate, and the one
/// that an article is a copy in shares most.
const LIKELIEST: usize = 16;
/// Members kept whole, of the stories compared with last: some two megabytes.
const WHOLE: usize = 200;

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
    index: Index,
    /// The stories compared with last, the last of them at the end.
    whole: Vec<Group>,
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
            *shelf = Shelf::default();
            for story in tx.open_stories(since)? {
                for member in read(tx, story)?.members {
                    shelf.note(story, &member);
                }
            }
            (shelf.stamp, shelf.read_at) = (stamp, Some(now));
        }
        Ok(Open(shelf))
    }
}

impl Open<'_> {
    /// Finds the story an article is a copy in.
    pub(super) fn find(&mut self, tx: Tx<'_>, article: &Print) -> Result<Option<(i64, Verdict)>, StoreError> {
        let shelf = &mut *self.0;
        let mut found = None;
        for story in shelf.index.candidates(article).into_iter().take(LIKELIEST) {
            let group = match shelf.whole.iter().position(|group| group.id == story) {
                Some(place) => shelf.whole.remove(place),
                None => read(tx, story)?,
            };
            found = better(found, attach(article, [&group]));
            shelf.whole.push(group);
            shelf.trim();
        }
        Ok(found)
    }

    /// Notes that an article joined a story in this transaction.
    pub(super) fn join(&mut self, tx: Tx<'_>, story: i64, print: Print) -> Result<(), StoreError> {
        let stamp = format!("{:032x}", fastrand::u128(..));
        tx.set_story_stamp(&stamp)?;
        let shelf = &mut *self.0;
        shelf.stamp = Some(stamp);
        if !shelf.note(story, &print) {
            return Ok(());
        }
        match shelf.whole.iter_mut().find(|group| group.id == story) {
            Some(group) => group.members.push(print),
            None if shelf.index.size(story) == 1 => {
                shelf.whole.push(Group { id: story, members: vec![print] });
            }
            None => {}
        }
        shelf.trim();
        Ok(())
    }
}

impl Shelf {
    /// Adds a member to the index; false when the story has as many as are compared with.
    fn note(&mut self, story: i64, member: &Print) -> bool {
        let more = self.index.size(story) < COMPARED;
        if more {
            self.index.add(story, member);
        }
        more
    }

    /// Lets go of the stories whose last comparison is longest ago.
    fn trim(&mut self) {
        let mut members = 0;
        let fits = |group: &&Group| {
            members += group.members.len();
            members <= WHOLE
        };
        let kept = self.whole.iter().rev().take_while(fits).count();
        self.whole.drain(..self.whole.len() - kept);
    }
}

/// Reads a story; a fingerprint that no version wrote is no member to compare with.
fn read(tx: Tx<'_>, story: i64) -> Result<Group, StoreError> {
    let prints = tx.story_prints(story, COMPARED)?;
    let members = prints.iter().filter_map(|print| serde_json::from_str(print).ok()).collect();
    Ok(Group { id: story, members })
}
