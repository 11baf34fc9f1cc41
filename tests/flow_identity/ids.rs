//! Ids and addresses that change, repeat, shift and are reused.

use crate::house::{House, Item, hours, item};

const A: &str = "Tokyo opens burden sharing talks with Washington";
const B: &str = "Parliament in Seoul debates host nation support bill for spring";
const C: &str = "Warsaw offers burden sharing deal over new barracks";

/// Shows the documents one after the other, and returns articles and alerts.
async fn shown(documents: &[&[Item]], apart: i64) -> (u64, usize) {
    let house = House::new().await;
    house.turn().await;
    for items in documents {
        house.show("one", items);
        house.after(hours(apart)).await;
    }
    (house.articles(), house.count("alert"))
}

#[tokio::test]
async fn a_changed_id_on_the_same_address_is_the_same_article() {
    assert_eq!(
        shown(&[&[item("a", A)], &[item("a", A).id("new")], &[item("a", A).id("newer")]], 1).await,
        (1, 1)
    );
}

#[tokio::test]
async fn a_flipping_host_is_the_same_article() {
    let on = |host: &str| [item("a", A).no_id().link(&format!("https://{host}/2026/11/talks"))];
    let (a, b) = (on("www1.news.example"), on("www2.news.example"));
    assert_eq!(shown(&[&a, &b, &a, &b], 1).await, (1, 1));
}

#[tokio::test]
async fn a_flipping_host_under_one_id_is_the_same_article() {
    let on = |host: &str| [item("a", A).link(&format!("https://{host}/2026/11/talks"))];
    let (a, b) = (on("one.example"), on("two.example"));
    assert_eq!(shown(&[&a, &b, &a, &b], 60).await, (1, 1));
}

#[tokio::test]
async fn one_id_for_everything_in_a_document_keeps_the_articles_apart() {
    let all = [item("a", A).id("same"), item("b", B).id("same"), item("c", C).id("same")];
    let turned = [all[2].clone(), all[0].clone(), all[1].clone()];
    assert_eq!(shown(&[&all, &turned, &all[1..], &all], 1).await, (3, 3));
}

#[tokio::test]
async fn a_reused_id_is_a_new_article() {
    assert_eq!(
        shown(&[&[item("a", A).id("top")], &[item("b", B).id("top")], &[item("c", C).id("top")]], 1).await,
        (3, 3)
    );
}

#[tokio::test]
async fn ids_that_number_the_places_of_a_document_repeat_nothing() {
    let place = |all: &[(&str, &str)]| -> Vec<Item> {
        all.iter()
            .enumerate()
            .map(|(place, (id, title))| item(id, title).id(&format!("item{place}")))
            .collect()
    };
    let (a, b, c) = (("a", A), ("b", B), ("c", C));
    let (one, two, three) = (place(&[a]), place(&[b, a]), place(&[c, b, a]));
    assert_eq!(shown(&[&one, &two, &three, &two, &three, &one], 30).await, (3, 3));
}

#[tokio::test]
async fn items_that_share_a_link_and_have_ids_are_articles_of_their_own() {
    let at = |id: &str, title: &str| item(id, title).link("https://news.example/live");
    let (a, b, c) = (at("a", A), at("b", B), at("c", C));
    let together = [a.clone(), b.clone(), c.clone()];
    assert_eq!(shown(&[&together, &together], 1).await, (3, 3));
    assert_eq!(
        shown(&[std::slice::from_ref(&a), &[b], &[c], std::slice::from_ref(&a)], 1).await,
        (3, 3),
        "one at a time"
    );
}

#[tokio::test]
async fn items_that_share_a_link_and_have_no_ids_are_told_apart_by_their_titles() {
    let at = |id: &str, title: &str| item(id, title).no_id().link("https://news.example/live");
    let (a, b) = (at("a", A), at("b", B));
    assert_eq!(shown(&[&[a.clone(), b.clone()], &[b.clone(), a.clone()]], 1).await, (2, 2));
}

#[tokio::test]
async fn a_live_page_without_ids_shows_one_headline_after_the_other() {
    let at = |id: &str, title: &str| item(id, title).no_id().link("https://news.example/live");
    let (_, alerts) = shown(&[&[at("a", A)], &[at("b", B)], &[at("c", C)]], 1).await;
    assert_eq!(alerts, 3, "each headline is news, or a follow-up of the page");
}

#[tokio::test]
async fn an_item_that_returns_after_months_is_not_news() {
    assert_eq!(shown(&[&[item("a", A)], &[], &[item("a", A)]], 24 * 90).await, (1, 1));
}

#[tokio::test]
async fn an_aggregator_that_shifts_ids_and_links_shows_one_article() {
    let at = |token: &str| {
        [item("g", &format!("{A} - The Paper"))
            .id(&format!("CBMi{token}"))
            .link(&format!("https://news.google.com/rss/articles/CBMi{token}?oc=5"))]
    };
    let (a, b, c) = (at("aaa"), at("bbb"), at("ccc"));
    assert_eq!(shown(&[&a, &b, &c, &a], 12).await, (1, 1));
}

#[tokio::test]
async fn two_ids_for_one_address_and_title_are_one_article() {
    let post = |id: &str| {
        item("a", A).id(&format!("https://blog.example/?p={id}")).link("https://blog.example/talks/")
    };
    assert_eq!(
        shown(&[&[post("12"), post("13")], &[post("13")], &[post("12"), post("14")]], 1).await,
        (1, 1)
    );
}

#[tokio::test]
async fn two_unmatched_entries_of_one_article_leave_the_archive_in_step() {
    let house = House::new().await;
    house.turn().await;
    let post = |id: &str, title: &str| {
        item("x", title).id(id).link(&format!("https://blog.example/{}", title.len()))
    };
    house.show("one", &[post("1", "A bridge"), post("2", "A bridge"), post("3", "The new harbour crane")]);
    house.after(hours(1)).await;
    assert_eq!(house.articles(), 2);
    assert_eq!(house.read(|tx| tx.any_text(2)).unwrap().title, "The new harbour crane");
}

#[tokio::test]
async fn tracking_parameters_make_no_second_article() {
    let from =
        |what: &str| [item("a", A).no_id().link(&format!("https://news.example/talks?utm_source={what}"))];
    assert_eq!(shown(&[&from("rss"), &from("mail"), &from("app")], 1).await, (1, 1));
}

#[tokio::test]
async fn a_headline_that_repeats_daily_under_new_ids_and_no_link_is_new_each_day() {
    let day = |id: &str, what: &str| item(id, "Morning briefing").no_link().summary(what);
    let (one, two) = (
        day(
            "1",
            "Tokyo opens burden sharing talks with Washington; negotiators meet for two days at the foreign ministry.",
        ),
        day(
            "2",
            "Warsaw signs a host nation support deal over barracks in the east, after a year of haggling.",
        ),
    );
    assert_eq!(shown(&[std::slice::from_ref(&one), &[two, one.clone()]], 24).await, (2, 2));
}

#[tokio::test]
async fn one_headline_over_two_addresses_or_dates_is_two_articles() {
    let start: jiff::Timestamp = crate::house::START.parse().unwrap();
    let talks = |id: &str, hour: i64| item(id, A).at(start + hours(hour));
    let (one, two) = (talks("2026/1", 1), talks("2026/2", 2));
    assert_eq!(shown(&[&[two.clone(), one.clone()]], 1).await.0, 2, "in one document");
    assert_eq!(shown(&[std::slice::from_ref(&one), &[two, one.clone()]], 60).await.0, 2);
    let undated = |id: &str| item(id, A).link(&format!("https://news.example/{id}"));
    assert_eq!(shown(&[&[undated("a")], &[undated("b"), undated("a")]], 1).await.0, 2);
    // A column without addresses.
    let (one, two) = (talks("a", 1).no_link(), talks("b", 49).no_link());
    assert_eq!(shown(&[std::slice::from_ref(&one), &[two, one.clone()]], 48).await.0, 2);
}

#[tokio::test]
async fn one_headline_is_one_article_where_nothing_tells_two_apart() {
    let start: jiff::Timestamp = crate::house::START.parse().unwrap();
    let bare = |id: &str| [item("a", A).id(id).no_link()];
    assert_eq!(shown(&[&bare("1"), &bare("2"), &bare("3")], 12).await, (1, 1), "no address, no date");
    let dated = |id: &str, hour: i64| [item("a", A).id(id).no_link().at(start + hours(hour))];
    assert_eq!(shown(&[&dated("1", 1), &dated("2", 5)], 4).await, (1, 1), "one day");
    // The same words under another address: it was renamed.
    let text = |id: &str| [item(id, A).summary("Ministers met in Tokyo on Tuesday to talk about money.")];
    assert_eq!(shown(&[&text("tokyo-talks"), &text("tokyo-opens-talks")], 4).await, (1, 1));
}

#[tokio::test]
async fn a_reused_id_without_links_is_a_new_article() {
    let slot = |title: &str| [item("a", title).id("top").no_link()];
    assert_eq!(shown(&[&slot(A), &slot(B), &slot(C), &slot(A)], 1).await, (3, 3));
    let front = |title: &str| [item("a", title).id("top").link("https://news.example/")];
    assert_eq!(shown(&[&front(A), &front(B), &front(C), &front(A)], 1).await, (3, 3));
}
