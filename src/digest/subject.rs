//! Subjects and preheaders: one line each, the most important fact first.

use crate::digest::brief::Alert;
use crate::digest::brief::Digest;
use crate::digest::brief::Rollup;
use crate::digest::clean;
use crate::digest::glance;
use crate::digest::story;
use crate::digest::words;

/// Longest subject, in characters.
pub(super) const SUBJECT: usize = 150;
/// Longest preheader, in characters: what lists of mail show after the subject.
pub(super) const PREHEADER: usize = 90;

/// The headline from its beginning; the outlet after it where there is room.
pub(super) fn alert(alert: &Alert) -> String {
    let mark = if alert.follow_up { "Update: " } else { "" };
    let title = format!("{mark}{}", story::headline(&alert.story));
    let source = clean::line(&alert.story.source, clean::NAME);
    let whole = format!("{title} ({source})");
    let fits = whole.chars().count() <= SUBJECT && !source.is_empty() && !title.ends_with(&source);
    clean::line(if fits { &whole } else { &title }, SUBJECT)
}

/// Topic, outlet, reach and score.
pub(super) fn alert_preheader(alert: &Alert) -> String {
    let outlets = story::outlet_names(&alert.story).len();
    let reach = if outlets == 0 {
        String::new()
    } else {
        format!(" +{}", words::count(outlets, "outlet", "outlets"))
    };
    let what = match &alert.story.changed {
        Some(changed) => changed.clone(),
        None => format!("score {}", alert.story.score),
    };
    clean::line(
        &format!("{} · {}{reach} · {what}", story::topic(&alert.story.topic), alert.story.source),
        PREHEADER,
    )
}

/// How many, the cap, and the best of them.
pub(super) fn rollup(rollup: &Rollup) -> String {
    let count = words::count(rollup.stories.len(), "more alert", "more alerts");
    let best =
        rollup.stories.iter().min_by_key(|story| story::rank(story)).map(story::headline).unwrap_or_default();
    with_headline(format!("burdenwatch: {count} in one mail (cap {} an hour)", rollup.per_hour), &best)
}

/// How many of each topic.
pub(super) fn rollup_preheader(rollup: &Rollup) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for story in &rollup.stories {
        match counts.iter_mut().find(|(topic, _)| *topic == story.topic) {
            Some((_, count)) => *count += 1,
            None => counts.push((&story.topic, 1)),
        }
        if counts.len() > PREHEADER {
            break;
        }
    }
    clean::line(&topic_counts(&counts), PREHEADER)
}

/// Date, number, how many, what is wrong, and the leading headline.
pub(super) fn digest(digest: &Digest) -> String {
    let mut subject = format!("burdenwatch {} #{}", words::day(digest.at, &digest.zone), digest.number);
    if digest.covers_days > 1 {
        subject.push_str(&format!(" covers {} days", digest.covers_days));
    }
    let stories = glance::stories(digest);
    let (count, changed) = stories
        .fold((0, 0), |(all, changed), story| (all + 1, changed + usize::from(story.changed.is_some())));
    let mut facts = Vec::new();
    if glance::quiet(digest) {
        facts.push(format!("quiet ({})", glance::none_of(digest)));
    }
    if count > 0 {
        facts.push(words::count(count, "story", "stories"));
    }
    if changed > 0 {
        facts.push(format!("{} changed", words::thousands(changed)));
    }
    if !digest.alerted.is_empty() {
        facts.push(format!("{} alerted", words::thousands(digest.alerted.len())));
    }
    facts.extend(glance::attention(digest));
    let leading = glance::stories(digest).min_by_key(|story| story::rank(story));
    let leading = leading.or_else(|| {
        digest.alerted.iter().map(|alerted| &alerted.story).min_by_key(|story| story::rank(story))
    });
    with_headline(
        format!("{subject}: {}", facts.join(", ")),
        &leading.map(story::headline).unwrap_or_default(),
    )
}

/// How many of each topic, and what is wrong; the latter is never cut off.
pub(super) fn digest_preheader(digest: &Digest) -> String {
    let counts: Vec<(&str, usize)> = digest
        .topics
        .iter()
        .filter(|topic| !topic.stories.is_empty())
        .take(PREHEADER)
        .map(|topic| (topic.id.as_str(), topic.stories.len()))
        .collect();
    let failing = digest.feeds_total.saturating_sub(digest.feeds_healthy);
    let failing = usize::try_from(failing).unwrap_or(usize::MAX);
    let health = match failing {
        0 => format!("all {} feeds healthy", digest.feeds_total),
        failing => format!("{} failing", words::count(failing, "feed", "feeds")),
    };
    let what = if counts.is_empty() {
        format!("{} matched", glance::none_of(digest))
    } else {
        topic_counts(&counts)
    };
    let room = PREHEADER.saturating_sub(health.chars().count() + 3);
    clean::line(&format!("{} · {health}", clean::line(&what, room)), PREHEADER)
}

/// The notice's own subject.
pub(super) fn notice(subject: &str) -> String {
    let subject = clean::line(subject, SUBJECT);
    if subject.is_empty() { "burdenwatch notice".to_owned() } else { subject }
}

/// `US-Japan 2 · NATO 1`
fn topic_counts(counts: &[(&str, usize)]) -> String {
    let named: Vec<String> = counts
        .iter()
        .map(|(topic, count)| format!("{} {}", story::topic(topic), words::thousands(*count)))
        .collect();
    named.join(" · ")
}

/// Adds a headline, shortened to the room that is left.
fn with_headline(subject: String, headline: &str) -> String {
    let subject = clean::line(&subject, SUBJECT);
    let room = SUBJECT.saturating_sub(subject.chars().count() + 3).min(90);
    if headline.is_empty() || room < 12 {
        return subject;
    }
    format!("{subject} - {}", clean::line(headline, room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sample;

    #[test]
    fn a_quiet_day_says_so_with_its_number() {
        let mut digest = sample::quiet_digest();
        assert_eq!(super::digest(&digest), "burdenwatch Wed 25 Nov #215: quiet (0 of 812 articles)");
        digest.covers_days = 3;
        assert!(super::digest(&digest).starts_with("burdenwatch Wed 25 Nov #215 covers 3 days: quiet"));
    }

    #[test]
    fn an_alert_begins_with_its_headline() {
        let mut alert = sample::alert();
        assert!(super::alert(&alert).starts_with(&alert.story.title));
        alert.story.title = "x".repeat(5000);
        let subject = super::alert(&alert);
        assert!(subject.chars().count() == SUBJECT && subject.ends_with("x…"));
        alert.follow_up = true;
        assert!(super::alert(&alert).starts_with("Update: xxx"));
    }

    #[test]
    fn an_urgent_notice_is_in_the_subject_and_an_idle_one_is_not() {
        let mut digest = sample::quiet_digest();
        digest.feeds_healthy -= 2;
        assert!(!super::digest(&digest).contains("failing"));
        digest.notices.push(crate::digest::brief::Notice {
            urgent: true,
            subject: "Kyodo".to_owned(),
            text: "HTTP 403 since 21 Nov".to_owned(),
        });
        assert!(super::digest(&digest).ends_with("articles), 2 feeds failing"));
        digest.feeds_healthy += 2;
        assert!(super::digest(&digest).ends_with("Kyodo needs attention"));
    }
}
