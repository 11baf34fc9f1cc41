//! Documents made to cost time or memory: none may cost much more than a good one of its size.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

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
    ];
    for piece in PIECES {
        for (before, after) in places {
            let text = format!("{before}{}{after}", piece.repeat(200_000 / piece.len()));
            let start = Instant::now();
            let _ = read(text.as_bytes(), &Context::default());
            let spent = start.elapsed();
            assert!(spent < Duration::from_secs(2), "{piece} after {before} took {spent:?}");
        }
    }
}
