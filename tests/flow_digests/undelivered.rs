//! Mail that does not arrive: folded into the next digest, said there, and no storm.

use crate::house::{DESK, House, Plan, hours, item};
use crate::smtp;
use crate::smtp::{Act, Script, Server, say};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";
const N: &str = "Alliance budget grows by a tenth";

fn down() -> Script {
    Script::default().on("greeting", Act::Drop)
}

/// A house that mails to this server, past its first poll, with one alert's article shown.
async fn with(server: &Server, subscriptions: &str) -> House {
    let house = House::of(Plan { mail: &House::smtp(server), subscriptions, ..Plan::default() }).await;
    house.turn().await;
    house
}

/// The same with the article of an alert just shown and the server away.
async fn stuck() -> (Server, House) {
    let server = Server::start(Script::default()).await;
    let house = with(&server, DESK).await;
    server.follow(down());
    house.show("one", &[item("a", A)]);
    (server, house)
}

/// Text of what arrived, decoded.
fn arrived(server: &Server) -> Vec<String> {
    let parse = |mail: smtp::Received| {
        let message = mail_parser::MessageParser::default().parse(&mail.data).unwrap();
        format!("{}\n{}", message.subject().unwrap(), message.body_text(0).unwrap())
    };
    server.received().into_iter().map(parse).collect()
}

#[tokio::test]
async fn an_alert_undelivered_for_a_day_stands_in_full_in_the_next_digest() {
    let (server, house) = stuck().await;
    house.after(hours(1)).await;
    for _ in 0..13 {
        house.after(hours(2)).await;
    }
    let alert = house.mails("alert").remove(0);
    assert_eq!(alert.row.state, "failed");
    server.follow(Script::default());
    for _ in 0..8 {
        house.after(hours(4)).await;
    }
    let mails = arrived(&server);
    assert!(!mails.iter().any(|mail| mail.starts_with(A)), "the alert was given up");
    let full = mails.iter().filter(|mail| mail.contains(A) && mail.contains("1 story")).count();
    assert_eq!(full, 1, "{mails:#?}");
}

#[tokio::test]
async fn an_alert_that_still_waits_is_not_called_delivered() {
    let (server, house) = stuck().await;
    house.after(hours(1)).await;
    house.after(hours(9)).await;
    server.follow(Script::default());
    for _ in 0..4 {
        house.after(hours(1)).await;
    }
    let mails = arrived(&server);
    let digest = mails.iter().find(|mail| mail.contains("ALERTS ALREADY SENT")).unwrap();
    assert!(digest.contains("1 alert already sent, not delivered yet"), "{digest}");
    assert!(digest.contains("not delivered yet to 1 recipient"), "{digest}");
    assert!(mails.iter().any(|mail| mail.starts_with(A)), "and it came: {mails:#?}");
}

#[tokio::test]
async fn an_alert_refused_for_good_stands_in_the_digest() {
    let server = Server::start(Script::default().on("dot", say("554 looks like spam"))).await;
    let house = with(&server, DESK).await;
    house.show("one", &[item("a", A)]);
    house.after(hours(1)).await;
    assert_eq!(house.mails("alert")[0].row.state, "failed");
    server.follow(Script::default());
    house.after(hours(9)).await;
    let digest = arrived(&server).pop().unwrap();
    assert!(digest.contains(A) && digest.contains("1 story"), "{digest}");
    assert!(digest.contains("looks like spam"), "and the refusal is told: {digest}");
}

#[tokio::test]
async fn a_digest_undelivered_for_five_days_is_in_the_next() {
    let server = Server::start(Script::default()).await;
    let house = with(&server, DESK).await;
    house.show("one", &[item("n", N)]);
    server.follow(down());
    house.after(hours(9)).await;
    for _ in 0..32 {
        house.after(hours(4)).await;
    }
    assert_eq!(house.mails("digest")[0].row.state, "failed");
    server.follow(Script::default());
    for _ in 0..12 {
        house.after(hours(4)).await;
    }
    let mails = arrived(&server);
    let subjects: Vec<&str> = mails.iter().filter_map(|mail| mail.lines().next()).collect();
    let telling: Vec<&&str> =
        subjects.iter().filter(|subject| subject.contains("1 story") && subject.contains(N)).collect();
    assert_eq!(telling.len(), 1, "{subjects:#?}");
    assert!(!telling[0].contains("#1:"), "not the first: {subjects:#?}");
    assert!(mails.iter().any(|mail| mail.contains("not delivered for 5 days")));
}

#[tokio::test]
async fn what_a_person_retries_is_tried_however_old_it_is() {
    let (server, house) = stuck().await;
    house.after(hours(9)).await;
    for _ in 0..35 {
        house.after(hours(4)).await;
    }
    let (alert, digest) = (house.mails("alert").remove(0).row, house.mails("digest").remove(0).row);
    assert_eq!([alert.state.as_str(), digest.state.as_str()], ["failed", "failed"], "both given up");
    let again = |id: i64| {
        let now = house.now();
        house.write(move |tx| tx.retry_mail(id, now))
    };
    let (old, state) = (house.count("digest"), |id: i64| house.read(|tx| tx.mail(id)).unwrap().state);
    assert!(again(alert.id).await && again(digest.id).await);
    house.after(hours(1)).await;
    assert_eq!([state(alert.id), state(digest.id)], ["deferred", "deferred"], "tried, and to be tried again");
    server.follow(Script::default());
    house.after(hours(5)).await;
    assert_eq!([state(alert.id), state(digest.id)], ["sent", "sent"]);
    let said = house.read(|tx| tx.tries(alert.id));
    assert!(said.iter().any(|one| one.outcome == "retry"), "{said:?}");
    assert!(house.count("digest") <= old + 1);
}

#[tokio::test]
async fn a_retry_that_fails_for_a_day_is_given_up_again_and_told_once() {
    let (server, house) = stuck().await;
    for _ in 0..8 {
        house.after(hours(4)).await;
    }
    let alert = house.mails("alert").remove(0).row;
    assert_eq!(alert.state, "failed");
    server.follow(Script::default());
    house.after(hours(20)).await;
    server.follow(down());
    let now = house.now();
    assert!(house.write(move |tx| tx.retry_mail(alert.id, now)).await);
    for _ in 0..7 {
        house.after(hours(4)).await;
    }
    assert_eq!(house.read(|tx| tx.mail(alert.id)).unwrap().state, "failed");
    server.follow(Script::default());
    house.after(hours(24)).await;
    let full = arrived(&server).iter().filter(|mail| mail.contains(A) && mail.contains("1 story")).count();
    assert_eq!(full, 1);
}

#[tokio::test]
async fn a_refused_digest_is_told_in_the_next() {
    let server = Server::start(Script::default().on("dot", say("552 too much"))).await;
    let house = with(&server, DESK).await;
    house.after(hours(9)).await;
    assert_eq!(house.mails("digest")[0].row.state, "failed");
    server.follow(Script::default());
    house.after(hours(24)).await;
    let mails = arrived(&server);
    assert!(mails.last().unwrap().contains("552") || mails.last().unwrap().contains("too much"), "{mails:?}");
}

#[tokio::test]
async fn a_recipient_refused_for_three_days_is_suspended_and_resumes_by_retry_or_reload() {
    let server = Server::start(Script::default().on("RCPT gone@example.org", say("550 gone"))).await;
    let house =
        with(&server, &DESK.replace("\"desk@example.org\"", "\"gone@example.org\", \"here@example.org\""))
            .await;
    let tried = || server.commands().iter().filter(|line| line.contains("gone@")).count();
    for _ in 0..3 {
        house.after(hours(24)).await;
    }
    assert_eq!(tried(), 3);
    assert_eq!(house.read(|tx| tx.suspended()).len(), 0, "two days between the first and the last");
    house.after(hours(24)).await;
    assert_eq!(house.read(|tx| tx.suspended()).len(), 1);
    house.after(hours(24)).await;
    assert_eq!(tried(), 4, "suspended: not tried");
    let digests = house.mails("digest");
    let here: Vec<_> = digests.iter().filter(|mail| mail.row.recipient.starts_with("here")).collect();
    assert_eq!(here.iter().filter(|mail| mail.row.state == "sent").count(), 5, "the other is not affected");
    assert!(here[4].text.contains("suspended"), "{}", here[4].text);
    server.follow(Script::default());
    let (last, now) =
        (digests.iter().rfind(|mail| mail.row.recipient.starts_with("gone")).unwrap().row.id, house.now());
    assert!(house.write(move |tx| tx.retry_mail(last, now)).await);
    house.turn().await;
    assert_eq!(tried(), 5);
    assert_eq!(house.read(|tx| tx.suspended()).len(), 0);
    assert_eq!(house.read(|tx| tx.mail(last)).unwrap().state, "sent");
}

#[tokio::test]
async fn what_every_recipient_was_refused_is_told_again_when_one_takes_mail() {
    let server = Server::start(Script::default().on("RCPT", say("550 no"))).await;
    let house = with(&server, DESK).await;
    house.show("one", &[item("n", N), item("b", B)]);
    house.after(hours(9)).await;
    assert_eq!(house.mails("digest")[0].row.state, "failed");
    server.follow(Script::default());
    house.after(hours(24)).await;
    let mails = arrived(&server);
    assert!(mails.last().unwrap().contains(N) && mails.last().unwrap().contains(B), "{mails:?}");
}

#[tokio::test]
async fn a_reload_of_the_running_daemon_resumes_suspended_recipients() {
    let server = Server::start(Script::default()).await;
    let mut house = with(&server, DESK).await;
    let now = house.now();
    for day in [0, 2, 4] {
        house.write(move |tx| tx.count_refusal("desk@example.org", now + hours(24 * day), 1000)).await;
    }
    assert_eq!(house.read(|tx| tx.suspended()).len(), 1);
    let db = house.db();
    let (loaded, clock) = house.leave();
    let (stop, (reload, reloads)) =
        (tokio_util::sync::CancellationToken::new(), tokio::sync::mpsc::channel(1));
    let running = tokio::spawn(burdenwatch::daemon::run(loaded, clock, stop.clone(), reloads));
    reload.send(()).await.unwrap();
    while !db.read().suspended().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
}
