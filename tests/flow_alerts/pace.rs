//! When alerts go out: after their wait, under the hour's cap, not in quiet hours.

use crate::house::{House, Item, Plan, START, hours, item, minutes};

pub const TITLES: [&str; 8] = [
    "Tokyo opens burden sharing talks with Washington",
    "Parliament in Seoul debates host nation support bill for spring",
    "Warsaw offers burden sharing deal over new barracks",
    "Auditors fault host nation support ledger in Okinawa",
    "Senator calls burden sharing demand a racket",
    "Berlin rejects burden sharing invoice for stationed brigades",
    "Manila weighs host nation support for rotating marines",
    "Riyadh signs burden sharing memorandum on air defence",
];

/// Dated, so that many at once are news.
fn items(count: usize) -> Vec<Item> {
    let at = START.parse().unwrap();
    (0..count).map(|n| item(&n.to_string(), TITLES[n]).at(at)).collect()
}

fn desk(lines: &str) -> String {
    format!(
        "[[subscription]]\nname = \"desk\"\nto = [\"desk@example.org\"]\ndigest = {{ at = \"18:00\" }}\n{lines}\n"
    )
}

/// A daemon's house, past its first poll.
async fn daemon(subscriptions: &str) -> House {
    let house = House::of(Plan { once: false, subscriptions, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house
}

#[tokio::test]
async fn an_alert_waits_to_collect_the_copies() {
    let house = House::of(Plan {
        once: false,
        feeds: &["one", "two", "three"],
        subscriptions: &desk("alert_wait = \"3m\""),
        ..Plan::default()
    })
    .await;
    house.turn().await;
    house.clock.advance(hours(1));
    let text = "Japan and the United States opened talks in Tokyo on Tuesday about a new agreement on burden sharing, the money Japan pays for troops.";
    let copy = |at: &str| [item(at, TITLES[0]).summary(text).link(&format!("https://{at}.example/x"))];
    house.show("one", &copy("one"));
    house.turn().await;
    house.show("two", &copy("two"));
    house.after(minutes(2)).await;
    assert_eq!(house.count("alert"), 0);
    house.after(minutes(1)).await;
    let alerts = house.mails("alert");
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].text.contains("two"), "the copy is named: {}", alerts[0].text);
    house.show("three", &copy("three"));
    house.after(minutes(10)).await;
    house.after(minutes(10)).await;
    assert_eq!(house.count("alert"), 1, "a later copy sends nothing");
}

#[tokio::test]
async fn beyond_the_cap_one_roll_up_an_hour_carries_the_rest() {
    let house = daemon(&desk("alert_wait = \"0s\"\nalerts_per_hour = 2")).await;
    house.show("one", &items(5));
    house.turn().await;
    assert_eq!((house.count("alert"), house.count("rollup")), (2, 1));
    let rollup = house.mails("rollup").remove(0);
    assert!(rollup.row.subject.contains("3 more alerts"), "{}", rollup.row.subject);
    let told: String = house
        .mails("alert")
        .iter()
        .chain([&rollup])
        .map(|mail| format!("{}{}", mail.row.subject, mail.text))
        .collect();
    assert!(TITLES[..5].iter().all(|title| told.contains(title)), "{told}");
    house.show("one", &items(7));
    house.after(minutes(20)).await;
    assert_eq!((house.count("alert"), house.count("rollup")), (2, 1), "the next roll-up waits for its hour");
    house.after(minutes(45)).await;
    assert_eq!((house.count("alert"), house.count("rollup")), (4, 1), "the hour is new");
    house.show("one", &items(8));
    house.after(minutes(1)).await;
    assert_eq!((house.count("alert"), house.count("rollup")), (4, 2));
}

#[tokio::test]
async fn a_cap_of_zero_means_roll_ups_alone() {
    let house = daemon(&desk("alert_wait = \"0s\"\nalerts_per_hour = 0")).await;
    house.show("one", &items(3));
    house.turn().await;
    assert_eq!((house.count("alert"), house.count("rollup")), (0, 1));
    house.show("one", &items(5));
    house.after(minutes(30)).await;
    assert_eq!(house.count("rollup"), 1);
    house.after(minutes(31)).await;
    assert_eq!(house.count("rollup"), 2);
    assert!(house.mails("rollup")[1].row.subject.contains("2 more alerts"));
}

#[tokio::test]
async fn a_single_run_rolls_up_at_once() {
    let house = House::of(Plan { subscriptions: &desk("alerts_per_hour = 1"), ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    for count in [3, 5] {
        house.show("one", &items(count));
        house.after(minutes(5)).await;
    }
    assert_eq!((house.count("alert"), house.count("rollup")), (1, 2));
}

#[tokio::test]
async fn what_waits_for_a_roll_up_is_not_lost_over_a_restart() {
    let mut house = daemon(&desk("alert_wait = \"0s\"\nalerts_per_hour = 1")).await;
    house.show("one", &items(3));
    house.turn().await;
    house.show("one", &items(5));
    house.after(minutes(10)).await;
    house.restart();
    house.after(minutes(51)).await;
    house.after(minutes(10)).await;
    let told: String = ["alert", "rollup"]
        .iter()
        .flat_map(|kind| house.mails(kind))
        .map(|mail| format!("{}{}", mail.row.subject, mail.text))
        .collect();
    assert!(TITLES[..5].iter().all(|title| told.contains(title)), "{told}");
}

#[tokio::test]
async fn quiet_hours_put_alerts_off_over_midnight() {
    let house = House::of(Plan {
        once: false,
        subscriptions: &desk(
            "alert_wait = \"0s\"\ntime_zone = \"Asia/Tokyo\"\nquiet_hours = \"22:00-06:00\"",
        ),
        ..Plan::default()
    })
    .await;
    house.turn().await;
    // 09:00 UTC is 18:00 in Tokyo; 23:00 there is in five hours.
    house.clock.advance(hours(5));
    house.show("one", &items(2));
    house.turn().await;
    for _ in 0..6 {
        house.after(hours(1)).await;
        assert_eq!(house.count("alert"), 0, "{}", house.now());
    }
    house.after(hours(1)).await;
    assert_eq!(house.now().to_string(), "2026-11-24T21:00:00Z");
    assert_eq!(house.count("alert"), 2, "06:00 in Tokyo");
    house.show("one", &items(3));
    house.after(hours(1)).await;
    assert_eq!(house.count("alert"), 3);
}

#[tokio::test]
async fn two_subscriptions_get_what_each_asked_for() {
    let both = format!(
        "{}\n[[subscription]]\nname = \"budget\"\nto = [\"b@example.org\"]\ntopics = [\"nato\"]\ndigest = {{ at = \"18:00\" }}\n\
         [[subscription]]\nname = \"rule\"\nto = [\"r@example.org\"]\ntopics = [\"pay\"]\nalerts = false\ndigest = {{ at = \"18:00\" }}\n",
        desk("")
    );
    let house = House::of(Plan { subscriptions: &both, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house.show("one", &[item("a", TITLES[0]), item("b", "Alliance budget grows by a tenth")]);
    house.turn().await;
    let alerts = house.mails("alert");
    assert_eq!(alerts.iter().map(|mail| mail.row.subscription.as_str()).collect::<Vec<_>>(), ["desk"]);
    house.after(hours(9)).await;
    let digests = house.mails("digest");
    assert_eq!(digests.len(), 3);
    let of = |name: &str| digests.iter().find(|mail| mail.row.subscription == name).unwrap();
    assert!(of("budget").text.contains("Alliance budget grows") && !of("budget").text.contains(TITLES[0]));
    assert!(of("rule").text.contains(TITLES[0]) && !of("rule").text.contains("Alliance budget grows"));
    assert!(of("desk").text.contains(TITLES[0]) && of("desk").text.contains("Alliance budget grows"));
}

#[tokio::test]
async fn each_recipient_has_a_mail_and_a_message_id_of_its_own() {
    let house = House::of(Plan {
        subscriptions: &desk("").replace("[\"desk@", "[\"other@example.org\", \"desk@"),
        ..Plan::default()
    })
    .await;
    house.turn().await;
    house.show("one", &items(1));
    house.after(hours(1)).await;
    let alerts = house.mails("alert");
    assert_eq!(alerts.len(), 2);
    assert_ne!(alerts[0].header("Message-ID"), alerts[1].header("Message-ID"));
    assert!(alerts.iter().all(|mail| mail.header("Message-ID").ends_with(".alert@example.org>")));
}
