//! Feeds that move: a permanent redirect is remembered once it has held, and forgotten when it leads nowhere.

use crate::house::{House, Plan, hours, item, minutes, rss};
use crate::http::{answer, redirect};

const A: &str = "Tokyo opens burden sharing talks with Washington";

fn asked(house: &House, path: &str) -> usize {
    house.server.hits().iter().filter(|hit| hit.path == path).count()
}

/// A feed `one` that answers 301 to `/two`, which another feed's page serves.
async fn moving(once: bool) -> House {
    let house = House::of(Plan { once, ..Plan::default() }).await;
    house.script("one", redirect("301 Moved Permanently", "/two"));
    house.script("two", answer("200 OK", &[], rss(&[item("a", A)])));
    house
}

#[tokio::test]
async fn two_single_runs_in_a_row_adopt_a_move() {
    let mut house = moving(true).await;
    house.turn().await;
    assert_eq!(house.feed("one").moved_url, None);
    house.restart();
    house.turn().await;
    assert!(house.feed("one").moved_url.unwrap().ends_with("/two"));
    house.restart();
    house.turn().await;
    assert_eq!(asked(&house, "/one"), 2, "the third run asks the new address");
    assert_eq!(house.articles(), 1);
}

#[tokio::test]
async fn an_hour_of_the_daemons_clock_adopts_a_move() {
    let house = moving(false).await;
    for _ in 0..3 {
        house.turn().await;
        house.clock.advance(minutes(20));
    }
    assert_eq!(house.feed("one").moved_url, None);
    house.turn().await;
    assert!(house.feed("one").moved_url.is_some());
    house.after(minutes(20)).await;
    assert_eq!(asked(&house, "/one"), 4);
}

#[tokio::test]
async fn a_move_to_a_dead_address_is_forgotten() {
    let mut house = moving(true).await;
    house.turn().await;
    house.restart();
    house.turn().await;
    assert!(house.feed("one").moved_url.is_some());
    house.script("two", answer("404 Not Found", &[], ""));
    house.show("one", &[item("a", A), item("b", "Parliament debates host nation support bill")]);
    for _ in 0..4 {
        house.after(hours(3)).await;
    }
    let feed = house.feed("one");
    assert_eq!((feed.moved_url, feed.failures), (None, 0));
    assert_eq!(house.articles(), 2);
}

#[tokio::test]
async fn a_passing_redirect_is_not_remembered() {
    let mut house = House::new().await;
    house.script("one", redirect("302 Found", "/two"));
    house.script("two", answer("200 OK", &[], rss(&[item("a", A)])));
    for _ in 0..3 {
        house.after(hours(2)).await;
        house.restart();
    }
    assert_eq!(house.feed("one").moved_url, None);
}

#[tokio::test]
async fn a_move_to_a_login_page_is_not_adopted() {
    let mut house = moving(true).await;
    house.script(
        "two",
        answer("200 OK", &[("Content-Type", "text/html")], "<html><body><form>Sign in</form></body></html>"),
    );
    for _ in 0..3 {
        house.after(hours(2)).await;
        house.restart();
    }
    let feed = house.feed("one");
    assert_eq!((feed.moved_url, feed.failures), (None, 3));
}
