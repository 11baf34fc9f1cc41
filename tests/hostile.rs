//! Documents made to cost time or memory: none may cost much more than a good one of its size.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use burdenwatch::news::entry::Context;
use burdenwatch::news::parse::read;

/// Each is repeated, in every place a document has.
const PIECES: [&str; 52] = [
    "<a>",
    "<",
    "&",
    "<title>",
    "<description>",
    "<![CDATA[",
    "<!--",
    "<a b=\"",
    "<a b='> \"",
    "<a\" b=\"",
    "<a b=\"<\" ",
    "<item>",
    "</item>",
    "</a>",
    "<dc:x>",
    "&#",
    "]]>",
    "<a xmlns:n='u'>",
    "<a xmlns='http://purl.org/dc/terms/'>",
    "<!DOCTYPE a [",
    "<!DOCTYPE a [<!x '",
    "<!DOCTYPE a [<!--",
    "<?",
    "<?x",
    "<?php <",
    "<!",
    "<!x",
    "<![if ",
    "<ttl>",
    "<hour>",
    "<day>",
    "<language>",
    "<image><title>",
    "<media:group>",
    "<media:group xmlns='http://search.yahoo.com/mrss/'>",
    "<link>",
    "<author>",
    "<xhtml:div>",
    "<item><title>",
    "<content:encoded><b>",
    "<source>",
    "&amp;lt;",
    "&lt;zz ",
    "<zz ",
    "<script>",
    "<a 'b' \"c\" d=",
    "<description></b>",
    "<![CDATA[<![CDATA[]]>",
    "<title><![CDATA[a]></title>",
    "<!-- <item> ",
    "<![CDATA[ <item> ",
    "<author><b><name>x</name></author>",
];

fn is_read_in_time(text: &str, context: &Context<'_>, what: &str) {
    let start = Instant::now();
    let _ = read(text.as_bytes(), context);
    let spent = start.elapsed();
    assert!(spent < Duration::from_secs(2), "{what} took {spent:?}");
}

#[test]
fn no_document_takes_long() {
    let places = [
        ("<rss><channel><item><title>a</title><link>https://x.test/</link>", "</item></channel></rss>"),
        ("<rss><channel><item><title><![CDATA[", ">]]></title></item></channel></rss>"),
        ("<rss><channel><item><description><![CDATA[", ">]]></description></item></channel></rss>"),
        ("<rss><channel>", "<item><title>a</title></item></channel></rss>"),
        ("<rss><channel>", ""),
        ("", ">"),
        ("&lt;rss&gt;", ""),
        ("<!DOCTYPE a [<!ENTITY a \"", "\">]><rss><channel><item><title>&a;</title></item></channel></rss>"),
    ];
    for piece in PIECES {
        for (before, after) in places {
            let text = format!("{before}{}{after}", piece.repeat(200_000 / piece.len()));
            is_read_in_time(&text, &Context::default(), &format!("{piece} after {before}"));
        }
    }
}

#[test]
fn what_is_long_is_not_looked_at_again_for_every_tag_or_item() {
    let long = "x".repeat(200_000);
    let dc = "xmlns:m='http://purl.org/dc/terms/'";
    let documents = [
        format!("<rss xmlns:m='u'><channel><item b='{long}' {dc}>{}", "<m:x>".repeat(40_000)),
        format!(
            "<rss><channel xml:base='https://x.test/{long}'>{}",
            "<item><link>a</link></item>".repeat(10_000)
        ),
        format!(
            "<rss><channel>{}",
            format!("<feed xml:base='{}/'><item><link>a</link></item>", "x".repeat(200)).repeat(5_000)
        ),
        format!(
            "<rss><channel><item><title>a</title><description>{long}</description>{}",
            "<m:description xmlns:m='http://purl.org/dc/terms/'>x</m:description>".repeat(10_000)
        ),
    ];
    for text in documents {
        let base = url::Url::parse("https://x.test/").unwrap();
        let context = Context { base: Some(&base), ..Context::default() };
        is_read_in_time(&text, &context, text.get(..60).unwrap());
    }
}

#[test]
fn no_json_takes_long() {
    let pieces = [
        "[",
        "{\"\":",
        "\"",
        "\\u",
        "\\ud83d",
        "{\"a\":0},",
        "0,",
        "}  ",
        ":",
        "],",
        "{\"authors\":[",
        "{\"id\":",
        "{\"id\":\"",
        "{\"id\":1,\"_x\":[",
        "{\"id\" ",
        "\"a\":\"\\",
        "{},",
    ];
    let places = [
        ("{\"items\":[", "]}"),
        ("{\"items\":[{\"title\":\"", "\"}]}"),
        ("{\"items\":[{\"title\":\"a\",\"_x\":", "}]}"),
        ("{\"items\":[{\"title\":\"a\",\"authors\":[", "]}]}"),
        ("{", ""),
    ];
    for piece in pieces {
        for (before, after) in places {
            let text = format!("{before}{}{after}", piece.repeat(400_000 / piece.len()));
            is_read_in_time(&text, &Context::default(), &format!("{piece} after {before}"));
        }
    }
}

/// The service has 512 MB and reads two documents at a time.
#[test]
fn no_document_takes_much_memory() {
    let rss = |inner: String| format!("<rss><channel>{inner}");
    let documents = [
        format!("{{\"items\":[{{\"title\":\"a\",\"_x\":[{}0]}}]}}", "{\"\":0},".repeat(1_000_000)),
        format!("{{\"items\":[{{\"title\":\"a\",\"authors\":[{}0]}}]}}", "0,".repeat(4_000_000)),
        rss((0..800_000).map(|number| format!("<a{number}>")).collect()),
        rss(format!("<item>{}", "<author>".repeat(1_000_000))),
    ];
    for document in documents {
        let peak = peak_of_reading(document.as_bytes());
        assert!(peak < 110 << 20, "{} of {} bytes", peak, document.len());
    }
}

/// Has another process read a document; returns the most memory it had.
fn peak_of_reading(document: &[u8]) -> usize {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(document).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_burdenwatch"))
        .args(["parse", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{{\"path\":{:?}}}", file.path()).unwrap();
    let mut answer = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut answer).unwrap();
    assert!(answer.starts_with('{'));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(input);
    child.wait().unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
