//! Slots: local dates, each dealt with once.

use jiff::SignedDuration;

use crate::house::{House, Plan, hours, item, minutes};

const A: &str = "Tokyo opens burden sharing talks with Washington";

fn subscription(digest: &str) -> String {
    format!("[[subscription]]\nname = \"desk\"\nto = [\"desk@example.org\"]\n{digest}\n")
}

/// A daemon's house with this digest plan; it is Tuesday, 09:00.
async fn daemon(digest: &str) -> House {
    let house =
        House::of(Plan { once: false, subscriptions: &subscription(digest), ..Plan::default() }).await;
    house.turn().await;
    house
}

fn numbers(house: &House) -> Vec<(u32, Option<String>)> {
    let mut rows = house.read(|tx| tx.digests(None, 1000));
    rows.reverse();
    rows.into_iter().map(|row| (row.number, row.slot)).collect()
}

/// Takes a turn every quarter of an hour for so long.
async fn live(house: &House, time: SignedDuration) {
    let end = house.now() + time;
    while house.now() < end {
        house.clock.advance(minutes(15));
        house.turn_due().await;
    }
}

#[tokio::test]
async fn each_day_has_one_digest_and_each_the_next_number() {
    let mut house = daemon("digest = { at = \"18:00\" }").await;
    live(&house, hours(36)).await;
    house.restart();
    live(&house, hours(36)).await;
    let slots: Vec<_> =
        ["2026-11-24", "2026-11-25", "2026-11-26"].iter().map(|day| Some((*day).to_owned())).collect();
    assert_eq!(numbers(&house), (1..).zip(slots).collect::<Vec<_>>());
    let mails = house.mails("digest");
    assert!(mails[2].row.subject.contains("#3") && mails[2].text.contains("#2"), "{}", mails[2].text);
    assert!(mails.iter().all(|mail| mail.row.state == "sent"));
}

#[tokio::test]
async fn a_slot_before_the_first_start_is_not_owed_and_one_ahead_is() {
    let house = daemon("digest = { at = \"08:59:59\" }").await;
    live(&house, hours(12)).await;
    assert_eq!(numbers(&house), []);
    let house = daemon("digest = { at = \"09:00:01\" }").await;
    live(&house, minutes(15)).await;
    assert_eq!(numbers(&house).len(), 1);
}

#[tokio::test]
async fn weekends_have_none_and_monday_covers_them() {
    let house =
        daemon("digest = { at = \"18:00\", days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"] }").await;
    live(&house, hours(24 * 7)).await;
    assert_eq!(numbers(&house).len(), 5);
}

#[tokio::test]
async fn quiet_days_are_as_configured() {
    for (quiet, expected) in [("send", 15), ("weekly", 3), ("never", 0)] {
        let house = daemon(&format!("digest = {{ at = \"18:00\", quiet = \"{quiet}\" }}")).await;
        live(&house, hours(24 * 15)).await;
        assert_eq!(numbers(&house).len(), expected, "{quiet}");
        house.show("one", &[item("a", A)]);
        live(&house, hours(24)).await;
        assert_eq!(numbers(&house).len(), expected + 1, "{quiet}: a day with news");
    }
}

#[tokio::test]
async fn three_days_down_are_one_digest_that_says_so() {
    let mut house = daemon("digest = { at = \"18:00\" }").await;
    live(&house, hours(10)).await;
    house.clock.advance(hours(72));
    house.restart();
    live(&house, minutes(30)).await;
    assert_eq!(numbers(&house).len(), 2);
    let caught_up = house.mails("digest").remove(1);
    assert!(caught_up.row.subject.contains("covers 3 days"), "{}", caught_up.row.subject);
    live(&house, hours(24)).await;
    assert!(!house.mails("digest")[2].row.subject.contains("covers"));
}

#[tokio::test]
async fn a_clock_that_steps_back_fires_no_slot_twice() {
    let house = daemon("digest = { at = \"18:00\" }").await;
    live(&house, hours(10)).await;
    house.clock.advance(hours(-8));
    live(&house, hours(32)).await;
    assert_eq!(
        numbers(&house).iter().map(|(_, slot)| slot.as_deref().unwrap()).collect::<Vec<_>>(),
        ["2026-11-24", "2026-11-25"]
    );
}

#[tokio::test]
async fn a_clock_that_was_a_year_ahead_for_a_while_costs_no_digest_and_no_alert() {
    let mut house = daemon("digest = { at = \"18:00\" }").await;
    live(&house, hours(1)).await;
    house.clock.advance(hours(24 * 365));
    house.restart();
    live(&house, hours(12)).await;
    let ahead = numbers(&house).len();
    assert_eq!(ahead, 2, "one to catch up, one of that day");
    house.clock.advance(hours(-24 * 365));
    house.restart();
    house.show("one", &[item("a", A)]);
    live(&house, hours(24)).await;
    assert_eq!(house.count("alert"), 1, "polled and alerted");
    let after = numbers(&house);
    assert_eq!(after.len(), 4, "{after:?}");
    assert_eq!(after[2].1.as_deref(), Some("2026-11-24"));
    assert_eq!(after[3].1.as_deref(), Some("2026-11-25"));
    let told = house.mails("digest").into_iter().filter(|mail| mail.text.contains(A)).count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_running_daemon_does_not_wait_a_year_when_the_clock_comes_back() {
    let house = daemon("digest = { at = \"18:00\" }").await;
    house.turn().await;
    house.clock.advance(hours(24 * 365));
    house.turn().await;
    house.clock.advance(hours(-24 * 365));
    house.show("one", &[item("a", A)]);
    live(&house, hours(24)).await;
    assert_eq!(house.count("alert"), 1);
    assert!(house.mails("alert")[0].row.state == "sent");
}

#[tokio::test]
async fn one_by_hand_and_one_by_slot_share_the_numbers_and_no_item() {
    let house = daemon("digest = { at = \"18:00\" }\nalerts = false").await;
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.after(hours(1)).await;
    let desk = house.setup().config.subscriptions[0].clone();
    let number = burdenwatch::flow::digests::compose(house.setup(), &desk, None).await.unwrap();
    assert_eq!(number, Some(1));
    let again = burdenwatch::flow::digests::compose(house.setup(), &desk, None).await.unwrap();
    assert_eq!(again, Some(2), "even with nothing in it");
    live(&house, hours(9)).await;
    assert_eq!(numbers(&house), [(1, None), (2, None), (3, Some("2026-11-24".to_owned()))]);
    let has: Vec<bool> = house.mails("digest").iter().map(|mail| mail.text.contains(A)).collect();
    assert_eq!(has, [true, false, false]);
}
