//! The mail server as a whole: down, misconfigured, back again.

use std::time::{Duration, Instant};

use crate::house::{House, Item, Plan, hours, item, minutes};
use crate::smtp::{Act, Script, Server, say};

const TITLES: [&str; 4] = [
    "Tokyo opens burden sharing talks with Washington",
    "Parliament in Seoul debates host nation support bill for spring",
    "Warsaw offers burden sharing deal over new barracks",
    "Auditors fault host nation support ledger in Okinawa",
];

fn items() -> Vec<Item> {
    TITLES.iter().enumerate().map(|(n, title)| item(&n.to_string(), title)).collect()
}

async fn daemon(server: &Server) -> House {
    let house = House::of(Plan { mail: &House::smtp(server), once: false, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house.show("one", &items());
    house.turn().await;
    house
}

#[tokio::test]
async fn a_server_that_is_down_is_asked_rarely_and_gets_everything_when_it_is_back() {
    let server = Server::start(Script::default().on("greeting", Act::Drop)).await;
    let house = daemon(&server).await;
    for _ in 0..120 {
        house.after(minutes(1)).await;
    }
    let asked = server.log.lock().unwrap().connections;
    assert!((3..=8).contains(&asked), "{asked} connections in two hours");
    assert!(house.mails("alert").iter().all(|mail| matches!(mail.row.state.as_str(), "queued" | "deferred")));
    server.follow(Script::default());
    for _ in 0..30 {
        house.after(minutes(10)).await;
    }
    assert_eq!(server.received().len(), TITLES.len());
    assert!(house.mails("alert").iter().all(|mail| mail.row.state == "sent"));
    assert_eq!(house.read(burdenwatch::flow::dispatch::channel), Default::default(), "the pause is over");
}

#[tokio::test]
async fn a_wrong_password_holds_the_queue_and_loses_nothing() {
    let server = Server::start(
        Script::default().offer("AUTH PLAIN LOGIN").on("MAIL", say("530 5.7.0 authentication required")),
    )
    .await;
    let house = daemon(&server).await;
    for _ in 0..6 {
        house.after(minutes(10)).await;
    }
    let state = house.read(burdenwatch::flow::dispatch::channel);
    assert!(state.misconfigured && state.failures > 0, "{state:?}");
    let mails = house.mails("alert");
    assert!(
        mails.iter().all(|mail| matches!(mail.row.state.as_str(), "queued" | "deferred")),
        "nobody is refused"
    );
    assert!(mails.iter().map(|mail| mail.row.attempts).sum::<u32>() <= 6, "one try a pause");
    server.follow(Script::default());
    for _ in 0..12 {
        house.after(minutes(30)).await;
    }
    assert_eq!(server.received().len(), TITLES.len());
}

#[tokio::test]
async fn d09_a_server_that_never_answers_holds_up_no_poll() {
    let server = Server::start(Script::default().on("greeting", Act::Stall)).await;
    let start = Instant::now();
    let house = daemon(&server).await;
    house.after(minutes(4)).await;
    assert_eq!(house.feed("one").polls, 3);
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(house.mails("alert").iter().all(|mail| mail.row.state != "sent"));
}

#[tokio::test]
async fn a_server_that_hangs_up_after_each_mail_still_gets_all() {
    let server = Server::start(Script::default().on("dot", Act::SayAndDrop(b"250 taken\r\n".to_vec()))).await;
    let house = daemon(&server).await;
    house.after(minutes(4)).await;
    assert_eq!(server.received().len(), TITLES.len());
    assert!(house.mails("alert").iter().all(|mail| mail.row.state == "sent"));
}

#[tokio::test]
async fn nonsense_is_temporary() {
    for script in [
        Script::default().on("greeting", say("what is it")),
        Script::default().on("RCPT", say("999 banana")),
        Script::default().on("dot", say("hello")),
    ] {
        let server = Server::start(script).await;
        let house = daemon(&server).await;
        house.after(minutes(4)).await;
        assert!(
            house
                .mails("alert")
                .iter()
                .all(|mail| matches!(mail.row.state.as_str(), "queued" | "deferred" | "uncertain"))
        );
        server.follow(Script::default());
        for _ in 0..6 {
            house.after(hours(1)).await;
        }
        assert!(house.mails("alert").iter().all(|mail| mail.row.state == "sent"));
    }
}
