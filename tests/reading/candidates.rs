//! Fields that a feed gives more than once, the better one not first.

use super::*;

fn entry(inner: &str) -> Entry {
    let text = format!("<rss version=\"2.0\"><channel><item><title>a</title>{inner}</item></channel></rss>");
    let base = Url::parse("https://news.example.org/feed.xml").unwrap();
    let context = Context { base: Some(&base), ..Context::default() };
    let mut document = read(text.as_bytes(), &context).unwrap();
    assert_eq!(document.entries.len(), 1, "{text}");
    document.entries.remove(0)
}

#[test]
fn the_best_date_that_can_be_read_counts() {
    let good = "<dc:date>2026-11-24T10:00:00Z</dc:date>";
    for bad in ["31 Jun 2026", "soon", "0000-00-00 00:00:00", "Mon, 31 Nov 2026 10:00"] {
        let one = entry(&format!("<pubDate>{bad}</pubDate>{good}"));
        assert_eq!(instant(&one), "2026-11-24T10:00:00Z", "{bad}");
        // What an entry without an id is known by stays what it was.
        assert_eq!(one.claimed_date.as_deref(), Some(bad));
        assert_eq!(instant(&entry(&format!("{good}<pubDate>{bad}</pubDate>"))), "2026-11-24T10:00:00Z");
    }
    let three = "<dcterms:created>2026-11-22</dcterms:created><pubDate>soon</pubDate><dc:date>later</dc:date>\
                 <issued>2026-11-24</issued>";
    assert_eq!(instant(&entry(three)), "2026-11-24T00:00:00Z", "by rank, not by place");
    let updated = entry("<pubDate>soon</pubDate><updated>?</updated><modified>2026-11-24</modified>");
    assert_eq!((instant(&updated).as_str(), updated.updated), ("2026-11-24T00:00:00Z", updated.published));
}

#[test]
fn a_date_is_called_unreadable_only_where_the_entry_stays_undated() {
    let flaws = |dates: &str| {
        let text = format!("<rss><channel><item><title>a</title>{dates}</item></channel></rss>");
        kinds(&read(text.as_bytes(), &Context::default()).unwrap()).join(" ")
    };
    assert_eq!(flaws("<pubDate>soon</pubDate><dc:date>2026-11-24</dc:date>"), "");
    assert_eq!(flaws("<pubDate>soon</pubDate><dc:date>later</dc:date>"), "unreadable-date");
    assert_eq!(flaws("<pubDate>soon</pubDate>"), "unreadable-date");
}

#[test]
fn an_address_that_leads_to_an_article_goes_first() {
    let link = |inner: &str| entry(inner).link.unwrap_or_default();
    let guid = "<guid>https://x.test/a</guid>";
    for poor in
        ["mailto:desk@x.test", "urn:x:1", "tag:x.test,2026:1", "#", "None", "null", "undefined", "N/A"]
    {
        assert_eq!(link(&format!("<link>{poor}</link>{guid}")), "https://x.test/a", "{poor}");
    }
    assert_eq!(link("<link>urn:x:1</link>"), "urn:x:1", "where there is no other, it is shown");
    assert_eq!(link("<link>#</link>"), "");
    for padded in
        ["\u{feff}https://x.test/a", "\u{200b}https://x.test/a\u{200b}", "&nbsp;https://x.test/a&#8203;"]
    {
        assert_eq!(link(&format!("<link>{padded}</link>")), "https://x.test/a", "{padded:?}");
    }
    assert_eq!(link("<link>www.x.test/1</link>"), "https://www.x.test/1");
    assert_eq!(link("<link>WWW.x.test:8080/1</link>"), "https://www.x.test:8080/1");
    assert_eq!(link("<link>news.example.org/1</link>"), "https://news.example.org/1", "the feed's own host");
    assert_eq!(link("<link>www/1</link>"), "https://news.example.org/www/1");
}

#[test]
fn what_follows_a_void_link_is_its_address() {
    for void in [
        "<link/>https://x.test/a?b&amp;c",
        "<link />\n  https://x.test/a?b&amp;c\n",
        "<link/><![CDATA[https://x.test/a?b&c]]>",
    ] {
        let one = entry(&format!("{void}<description>d</description>"));
        assert_eq!(one.link.as_deref(), Some("https://x.test/a?b&c"), "{void}");
        assert_eq!(one.summary.as_deref(), Some("d"));
    }
    assert_eq!(
        entry("<link/>and then<guid>https://x.test/a</guid>").link.as_deref(),
        Some("https://x.test/a")
    );
}

#[test]
fn many_enclosures_leave_room_for_the_address() {
    let many = "<link rel=\"enclosure\" href=\"https://x.test/e\"/>".repeat(100);
    let link = "<link rel=\"alternate\" href=\"https://x.test/a\"/>";
    for inner in
        [format!("{many}{link}"), format!("{link}{many}"), format!("{many}<guid>https://x.test/a</guid>")]
    {
        assert_eq!(entry(&inner).link.as_deref(), Some("https://x.test/a"));
    }
}
