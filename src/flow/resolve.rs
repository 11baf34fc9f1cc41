//! Is an entry a new article, a known one, or a new wording of a known one?

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::news::identity::Candidate;
use crate::store::ArticleRow;
use crate::store::StoreError;
use crate::store::Tx;

/// How long a headline alone, from one outlet, means the same article.
const HEADLINE_HOLDS: SignedDuration = SignedDuration::from_hours(72);

/// What an entry turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// Seen in this feed before, with this text.
    Same(i64),
    /// Seen in this feed before, with another text.
    Revised(i64),
    /// Known, but not from this entry: another feed's, or an id that changed.
    Sighted(i64),
    /// Not known.
    New,
}

/// Decides what an entry is, and under which key this feed will know it.
pub fn resolve(
    tx: Tx<'_>,
    feed: i64,
    one: &Candidate,
    now: Timestamp,
) -> Result<(Resolved, i64), StoreError> {
    let Some((article, text)) = tx.sighting(feed, one.key)? else {
        // A free id: whether the article is known decides the rest.
        return Ok((elsewhere(tx, feed, one, now)?.map_or(Resolved::New, Resolved::Sighted), one.key));
    };
    if text == one.text_hash {
        return Ok((Resolved::Same(article), one.key));
    }
    if one.key == one.full_key || is_new_wording(tx, article, one)? {
        return Ok((Resolved::Revised(article), one.key));
    }
    // The id is known for something else: it was reused, or it only numbers the places of the document.
    Ok((
        match tx.sighting(feed, one.full_key)? {
            Some((article, text)) if text == one.text_hash => Resolved::Same(article),
            Some((article, _)) => Resolved::Revised(article),
            None => elsewhere(tx, feed, one, now)?.map_or(Resolved::New, Resolved::Sighted),
        },
        one.full_key,
    ))
}

/// Whether a known id with another text is the same article revised: its address or its headline stayed.
fn is_new_wording(tx: Tx<'_>, article: i64, one: &Candidate) -> Result<bool, StoreError> {
    let Some(row) = tx.article(article)? else { return Ok(false) };
    Ok(one.shifting
        || same_path(&row, one)
        || names(tx, one.link_key, article)?
        || names(tx, one.title_key, article)?)
}

/// Whether both have an address that names an article, the same but for the host.
fn same_path(row: &ArticleRow, one: &Candidate) -> bool {
    one.path_hash != 0 && row.path_hash == one.path_hash
}

fn names(tx: Tx<'_>, key: Option<i64>, article: i64) -> Result<bool, StoreError> {
    Ok(match key {
        Some(key) => tx.article_by_key(key)? == Some(article),
        None => false,
    })
}

/// Finds the article under a key that holds beyond this entry.
fn elsewhere(tx: Tx<'_>, feed: i64, one: &Candidate, now: Timestamp) -> Result<Option<i64>, StoreError> {
    let by_address = one.link_key.map(|key| tx.article_by_key(key)).transpose()?.flatten();
    if let Some(article) = by_address
        && let Some(row) = tx.article(article)?
    {
        // One feed, one address, another id and another headline: a page that shows
        // one item after the other. Better two articles than one missed.
        let another_item = row.feed_id == feed
            && one.has_id
            && row.text_hash != one.text_hash
            && !names(tx, one.title_key, article)?;
        if !another_item {
            return Ok(Some(article));
        }
    }
    let by_headline = one.title_key.map(|key| tx.article_by_key(key)).transpose()?.flatten();
    if let Some(article) = by_headline
        && let Some(row) = tx.article(article)?
    {
        let recent = now.duration_since(row.seen_at).abs() <= HEADLINE_HOLDS;
        let same = row.text_hash == one.text_hash || same_path(&row, one) || one.shifting;
        if recent && same {
            return Ok(Some(article));
        }
    }
    Ok(None)
}
