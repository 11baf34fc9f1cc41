//! A newspaper: every request may find new items, each of which a rule must flag.

#![allow(dead_code, reason = "shared by test crates, which each use a part")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use burdenwatch::time::{Clock, SystemClock};

use crate::http;
use crate::http::{Hit, Script, Step};

/// Items in a document: more than are published between two polls that succeed.
const WINDOW: usize = 150;

#[derive(Debug)]
struct Desk {
    random: fastrand::Rng,
    items: Vec<(String, String)>,
    /// New items a request finds, at most.
    rate: usize,
    /// Whether the server dawdles in the middle of a document at times.
    dawdles: bool,
}

/// What is published, at `/a` and so on: every path is a feed of its own.
#[derive(Debug, Clone)]
pub(crate) struct Press {
    desk: Arc<Mutex<Desk>>,
    asked: Arc<AtomicUsize>,
}

impl Press {
    pub(crate) fn new(seed: u64, rate: usize) -> Self {
        let desk = Desk { random: fastrand::Rng::with_seed(seed), items: Vec::new(), rate, dawdles: false };
        Self { desk: Arc::new(Mutex::new(desk)), asked: Arc::default() }
    }

    pub(crate) fn dawdling(self) -> Self {
        self.desk.lock().unwrap().dawdles = true;
        self
    }

    /// From now on at most so many new items a request.
    pub(crate) fn set_rate(&self, rate: usize) {
        let mut desk = self.desk.lock().unwrap();
        desk.rate = rate;
        desk.dawdles &= rate > 0;
    }

    /// The titles that were shown, oldest first.
    pub(crate) fn titles(&self) -> Vec<String> {
        self.desk.lock().unwrap().items.iter().map(|(_, item)| title(item)).collect()
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) async fn serve(&self) -> http::Server {
        let press = self.clone();
        http::Server::start(move |hit| press.answer(hit)).await
    }

    fn answer(&self, hit: &Hit) -> Script {
        let mut desk = self.desk.lock().unwrap();
        for _ in 0..desk.random_up_to_rate() {
            let item = write(&mut desk.random);
            desk.items.push((hit.path.clone(), item));
        }
        let mine: Vec<&String> =
            desk.items.iter().filter(|(path, _)| *path == hit.path).map(|(_, item)| item).collect();
        let tag = format!("\"{}\"", mine.len());
        let script = if hit.header("If-None-Match") == Some(tag.as_str()) {
            http::answer("304 Not Modified", &[("ETag", &tag)], "")
        } else {
            let items: String = mine.iter().rev().take(WINDOW).map(|item| item.as_str()).collect();
            let text = format!("<rss version=\"2.0\"><channel><title>Press</title>{items}</channel></rss>");
            http::answer("200 OK", &[("ETag", &tag), ("Content-Type", "application/rss+xml")], text)
        };
        let dawdle = if desk.dawdles { desk.random.u64(0..60) } else { 0 };
        drop(desk);
        self.asked.fetch_add(1, Ordering::SeqCst);
        halves(script, Duration::from_millis(dawdle))
    }
}

impl Desk {
    fn random_up_to_rate(&mut self) -> usize {
        self.random.usize(0..=self.rate)
    }
}

/// Sends an answer in two pieces with a pause between.
fn halves(script: Script, pause: Duration) -> Script {
    let mut parts = Script::new();
    for step in script {
        match step {
            Step::Send(bytes) if !pause.is_zero() => {
                let (first, rest) = bytes.split_at(bytes.len() / 2);
                parts.extend([Step::Send(first.to_vec()), Step::Pause(pause), Step::Send(rest.to_vec())]);
            }
            other => parts.push(other),
        }
    }
    parts
}

/// An item whose words no other has, so that each is a story of its own.
fn write(random: &mut fastrand::Rng) -> String {
    let name = |random: &mut fastrand::Rng| {
        let syllable = |random: &mut fastrand::Rng| {
            let one = |random: &mut fastrand::Rng, from: &str| {
                from.chars().nth(random.usize(0..from.len())).unwrap()
            };
            format!("{}{}", one(random, "bdfgklmnprstvz"), one(random, "aeiou"))
        };
        (0..4).map(|_| syllable(random)).collect::<String>()
    };
    let names: Vec<String> = (0..12).map(|_| name(random)).collect();
    let title = format!("Burden sharing {} {} {} {}", names[0], names[1], names[2], names[3]);
    let now = jiff::fmt::rfc2822::to_string(&SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
    let link = format!("https://news.example/{}-{}", names[0], names[1]);
    format!(
        "<item><title>{title}</title><link>{link}</link><guid>{link}</guid><pubDate>{now}</pubDate>\
         <description>{}</description></item>",
        names[4..].join(" ")
    )
}

fn title(item: &str) -> String {
    item.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap().to_owned()
}
