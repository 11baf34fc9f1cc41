//! Digests: one per slot, numbered, even on a quiet day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Quiet, Subscription};
use crate::digest;
use crate::digest::Templates;
use crate::digest::brief;
use crate::flow::Composed;
use crate::flow::Setup;
use crate::flow::brief::story;
use crate::flow::health;
use crate::flow::letters::{Letter, queue};
use crate::flow::slots;
use crate::flow::slots::Due;
use crate::flow::subscribers;
use crate::flow::undelivered;
use crate::mail::Kind;
use crate::rules::set::RuleSet;
use crate::store::{DigestRow, MatchRow, NewDigest, OutboxRow, Store, StoreError, SubscriptionRow, Tx};

/// Days of the trend.
const TREND: i64 = 30;
/// Near misses shown, and articles looked at for them.
const NEAR_MISSES: usize = 3;
const NEAR_MISS_SAMPLE: usize = 4000;
/// A week, less what a slot may shift.
const ALMOST_A_WEEK: SignedDuration = SignedDuration::from_hours(6 * 24 + 12);

/// A digest's facts, and the matches it would claim.
#[derive(Debug)]
pub struct Draft {
    /// What the composer gets.
    pub facts: brief::Digest,
    /// The matches in it.
    pub claims: Vec<i64>,
    newest_article: i64,
}

/// Composes the digests whose slot has come.
pub async fn compose_due(setup: &Setup) -> Composed {
    let mut composed = Composed::default();
    for subscription in &setup.config.subscriptions {
        let done = compose_slot(setup, subscription).await;
        composed.add("the digest", &subscription.name, done.map(usize::from));
    }
    composed
}

/// Composes a subscription's digest when its slot has come; returns whether there is one.
async fn compose_slot(setup: &Setup, subscription: &Subscription) -> Result<bool, StoreError> {
    let Some(plan) = &subscription.digest else { return Ok(false) };
    let now = setup.clock.now();
    let name = subscription.name.clone();
    let Some(row) = setup.store.write(move |tx| tx.subscription(&name)).await? else { return Ok(false) };
    let last = row.slot.as_deref().and_then(|slot| slot.parse::<Date>().ok());
    match slots::due(plan, &subscription.time_zone, now, row.created_at, last) {
        Due::Nothing => Ok(false),
        Due::Skip(slot) => {
            let name = subscription.name.clone();
            setup.store.write(move |tx| tx.skip_slot(&name, &slot.to_string())).await?;
            Ok(false)
        }
        Due::Digest { slot, covers } => {
            Ok(compose(setup, subscription, Some((slot, covers))).await?.is_some())
        }
    }
}

/// Composes a digest and queues its mails, in one transaction; returns its number.
///
/// Without a slot it was asked for by hand. A quiet day's may be left out, as configured.
pub async fn compose(
    setup: &Setup,
    subscription: &Subscription,
    slot: Option<(Date, u32)>,
) -> Result<Option<u32>, StoreError> {
    let now = setup.clock.now();
    let (store, judges, name) = (setup.store.clone(), setup.rules.clone(), subscription.name.clone());
    // Thousands of articles are judged for the near misses: not on a thread that others wait for.
    let near = tokio::task::spawn_blocking(move || near_misses(&store, &judges, &name, now))
        .await
        .unwrap_or_default();
    let (config, rules, templates) = (setup.config.clone(), setup.rules.clone(), setup.templates.clone());
    let (subscription, now) = (subscription.clone(), setup.clock.now());
    let name = subscription.name.clone();
    let composed = setup
        .store
        .write(move |tx| compose_in(tx, &config, &rules, &templates, &subscription, slot, near, now))
        .await?;
    if let Some(number) = composed {
        tracing::info!(DIGEST = number, SUBSCRIPTION = name, "digest #{number} for {name} is queued");
    }
    Ok(composed)
}

/// The same for a command that has the database to itself.
#[expect(clippy::too_many_arguments, reason = "one step of `compose`, named for the command line")]
pub fn compose_in(
    tx: Tx<'_>,
    config: &Config,
    rules: &RuleSet,
    templates: &Templates,
    subscription: &Subscription,
    slot: Option<(Date, u32)>,
    near: Vec<brief::NearMiss>,
    now: Timestamp,
) -> Result<Option<u32>, StoreError> {
    let Some(row) = subscribers::standing(tx, &subscription.name, now)? else { return Ok(None) };
    let mut draft = draft(tx, config, rules, subscription, &row, near, now)?;
    draft.facts.extra = slot.is_none();
    draft.facts.covers_days = slot.map_or(1, |(_, covers)| covers);
    let quiet = draft.claims.is_empty();
    if let (true, Some((slot, _)), Some(plan)) = (quiet, slot, &subscription.digest) {
        let recent = row.digest_at.is_some_and(|at| now.duration_since(at) < ALMOST_A_WEEK);
        if plan.quiet == Quiet::Never || (plan.quiet == Quiet::Weekly && recent) {
            tx.skip_slot(&subscription.name, &slot.to_string())?;
            tx.pass_matches(&subscription.name)?;
            return Ok(None);
        }
    }
    let words = digest::digest(&draft.facts, templates);
    let slot_name = slot.map(|(slot, _)| slot.to_string());
    let number = row.next_number;
    let new = NewDigest {
        subscription: &subscription.name,
        number,
        slot: slot_name.as_deref(),
        since: draft.facts.since,
        stories: draft.facts.topics.iter().map(|topic| topic.stories.len()).sum(),
        claims: &draft.claims,
        subject: &words.subject,
        text: &words.text,
        html: &words.html,
        newest_article: draft.newest_article,
    };
    tx.record_digest(&new, now)?;
    let key = key(&subscription.name, number, now);
    let letter = Letter {
        kind: Kind::Digest,
        subscription: &subscription.name,
        dedup_key: &key,
        to: &subscription.to,
        words: &words,
        thread: None,
        marks: vec![("X-Burdenwatch-Number".to_owned(), number.to_string())],
    };
    queue(tx, config, &letter, now)?;
    undelivered::fold_if_refused(tx, config, &key)?;
    Ok(Some(number))
}

/// What names a digest: its instant too, since a database that was lost or restored gives its number again.
fn key(subscription: &str, number: u32, at: Timestamp) -> String {
    format!("digest|{subscription}|{number}|{}", at.as_millisecond())
}

/// Returns the number in such a name.
pub(super) fn number_in(key: &str) -> Option<u32> {
    key.split('|').nth(2)?.parse().ok()
}

/// Returns the mails of a past digest.
pub fn mails(tx: Tx<'_>, digest: &DigestRow) -> Result<Vec<OutboxRow>, StoreError> {
    let mails = tx.mails_of(&key(&digest.subscription, digest.number, digest.at))?;
    if !mails.is_empty() {
        return Ok(mails);
    }
    // Before names had an instant.
    tx.mails_of(&format!("digest|{}|{}", digest.subscription, digest.number))
}

/// Gathers what a digest would say now, without claiming anything.
pub fn draft(
    tx: Tx<'_>,
    config: &Config,
    rules: &RuleSet,
    subscription: &Subscription,
    row: &SubscriptionRow,
    near: Vec<brief::NearMiss>,
    now: Timestamp,
) -> Result<Draft, StoreError> {
    let (chosen, claims) = choose(tx, subscription, row, now)?;
    let (mut topics, mut alerted): (BTreeMap<String, Vec<brief::Story>>, Vec<brief::Alerted>) =
        Default::default();
    for story_id in chosen {
        let told = tx.alerts_of(&subscription.name, story_id)?;
        let mailed = || told.iter().filter(|alert| matches!(alert.state.as_str(), "mailed" | "rolled"));
        let mut waiting = 0;
        for mail in mailed().filter_map(|alert| alert.dedup_key.as_deref()) {
            waiting = waiting.max(tx.waiting_of(mail)?);
        }
        let sent = mailed().filter_map(|alert| alert.mailed_at).min();
        let changed = told.iter().rev().find_map(|alert| alert.changed.clone());
        let Some(story) = story(tx, subscription, story_id, changed.as_deref())? else { continue };
        match sent {
            Some(at) => alerted.push(brief::Alerted { at, waiting, story }),
            None => topics.entry(story.topic.clone()).or_default().push(story),
        }
    }
    let since = row.digest_at;
    let (articles_read, newest_article) = tx.articles_since(row.digest_article)?;
    let counts = tx.counts(now)?;
    // In a digest a feed is healthy when its last poll was: what fails even once is named below it.
    let healthy = tx.scheduled(true)?.iter().filter(|feed| feed.failures == 0).count();
    let times = tx.story_times(days_ago(now, TREND), &subscription.topics)?;
    let zone = &subscription.time_zone;
    let trend_of = |topic: Option<&str>| {
        let mut seen = BTreeSet::new();
        let of_topic = times
            .iter()
            .filter(|(name, story, _)| topic.is_none_or(|topic| topic == name) && seen.insert(*story));
        trend(of_topic.map(|(.., at)| *at), now, zone)
    };
    let facts = brief::Digest {
        subscription: subscription.name.clone(),
        number: row.next_number,
        follows: row.next_number.checked_sub(1).filter(|number| *number > 0),
        at: now,
        since,
        zone: zone.clone(),
        covers_days: 1,
        extra: false,
        articles_read,
        feeds_total: u32::try_from(counts.feeds).unwrap_or(u32::MAX),
        feeds_healthy: u32::try_from(healthy).unwrap_or(u32::MAX),
        topics: in_order(subscription, rules, topics)
            .into_iter()
            .map(|(id, stories)| brief::Topic { trend: trend_of(Some(&id)), id, stories })
            .collect(),
        alerted,
        near_misses: near,
        coming: Vec::new(),
        notices: health::notices(tx, config, subscription, since.unwrap_or(row.created_at), now)?,
        trend: trend_of(None),
        rules: brief::RuleState {
            hash: rules.hash().chars().take(8).collect(),
            rules: u32::try_from(rules.rules().len()).unwrap_or(u32::MAX),
            tests: u32::try_from(rules.test_count()).unwrap_or(u32::MAX),
        },
        schedule: schedule(subscription),
        next_at: subscription.digest.as_ref().and_then(|plan| slots::next(plan, zone, now)),
        owner: config.mail.reply_to.as_ref().unwrap_or(&config.mail.from).email.clone(),
    };
    Ok(Draft { facts, claims, newest_article })
}

/// The stories a digest tells, in order of arrival, and all matches it thereby claims.
fn choose(
    tx: Tx<'_>,
    subscription: &Subscription,
    row: &SubscriptionRow,
    now: Timestamp,
) -> Result<(Vec<i64>, Vec<i64>), StoreError> {
    let wanted = |row: &MatchRow| -> Result<bool, StoreError> {
        let rules = tx.rules_of(row.article_id)?;
        Ok(rules.iter().any(|rule| rule.counts && subscription.wants(&rule.matched.topic, &rule.matched.id)))
    };
    let (mut stories, mut claims, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for row in tx.undigested(row, subscribers::day_before(now))? {
        if !wanted(&row)? {
            continue;
        }
        claims.push(row.article_id);
        if let Some(story) = row.story_id
            && seen.insert(story)
        {
            stories.push(story);
        }
    }
    Ok((stories, claims))
}

/// Topics in the order the reader names them, then in the rule files' order.
fn in_order(
    subscription: &Subscription,
    rules: &RuleSet,
    mut topics: BTreeMap<String, Vec<brief::Story>>,
) -> Vec<(String, Vec<brief::Story>)> {
    let named = subscription.topics.iter().cloned();
    let known = rules.rules().iter().map(|rule| rule.topic.clone());
    let mut ordered = Vec::new();
    for topic in named.chain(known) {
        if let Some(stories) = topics.remove(&topic) {
            ordered.push((topic, stories));
        }
    }
    ordered.extend(topics);
    ordered
}

fn days_ago(now: Timestamp, days: i64) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
}

/// Stories a local day, oldest first, today last.
fn trend(times: impl Iterator<Item = Timestamp>, now: Timestamp, zone: &jiff::tz::TimeZone) -> Vec<u32> {
    let today = now.to_zoned(zone.clone()).date();
    let mut days = vec![0_u32; usize::try_from(TREND).unwrap_or(0)];
    for at in times {
        let date = at.to_zoned(zone.clone()).date();
        let age = date.until(today).map(|span| span.get_days()).unwrap_or(-1);
        if let Some(day) = usize::try_from(age)
            .ok()
            .and_then(|age| days.len().checked_sub(age + 1))
            .and_then(|n| days.get_mut(n))
        {
            *day += 1;
        }
    }
    days
}

fn schedule(subscription: &Subscription) -> String {
    let Some(plan) = &subscription.digest else { return "on request".to_owned() };
    let days = if plan.days.len() == 7 {
        "daily".to_owned()
    } else {
        plan.days
            .iter()
            .map(|day| format!("{day:?}").to_lowercase().chars().take(3).collect::<String>())
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!("{days} {} {}", plan.at.strftime("%H:%M"), subscription.time_zone_name)
}

/// The articles since the last digest that came nearest to a rule without matching.
///
/// Looked for outside the transaction: it reads many articles and changes none.
pub fn near_misses(
    store: &Store,
    rules: &RuleSet,
    subscription: &str,
    now: Timestamp,
) -> Vec<brief::NearMiss> {
    store.read(|tx| nearest(tx, rules, subscription, now)).unwrap_or_default()
}

/// The outlet of an archived article: the one an aggregator credits, else its feed.
fn outlet(tx: Tx<'_>, article: i64, source: &str) -> Result<String, StoreError> {
    if !source.is_empty() {
        return Ok(source.to_owned());
    }
    let feed = tx.article(article)?.map(|row| tx.feed(row.feed_id)).transpose()?.flatten();
    Ok(feed.map(|feed| feed.name).unwrap_or_default())
}

/// The same on a transaction at hand.
pub fn nearest(
    tx: Tx<'_>,
    rules: &RuleSet,
    subscription: &str,
    now: Timestamp,
) -> Result<Vec<brief::NearMiss>, StoreError> {
    let Some(row) = subscribers::standing(tx, subscription, now)? else { return Ok(Vec::new()) };
    let since = row.digest_at.unwrap_or(row.created_at);
    let mut found: Vec<(i64, brief::NearMiss)> = Vec::new();
    let mut looked_at = 0_usize;
    tx.each_text(since, |id, _, text| {
        looked_at += 1;
        if looked_at > NEAR_MISS_SAMPLE || id <= row.digest_article || tx.match_of(id)?.is_some() {
            return Ok(());
        }
        if let Some(near) = rules.near_misses(&text.as_article(), 1).into_iter().next() {
            let miss = brief::NearMiss {
                article_id: id,
                title: text.title.clone(),
                lang: Some(text.lang.clone()).filter(|lang| !lang.is_empty()),
                source: outlet(tx, id, &text.source)?,
                link: Some(text.link.clone()).filter(|link| !link.is_empty()),
                rule: near.rule,
                lacking: near.lacking,
            };
            found.push((near.score, miss));
            found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.article_id.cmp(&b.1.article_id)));
            found.truncate(NEAR_MISSES);
        }
        Ok(())
    })?;
    Ok(found.into_iter().map(|(_, miss)| miss).collect())
}
