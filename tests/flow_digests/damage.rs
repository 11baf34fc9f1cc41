//! Old rows that cannot be read: they cost themselves, and nobody's mail.

use burdenwatch::daemon;
use tokio_util::sync::CancellationToken;

use crate::house::{DESK, House, Plan, hours, item};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";
const OTHER: &str = "
[[subscription]]
name = \"other\"
to = [\"other@example.org\"]
digest = { at = \"18:00\" }
";

/// Columns of text that something lists.
const COLUMNS: [(&str, &str); 17] = [
    ("article_text", "title"),
    ("article_text", "lang"),
    ("match", "rule_set"),
    ("match_rule", "evidence"),
    ("appearance", "source"),
    ("revision", "title"),
    ("feed", "failure"),
    ("feed", "title"),
    ("feed", "rhythm"),
    ("story_member", "print"),
    ("outbox", "subject"),
    ("outbox", "last_reply"),
    ("fact", "value"),
    ("digest", "subject"),
    ("recipient", "address"),
    ("mute", "what"),
    ("alert", "changed"),
];

async fn with_a_day() -> House {
    let both = format!("{DESK}{OTHER}");
    let house = House::of(Plan { subscriptions: &both, ..Plan::default() }).await;
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.after(hours(1)).await;
    house.show("one", &[item("a", &A.replace("opens", "again opens"))]);
    house.after(hours(9)).await;
    house
}

fn damage(house: &House, sql: &str) {
    rusqlite::Connection::open(house.database()).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn text_that_is_no_utf8_keeps_nothing_else_from_being_stored_mailed_and_listed() {
    for (table, column) in COLUMNS {
        let mut house = with_a_day().await;
        let rows = "
            INSERT INTO recipient VALUES ('q', 1, 1, 1, 1); INSERT INTO mute VALUES (1, 'rule', 'x', 9999999999999, 'r', 1);";
        damage(&house, rows);
        damage(&house, &format!("UPDATE {table} SET {column} = cast(x'ff41' AS text)"));
        house.restart();
        house.show("one", &[item("a", A), item("b", B)]);
        house.after(hours(1)).await;
        let told = |name: &str| {
            let rows = house.read(|tx| tx.mails(None, 1000));
            rows.iter()
                .filter(|row| {
                    row.kind == "alert" && row.subscription == name && row.subject.contains("Seoul")
                })
                .count()
        };
        assert_eq!([told("desk"), told("other")], [1, 1], "{table}.{column}");
        house.after(hours(24)).await;
        assert!(house.count("digest") >= 4, "{table}.{column}: {}", house.count("digest"));
    }
}

#[tokio::test]
async fn one_subscriptions_trouble_is_said_and_is_not_anothers() {
    let house = with_a_day().await;
    damage(
        &house,
        "CREATE TRIGGER trouble BEFORE INSERT ON outbox WHEN new.subscription = 'desk'
         BEGIN SELECT raise(ABORT, 'no such luck'); END",
    );
    let before = house.count("digest");
    house.show("one", &[item("a", A), item("b", B)]);
    house.clock.advance(hours(24));
    let report = daemon::once(house.setup(), true, &CancellationToken::new()).await.unwrap();
    let said = report.trouble.join("\n");
    assert_eq!(report.trouble.len(), 2, "{said}");
    assert!(
        said.contains("the alerts of desk cannot be composed") && said.contains("no such luck"),
        "{said}"
    );
    assert!(said.contains("the digest of desk"), "{said}");
    let mails = house.read(|tx| tx.mails(None, 1000));
    assert!(
        mails.iter().any(|mail| mail.subscription == "other" && mail.subject.contains("Seoul")),
        "its alert"
    );
    assert_eq!(house.count("digest"), before + 1, "and its digest");
}
