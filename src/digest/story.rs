//! A story as the templates see it: cleaned, counted and phrased.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::digest::brief::Fragment;
use crate::digest::brief::Story;
use crate::digest::clean;
use crate::digest::words;

/// Outlets named under a story; the others are counted.
const OUTLETS: usize = 8;
/// Facts shown beside a headline.
const FACTS: usize = 5;
/// Longest why-sentence, in characters.
const WHY: usize = 280;

/// An outlet's name and its copy.
#[derive(Debug, Clone, Serialize)]
pub(super) struct OutletView {
    name: String,
    link: Option<String>,
}

/// What a template may say about a story.
#[derive(Debug, Clone, Serialize)]
pub(super) struct StoryView {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) lang: Option<String>,
    pub(super) source: String,
    pub(super) link: Option<String>,
    /// Why there is no link although the feed gave one.
    pub(super) unlinked: Option<String>,
    pub(super) seen: String,
    pub(super) late: Option<String>,
    pub(super) wire: Option<String>,
    pub(super) official: bool,
    pub(super) outlet_count: usize,
    pub(super) outlets: Vec<OutletView>,
    pub(super) outlets_more: usize,
    /// `+6 outlets: A, B, C and 3 more`, or nothing.
    pub(super) also: String,
    pub(super) topic: String,
    pub(super) rule: String,
    pub(super) rule_title: String,
    pub(super) other_rules: String,
    pub(super) score: i64,
    pub(super) why: Vec<Fragment>,
    /// The sentence with *asterisks* round the hits.
    pub(super) why_text: String,
    pub(super) changed: Option<String>,
    pub(super) facts: Vec<String>,
}

/// Phrases a story for a reader in `zone`.
pub(super) fn view(story: &Story, zone: &TimeZone) -> StoryView {
    let names = outlet_names(story);
    let link = clean::link(story.link.as_deref());
    let why = why(&story.why);
    let mut other_rules: Vec<String> =
        story.other_rules.iter().map(|id| clean::line(id, clean::NAME)).collect();
    other_rules.retain(|id| !id.is_empty());
    let count = names.len();
    StoryView {
        id: story.match_id,
        title: headline(story),
        lang: clean::lang(story.lang.as_deref()),
        source: source(story),
        unlinked: unlinked(story, link.as_deref()),
        link,
        seen: words::moment(story.first_seen, zone),
        late: late(story, zone),
        wire: story
            .wire
            .as_deref()
            .map(|wire| clean::line(wire, clean::NAME))
            .filter(|wire| !wire.is_empty()),
        official: story.official,
        outlet_count: count,
        outlets: outlets(story, &names),
        outlets_more: count.saturating_sub(OUTLETS),
        also: if count == 0 {
            String::new()
        } else {
            format!("+{}: {}", words::count(count, "outlet", "outlets"), words::list(&names, OUTLETS))
        },
        topic: topic(&story.topic),
        rule: clean::line(&story.rule.0, clean::NAME),
        rule_title: clean::line(&story.rule.1, 2 * clean::NAME),
        other_rules: words::list(&other_rules, 4),
        score: story.score,
        why_text: why
            .iter()
            .map(|part| if part.hit { format!("*{}*", part.text.trim()) } else { part.text.clone() })
            .collect(),
        why,
        changed: story
            .changed
            .as_deref()
            .map(|text| clean::line(text, clean::SENTENCE))
            .filter(|text| !text.is_empty()),
        facts: story
            .facts
            .iter()
            .map(|fact| clean::line(fact, clean::NAME))
            .filter(|fact| !fact.is_empty())
            .take(FACTS)
            .collect(),
    }
}

/// The name of a topic, cleaned.
pub(super) fn topic(id: &str) -> String {
    words::topic(&clean::line(id, clean::NAME))
}

/// The headline; a story without one is named by what there is.
pub(super) fn headline(story: &Story) -> String {
    let title = clean::line(&story.title, clean::HEADLINE);
    if !title.is_empty() {
        return title;
    }
    let why: String = story.why.iter().map(|part| part.text.as_str()).collect();
    let why = clean::line(&why, 100);
    if why.is_empty() { "(no headline)".to_owned() } else { why }
}

/// The outlet, or a word for none.
fn source(story: &Story) -> String {
    let name = clean::line(&story.source, clean::NAME);
    if name.is_empty() { "unnamed source".to_owned() } else { name }
}

/// Rank inside a topic: score, then outlets, then the newest, then the archive's number.
pub(super) fn rank(story: &Story) -> impl Ord + use<> {
    (Reverse(story.score), Reverse(outlet_names(story).len()), Reverse(story.first_seen), story.match_id)
}

/// Names of the other outlets, each once, in the order given.
pub(super) fn outlet_names(story: &Story) -> Vec<String> {
    let own = clean::line(&story.source, clean::NAME);
    let mut seen = BTreeSet::from([own]);
    story
        .also
        .iter()
        .map(|outlet| clean::line(&outlet.name, clean::NAME))
        .filter(|name| !name.is_empty() && seen.insert(name.clone()))
        .collect()
}

/// The outlets that are named, each with its copy.
fn outlets(story: &Story, names: &[String]) -> Vec<OutletView> {
    let copy = |name: &String| {
        let outlet = story.also.iter().find(|outlet| clean::line(&outlet.name, clean::NAME) == *name);
        clean::link(outlet.and_then(|outlet| outlet.link.as_deref()))
    };
    names.iter().take(OUTLETS).map(|name| OutletView { name: name.clone(), link: copy(name) }).collect()
}

/// The sentence, cleaned piece by piece so that the marks stay where they were.
fn why(pieces: &[Fragment]) -> Vec<Fragment> {
    let mut out: Vec<Fragment> = Vec::new();
    let mut room = WHY;
    for piece in pieces {
        if room == 0 {
            break;
        }
        let core = clean::line(&piece.text, room);
        let lead = piece.text.starts_with(char::is_whitespace) && !out.is_empty();
        let tail = piece.text.ends_with(char::is_whitespace) && !core.ends_with('…') && !core.is_empty();
        room = room.saturating_sub(core.chars().count());
        // White space belongs outside the mark: ` *host nation support* `.
        let gap = |out: &mut Vec<Fragment>| match out.last_mut() {
            Some(last) if !last.hit && !last.text.ends_with(' ') => last.text.push(' '),
            Some(last) if last.hit => out.push(Fragment { text: " ".to_owned(), hit: false }),
            _ => {}
        };
        if lead {
            gap(&mut out);
        }
        if !core.is_empty() {
            out.push(Fragment { text: core, hit: piece.hit });
        }
        if tail {
            gap(&mut out);
        }
    }
    out
}

/// Says when an article was published that the feed showed more than a day later.
fn late(story: &Story, zone: &TimeZone) -> Option<String> {
    let published = story.published?;
    let lag = story.first_seen.duration_since(published);
    if lag <= SignedDuration::from_hours(24) {
        return None;
    }
    let days = usize::try_from(lag.as_hours() / 24).unwrap_or(usize::MAX);
    Some(format!(
        "late: published {}, {} before it was seen",
        words::minute(published, zone),
        words::count(days, "day", "days")
    ))
}

/// Shows as text an address that is no link, so that nothing is silently lost.
fn unlinked(story: &Story, link: Option<&str>) -> Option<String> {
    let address = story.link.as_deref().filter(|_| link.is_none())?;
    let shown = clean::line(address, 60);
    (!shown.is_empty()).then(|| format!("address not linked: {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::brief::Outlet;
    use crate::digest::sample;

    #[test]
    fn an_outlet_counts_once_and_the_leader_not_at_all() {
        let mut story = sample::story();
        let outlet = |name: &str| Outlet { name: name.to_owned(), link: None };
        story.also = vec![outlet("A"), outlet(&story.source), outlet("A"), outlet(" B\n"), outlet("")];
        let view = view(&story, &TimeZone::UTC);
        assert_eq!(view.also, "+2 outlets: A, B");
    }

    #[test]
    fn marks_stand_round_the_words_without_their_spaces() {
        let part = |text: &str, hit| Fragment { text: text.to_owned(), hit };
        let mut story = sample::story();
        story.why = vec![
            part("on\n", false),
            part(" host\r\nnation ", true),
            part("and ", false),
            part("Japan", true),
            part(".", false),
        ];
        assert_eq!(view(&story, &TimeZone::UTC).why_text, "on *host nation* and *Japan*.");
    }

    #[test]
    fn a_late_item_says_so() {
        let mut story = sample::story();
        story.published = Some(story.first_seen - SignedDuration::from_hours(24));
        assert_eq!(view(&story, &TimeZone::UTC).late, None);
        story.published = Some(story.first_seen - SignedDuration::from_hours(75));
        assert!(view(&story, &TimeZone::UTC).late.unwrap().ends_with("3 days before it was seen"));
    }

    #[test]
    fn score_comes_before_outlets_before_time() {
        let base = sample::story();
        let mut higher = base.clone();
        higher.score += 1;
        higher.also.clear();
        let mut later = base.clone();
        later.first_seen += SignedDuration::from_hours(1);
        let mut twin = base.clone();
        twin.match_id += 1;
        let mut all = [twin.clone(), base.clone(), later.clone(), higher.clone()];
        all.sort_by_cached_key(rank);
        assert_eq!(all, [higher, later, base, twin]);
    }
}
