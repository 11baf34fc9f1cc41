//! Mail by the local `sendmail` program, whose exit code is the whole answer.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, timeout, timeout_at};

use crate::mail::{Outcome, OutcomeKind};

#[derive(Debug, Clone)]
pub(super) struct Sendmail {
    program: PathBuf,
    arguments: Vec<OsString>,
    pub(super) limit: Duration,
}

impl Sendmail {
    pub(super) fn new(command: &Path, limit: Duration) -> Self {
        let whole = command.to_string_lossy();
        // a path with a space in it, unless what stands before the space is the program
        if command.exists() || !whole.contains(' ') {
            return Self { program: command.to_owned(), arguments: Vec::new(), limit };
        }
        let mut words = whole.split_whitespace().map(OsString::from);
        let program = words.next().map_or_else(|| command.to_owned(), PathBuf::from);
        Self { program, arguments: words.collect(), limit }
    }

    pub(super) async fn send(&self, from: &str, to: &str, mime: &[u8]) -> Outcome {
        let end = Instant::now() + self.limit;
        let mut child = match self.start(from, to) {
            Ok(child) => child,
            Err(outcome) => return outcome,
        };
        let written = match timeout_at(end, feed(&mut child, mime)).await {
            Ok(written) => written,
            Err(_) => {
                return self.give_up(&mut child, OutcomeKind::Deferred, "did not read the message").await;
            }
        };
        let complaint = child.stderr.take();
        let (complaint, status) = tokio::join!(read_bounded(complaint, end), timeout_at(end, child.wait()));
        let Ok(status) = status else {
            return self.give_up(&mut child, OutcomeKind::Uncertain, "did not end").await;
        };
        let words = |what: &str| format!("{}: {what}", self.program.display());
        match status {
            Ok(status) if status.success() && written => {
                Outcome::new(OutcomeKind::Sent, Some(0), &words("accepted"))
            }
            Ok(status) if status.success() => {
                Outcome::new(OutcomeKind::Deferred, Some(0), &words("ended before it had read the message"))
            }
            Ok(status) => match status.code() {
                Some(code) => {
                    let said =
                        if complaint.is_empty() { words(&format!("exit code {code}")) } else { complaint };
                    Outcome::new(judge(code), u16::try_from(code).ok(), &said)
                }
                None => Outcome::new(OutcomeKind::Uncertain, None, &words(&format!("killed ({status})"))),
            },
            Err(error) => Outcome::new(OutcomeKind::Uncertain, None, &words(&error.to_string())),
        }
    }

    pub(super) fn probe(&self) -> Result<String, Outcome> {
        let words = format!("mail is given to {}", self.program.display());
        if self.program.components().count() == 1 {
            return Ok(format!("{words}, looked up in PATH when needed"));
        }
        match std::fs::metadata(&self.program) {
            Ok(found) if found.is_file() => Ok(words),
            Ok(_) => Err(self.cannot_start(&std::io::Error::from(ErrorKind::PermissionDenied))),
            Err(error) => Err(self.cannot_start(&error)),
        }
    }

    fn start(&self, from: &str, to: &str) -> Result<Child, Outcome> {
        Command::new(&self.program)
            .args(&self.arguments)
            .args(["-i", "-f", from, "--", to])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.cannot_start(&error))
    }

    fn cannot_start(&self, error: &std::io::Error) -> Outcome {
        let (kind, advice) = match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied => (
                OutcomeKind::Misconfigured,
                "; name the program in mail.command, or choose another mail.transport",
            ),
            _ => (OutcomeKind::Deferred, ""),
        };
        Outcome::new(kind, None, &format!("starting {}: {error}{advice}", self.program.display()))
    }

    async fn give_up(&self, child: &mut Child, kind: OutcomeKind, what: &str) -> Outcome {
        // killed also when dropped; waiting a moment leaves no zombie behind
        let _ = timeout(Duration::from_secs(1), child.kill()).await;
        let limit = self.limit.as_secs_f32();
        Outcome::new(kind, None, &format!("{}: {what} within {limit} s", self.program.display()))
    }
}

/// Writes the message and its end; false when the program stopped reading.
async fn feed(child: &mut Child, mime: &[u8]) -> bool {
    let Some(mut stdin) = child.stdin.take() else { return false };
    // what a local program reads has the local line ends
    let mut bytes = Vec::with_capacity(mime.len());
    let mut rest = mime.iter().peekable();
    while let Some(byte) = rest.next() {
        if *byte != b'\r' || rest.peek() != Some(&&b'\n') {
            bytes.push(*byte);
        }
    }
    stdin.write_all(&bytes).await.is_ok() && stdin.shutdown().await.is_ok()
}

/// Reads what the program complains of; what it says after 4 KiB is read and forgotten, or it would block.
async fn read_bounded(stderr: Option<ChildStderr>, end: Instant) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let mut kept = Vec::new();
    let mut block = [0_u8; 1024];
    while let Ok(Ok(count)) = timeout_at(end, stderr.read(&mut block)).await {
        if count == 0 {
            break;
        }
        if kept.len() < 4096 {
            kept.extend(block.iter().take(count));
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// `sysexits.h`, in our words.
fn judge(code: i32) -> OutcomeKind {
    match code {
        // no such user, no such host
        67 | 68 => OutcomeKind::RecipientRefused,
        65 => OutcomeKind::ContentRefused,
        // usage, no permission, configuration; a shell's "cannot execute" and "not found"
        64 | 77 | 78 | 126 | 127 => OutcomeKind::Misconfigured,
        _ => OutcomeKind::Deferred,
    }
}
