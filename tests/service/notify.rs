//! What systemd hears, through a socket of the test's own.

use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::Town;
use crate::watch::{Daemon, PATIENCE, Watch, until, words};

/// The other end of the notify socket.
pub(crate) struct Ear {
    path: std::path::PathBuf,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Ear {
    pub(crate) fn open(watch: &Watch) -> Self {
        let path = watch.file("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (log, database) = (Arc::clone(&heard), watch.database());
        // The thread ends with the test process.
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                let there = if database.exists() { " [database is there]" } else { "" };
                let mut log = log.lock().unwrap();
                log.extend(words(&buffer[..length]).lines().map(|line| format!("{line}{there}")));
            }
        });
        Self { path, heard }
    }

    pub(crate) fn start(&self, watch: &Watch) -> Daemon {
        watch.start_with(|command| {
            command.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", "600000");
        })
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.heard().iter().filter(|line| line.starts_with(what)).count()
    }

    pub(crate) async fn hears(&self, what: &str, times: usize) {
        until(&format!("systemd hears {what} {times} times"), PATIENCE, || {
            (self.count(what) >= times).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_ready_status_watchdog_and_stopping() {
    let town = Town::found(4, 1).await;
    let ear = Ear::open(&town.watch);
    let daemon = ear.start(&town.watch);
    ear.hears("READY=1", 1).await;
    ear.hears("STATUS=", 1).await;
    ear.hears("WATCHDOG=1", 1).await;
    let begun = std::time::Instant::now();
    let before = ear.count("WATCHDOG=1");
    ear.hears("WATCHDOG=1", before + 5).await;
    // Five pings at a third of 0.6 s, with room for a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(3), "five pings took {:?}", begun.elapsed());
    daemon.stop().await;
    ear.hears("STOPPING=1", 1).await;
    let heard = ear.heard();
    let ready: Vec<&String> = heard.iter().filter(|line| line.starts_with("READY=1")).collect();
    assert_eq!(ready, ["READY=1 [database is there]"]);
    let place = |what: &str| heard.iter().position(|line| line.starts_with(what)).unwrap();
    assert!(place("READY=1") < place("STOPPING=1"));
    let status = heard.iter().find(|line| line.starts_with("STATUS=")).unwrap();
    assert!(status.contains("1 feeds (0 failing)"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_never_hears_ready_of_a_start_that_fails() {
    let town = Town::found(5, 0).await;
    std::fs::create_dir_all(&town.watch.state).unwrap();
    std::fs::write(
        town.watch.database(),
        "no database at all, but long enough to be taken for one ".repeat(40),
    )
    .unwrap();
    let ear = Ear::open(&town.watch);
    let mut daemon = ear.start(&town.watch);
    assert_eq!(daemon.exit(PATIENCE).await.code(), Some(1), "{}", daemon.log());
    assert_eq!(ear.count("READY"), 0);
}
