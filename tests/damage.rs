//! Damage in feeds, and that it costs nothing but what it stands in.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use burdenwatch::news::entry::{Context, Document, Entry, Unreadable};
use burdenwatch::news::parse::read;

fn document(text: &str) -> Document {
    read(text.as_bytes(), &Context::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What is between the channel's tags, as a document.
fn rss(inner: &str) -> Document {
    document(&format!("<rss version=\"2.0\"><channel>{inner}</channel></rss>"))
}

fn titles(document: &Document) -> Vec<&str> {
    document.entries.iter().map(|entry| entry.title.as_deref().unwrap_or("-")).collect()
}

/// Title, link, summary.
fn parts(entry: &Entry) -> [&str; 3] {
    [&entry.title, &entry.link, &entry.summary].map(|field| field.as_deref().unwrap_or_default())
}

const NEXT: &str = "<item><title><![CDATA[Seoul]]></title><link>https://x.test/seoul</link></item>";
const LAST: &str =
    "<item><title>Tokyo</title><description><![CDATA[<!-- ad --> talks]]></description></item>";

#[test]
fn a_document_type_ends_before_the_feed_begins() {
    let feed = format!("<rss><channel><item><title>Bases</title></item>{NEXT}{LAST}</channel></rss>");
    let types = [
        "<!DOCTYPE rss [<!ENTITY nbsp \"&#160;\">]>",
        "<!DOCTYPE rss [<!ENTITY nbsp \"&#160;\">\n] >",
        "<!DOCTYPE rss [<!ENTITY nbsp \"&#160;\">\n]\n>",
        "<!doctype rss [ <!-- ]> --> <?note ]> ?> <!ENTITY nbsp ']>'> ]>",
        "<!DOCTYPE rss [<!ENTITY note \"<item><title>no</title></item>\">]>",
        "<!DOCTYPE rss [<!ENTITY nbsp \"&#160;>]>",
        "<!DOCTYPE rss [<!ENTITY nbsp \"&#160;\">",
        "<!DOCTYPE rss [",
        "<!DOCTYPE rss PUBLIC \"-//N//DTD RSS 0.91//EN\" \"http://x.test/rss.dtd\">",
    ];
    for kind in types {
        assert_eq!(titles(&document(&format!("{kind}{feed}"))), ["Bases", "Seoul", "Tokyo"], "{kind}");
    }
}

#[test]
fn what_only_looks_like_a_declaration_is_text() {
    for text in [
        "Wow <! [sic] he said",
        "Wow <!x [> he said",
        "what <? he said",
        "a <! b",
        "a <? b",
        "a <!b",
        "a <?b",
    ] {
        let document =
            rss(&format!("<item><title>Bases</title><description>{text}</description></item>{NEXT}{LAST}"));
        assert_eq!(titles(&document), ["Bases", "Seoul", "Tokyo"], "{text}");
        assert!(document.entries[0].summary.as_ref().unwrap().starts_with(['W', 'w', 'a']), "{text}");
    }
    let document = rss("<item><title>a<?x y=\"a>b\"?> b<!--> c<![if !vml]> d</title></item>");
    assert_eq!(titles(&document), ["a b c d"]);
    let document = document_after("<?php echo \"<item>\" ?>");
    assert_eq!(titles(&document), ["Seoul"]);
}

fn document_after(before: &str) -> Document {
    document(&format!("{before}<rss><channel>{NEXT}</channel></rss>"))
}

#[test]
fn a_comment_without_its_end_takes_no_item_with_it() {
    for comment in ["<!-- ad -></item>", "<description>x <!-- note </description></item>", "<!-- ad </item>"]
    {
        let document = rss(&format!("<item><title>Bases</title>{comment}{NEXT}{LAST}"));
        assert_eq!(titles(&document), ["Bases", "Seoul", "Tokyo"], "{comment}");
        assert_eq!(document.entries[1].link.as_deref(), Some("https://x.test/seoul"));
        assert!(document.flaws.iter().any(|flaw| flaw.kind == "unterminated"), "{comment}");
    }
    let whole = rss(&format!("<!-- <item><title>Old</title></item> -->{NEXT}"));
    assert_eq!((titles(&whole), &whole.flaws), (vec!["Seoul"], &vec![]));
}

#[test]
fn a_section_without_its_end_stops_where_its_element_does() {
    let link = "<link><![CDATA[https://x.test/bases]]></link><description><![CDATA[Costs <i>rise</i>]]></description>";
    for title in
        ["<![CDATA[Bases]></title>", "<![CDATA[Bases]]</title>", "<![CDATA[Bases</title>", "<![CDATA[Bases"]
    {
        let document = rss(&format!("<item><title>{title}{link}</item>{NEXT}{LAST}"));
        assert_eq!(parts(&document.entries[0]), ["Bases", "https://x.test/bases", "Costs rise"], "{title}");
        assert_eq!(titles(&document), ["Bases", "Seoul", "Tokyo"], "{title}");
    }
    for end in ["</description></item>", "</item>", "\n", ""] {
        let document =
            rss(&format!("<item><title>Bases</title><description><![CDATA[cut & {end}{NEXT}{LAST}"));
        assert_eq!(titles(&document), ["Bases", "Seoul", "Tokyo"], "{end}");
        assert_eq!(document.entries[0].link, None);
        assert_eq!(document.entries[0].summary.as_deref(), Some("cut &"));
        assert_eq!(document.entries[1].link.as_deref(), Some("https://x.test/seoul"));
    }
    let both = rss(&format!(
        "<item><title>Bases</title><description><![CDATA[cut <![CDATA[]></description></item>{NEXT}"
    ));
    assert_eq!(titles(&both), ["Bases", "Seoul"]);
    let lower = rss("<item><title><![cdata[Bases & costs]]></title></item>");
    assert_eq!(titles(&lower), ["Bases & costs"]);
}

#[test]
fn a_whole_section_may_hold_the_beginning_of_another() {
    // WordPress writes scripts so.
    let script = "<p>One</p><script>/* <![CDATA[ */ var a = 1; /* ]]&gt; */</script><p>Two</p>";
    let document = rss(&format!(
        "<item><title>Bases</title><description><![CDATA[{script}]]></description></item>{NEXT}"
    ));
    assert_eq!(document.entries[0].summary.as_deref(), Some("One\nTwo"));
    assert_eq!((titles(&document), &document.flaws), (vec!["Bases", "Seoul"], &vec![]));
    let code = "<p>an <item> and its </item></p>";
    let document =
        rss(&format!("<item><title>Bases</title><description><![CDATA[{code}]]></description></item>{NEXT}"));
    assert_eq!((titles(&document), &document.flaws), (vec!["Bases", "Seoul"], &vec![]));
}

#[test]
fn a_character_cut_in_the_middle_may_take_a_bracket() {
    // The first byte of a character alone makes one with the bracket that follows it.
    for (charset, lead) in [("Shift_JIS", 0x8d), ("GBK", 0xb0), ("Big5", 0xa5)] {
        let mut bytes = format!("<?xml version=\"1.0\" encoding=\"{charset}\"?><rss><channel>").into_bytes();
        bytes.extend_from_slice(b"<item><title><![CDATA[Bases ");
        bytes.push(lead);
        bytes.extend_from_slice(b"]]></title><link><![CDATA[https://x.test/1]]></link></item>");
        bytes.extend_from_slice(NEXT.as_bytes());
        let document = read(&bytes, &Context::default()).unwrap();
        assert_eq!(document.entries.len(), 2, "{charset}");
        assert!(document.entries[0].title.as_ref().unwrap().starts_with("Bases "), "{charset}");
        assert_eq!(document.entries[0].link.as_deref(), Some("https://x.test/1"), "{charset}");
        assert_eq!(document.entries[1].link.as_deref(), Some("https://x.test/seoul"), "{charset}");
    }
}

#[test]
fn the_case_of_a_tag_does_not_matter() {
    let fields = [
        "<TITLE>Bases<LINK>https://x.test/1<DESCRIPTION>Costs</ITEM>",
        "<title>Bases<link>https://x.test/1<description>Costs</item>",
        "<Title>Bases</title><Link>https://x.test/1</link><description>Costs</Description></item>",
    ];
    for fields in fields {
        let document = rss(&format!("<Item>{fields}{NEXT}"));
        assert_eq!(parts(&document.entries[0]), ["Bases", "https://x.test/1", "Costs"], "{fields}");
        assert_eq!(titles(&document), ["Bases", "Seoul"], "{fields}");
    }
}

#[test]
fn a_head_field_without_its_end_is_read_up_to_the_next() {
    let document = rss(&format!("<title>Alliance desk<language>ko<ttl>30<link>https://x.test/</link>{NEXT}"));
    assert_eq!(
        (document.title.as_deref(), document.lang.as_deref(), document.ttl_minutes),
        (Some("Alliance desk"), Some("ko"), Some(30))
    );
    assert_eq!(titles(&document), ["Seoul"]);
}

#[test]
fn a_slash_behind_an_unquoted_value_is_part_of_it() {
    let document = document(
        "<rdf:RDF><item rdf:about=https://x.test/1/><title>Bases</title></item><item><title>Seoul</title></item></rdf:RDF>",
    );
    assert_eq!(titles(&document), ["Bases", "Seoul"]);
}

#[test]
fn text_and_markup_are_told_apart() {
    let atom = |body: &str| {
        let text =
            format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>1</id>{body}</entry></feed>");
        document(&text).entries[0].summary.clone().unwrap_or_default()
    };
    let xhtml = |body: &str| atom(&format!("<content type=\"xhtml\"><div>{body}</div></content>"));
    let table = [
        (atom("<summary>The &lt;Hill&gt; reports</summary>"), "The <Hill> reports"),
        (atom("<summary type=\"text\">if x &lt;y and z&gt; then</summary>"), "if x <y and z> then"),
        (atom("<summary type=\"html\">&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two</summary>"), "One\nTwo"),
        (xhtml("<p>One</p><script src=\"x.js\"/><style/><p>Two</p>"), "One\nTwo"),
        (xhtml("<p><![CDATA[a < b & c <Hill> &amp; <b>]]></p>"), "a < b & c <Hill> & <b>"),
        (xhtml("<svg><g><path d=\"M 0 0\"/></g></svg>One<bdt/>Two"), "OneTwo"),
    ];
    for (read, expected) in table {
        assert_eq!(read, expected);
    }
    let raw =
        rss("<item><title>Bases</title><description>The <Hill> reports <o:p>more</o:p></description></item>");
    assert_eq!(raw.entries[0].summary.as_deref(), Some("The <Hill> reports\nmore"));
}

/// A list of items, as a JSON Feed.
fn json(items: &str) -> Document {
    document(&format!(
        "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"Desk\",\"items\":[{items}]}}"
    ))
}

#[test]
fn one_broken_value_costs_a_json_feed_nothing_else() {
    let deep = format!("\"_x\":{}{}", "[{\"a\":".repeat(300), "}]".repeat(300));
    let table = [
        (r#""summary":"cut \ud83d""#, Some("cut \u{fffd}"), Some("bad-escapes")),
        (r#""summary":"\ud83d\ude00 \u00e9\n\/""#, Some("😀 é /"), None),
        (r#""summary":"\x41 it\'s \u12""#, Some("A it's u12"), Some("bad-escapes")),
        ("\"summary\":\"a\u{1}b\nc\"", Some("a b c"), Some("control-characters")),
        (r#""summary":1e400"#, Some("1e400"), None),
        (r#""_x":1e400,"summary":"a""#, Some("a"), None),
        (&deep, None, None),
        (r#""summary":"old","summary":"new""#, Some("new"), None),
        (r#""_x":1,"_x":2,"#, None, None),
        (r#""_x":tru,"summary":"a""#, Some("a"), None),
        (r#""summary":"he said "yes" today""#, Some("he said"), Some("broken-json")),
        (r#""_x""summary":"a""#, Some("a"), Some("broken-json")),
        (r#""summary":"a","authors":[0,[],{"name":"Kim"}]"#, Some("a"), None),
    ];
    for (fields, summary, flaw) in table {
        let items = format!(
            "{{\"id\":\"1\",\"title\":\"Bases\"}},{{\"id\":\"2\",{fields},\"title\":\"Seoul\"}},{{\"id\":\"3\",\"title\":\"Tokyo\"}}"
        );
        let document = json(&items);
        assert_eq!(titles(&document), ["Bases", "Seoul", "Tokyo"], "{fields}");
        assert_eq!(document.entries[1].summary.as_deref(), summary, "{fields}");
        assert_eq!(document.flaws.first().map(|flaw| flaw.kind), flaw, "{fields}");
    }
}

#[test]
fn a_bracket_lost_in_a_json_feed_costs_no_item() {
    let (first, last) = ("\"id\":\"1\",\"title\":\"Bases\"", "{\"id\":\"3\",\"title\":\"Tokyo\"}");
    for items in [
        format!("{{{first},{{\"id\":\"2\",\"title\":\"Seoul\"}},{last}"),
        format!("{{{first}}}}},{{\"id\":\"2\",\"title\":\"Seoul\"}},{last}"),
        format!("{{{first}}} {{\"id\":\"2\",\"title\":\"Seoul\"}} {last},,"),
        format!("{{{first},\"tags\":[\"a,{{\"id\":\"2\",\"title\":\"Seoul\"}},{last}"),
        format!("{{{first},\"tags\":[\"a\",{{\"id\":\"2\",\"title\":\"Seoul\"}},{last}"),
        format!("{{{first},\"url\":\"https,{{\"id\":\"2\",\"title\":\"Seoul\"}},{last}"),
        format!("{{{first}}},]{{\"id\":\"2\",\"title\":\"Seoul\"}},{last}"),
        format!("{{{first}}},[{{\"id\":\"2\",\"title\":\"Seoul\"}},{last}"),
        format!(
            "\"{{{first}}},\"{{\"id\":\"1\",\"title\":\"Bases\"}},{{\"id\":\"2\",\"title\":\"Seoul\"}},{last}"
        ),
        format!("{{{first}}},null,5,\"x\",[{{}}],{{\"id\":\"2\",\"title\":\"Seoul\",}},{last},"),
    ] {
        assert_eq!(titles(&json(&items)), ["Bases", "Seoul", "Tokyo"], "{items}");
    }
    let trailing = "{\"items\":[{\"id\":\"1\",\"title\":\"Bases\"}]}\n<!-- cached -->";
    assert_eq!(titles(&document(trailing)), ["Bases"]);
    let decoy = r#"{"description":"the \"items\" [x]","items":[{"id":"1","title":"Bases"}],"language":"ko"}"#;
    assert_eq!((titles(&document(decoy)), document(decoy).lang.as_deref()), (vec!["Bases"], Some("ko")));
}

#[test]
fn a_prefix_means_what_it_says_or_what_it_usually_does() {
    let fields = |entry: &Entry| {
        let author = entry.authors.first().cloned().unwrap_or_default();
        [entry.title.clone().unwrap_or_default(), author, entry.content.clone().unwrap_or_default()].join("|")
    };
    let media =
        "<media:content><media:title>Photo</media:title><media:credit>Foto</media:credit></media:content>";
    let table = [
        ("xmlns:media=\"http://www.rssboard.org/media-rss\"", media, "Bases||"),
        ("xmlns:dc=\"http://dublincore.org/1999/dces/\"", "<dc:creator>Kim</dc:creator>", "Bases|Kim|"),
        ("xmlns:content=\"urn:x\"", "<content:encoded>Full</content:encoded>", "Bases||Full"),
        ("xmlns:c=\"urn:x\"", "<c:creator>Kim</c:creator>", "Bases||"),
        ("", "<creator xmlns=\"http://purl.org/dc/elements/1.1/\">Kim</creator>", "Bases|Kim|"),
        ("", "<title xmlns=\"http://search.yahoo.com/mrss/\">Photo</title>", "Bases||"),
        (
            "",
            "<content xmlns=\"http://search.yahoo.com/mrss/\"><title>Photo</title><link>https://no.test/</link></content>",
            "Bases||",
        ),
        (
            "xmlns:media=\"http://search.yahoo.com/mrss/\"",
            "<media:group><title>Photo</title><link>https://no.test/</link></media:group>",
            "Bases||",
        ),
        (
            "xmlns:m=\"urn:x\"",
            "<m:creator xmlns:m=\"http://purl.org/dc/elements/1.1/\">Kim</m:creator>",
            "Bases|Kim|",
        ),
    ];
    for (declared, field, expected) in table {
        let document = document(&format!(
            "<rss {declared}><channel><item>{field}<title>Bases</title><link>https://x.test/1</link><description>Costs</description></item></channel></rss>"
        ));
        assert_eq!(fields(&document.entries[0]), expected, "{declared} {field}");
        assert_eq!(document.entries[0].link.as_deref(), Some("https://x.test/1"), "{field}");
        assert_eq!(document.entries[0].summary.as_deref(), Some("Costs"), "{field}");
    }
    let rebound = "<rss xmlns:m=\"urn:x\"><channel><item xmlns:m=\"http://purl.org/dc/terms/\"><m:title>Bases</m:title></item></channel></rss>";
    assert_eq!(titles(&document(rebound)), ["Bases"]);
}

#[test]
fn an_author_without_a_name_is_none() {
    for author in ["<name/><uri>https://x.test/kim</uri>", "<uri>https://x.test/kim</uri>", "<name></name>"] {
        let document = rss(&format!("<item><title>Bases</title><author>{author}</author></item>"));
        assert_eq!(document.entries[0].authors, [""; 0], "{author}");
    }
}

#[test]
fn entities_of_the_document_are_put_in_their_place() {
    let text = "<!DOCTYPE rss [<!ENTITY org \"NATO\"><!ENTITY b '&org;&org;'><!ENTITY amp \"no\">]><rss><channel><item><title>&org; &amp; &b;</title></item></channel></rss>";
    assert_eq!(titles(&document(text)), ["NATO & &b;"]);
    let value = "x".repeat(256);
    let bomb = format!(
        "<!DOCTYPE rss [<!ENTITY a \"{value}\">]><rss><channel><item><title>Bases</title><description>{}</description></item></channel></rss>",
        "&a;".repeat(100_000)
    );
    assert_eq!(titles(&document(&bomb)), ["Bases"]);
}

#[test]
fn a_page_with_items_in_a_script_is_no_feed() {
    let page = "<!DOCTYPE html><html><body><script>var t = \"<item><title>x</title></item>\";</script><p>503</p></body></html>";
    assert_eq!(read(page.as_bytes(), &Context::default()), Err(Unreadable::Html));
}

#[test]
fn what_is_left_of_a_cut_character_is_dropped() {
    let whole = "한미 방위비 분담금 협상";
    for cut in 1..3 {
        let mut bytes = format!("<rss><channel><item><title>Bases</title><description>{whole}").into_bytes();
        bytes.truncate(bytes.len() - cut);
        bytes.extend_from_slice(b"</description></item></channel></rss>");
        let document = read(&bytes, &Context::default()).unwrap();
        assert_eq!(document.entries[0].summary.as_deref(), Some("한미 방위비 분담금 협"));
        assert_eq!(document.flaws.first().map(|flaw| flaw.kind), Some("cut-characters"));
    }
    let french = b"<rss><channel><item><title>\xc3\xa9t\xc3\xa9 d\xc3\xa9cid\xc3\xa9 \xc3\xa9t\xc3\xa9 \xabvoil\xe0\xbb</title></item></channel></rss>";
    assert_eq!(titles(&read(french, &Context::default()).unwrap()), ["été décidé été «voilà»"]);
}
