//! The digest at a glance, and its last lines.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::digest::brief::Digest;
use crate::digest::brief::Story;
use crate::digest::clean;
use crate::digest::story;
use crate::digest::trend;
use crate::digest::words;

/// Changed stories named at a glance.
const CHANGED: usize = 3;

/// The first lines.
#[derive(Debug, Serialize)]
pub(super) struct Glance {
    count: String,
    lines: Vec<String>,
    attention: Option<String>,
    spark: String,
    trend: String,
    changed: Vec<String>,
}

/// Every story of the digest that was not alerted.
pub(super) fn stories(digest: &Digest) -> impl Iterator<Item = &Story> {
    digest.topics.iter().flat_map(|topic| &topic.stories)
}

/// Whether nothing happened.
pub(super) fn quiet(digest: &Digest) -> bool {
    digest.alerted.is_empty() && stories(digest).next().is_none()
}

/// `0 of 812 articles`
pub(super) fn none_of(digest: &Digest) -> String {
    let read = usize::try_from(digest.articles_read).unwrap_or(usize::MAX);
    format!("0 of {}", words::count(read, "article", "articles"))
}

/// What a person must act on, in a few words.
pub(super) fn attention(digest: &Digest) -> Option<String> {
    let mut urgent = digest.notices.iter().filter(|notice| notice.urgent);
    let first = urgent.next()?;
    let failing =
        usize::try_from(digest.feeds_total.saturating_sub(digest.feeds_healthy)).unwrap_or(usize::MAX);
    Some(match (failing, urgent.count()) {
        (1.., _) => format!("{} failing", words::count(failing, "feed", "feeds")),
        (0, 0) => format!("{} needs attention", clean::line(&first.subject, 30)),
        (0, more) => format!("{} problems need attention", words::thousands(more + 1)),
    })
}

/// Phrases the first lines.
pub(super) fn glance(digest: &Digest) -> Glance {
    let count = stories(digest).count();
    let named = if quiet(digest) {
        format!("Quiet: {} matched", none_of(digest))
    } else if count == 0 {
        "No story beyond the alerts already sent".to_owned()
    } else {
        words::count(count, "story", "stories")
    };
    let changed = stories(digest).filter_map(|story| {
        let what = clean::line(story.changed.as_deref()?, clean::SENTENCE);
        (!what.is_empty()).then(|| format!("{} - {what}", clean::line(&story::headline(story), 60)))
    });
    Glance {
        count: named,
        lines: lines(digest, count),
        attention: attention(digest),
        spark: trend::sparkline(&digest.trend),
        trend: trend_words(&digest.trend),
        changed: changed.take(CHANGED).collect(),
    }
}

fn lines(digest: &Digest, count: usize) -> Vec<String> {
    let since = match digest.since {
        Some(since) => format!("since {}", words::weekday_moment(since, &digest.zone)),
        None => "in the first digest".to_owned(),
    };
    let mut lines = Vec::new();
    if count > 0 {
        let articles: usize = stories(digest).map(|story| 1 + story.also.len()).sum();
        let sources: BTreeSet<&str> = stories(digest)
            .flat_map(|story| {
                std::iter::once(&story.source).chain(story.also.iter().map(|outlet| &outlet.name))
            })
            .map(String::as_str)
            .collect();
        lines.push(format!(
            "{} from {} {since}",
            words::count(articles, "article", "articles"),
            words::count(sources.len(), "source", "sources")
        ));
    }
    if !digest.alerted.is_empty() {
        let waiting = digest.alerted.iter().filter(|alerted| alerted.waiting > 0).count();
        let sent = words::count(digest.alerted.len(), "alert", "alerts");
        lines.push(match waiting {
            0 => format!("{sent} already sent"),
            all if all == digest.alerted.len() => format!("{sent} already sent, not delivered yet"),
            some => format!("{sent} already sent, {some} of them not delivered yet"),
        });
    }
    let read =
        words::count(usize::try_from(digest.articles_read).unwrap_or(usize::MAX), "article", "articles");
    let period = if count > 0 { String::new() } else { format!(" {since}") };
    lines.push(format!(
        "{read} read{period}; {} of {} feeds healthy",
        digest.feeds_healthy, digest.feeds_total
    ));
    lines
}

fn trend_words(counts: &[u32]) -> String {
    let days = counts.len().min(30);
    match (counts.last(), trend::yesterday(counts), trend::median(counts)) {
        (Some(today), Some(yesterday), Some(median)) => {
            format!("Stories a day over {days} days: today {today}, yesterday {yesterday}, median {median}")
        }
        _ => "No trend yet: this is the first day".to_owned(),
    }
}

/// Why the reader gets this, what came before, what comes next, whom to ask.
pub(super) fn footer(digest: &Digest, show: &str) -> Vec<String> {
    let name = clean::line(&digest.subscription, clean::NAME);
    let schedule = clean::line(&digest.schedule, clean::SENTENCE);
    let mut first = if schedule.is_empty() {
        format!("You get this as {name}.")
    } else {
        format!("You get this as {name}, {schedule}.")
    };
    if digest.extra {
        first.push_str(" This one was asked for by hand.");
    }
    if let Some(next) = digest.next_at {
        first.push_str(&format!(" Next: {}.", words::weekday_moment(next, &digest.zone)));
    }
    let second = match digest.follows {
        Some(before) => format!("Digest #{} follows #{before}.", digest.number),
        None => format!("Digest #{} is the first.", digest.number),
    };
    let owner = clean::line(&digest.owner, 2 * clean::NAME);
    let mut lines = vec![first, second];
    if !owner.is_empty() {
        lines.push(format!("To unsubscribe or change it, write to {owner}."));
    }
    lines.push(format!("Archive: {show}. Judge a story: burdenwatch matches label ID yes|no"));
    lines
}
