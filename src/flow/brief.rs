//! From the archive to the facts a mail is made of.

use std::collections::BTreeSet;

use crate::config::Subscription;
use crate::digest::brief;
use crate::rules::outcome::{Article, Hit, Match};
use crate::rules::why;
use crate::store::{NewText, StoreError, Tx};

/// Characters of the why-sentence.
const WHY: usize = 240;

/// Gathers what a mail says about a story, for one subscription.
///
/// The leader is the member a reader wants first: a primary source, then an
/// agency's text, then the earliest. Returns none when the archive has lost it.
pub fn story(
    tx: Tx<'_>,
    subscription: &Subscription,
    story_id: i64,
    changed: Option<&str>,
) -> Result<Option<brief::Story>, StoreError> {
    let mut members = Vec::new();
    for member in tx.members(story_id)? {
        if let Some(text) = tx.text(member.article_id)? {
            members.push((member.article_id, text));
        }
    }
    // Members come in order of arrival, and min_by_key keeps the first of equals.
    let Some((leader, text)) = members.iter().min_by_key(|(_, text)| (!text.official, text.wire.is_none()))
    else {
        return Ok(None);
    };
    let Some(row) = tx.match_of(*leader)? else { return Ok(None) };
    let rules = wanted_rules(tx, subscription, members.iter().map(|(id, _)| *id))?;
    let Some(best) = rules.first() else { return Ok(None) };
    let hits = if best.0 == *leader { best.1.hits.clone() } else { own_hits(tx, *leader, &best.1.id)? };
    let mut others: BTreeSet<&str> = rules.iter().map(|(_, rule)| rule.id.as_str()).collect();
    others.remove(best.1.id.as_str());
    Ok(Some(brief::Story {
        match_id: *leader,
        title: text.title.clone(),
        lang: text.lang.clone(),
        source: text.source.clone(),
        link: text.link.clone(),
        first_seen: row.seen_at,
        published: row.published_at,
        also: outlets(tx, *leader, &text.source, members.iter().map(|(id, _)| *id))?,
        wire: text.wire.clone(),
        official: text.official,
        topic: best.1.topic.clone(),
        rule: (best.1.id.clone(), best.1.title.clone()),
        other_rules: others.into_iter().map(str::to_owned).collect(),
        score: best.1.score,
        why: reason(text, &hits),
        changed: changed.map(str::to_owned),
        facts: Vec::new(),
    }))
}

/// The rules a subscription wants among those that fired on a story's members, the best first.
fn wanted_rules(
    tx: Tx<'_>,
    subscription: &Subscription,
    members: impl Iterator<Item = i64>,
) -> Result<Vec<(i64, Match)>, StoreError> {
    let mut found = Vec::new();
    for article in members {
        let rules = tx.rules_of(article)?.into_iter().filter(|row| row.counts).map(|row| row.matched);
        found.extend(
            rules.filter(|rule| subscription.wants(&rule.topic, &rule.id)).map(|rule| (article, rule)),
        );
    }
    found.sort_by(|a, b| {
        b.1.level
            .cmp(&a.1.level)
            .then(b.1.score.cmp(&a.1.score))
            .then(a.0.cmp(&b.0))
            .then(a.1.id.cmp(&b.1.id))
    });
    Ok(found)
}

fn own_hits(tx: Tx<'_>, article: i64, rule: &str) -> Result<Vec<Hit>, StoreError> {
    let rules = tx.rules_of(article)?;
    let own = rules.iter().find(|row| row.matched.id == rule).or(rules.first());
    Ok(own.map(|row| row.matched.hits.clone()).unwrap_or_default())
}

/// The sentence round the hits; hits whose text has since been revised away are not marked.
fn reason(text: &NewText, hits: &[Hit]) -> Vec<brief::Fragment> {
    let article = Article {
        title: &text.title,
        summary: &text.summary,
        body: &text.body,
        url: text.link.as_deref().unwrap_or_default(),
        source: &text.source,
        lang: text.lang.as_deref().unwrap_or_default(),
    };
    let standing: Vec<Hit> = hits
        .iter()
        .filter(|hit| article.text(hit.field).get(hit.start..hit.end) == Some(hit.text.as_str()))
        .cloned()
        .collect();
    why::sentence(&article, &standing, WHY)
        .into_iter()
        .map(|(text, hit)| brief::Fragment { text, hit })
        .collect()
}

/// The outlets that carry a story besides the leader's, each once.
fn outlets(
    tx: Tx<'_>,
    leader: i64,
    source: &str,
    members: impl Iterator<Item = i64>,
) -> Result<Vec<brief::Outlet>, StoreError> {
    let mut seen = BTreeSet::from([source.to_owned()]);
    let mut also = Vec::new();
    for article in std::iter::once(leader).chain(members.filter(|id| *id != leader)) {
        for (name, link) in tx.appearances(article)? {
            if seen.insert(name.clone()) {
                also.push(brief::Outlet { name, link });
            }
        }
    }
    Ok(also)
}
