//! Reading feeds: the fixtures, and whatever chance makes of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

#[path = "reading/candidates.rs"]
mod candidates;

use std::path::Path;
use std::time::{Duration, Instant};

use burdenwatch::news::entry::{Context, Document, Entry, Unreadable};
use burdenwatch::news::parse::read;
use burdenwatch::news::text;
use url::Url;

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds").join(name)).unwrap()
}

fn document(name: &str) -> Document {
    let base = Url::parse("https://news.example.org/feed.xml").unwrap();
    read(&bytes(name), &Context { base: Some(&base), ..Context::default() })
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn titles(document: &Document) -> Vec<&str> {
    document.entries.iter().map(|entry| entry.title.as_deref().unwrap_or("-")).collect()
}

fn kinds(document: &Document) -> Vec<&str> {
    document.flaws.iter().map(|flaw| flaw.kind).collect()
}

fn instant(entry: &Entry) -> String {
    entry.published.map(|instant| instant.to_string()).unwrap_or_default()
}

#[test]
fn clean_documents_are_read_as_feed_rs_reads_them() {
    for name in ["clean.rss.xml", "clean.atom.xml"] {
        let theirs = feed_rs::parser::parse(bytes(name).as_slice()).unwrap().entries;
        let ours = document(name).entries;
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours.id.as_deref(), Some(theirs.id.as_str()));
            assert_eq!(ours.title, theirs.title.as_ref().map(|title| text::title(&title.content)));
            assert!(theirs.links.iter().any(|link| Some(&link.href) == ours.link.as_ref()));
            // It knows fewer forms of a date.
            if let Some(at) = theirs.published.or(theirs.updated) {
                assert_eq!(ours.published.map(|at| at.as_second()), Some(at.timestamp()));
            }
        }
    }
}

#[test]
fn a_clean_rss_feed_is_read_whole() {
    let document = document("clean.rss.xml");
    assert_eq!(document.flaws, vec![]);
    assert_eq!(
        (document.title.as_deref(), document.lang.as_deref(), document.ttl_minutes),
        (Some("Alliance desk"), Some("en"), Some(30))
    );
    let first = &document.entries[0];
    assert_eq!(first.id.as_deref(), Some("alliance-1"));
    assert_eq!(first.title.as_deref(), Some("Washington and Tokyo open talks on host nation support"));
    assert_eq!(
        first.link.as_deref(),
        Some("https://news.example.org/2020/10/host-nation-support?utm_source=rss")
    );
    assert_eq!(instant(first), "2020-10-16T00:30:00Z");
    assert_eq!(first.updated, None);
    assert_eq!(first.claimed_date.as_deref(), Some("Fri, 16 Oct 2020 09:30:00 +0900"));
    assert_eq!(
        first.summary.as_deref(),
        Some(
            "The five-year special agreement runs out next March.\nJapan pays about 197.4 billion yen a year."
        )
    );
    assert!(
        first
            .content
            .as_deref()
            .unwrap()
            .starts_with("Donna Welton leads for the United States.\nA demand of 8 billion")
    );
    assert_eq!(first.authors, ["R. Holt"]);
    let second = &document.entries[1];
    assert_eq!(second.title.as_deref(), Some("Seoul’s 11th agreement still open"));
    assert_eq!(second.summary.as_deref(), Some("host nation support, and what the 10th agreement cost"));
    assert_eq!(instant(second), "2020-10-15T09:00:00Z");
}

#[test]
fn both_readers_agree_on_a_clean_feed() {
    for name in ["clean.rss.xml", "clean.atom.xml"] {
        let clean = bytes(name);
        let mut commented = b"<!-- takes the other reader -->".to_vec();
        let body = String::from_utf8(clean.clone()).unwrap();
        commented.extend_from_slice(body.split_once("?>").unwrap().1.as_bytes());
        let (one, two) =
            (read(&clean, &Context::default()).unwrap(), read(&commented, &Context::default()).unwrap());
        assert_eq!(one, two, "{name}");
    }
}

#[test]
fn a_clean_atom_feed_is_read_whole() {
    let document = document("clean.atom.xml");
    let entry = &document.entries[0];
    assert_eq!(document.flaws, vec![]);
    assert_eq!(entry.title.as_deref(), Some("Verteidigungsausgaben: zwei Prozent reichen nicht"));
    assert_eq!(entry.link.as_deref(), Some("https://news.example.org/de/1"));
    assert_eq!((instant(entry).as_str(), entry.lang.as_deref()), ("2026-03-01T21:15:00Z", Some("de")));
    assert_eq!(entry.updated.unwrap().to_string(), "2026-03-02T08:00:00Z");
    assert_eq!(entry.authors, ["Ines Vogt"]);
}

#[test]
fn damage_costs_no_entry_and_is_reported() {
    let document = document("damaged.rss.xml");
    assert_eq!(
        titles(&document),
        ["Troops & bases: a < b, AT&T pays", "No end here", "Never closed", "Control character"]
    );
    assert_eq!(document.entries[0].link.as_deref(), Some("http://news.example.org/?a=1&b=2"));
    assert_eq!(document.entries[0].summary.as_deref(), Some("Raw HTML\nand … an undefined &nosuch; entity"));
    assert_eq!(document.entries[1].link.as_deref(), Some("http://news.example.org/2"));
    assert_eq!(document.entries[3].summary.as_deref(), Some("one & two"));
    let kinds = kinds(&document);
    for kind in ["bare-ampersand", "bare-bracket", "junk-before", "control-characters", "missing-end-tag"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
}

#[test]
fn a_truncated_feed_is_read_to_its_last_whole_entry() {
    let document = document("truncated.rss.xml");
    assert_eq!(titles(&document), ["Washington and Tokyo open talks on host nation support"]);
    assert_eq!((kinds(&document), document.cut_off), (vec!["truncated"], true));
}

#[test]
fn a_document_is_cut_off_wherever_it_ends_too_early() {
    for name in ["clean.rss.xml", "clean.atom.xml", "rss10.rdf.xml"] {
        let text = String::from_utf8(bytes(name)).unwrap();
        let text = text.trim_end();
        assert!(!document(name).cut_off, "{name}");
        let begin = text.rfind("<item").or(text.rfind("<entry")).unwrap();
        for end in (begin..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let cut = read(&text.as_bytes()[..end], &Context::default()).unwrap();
            assert!(cut.cut_off, "{name}: {:?}", &text[begin..end]);
        }
    }
}

#[test]
fn what_came_of_a_cut_entry_that_cannot_be_known_again_is_set_apart() {
    let cut = |item: &str| {
        let text = format!("<rss><channel><item><title>A</title><guid>a</guid></item><item>{item}");
        let document = read(text.as_bytes(), &Context::default()).unwrap();
        (document.entries.len(), document.cut_entry.and_then(|entry| entry.title))
    };
    assert_eq!(cut("<title>Talks"), (1, Some("Talks".to_owned())));
    assert_eq!(cut("<title>Talks open</title><link>https://a.exam"), (1, Some("Talks open".to_owned())));
    assert_eq!(cut("<title>Talks open</title><guid>b</guid><desc"), (2, None), "it has what it is known by");
}

#[test]
fn every_prefix_of_a_feed_keeps_the_whole_entries() {
    let text = String::from_utf8(bytes("clean.rss.xml")).unwrap();
    let whole = text.find("</item>").unwrap() + "</item>".len();
    for end in (whole..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let document = read(&text.as_bytes()[..end], &Context::default()).unwrap();
        assert_eq!(document.entries[0].id.as_deref(), Some("alliance-1"), "cut at {end}");
    }
}

#[test]
fn old_and_foreign_vocabularies() {
    assert_eq!(titles(&document("rss090.rdf.xml")), ["Burden sharing, 1999"]);
    let rdf = document("rss10.rdf.xml");
    assert_eq!(rdf.entries[0].link.as_deref(), Some("http://news.example.org/jp/1"));
    assert_eq!(
        (instant(&rdf.entries[0]).as_str(), rdf.entries[0].lang.as_deref()),
        ("2020-11-16T00:00:00Z", Some("ja"))
    );
    let atom = document("atom03.xml");
    assert_eq!(titles(&atom), ["Troops & bases"]);
    assert_eq!(atom.entries[0].link.as_deref(), Some("http://news.example.org/old/story"));
    assert_eq!(atom.entries[0].summary.as_deref(), Some("One.\nTwo <three>."));
    assert_eq!(instant(&atom.entries[0]), "2004-02-29T02:14:55Z");
    let odd = document("userland.rss.xml");
    let links: Vec<_> = odd.entries.iter().map(|entry| entry.link.as_deref().unwrap()).collect();
    assert_eq!(
        links,
        ["https://news.example.org/odd", "https://news.example.org/permalink", "https://news.example.org/ko"]
    );
    assert_eq!(odd.entries[1].source.as_deref(), Some("The Wire"));
    assert_eq!(odd.entries[2].authors, ["홍길동 기자"]);
}

#[test]
fn json_feeds_of_any_types() {
    let document = document("feed.json");
    assert_eq!(document.entries.len(), 2);
    assert_eq!(document.entries[0].id.as_deref(), Some("17"));
    assert_eq!(document.entries[0].summary.as_deref(), Some("Costs < benefits\nsecond line"));
    assert_eq!(document.entries[1].link.as_deref(), Some("https://news.example.org/18"));
    assert_eq!(
        (document.entries[1].summary.as_deref(), document.entries[1].content.as_deref()),
        (Some("Short"), Some("Full"))
    );
    let broken = self::document("broken.json");
    assert_eq!((titles(&broken), kinds(&broken)), (vec!["Whole"], vec!["truncated"]));
    assert!(read(br#"{"items": [{"id": "1"}, {"id": "2", "ti"#, &Context::default()).unwrap().cut_off);
}

#[test]
fn pages_are_told_from_feeds() {
    assert_eq!(read(&bytes("page.html"), &Context::default()), Err(Unreadable::Html));
    assert_eq!(read(b" \r\n", &Context::default()), Err(Unreadable::Empty));
    assert!(matches!(read(b"hello", &Context::default()), Err(Unreadable::NotAFeed(_))));
    assert_eq!(titles(&document("feed-in-page.html")), ["Found anyway"]);
    assert_eq!(titles(&document("shown-in-page.html")), ["Shown"]);
}

#[test]
fn charsets() {
    for name in ["korean.cp949.xml", "korean.utf16.xml", "korean.utf32.xml"] {
        let document = document(name);
        assert_eq!(titles(&document), ["한미 방위비 분담금 협상 재개"], "{name}");
        assert_eq!(instant(&document.entries[0]), "2020-11-16T00:00:00Z", "{name}");
    }
    let stray = document("stray.xml");
    assert_eq!((titles(&stray), kinds(&stray)), (vec!["한미 방위비 분담금 협상 재개”"], vec!["stray-bytes"]));
}

#[test]
fn wrapped_links_show_the_article() {
    let document = document("wrappers.atom.xml");
    assert_eq!(document.entries[0].link.as_deref(), Some("https://news.example.org/sofa"));
    assert!(document.entries[0].given_link.as_deref().unwrap().starts_with("https://www.google.com/url"));
}

#[test]
fn limits_cut_and_say_so() {
    let long = "word ".repeat(40_000);
    let item = format!(
        "<item><title>{long}</title><link>https://x.test/1</link><description>{long}</description></item>"
    );
    let document =
        read(format!("<rss version=\"2.0\"><channel>{item}</channel></rss>").as_bytes(), &Context::default())
            .unwrap();
    assert!(document.entries[0].title.as_ref().unwrap().len() <= 1024);
    assert!(document.entries[0].summary.as_ref().unwrap().len() <= 64 * 1024);
    assert_eq!(kinds(&document), ["long-title", "long-text"]);
    let many = "<item><title>a</title><link>https://x.test/</link></item>".repeat(50_001);
    let document =
        read(format!("<rss version=\"2.0\"><channel>{many}</channel></rss>").as_bytes(), &Context::default())
            .unwrap();
    assert_eq!((document.entries.len(), kinds(&document)), (50_000, vec!["too-many-entries"]));
}

/// A small generator whose numbers depend on its seed only.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }
}

const PIECES: [&[u8]; 32] = [
    b"<",
    b">",
    b"&",
    b"\"",
    b"'",
    b"</",
    b"/>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"<?xml",
    b"<item>",
    b"</item>",
    b"<entry>",
    b"</entry>",
    b"&#xD800;",
    b"&#0;",
    b"&amp;amp;lt;",
    b"\xff\xfe",
    b"\x1b$B",
    b"\0",
    b"\x80",
    b"<title type='",
    b" xml:base='::'",
    b"a@b.co\xe3\x80\x80",
    b"<author>",
    b"\xf0\x9f\x98\x80",
    b"99999999999999999999",
    b"<!DOCTYPE x [",
    b"xmlns=\"\"",
    b"{\"items\":[",
];

fn mutate(seeds: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let to = (at + chance.below(64)).min(bytes.len());
        match chance.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => drop(bytes.splice(at..at, PIECES[chance.below(PIECES.len())].iter().copied())),
            3 => drop(bytes.splice(at..to, PIECES[chance.below(PIECES.len())].iter().copied())),
            4 if at < bytes.len() => bytes[at] = u8::try_from(chance.below(256)).unwrap(),
            5 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            6 => {
                let piece = bytes[at..to].to_vec();
                let there = chance.below(bytes.len() + 1);
                bytes.splice(there..there, piece);
            }
            _ => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len());
                let piece = other[from..(from + chance.below(400)).min(other.len())].to_vec();
                bytes.splice(at..to, piece);
            }
        }
    }
    bytes
}

/// `BURDENWATCH_MUTATIONS` sets how many documents, `BURDENWATCH_SEEDS` names a directory of more to begin from.
#[test]
fn mutated_documents_never_panic_and_never_take_long() {
    let count: u64 =
        std::env::var("BURDENWATCH_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds");
    let more = std::env::var("BURDENWATCH_SEEDS").ok().map(std::path::PathBuf::from);
    let mut files: Vec<_> = std::iter::once(own)
        .chain(more)
        .flat_map(|dir| std::fs::read_dir(dir).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files
        .iter()
        .filter(|file| file.is_file())
        .map(|file| std::fs::read(file).unwrap())
        .filter(|seed| (1..200_000).contains(&seed.len()))
        .collect();
    let base = Url::parse("https://news.example.org/feed.xml").unwrap();
    let types = [
        None,
        Some("text/xml; charset=euc-kr"),
        Some("application/rss+xml; charset=utf-8"),
        Some("charset=;=\""),
    ];
    for number in 0..count {
        let mut chance = Chance(number);
        let bytes = mutate(&seeds, &mut chance);
        let context = Context {
            content_type: types[chance.below(types.len())],
            base: Some(&base),
            ..Context::default()
        };
        let once = || {
            let start = Instant::now();
            // `read` turns a panic into an error of its own, and no other error reads like it.
            let answer = std::panic::catch_unwind(|| read(&bytes, &context));
            (answer, start.elapsed())
        };
        let (answer, mut spent) = once();
        // On a busy machine a moment's wait may come in between, but not each time.
        for _ in 0..3 {
            if spent >= Duration::from_secs(1) {
                spent = spent.min(once().1);
            }
        }
        let panicked = match &answer {
            Ok(Err(Unreadable::NotAFeed(note))) => note.contains("please report"),
            Ok(_) => false,
            Err(_) => true,
        };
        assert!(
            !panicked && spent < Duration::from_secs(1),
            "mutation {number}: {spent:?}, {:?}",
            String::from_utf8_lossy(&bytes)
        );
    }
}
