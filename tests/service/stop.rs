//! SIGTERM: exit 0 in time, whatever stalls, and nothing queued is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::http;
use crate::press::Press;
use crate::sink::{Mood, Sink, Step, Taken};
use crate::watch::{PATIENCE, Watch, until};
use crate::{DESK, Town, feed};

#[tokio::test(flavor = "multi_thread")]
async fn idle_it_stops_at_once() {
    let town = Town::found(1, 0).await;
    for signal in ["TERM", "INT"] {
        let starts = town.watch.starts();
        let mut daemon = town.watch.start();
        until("it is up", PATIENCE, || (town.watch.starts() > starts).then_some(())).await;
        until("it has polled", PATIENCE, || (town.press.asked() > 0).then_some(())).await;
        daemon.signal(signal);
        assert_eq!(daemon.exit(Duration::from_secs(5)).await.code(), Some(0), "{}", daemon.log());
    }
    assert!(!town.watch.state.join("burdenwatch.db-wal").exists(), "one tidy file is left");
    town.watch.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_stalls_does_not_hold_it_up() {
    let press = Press::new(2, 3);
    let feeds = press.serve().await;
    let dead = http::Server::start(|_| vec![http::Step::Hang]).await;
    let sink = Sink::start(|_| Mood::Kind).await;
    let tables =
        format!("{}{}{}{DESK}", feed("A", &feeds.url("/a")), feed("dead", &dead.url("/x")), sink.tables());
    let watch = Watch::new(&tables);
    let daemon = watch.start();
    until("the feed stalls", PATIENCE, || (!dead.hits().is_empty()).then_some(())).await;
    until("mail goes out meanwhile", PATIENCE, || (sink.count() > 0).then_some(())).await;
    daemon.stop().await;
    watch.assert_sound();
    // The poll that was cut off is repeated.
    let seen = dead.hits().len();
    let daemon = watch.start();
    until("the feed is asked again", PATIENCE, || (dead.hits().len() > seen).then_some(())).await;
    daemon.stop().await;
}

async fn a_mail_server_that_stalls_at(step: Step) {
    let press = Press::new(3, 2);
    let feeds = press.serve().await;
    let well = Arc::new(AtomicBool::new(false));
    let cured = Arc::clone(&well);
    let sink =
        Sink::start(
            move |now| {
                if now == step && !cured.load(Ordering::SeqCst) { Mood::Silent } else { Mood::Kind }
            },
        )
        .await;
    let watch = Watch::new(&format!("{}{}{DESK}", feed("A", &feeds.url("/a")), sink.tables()));
    let daemon = watch.start();
    until("the mail server stalls", PATIENCE, || match step {
        Step::Greeting => (sink.connections() > 0).then_some(()),
        _ => (sink.bodies() > 0).then_some(()),
    })
    .await;
    // Polling goes on meanwhile.
    let asked = press.asked();
    until("feeds are polled on", PATIENCE, || (press.asked() > asked + 1).then_some(())).await;
    press.set_rate(0);
    let took = daemon.stop().await;
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert_eq!(sink.count(), 0);
    well.store(true, Ordering::SeqCst);
    let daemon = watch.start();
    until("everything has arrived", PATIENCE, || {
        let words: String = sink.taken().iter().map(Taken::words).collect();
        press.titles().iter().all(|title| words.contains(title.as_str())).then_some(())
    })
    .await;
    assert_eq!(sink.count(), press.titles().len(), "each once");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_never_greets_does_not_hold_it_up() {
    a_mail_server_that_stalls_at(Step::Greeting).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_never_answers_the_message_does_not_hold_it_up() {
    a_mail_server_that_stalls_at(Step::Dot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_any_instant_after_the_start_a_stop_is_quick() {
    let town = Town::found(16, 2).await;
    let mut random = fastrand::Rng::with_seed(16);
    for _ in 0..12 {
        let starts = town.watch.starts();
        let mut daemon = town.watch.start();
        until("it is up", PATIENCE, || (town.watch.starts() > starts).then_some(())).await;
        tokio::time::sleep(Duration::from_millis(random.u64(0..60))).await;
        daemon.signal("TERM");
        assert_eq!(daemon.exit(Duration::from_secs(8)).await.code(), Some(0), "{}", daemon.log());
    }
    town.watch.assert_sound();
}
