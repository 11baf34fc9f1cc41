//! The register of one poll: what its entries' keys stand for, before and after.
//!
//! The database is asked once for all keys of a document, and told once what
//! changed. In between, an entry meets what the ones before it brought.

use std::collections::BTreeMap;

use crate::news::identity::{Candidate, Key};
use crate::store::{ArticleRow, Sighting, StoreError, Tx};

/// What the database has of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// The same.
    Same,
    /// Something older.
    Older,
    /// Nothing.
    Nothing,
}

impl Kept {
    fn after_a_change(self) -> Self {
        if self == Self::Nothing { Self::Nothing } else { Self::Older }
    }
}

/// The sightings and keys of a document's entries; in the order of the database, which likes it.
pub(super) struct Register<'t> {
    tx: Tx<'t>,
    feed: i64,
    /// Whether no entry of the feed was seen before.
    new_feed: bool,
    sightings: BTreeMap<i64, (Sighting, Kept)>,
    keys: BTreeMap<i64, (i64, Kept)>,
    /// The id of the first new article.
    first: i64,
    new: Vec<ArticleRow>,
}

impl<'t> Register<'t> {
    /// Asks what is known of these entries.
    pub(super) fn open<'c>(
        tx: Tx<'t>,
        feed: i64,
        entries: impl Iterator<Item = &'c Candidate> + Clone,
    ) -> Result<Self, StoreError> {
        // Of a new feed nothing is known: one question instead of many.
        let new_feed = !tx.has_sightings(feed)?;
        let mut own: Vec<i64> = if new_feed {
            Vec::new()
        } else {
            entries.clone().flat_map(|one| [one.key, one.full_key]).collect()
        };
        own.sort_unstable();
        own.dedup();
        let mut shared: Vec<Key> = entries.flat_map(|one| [one.link_key, one.title_key]).flatten().collect();
        shared.sort_unstable_by_key(|key| key.near);
        let sightings = tx.sightings(feed, &own)?.into_iter().map(|one| (one.key, (one, Kept::Same)));
        let keys = tx
            .articles_by_key(&shared)?
            .into_iter()
            .map(|(key, article, near)| (key.near, (article, if near { Kept::Same } else { Kept::Nothing })));
        Ok(Self {
            tx,
            feed,
            new_feed,
            sightings: sightings.collect(),
            keys: keys.collect(),
            first: tx.next_article()?,
            new: Vec::new(),
        })
    }

    /// Whether this feed showed an entry before: the same, or another under its headline.
    pub(super) fn has_shown(&self, one: &Candidate) -> bool {
        let seen = |key| self.sightings.contains_key(&key);
        !self.new_feed && (seen(one.key) || seen(one.full_key) || self.knows(one.title_key))
    }

    /// The article an entry of this feed is, and the text it last had here.
    pub(super) fn sighting(&self, key: i64) -> Option<(i64, i64)> {
        self.sightings.get(&key).map(|(one, _)| (one.article_id, one.text_hash))
    }

    /// The article a key stands for.
    pub(super) fn article_by_key(&self, key: Key) -> Option<i64> {
        self.keys.get(&key.near).map(|(article, _)| *article)
    }

    /// Whether a key stands for any article.
    pub(super) fn knows(&self, key: Option<Key>) -> bool {
        key.is_some_and(|key| self.keys.contains_key(&key.near))
    }

    /// The row of an article, known or new.
    pub(super) fn article(&self, id: i64) -> Result<Option<ArticleRow>, StoreError> {
        match usize::try_from(id - self.first).ok().and_then(|place| self.new.get(place)) {
            Some(new) => Ok(Some(new.clone())),
            None => self.tx.article(id),
        }
    }

    /// Whether an article is new in this document.
    pub(super) fn is_new(&self, article: i64) -> bool {
        article >= self.first
    }

    /// Takes a new article down, and returns the id it gets; `make` is told it.
    pub(super) fn add(&mut self, make: impl FnOnce(i64) -> ArticleRow) -> i64 {
        let id = self.first + i64::try_from(self.new.len()).unwrap_or(i64::MAX);
        self.new.push(make(id));
        id
    }

    /// Notes that an entry of this feed is this article, with this text.
    pub(super) fn sight(&mut self, key: i64, article_id: i64, text_hash: i64) {
        let now = Sighting { key, article_id, text_hash };
        let line = self.sightings.entry(key).or_insert((now, Kept::Nothing));
        if line.0 != now {
            *line = (now, line.1.after_a_change());
        }
    }

    /// Lets a key stand for this article from now on.
    pub(super) fn know(&mut self, key: Key, article: i64) {
        let line = self.keys.entry(key.near).or_insert((article, Kept::Nothing));
        if line.0 != article {
            *line = (article, line.1.after_a_change());
        }
    }

    /// Records the new articles, so that the rest of the database may refer to them.
    pub(super) fn record_articles(&self) -> Result<(), StoreError> {
        self.tx.record_articles(&self.new)
    }

    /// Records what became of the keys.
    pub(super) fn close(self) -> Result<(), StoreError> {
        let Self { tx, feed, sightings, keys, .. } = self;
        let mut new = Vec::new();
        for (one, kept) in sightings.into_values() {
            match kept {
                Kept::Same => {}
                Kept::Older => tx.revise_sighting(feed, one)?,
                Kept::Nothing => new.push(one),
            }
        }
        tx.record_sightings(feed, &new)?;
        let mut new = Vec::new();
        for (key, (article, kept)) in keys {
            match kept {
                Kept::Same => {}
                Kept::Older => tx.revise_key(key, article)?,
                Kept::Nothing => new.push((key, article)),
            }
        }
        tx.record_keys(&new)
    }
}
