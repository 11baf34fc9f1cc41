//! Feeds renamed, re-addressed, taken out and put back: nothing known becomes news, nothing new is lost.

use burdenwatch::store::StoreError;

use crate::house::{House, hours, item};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";

async fn with_one_alert() -> House {
    let house = House::new().await;
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.show("two", &[item("a", A), item("b", B)]);
    house.after(hours(1)).await;
    assert_eq!(house.count("alert"), 1);
    house
}

#[tokio::test]
async fn a_renamed_feed_keeps_its_history() {
    let mut house = with_one_alert().await;
    house.reconfigure("name = \"one\"", "name = \"The Paper, world\"");
    house.after(hours(1)).await;
    assert_eq!((house.count("alert"), house.articles()), (1, 1));
    assert!(house.feed("The Paper, world").first_ok_at.is_some());
}

#[tokio::test]
async fn a_feed_at_another_address_keeps_its_history_and_asks_without_old_validators() {
    let mut house = with_one_alert().await;
    house.reconfigure("/one\"", "/two\"");
    house.after(hours(1)).await;
    assert_eq!(
        (house.count("alert"), house.articles()),
        (2, 2),
        "the new item is news, the known one is not"
    );
    let hit = house.server.hits().into_iter().find(|hit| hit.path == "/two").unwrap();
    assert_eq!(hit.header("If-None-Match"), None);
}

#[tokio::test]
async fn a_poll_that_ends_after_its_feed_was_re_addressed_leaves_the_new_address_alone() {
    let mut house = with_one_alert().await;
    let under_way = house.feed("one");
    assert!(under_way.etag.is_some());
    house.reconfigure("/one\"", "/two\"");
    burdenwatch::daemon::open::sync(house.setup()).await.unwrap();
    house.write(move |tx| tx.record_feed(&under_way)).await;
    assert_eq!(house.feed("one").etag, None, "the old server's validator");
}

#[tokio::test]
async fn a_feed_taken_out_and_put_back_brings_only_what_is_new() {
    let mut house = with_one_alert().await;
    house.reconfigure("language = \"en\"", "language = \"en\"\nenabled = false");
    house.after(hours(48)).await;
    assert_eq!(house.feed("one").polls, 2);
    house.show("one", &[item("a", A), item("b", B)]);
    house.reconfigure("enabled = false", "enabled = true");
    house.after(hours(1)).await;
    assert_eq!((house.count("alert"), house.articles()), (2, 2));
}

#[tokio::test]
async fn work_on_the_database_that_panics_fails_alone() {
    let house = with_one_alert().await;
    let store = house.setup().store.clone();
    let failed = store
        .write(|tx| -> Result<(), StoreError> {
            tx.set_fact("half", Some("done"))?;
            panic!("a bug in one job");
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(house.read(|tx| tx.fact("half")), None, "undone");
    house.show("one", &[item("a", A), item("b", B)]);
    house.after(hours(1)).await;
    assert_eq!(house.count("alert"), 2);
}
