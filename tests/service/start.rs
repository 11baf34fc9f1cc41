//! A start: one daemon a state directory, no mistake unnamed, no database misread.

use rusqlite::Connection;

use crate::watch::{PATIENCE, until, words};
use crate::{DESK, Town, feed};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_on_the_same_state_is_refused_with_words() {
    let town = Town::found(8, 1).await;
    let daemon = town.watch.start();
    daemon.says("is watching").await;
    for command in [&["run"][..], &["run", "--once"]] {
        let second = town.watch.ask(command).await;
        assert_eq!(second.status.code(), Some(1));
        let said = words(&second.stderr);
        assert!(said.contains("another burdenwatch is running on"), "{said}");
    }
    // The first goes on, and its lock dies with it.
    let mails = town.sink.count();
    until("the first goes on", PATIENCE, || (town.sink.count() > mails).then_some(())).await;
    let mut daemon = daemon;
    daemon.kill();
    let next = town.watch.ask(&["run", "--once"]).await;
    assert_eq!(next.status.code(), Some(0), "{}", words(&next.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_works_alone_for_a_moment_does_not_stop_a_start() {
    let town = Town::found(9, 1).await;
    std::fs::create_dir_all(&town.watch.state).unwrap();
    let lock = std::fs::File::create(town.watch.state.join("burdenwatch.lock")).unwrap();
    lock.lock().unwrap();
    let daemon = town.watch.start();
    daemon.says("waiting for the burdenwatch that has").await;
    drop(lock);
    daemon.says("is watching").await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_of_a_configuration_is_named_by_line_and_the_exit_code_is_78() {
    let town = Town::found(10, 0).await;
    let good = std::fs::read_to_string(town.watch.config()).unwrap();
    let line = good.lines().count();
    let wrong = "[[feed]]\nname = \"B\"\nurl = \"ftp://example.org/x\"\nevrey = \"5m\"\n[[subscription]]\nname = \"two\"\nto = [\"not an address\"]\n";
    std::fs::write(town.watch.config(), format!("{good}{wrong}")).unwrap();
    for command in [&["run"][..], &["run", "--once"], &["check"]] {
        let done = town.watch.ask(command).await;
        assert_eq!(done.status.code(), Some(78));
        let said = words(&done.stderr) + &words(&done.stdout);
        for wrong in [line + 3, line + 4, line + 7] {
            let place = format!("burdenwatch.toml:{wrong}");
            assert!(said.contains(&place), "{place} is not in\n{said}");
        }
    }
    assert!(!town.watch.state.exists(), "nothing was made");
}

/// Starts on a state directory that is wrong: refused with these words, exit 1, the file as it was.
async fn refused(town: &Town, says: &str) {
    let before = std::fs::read(town.watch.database()).unwrap();
    for command in [&["run"][..], &["run", "--once"]] {
        let done = town.watch.ask(command).await;
        let said = words(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(said.contains(says) && said.contains("burdenwatch.db"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    assert!(std::fs::read(town.watch.database()).unwrap() == before, "the file was changed");
}

/// A database with matches and sent mail in it.
async fn filled(seed: u64) -> Town {
    let town = Town::found(seed, 5).await;
    for _ in 0..3 {
        let done = town.watch.ask(&["run", "--once", "--all"]).await;
        assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
    }
    assert!(town.sink.count() > 0);
    town
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused() {
    let town = filled(11).await;
    Connection::open(town.watch.database()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    refused(&town, "schema 99").await;
    for command in [&["status"][..], &["outbox", "list"], &["digest", "send", "desk"]] {
        let done = town.watch.ask(command).await;
        assert_eq!(done.status.code(), Some(1));
        assert!(words(&done.stderr).contains("schema 99"), "{}", words(&done.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_found_at_the_start_and_left_alone() {
    let town = filled(12).await;
    let sound = std::fs::read(town.watch.database()).unwrap();
    // Not a database.
    std::fs::write(town.watch.database(), b"this was a database once\n".repeat(4000)).unwrap();
    refused(&town, "not a database").await;
    // Cut off in the middle.
    std::fs::write(town.watch.database(), &sound[..sound.len() / 2]).unwrap();
    refused(&town, "damaged").await;
    // A page of a table overwritten.
    let mut torn = sound.clone();
    let middle = torn.len() / 2 / 4096 * 4096;
    for byte in &mut torn[middle..middle + 8192] {
        *byte = 0xA5;
    }
    std::fs::write(town.watch.database(), &torn).unwrap();
    refused(&town, "damaged").await;
    // Put back, it works again.
    std::fs::write(town.watch.database(), &sound).unwrap();
    let done = town.watch.ask(&["run", "--once", "--all"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_a_new_database_and_an_old_lock_file_is_no_lock() {
    let town = Town::found(13, 3).await;
    std::fs::create_dir_all(&town.watch.state).unwrap();
    std::fs::write(town.watch.database(), b"").unwrap();
    std::fs::write(town.watch.state.join("burdenwatch.lock"), b"4711\nleft by a power cut\0\xff").unwrap();
    let daemon = town.watch.start();
    until("mail goes out", PATIENCE, || (town.sink.count() > 0).then_some(())).await;
    daemon.stop().await;
    town.watch.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_the_daemon_is_whole_and_can_be_started_from() {
    let town = Town::found(14, 3).await;
    let daemon = town.watch.start();
    until("mail goes out", PATIENCE, || (town.sink.count() > 3).then_some(())).await;
    let copy = town.watch.file("copy.db");
    for round in 0..3 {
        let name = town.watch.file(&format!("copy{round}.db"));
        let done = town.watch.ask(&["backup", name.to_str().unwrap()]).await;
        assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
        std::fs::rename(name, &copy).unwrap();
    }
    let mails = town.sink.count();
    until("the daemon goes on", PATIENCE, || (town.sink.count() > mails).then_some(())).await;
    daemon.stop().await;
    town.press.set_rate(0);
    let check: String =
        Connection::open(&copy).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    // Restored, it takes up where the copy was made: what came after is fetched and mailed again, under the same ids.
    std::fs::remove_dir_all(&town.watch.state).unwrap();
    std::fs::create_dir_all(&town.watch.state).unwrap();
    std::fs::rename(&copy, town.watch.database()).unwrap();
    let matched: i64 = town.watch.number("SELECT count(*) FROM match").unwrap();
    assert!(matched > 0);
    let done = town.watch.ask(&["run", "--once", "--all"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
    let now: i64 = town.watch.number("SELECT count(*) FROM match").unwrap();
    assert_eq!(usize::try_from(now).unwrap(), town.press.titles().len(), "all is there again");
    town.watch.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_that_cannot_be_made_is_told_in_words() {
    let town = Town::found(15, 0).await;
    std::fs::write(town.watch.file("state"), b"a file where the directory should be").unwrap();
    town.watch.configure(&format!("{}{}{DESK}", feed("A", &town.feeds.url("/a")), town.sink.tables()));
    let done = town.watch.ask(&["run"]).await;
    assert_eq!(done.status.code(), Some(1));
    assert!(words(&done.stderr).contains("state directory"), "{}", words(&done.stderr));
}
