//! Puts facts, templates and the size limits together.

use minijinja::Environment;
use minijinja::Error;
use minijinja::Value;
use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use crate::digest::brief::Alert;
use crate::digest::brief::Digest;
use crate::digest::brief::Rollup;
use crate::digest::clean;
use crate::digest::fill;
use crate::digest::fill::Section;
use crate::digest::glance;
use crate::digest::lists;
use crate::digest::lists::Limits;
use crate::digest::story;
use crate::digest::subject;
use crate::digest::templates::render;
use crate::digest::words;

/// Lines of a notice.
const NOTICE_LINES: usize = 100;
/// Longest line of a notice, in characters; a list of feeds may stand in one.
const NOTICE_LINE: usize = 1000;

/// One of a mail's two bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// `text/plain`.
    Text,
    /// `text/html`.
    Html,
}

impl Part {
    /// The suffix of its templates.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Part::Text => "txt",
            Part::Html => "html",
        }
    }

    /// Bytes it may have. Some mail programs hide what follows the first
    /// hundred kilobytes of encoded HTML, so 60 are not exceeded unencoded.
    pub(super) fn limit(self) -> usize {
        match self {
            Part::Text => 195_000,
            Part::Html => 60_000,
        }
    }
}

/// Renders a part of an alert.
pub(super) fn alert_part(
    alert: &Alert,
    environment: &Environment<'static>,
    part: Part,
) -> Result<String, Error> {
    let view = story::view(&alert.story, &alert.zone);
    let footer = [
        format!(
            "You get this as {}. Copies of this story in other outlets send no further mail.",
            clean::line(&alert.subscription, clean::NAME)
        ),
        format!("Was it right? burdenwatch matches label {} yes|no", view.id),
    ];
    let facts = context! {
        subject => subject::alert(alert),
        preheader => subject::alert_preheader(alert),
        subscription => clean::line(&alert.subscription, clean::NAME),
        follow_up => alert.follow_up,
        footer,
        indent => "",
        s => Value::from(Serde(view)),
    };
    render(environment, &format!("alert.{}", part.suffix()), facts)
}

/// Renders a part of a roll-up, within its limit.
pub(super) fn rollup_part(
    rollup: &Rollup,
    environment: &Environment<'static>,
    part: Part,
) -> Result<String, Error> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for story in &rollup.stories {
        match sections.iter_mut().find(|section| section.id == story.topic) {
            Some(section) => section.stories.push(story),
            None => sections.push(Section { id: &story.topic, stories: vec![story], trend: &[] }),
        }
    }
    sections.iter_mut().for_each(Section::order);
    let total = words::count(rollup.stories.len(), "alert", "alerts");
    let cap = words::count(usize::try_from(rollup.per_hour).unwrap_or(usize::MAX), "mail", "mails");
    let frame = |topics: &fill::Topics| {
        let facts = context! {
            subject => subject::rollup(rollup),
            preheader => subject::rollup_preheader(rollup),
            subscription => clean::line(&rollup.subscription, clean::NAME),
            title => format!("{total} in one mail"),
            lead => format!("The cap of {cap} an hour was reached; these alerts came after it."),
            topics => Value::from(Serde(&topics.shown)),
            footer => [
                format!("You get this as {}.", clean::line(&rollup.subscription, clean::NAME)),
                "Was one right? burdenwatch matches label ID yes|no".to_owned(),
            ],
        };
        render(environment, &format!("rollup.{}", part.suffix()), facts)
    };
    fill::within(part, environment, &rollup.zone, &sections, "burdenwatch matches list", frame)
}

/// Renders a part of a digest, within its limit.
pub(super) fn digest_part(
    digest: &Digest,
    environment: &Environment<'static>,
    part: Part,
) -> Result<String, Error> {
    let mut sections: Vec<Section<'_>> = digest
        .topics
        .iter()
        .filter(|topic| !topic.stories.is_empty())
        .map(|topic| Section { id: &topic.id, stories: topic.stories.iter().collect(), trend: &topic.trend })
        .collect();
    sections.iter_mut().for_each(Section::order);
    let show = format!("burdenwatch digest show {}", digest.number);
    let (subject, preheader) = (subject::digest(digest), subject::digest_preheader(digest));
    let glance = glance::glance(digest);
    let frame = |topics: &fill::Topics, limits: Limits| {
        let facts = DigestFacts {
            subject: &subject,
            preheader: &preheader,
            number: digest.number,
            subscription: clean::line(&digest.subscription, clean::NAME),
            long_day: words::long_day(digest.at, &digest.zone),
            covers: (digest.covers_days > 1).then(|| format!("covers {} days", digest.covers_days)),
            glance: &glance,
            topics: &topics.shown,
            lists: lists::lists(digest, limits, &show),
            footer: glance::footer(digest, &show),
        };
        render(environment, &format!("digest.{}", part.suffix()), Value::from(Serde(&facts)))
    };
    // First the lists take at most half of the room, then stories fill the rest.
    let mut limits = Limits::of(part);
    while !limits.none() && frame(&fill::Topics::default(), limits)?.len() > part.limit() / 2 {
        limits = limits.halved();
    }
    fill::within(part, environment, &digest.zone, &sections, &show, |topics| frame(topics, limits))
}

/// What a digest's templates may use.
#[derive(Serialize)]
struct DigestFacts<'f> {
    subject: &'f str,
    preheader: &'f str,
    number: u32,
    subscription: String,
    long_day: String,
    covers: Option<String>,
    glance: &'f glance::Glance,
    topics: &'f [fill::TopicView],
    #[serde(flatten)]
    lists: lists::Lists,
    footer: Vec<String>,
}

/// Renders a part of a notice.
pub(super) fn notice_part(
    title: &str,
    lines: &[String],
    environment: &Environment<'static>,
    part: Part,
) -> Result<String, Error> {
    let mut shown: Vec<String> = Vec::new();
    let mut room = part.limit() / 12;
    for line in lines.iter().take(NOTICE_LINES) {
        let line = clean::line(line, NOTICE_LINE);
        room = room.saturating_sub(line.len());
        if room == 0 {
            break;
        }
        shown.push(line);
    }
    let more = match lines.len() - shown.len() {
        0 => String::new(),
        more => format!("+{} more: burdenwatch status", words::count(more, "line", "lines")),
    };
    let facts = context! {
        subject => subject::notice(title),
        preheader => clean::line(shown.first().map_or("", String::as_str), subject::PREHEADER),
        title => clean::line(title, clean::HEADLINE),
        lines => shown,
        more,
    };
    render(environment, &format!("notice.{}", part.suffix()), facts)
}
