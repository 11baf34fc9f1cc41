//! Feeds renamed, re-addressed, taken out and put back: nothing known becomes news, nothing new is lost.

use burdenwatch::fetch::Connection;
use burdenwatch::flow::ingest;
use burdenwatch::store::StoreError;

use crate::house::{House, Plan, hours, item};

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

#[tokio::test]
async fn a_feed_re_addressed_during_its_first_poll_goes_on_at_the_new_address() {
    let mut house = House::new().await;
    let items = [item("a", A).at(house.now())];
    house.show("one", &items);
    house.show("two", &items);
    burdenwatch::daemon::open::sync(house.setup()).await.unwrap();
    let (under_way, old) = (house.feed("one"), house.setup().config.feeds[0].clone());
    house.reconfigure("/one\"", "/two\"");
    burdenwatch::daemon::open::sync(house.setup()).await.unwrap();
    ingest::poll(house.setup(), &old, under_way, Connection::Own).await.unwrap();
    assert_eq!(house.articles(), 1);
    house.after(hours(1)).await;
    house.show("two", &[items[0].clone(), item("b", B)]);
    house.after(hours(1)).await;
    let feed = house.feed("one");
    assert_eq!((feed.polls, feed.failures), (2, 0), "{:?}", feed.failure);
    assert_eq!((house.articles(), house.count("alert")), (2, 2));
}

#[tokio::test]
async fn a_poll_that_cannot_be_stored_is_a_failure_of_its_feed() {
    let house = with_one_alert().await;
    let db = rusqlite::Connection::open(house.database()).unwrap();
    db.execute_batch("CREATE TRIGGER refuse BEFORE INSERT ON article BEGIN SELECT RAISE(ABORT, 'no'); END")
        .unwrap();
    house.show("one", &[item("a", A), item("b", B)]);
    for _ in 0..3 {
        house.after(hours(1)).await;
    }
    let feed = house.feed("one");
    assert_eq!((feed.failures, feed.failure_kind.as_deref()), (3, Some("store")));
    assert!(feed.failure.unwrap().contains("could not be stored"));
    db.execute_batch("DROP TRIGGER refuse").unwrap();
    house.after(hours(3)).await;
    assert_eq!((house.count("alert"), house.feed("one").failures), (2, 0));
}

#[tokio::test]
async fn a_feed_that_is_dropped_rests_though_its_address_goes_to_another() {
    type Feeds = [(&'static str, &'static str)];
    let feeds = |all: &Feeds| -> Vec<(String, String)> {
        all.iter().map(|(name, page)| ((*name).to_owned(), format!("https://a.example/{page}"))).collect()
    };
    let house = House::of(Plan { feeds: &[], ..Plan::default() }).await;
    let now = house.now();
    // Each with what is in use after it.
    let changes: &[(&Feeds, &Feeds)] = &[
        (&[("C", "1"), ("D", "0")], &[("C", "1"), ("D", "0")]),
        (&[("D", "1")], &[("D", "1")]),
        (&[("D", "0"), ("C", "1")], &[("C", "1"), ("D", "0")]),
        (&[("C", "0")], &[("C", "0")]),
        // Two rows have this address: the one in use is renamed.
        (&[("E", "0")], &[("E", "0")]),
        (&[("Q", "9")], &[("Q", "9")]),
    ];
    for (configured, expected) in changes {
        let configured = feeds(configured);
        let rows = house.write(move |tx| tx.sync_feeds(&configured, |_| now)).await;
        let active: Vec<_> = rows.into_iter().map(|row| (row.name, row.url)).collect();
        assert_eq!(active, feeds(expected));
    }
    let ids = house.read(|tx| tx.feeds(false)).into_iter().map(|row| (row.name, row.id)).collect::<Vec<_>>();
    assert_eq!(ids, [("D".to_owned(), 2), ("E".to_owned(), 1), ("Q".to_owned(), 3)]);
}
