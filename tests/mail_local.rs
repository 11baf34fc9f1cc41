//! Mail without a network: the directory and the sendmail program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use burdenwatch::config::{Address, Mail, Transport};
use burdenwatch::mail::Mailer;
use burdenwatch::mail::OutcomeKind::{
    ContentRefused, Deferred, Misconfigured, RecipientRefused, Sent, Uncertain,
};

fn mail(transport: Transport) -> Mail {
    let from = Address { name: None, email: "watch@example.org".into() };
    Mail { transport, from, reply_to: None, retry: vec![], templates: None }
}

#[tokio::test]
async fn a_directory_holds_whole_messages_once() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("not/yet/there");
    let mailer = Mailer::new(&mail(Transport::Directory(out.clone()))).unwrap();
    assert!(mailer.probe().await.unwrap().contains("will be made"));
    let mut session = mailer.connect().await.unwrap();
    for _ in 0..2 {
        let outcome =
            session.send("w@example.org", "a@example.org", b"Subject: x\r\n\r\nbody\r\n", "17-a").await;
        assert_eq!(outcome.kind, Sent, "{outcome:?}");
    }
    assert_eq!(session.send("w@example.org", "b@example.org", b"y", "../17-b").await.kind, Sent);
    assert_eq!(std::fs::read(out.join("17-a.eml")).unwrap(), b"Subject: x\r\n\r\nbody\r\n");
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 2, "no temporary file stays");

    let file = home.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let mailer = Mailer::new(&mail(Transport::Directory(file.clone()))).unwrap();
    assert_eq!(mailer.probe().await.unwrap_err().kind, Misconfigured);
    let outcome = mailer.connect().await.unwrap().send("w@e.org", "a@e.org", b"x", "a").await;
    assert_ne!(outcome.kind, Sent);
    assert!(outcome.reply.contains(file.to_str().unwrap()), "{outcome:?}");
}

/// A program that reads its message and then does `end`.
fn program(home: &Path, name: &str, script: &str) -> Mailer {
    let path = home.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mailer = Mailer::new(&mail(Transport::Sendmail { command: path })).unwrap();
    mailer.with_sendmail_limit(Duration::from_millis(500))
}

#[tokio::test]
async fn sendmail_answers_by_its_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let rows = [
        ("exit 0", Sent),
        ("exit 75", Deferred),
        ("exit 69", Deferred),
        ("exit 1", Deferred),
        ("exit 67", RecipientRefused),
        ("exit 68", RecipientRefused),
        ("exit 65", ContentRefused),
        ("exit 64", Misconfigured),
        ("exit 78", Misconfigured),
        ("exec sleep 60", Uncertain),
        ("kill -9 $$", Uncertain),
    ];
    for (place, (end, kind)) in rows.into_iter().enumerate() {
        let mailer = program(home.path(), &format!("p{place}"), &format!("cat >/dev/null\n{end}"));
        let mut session = mailer.connect().await.unwrap();
        let outcome = session.send("w@example.org", "a@example.org", b"x\r\n", "a").await;
        assert_eq!(outcome.kind, kind, "{end}: {outcome:?}");
        assert!(session.usable());
    }
    // stops before it has read: the pipe is full, nothing was accepted
    let mailer = program(home.path(), "deaf", "exec sleep 60");
    let outcome = mailer.connect().await.unwrap().send("w@e.org", "a@e.org", &[b'x'; 1 << 20], "a").await;
    assert_eq!(outcome.kind, Deferred, "{outcome:?}");
    let complaint =
        program(home.path(), "loud", "cat >/dev/null; yes 'no such user' | head -n 99999 >&2; exit 67");
    let outcome = complaint.connect().await.unwrap().send("w@e.org", "a@e.org", b"x", "a").await;
    assert_eq!((outcome.kind, outcome.code), (RecipientRefused, Some(67)));
    assert!(outcome.reply.starts_with("no such user") && outcome.reply.len() <= 500);
}

#[tokio::test]
async fn sendmail_gets_its_arguments_and_the_message() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let mailer = program(home.path(), "keep", &format!("echo \"$@\" >{0}; cat >>{0}", out.display()));
    let outcome = mailer
        .connect()
        .await
        .unwrap()
        .send("w@example.org", "a@example.org", b"S: x\r\n\r\n.\r\nend\r\n", "a")
        .await;
    assert_eq!(outcome.kind, Sent);
    let got = std::fs::read_to_string(&out).unwrap();
    assert_eq!(got, "-i -f w@example.org -- a@example.org\nS: x\n\n.\nend\n");
    let absent = Mailer::new(&mail(Transport::Sendmail { command: home.path().join("absent") })).unwrap();
    assert_eq!(absent.probe().await.unwrap_err().kind, Misconfigured);
    let outcome = absent.connect().await.unwrap().send("w@e.org", "a@e.org", b"x", "a").await;
    assert_eq!(outcome.kind, Misconfigured, "{outcome:?}");
}
