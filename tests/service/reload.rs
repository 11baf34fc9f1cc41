//! SIGHUP: everything is read again, and a mistake leaves the old configuration in force.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::http::{Server, Step, answer};
use crate::notify::Ear;
use crate::sink::{Mood, Sink};
use crate::watch::{Daemon, PATIENCE, Watch, until};
use crate::{DESK, Town, feed};

/// Waits for the end of one more reload.
async fn reload(daemon: &Daemon, ear: &Ear) {
    let (begun, ended) = (ear.count("RELOADING=1"), ear.count("READY=1"));
    daemon.signal("HUP");
    ear.hears("RELOADING=1", begun + 1).await;
    ear.hears("READY=1", ended + 1).await;
    let heard = ear.heard();
    let last = |what: &str| heard.iter().rposition(|line| line.starts_with(what)).unwrap();
    assert!(last("RELOADING=1") < last("READY=1"), "{heard:?}");
    assert!(last("MONOTONIC_USEC=") < last("READY=1"), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_feed_and_a_new_rule_are_live_after_a_reload() {
    let town = Town::found(6, 1).await;
    let ear = Ear::open(&town.watch);
    let daemon = ear.start(&town.watch);
    until("the first feed is mailed", PATIENCE, || (town.sink.count() > 0).then_some(())).await;
    let item = "<rss version=\"2.0\"><channel><title>Other</title><item><title>Talks on host nation support open in \
        the capital</title><guid>other-1</guid></item></channel></rss>";
    let other = crate::http::Server::start(move |_| crate::http::answer("200 OK", &[], item)).await;
    // An included file, to begin with: it is read again too.
    std::fs::write(town.watch.file("more.toml"), feed("Other", &other.url("/o"))).unwrap();
    let tables = format!(
        "[feeds]\nfiles = [\"more.toml\"]\n{}{}{DESK}",
        feed("A", &town.feeds.url("/a")),
        town.sink.tables()
    );
    town.watch.configure(&tables);
    reload(&daemon, &ear).await;
    until("the new feed is polled", PATIENCE, || (!other.hits().is_empty()).then_some(())).await;
    until("its item is stored", PATIENCE, || {
        (town
            .watch
            .number("SELECT count(*) FROM sighting JOIN feed ON feed.id = feed_id WHERE name = 'Other'")?
            == 1)
            .then_some(())
    })
    .await;
    // Nothing flags it yet; with a new rule, its next wording does.
    let rules = std::fs::read_to_string(town.watch.file("rules.toml")).unwrap();
    let rules = format!(
        "{}\n[sets.host]\nen = [\"host nation support\"]\n{}\n[[rule]]\nid = \"host\"\ntitle = \"Host nation support\"\n\
         topic = \"host\"\nlevel = \"alert\"\nwhen = \"host\"\n",
        &rules[..rules.find("[[rule]]").unwrap()],
        &rules[rules.find("[[rule]]").unwrap()..]
    );
    std::fs::write(town.watch.file("rules.toml"), rules).unwrap();
    let third = "<rss version=\"2.0\"><channel><title>Third</title><item><title>More host nation support is asked \
        for</title><guid>third-1</guid><pubDate>DATE</pubDate></item></channel></rss>";
    let third = crate::http::Server::start(move |_| {
        let now =
            burdenwatch::time::Clock::now(&burdenwatch::time::SystemClock).to_zoned(jiff::tz::TimeZone::UTC);
        crate::http::answer(
            "200 OK",
            &[],
            third.replace("DATE", &jiff::fmt::rfc2822::to_string(&now).unwrap()),
        )
    })
    .await;
    let more = format!("{}{}", feed("Other", &other.url("/o")), feed("Third", &third.url("/t")));
    std::fs::write(town.watch.file("more.toml"), more).unwrap();
    reload(&daemon, &ear).await;
    until("the new rule's alert is mailed", PATIENCE, || {
        town.sink.taken().iter().any(|mail| mail.words().contains("More host nation support")).then_some(())
    })
    .await;
    let asked = town.press.asked();
    until("the old feed goes on", PATIENCE, || (town.press.asked() > asked).then_some(())).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_named_with_its_line_and_the_old_configuration_stays() {
    let town = Town::found(7, 1).await;
    let ear = Ear::open(&town.watch);
    let daemon = ear.start(&town.watch);
    ear.hears("READY=1", 1).await;
    let good = std::fs::read_to_string(town.watch.config()).unwrap();
    let line = good.lines().count() + 1;
    // Three mistakes in the main file, then one in a rule file, then a file that is gone.
    std::fs::write(town.watch.config(), format!("{good}qiet_hours = \"1\"\n[mial]\nx = 1\n")).unwrap();
    reload(&daemon, &ear).await;
    let complaint = |what: &str| {
        let log = daemon.log();
        log.lines().any(|line| (line.contains("ERROR") || line.contains("WARN")) && line.contains(what))
    };
    for line in [line, line + 1] {
        let place = format!("{}:{line}", town.watch.config().display());
        assert!(complaint(&place), "{place} is not in\n{}", daemon.log());
    }
    std::fs::write(town.watch.config(), &good).unwrap();
    let rules = std::fs::read_to_string(town.watch.file("rules.toml")).unwrap();
    std::fs::write(
        town.watch.file("rules.toml"),
        rules.replace("when = \"sharing\"", "when = \"sharing and nothing_such\""),
    )
    .unwrap();
    reload(&daemon, &ear).await;
    let at = rules.lines().position(|line| line.starts_with("when")).unwrap() + 1;
    let place = format!("{}:{at}", town.watch.file("rules.toml").display());
    assert!(complaint(&place), "{place} is not in\n{}", daemon.log());
    std::fs::remove_file(town.watch.file("rules.toml")).unwrap();
    reload(&daemon, &ear).await;
    assert!(complaint("rules.toml"), "{}", daemon.log());
    // All the while it works as before.
    let mails = town.sink.count();
    until("mail goes on", PATIENCE, || (town.sink.count() > mails).then_some(())).await;
    // And when the file is right again, so is the daemon.
    std::fs::write(town.watch.file("rules.toml"), rules).unwrap();
    reload(&daemon, &ear).await;
    daemon.says("the configuration was read again").await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_in_flight_obeys_the_interval_and_the_address_of_the_reload() {
    let (go, begun) = (Arc::new(Notify::new()), AtomicUsize::new(0));
    let word = Arc::clone(&go);
    let server = Server::start(move |_| {
        let item =
            "<rss version=\"2.0\"><channel><title>F</title><item><guid>1</guid></item></channel></rss>";
        let answer = answer("200 OK", &[], item);
        match begun.fetch_add(1, Ordering::SeqCst) {
            // The first, and the first after the second reload.
            0 | 2 => [vec![Step::Wait(Arc::clone(&word))], answer].concat(),
            _ => answer,
        }
    })
    .await;
    let asked = |path: &str| server.hits().iter().filter(|hit| hit.path == path).count();
    let sink = Sink::start(|_| Mood::Kind).await;
    let tables = |path: &str, every: &str| {
        format!("{}every = \"{every}\"\n{}{DESK}", feed("A", &server.url(path)), sink.tables())
    };
    let watch = Watch::new(&tables("/a", "1h"));
    let ear = Ear::open(&watch);
    let daemon = ear.start(&watch);
    until("the first poll is in flight", PATIENCE, || (asked("/a") == 1).then_some(())).await;
    watch.configure(&tables("/a", "1s"));
    reload(&daemon, &ear).await;
    go.notify_one();
    until("the next is a second later", PATIENCE, || (asked("/a") == 2).then_some(())).await;
    until("one more is in flight", PATIENCE, || (asked("/a") == 3).then_some(())).await;
    watch.configure(&tables("/b", "1h"));
    reload(&daemon, &ear).await;
    go.notify_one();
    until("the new address is asked at once", PATIENCE, || (asked("/b") == 1).then_some(())).await;
    let why = || {
        watch.number("SELECT count(*) FROM feed WHERE next_poll_at > last_poll_at + 3000000 AND polls > 1")
    };
    until("and then every hour", PATIENCE, || (why()? == 1).then_some(())).await;
    daemon.stop().await;
}
