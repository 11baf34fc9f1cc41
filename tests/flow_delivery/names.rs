//! Message-IDs when the state is lost or restored: receivers drop a second mail of the same name.

use crate::house::{House, Plan, hours, item, minutes};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";

/// Names of all mails of a new house that tells of this article, so many days after the others' start.
async fn told(titles: &[&str], subscriptions: &str, days: i64) -> Vec<(String, String)> {
    let house = House::of(Plan { subscriptions, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(24 * days + 1));
    let items: Vec<_> = titles.iter().enumerate().map(|(n, title)| item(&n.to_string(), title)).collect();
    house.show("one", &items);
    house.turn().await;
    house.after(hours(9)).await;
    let mails = house.read(|tx| tx.mails(None, 100));
    mails.into_iter().map(|mail| (mail.kind, mail.message_id)).collect()
}

#[tokio::test]
async fn a_database_begun_anew_gives_no_name_again_to_another_mail() {
    for subscriptions in [crate::house::DESK.to_owned(), crate::house::DESK.replace("1000", "0")] {
        let (first, second) = (told(&[A], &subscriptions, 0).await, told(&[B], &subscriptions, 1).await);
        assert_eq!(first.len(), 2, "an alert or a roll-up, and a digest: {first:?}");
        assert!(first.iter().all(|name| !second.contains(name)), "{first:?} {second:?}");
        // At the very instant of the other, too.
        let same = told(&[B], &subscriptions, 0).await;
        let alerts = |names: &[(String, String)]| -> Vec<String> {
            names.iter().filter(|name| name.0 != "digest").map(|name| name.1.clone()).collect()
        };
        assert_ne!(alerts(&first), alerts(&same));
    }
}

#[tokio::test]
async fn an_alert_composed_again_from_a_backup_has_the_name_it_had() {
    let mut house = House::of(Plan { once: false, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house.show("one", &[item("a", A)]);
    house.turn().await;
    assert_eq!(house.count("alert"), 0, "it waits");
    let copy = house.dir.path().join("copy.db");
    house.db().backup(&copy).unwrap();
    house.after(minutes(10)).await;
    let first = house.mails("alert").remove(0);
    house.restore(&copy);
    house.after(minutes(10)).await;
    let again = house.mails("alert").remove(0);
    assert_eq!(first.row.message_id, again.row.message_id);
    assert_eq!(first.header("References"), again.header("References"));
}
