//! The mails as a reader gets them: snapshots, and what no feed may do to them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use burdenwatch::digest;
use burdenwatch::digest::Templates;
use burdenwatch::digest::brief::Rendered;
use burdenwatch::digest::brief::Story;
use burdenwatch::digest::sample;
use burdenwatch::problem::Source;
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

/// Holds what every mail keeps, whatever it says.
fn keep(mail: &Rendered) -> Result<(), TestCaseError> {
    prop_assert!(mail.subject.chars().count() <= 150, "{}", mail.subject);
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    prop_assert!(!mail.subject.contains(hidden), "{:?}", mail.subject);
    for part in [&mail.text, &mail.html] {
        prop_assert!(!part.replace('\n', "").contains(hidden));
    }
    for line in mail.text.lines() {
        let address = line.trim_start().starts_with("http");
        prop_assert!(address || line.width() <= 78, "{} columns: {line}", line.width());
    }
    let low = mail.html.to_lowercase();
    for bad in
        ["<script", "<img", "<svg", "<iframe", "<b onmouse", "href=\"javascript", "href=\"data", " onload=\""]
    {
        prop_assert!(!low.contains(bad), "{bad}");
    }
    prop_assert!(
        mail.html.len() <= 60_000 && mail.text.len() <= 200_000,
        "{} {}",
        mail.html.len(),
        mail.text.len()
    );
    Ok(())
}

fn snapshot(name: &str, mail: &Rendered) {
    keep(mail).unwrap();
    let bound = insta::Settings::clone_current();
    bound.bind(|| {
        insta::assert_snapshot!(
            format!("{name}.text"),
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        );
        insta::assert_snapshot!(format!("{name}.html"), mail.html);
    });
}

#[test]
fn mails_look_as_they_did() {
    let templates = Templates::builtin();
    snapshot("digest", &digest::digest(&sample::digest(), &templates));
    snapshot("quiet", &digest::digest(&sample::quiet_digest(), &templates));
    snapshot("alert", &digest::alert(&sample::alert(), &templates));
    snapshot("follow_up", &digest::alert(&sample::follow_up(), &templates));
    snapshot("rollup", &digest::rollup(&sample::rollup(), &templates));
    let mut rude = sample::digest();
    for story in rude.topics.iter_mut().flat_map(|topic| &mut topic.stories) {
        story.title = format!("<script>alert(1)</script> {}\u{202e}", "Donaudampfschifffahrt".repeat(20));
        story.source = "S".repeat(400);
        story.link = Some("javascript:alert(1)".to_owned());
        story.why[0].text = "y".repeat(4000);
        story.also[..].iter_mut().for_each(|outlet| outlet.name = outlet.name.repeat(30).replace(' ', ""));
    }
    rude.notices[0].text = "https://feed.example/".repeat(40);
    snapshot("hostile", &digest::digest(&rude, &templates));
    let lines = [
        "The rule files changed at 14:02 and were refused: rules/nato.toml:12 has an unknown set.".to_owned(),
        "The rules in force are those of 23 Nov (9f3c61d2). Correct the file and send SIGHUP.".to_owned(),
    ];
    snapshot("notice", &digest::notice("burdenwatch: the new rule set was refused", &lines, &templates));
}

/// Many stories over three topics, each with a title of its own.
fn crowd(number: usize) -> Vec<Story> {
    let story = |at: usize| Story {
        match_id: i64::try_from(at).unwrap(),
        title: format!("Story {at} on the cost of stationing, with \"quotes\" & <tags>"),
        score: i64::try_from(at % 40).unwrap(),
        topic: ["us-japan", "us-korea", "nato"][at % 3].to_owned(),
        ..sample::story()
    };
    (0..number).map(story).collect()
}

/// Stories that stand in a part, and those it counts as left out.
fn told(part: &str) -> (usize, usize) {
    let named = part.matches("on the cost of stationing, with").count();
    let left = part
        .split("+")
        .filter_map(|rest| rest.split_once(" more: "))
        .filter_map(|(n, _)| n.replace(',', "").parse::<usize>().ok());
    (named, left.sum())
}

#[test]
fn five_thousand_stories_fit_and_none_is_uncounted() {
    let mut facts = sample::digest();
    for (topic, name) in facts.topics.iter_mut().zip(["us-japan", "us-korea", "nato"]) {
        topic.stories = crowd(5000).into_iter().filter(|story| story.topic == name).collect();
    }
    let mail = digest::digest(&facts, &Templates::builtin());
    keep(&mail).unwrap();
    assert!(mail.subject.contains(": 5,000 stories"), "{}", mail.subject);
    for part in [&mail.text, &mail.html] {
        let (named, left) = told(part);
        // The subject's headline stands once more in the title of the HTML part.
        let named = named - part.split("<title>").skip(1).count();
        assert_eq!(named + left, 5000);
        assert!(named >= 60 && part.contains("more: burdenwatch digest show 214"), "{named}");
    }
    assert!(told(&mail.text).0 > told(&mail.html).0);
    assert!(mail.html.len() > 50_000, "room is wasted: {}", mail.html.len());
}

#[test]
fn a_roll_up_of_thousands_fits_too() {
    let mut facts = sample::rollup();
    facts.stories = crowd(5000);
    let mail = digest::rollup(&facts, &Templates::builtin());
    keep(&mail).unwrap();
    assert!(mail.subject.contains("5,000 more alerts") && mail.html.contains("5,000 alerts in one mail"));
    let (named, left) = told(&mail.text);
    assert_eq!(named + left, 5000);
}

#[test]
fn order_and_words_do_not_depend_on_the_order_of_the_facts() {
    let (mut one, mut other) = (sample::digest(), sample::digest());
    one.topics[0].stories = crowd(50);
    other.topics[0].stories = crowd(50).into_iter().rev().collect();
    assert_eq!(digest::digest(&one, &Templates::builtin()), digest::digest(&other, &Templates::builtin()));
}

#[test]
fn a_title_stands_from_its_beginning_and_its_link_in_full() {
    let mut alert = sample::alert();
    alert.story.title = format!("Begin {}", "word ".repeat(50));
    alert.story.link = Some(format!("https://a.example/{}?x=1&y=2", "path/".repeat(60)));
    let mail = digest::alert(&alert, &Templates::builtin());
    let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.starts_with(alert.story.title.trim()));
    assert!(mail.text.lines().any(|line| line.trim() == alert.story.link.as_deref().unwrap()));
    assert!(mail.html.contains("?x=1&amp;y=2\""));
}

#[test]
fn a_users_template_dresses_the_mail_and_its_failure_does_not_lose_it() {
    let own =
        [Source::new("mail/alert.txt", "MINE {{ s.title }}\n{% if s.score == 99 %}{{ nothing }}{% endif %}")];
    let templates = Templates::from_dir(&own).unwrap();
    let mut alert = sample::alert();
    assert!(digest::alert(&alert, &templates).text.starts_with("MINE Tokyo"));
    alert.story.score = 99;
    let mail = digest::alert(&alert, &templates);
    assert!(mail.text.starts_with("Tokyo") && mail.text.contains("score 99"));
}

/// What a feed may send to harm a reader.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script>alert(1)</script>".to_owned()),
        Just("\"><img src=x onerror=y>".to_owned()),
        Just("' onload=\"z".to_owned()),
        Just("{{ 7*7 }}{% raw %}".to_owned()),
        Just("\r\nBcc: a@example.org\r\n\r\n".to_owned()),
        Just("\u{202e}\u{2066}gpj.exe\u{200b}\u{feff}".to_owned()),
        Just("\u{1b}]0;x\u{7}".to_owned()),
        Just("x".repeat(20_000)),
        Just("방".repeat(3_000)),
        Just("a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}".repeat(99)),
        Just("javascript:alert(1)".to_owned()),
        Just("data:text/html,<b onmouseover=x>".to_owned()),
        Just("https://a.example/\u{202e}\"><script>".to_owned()),
        any::<String>(),
        "\\PC{0,200}",
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_feed_harms_a_mail(texts in prop::collection::vec(hostile(), 12), flag: bool) {
        let mut story = sample::story();
        story.title = texts[0].clone();
        story.link = Some(texts[1].clone());
        story.source = texts[2].clone();
        story.lang = Some(texts[3].clone());
        story.wire = Some(texts[4].clone());
        story.changed = flag.then(|| texts[5].clone());
        story.rule = (texts[6].clone(), texts[7].clone());
        for (outlet, text) in story.also.iter_mut().zip(&texts) {
            outlet.name.clone_from(text);
            outlet.link = Some(text.clone());
        }
        for (part, text) in story.why.iter_mut().zip(&texts) {
            part.text.clone_from(text);
        }
        story.facts = texts.clone();
        story.topic = texts[8].clone();
        let templates = Templates::builtin();
        let mut alert = sample::alert();
        alert.story = story.clone();
        alert.follow_up = flag;
        keep(&digest::alert(&alert, &templates))?;
        let mut rollup = sample::rollup();
        rollup.stories.push(story.clone());
        keep(&digest::rollup(&rollup, &templates))?;
        let mut facts = sample::digest();
        facts.topics[0].stories.push(story.clone());
        facts.alerted[0].story = story;
        for (at, text) in texts.iter().enumerate() {
            let mut notice = facts.notices[0].clone();
            (notice.subject, notice.text) = (text.clone(), texts[(at + 1) % 12].clone());
            facts.notices.extend(std::iter::repeat_n(notice, 20));
            let mut near = facts.near_misses[0].clone();
            (near.title, near.lacking, near.link) = (text.clone(), text.clone(), Some(text.clone()));
            facts.near_misses.push(near);
        }
        facts.coming.clone_from(&texts);
        keep(&digest::digest(&facts, &templates))?;
        keep(&digest::notice(&texts[9], &texts, &templates))?;
    }
}
