//! Five thousand matches in one poll: all accounted for, few mails, and soon.

use std::time::Instant;

use crate::house::{House, Item, Plan, START, hours, item, minutes};

const COUNT: usize = 5_000;

/// Headlines of different events: who, does what, to whom, where.
fn headline(n: usize) -> String {
    const WHO: [&str; 20] = [
        "Tokyo", "Seoul", "Warsaw", "Berlin", "Rome", "Madrid", "Oslo", "Vilnius", "Riga", "Tallinn",
        "Ottawa", "Canberra", "Manila", "Doha", "Riyadh", "Paris", "Athens", "Ankara", "Prague", "Sofia",
    ];
    const DOES: [&str; 16] = [
        "rejects",
        "welcomes",
        "audits",
        "delays",
        "signs",
        "questions",
        "doubles",
        "halves",
        "publishes",
        "withdraws",
        "defends",
        "studies",
        "drafts",
        "buries",
        "revives",
        "mocks",
    ];
    const WHAT: [&str; 16] = [
        "barracks ledger",
        "runway invoice",
        "harbour lease",
        "hospital clause",
        "school budget",
        "radar bill",
        "housing quota",
        "fuel depot tariff",
        "labour contract",
        "waste levy",
        "bridge toll",
        "power surcharge",
        "water rent",
        "training range fee",
        "cyber annex",
        "chapel roof repair",
    ];
    format!("{} {} {} in burden sharing row", WHO[n % 20], DOES[n / 20 % 16], WHAT[n / 320 % 16])
}

/// Dated, so that many at once are news.
fn burst() -> Vec<Item> {
    let at = START.parse().unwrap();
    (0..COUNT)
        .map(|n| {
            item(&n.to_string(), &headline(n)).at(at).summary(&format!(
                "Case {n}: {} was the word from officials who spoke about burden sharing on day {}.",
                headline(n),
                n % 30
            ))
        })
        .collect()
}

/// Bytes as composed: on the way every line end became two.
fn bytes(body: &str) -> usize {
    body.replace("\r\n", "\n").len()
}

#[tokio::test]
async fn a_burst_is_a_few_mails_that_account_for_everything() {
    let cap = "[[subscription]]\nname = \"desk\"\nto = [\"desk@example.org\"]\nalert_wait = \"0s\"\nalerts_per_hour = 6\ndigest = { at = \"18:00\" }\n";
    let house = House::of(Plan { once: false, subscriptions: cap, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house.show("one", &burst());
    let start = Instant::now();
    let report = house.turn().await;
    let took = start.elapsed();
    assert_eq!((report.new, report.matched), (COUNT, COUNT));
    let stories = {
        let now = house.now();
        house.read(|tx| tx.counts(now)).stories
    };
    eprintln!(
        "burst: {COUNT} matches, {stories} stories, polled, grouped, composed and mailed in {took:.1?} (unoptimised build)"
    );
    let mails = house.count("alert") + house.count("rollup");
    assert_eq!((house.count("alert"), house.count("rollup")), (6, 1), "{mails}");
    let rollup = house.mails("rollup").remove(0);
    let left = usize::try_from(stories).unwrap() - 6;
    let figure = |n: usize| if n >= 1000 { format!("{},{:03}", n / 1000, n % 1000) } else { n.to_string() };
    assert!(
        rollup.row.subject.contains(&figure(left)) || rollup.row.subject.contains(&left.to_string()),
        "{left}: {}",
        rollup.row.subject
    );
    assert!(bytes(&rollup.html) <= 60_000 && bytes(&rollup.text) <= 195_000);
    let start = Instant::now();
    house.after(hours(9)).await;
    eprintln!("burst: digest in {:.1?}", start.elapsed());
    let digest = house.mails("digest").remove(0);
    assert!(
        bytes(&digest.html) <= 60_000 && bytes(&digest.text) <= 195_000,
        "{} {}",
        digest.html.len(),
        digest.text.len()
    );
    let all = usize::try_from(stories).unwrap();
    assert!(
        digest.text.contains(&figure(all)) || digest.text.contains(&all.to_string()),
        "{}",
        digest.row.subject
    );
    let start = Instant::now();
    let mut more = burst();
    more.push(item("one-more", "Reykjavik ends burden sharing dispute over search flights"));
    house.show("one", &more);
    house.after(minutes(30)).await;
    eprintln!("burst: one match more in {:.1?}", start.elapsed());
    assert_eq!(house.count("alert"), 7);
    assert!(took.as_secs() < 120, "{took:?}");
}

/// One text in very many places: the shape in which the grouping compares most.
#[tokio::test]
async fn a_story_of_eighty_outlets_is_one_alert() {
    let names: Vec<String> = (0..80).map(|n| format!("outlet-{n}")).collect();
    let feeds: Vec<&str> = names.iter().map(String::as_str).collect();
    let house = House::of(Plan { feeds: &feeds, ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    let text = "Japan and the United States opened talks in Tokyo on Tuesday about a new agreement on burden sharing, the money Japan pays for troops.";
    for half in feeds.chunks(40) {
        for feed in half {
            house.show(
                feed,
                &[item(feed, "Japan, US open talks on burden sharing for troops")
                    .summary(text)
                    .link(&format!("https://{feed}.example/{feed}"))],
            );
        }
        house.after(minutes(10)).await;
    }
    assert_eq!((house.matches().len(), house.count("alert")), (80, 1));
}

/// One sentence with another figure each time: alike, and no copies.
#[tokio::test]
async fn thousands_of_near_copies_do_not_take_minutes() {
    let house = House::of(Plan { subscriptions: "[[subscription]]\nname = \"desk\"\nto = [\"desk@example.org\"]\nalerts_per_hour = 6\ndigest = { at = \"18:00\" }\n", ..Plan::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    let items: Vec<Item> = (0..2000)
        .map(|n| item(&n.to_string(), &format!("Lot {n}: {} million yen under host nation support for barracks", n * 7 + 3)).summary("Tender published under host nation support by the regional defence bureau; bids close in a month."))
        .collect();
    house.show("one", &items);
    let start = Instant::now();
    house.turn().await;
    let took = start.elapsed();
    let now = house.now();
    eprintln!("burst: 2000 near copies in {took:.1?}, {} stories", house.read(|tx| tx.counts(now)).stories);
    assert!(took.as_secs() < 120, "{took:?}");
}
