//! What is kept for a time only, under `run --once` too.

use crate::house::{DESK, House, Plan, hours, item};
use crate::smtp::{Act, Script, Server};

const A: &str = "Tokyo opens burden sharing talks with Washington";

async fn number(house: &House, sql: &'static str) -> i64 {
    let db = rusqlite::Connection::open(house.database()).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_single_run_forgets_what_is_old_and_nothing_that_is_owed() {
    let server = Server::start(Script::default()).await;
    // Without a digest an alert that cannot be delivered is tried on and on.
    let two = format!("{DESK}\n[[subscription]]\nname = \"alerts\"\nto = [\"alerts@example.org\"]\n");
    let mail = House::smtp(&server);
    let house = House::of(Plan { subscriptions: &two, mail: &mail, ..Plan::default() }).await;
    house.turn().await;
    server.follow(Script::default().on("RCPT alerts@example.org", Act::Drop));
    house.show("one", &[item("a", A), item("x", "Gardens open in spring")]);
    let now = house.now();
    house.write(move |tx| tx.hold("example.org", now, "asked to")).await;
    house.after(hours(12)).await;
    let bytes = "SELECT count(*) FROM outbox WHERE length(mime) > 0";
    let unsent = "SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'failed')";
    let (mails, owed) = (number(&house, bytes).await, number(&house, unsent).await);
    assert!(mails >= 3 && owed == 1, "{mails} mails, {owed} unsent");
    house.after(hours(100 * 24)).await;
    assert!(number(&house, bytes).await > mails, "100 days are nothing");
    assert_eq!(number(&house, "SELECT count(*) FROM hold").await, 0);
    house.after(hours(100 * 24)).await;
    let old =
        "SELECT count(*) FROM outbox WHERE length(mime) > 0 AND created_at < unixepoch('2026-12-01') * 1000";
    assert_eq!(number(&house, old).await, owed, "only what is not sent yet has its bytes");
    assert_eq!(
        number(&house, "SELECT count(*) FROM batch WHERE at < unixepoch('2026-12-01') * 1000").await,
        0
    );
    let words = "SELECT count(*) FROM digest WHERE body_text = '' AND body_html = '' AND subject <> ''";
    assert_eq!(number(&house, words).await, 1);
    let tries =
        "SELECT count(*) FROM outbox_try t JOIN outbox o ON o.id = t.outbox_id WHERE length(o.mime) = 0";
    assert_eq!(number(&house, tries).await, 0);
    // What has no bytes any more is not sent as nothing.
    let (now, gone) = (house.now(), house.read(|tx| tx.mails(Some("sent"), 100)).pop().unwrap().id);
    house.write(move |tx| tx.give_up(gone, now, "for this test")).await;
    rusqlite::Connection::open(house.database())
        .unwrap()
        .execute("UPDATE outbox SET state = 'failed' WHERE id = ?1", [gone])
        .unwrap();
    assert!(!house.write(move |tx| tx.retry_mail(gone, now)).await);
    server.follow(Script::default());
    house.after(hours(24)).await;
    assert_eq!(number(&house, unsent).await, 0);
    assert!(server.received().iter().all(|mail| !mail.data.is_empty()));
    assert_eq!(house.articles(), 2, "and nothing is new again");
}
