//! The real program in a state directory of its own: started, signalled, killed, asked.

#![allow(dead_code, reason = "shared by test crates, which each use a part")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

/// A wait that ends long before a person would give up, on a machine that does ten other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

/// One rule, which every item of these tests matches.
const RULES: &str = r#"
schema = 1
[sets.sharing]
en = ["burden sharing"]
[[rule]]
id = "sharing"
title = "Burden sharing"
topic = "sharing"
level = "alert"
when = "sharing"
"#;

/// A configuration and the state it works on.
#[derive(Debug)]
pub(crate) struct Watch {
    dir: tempfile::TempDir,
    pub(crate) state: PathBuf,
}

impl Watch {
    /// Writes a configuration: the given tables, after a `[service]`, fast polling and one rule.
    pub(crate) fn new(tables: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        Self::with_state(dir, state, tables)
    }

    pub(crate) fn with_state(dir: tempfile::TempDir, state: PathBuf, tables: &str) -> Self {
        let watch = Self { dir, state };
        std::fs::write(watch.file("rules.toml"), RULES).unwrap();
        watch.configure(tables);
        watch
    }

    pub(crate) fn configure(&self, tables: &str) {
        let state = self.state.display();
        let text = format!(
            "[service]\nstate_dir = \"{state}\"\n\
             [rules]\nfiles = [\"rules.toml\"]\n\
             [polling]\nevery = \"1s\"\nmin_every = \"1s\"\nmax_every = \"2s\"\nadaptive = false\nhost_gap = \"0s\"\n\
             per_host = 4\ntimeout = \"30s\"\nallow_networks = [\"127.0.0.0/8\"]\n{tables}"
        );
        std::fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.file("burdenwatch.toml")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.state.join("burdenwatch.db")
    }

    /// The program, with this configuration.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burdenwatch"));
        command.arg("-c").arg(self.config()).args(words);
        // The test's own surroundings must not matter.
        for name in [
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "WATCHDOG_PID",
            "JOURNAL_STREAM",
            "BURDENWATCH_LOG",
            "STATE_DIRECTORY",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command to its end, without holding up the servers of the test.
    pub(crate) async fn ask(&self, words: &[&str]) -> Output {
        output(self.command(words)).await
    }

    /// How often the daemon said that it is up.
    pub(crate) fn starts(&self) -> usize {
        words(&std::fs::read(self.file("log")).unwrap_or_default()).matches("is watching").count()
    }

    pub(crate) fn start(&self) -> Daemon {
        self.start_with(|_| {})
    }

    /// Starts the daemon; its log is appended to what earlier ones wrote.
    pub(crate) fn start_with(&self, adapt: impl FnOnce(&mut Command)) -> Daemon {
        let log = self.file("log");
        let to = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = self.command(&["run"]);
        adapt(&mut command);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(to).spawn().unwrap();
        Daemon { child, log }
    }

    /// Opens the database as a bystander.
    pub(crate) fn open(&self) -> Connection {
        Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    /// A number out of the database; none while there is no such table.
    pub(crate) fn number(&self, sql: &str) -> Option<i64> {
        let db = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
        db.busy_timeout(Duration::from_secs(5)).ok()?;
        db.query_row(sql, [], |row| row.get(0)).ok()
    }

    pub(crate) fn assert_sound(&self) {
        let db = self.open();
        let said: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(said, "ok");
        let broken: i64 =
            db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
        assert_eq!(broken, 0, "rows that refer to nothing");
    }
}

/// Runs a command off the runtime's threads.
pub(crate) async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output().unwrap()).await.unwrap()
}

pub(crate) fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running daemon; killed when dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        words(&std::fs::read(&self.log).unwrap_or_default())
    }

    pub(crate) fn log_file(&self) -> &Path {
        &self.log
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status().unwrap();
        assert!(done.success(), "kill -{name}");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub(crate) async fn exit(&mut self, limit: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(begun.elapsed() < limit, "still running after {limit:?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks it to stop and sees to it that it does so in time, and well.
    pub(crate) async fn stop(mut self) -> Duration {
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.exit(Duration::from_secs(15)).await;
        assert_eq!(status.code(), Some(0), "{}", self.log());
        begun.elapsed()
    }

    /// Waits for words in the log.
    pub(crate) async fn says(&self, text: &str) {
        until(&format!("the log says {text:?}"), PATIENCE, || self.log().contains(text).then_some(())).await;
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is there.
pub(crate) async fn until<T>(what: &str, limit: Duration, look: impl FnMut() -> Option<T>) -> T {
    within(limit, look).await.unwrap_or_else(|| panic!("waited {limit:?} in vain until {what}"))
}

/// Waits until something is there, or the time is over.
pub(crate) async fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if begun.elapsed() >= limit {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
