//! Entries of one document that share what should name them, and differ in their texts.

use crate::house::{House, Item, hours, item};

const RAIN: &str = "Rain in Paris until the weekend";
const TALKS: &str = "Burden sharing talks between Washington and Seoul open";
const DEAL: &str = "Warsaw offers burden sharing deal over new barracks";

/// One document's items: the texts, each put into an item.
fn all(texts: &[&str], make: impl Fn(usize) -> Item) -> Vec<Item> {
    texts.iter().enumerate().map(|(place, text)| make(place).summary(text)).collect()
}

async fn articles(documents: &[Vec<Item>]) -> u64 {
    let house = House::new().await;
    house.turn().await;
    for items in documents {
        house.show("one", items);
        house.after(hours(1)).await;
    }
    house.articles()
}

/// A name for failures, and an item by its place.
type Way = (&'static str, fn(usize) -> Item);

/// Items whose only difference is the text, in the ways feeds have been seen to make them.
fn ways() -> [Way; 7] {
    [
        ("no id, no title, one link", |_| item("", "").no_id().link("https://news.example/ticker")),
        ("no id, one title, one link", |_| {
            item("", "Press release").no_id().link("https://news.example/press")
        }),
        ("one id, one title, one link", |_| {
            item("", "Press release").id("https://news.example/press").link("https://news.example/press")
        }),
        ("links that differ in their fragment", |place| {
            item("", "").no_id().link(&format!("https://news.example/live#p{place}"))
        }),
        ("the same with one title", |place| {
            item("", "Live").no_id().link(&format!("https://news.example/live#p{place}"))
        }),
        ("the same with ids", |place| {
            item("", "Live").id(&format!("p{place}")).link(&format!("https://news.example/live#p{place}"))
        }),
        ("one id, no link", |_| item("", "Press release").id("7").no_link()),
    ]
}

#[tokio::test]
async fn different_texts_are_different_articles() {
    for (way, make) in ways() {
        let three = all(&[RAIN, TALKS, DEAL], make);
        assert_eq!(articles(&[three.clone(), three]).await, 3, "{way}");
    }
}

#[tokio::test]
async fn an_article_that_had_its_id_for_itself_is_not_new_when_it_is_shared() {
    for (way, make) in ways() {
        let (one, two) = (all(&[TALKS], make), all(&[DEAL, TALKS], make));
        // By their ids, whichever item is first is the known one with a new text.
        let places = way == "the same with ids";
        let shown = [one.clone(), two.clone(), one, two];
        let shown = if places { &shown[..2] } else { &shown[..3] };
        assert_eq!(articles(shown).await, 2, "{way}");
    }
}

#[tokio::test]
async fn a_matching_text_behind_another_one_is_mailed() {
    for (way, make) in ways() {
        let house = House::new().await;
        house.turn().await;
        house.show("one", &all(&[RAIN, TALKS], make));
        for _ in 0..3 {
            house.after(hours(1)).await;
        }
        assert_eq!(house.count("alert"), 1, "{way}");
    }
}
