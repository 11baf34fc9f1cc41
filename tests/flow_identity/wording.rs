//! New wordings of known articles: judged again, told once where they say something new.

use crate::house::{House, hours, item, minutes};

const PLAIN: &str = "Ministers meet in Tokyo on Tuesday";
const A: &str = "Tokyo opens burden sharing talks with Washington";

async fn seasoned() -> House {
    let house = House::new().await;
    house.turn().await;
    house.clock.advance(hours(1));
    house
}

#[tokio::test]
async fn a_headline_that_comes_to_match_is_alerted() {
    let house = seasoned().await;
    house.show("one", &[item("a", PLAIN)]);
    house.turn().await;
    assert_eq!(house.count("alert"), 0);
    house.show("one", &[item("a", A)]);
    house.after(minutes(20)).await;
    assert_eq!((house.count("alert"), house.articles()), (1, 1));
    assert_eq!(house.matches()[0].title, A);
}

#[tokio::test]
async fn new_figures_bring_one_follow_up_in_the_storys_thread() {
    let house = seasoned().await;
    let text = |amount: &str| {
        item("a", &format!("Japan to pay {amount} under host nation support deal"))
        .summary(&format!("Japan will pay {amount} a year for American troops under the host nation support deal, officials said."))
    };
    house.show("one", &[text("211 billion yen")]);
    house.turn().await;
    house.show("one", &[text("274 billion yen")]);
    for _ in 0..3 {
        house.after(minutes(30)).await;
    }
    let alerts = house.mails("alert");
    assert_eq!(alerts.len(), 2);
    let thread = alerts[0].header("References");
    assert!(thread.starts_with("<story-"), "{thread}");
    assert_eq!(alerts[1].header("References"), thread);
    assert_ne!(alerts[0].header("Message-ID"), alerts[1].header("Message-ID"));
    assert!(alerts[1].text.contains("274"));
}

#[tokio::test]
async fn a_corrected_typo_brings_nothing() {
    let house = seasoned().await;
    house.show("one", &[item("a", "Tokyo opens burden sharing takls with Washington")]);
    house.turn().await;
    house.show("one", &[item("a", A)]);
    house.after(minutes(30)).await;
    house.show("one", &[item("a", A).summary("With a photograph.")]);
    house.after(minutes(30)).await;
    assert_eq!(house.count("alert"), 1);
    assert_eq!(house.matches()[0].title, A, "the archive has the last wording");
}

#[tokio::test]
async fn a_change_while_the_alert_waits_is_in_the_alert() {
    let house = House::of(crate::house::Plan { once: false, ..Default::default() }).await;
    house.turn().await;
    let text = |amount: &str| item("a", &format!("Japan to pay {amount} under host nation support deal"));
    house.show("one", &[text("211 billion yen")]);
    house.after(hours(1)).await;
    house.show("one", &[text("274 billion yen")]);
    house.after(minutes(2)).await;
    house.after(minutes(5)).await;
    house.after(minutes(5)).await;
    let alerts = house.mails("alert");
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].row.subject.contains("274"), "{}", alerts[0].row.subject);
}

#[tokio::test]
async fn another_outlets_wording_of_the_same_address_is_no_revision() {
    let house = House::of(crate::house::Plan { feeds: &["one", "two"], ..Default::default() }).await;
    house.turn().await;
    house.clock.advance(hours(1));
    house.show("one", &[item("a", A)]);
    house.turn().await;
    for summary in ["From our desk.", "From our other desk.", "From our desk."] {
        house.show("two", &[item("a", "Washington, Tokyo talk burden sharing").summary(summary)]);
        house.after(minutes(30)).await;
    }
    assert_eq!((house.count("alert"), house.articles()), (1, 1));
    assert_eq!(house.matches()[0].title, A);
}

#[tokio::test]
async fn the_feed_whose_text_matched_speaks_for_it_whoever_showed_the_article_first() {
    for feeds in [["bare", "told"], ["told", "bare"]] {
        let house = House::of(crate::house::Plan { feeds: &feeds, ..Default::default() }).await;
        house.turn().await;
        let told = |amount: &str| {
            item("a", PLAIN).id("b").summary(&format!(
                "Japan will pay {amount} a year under the burden sharing deal for American troops, officials said."
            ))
        };
        let pages = |title: &str, amount: &str| {
            house.show("bare", &[item("a", title)]);
            house.show("told", &[told(amount)]);
        };
        house.show(feeds[0], &[if feeds[0] == "bare" { item("a", PLAIN) } else { told("211 billion yen") }]);
        house.after(hours(1)).await;
        pages(PLAIN, "211 billion yen");
        house.after(hours(1)).await;
        assert_eq!((house.count("alert"), house.articles()), (1, 1), "{feeds:?}");
        // A headline without what matched is no new wording of it.
        pages("Ministers meet in Tokyo for a 3rd day", "211 billion yen");
        house.after(hours(1)).await;
        let text = || house.read(|tx| tx.text(1)).unwrap();
        assert!(
            text().title == PLAIN && text().summary.contains("burden sharing"),
            "{feeds:?}: {:?}",
            text()
        );
        pages(PLAIN, "274 billion yen");
        house.after(hours(1)).await;
        assert!(text().summary.contains("274"), "{feeds:?}");
        assert_eq!(house.count("alert"), 2, "{feeds:?}: the new figure is told");
    }
}

#[tokio::test]
async fn counters_in_texts_fill_no_archive() {
    let house = seasoned().await;
    let polls = 6;
    for n in 1..=polls {
        let mut items: Vec<_> = ["x", "y", "z"]
            .map(|id| item(id, &format!("The garden at {id}")).summary(&format!("Views of {id}: {n}")))
            .to_vec();
        items.push(item("a", A).summary(&format!("Comments: {n}")));
        if n == polls {
            items.push(item("new", "A new garden"));
        }
        house.show("one", &items);
        house.after(hours(1)).await;
    }
    let db = rusqlite::Connection::open(house.database()).unwrap();
    let count = |table: &str| -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("batch"), count("revision")), (polls, 1), "one batch a poll, one revision");
    let texts = house.read(|tx| {
        let mut texts = Vec::new();
        tx.each_text(jiff::Timestamp::UNIX_EPOCH, |id, _, text| {
            texts.push((text.title.clone(), text.summary.clone()));
            assert_eq!(tx.any_text(id)?.unwrap(), text);
            Ok(())
        })?;
        Ok(texts)
    });
    let text = |title: &str, summary: &str| (title.to_owned(), summary.to_owned());
    assert_eq!(
        texts,
        [
            text("The garden at x", "Views of x: 6"),
            text("The garden at y", "Views of y: 6"),
            text("The garden at z", "Views of z: 6"),
            text(A, "Comments: 6"),
            text("A new garden", ""),
        ],
    );
}
