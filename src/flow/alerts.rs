//! Alerts: owed when a rule fires, mailed when their wait is over.
//!
//! A story is alerted once to a subscription, whatever outlets follow; only
//! materially new wording brings one follow-up. Beyond the hourly cap, one mail
//! rolls up the rest. Nothing is dropped: what is muted or undeliverable stands
//! in the digest.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Subscription};
use crate::digest;
use crate::digest::Templates;
use crate::digest::brief;
use crate::flow::Composed;
use crate::flow::Setup;
use crate::flow::brief::story;
use crate::flow::letters::{Letter, fingerprint, queue};
use crate::flow::undelivered;
use crate::mail::Kind;
use crate::rules::outcome::{Level, Match};
use crate::store::{AlertRow, Mute, NewAlert, StoreError, Tx};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Records that subscriptions are owed an alert about a story, where they want one and had none.
pub(super) fn owe(
    tx: Tx<'_>,
    config: &Config,
    story_id: i64,
    article_id: i64,
    matches: &[Match],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mutes = tx.mutes(now)?;
    for subscription in config.subscriptions.iter().filter(|subscription| subscription.alerts) {
        let wanted: Vec<&Match> = matches.iter().filter(|rule| alerts(subscription, rule)).collect();
        let earlier = tx.alerts_of(&subscription.name, story_id)?;
        if wanted.is_empty() || earlier.iter().any(|alert| alert.state != "muted") {
            continue;
        }
        let muted = is_muted(tx, &mutes, story_id, article_id, &wanted)?;
        let due_at = later(now, subscription.alert_wait);
        match earlier.first() {
            // Silent so far: an outlet or a rule that is not muted breaks the silence.
            Some(silent) if !muted => tx.unmute_alert(silent.id, article_id, due_at)?,
            Some(_) => {}
            None => {
                let name = &subscription.name;
                let new = NewAlert {
                    subscription: name,
                    story_id,
                    article_id,
                    revision: 0,
                    changed: None,
                    due_at,
                    muted,
                };
                tx.record_alert(&new, now)?;
            }
        }
    }
    Ok(())
}

/// Whether a subscription wants to be told of this rule's matches at once.
fn alerts(subscription: &Subscription, rule: &Match) -> bool {
    rule.counts() && rule.level == Level::Alert && subscription.wants(&rule.topic, &rule.id)
}

/// Records that subscriptions which were alerted to a story are owed what is new about it.
pub(super) fn follow_up(
    tx: Tx<'_>,
    config: &Config,
    story_id: i64,
    article_id: i64,
    changed: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mutes = tx.mutes(now)?;
    for subscription in config.subscriptions.iter().filter(|subscription| subscription.alerts) {
        let earlier = tx.alerts_of(&subscription.name, story_id)?;
        // While the first alert waits, it will carry the new wording itself.
        let told = earlier.iter().any(|alert| matches!(alert.state.as_str(), "mailed" | "rolled" | "folded"));
        let pending = earlier.iter().any(|alert| alert.state == "waiting");
        if !told || pending {
            continue;
        }
        let muted = silenced(tx, &mutes, subscription, story_id, article_id)?;
        let revision = earlier.iter().map(|alert| alert.revision).max().unwrap_or(0) + 1;
        let due_at = later(now, subscription.alert_wait);
        let name = &subscription.name;
        let changed = Some(changed);
        let new = NewAlert { subscription: name, story_id, article_id, revision, changed, due_at, muted };
        tx.record_alert(&new, now)?;
    }
    Ok(())
}

fn is_muted(
    tx: Tx<'_>,
    mutes: &[Mute],
    story_id: i64,
    article_id: i64,
    wanted: &[&Match],
) -> Result<bool, StoreError> {
    if mutes.is_empty() {
        return Ok(false);
    }
    let source = tx.text(article_id)?.map(|text| text.source).unwrap_or_default();
    let muted = |kind: &str, what: &str| mutes.iter().any(|mute| mute.kind == kind && mute.what == what);
    Ok(muted("story", &story_id.to_string())
        || muted("source", &source)
        || (!wanted.is_empty() && wanted.iter().all(|rule| muted("rule", &rule.id))))
}

/// The same for an article whose rules are on record.
fn silenced(
    tx: Tx<'_>,
    mutes: &[Mute],
    subscription: &Subscription,
    story_id: i64,
    article_id: i64,
) -> Result<bool, StoreError> {
    if mutes.is_empty() {
        return Ok(false);
    }
    let rules: Vec<Match> = tx.rules_of(article_id)?.into_iter().map(|row| row.matched).collect();
    let wanted: Vec<&Match> = rules.iter().filter(|rule| alerts(subscription, rule)).collect();
    is_muted(tx, mutes, story_id, article_id, &wanted)
}

/// The instant after a wait; the last there is when it lies beyond.
pub(crate) fn later(now: Timestamp, wait: std::time::Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

/// Makes mails of the alerts that are due; all that wait are, in a single run.
pub async fn compose_due(setup: &Setup) -> Composed {
    let mut composed = Composed::default();
    for subscription in &setup.config.subscriptions {
        let (config, templates, own) = (setup.config.clone(), setup.templates.clone(), subscription.clone());
        let (now, once) = (setup.clock.now(), setup.run.once);
        let done = setup.store.write(move |tx| compose(tx, &config, &templates, &own, now, once)).await;
        composed.add("the alerts", &subscription.name, done);
    }
    composed
}

fn compose(
    tx: Tx<'_>,
    config: &Config,
    templates: &Templates,
    subscription: &Subscription,
    now: Timestamp,
    once: bool,
) -> Result<usize, StoreError> {
    let due = tx.due_alerts(&subscription.name, if once { Timestamp::MAX } else { now })?;
    if due.is_empty() {
        return Ok(0);
    }
    if let Some(end) = quiet_until(subscription, now) {
        for alert in due {
            tx.defer_alert(alert.id, end)?;
        }
        return Ok(0);
    }
    let mutes = tx.mutes(now)?;
    let mut told: Vec<(AlertRow, brief::Story)> = Vec::new();
    for alert in due {
        // Muted while it waited.
        if silenced(tx, &mutes, subscription, alert.story_id, alert.article_id)? {
            tx.close_alert(alert.id, "muted", "", now)?;
            continue;
        }
        match story(tx, subscription, alert.story_id, alert.changed.as_deref())? {
            Some(story) => told.push((alert, story)),
            // The topics were changed while it waited: nobody wants it any more.
            None => tx.close_alert(alert.id, "muted", "", now)?,
        }
    }
    // The best first: they get a mail of their own while the hour's number lasts.
    told.sort_by(|a, b| b.1.score.cmp(&a.1.score).then(a.0.id.cmp(&b.0.id)));
    let hour_ago = now.saturating_sub(HOUR).unwrap_or(Timestamp::MIN);
    let sent = tx.alert_mails(&subscription.name, hour_ago, now)?;
    let alone = sent.iter().filter(|(kind, _)| kind == "alert").count();
    let left = usize::try_from(subscription.alerts_per_hour).unwrap_or(usize::MAX).saturating_sub(alone);
    let rest = told.split_off(left.min(told.len()));
    let mut mails = told.len();
    for (alert, story) in told {
        mail_one(tx, config, templates, subscription, &alert, story, now)?;
    }
    if rest.is_empty() {
        return Ok(mails);
    }
    let rolled_up = sent.iter().rfind(|(kind, _)| kind == "rollup").map(|(_, at)| *at);
    match rolled_up.and_then(|at| at.checked_add(HOUR).ok()) {
        // One roll-up an hour: the rest waits for the next.
        Some(next) if !once && next > now => {
            for (alert, _) in rest {
                tx.defer_alert(alert.id, next)?;
            }
        }
        _ => {
            roll_up(tx, config, templates, subscription, rest, now)?;
            mails += 1;
        }
    }
    Ok(mails)
}

fn mail_one(
    tx: Tx<'_>,
    config: &Config,
    templates: &Templates,
    subscription: &Subscription,
    alert: &AlertRow,
    story: brief::Story,
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = &subscription.name;
    let content = fingerprint(tx, std::iter::once((alert, story.match_id)))?;
    let key = format!("alert|{name}|story-{}|rev{}|{content}", alert.story_id, alert.revision);
    let begun =
        tx.alerts_of(name, alert.story_id)?.first().map_or(alert.created_at, |first| first.created_at);
    let marks = vec![
        ("X-Burdenwatch-Topic".to_owned(), story.topic.clone()),
        ("X-Burdenwatch-Rule".to_owned(), story.rule.0.clone()),
        ("X-Burdenwatch-Level".to_owned(), "alert".to_owned()),
    ];
    let facts = brief::Alert {
        subscription: subscription.name.clone(),
        zone: subscription.time_zone.clone(),
        story,
        follow_up: alert.revision > 0,
    };
    let letter = Letter {
        kind: Kind::Alert,
        subscription: &subscription.name,
        dedup_key: &key,
        to: &subscription.to,
        words: &digest::alert(&facts, templates),
        // No mail has this id: it only ties a story's alerts together.
        thread: Some(format!(
            "<story-{}-{}.{name}@{}>",
            alert.story_id,
            begun.as_millisecond(),
            config.mail.from.domain()
        )),
        marks,
    };
    queue(tx, config, &letter, now)?;
    let story = alert.story_id;
    tracing::info!(
        RULE = facts.story.rule.0,
        STORY = story,
        SUBSCRIPTION = name,
        "an alert about story {story} for {name} is queued"
    );
    tx.close_alert(alert.id, "mailed", &key, now)?;
    undelivered::fold_if_refused(tx, config, &key)
}

fn roll_up(
    tx: Tx<'_>,
    config: &Config,
    templates: &Templates,
    subscription: &Subscription,
    rest: Vec<(AlertRow, brief::Story)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let first = rest.iter().map(|(alert, _)| alert.id).min().unwrap_or_default();
    let content = fingerprint(tx, rest.iter().map(|(alert, story)| (alert, story.match_id)))?;
    let key = format!("rollup|{}|{first}|{content}", subscription.name);
    for (alert, _) in &rest {
        tx.close_alert(alert.id, "rolled", &key, now)?;
    }
    let facts = brief::Rollup {
        subscription: subscription.name.clone(),
        zone: subscription.time_zone.clone(),
        per_hour: subscription.alerts_per_hour,
        stories: rest.into_iter().map(|(_, story)| story).collect(),
    };
    let letter = Letter {
        kind: Kind::Rollup,
        subscription: &subscription.name,
        dedup_key: &key,
        to: &subscription.to,
        words: &digest::rollup(&facts, templates),
        thread: None,
        marks: vec![("X-Burdenwatch-Level".to_owned(), "alert".to_owned())],
    };
    queue(tx, config, &letter, now)?;
    undelivered::fold_if_refused(tx, config, &key)
}

/// When the quiet hours that hold now end; none when they do not hold.
fn quiet_until(subscription: &Subscription, now: Timestamp) -> Option<Timestamp> {
    let (from, to) = subscription.quiet_hours?;
    let local = now.to_zoned(subscription.time_zone.clone());
    let time = local.time();
    let over_midnight = from > to;
    let quiet = if over_midnight { time >= from || time < to } else { time >= from && time < to };
    if !quiet {
        return None;
    }
    let day = if over_midnight && time >= from { local.date().tomorrow().ok()? } else { local.date() };
    instant(&subscription.time_zone, day.to_datetime(to)).filter(|end| *end > now)
}

/// The instant of a local time: the first valid one after a gap, the first of two in an overlap.
pub(super) fn instant(zone: &TimeZone, local: jiff::civil::DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        jiff::tz::AmbiguousOffset::Gap { .. } => {
            let before = ambiguous.earlier().ok()?;
            zone.following(before).next().map(|transition| transition.timestamp())
        }
        _ => ambiguous.compatible().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_local_time_in_a_gap_is_the_first_after_it_and_in_an_overlap_the_first_of_two() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let local = |text: &str| text.parse::<jiff::civil::DateTime>().unwrap();
        assert_eq!(instant(&berlin, local("2026-03-29T02:30")), Some(at("2026-03-29T01:00:00Z")));
        assert_eq!(instant(&berlin, local("2026-10-25T02:30")), Some(at("2026-10-25T00:30:00Z")));
        let lord_howe = TimeZone::get("Australia/Lord_Howe").unwrap();
        assert_eq!(instant(&lord_howe, local("2026-10-04T02:15")), Some(at("2026-10-03T15:30:00Z")));
    }
}
