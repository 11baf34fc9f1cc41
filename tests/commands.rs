//! What commands say and how they end when asked for what is not there, on the state that `demo` leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use burdenwatch::time::{Clock, SystemClock};

const PROGRAM: &str = env!("CARGO_BIN_EXE_burdenwatch");

/// The demo's directory.
struct State {
    dir: tempfile::TempDir,
}

impl State {
    fn made() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new(PROGRAM).args(["demo", "--dir"]).arg(dir.path()).output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
        Self { dir }
    }

    /// Puts one small rule in the place of the pack, which every command would compile anew.
    fn with_few_rules(self) -> Self {
        let rules = "[sets.a]\nen = [\"host nation support\"]\n[[rule]]\nid = \"us-japan\"\nwhen = \"a\"\n";
        std::fs::write(self.dir.path().join("few.toml"), rules).unwrap();
        let config = std::fs::read_to_string(self.config()).unwrap();
        assert!(!config.contains("[rules]"), "the demo uses the pack");
        std::fs::write(self.config(), config + "\n[rules]\nfiles = [\"few.toml\"]\n").unwrap();
        self
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("burdenwatch.toml")
    }

    fn run(&self, args: &[&str]) -> Output {
        run(&self.config(), args)
    }

    /// Runs a command that must fail, and returns what it says.
    fn refused(&self, code: i32, args: &[&str]) -> String {
        let done = self.run(args);
        assert_eq!(done.status.code(), Some(code), "{args:?}: {}", said(&done));
        assert!(done.stdout.is_empty(), "{args:?} prints data and fails");
        said(&done)
    }
}

fn run(config: &Path, args: &[&str]) -> Output {
    Command::new(PROGRAM).arg("-c").arg(config).args(args).stdin(Stdio::null()).output().unwrap()
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

#[test]
fn names_that_do_not_exist_are_told_from_empty_answers() {
    let state = State::made().with_few_rules();
    for (code, args, words) in [
        (
            1,
            ["matches", "list", "--rule", "us-atlantis"].as_slice(),
            "no rule or topic is called \"us-atlantis\"",
        ),
        (1, &["matches", "export", "--rule", "us-atlantis"], "`burdenwatch rules list`"),
        (
            1,
            &["digest", "list", "--subscription", "nobody"],
            "there is no subscription \"nobody\"; configured are: ",
        ),
        (1, &["digest", "show", "1", "--subscription", "nobody"], "there is no digest #1 of \"nobody\""),
        (1, &["digest", "show", "99"], "there is no digest #99;"),
        (1, &["mute", "add", "story", "999", "--until", "3d", "--reason", "x"], "there is no story 999"),
        (1, &["mute", "add", "story", "abc", "--until", "3d", "--reason", "x"], "there is no story abc"),
        (2, &["search", " "], "no word to search for"),
        (1, &["rules", "eval", "/dev/null"], "no labelled article in /dev/null"),
    ] {
        let told = state.refused(code, args);
        assert!(told.contains(words), "{args:?}: {told}");
    }
    for args in [
        ["matches", "list", "--rule", "us-japan"].as_slice(),
        &["digest", "list", "--subscription", "demo-desk"],
        &["mute", "add", "story", "1", "--until", "3d", "--reason", "x"],
        &["search", "nothing-like-it"],
    ] {
        let done = state.run(args);
        assert!(done.status.success(), "{args:?}: {}", said(&done));
    }
}

#[test]
fn status_asks_for_a_person_when_nothing_polls() {
    let state = State::made().with_few_rules();
    let db = rusqlite::Connection::open(state.dir.path().join("burdenwatch.db")).unwrap();
    let due = |hours: i64| {
        let at = SystemClock.now() - jiff::SignedDuration::from_hours(hours);
        db.execute("UPDATE feed SET failures = 0, next_poll_at = ?1", [at.as_millisecond()]).unwrap();
        state.run(&["status"])
    };
    let done = due(1);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let done = due(72);
    assert_eq!(done.status.code(), Some(1));
    let screen = String::from_utf8_lossy(&done.stdout);
    assert!(screen.contains("polling is 72 hours behind: is `burdenwatch run` running?"), "{screen}");
}

#[test]
fn text_that_reorders_a_terminal_does_not_reach_it() {
    let state = State::made();
    let title = "\u{202e}Tokyo and Washington agree on host nation support\u{1b}[31m for US forces in Japan";
    let done = state.run(&["explain", "--title", title]);
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(told.contains("us-japan"), "{told}");
    assert!(!told.contains(['\u{202e}', '\u{1b}']), "{told:?}");
}

#[test]
fn a_verdict_survives_a_closed_pipe() {
    let wrong = tempfile::tempdir().unwrap();
    let file = wrong.path().join("wrong.toml");
    std::fs::write(&file, "[[feed]]\nname = 1\n".repeat(2_000)).unwrap();
    let check = |config: &Path| {
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" -c \"$1\" check 2>&1", PROGRAM])
            .arg(config)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        child.wait().unwrap().code()
    };
    assert_eq!(check(&file), Some(78));
    assert_eq!(check(&State::made().config()), Some(0));
}
