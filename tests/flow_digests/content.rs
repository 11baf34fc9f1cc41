//! What a digest carries: every item once, alerts listed, the day before for a new reader.

use crate::house::{House, Plan, hours, item};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";
const N: &str = "Alliance budget grows by a tenth";

#[tokio::test]
async fn an_item_is_in_one_digest_and_an_alerted_one_is_listed() {
    let house = House::new().await;
    house.turn().await;
    house.show(
        "one",
        &[item("a", A), item("n", N).summary("The alliance budget for common costs grows, ministers said.")],
    );
    house.after(hours(1)).await;
    house.after(hours(9)).await;
    house.show(
        "one",
        &[
            item("a", A),
            item("n", N).summary("The alliance budget for common costs grows, ministers said."),
            item("b", B),
        ],
    );
    house.after(hours(1)).await;
    house.after(hours(23)).await;
    let digests = house.mails("digest");
    assert_eq!(digests.len(), 2);
    assert!(digests[0].text.contains(A) && digests[0].text.contains(N) && !digests[0].text.contains(B));
    assert!(!digests[1].text.contains(A) && !digests[1].text.contains(N) && digests[1].text.contains(B));
    assert!(
        digests[0].row.subject.contains("1 story") && digests[0].row.subject.contains("1 alerted"),
        "{}",
        digests[0].row.subject
    );
}

#[tokio::test]
async fn a_new_subscription_starts_with_the_day_before() {
    let mut house = House::new().await;
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.after(hours(1)).await;
    house.show("one", &[item("b", B)]);
    house.after(hours(40)).await;
    house.reconfigure(
        "[[feed]]",
        "[[subscription]]\nname = \"late\"\nto = [\"late@example.org\"]\nalerts = false\ndigest = { at = \"18:00\" }\n[[feed]]",
    );
    house.after(hours(6)).await;
    house.after(hours(18)).await;
    let late: Vec<_> =
        house.mails("digest").into_iter().filter(|mail| mail.row.subscription == "late").collect();
    assert_eq!(late.len(), 1, "{:?}", late.iter().map(|mail| &mail.row.subject).collect::<Vec<_>>());
    assert!(late[0].text.contains(B) && !late[0].text.contains(A), "{}", late[0].text);
    assert!(late[0].row.subject.contains("#1"));
}

#[tokio::test]
async fn a_copy_that_comes_after_the_digest_does_not_tell_the_story_again() {
    let house = House::of(Plan { feeds: &["one", "two"], ..Plan::default() }).await;
    house.turn().await;
    let text = "Japan and the United States opened talks in Tokyo on Tuesday about a new agreement on burden sharing, the money Japan pays for troops.";
    house.show("one", &[item("a", A).summary(text)]);
    house.after(hours(9)).await;
    house.show("two", &[item("b", A).summary(text).link("https://two.example/b")]);
    house.after(hours(1)).await;
    house.after(hours(23)).await;
    assert_eq!(house.count("alert"), 1);
    let digests = house.mails("digest");
    assert_eq!(digests.len(), 2);
    assert!(
        !digests[1].row.subject.contains("story") || digests[1].row.subject.contains("0 stories"),
        "{}",
        digests[1].row.subject
    );
}

#[tokio::test]
async fn a_refused_rule_set_and_a_changed_one_are_told() {
    let mut house = House::new().await;
    house.turn().await;
    house.after(hours(10)).await;
    house.rewrite_rules("\"alliance budget\"", "\"alliance budget\", \"common costs\"");
    house.after(hours(1)).await;
    house.after(hours(23)).await;
    let digests = house.mails("digest");
    assert!(!digests[0].text.contains("new rule set"), "{}", digests[0].text);
    assert!(digests[1].text.contains("new rule set"), "{}", digests[1].text);
}

#[tokio::test]
async fn a_failing_feed_is_named_with_its_reason() {
    let house = House::of(Plan { feeds: &["one", "two"], ..Plan::default() }).await;
    house.script("two", crate::http::answer("403 Forbidden", &[], ""));
    for _ in 0..4 {
        house.after(hours(3)).await;
    }
    let digest = house.mails("digest").remove(0);
    assert!(digest.text.contains("two") && digest.text.contains("403"), "{}", digest.text);
}
