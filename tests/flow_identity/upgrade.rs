//! What a database of an earlier schema knows stays known.

use burdenwatch::news::entry::Entry;
use burdenwatch::news::identity::{Candidate, candidates};
use rusqlite::{Connection, params};

use crate::house::{House, Item, hours, item};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";

fn candidate(item: &Item) -> Candidate {
    let entry = Entry { link: item.link.clone(), title: Some(item.title.clone()), ..Entry::default() };
    candidates(1, vec![entry]).remove(0)
}

/// A database as schema 1 left it after one poll that brought `seen`.
fn schema_1(db: &Connection, seen: &Item) {
    db.execute_batch(include_str!("../../src/store/migrations/0001_init.sql")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    let one = candidate(seen);
    db.execute("INSERT INTO feed (id, name, url, next_poll_at, next_why) VALUES (1, 'gone', 'http://gone.example/', 0, '')", [])
        .unwrap();
    db.execute(
        "INSERT INTO article (id, feed_id, seen_at, text_hash, path_hash) VALUES (1, 1, 1795000000000, ?1, ?2)",
        [one.text_hash, one.path_hash],
    )
    .unwrap();
    for key in [one.link_key, one.title_key].into_iter().flatten() {
        db.execute("INSERT INTO article_key (key, article_id) VALUES (?1, 1)", params![key.far]).unwrap();
    }
}

#[tokio::test]
async fn an_article_of_schema_1_is_known_by_its_address_and_kept_as_schema_2_keeps_it() {
    let mut house = House::new().await;
    house.restart_on(|db| schema_1(db, &item("a", A)));
    let copy = house.database().with_extension("schema-1.db");
    assert!(copy.exists(), "an upgrade writes a copy first");
    house.show("one", &[item("a", A), item("b", B)]);
    house.turn().await;
    assert_eq!(house.articles(), 2, "one is known, the other is new");
    let near = house.read(|tx| tx.articles_by_key(&[candidate(&item("a", A)).link_key.unwrap()]));
    assert!(matches!(near.as_slice(), [(_, 1, true)]), "{near:?}");
    house.show("one", &[item("a", A).id("another"), item("b", B)]);
    house.after(hours(1)).await;
    assert_eq!(house.articles(), 2);
}

#[tokio::test]
async fn the_text_of_a_match_of_schema_2_belongs_to_the_feed_its_outlet_was_seen_in() {
    let mut house = House::new().await;
    house.restart_on(|db| {
        schema_1(db, &item("a", A));
        db.execute_batch(include_str!("../../src/store/migrations/0002_near_keys.sql")).unwrap();
        db.pragma_update(None, "user_version", 2).unwrap();
        db.execute_batch(
            "INSERT INTO feed (id, name, url, next_poll_at, next_why) VALUES (2, 'two', 'http://two.example/', 0, '');
             INSERT INTO article (id, feed_id, seen_at, text_hash, path_hash) VALUES (2, 1, 0, 0, 0);
             INSERT INTO article_text (article_id, title, summary, body, source, authors)
             VALUES (1, 'A', '', '', 'two', ''), (2, 'B', '', '', 'lost', '');
             INSERT INTO appearance (article_id, feed_id, source, seen_at) VALUES (1, 1, 'gone', 0), (1, 2, 'two', 1);",
        )
        .unwrap();
    });
    assert!(house.database().with_extension("schema-2.db").exists());
    let feed = |article| house.read(|tx| tx.text(article)).unwrap().feed_id;
    assert_eq!((feed(1), feed(2)), (Some(2), Some(1)));
}
