//! How far back a digest goes: all that was owed, and no history told as news.

use crate::house::{DESK, House, Plan, hours, item};

const OLD: &str = "Tokyo opens burden sharing talks with Washington";
const NEW: &str = "Parliament in Seoul debates host nation support bill for spring";
const BUDGET: &str = "Alliance budget grows by a tenth";
const DIGEST: &str = "digest = { at = \"18:00\" }";
/// Never in the configuration of another test, so that there is always somebody.
const REST: &str = "
[[subscription]]
name = \"rest\"
to = [\"rest@example.org\"]
digest = { at = \"18:00\" }
";

async fn house(desk: &str) -> House {
    let subscriptions = format!("{desk}{REST}");
    let house = House::of(Plan { subscriptions: &subscriptions, ..Plan::default() }).await;
    house.turn().await;
    house
}

async fn days(house: &House, count: i64) {
    for _ in 0..count {
        house.after(hours(24)).await;
    }
}

/// The desk's digests, oldest first.
fn digests(house: &House) -> Vec<String> {
    let mails = house.mails("digest").into_iter().filter(|mail| mail.row.subscription == "desk");
    mails.map(|mail| format!("{}\n{}", mail.row.subject, mail.text)).collect()
}

fn telling(house: &House, title: &str) -> usize {
    digests(house).iter().filter(|digest| digest.contains(title)).count()
}

fn narrow() -> String {
    format!("{DESK}topics = [\"nato\"]\n")
}

#[tokio::test]
async fn more_topics_bring_what_came_since_the_last_digest_and_no_history() {
    for quiet in ["", ", quiet = \"never\""] {
        let narrow = narrow().replace("\"18:00\"", &format!("\"18:00\"{quiet}"));
        let mut house = house(&narrow).await;
        house.show("one", &[item("old", OLD)]);
        days(&house, 10).await;
        house.show("one", &[item("old", OLD), item("new", NEW)]);
        house.after(hours(1)).await;
        house.reconfigure("topics = [\"nato\"]", "topics = [\"*\"]");
        house.after(hours(12)).await;
        assert_eq!([telling(&house, OLD), telling(&house, NEW)], [0, 1], "{quiet}: {:#?}", digests(&house));
    }
}

#[tokio::test]
async fn a_digest_added_to_a_subscription_of_alerts_begins_with_the_day_before() {
    let mut house = house(&DESK.replace(DIGEST, "")).await;
    house.show("one", &[item("old", OLD), item("budget", BUDGET)]);
    days(&house, 10).await;
    house.show("one", &[item("old", OLD), item("new", NEW)]);
    house.after(hours(1)).await;
    house.reconfigure("alerts_per_hour = 1000\n", &format!("alerts_per_hour = 1000\n{DIGEST}\n"));
    house.after(hours(10)).await;
    assert_eq!(digests(&house).len(), 0, "today's slot was over when it came to be: {:?}", house.now());
    house.after(hours(22)).await;
    let all = digests(&house);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert!(!all[0].contains(OLD) && !all[0].contains(BUDGET), "{}", all[0]);
}

#[tokio::test]
async fn downtime_and_weekly_digests_lose_nothing() {
    let weekly = DESK.replace("\"18:00\"", "\"18:00\", days = [\"mon\"]");
    let house = house(&weekly).await;
    days(&house, 8).await;
    let before = digests(&house).len();
    house.show("one", &[item("budget", BUDGET)]);
    house.after(hours(1)).await;
    // Down from Wednesday to the Monday after, over the slot.
    house.clock.advance(hours(5 * 24 + 12));
    house.turn().await;
    assert_eq!((digests(&house).len(), telling(&house, BUDGET)), (before + 1, 1), "{:#?}", digests(&house));
}

#[tokio::test]
async fn an_old_match_that_a_revision_puts_into_a_topic_is_told() {
    let house = house(&narrow()).await;
    house.show("one", &[item("old", OLD)]);
    days(&house, 4).await;
    assert_eq!(telling(&house, OLD), 0);
    house.show("one", &[item("old", OLD).summary("It is about the alliance budget of next year.")]);
    days(&house, 2).await;
    assert_eq!(telling(&house, OLD), 1, "{:#?}", digests(&house));
}

#[tokio::test]
async fn a_subscription_put_back_is_new_after_long_and_whole_after_a_slip() {
    let mut house = house(DESK).await;
    let narrowed = "level = \"alert\"";
    house.rewrite_rules(narrowed, "level = \"digest\"");
    days(&house, 2).await;
    house.show("one", &[item("budget", BUDGET)]);
    house.after(hours(7)).await;
    house.reconfigure(DESK, "");
    house.after(hours(2)).await;
    house.reconfigure(REST, &format!("{DESK}{REST}"));
    house.after(hours(12)).await;
    assert_eq!(telling(&house, BUDGET), 1, "a slip: {:#?}", digests(&house));
    let number = digests(&house).len();
    house.reconfigure(DESK, "");
    house.turn().await;
    house.show("one", &[item("old", OLD)]);
    days(&house, 10).await;
    house.show("one", &[item("old", OLD), item("new", NEW)]);
    house.after(hours(1)).await;
    house.reconfigure(REST, &format!("{DESK}{REST}"));
    days(&house, 2).await;
    assert_eq!([telling(&house, OLD), telling(&house, NEW)], [0, 1], "{:#?}", digests(&house));
    assert!(digests(&house)[number].contains(&format!("#{}", number + 1)), "its number goes on");
}
