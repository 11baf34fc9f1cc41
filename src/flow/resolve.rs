//! Is an entry a new article, a known one, or a new wording of a known one?

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::flow::register::Register;
use crate::news::identity::{Candidate, Key};
use crate::store::ArticleRow;
use crate::store::StoreError;

/// How long a headline alone, from one outlet, means the same article.
const HEADLINE_HOLDS: SignedDuration = SignedDuration::from_hours(72);

/// Two dates of one article do not lie further apart; a daily column's do.
const DATES_DIFFER: SignedDuration = SignedDuration::from_hours(24);

/// What an entry turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolved {
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
pub(super) fn resolve(
    register: &Register<'_>,
    feed: i64,
    one: &Candidate,
    now: Timestamp,
) -> Result<(Resolved, i64), StoreError> {
    let known_elsewhere =
        || Ok::<_, StoreError>(elsewhere(register, feed, one, now)?.map_or(Resolved::New, Resolved::Sighted));
    let Some((article, text)) = register.sighting(one.key) else {
        // It may be known by what its document now uses for other texts too.
        if let Some((article, text)) = register.sighting(one.full_key)
            && text == one.text_hash
        {
            return Ok((Resolved::Sighted(article), one.key));
        }
        // A free id: whether the article is known decides the rest.
        return Ok((known_elsewhere()?, one.key));
    };
    if text == one.text_hash {
        return Ok((Resolved::Same(article), one.key));
    }
    if one.key == one.full_key || is_new_wording(register, article, one)? {
        return Ok((Resolved::Revised(article), one.key));
    }
    // The id is known for something else: it was reused, or it only numbers the places of the document.
    Ok((
        match register.sighting(one.full_key) {
            Some((article, text)) if text == one.text_hash => Resolved::Same(article),
            Some((article, _)) => Resolved::Revised(article),
            None => known_elsewhere()?,
        },
        one.full_key,
    ))
}

/// Whether a known id with another text is the same article revised: its address or its headline stayed.
fn is_new_wording(register: &Register<'_>, article: i64, one: &Candidate) -> Result<bool, StoreError> {
    let Some(row) = register.article(article)? else { return Ok(false) };
    Ok(one.shifting
        || same_path(&row, one)
        || names(register, one.link_key, article)
        || names(register, one.title_key, article))
}

/// Whether an entry's text is its headline: what an outlet writes over one article, it may write over the next.
fn is_bare(one: &Candidate) -> bool {
    one.entry.summary.is_none()
}

/// Whether addresses or dates say that two are not one article, whatever their headlines say.
fn told_apart(row: &ArticleRow, one: &Candidate) -> bool {
    let other_path = row.path_hash != 0 && one.path_hash != 0 && row.path_hash != one.path_hash;
    let dates = row.published_at.zip(one.entry.published);
    other_path || dates.is_some_and(|(one, other)| one.duration_since(other).abs() > DATES_DIFFER)
}

/// Whether both have an address that names an article, the same but for the host.
fn same_path(row: &ArticleRow, one: &Candidate) -> bool {
    one.path_hash != 0 && row.path_hash == one.path_hash
}

fn names(register: &Register<'_>, key: Option<Key>, article: i64) -> bool {
    key.is_some_and(|key| register.article_by_key(key) == Some(article))
}

/// Finds the article under a key that holds beyond this entry.
fn elsewhere(
    register: &Register<'_>,
    feed: i64,
    one: &Candidate,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    if let Some(article) = one.link_key.and_then(|key| register.article_by_key(key))
        && let Some(row) = register.article(article)?
    {
        // One feed, one address, another id and another headline: a page that shows
        // one item after the other. Better two articles than one missed.
        let another_item = row.feed_id == feed
            && one.has_id
            && row.text_hash != one.text_hash
            && !names(register, one.title_key, article);
        if !another_item {
            return Ok(Some(article));
        }
    }
    if let Some(article) = one.title_key.and_then(|key| register.article_by_key(key))
        && let Some(row) = register.article(article)?
    {
        let recent = now.duration_since(row.seen_at).abs() <= HEADLINE_HOLDS;
        let same = same_path(&row, one)
            || one.shifting
            || (row.text_hash == one.text_hash && !(is_bare(one) && told_apart(&row, one)));
        if recent && same {
            return Ok(Some(article));
        }
    }
    Ok(None)
}
