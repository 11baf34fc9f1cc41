//! The digest's lists of one or two lines an item, each cut at a limit.

use serde::Serialize;

use crate::digest::brief::Digest;
use crate::digest::clean;
use crate::digest::compose::Part;
use crate::digest::story;
use crate::digest::words;

/// How many items each list shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    alerted: usize,
    near: usize,
    notices: usize,
    coming: usize,
}

impl Limits {
    /// Those a part begins with.
    pub(super) fn of(part: Part) -> Self {
        match part {
            Part::Html => Self { alerted: 40, near: 10, notices: 40, coming: 20 },
            Part::Text => Self { alerted: 200, near: 20, notices: 200, coming: 40 },
        }
    }

    /// Half of each.
    pub(super) fn halved(self) -> Self {
        let Self { alerted, near, notices, coming } = self;
        Self { alerted: alerted / 2, near: near / 2, notices: notices / 2, coming: coming / 2 }
    }

    /// Whether nothing is shown any more.
    pub(super) fn none(self) -> bool {
        self.alerted + self.near + self.notices + self.coming == 0
    }
}

/// The lists as the templates see them.
#[derive(Debug, Serialize)]
pub(super) struct Lists {
    alerted: Vec<AlertedView>,
    alerted_count: String,
    alerted_more: String,
    near: Vec<NearView>,
    coming: Vec<String>,
    feeds: String,
    notices: Vec<NoticeView>,
    notices_more: String,
    rules: String,
}

#[derive(Debug, Serialize)]
struct AlertedView {
    at: String,
    title: String,
    lang: Option<String>,
    link: Option<String>,
    source: String,
    outlets: String,
    waiting: String,
}

#[derive(Debug, Serialize)]
struct NearView {
    id: i64,
    title: String,
    lang: Option<String>,
    link: Option<String>,
    source: String,
    rule: String,
    lacking: String,
}

#[derive(Debug, Serialize)]
struct NoticeView {
    urgent: bool,
    subject: String,
    text: String,
}

/// Phrases the lists.
pub(super) fn lists(digest: &Digest, limits: Limits, show: &str) -> Lists {
    let more = |all: usize, shown: usize, command: &str| match all - shown {
        0 => String::new(),
        left => format!("+{} more: {command}", words::thousands(left)),
    };
    let (alerted, near, notices) =
        (alerted(digest, limits.alerted), near(digest, limits.near), notices(digest, limits.notices));
    Lists {
        alerted_count: words::thousands(digest.alerted.len()),
        alerted_more: more(digest.alerted.len(), alerted.len(), show),
        notices_more: more(digest.notices.len(), notices.len(), "burdenwatch status"),
        coming: digest
            .coming
            .iter()
            .take(limits.coming)
            .map(|line| clean::line(line, clean::SENTENCE))
            .collect(),
        feeds: format!("{} of {} feeds healthy", digest.feeds_healthy, digest.feeds_total),
        rules: rules(digest),
        alerted,
        near,
        notices,
    }
}

/// Alerts in the order they were sent, the latest first.
fn alerted(digest: &Digest, limit: usize) -> Vec<AlertedView> {
    let mut all: Vec<_> = digest.alerted.iter().collect();
    all.sort_by_key(|alerted| (std::cmp::Reverse(alerted.at), alerted.story.match_id));
    let view = |alerted: &&crate::digest::brief::Alerted| {
        let outlets = story::outlet_names(&alerted.story).len();
        AlertedView {
            at: words::minute(alerted.at, &digest.zone),
            title: story::headline(&alerted.story),
            lang: clean::lang(alerted.story.lang.as_deref()),
            link: clean::link(alerted.story.link.as_deref()),
            source: clean::line(&alerted.story.source, clean::NAME),
            outlets: if outlets == 0 {
                String::new()
            } else {
                format!("+{}", words::count(outlets, "outlet", "outlets"))
            },
            waiting: match alerted.waiting {
                0 => String::new(),
                some => {
                    format!("not delivered yet to {}", words::count(some as usize, "recipient", "recipients"))
                }
            },
        }
    };
    all.iter().take(limit).map(view).collect()
}

fn near(digest: &Digest, limit: usize) -> Vec<NearView> {
    let view = |near: &crate::digest::brief::NearMiss| NearView {
        id: near.article_id,
        title: clean::line(&near.title, clean::HEADLINE),
        lang: clean::lang(near.lang.as_deref()),
        link: clean::link(near.link.as_deref()),
        source: clean::line(&near.source, clean::NAME),
        rule: clean::line(&near.rule, clean::NAME),
        lacking: clean::line(&near.lacking, clean::SENTENCE),
    };
    digest.near_misses.iter().take(limit).map(view).collect()
}

/// What a person must act on first; otherwise in the order given, worst first.
fn notices(digest: &Digest, limit: usize) -> Vec<NoticeView> {
    let mut all: Vec<_> = digest.notices.iter().collect();
    all.sort_by_key(|notice| !notice.urgent);
    let view = |notice: &&crate::digest::brief::Notice| NoticeView {
        urgent: notice.urgent,
        subject: clean::line(&notice.subject, clean::NAME),
        text: clean::line(&notice.text, clean::SENTENCE),
    };
    all.iter().take(limit).map(view).collect()
}

fn rules(digest: &Digest) -> String {
    let rules = &digest.rules;
    let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    format!(
        "Rule set {}: {}, {} passed.",
        clean::line(&rules.hash, 16),
        words::count(number(rules.rules), "rule", "rules"),
        words::count(number(rules.tests), "test", "tests")
    )
}
