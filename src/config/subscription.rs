//! `[[subscription]]`.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::address::address;
use super::feed::choice;
use super::tree::{At, Place, Section};
use super::unit::{Complaint, day, duration, hours, shown, time_of_day, zone};
use super::{Address, DigestPlan, Quiet, Subscription, TopicPlace};

/// Every day of the week.
const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// A subscription, and where it says what.
#[derive(Debug)]
pub(super) struct Written {
    /// `None` when a required key is absent or wrong.
    pub(super) subscription: Option<Subscription>,
    pub(super) name: Option<(String, Place)>,
    pub(super) topics: Vec<TopicPlace>,
}

/// Reads one `[[subscription]]`; `zone_of_service` is what holds where it names none.
pub(super) fn read(section: &Section<'_>, zone_of_service: &(String, TimeZone)) -> Written {
    let name = section.parsed("name", "\"alliance-desk\"", name);
    section.missing(
        "name",
        "write name = \"alliance-desk\": it stands in Message-ID and List-Id, and must not change",
    );
    let to = recipients(section);
    let zone = section.parsed("time_zone", "\"America/New_York\"", zone);
    let topics = section.list("topics", "\"*\"", topic);
    if let Some(topics) = topics.as_ref().filter(|_| section.is_empty_list("topics")) {
        section.error(&topics.span, "`topics` names none", "leave it out for all topics, or write [\"*\"]");
    }
    let alerts = section.flag("alerts").is_none_or(|flag| flag.value);
    let alert_wait = section.parsed("alert_wait", "\"3m\"", duration);
    let alerts_per_hour = section.number("alerts_per_hour", 0..=100_000);
    let quiet_hours = section.parsed("quiet_hours", "\"22:00-06:00\"", hours);
    section.value("digest");
    let digest = section.has("digest").then(|| digest(section));
    section.finish();
    if digest.is_none() {
        without_digest(section, name.as_ref(), alerts);
    }
    let (time_zone_name, time_zone) = zone.map_or_else(|| zone_of_service.clone(), |zone| zone.value);
    let owner = name.as_ref().map(|name| name.value.clone()).unwrap_or_default();
    let place = |topic: &At<String>| TopicPlace {
        subscription: owner.clone(),
        topic: topic.value.clone(),
        place: section.place(&topic.span),
    };
    let topic_places = topics.iter().flat_map(|topics| topics.value.iter().map(place)).collect();
    let subscription = name.as_ref().zip(to).map(|(name, to)| Subscription {
        name: name.value.clone(),
        to,
        time_zone_name,
        time_zone,
        topics: topics.map_or_else(
            || vec!["*".to_owned()],
            |topics| topics.value.into_iter().map(|topic| topic.value).collect(),
        ),
        alerts,
        alert_wait: alert_wait.map_or(Duration::from_secs(180), |wait| wait.value),
        alerts_per_hour: alerts_per_hour.map_or(6, |cap| cap.value),
        quiet_hours: quiet_hours.map(|hours| hours.value),
        digest: digest.flatten(),
    });
    Written {
        subscription,
        name: name.map(|name| (name.value, section.place(&name.span))),
        topics: topic_places,
    }
}

/// Says what a subscription without a digest is never sent.
fn without_digest(section: &Section<'_>, name: Option<&At<String>>, alerts: bool) {
    let span = name.map_or(section.head().span, |name| name.span.clone());
    let hint = "write digest = { at = \"07:30\" }, or run `burdenwatch digest send` by hand";
    let what = match alerts {
        true => {
            "no digest: it will never be sent matches of level \"digest\", news older than a day, \
             or an alert that could not be delivered"
        }
        false => "no digest and no alerts: it will never be sent anything",
    };
    section.warn(&span, what, hint);
}

/// The recipients, each once.
fn recipients(section: &Section<'_>) -> Option<Vec<Address>> {
    let hint = "write to = [\"desk@example.org\"]";
    section.missing("to", hint);
    let list = section.list("to", "\"desk@example.org\"", address)?;
    let mut to: Vec<Address> = Vec::new();
    for At { value, span } in list.value {
        if to.iter().any(|known| known.email.eq_ignore_ascii_case(&value.email)) {
            let what = format!("{} is named twice", shown(&value.email));
            section.warn(&span, what, "one mail is sent; leave one out");
        } else {
            to.push(value);
        }
    }
    if section.is_empty_list("to") {
        section.error(&list.span, "`to` names nobody", hint);
    }
    Some(to)
}

/// A name fit for a Message-ID and a List-Id.
fn name(text: &str) -> Result<String, Complaint> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let dots = text.split('.').all(|part| !part.is_empty());
    if text.len() <= 64 && dots && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    let likely: String =
        text.to_lowercase().chars().map(|c| if plain(c) { c } else { '-' }).take(64).collect();
    let likely = likely.trim_matches(['-', '.']).to_owned();
    let rule = "a-z, 0-9, - and _, dots between, at most 64 characters";
    let hint = match likely.bytes().any(|byte| byte.is_ascii_alphanumeric()) && !likely.contains("..") {
        true => format!("write \"{likely}\", for example: {rule}"),
        false => format!("write it in {rule}"),
    };
    Err(Complaint::new(format!("{} cannot stand in Message-ID and List-Id", shown(text)), hint))
}

/// A topic, a rule id, or `*`.
fn topic(text: &str) -> Result<String, Complaint> {
    if !text.is_empty() && !text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        format!("{} is not a topic", shown(text)),
        "write a topic, the id of a rule, or \"*\" for all",
    ))
}

/// `digest = { ... }`; `None` when it is wrong.
fn digest(section: &Section<'_>) -> Option<DigestPlan> {
    let hint = "write digest = { at = \"07:30\" }";
    let plan = section.section("digest", "digest", hint);
    if !plan.is_there() {
        return None;
    }
    let at: Option<At<Time>> = plan.parsed("at", "\"07:30\"", time_of_day);
    plan.missing("at", hint);
    let days = plan.list("days", "\"mon\", \"fri\"", day);
    if let Some(days) = days.as_ref().filter(|_| plan.is_empty_list("days")) {
        plan.error(&days.span, "`days` names no day", "leave it out for every day, or `digest` for none");
    }
    let quiet = plan.parsed("quiet", "\"send\"", |text| {
        choice("quiet", text, &[("send", Quiet::Send), ("weekly", Quiet::Weekly), ("never", Quiet::Never)])
    });
    plan.finish();
    let chosen: Vec<Weekday> =
        days.map_or(WEEK.to_vec(), |days| days.value.iter().map(|day| day.value).collect());
    Some(DigestPlan {
        at: at?.value,
        days: WEEK.into_iter().filter(|day| chosen.contains(day)).collect(),
        quiet: quiet.map_or(Quiet::Send, |quiet| quiet.value),
    })
}
