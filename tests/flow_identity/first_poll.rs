//! The first poll of a feed, gaps between polls, and stories over many outlets.

use crate::house::{House, Item, Plan, hours, item, minutes};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";
const C: &str = "Warsaw offers burden sharing deal over new barracks";

#[tokio::test]
async fn what_a_new_feed_already_carried_is_stored_and_counted_but_not_alerted() {
    let house = House::new().await;
    let now = house.now();
    house.show("one", &[item("a", A), item("b", B).at(now - hours(25)), item("c", C).at(now - hours(2))]);
    house.turn().await;
    assert_eq!((house.articles(), house.matches().len()), (3, 3));
    let alerts = house.mails("alert");
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].row.subject.starts_with(C));
    house.after(hours(10)).await;
    let digest = house.mails("digest").remove(0);
    assert!(digest.text.contains('2') && digest.text.contains("first poll"), "{}", digest.text);
    assert!(!digest.text.contains(A) && !digest.text.contains(B), "the baseline is counted, not told");
}

#[tokio::test]
async fn an_item_dated_long_back_stands_in_the_digest_only() {
    let house = House::new().await;
    house.turn().await;
    house.clock.advance(hours(1));
    house.show("one", &[item("a", A).at(house.now() - hours(30))]);
    house.turn().await;
    assert_eq!(house.count("alert"), 0);
    house.after(hours(10)).await;
    assert!(house.mails("digest")[0].text.contains(A));
}

#[tokio::test]
async fn a_feed_that_fails_at_first_has_its_baseline_when_it_first_answers() {
    let house = House::new().await;
    house.script("one", crate::http::answer("500 Oops", &[], ""));
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.after(hours(1)).await;
    assert_eq!((house.count("alert"), house.matches().len()), (0, 1));
    house.show("one", &[item("a", A), item("b", B)]);
    house.after(hours(1)).await;
    assert_eq!(house.count("alert"), 1);
}

#[tokio::test]
async fn a_feed_that_is_empty_at_first_has_its_baseline_when_it_fills_and_a_trickle_is_news() {
    let many = |ids: &[&str]| -> Vec<Item> {
        ids.iter().map(|id| item(id, &format!("Burden sharing report {id} from capital {id}"))).collect()
    };
    let house = House::new().await;
    house.turn().await;
    house.show("one", &many(&["ada", "bob", "cyd", "dee", "eve", "fay"]));
    house.after(hours(2)).await;
    assert_eq!((house.count("alert"), house.matches().len()), (0, 6));
    assert_eq!(house.feed("one").baseline, 6);
    house.show("one", &[item("a", A)]);
    house.after(hours(2)).await;
    assert_eq!(house.count("alert"), 1, "the baseline is over");
    let house = House::new().await;
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.after(hours(2)).await;
    assert_eq!(house.count("alert"), 1, "a search that finds something for the first time");
    let house = House::new().await;
    house.turn().await;
    house.show("one", &[item("a", A), item("b", B), item("c", C), item("d", "1"), item("e", "2")]);
    house.after(hours(25)).await;
    assert_eq!(house.count("alert"), 3, "watched for a day and empty: all of it is new");
}

#[tokio::test]
async fn another_address_brings_a_baseline_unless_it_shows_something_known() {
    let old: Vec<Item> = vec![item("a", A), item("b", B)];
    for (shown, alerts) in
        [(vec![item("c", C), item("d", "Alliance budget grows")], 0), (vec![item("c", C), old[0].clone()], 1)]
    {
        let mut house = House::new().await;
        house.show("one", &old);
        house.show("two", &shown);
        house.turn().await;
        house.reconfigure("/one\"", "/two\"");
        house.after(hours(1)).await;
        assert_eq!((house.count("alert"), house.articles()), (alerts, if alerts == 0 { 4 } else { 3 }));
        house.show(
            "two",
            &[shown[0].clone(), shown[1].clone(), item("n", "Burden sharing in the news again")],
        );
        house.after(hours(1)).await;
        assert_eq!(house.count("alert"), alerts + 1, "then what is new is news");
    }
}

#[tokio::test]
async fn five_outlets_in_three_polls_are_one_alert_and_four_more_outlets_in_the_digest() {
    let feeds = ["one", "two", "three", "four", "five"];
    let house = House::of(Plan { feeds: &feeds, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    let text = "Japan and the United States opened talks in Tokyo on Tuesday about a new agreement on host nation support, \
                the money Japan pays for American troops on its soil; the present agreement ends in March.";
    for wave in [&feeds[..2], &feeds[2..4], &feeds[4..]] {
        for feed in wave {
            house.show(
                feed,
                &[item(feed, "Japan, US open talks on host nation support for troops")
                    .summary(text)
                    .link(&format!("https://{feed}.example/x"))],
            );
        }
        house.after(minutes(20)).await;
    }
    assert_eq!((house.count("alert"), house.matches().len()), (1, 5));
    house.after(hours(10)).await;
    let digest = house.mails("digest").remove(0);
    assert!(digest.text.contains("+4 outlets"), "{}", digest.text);
}

#[tokio::test]
async fn a_document_that_turned_over_between_polls_is_flagged_and_polled_faster() {
    let house = House::of(Plan { polling: "every = \"1h\"\nmin_every = \"5m\"", ..Plan::default() }).await;
    let batch = |from: usize| -> Vec<Item> {
        (from..from + 10)
            .map(|n| item(&n.to_string(), &format!("Report number {n} from the harbour")))
            .collect()
    };
    house.show("one", &batch(0));
    house.turn().await;
    house.show("one", &batch(5));
    house.after(hours(1)).await;
    assert_eq!(house.feed("one").gaps, 0);
    house.show("one", &batch(100));
    house.after(hours(1)).await;
    let feed = house.feed("one");
    assert_eq!(feed.gaps, 1);
    assert!(feed.next_poll_at.duration_since(house.now()) <= minutes(6), "{}", feed.next_why);
    house.after(hours(8)).await;
    assert!(house.mails("digest")[0].text.contains("may have been missed"));
}

#[tokio::test]
async fn every_item_of_a_long_first_document_is_stored_wherever_it_stands() {
    let house = House::new().await;
    let now = house.now();
    let mut items: Vec<Item> = (0..300)
        .map(|n| item(&n.to_string(), &format!("Alliance budget note {n}")).at(now - hours(48)))
        .collect();
    items.push(item("last", A).at(now - hours(1)));
    house.show("one", &items);
    house.turn().await;
    assert_eq!((house.articles(), house.matches().len(), house.count("alert")), (301, 301, 1));
}

#[tokio::test]
async fn d05_the_age_of_an_item_is_read_from_every_way_to_write_a_date() {
    // All say four days back; the first poll takes them as what was there before.
    let documents = [
        (
            "rss",
            format!(
                "<rss version=\"2.0\"><channel><title>F</title><item><guid>1</guid><title>{A}</title><pubDate>Fri, 20 Nov 2026 09:00:00 GMT</pubDate></item></channel></rss>"
            ),
        ),
        (
            "atom",
            format!(
                "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>F</title><id>f</id><updated>2026-11-20T09:00:00Z</updated><entry><id>1</id><title>{A}</title><updated>2026-11-20T09:00:00+09:00</updated></entry></feed>"
            ),
        ),
        (
            "dc",
            format!(
                "<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>F</title><item><guid>1</guid><title>{A}</title><dc:date>2026-11-20T09:00:00Z</dc:date></item></channel></rss>"
            ),
        ),
        (
            "day",
            format!(
                "<rss version=\"2.0\"><channel><title>F</title><item><guid>1</guid><title>{A}</title><pubDate>2026-11-20</pubDate></item></channel></rss>"
            ),
        ),
    ];
    for (name, document) in documents {
        let house = House::new().await;
        house.turn().await;
        house.script("one", crate::http::answer("200 OK", &[], &document));
        house.after(hours(1)).await;
        let matched = house.matches();
        assert_eq!((matched.len(), house.count("alert")), (1, 0), "{name}");
        assert_eq!(matched[0].disposition, "late", "{name}");
        assert!(matched[0].published_at.is_some(), "{name}");
    }
}
