//! The bytes of a mail: shape, headers, and what hostile text cannot do to them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

use std::io::Write;
use std::process::{Command, Stdio};

use burdenwatch::config::Address;
use burdenwatch::mail::{BuildError, Kind, Message, build, message_id};
use jiff::Timestamp;
use mail_parser::MessageParser;
use proptest::prelude::*;

fn message(kind: Kind) -> Message {
    Message {
        from: Address { name: Some("방위비 감시, \"desk\"".into()), email: "watch@example.org".into() },
        reply_to: Some(Address { name: None, email: "owner@example.org".into() }),
        to: Address { name: None, email: "desk@example.org".into() },
        subject:
            "burdenwatch #214: 한미 방위비 분담 협상 재개 — talks on host nation support resume in Seoul"
                .into(),
        text: "방위비 분담금 협상이 다시 시작되었다.\n".repeat(20),
        html: format!("<p lang=\"ko\">방위비 &amp; costs</p>\n{}", "<p>plain words, no more</p>\n".repeat(9)),
        message_id: message_id("digest|desk|2026-11-24", "desk@example.org", kind, "example.org"),
        date: "2026-11-24T07:30:00Z".parse().unwrap(),
        list_id: Some("alliance-desk.burdenwatch.example.org".into()),
        kind,
        references: vec!["<story-8123@example.org>".into()],
        headers: vec![("X-Burdenwatch-Id".into(), "digest|desk|2026-11-24".into())],
    }
}

#[test]
fn a_digest_has_its_headers_and_parts_in_order() {
    let bytes = build(&message(Kind::Digest)).unwrap();
    assert_eq!(bytes, build(&message(Kind::Digest)).unwrap(), "the same bytes on every try");
    let text = String::from_utf8(bytes.clone()).unwrap();
    let fits = |line: &str| line.len() <= 78 || line.starts_with("List-Unsubscribe: ");
    assert!(text.is_ascii() && text.lines().all(fits), "{text}");
    for line in [
        "List-Id: <alliance-desk.burdenwatch.example.org>\r\n",
        "List-Unsubscribe: <mailto:owner@example.org?subject=unsubscribe%20alliance-desk>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "Precedence: bulk\r\n",
        "In-Reply-To: <story-8123@example.org>\r\n",
        "References: <story-8123@example.org>\r\n",
        "X-Burdenwatch-Id: digest|desk|2026-11-24\r\n",
        "Date: Tue, 24 Nov 2026 07:30:00 +0000\r\n",
        "MIME-Version: 1.0\r\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    assert!(!text.contains("List-Unsubscribe-Post"));
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.subject(), Some(message(Kind::Digest).subject.as_str()));
    assert_eq!(parsed.from().unwrap().first().unwrap().name(), Some("방위비 감시, \"desk\""));
    assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), message(Kind::Digest).text);
    assert!(text.find("text/plain").unwrap() < text.find("text/html").unwrap());
    assert!(!String::from_utf8(build(&message(Kind::Alert)).unwrap()).unwrap().contains("Precedence"));
}

#[test]
fn cjk_is_base64_and_the_rest_quoted_printable() {
    let text = String::from_utf8(build(&message(Kind::Alert)).unwrap()).unwrap();
    let (plain, html) = text.split_once("text/html").unwrap();
    assert!(plain.contains("Content-Transfer-Encoding: base64"), "{text}");
    assert!(html.contains("Content-Transfer-Encoding: quoted-printable"), "{text}");
}

#[test]
fn what_is_not_the_callers_is_refused() {
    for name in ["Bcc", "from", "Content-Type", "List-Unsubscribe-Post", "X Y", "", "X:\r\nBcc", "é"] {
        let mut bad = message(Kind::Alert);
        bad.headers = vec![(name.into(), "x".into())];
        assert!(matches!(build(&bad), Err(BuildError::Header(_))), "{name}");
    }
    for id in ["", "x@y", "<x>", "<a b@c>", "<a@b>\r\nBcc: x", "<a@b@c>"] {
        let mut bad = message(Kind::Alert);
        bad.message_id = id.into();
        assert!(matches!(build(&bad), Err(BuildError::MessageId(_))), "{id}");
    }
    let mut bad = message(Kind::Alert);
    bad.to.email = "a@b\r\nBcc: x".into();
    assert!(matches!(build(&bad), Err(BuildError::Address(_))));
}

#[test]
fn dates_no_header_can_name_do_not_panic() {
    for date in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
        let mut odd = message(Kind::Alert);
        odd.date = date;
        build(&odd).unwrap();
    }
}

const HOSTILE: [&str; 6] = [
    "a\r\nBcc: x@y",
    "\u{202e}evil\u{2066}\u{0}\u{85}\u{2028}",
    "=?utf-8?B?DQpCY2M6IHhAeQ==?= =?utf-8?q?=0d=0aBcc:_x?=",
    "\"quoted\\\" <x@y>, z@w",
    "방위비 분담금 協議 — ünïcödé 👩‍👩‍👧 Ａ",
    " \t ",
];

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop::sample::select(HOSTILE.to_vec()), 0..20).prop_map(|parts| parts.concat()),
        "[a-zA-Z=?]{0,3000}",
        "[가-힣]{0,2000}",
        ".{0,200}(\r|\n|\r\n).{0,200}",
    ]
}

fn header_names(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    let head = text.split_once("\r\n\r\n").unwrap().0;
    let own = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    own.map(|line| line.split_once(':').unwrap().0.to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn nothing_from_outside_makes_a_header_or_a_long_line(
        subject in any_text(), name in any_text(), body in any_text(), html in any_text(), value in any_text(),
        list in any_text(), reference in any_text(), unsubscribe in any_text(),
    ) {
        let mut plain = message(Kind::Digest);
        plain.headers.push(("List-Unsubscribe".into(), "<mailto:x@y>".into()));
        let mut odd = plain.clone();
        odd.subject = subject;
        odd.from.name = Some(name.clone());
        odd.to.name = Some(name);
        odd.text = body;
        odd.html = html;
        odd.headers[0].1 = value;
        odd.headers[1].1 = unsubscribe;
        odd.references.push(reference);
        let usual = header_names(&build(&plain).unwrap());
        let bytes = build(&odd).unwrap();
        prop_assert_eq!(header_names(&bytes), usual);
        prop_assert!(bytes.is_ascii());
        prop_assert!(bytes.split(|b| *b == b'\n').all(|line| line.len() < 998));
        prop_assert!(!bytes.split(|b| *b == b'\n').any(|line| line.iter().filter(|b| **b == b'\r').count() > 1));
        let mut listed = odd;
        listed.list_id = Some(list);
        build(&listed).unwrap();
    }
}

/// Python's parser is the strictest at hand; it reports what it finds wrong as defects.
#[test]
fn python_finds_no_defect() {
    let judge = "import email,email.policy,sys\n\
        def defects(m):\n    return list(m.defects)+[d for v in m.values() for d in v.defects]+[d for p in m.iter_parts() for d in defects(p)] if m.is_multipart() else list(m.defects)+[d for v in m.values() for d in v.defects]\n\
        m=email.message_from_bytes(sys.stdin.buffer.read(),policy=email.policy.default)\n\
        assert not defects(m), defects(m)\n\
        assert [p.get_content_type() for p in m.iter_parts()]==['text/plain','text/html']\n\
        [p.get_content() for p in m.iter_parts()]\n\
        sys.stdout.buffer.write(m['subject'].encode())";
    let mut subjects: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    subjects.push("x".repeat(5000));
    subjects.push("방위비 ".repeat(500));
    subjects.push("plain words 방위비 plain again 協議 end".into());
    for subject in subjects {
        let mut odd = message(Kind::Digest);
        odd.subject.clone_from(&subject);
        odd.from.name = Some(subject.clone());
        odd.headers[0].1.clone_from(&subject);
        let bytes = build(&odd).unwrap();
        let python =
            Command::new("python3").args(["-c", judge]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut python) = python else {
            eprintln!("python3 is absent: not judged");
            return;
        };
        python.stdin.take().unwrap().write_all(&bytes).unwrap();
        let said = python.wait_with_output().unwrap();
        assert!(said.status.success(), "{subject:?}\n{}", String::from_utf8_lossy(&bytes));
        if subject.starts_with("plain words") {
            assert_eq!(String::from_utf8_lossy(&said.stdout), subject);
        }
    }
}
