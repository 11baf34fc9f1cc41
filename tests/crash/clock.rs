//! The wall clock set by hours while the daemon runs, in this process: no machine's clock is touched.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use burdenwatch::config::load;
use burdenwatch::daemon;
use burdenwatch::time::{Clock, SystemClock};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::press::Press;
use crate::sink::{Mood, Sink, Step, Taken};
use crate::watch::{PATIENCE, Watch, until};

/// The machine's clock, off by some hours.
#[derive(Debug, Clone, Default)]
struct Wrong(Arc<AtomicI64>);

impl Wrong {
    fn set(&self, hours: i64) {
        self.0.store(hours, Ordering::SeqCst);
    }
}

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_hours(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_given_and_taken_lose_nothing_and_double_no_digest() {
    let press = Press::new(41, 2);
    let feeds = press.serve().await;
    let random = std::sync::Mutex::new(fastrand::Rng::with_seed(42));
    // Some mails are put off, so that a step finds them waiting.
    let sink = Sink::start(move |step| match step {
        Step::Recipient if random.lock().unwrap().u32(0..3) == 0 => Mood::Refuse("451 later"),
        _ => Mood::Kind,
    })
    .await;
    // Two hours from now is the digest's slot.
    let slot = SystemClock.now().to_zoned(TimeZone::UTC).time().wrapping_add(jiff::Span::new().hours(2));
    let watch = Watch::new(&format!(
        "[[feed]]\nname = \"A\"\nurl = \"{}\"\n{}[[subscription]]\nname = \"all\"\nto = [\"one@example.org\"]\n\
         alert_wait = \"1s\"\nalerts_per_hour = 100000\ndigest = {{ at = \"{}\" }}\n",
        feeds.url("/a"),
        sink.tables(),
        slot.strftime("%H:%M:%S")
    ));
    let loaded = load::load(&watch.config()).unwrap();
    let (clock, stop) = (Wrong::default(), CancellationToken::new());
    let (_reloads, asked) = tokio::sync::mpsc::channel(1);
    let running = tokio::spawn(daemon::run(loaded, Arc::new(clock.clone()), stop.clone(), asked));
    let digests = || {
        let ids =
            sink.taken().into_iter().filter(|mail| mail.header("X-Burdenwatch-Id").starts_with("digest"));
        ids.map(|mail| mail.id()).collect::<std::collections::BTreeSet<_>>().len()
    };
    let missing = || {
        let words: String = sink.taken().iter().map(Taken::words).collect();
        press.titles().into_iter().filter(|title| !words.contains(title.as_str())).collect::<Vec<_>>()
    };
    // From hour to hour; the slot is passed at the second, taken back, passed again, and taken back.
    for (hours, owed) in [(0, 0), (5, 1), (-3, 1), (4, 1), (1, 1)] {
        clock.set(hours);
        let asked = press.asked();
        until(&format!("feeds are polled at {hours} h"), PATIENCE, || {
            (press.asked() >= asked + 3).then_some(())
        })
        .await;
        press.set_rate(0);
        let got = crate::within(PATIENCE, || missing().is_empty().then_some(())).await;
        assert!(got.is_some(), "at {hours} h, never mailed: {:?}", missing());
        until(&format!("{owed} digests at {hours} h"), PATIENCE, || (digests() >= owed).then_some(())).await;
        assert_eq!(digests(), owed, "at {hours} h");
        press.set_rate(2);
    }
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(15), running).await.unwrap().unwrap().unwrap();
    watch.assert_sound();
    let taken = sink.taken();
    let ids: std::collections::BTreeSet<String> = taken.iter().map(Taken::id).collect();
    assert_eq!(ids.len(), taken.len(), "every mail once");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_put_off_by_a_clock_that_was_ahead_goes_out_after_the_next_start() {
    let press = Press::new(43, 2);
    let feeds = press.serve().await;
    let well = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let cured = Arc::clone(&well);
    let sink = Sink::start(move |step| match step {
        Step::Recipient if !cured.load(Ordering::SeqCst) => Mood::Refuse("451 later"),
        _ => Mood::Kind,
    })
    .await;
    let watch = Watch::new(&format!(
        "[[feed]]\nname = \"A\"\nurl = \"{}\"\n{}[[subscription]]\nname = \"all\"\nto = [\"one@example.org\"]\n\
         alert_wait = \"1s\"\nalerts_per_hour = 100000\n",
        feeds.url("/a"),
        sink.tables()
    ));
    let clock = Wrong::default();
    clock.set(9);
    for right in [false, true] {
        let loaded = load::load(&watch.config()).unwrap();
        let stop = CancellationToken::new();
        let (_reloads, asked) = tokio::sync::mpsc::channel(1);
        let running = tokio::spawn(daemon::run(loaded, Arc::new(clock.clone()), stop.clone(), asked));
        if right {
            until("everything is mailed", PATIENCE, || {
                let words: String = sink.taken().iter().map(Taken::words).collect();
                press.titles().iter().all(|title| words.contains(title.as_str())).then_some(())
            })
            .await;
        } else {
            until("mail is put off", PATIENCE, || {
                (watch.number("SELECT count(*) FROM outbox WHERE state = 'deferred'")? > 0).then_some(())
            })
            .await;
            press.set_rate(0);
        }
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(15), running).await.unwrap().unwrap().unwrap();
        assert_eq!(sink.count() > 0, right);
        well.store(true, Ordering::SeqCst);
        clock.set(0);
    }
}
