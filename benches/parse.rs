//! How long reading a clean feed takes, beside feed-rs alone on the same bytes.
//!
//! `cargo bench --bench parse` prints both medians and their ratio.
#![allow(clippy::print_stdout, clippy::expect_used, missing_docs, reason = "a bench prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use burdenwatch::news::entry::Context;
use burdenwatch::news::parse::read;

const ROUNDS: usize = 400;
const ENTRIES: usize = 40;

/// A clean feed of 40 entries and about 60 KB, as newspapers publish them.
fn feed() -> String {
    let mut feed = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Alliance desk</title><link>https://news.example.org/</link><description>Bases and budgets</description><language>en</language>",
    );
    for number in 0..ENTRIES {
        let paragraph = "Negotiators said the allies&rsquo; share of the cost of stationing troops would be settled before the agreement runs out, and that <a href=\"https://news.example.org/bases\">bases</a> stay open. 방위비 분담금 협상. ";
        feed.push_str(&format!(
            "<item><title>Talks on host nation support, round {number}</title><link>https://news.example.org/2026/{number}</link><guid isPermaLink=\"false\">n-{number}</guid><pubDate>Mon, 16 Nov 2026 09:{number:02}:00 +0900</pubDate><dc:creator>R. Holt</dc:creator><description><![CDATA[<p>{paragraph}</p>]]></description><content:encoded><![CDATA[<p>{paragraph}</p><p>{paragraph}</p><p>{paragraph}</p>]]></content:encoded></item>\n"
        ));
    }
    feed.push_str("</channel></rss>");
    feed
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}

fn main() {
    let feed = feed();
    let count = read(feed.as_bytes(), &Context::default()).expect("the feed is clean").entries.len();
    assert_eq!(count, ENTRIES, "every entry is read");
    let plain = median(|| drop(black_box(feed_rs::parser::parse(black_box(feed.as_bytes())))));
    let ours = median(|| drop(black_box(read(black_box(feed.as_bytes()), &Context::default()))));
    println!("{} bytes, {ENTRIES} entries", feed.len());
    println!("feed-rs alone   {plain:?}");
    println!("read            {ours:?}   ratio {:.2}", ours.as_secs_f64() / plain.as_secs_f64());
}
