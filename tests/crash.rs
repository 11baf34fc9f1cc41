//! SIGKILL at any instant: nothing that was shown is lost, nothing is mailed under two Message-IDs.
//!
//! The long version, with the figures printed:
//! `BURDENWATCH_KILLS=200 cargo test --test crash storm -- --nocapture` (and `BURDENWATCH_SEED=7`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

#[path = "support/http.rs"]
mod http;
#[path = "support/press.rs"]
mod press;
#[path = "support/sink.rs"]
mod sink;
#[path = "support/watch.rs"]
mod watch;

#[path = "crash/clock.rs"]
mod clock;
#[path = "crash/disk.rs"]
mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use press::Press;
use sink::{Mood, Sink, Step, Taken};
use watch::{PATIENCE, Watch, until, within};

/// Who gets every alert at once, and who gets few, a roll-up and digests.
const READERS: [&str; 2] = ["one@example.org", "two@example.org"];
const CAPPED: &str = "capped@example.org";

fn tables(feeds: &http::Server, sink: &Sink) -> String {
    format!(
        "[[feed]]\nname = \"A\"\nurl = \"{}\"\n[[feed]]\nname = \"B\"\nurl = \"{}\"\n{}\
         [[subscription]]\nname = \"all\"\nto = [\"{}\", \"{}\"]\nalert_wait = \"0s\"\nalerts_per_hour = 100000\n\
         [[subscription]]\nname = \"capped\"\nto = [\"{CAPPED}\"]\nalert_wait = \"0s\"\nalerts_per_hour = 2\n\
         digest = {{ at = \"23:59:59\" }}\n",
        feeds.url("/a"),
        feeds.url("/b"),
        sink.tables(),
        READERS[0],
        READERS[1]
    )
}

/// When a kill comes.
#[derive(Debug, Clone, Copy)]
enum Aim {
    /// After a request of the feed came in.
    Poll,
    /// After a message was begun.
    Delivery,
    /// So long after the start.
    Any,
}

/// What a mail server may do to a client, all of it temporary.
fn mood(random: &mut fastrand::Rng, step: Step) -> Mood {
    let wait = Duration::from_millis(random.u64(0..120));
    match (step, random.u32(0..100)) {
        (Step::Greeting, 0..6) => Mood::Refuse("421 too busy"),
        (Step::Greeting, 6..10) => Mood::HangUp,
        (Step::Recipient, 0..5) => Mood::Refuse("451 greylisted, come back"),
        (Step::Recipient, 5..7) => Mood::Refuse("452 mailbox full"),
        (Step::Data, 0..4) => Mood::Refuse("421 shutting down"),
        (Step::Body, 0..4) => Mood::HangUp,
        (Step::Body, 4..12) | (Step::Dot, 12..24) => Mood::Slow(wait),
        (Step::Dot, 0..4) => Mood::HangUp,
        (Step::Dot, 4..9) => Mood::TakeAndHangUp,
        (Step::Dot, 9..12) => Mood::Refuse("451 try again"),
        _ => Mood::Kind,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_ten_times_in_a_poll_loses_nothing() {
    storm(11, 10, |_| Aim::Poll).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_ten_times_in_a_delivery_sends_nothing_under_two_ids() {
    storm(12, 10, |_| Aim::Delivery).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn storm_of_kills_at_random_instants() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (kills, seed) = (number("BURDENWATCH_KILLS").unwrap_or(8), number("BURDENWATCH_SEED").unwrap_or(1));
    let aim = |random: &mut fastrand::Rng| match random.u32(0..3) {
        0 => Aim::Poll,
        1 => Aim::Delivery,
        _ => Aim::Any,
    };
    storm(seed, usize::try_from(kills).unwrap(), aim).await;
}

async fn storm(seed: u64, kills: usize, aim: impl Fn(&mut fastrand::Rng) -> Aim) {
    let mut random = fastrand::Rng::with_seed(seed);
    let press = Press::new(random.u64(..), 2).dawdling();
    let feeds = press.serve().await;
    let calm = Arc::new(AtomicBool::new(false));
    let (calmed, moods) = (Arc::clone(&calm), Mutex::new(random.fork()));
    let sink = Sink::start(move |step| {
        if calmed.load(Ordering::SeqCst) { Mood::Kind } else { mood(&mut moods.lock().unwrap(), step) }
    })
    .await;
    let watch = Watch::new(&tables(&feeds, &sink));
    let begun = std::time::Instant::now();
    for kill in 0..kills {
        let starts = watch.starts();
        let mut daemon = watch.start();
        let asked = press.asked();
        let bodies = sink.bodies();
        // A digest asked for by hand in the middle of it, at times.
        let digest = if kill % 10 == 7 {
            // Before that the command would have the state directory to itself, and the daemon would be refused.
            until("it is ready", PATIENCE, || (watch.starts() > starts).then_some(())).await;
            Some(tokio::spawn(watch::output(watch.command(&["digest", "send", "capped"]))))
        } else {
            None
        };
        let polls = 1 + random.usize(0..3);
        let limit = Duration::from_secs(10);
        let (aimed, hit) = match aim(&mut random) {
            Aim::Poll => ("poll", within(limit, || (press.asked() >= asked + polls).then_some(())).await),
            Aim::Delivery => {
                ("delivery", within(limit, || (sink.bodies() >= bodies + polls).then_some(())).await)
            }
            Aim::Any => {
                tokio::time::sleep(Duration::from_millis(random.u64(0..1500))).await;
                ("any", Some(()))
            }
        };
        tokio::time::sleep(Duration::from_millis(random.u64(0..40))).await;
        assert!(daemon.ended().is_none(), "kill {kill}: it had ended by itself\n{}", daemon.log());
        assert!(
            hit.is_some() || !feeds.hits().is_empty(),
            "kill {kill}, {aimed}: nothing happened\n{}",
            daemon.log()
        );
        daemon.kill();
        if let Some(digest) = digest {
            let done = digest.await.unwrap();
            // It may have tried to deliver to a server in a bad mood; it never loses what it queued.
            assert!(matches!(done.status.code(), Some(0 | 1)), "{}", watch::words(&done.stderr));
        }
    }
    press.set_rate(0);
    calm.store(true, Ordering::SeqCst);
    let daemon = watch.start();
    settle(&watch, &press, &sink, &daemon).await;
    daemon.stop().await;
    let figures = audit(&watch, &press.titles(), &sink.taken());
    let allowed = kills + sink.ambiguous();
    eprintln!(
        "seed {seed}: {kills} kills in {:.0} s, {} polls, {} items, {} mails taken ({} alert, {} roll-up, {} digest), \
         0 lost, 0 under two Message-IDs, {} duplicates of one Message-ID (at most {allowed}: {kills} kills + {} ambiguous drops), integrity ok",
        begun.elapsed().as_secs_f64(),
        press.asked(),
        press.titles().len(),
        sink.count(),
        figures.kinds["alert"],
        figures.kinds["rollup"],
        figures.kinds["digest"],
        figures.duplicates,
        sink.ambiguous(),
    );
    assert!(figures.duplicates <= allowed, "{} duplicates, {allowed} allowed", figures.duplicates);
}

/// Waits, in calm weather, until everything shown has reached everybody.
async fn settle(watch: &Watch, press: &Press, sink: &Sink, daemon: &watch::Daemon) {
    let titles = press.titles();
    let seen = |to: &str| {
        let words: Vec<String> = sink.taken().iter().filter(|mail| mail.to == to).map(Taken::words).collect();
        let words = words.join("\n");
        titles.iter().filter(|title| !words.contains(title.as_str())).cloned().collect::<Vec<_>>()
    };
    for reader in READERS {
        let got = within(PATIENCE * 2, || seen(reader).is_empty().then_some(())).await;
        assert!(got.is_some(), "{reader} never heard of {:?}\n{}", seen(reader), tail(&daemon.log()));
    }
    // What the cap held back comes in the digest.
    let sent = watch.ask(&["digest", "send", "capped"]).await;
    assert!(sent.status.success(), "{}", watch::words(&sent.stderr));
    let got = within(PATIENCE, || seen(CAPPED).is_empty().then_some(())).await;
    assert!(got.is_some(), "{CAPPED} never heard of {:?}\n{}", seen(CAPPED), tail(&daemon.log()));
    let empty = within(PATIENCE, || {
        (watch.number("SELECT count(*) FROM outbox WHERE state <> 'sent'")? == 0).then_some(())
    });
    if empty.await.is_none() {
        let listed = watch.ask(&["outbox", "list"]).await;
        panic!("the outbox does not empty:\n{}\n{}", watch::words(&listed.stdout), tail(&daemon.log()));
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

struct Figures {
    duplicates: usize,
    kinds: BTreeMap<&'static str, usize>,
}

/// Checks what arrived against what was published, and the database.
fn audit(watch: &Watch, titles: &[String], taken: &[Taken]) -> Figures {
    watch.assert_sound();
    let matches = watch.number("SELECT count(*) FROM match").unwrap();
    assert_eq!(usize::try_from(matches).unwrap(), titles.len(), "every item matched once");
    let mut kinds = BTreeMap::from([("alert", 0), ("rollup", 0), ("digest", 0)]);
    let mut copies: BTreeMap<(String, String), Vec<&Taken>> = BTreeMap::new();
    // By recipient and what the mail is about, and by recipient and title: the ids it came under.
    let mut ids: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for mail in taken {
        let (id, about) = (mail.id(), mail.header("X-Burdenwatch-Id"));
        let kind =
            kinds.iter_mut().find(|(kind, _)| about.starts_with(**kind)).expect("a known kind of mail");
        *kind.1 += 1;
        ids.entry((mail.to.clone(), about.clone())).or_default().insert(id.clone());
        if !about.starts_with("digest") {
            let words = mail.words();
            for title in titles.iter().filter(|title| words.contains(title.as_str())) {
                ids.entry((mail.to.clone(), title.clone())).or_default().insert(id.clone());
            }
        }
        copies.entry((mail.to.clone(), id)).or_default().push(mail);
    }
    for ((to, what), ids) in &ids {
        assert_eq!(ids.len(), 1, "{what} was mailed to {to} under {ids:?}");
    }
    let mut duplicates = 0;
    for ((_, id), copies) in &copies {
        duplicates += copies.len() - 1;
        assert!(
            copies.iter().all(|copy| copy.data == copies[0].data),
            "{id} has not the same bytes every time"
        );
    }
    Figures { duplicates, kinds }
}
