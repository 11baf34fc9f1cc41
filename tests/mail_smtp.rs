//! Every row of the outcome table, against a scripted server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[path = "support/smtp.rs"]
mod smtp;

use std::time::{Duration, Instant};

use burdenwatch::config::{Address, Mail, Secret, Security, Smtp, Transport};
use burdenwatch::mail::OutcomeKind::{
    ContentRefused, Deferred, Misconfigured, RecipientRefused, Sent, Uncertain,
};
use burdenwatch::mail::{Mailer, Outcome, OutcomeKind};
use smtp::{Act, Script, Server, say};

const BODY: &[u8] = b"Subject: x\r\n\r\n.a line with a dot\r\nend\r\n";

fn settings(server: &Server, security: Security, login: bool) -> Mail {
    let limit = Duration::from_millis(200);
    Mail {
        transport: Transport::Smtp(Smtp {
            host: "localhost".into(),
            port: server.address.port(),
            security,
            login: login.then(|| ("watch".to_owned(), Secret::new("s3cret-word"))),
            hello: Some("watcher.example".into()),
            timeout: limit,
            data_timeout: limit,
        }),
        from: Address { name: None, email: "watch@example.org".into() },
        reply_to: None,
        retry: vec![],
        templates: None,
    }
}

/// One message to `a@example.org`; the outcome, and whether the session may go on.
async fn attempt(server: &Server, security: Security, login: bool) -> (Outcome, bool) {
    let mailer =
        Mailer::trusting(&settings(server, security, login), std::slice::from_ref(&server.root)).unwrap();
    let mut session = match mailer.connect().await {
        Ok(session) => session,
        Err(outcome) => return (outcome, false),
    };
    let outcome = session.send("watch@example.org", "a@example.org", BODY, "a").await;
    let usable = session.usable();
    session.close().await;
    (outcome, usable)
}

async fn plain(script: Script) -> (Outcome, bool) {
    attempt(&Server::start(script).await, Security::None, false).await
}

#[tokio::test]
async fn refusals_at_every_step() {
    let rows: &[(&str, &str, OutcomeKind, bool)] = &[
        ("greeting", "421 busy", Deferred, false),
        ("greeting", "554 no service", Deferred, false),
        ("EHLO", "550 who", Deferred, false),
        ("MAIL", "451 later", Deferred, true),
        ("MAIL", "421 closing", Deferred, false),
        ("MAIL", "530 5.7.0 authentication required", Misconfigured, true),
        ("MAIL", "550 sender refused", Misconfigured, true),
        ("MAIL", "552 too big", ContentRefused, true),
        ("RCPT", "450 greylisted", Deferred, true),
        ("RCPT", "452 full", Deferred, true),
        ("RCPT", "421 closing", Deferred, false),
        ("RCPT", "550-no such\r\n550 user", RecipientRefused, true),
        ("DATA", "451 later", Deferred, true),
        ("DATA", "554 no", ContentRefused, true),
        ("dot", "451 later", Deferred, true),
        ("dot", "452 disk", Deferred, true),
        ("dot", "421 closing", Deferred, false),
        ("dot", "552 too big", ContentRefused, true),
        ("dot", "554 spam", ContentRefused, true),
    ];
    for (step, reply, kind, usable) in rows {
        let (outcome, still) = plain(Script::default().on(step, say(reply))).await;
        assert_eq!((outcome.kind, still), (*kind, *usable), "{step} {reply}: {outcome:?}");
        assert_eq!(outcome.code, reply[..3].parse().ok(), "{step} {reply}");
    }
    let (outcome, _) = plain(Script::default().on("RCPT", say("550-no such\r\n550 user"))).await;
    assert_eq!(outcome.reply, "no such user");
    for step in ["greeting", "MAIL", "RCPT", "DATA", "dot"] {
        let farewell = Act::SayAndDrop(b"421 shutting down\r\n".to_vec());
        let (outcome, usable) = plain(Script::default().on(step, farewell)).await;
        assert_eq!((outcome.kind, outcome.code, usable), (Deferred, Some(421), false), "{step} {outcome:?}");
    }
}

#[tokio::test]
async fn silence_and_losses_at_every_step() {
    for step in ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot"] {
        for fault in [Act::Stall, Act::Drop] {
            // so small a body is in the network before anybody can see that the server stopped reading it
            let expected: &[OutcomeKind] = match (step, &fault) {
                ("dot", _) | ("body", Act::Stall) => &[Uncertain],
                ("body", _) => &[Deferred, Uncertain],
                _ => &[Deferred],
            };
            let started = Instant::now();
            let (outcome, usable) = plain(Script::default().on(step, fault.clone())).await;
            assert!(expected.contains(&outcome.kind), "{step} {fault:?}: {outcome:?}");
            assert!(!usable && outcome.code.is_none() && !outcome.reply.is_empty(), "{step} {fault:?}");
            assert!(started.elapsed() < Duration::from_secs(2), "{step} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_loss_inside_a_large_body_is_before_the_dot() {
    let big = b"0123456789012345678901234567890123456789\r\n".repeat(400_000);
    for fault in [Act::Stall, Act::Drop] {
        let server = Server::start(Script::default().on("body", fault.clone())).await;
        let mailer = Mailer::trusting(&settings(&server, Security::None, false), &[]).unwrap();
        let mut session = mailer.connect().await.unwrap();
        let outcome = session.send("watch@example.org", "a@example.org", &big, "a").await;
        assert_eq!((outcome.kind, session.usable()), (Deferred, false), "{fault:?} {outcome:?}");
    }
}

#[tokio::test]
async fn a_refusal_inside_the_body_is_heard() {
    let big = b"0123456789012345678901234567890123456789\r\n".repeat(400_000);
    let server = Server::start(Script::default().on("body", say("552 too big"))).await;
    let mailer = Mailer::trusting(&settings(&server, Security::None, false), &[]).unwrap();
    let mut session = mailer.connect().await.unwrap();
    let outcome = session.send("watch@example.org", "a@example.org", &big, "a").await;
    assert_eq!((outcome.kind, outcome.code), (ContentRefused, Some(552)), "{outcome:?}");
    assert!(!session.usable());
}

#[tokio::test]
async fn nonsense_is_temporary_and_after_the_dot_uncertain() {
    let endless = vec![b'2'; 1 << 20];
    let many = b"250-again\r\n".repeat(10_000);
    let junk: &[&[u8]] = &[
        b"+OK hello\r\n",
        b"\r\n",
        b"\xff\xfe\x00\r\n",
        b"350 \r\n",
        b"250-a\r\n550 b\r\n",
        &endless,
        &many,
    ];
    for step in ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"] {
        for bytes in junk {
            if step == "DATA" && bytes.starts_with(b"350") {
                continue; // a 3xx is what DATA asks for
            }
            let (outcome, usable) = plain(Script::default().on(step, Act::Say(bytes.to_vec()))).await;
            let expected = if step == "dot" { Uncertain } else { Deferred };
            assert_eq!(outcome.kind, expected, "{step} {:?}: {outcome:?}", &bytes[..bytes.len().min(20)]);
            assert!(!usable && outcome.reply.chars().count() <= 500, "{step}");
            assert!(!outcome.reply.chars().any(char::is_control), "{step}");
        }
    }
}

#[tokio::test]
async fn replies_one_step_ahead_are_not_taken_for_answers() {
    // two replies to RCPT: the second would pass for DATA's, the next for the dot's
    let (outcome, usable) = plain(Script::default().on("RCPT", say("250 ok\r\n354 go\r\n250 queued"))).await;
    assert_eq!((outcome.kind, usable), (Deferred, false), "{outcome:?}");
    let (outcome, _) = plain(Script::default().on("DATA", say("354 go\r\n250 queued"))).await;
    assert_eq!(outcome.kind, Deferred, "{outcome:?}");
}

#[tokio::test]
async fn one_byte_at_a_time_is_tolerated() {
    let mut script = Script::default();
    for (step, reply) in [
        ("greeting", "220-a\r\n220 b\r\n"),
        ("EHLO", "250-x\r\n250 SIZE 9999\r\n"),
        ("MAIL", "250 ok\r\n"),
        ("dot", "250 ok\r\n"),
    ] {
        script = script.on(step, Act::Drip(reply.as_bytes().to_vec()));
    }
    let server = Server::start(script).await;
    let (outcome, usable) = attempt(&server, Security::None, false).await;
    assert_eq!((outcome.kind, usable), (Sent, true), "{outcome:?}");
    assert_eq!(server.received()[0].data, BODY);
    assert!(server.commands().contains(&format!("MAIL FROM:<watch@example.org> SIZE={}", BODY.len())));
}

#[tokio::test]
async fn one_bad_recipient_of_three_harms_nobody() {
    for (reply, kind) in [("550 unknown", RecipientRefused), ("451 later", Deferred)] {
        let server = Server::start(Script::default().on("RCPT b@example.org", say(reply))).await;
        let mailer = Mailer::trusting(&settings(&server, Security::None, false), &[]).unwrap();
        let mut session = mailer.connect().await.unwrap();
        let mut kinds = vec![];
        for to in ["a@example.org", "b@example.org", "c@example.org"] {
            kinds.push(session.send("watch@example.org", to, BODY, "x").await.kind);
            assert!(session.usable());
        }
        session.close().await;
        assert_eq!(kinds, [Sent, kind, Sent]);
        let got: Vec<_> = server.received().into_iter().flat_map(|mail| mail.to).collect();
        assert_eq!(got, ["a@example.org", "c@example.org"]);
        assert_eq!(server.log.lock().unwrap().connections, 1);
        assert_eq!(server.received()[0].from, "watch@example.org");
    }
}

#[tokio::test]
async fn starttls_must_succeed_and_be_trusted() {
    let offering = || Script::default().offer("STARTTLS").offer("AUTH PLAIN LOGIN");
    let server = Server::start(offering()).await;
    assert_eq!(attempt(&server, Security::StartTls, true).await.0.kind, Sent);
    let hellos = server.commands().iter().filter(|line| line.starts_with("EHLO watcher.example")).count();
    assert_eq!(hellos, 2, "EHLO again under TLS");

    let missing = Server::start(Script::default().offer("AUTH PLAIN")).await;
    assert_eq!(attempt(&missing, Security::StartTls, true).await.0.kind, Misconfigured);
    assert!(!missing.commands().iter().any(|line| line.starts_with("AUTH")), "nothing said in the clear");

    let refused = Server::start(offering().on("STARTTLS", say("454 not now"))).await;
    assert_eq!(attempt(&refused, Security::StartTls, false).await.0.kind, Deferred);
    let injected = Server::start(offering().on("STARTTLS", say("220 go\r\n250 AUTH PLAIN"))).await;
    assert_eq!(attempt(&injected, Security::StartTls, false).await.0.kind, Deferred);
    let silent = Server::start(offering().on("STARTTLS", Act::Drop)).await;
    assert_eq!(attempt(&silent, Security::StartTls, false).await.0.kind, Deferred);

    let stranger = Server::start_named(offering(), "other.example").await;
    let (outcome, _) = attempt(&stranger, Security::StartTls, false).await;
    assert_eq!(outcome.kind, Misconfigured, "{outcome:?}");
    let unknown = Server::start(offering()).await;
    let mailer = Mailer::trusting(&settings(&unknown, Security::StartTls, false), &[]).unwrap();
    let outcome = mailer.connect().await.unwrap_err();
    assert_eq!(outcome.kind, Misconfigured, "{outcome:?}");
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let script = Script { implicit_tls: true, ..Script::default() };
    assert_eq!(attempt(&Server::start(script).await, Security::Tls, false).await.0.kind, Sent);
    // a server that speaks in the clear there
    let (outcome, _) = attempt(&Server::start(Script::default()).await, Security::Tls, false).await;
    assert_eq!(outcome.kind, Deferred, "{outcome:?}");
    let stalled = Server::start(Script::default().on("greeting", Act::Stall)).await;
    assert_eq!(attempt(&stalled, Security::Tls, false).await.0.kind, Deferred);
}

#[tokio::test]
async fn logins() {
    let rows: &[(&str, &str, &str, OutcomeKind)] = &[
        ("AUTH PLAIN", "AUTH", "535 wrong s3cret-word AHdhdGNoAHMzY3JldC13b3Jk", Misconfigured),
        ("AUTH PLAIN", "AUTH", "534 too weak", Misconfigured),
        ("AUTH PLAIN", "AUTH", "530 no", Misconfigured),
        ("AUTH PLAIN", "AUTH", "454 later", Deferred),
        ("AUTH PLAIN", "AUTH", "250 odd", Sent),
        ("AUTH LOGIN", "login", "535 no", Misconfigured),
        ("AUTH GSSAPI", "", "", Misconfigured),
        ("SIZE 1000000", "", "", Misconfigured),
        ("AUTH LOGIN", "", "", Sent),
    ];
    for (offer, step, reply, kind) in rows {
        let mut script = Script::default().offer(offer);
        if !step.is_empty() {
            script = script.on(step, say(reply));
        }
        let (outcome, _) = attempt(&Server::start(script).await, Security::None, true).await;
        assert_eq!(outcome.kind, *kind, "{offer} {reply}: {outcome:?}");
        assert!(!outcome.reply.contains("s3cret-word") && !outcome.reply.contains("AHdhdGNo"), "{outcome:?}");
    }
    let stalled = Server::start(Script::default().offer("AUTH PLAIN").on("AUTH", Act::Stall)).await;
    assert_eq!(attempt(&stalled, Security::None, true).await.0.kind, Deferred);
}

#[tokio::test]
async fn a_server_that_is_not_there_defers() {
    let server = Server::start(Script::default()).await;
    let mut mail = settings(&server, Security::None, false);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    if let Transport::Smtp(smtp) = &mut mail.transport {
        smtp.port = free;
    }
    let outcome = Mailer::new(&mail).unwrap().connect().await.unwrap_err();
    assert_eq!(outcome.kind, Deferred);
    assert!(outcome.reply.contains(&format!("localhost:{free}")), "{outcome:?}");
}

#[tokio::test]
async fn a_dropped_send_leaves_the_session_unusable() {
    let server = Server::start(Script::default().on("dot", Act::Stall)).await;
    let mailer = Mailer::trusting(&settings(&server, Security::None, false), &[]).unwrap();
    let mut session = mailer.connect().await.unwrap();
    let cut = tokio::time::timeout(
        Duration::from_millis(50),
        session.send("watch@example.org", "a@example.org", BODY, "a"),
    );
    assert!(cut.await.is_err());
    assert!(!session.usable());
    assert_eq!(session.send("watch@example.org", "a@example.org", BODY, "a").await.kind, Deferred);
}

#[tokio::test]
async fn an_address_cannot_carry_a_command() {
    let server = Server::start(Script::default()).await;
    let mailer = Mailer::trusting(&settings(&server, Security::None, false), &[]).unwrap();
    let mut session = mailer.connect().await.unwrap();
    for evil in ["a@b>\r\nRCPT TO:<c@d", "a b@c", "", "-oQ/tmp@x", "<>"] {
        assert_eq!(
            session.send("watch@example.org", evil, BODY, "a").await.kind,
            RecipientRefused,
            "{evil:?}"
        );
    }
    assert!(session.usable());
    assert!(!server.commands().iter().any(|line| line.starts_with("RCPT")));
}

#[tokio::test]
async fn probe_logs_in_and_sends_nothing() {
    let server = Server::start(Script::default().offer("STARTTLS").offer("AUTH PLAIN")).await;
    let mailer =
        Mailer::trusting(&settings(&server, Security::StartTls, true), std::slice::from_ref(&server.root))
            .unwrap();
    let words = mailer.probe().await.unwrap();
    assert_eq!(words, "scripted.example answers, TLS with a trusted certificate, login accepted");
    assert!(!server.commands().iter().any(|line| line.starts_with("MAIL")));
}

/// The floor: 200 mails per CPU second, both ends of the wire in this process.
#[tokio::test]
async fn two_hundred_mails_per_cpu_second() {
    let server = Server::start(Script::default()).await;
    let mailer = Mailer::trusting(&settings(&server, Security::None, false), &[]).unwrap();
    let mail = b"0123456789012345678901234567890123456789\r\n".repeat(400);
    let before = cpu_seconds();
    let mut session = mailer.connect().await.unwrap();
    for number in 0..500 {
        let to = format!("r{number}@example.org");
        assert_eq!(session.send("watch@example.org", &to, &mail, "a").await.kind, Sent);
    }
    session.close().await;
    let rate = 500.0 / (cpu_seconds() - before).max(0.01);
    eprintln!("{rate:.0} mails of 17 kB per CPU second, the server's share included");
    assert_eq!(server.received().len(), 500);
    assert!(rate >= 200.0, "{rate:.0} mails per CPU second");
}

/// User and system time of the calling thread, which under this test's runtime does everything.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
