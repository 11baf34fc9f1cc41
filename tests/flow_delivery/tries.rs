//! One mail, several tries: the same Message-ID and bytes on each.

use jiff::SignedDuration;

use crate::house::{DESK, House, Plan, hours, item, minutes};
use crate::smtp::{Act, Script, Server, say};

const A: &str = "Tokyo opens burden sharing talks with Washington";

async fn with(server: &Server, once: bool) -> House {
    let house = House::of(Plan { mail: &House::smtp(server), once, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house.show("one", &[item("a", A)]);
    house
}

#[tokio::test]
async fn a_put_off_mail_keeps_its_id_and_its_bytes() {
    let server = Server::start(Script::default().on("dot", say("451 later"))).await;
    let mut house = with(&server, true).await;
    house.turn().await;
    let first = house.mails("alert").remove(0);
    assert_eq!((first.row.state.as_str(), first.row.attempts), ("deferred", 1));
    house.turn().await;
    assert_eq!(house.mails("alert")[0].row.attempts, 1, "not before its time, whatever the run");
    house.restart();
    house.after(hours(2)).await;
    server.follow(Script::default());
    house.after(hours(2)).await;
    let received = server.received();
    assert!(received.len() >= 3, "the same message, as often as tried");
    assert!(received.windows(2).all(|pair| pair[0].data == pair[1].data));
    let last = house.mails("alert").remove(0);
    assert_eq!(
        (last.row.state.as_str(), &last.row.message_id, &last.bytes),
        ("sent", &first.row.message_id, &first.bytes)
    );
}

#[tokio::test]
async fn waits_follow_the_table_and_the_last_repeats() {
    let server = Server::start(Script::default().on("RCPT", say("450 greylisted"))).await;
    let house = with(&server, false).await;
    house.turn().await;
    house.after(minutes(4)).await;
    let table = [1, 5, 15, 60, 240, 240].map(|minutes| SignedDuration::from_mins(minutes).as_secs());
    for expected in table {
        let mail = house.mails("alert").remove(0).row;
        let wait = mail.next_at.duration_since(house.now()).as_secs();
        assert!(
            (expected * 8 / 10..=expected * 12 / 10).contains(&wait),
            "try {}: {wait} s for {expected}",
            mail.attempts
        );
        house.clock.advance(SignedDuration::from_secs(wait - 1));
        house.turn().await;
        assert_eq!(house.mails("alert")[0].row.attempts, mail.attempts, "not a second too soon");
        house.after(SignedDuration::from_secs(2)).await;
        assert_eq!(house.mails("alert")[0].row.attempts, mail.attempts + 1);
    }
}

#[tokio::test]
async fn silence_after_the_dot_is_uncertain_and_sent_again_with_the_same_bytes() {
    let server = Server::start(Script::default().on("dot", Act::Drop)).await;
    let house = with(&server, true).await;
    house.turn().await;
    let mail = house.mails("alert").remove(0);
    assert_eq!(mail.row.state, "uncertain");
    server.follow(Script::default());
    house.after(hours(1)).await;
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].data, received[1].data);
    assert_eq!(house.mails("alert")[0].row.state, "sent");
}

#[tokio::test]
async fn an_uncertain_mail_stays_uncertain_while_the_server_is_away() {
    let server = Server::start(Script::default().on("dot", Act::Drop)).await;
    let house = House::of(Plan { mail: &House::smtp(&server), ..Plan::default() }).await;
    house.turn().await;
    house.show(
        "one",
        &[item("a", A), item("b", "Parliament in Seoul debates host nation support bill for spring")],
    );
    house.after(hours(1)).await;
    assert!(house.mails("alert").iter().all(|mail| mail.row.state == "uncertain"));
    server.follow(Script::default().on("greeting", Act::Drop));
    house.after(hours(1)).await;
    let states: Vec<String> = house.mails("alert").into_iter().map(|mail| mail.row.state).collect();
    // One was tried and put off; the other was not tried at all.
    assert!(
        states.iter().any(|state| state == "uncertain"),
        "given back untried, it may still have arrived: {states:?}"
    );
}

#[tokio::test]
async fn the_leases_of_a_dead_process_are_due_at_once() {
    let server = Server::start(Script::default().on("greeting", Act::Drop)).await;
    let mut house = with(&server, true).await;
    house.turn().await;
    let now = house.now();
    // As a process that was killed while sending leaves it.
    let later = now + hours(2);
    let claimed = house.write(move |tx| tx.claim_mails("the dead", later, later + hours(1), 10)).await;
    assert_eq!(claimed.len(), 1);
    server.follow(Script::default());
    house.restart();
    house.turn().await;
    let mail = house.mails("alert").remove(0).row;
    assert_eq!(mail.state, "sent");
    let tries = house.read(|tx| tx.tries(mail.id));
    let outcomes: Vec<&str> = tries.iter().map(|one| one.outcome.as_str()).collect();
    assert_eq!(outcomes, ["deferred", "uncertain", "sent"]);
}

#[tokio::test]
async fn a_permanent_refusal_is_tried_at_most_twice() {
    for script in [Script::default().on("RCPT", say("550 no")), Script::default().on("dot", say("554 no"))] {
        let server = Server::start(script).await;
        let house = with(&server, true).await;
        for _ in 0..6 {
            house.after(hours(1)).await;
        }
        let mail = house.mails("alert").remove(0).row;
        assert_eq!(mail.state, "failed");
        assert!(mail.attempts <= 2, "{}", mail.attempts);
    }
}

#[tokio::test]
async fn both_kinds_of_mail_have_the_headers_that_keep_robots_quiet() {
    let house = House::of(Plan { subscriptions: DESK, ..Plan::default() }).await;
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.after(hours(9)).await;
    for kind in ["alert", "digest"] {
        let mail = house.mails(kind).remove(0);
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        assert_eq!(mail.header("List-Id"), "<desk.burdenwatch.example.org>");
        assert!(
            mail.header("Message-ID").ends_with(&format!(".{kind}@example.org>")),
            "{}",
            mail.header("Message-ID")
        );
        assert!(mail.bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
        let (text, html) = (find(&mail.bytes, b"text/plain"), find(&mail.bytes, b"text/html"));
        assert!(text < html, "the plain text comes first");
    }
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap()
}
