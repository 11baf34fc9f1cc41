//! Commands beside a running daemon, and after it.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::Town;
use crate::watch::{PATIENCE, Watch, output, until, words};

const NOBODY: u32 = 65534;

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_asked_for_beside_the_daemon_is_delivered_within_seconds() {
    let town = Town::found(20, 1).await;
    let daemon = town.watch.start();
    until("an alert is out", PATIENCE, || (town.sink.count() > 0).then_some(())).await;
    for number in 1..=2 {
        let done = town.watch.ask(&["digest", "send", "desk"]).await;
        assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
        assert!(words(&done.stderr).contains("the running daemon delivers it"), "{}", words(&done.stderr));
        let begun = Instant::now();
        let subject = format!("#{number}");
        until("the digest has arrived", PATIENCE, || {
            let mails = town.sink.taken();
            mails
                .iter()
                .any(|mail| {
                    mail.header("X-Burdenwatch-Id").starts_with("digest")
                        && mail.words().lines().next().unwrap_or_default().contains(&subject)
                })
                .then_some(())
        })
        .await;
        assert!(begun.elapsed() < Duration::from_secs(8), "took {:?}", begun.elapsed());
    }
    daemon.stop().await;
    // Without a daemon the command delivers itself.
    let before = town.sink.count();
    let done = town.watch.ask(&["digest", "send", "desk"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
    assert_eq!(town.sink.count(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_sent_before_the_daemon_knows_its_subscription_has_the_day_before() {
    let town = Town::found(23, 2).await;
    for _ in 0..2 {
        let done = town.watch.ask(&["run", "--once", "--all"]).await;
        assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
    }
    let fresh = town.watch.number("SELECT count(*) FROM match WHERE disposition <> 'baseline'");
    assert!(fresh > Some(0), "there is something to tell: {fresh:?}");
    let config = std::fs::read_to_string(town.watch.config()).unwrap();
    let new = crate::DESK.replace("desk", "late");
    std::fs::write(town.watch.config(), format!("{config}{new}")).unwrap();
    let done = town.watch.ask(&["digest", "send", "late"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
    assert_eq!(town.watch.number("SELECT articles FROM digest WHERE subscription = 'late'"), fresh);
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The program where anybody may run it.
fn program(watch: &Watch) -> PathBuf {
    let copy = watch.file("burdenwatch");
    if !copy.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_burdenwatch"), &copy).unwrap();
    }
    std::fs::set_permissions(copy.parent().unwrap(), std::fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

async fn status_as(watch: &Watch, user: u32) -> Output {
    let mut command = Command::new(program(watch));
    command.arg("-c").arg(watch.config()).args(["status", "--json"]).uid(user).gid(user).current_dir("/");
    output(command).await
}

fn owners(state: &Path) -> Vec<(String, u32)> {
    let entries = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap());
    let mut owners: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().uid()))
        .collect();
    owners.sort();
    owners
}

/// Asks as somebody else: right figures, and no file of theirs left behind.
async fn look(watch: &Watch, user: u32, owner: u32, when: &str) {
    let done = status_as(watch, user).await;
    let said = words(&done.stdout);
    assert_eq!(
        done.status.code(),
        Some(0),
        "{when}, as {user}: {said}{}{:?}",
        words(&done.stderr),
        owners(&watch.state)
    );
    let figures: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(figures["feeds"]["total"], 1, "{said}");
    assert!(figures["matches"].as_u64().unwrap() > 0, "{said}");
    assert!(owners(&watch.state).iter().all(|(_, uid)| *uid == owner), "{:?}", owners(&watch.state));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_works_for_anybody_who_may_read_and_leaves_nothing_behind() {
    if !is_root() {
        eprintln!("SKIPPED: only root can be somebody else (status as another user)");
        return;
    }
    let town = Town::found(21, 3).await;
    program(&town.watch);
    // Of root, read by nobody; then of nobody, read by root.
    for (owner, reader) in [(0, NOBODY), (NOBODY, 0)] {
        let _ = std::fs::remove_dir_all(&town.watch.state);
        std::fs::create_dir_all(&town.watch.state).unwrap();
        std::fs::set_permissions(&town.watch.state, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(&town.watch.state, Some(owner), Some(owner)).unwrap();
        let program = program(&town.watch);
        let start = || {
            town.watch.start_with(|command| {
                let mut other = Command::new(&program);
                other.arg("-c").arg(town.watch.config()).arg("run").uid(owner).gid(owner).current_dir("/");
                *command = other;
            })
        };
        let mut daemon = start();
        until("something is flagged", PATIENCE, || {
            (town.watch.number("SELECT count(*) FROM match")? > 0).then_some(())
        })
        .await;
        for user in [reader, owner] {
            look(&town.watch, user, owner, "beside the daemon").await;
        }
        daemon.kill();
        assert!(town.watch.state.join("burdenwatch.db-wal").exists(), "killed, it leaves its log");
        for user in [reader, owner, reader] {
            look(&town.watch, user, owner, "after a kill").await;
        }
        if reader == 0 {
            // Half a state: the log without its index, as a copy of the directory may have it.
            std::fs::remove_file(town.watch.state.join("burdenwatch.db-shm")).unwrap();
            look(&town.watch, reader, owner, "without an index").await;
        }
        let daemon = start();
        daemon.says("is watching").await;
        let begun = town.press.asked();
        until("it works again", PATIENCE, || (town.press.asked() > begun).then_some(())).await;
        daemon.stop().await;
        for user in [reader, owner] {
            look(&town.watch, user, owner, "after a stop").await;
        }
        assert!(!town.watch.state.join("burdenwatch.db-wal").exists(), "{:?}", owners(&town.watch.state));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_before_the_first_start_makes_nothing() {
    let town = Town::found(22, 0).await;
    let done = town.watch.ask(&["status", "--json"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
    let figures: serde_json::Value = serde_json::from_str(&words(&done.stdout)).unwrap();
    assert_eq!(figures["feeds"]["total"], 1);
    assert!(!town.watch.state.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_root_does_without_a_daemon_does_not_lock_the_daemon_out() {
    if !is_root() {
        eprintln!("SKIPPED: only root can be in the daemon's way (commands as root)");
        return;
    }
    let town = Town::found(23, 2).await;
    let program = program(&town.watch);
    std::fs::create_dir_all(&town.watch.state).unwrap();
    std::os::unix::fs::chown(&town.watch.state, Some(NOBODY), Some(NOBODY)).unwrap();
    // No database, no lock file yet: root's command makes them.
    for words_of_root in [&["digest", "send", "desk"][..], &["run", "--once", "--all"]] {
        let done = town.watch.ask(words_of_root).await;
        assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
        assert!(
            owners(&town.watch.state).iter().all(|(_, uid)| *uid == NOBODY),
            "{:?}",
            owners(&town.watch.state)
        );
    }
    let daemon = town.watch.start_with(|command| {
        let mut other = Command::new(&program);
        other.arg("-c").arg(town.watch.config()).arg("run").uid(NOBODY).gid(NOBODY).current_dir("/");
        *command = other;
    });
    let begun = town.sink.count();
    until("it works", PATIENCE, || (town.sink.count() > begun).then_some(())).await;
    daemon.stop().await;
}
