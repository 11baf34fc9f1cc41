//! Defects read in the source of other programs (D1 to D24), the half that needs a whole run.

use crate::house::{House, Item, Plan, hours, item, minutes, rss};
use crate::http::{Step, answer, head};
use crate::smtp;
use crate::smtp::{Act, Script};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";

/// A house past its first poll, so that what comes is news.
async fn seasoned() -> House {
    let house = House::new().await;
    house.turn().await;
    house.clock.advance(hours(1));
    house
}

#[tokio::test]
async fn d01_mail_down_for_three_polls_of_an_unchanged_feed_is_one_mail_after() {
    let mail = smtp::Server::start(Script::default()).await;
    let table = House::smtp(&mail);
    let house = House::of(Plan { mail: &table, ..Plan::default() }).await;
    house.turn().await;
    mail.follow(Script::default().on("greeting", Act::Drop));
    house.show("one", &[item("a", A)]);
    for _ in 0..3 {
        house.after(hours(1)).await;
    }
    assert!(house.feed("one").not_modified >= 2, "the server answered 304");
    assert_eq!(mail.received().len(), 0);
    mail.follow(Script::default());
    for _ in 0..3 {
        house.after(hours(2)).await;
    }
    let alerts =
        mail.received().into_iter().filter(|mail| String::from_utf8_lossy(&mail.data).contains(".alert@"));
    assert_eq!(alerts.count(), 1);
    assert_eq!(house.mails("alert")[0].row.state, "sent");
}

#[tokio::test]
async fn d02_a_link_that_repeats_at_the_second_poll_repeats_no_alert() {
    let house = seasoned().await;
    let (a, b) = (item("a", A).no_id(), item("b", B).no_id());
    house.show("one", &[a.clone(), b.clone()]);
    house.turn().await;
    assert_eq!(house.count("alert"), 2);
    let doubled = item("c", "A page that lists everything").no_id().link("https://news.example/a");
    house.show("one", &[doubled, a, b]);
    for _ in 0..3 {
        house.after(hours(1)).await;
    }
    assert_eq!(house.count("alert"), 2);
}

#[tokio::test]
async fn d03_an_empty_document_between_forgets_nothing() {
    let house = seasoned().await;
    let both = [item("a", A), item("b", B)];
    for items in [&both[..], &[], &both[..], &both[..1], &both[..]] {
        house.show("one", items);
        house.after(hours(7)).await;
    }
    assert_eq!((house.count("alert"), house.articles()), (2, 2));
}

#[tokio::test]
async fn d06_one_refused_recipient_costs_only_its_own_mail() {
    let mail =
        smtp::Server::start(Script::default().on("RCPT bad@example.org", smtp::say("550 no such user")))
            .await;
    let (table, desk) = (
        House::smtp(&mail),
        crate::house::DESK
            .replace("\"desk@example.org\"", "\"a@example.org\", \"bad@example.org\", \"b@example.org\""),
    );
    let house = House::of(Plan { mail: &table, subscriptions: &desk, ..Plan::default() }).await;
    house.turn().await;
    house.show("one", &[item("a", A)]);
    for _ in 0..5 {
        house.after(hours(1)).await;
    }
    let states: Vec<String> = house.mails("alert").into_iter().map(|mail| mail.row.state).collect();
    assert_eq!(states, ["sent", "failed", "sent"]);
    assert!(house.mails("alert")[1].row.attempts <= 2, "no storm");
    assert!(house.mails("alert")[1].row.last_reply.as_ref().unwrap().contains("no such user"));
}

#[tokio::test]
async fn d07_gone_is_remembered_over_a_restart_and_still_asked_rarely() {
    let mut house = seasoned().await;
    house.script("one", answer("410 Gone", &[], ""));
    house.turn().await;
    let before = house.feed("one");
    assert_eq!((before.failures, before.last_status), (1, Some(410)));
    assert!(before.failure.unwrap().contains("410"));
    house.restart();
    house.turn_due().await;
    let after = house.feed("one");
    assert_eq!((after.polls, after.failures), (before.polls, 1), "not asked again at once");
    assert!(after.next_poll_at > house.now());
}

#[tokio::test]
async fn d10_an_oversize_body_is_seen_and_backed_off_from() {
    let house = House::of(Plan { polling: "max_body = \"64 KiB\"", ..Plan::default() }).await;
    house.turn().await;
    let big = item("a", A).summary(&"word ".repeat(100_000));
    house.script("one", answer("200 OK", &[("Content-Type", "application/rss+xml")], rss(&[big])));
    let mut waits = Vec::new();
    for _ in 0..4 {
        house.after(hours(3)).await;
        waits.push(house.feed("one").next_poll_at.duration_since(house.now()));
    }
    let feed = house.feed("one");
    assert_eq!(feed.failures, 4);
    let why = feed.failure.unwrap();
    assert!(
        why.contains("64 KiB") || why.contains("65536") || why.contains("65,536"),
        "the limit is named: {why}"
    );
    assert!(waits[0] >= minutes(15) && waits[3] > waits[0] && waits[3] <= hours(2), "{waits:?}");
}

#[tokio::test]
async fn d11_a_constant_etag_with_a_changing_body_hides_nothing() {
    let house = seasoned().await;
    for (place, title) in [A, B].iter().enumerate() {
        let body = rss(&[item(&place.to_string(), title)]);
        house.script("one", answer("200 OK", &[("ETag", "\"for-ever\"")], body));
        house.after(hours(1)).await;
    }
    assert_eq!(house.count("alert"), 2);
}

#[tokio::test]
async fn d12_a_feed_that_was_down_a_week_comes_back_by_itself() {
    let house = seasoned().await;
    house.script("one", answer("503 Service Unavailable", &[], "down"));
    let end = house.now() + hours(7 * 24);
    let mut polls = 0;
    while house.now() < end {
        house.clock.advance(minutes(15));
        polls += house.turn_due().await.polled;
    }
    assert!((80..200).contains(&polls), "every two hours at the least, backing off: {polls}");
    house.show("one", &[item("a", A)]);
    for _ in 0..9 {
        house.clock.advance(minutes(15));
        house.turn_due().await;
    }
    assert_eq!((house.count("alert"), house.feed("one").failures), (1, 0));
}

#[tokio::test]
async fn d13_what_is_committed_when_the_process_ends_is_mailed_after() {
    let mut house = House::of(Plan { once: false, ..Plan::default() }).await;
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.after(hours(1)).await;
    assert_eq!(house.count("alert"), 0, "it waits for copies");
    house.restart();
    house.after(minutes(4)).await;
    assert_eq!(house.mails("alert")[0].row.state, "sent");
}

#[tokio::test]
async fn d14_an_item_inserted_with_an_older_date_is_found() {
    let house = seasoned().await;
    let now = house.now();
    house.show("one", &[item("a", A).at(now - minutes(5))]);
    house.turn().await;
    house.show("one", &[item("a", A).at(now - minutes(5)), item("b", B).at(now - hours(5))]);
    house.after(minutes(30)).await;
    assert_eq!(house.count("alert"), 2);
}

#[tokio::test]
async fn d15_items_with_neither_id_nor_link_are_articles() {
    let house = seasoned().await;
    let bare = |title: &str| Item { title: title.to_owned(), ..Item::default() };
    house.show("one", &[bare(A), bare(B)]);
    for _ in 0..3 {
        house.after(hours(1)).await;
    }
    assert_eq!((house.count("alert"), house.articles()), (2, 2));
}

#[tokio::test]
async fn d17_one_id_in_two_feeds_is_two_articles_and_one_address_is_one() {
    let house = House::of(Plan { feeds: &["one", "two"], ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house.show("one", &[item("a", A).id("7"), item("shared", "Alliance budget grows again")]);
    house.show("two", &[item("b", B).id("7"), item("shared", "Alliance budget grows again")]);
    house.turn().await;
    assert_eq!((house.articles(), house.matches().len(), house.count("alert")), (3, 3, 2));
    let shared = house.matches().into_iter().find(|row| row.title.starts_with("Alliance")).unwrap();
    let outlets = house.read(|tx| tx.appearances(shared.article_id));
    assert_eq!(outlets.len(), 2, "two sightings, one article");
}

#[tokio::test]
async fn d18_each_recipient_gets_a_digest_once_whatever_happens_to_the_others() {
    let mail =
        smtp::Server::start(Script::default().on("RCPT late@example.org", smtp::say("450 later"))).await;
    let (table, desk) = (
        House::smtp(&mail),
        crate::house::DESK
            .replace("\"desk@example.org\"", "\"a@example.org\", \"late@example.org\", \"b@example.org\""),
    );
    let house = House::of(Plan { mail: &table, subscriptions: &desk, ..Plan::default() }).await;
    house.turn().await;
    for _ in 0..5 {
        house.after(hours(3)).await;
    }
    let got = |to: &str| mail.received().iter().filter(|mail| mail.to == [to]).count();
    assert_eq!((got("a@example.org"), got("b@example.org"), got("late@example.org")), (1, 1, 0));
    mail.follow(Script::default());
    house.after(hours(5)).await;
    assert_eq!((got("a@example.org"), got("b@example.org"), got("late@example.org")), (1, 1, 1));
}

#[tokio::test]
async fn d19_retention_takes_nothing_a_digest_still_needs_and_no_keys() {
    let house = seasoned().await;
    let items = [item("a", A), item("plain", "The harbour has a new crane")];
    house.show("one", &items);
    house.turn().await;
    let unmatched = house.read(|tx| {
        let mut texts = 0;
        tx.each_text(jiff::Timestamp::UNIX_EPOCH, |_, _, _| {
            texts += 1;
            Ok(())
        })?;
        Ok(texts)
    });
    assert_eq!(unmatched, 2);
    house.write(|tx| tx.forget_texts(jiff::Timestamp::MAX, 1000)).await;
    assert_eq!(house.matches()[0].title, A);
    house.show("one", &[]);
    house.after(hours(1)).await;
    house.show("one", &items);
    house.after(hours(24 * 200)).await;
    assert_eq!((house.articles(), house.count("alert")), (2, 1), "known for ever");
    let digest = house.mails("digest").remove(0);
    assert!(digest.text.contains(A));
}

#[tokio::test]
async fn d21_ids_that_appear_later_re_key_nothing() {
    let house = seasoned().await;
    let without = [item("a", A).no_id(), item("b", B).no_id()];
    let with = [item("a", A), item("b", B)];
    for items in [&without, &with, &without, &with] {
        house.show("one", &items[..]);
        house.after(hours(30)).await;
    }
    assert_eq!((house.articles(), house.count("alert")), (2, 2));
}

#[tokio::test]
async fn d24_words_match_through_markup_and_never_inside_it() {
    let house = seasoned().await;
    let split =
        item("a", "The bill").summary("Cabinet agrees on host&nbsp;<b>nation</b> support for another year");
    let address = item("b", "A list of links")
        .summary("<a href=\"https://x.example/burden-sharing\">here</a><script>burden sharing</script>");
    house.show("one", &[split, address]);
    house.turn().await;
    assert_eq!(house.matches().iter().map(|row| row.title.as_str()).collect::<Vec<_>>(), ["The bill"]);
}

#[tokio::test]
async fn a_document_cut_off_under_a_whole_ones_etag_is_fetched_again() {
    let house = seasoned().await;
    let whole = rss(&[item("a", A), item("b", B)]);
    let tag = [("ETag", "\"v1\"")];
    let half = &whole[..whole.len() * 3 / 4];
    house.script("one", vec![Step::Send(head("200 OK", &tag)), Step::Send(half.to_vec())]);
    house.after(hours(1)).await;
    assert_eq!((house.articles(), house.feed("one").etag), (1, None));
    house.script("one", answer("200 OK", &tag, whole));
    house.after(hours(1)).await;
    assert_eq!((house.articles(), house.count("alert")), (2, 2));
    assert!(house.feed("one").etag.is_some());
    assert!(house.server.hits().iter().all(|hit| hit.header("If-None-Match") != Some("\"v1\"")));
}

#[tokio::test]
async fn an_entry_that_is_always_cut_off_is_taken_as_it_comes_and_one_cut_off_once_is_not() {
    let house = seasoned().await;
    let cut = |items: &[Item], end: &str| {
        let whole = rss(items);
        let text = String::from_utf8(whole).unwrap();
        answer("200 OK", &[], &text[..text.rfind(end).unwrap()])
    };
    let last = item("b", B).no_id();
    let both = [item("a", A), last.clone()];
    for _ in 0..3 {
        house.script("one", cut(&both, "/b</link>"));
        house.after(hours(1)).await;
    }
    assert_eq!((house.articles(), house.count("alert")), (2, 2), "shown twice, and never more of it");
    // Whole, then cut off again and again: nothing is new about it.
    let third = [item("c", "Warsaw offers burden sharing deal over new barracks").no_id()];
    house.show("one", &third);
    house.after(hours(1)).await;
    for _ in 0..3 {
        house.script("one", cut(&third, "/c</link>"));
        house.after(hours(1)).await;
    }
    assert_eq!((house.articles(), house.count("alert")), (3, 3));
}

#[tokio::test]
async fn a_text_cut_off_once_is_no_new_wording() {
    let house = seasoned().await;
    let told = item("a", A).summary("Washington asks for 8 billion dollars a year, officials said in Tokyo.");
    let whole = [item("b", B), told];
    house.show("one", &whole);
    house.after(hours(1)).await;
    assert_eq!(house.count("alert"), 2);
    let text = String::from_utf8(rss(&whole)).unwrap();
    let half = answer("200 OK", &[], &text[..text.find("8 billion").unwrap()]);
    house.script("one", half.clone());
    house.after(hours(1)).await;
    house.show("one", &whole);
    house.after(hours(1)).await;
    let summary = || house.read(|tx| tx.text(2)).unwrap().summary;
    assert!(house.count("alert") == 2 && summary().contains("8 billion"), "{}", summary());
    house.script("one", half);
    for _ in 0..2 {
        house.after(hours(1)).await;
    }
    assert!(summary().ends_with("asks for"), "what is always cut off is taken as it comes: {}", summary());
}
