//! Mutes: a rule, a story or an outlet told to be silent for a while; the digest still has it.

use burdenwatch::store::MuteKind;

use super::pace::TITLES;
use crate::house::{House, Plan, hours, item, minutes};

async fn house(once: bool) -> House {
    let house = House::of(Plan { once, feeds: &["one", "two"], ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house
}

async fn mute(house: &House, kind: MuteKind, what: &str, time: i64) {
    let (now, what) = (house.now(), what.to_owned());
    house.write(move |tx| tx.record_mute(kind, &what, now + hours(time), "known", now)).await;
}

#[tokio::test]
async fn a_muted_rule_is_silent_until_its_time_and_the_digest_has_the_story() {
    let house = house(true).await;
    mute(&house, MuteKind::Rule, "pay", 2).await;
    house.show("one", &[item("a", TITLES[0])]);
    house.turn().await;
    assert_eq!(house.count("alert"), 0);
    house.show("one", &[item("a", TITLES[0]), item("b", TITLES[1])]);
    house.after(hours(3)).await;
    assert_eq!(house.count("alert"), 1);
    house.after(hours(8)).await;
    let digest = house.mails("digest").remove(0);
    assert!(digest.text.contains(TITLES[0]));
}

#[tokio::test]
async fn a_muted_outlet_does_not_silence_the_story_elsewhere() {
    let house = house(true).await;
    mute(&house, MuteKind::Source, "one", 48).await;
    let text = "Japan and the United States opened talks in Tokyo on Tuesday about a new agreement on burden sharing, the money Japan pays for troops.";
    house.show("one", &[item("a", TITLES[0]).summary(text)]);
    house.turn().await;
    assert_eq!(house.count("alert"), 0);
    house.show("two", &[item("b", TITLES[0]).summary(text).link("https://two.example/b")]);
    house.after(minutes(10)).await;
    assert_eq!(house.count("alert"), 1);
    house.show(
        "two",
        &[
            item("b", TITLES[0]).summary(text).link("https://two.example/b"),
            item("c", TITLES[0]).summary(text).link("https://two.example/c"),
        ],
    );
    house.after(minutes(10)).await;
    assert_eq!(house.count("alert"), 1);
}

#[tokio::test]
async fn a_story_muted_after_its_alert_sends_no_follow_up() {
    let house = house(true).await;
    let text = |amount: &str| [item("a", &format!("Japan to pay {amount} under host nation support deal"))];
    house.show("one", &text("211 billion yen"));
    house.turn().await;
    assert_eq!(house.count("alert"), 1);
    let story = house.matches()[0].story_id.unwrap();
    mute(&house, MuteKind::Story, &story.to_string(), 48).await;
    house.show("one", &text("274 billion yen"));
    house.after(hours(1)).await;
    assert_eq!(house.count("alert"), 1);
}

#[tokio::test]
async fn a_mute_silences_the_alert_that_waits_already() {
    let house = house(false).await;
    house.show("one", &[item("a", TITLES[0])]);
    house.turn().await;
    mute(&house, MuteKind::Rule, "pay", 48).await;
    house.after(minutes(5)).await;
    assert_eq!(house.count("alert"), 0);
    house.after(hours(9)).await;
    assert!(house.mails("digest")[0].text.contains(TITLES[0]));
}
