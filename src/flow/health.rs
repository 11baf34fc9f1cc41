//! What a digest says about the watch itself, so that silence is never ambiguous.

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Subscription};
use crate::digest::brief::Notice;
use crate::store::{FeedRow, StoreError, Tx};

/// Polls in a row that must fail before a reader hears of it.
pub const FAILING: u32 = 3;
/// A feed that usually has news daily and had none for this many usual gaps is quiet.
const QUIET_GAPS: i64 = 5;

/// Gathers the notices since `since`, the most urgent first.
pub fn notices(
    tx: Tx<'_>,
    config: &Config,
    subscription: &Subscription,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Notice>, StoreError> {
    let mut notices = Vec::new();
    let mut note = |urgent, subject: &str, text: String| {
        notices.push(Notice { urgent, subject: subject.to_owned(), text })
    };
    let zone = &subscription.time_zone;
    let day = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%-d %b %H:%M").to_string();
    if let Some(refused) = tx.fact("rules.refused")? {
        note(true, "rules", format!("a changed rule set was refused, the one before goes on: {refused}"));
    }
    if let Some(refused) = tx.fact("config.refused")? {
        note(
            true,
            "configuration",
            format!("a changed configuration was refused, the one before goes on: {refused}"),
        );
    }
    if let Some(changed) = tx.fact("rules.changed")?.and_then(|changed| changed.parse::<Timestamp>().ok())
        && changed >= since
    {
        note(false, "rules", format!("a new rule set has been in force since {}", day(changed)));
    }
    for mail in tx.failed_since(&subscription.name, since)? {
        let reply = mail.last_reply.unwrap_or_default();
        note(true, "mail", format!("\"{}\" could not be delivered to one recipient: {reply}", mail.subject));
    }
    for (address, at) in tx.suspended()? {
        if subscription.to.iter().any(|to| to.email == address) {
            note(
                true,
                "mail",
                format!(
                    "one recipient has been refused by the server for days and is suspended since {}",
                    day(at)
                ),
            );
        }
    }
    tx.each_feed(true, |feed| {
        if feed.failures > 0 {
            let from = feed.failing_since.map(day).unwrap_or_default();
            let why = feed.failure.as_deref().unwrap_or("no reason recorded");
            let urgent = feed.failures >= FAILING && is_critical(config, &feed);
            note(
                urgent,
                &feed.name,
                format!("failing since {from} ({}): {why}", counted(u64::from(feed.failures), "poll")),
            );
        } else if let Some(words) = quiet(&feed, now) {
            note(false, &feed.name, words);
        }
        if feed.gap_at.is_some_and(|at| at >= since) {
            note(true, &feed.name, "entries may have been missed: a whole document went by between two polls; it is polled faster now".to_owned());
        }
        if feed.moved_url.is_some() && feed.moving_since.is_some_and(|at| at >= since) {
            note(
                false,
                &feed.name,
                format!("has moved for good to {}", feed.moved_url.as_deref().unwrap_or_default()),
            );
        }
        if feed.first_ok_at.is_some_and(|at| at >= since) && feed.baseline > 0 {
            note(
                false,
                &feed.name,
                format!("newly watched: {} taken in as baseline", counted(feed.baseline, "article")),
            );
        }
    })?;
    for (feed, matches) in tx.baseline_matches(since)? {
        note(
            false,
            &feed,
            format!(
                "of its first poll, {} flagged and only kept in the archive: burdenwatch matches list",
                counted(matches, "older article")
            ),
        );
    }
    for mute in tx.mutes(now)? {
        note(
            false,
            "mute",
            format!("{} {} until {}: {}", mute.kind, mute.what, day(mute.until), mute.reason),
        );
    }
    notices.sort_by_key(|notice| !notice.urgent);
    Ok(notices)
}

fn is_critical(config: &Config, feed: &FeedRow) -> bool {
    config.feeds.iter().any(|configured| configured.name == feed.name && configured.critical)
}

/// Says that a feed which used to have news has had none for long.
fn quiet(feed: &FeedRow, now: Timestamp) -> Option<String> {
    let (first, last) = (feed.first_ok_at?, feed.last_new_at?);
    let watched = now.duration_since(first);
    let silent = now.duration_since(last);
    // Two weeks teach a feed's rhythm; before that silence says little.
    if watched < SignedDuration::from_hours(14 * 24) || silent < SignedDuration::from_hours(24) {
        return None;
    }
    let usual = usual_gap(feed)?;
    let long = silent.as_secs() > usual.as_secs().saturating_mul(QUIET_GAPS);
    long.then(|| {
        format!("no new article for {} days, usually every {}", silent.as_hours() / 24, in_words(usual))
    })
}

fn usual_gap(feed: &FeedRow) -> Option<SignedDuration> {
    let rhythm: crate::news::schedule::Rhythm = serde_json::from_str(&feed.rhythm).ok()?;
    rhythm.usual_gap()
}

fn in_words(gap: SignedDuration) -> String {
    match gap.as_hours() {
        0 => format!("{} minutes", gap.as_mins().max(1)),
        hours @ 1..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

/// A number and what it counts, in the plural where it is one.
fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
