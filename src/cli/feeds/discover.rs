//! The feeds that a web page names.

use std::ops::ControlFlow;

use url::Url;

/// A feed that a page names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its address.
    pub url: Url,
    /// What the page calls it; may be empty.
    pub title: String,
    /// Whether the page says that it is a feed; else its address looks like one.
    pub declared: bool,
}

/// At most so many are worth showing.
const MOST: usize = 50;

/// Returns the feeds named on a page: those declared in `<link>` first, then likely `<a>`s.
pub fn feed_links(html: &str, page: &Url) -> Vec<Link> {
    let mut base = page.clone();
    let mut links: Vec<Link> = Vec::new();
    let _ = each_tag(html, |name, attributes| {
        let get =
            |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let target = get("href").map(str::trim).filter(|href| !href.is_empty());
        let Some(url) = target.and_then(|href| base.join(href).ok()) else {
            return ControlFlow::Continue(());
        };
        let declared = match name {
            "base" => {
                base = url;
                return ControlFlow::Continue(());
            }
            "link" => is_alternate(get("rel")) && is_feed_type(get("type")),
            _ => false,
        };
        let likely = name == "a" && (is_feed_type(get("type")) || looks_like_feed(&url));
        let known = links.iter().any(|link| link.url == url);
        if (declared || likely) && !known && matches!(url.scheme(), "http" | "https") {
            let title = get("title").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
            links.push(Link { url, title, declared });
        }
        if links.len() < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    links.sort_by_key(|link| !link.declared);
    links
}

fn is_alternate(rel: Option<&str>) -> bool {
    let mut words = rel.unwrap_or_default().split_ascii_whitespace();
    words.any(|word| word.eq_ignore_ascii_case("alternate") || word.eq_ignore_ascii_case("feed"))
}

fn is_feed_type(kind: Option<&str>) -> bool {
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "application/rss+xml" | "application/atom+xml" | "application/rdf+xml" | "application/feed+json"
    )
}

/// Whether an address is of a shape that feeds usually have.
fn looks_like_feed(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let query = url.query().unwrap_or_default().to_ascii_lowercase();
    matches!(
        last,
        "feed" | "rss" | "atom" | "feeds" | "rss.xml" | "feed.xml" | "atom.xml" | "index.xml" | "feed.json"
    ) || [".rss", ".atom", ".rdf"].iter().any(|ending| last.ends_with(ending))
        || (path.contains("/rss/") && last.ends_with(".xml"))
        || query
            .split('&')
            .any(|pair| matches!(pair, "feed=rss2" | "feed=atom" | "format=rss" | "format=atom"))
}

/// Calls `see` with the name and the attributes of each `<link>`, `<a>` and `<base>`, until it breaks.
///
/// One pass over the page, whatever it holds: each tag ends at the first `>` outside quotes within its first
/// 4096 bytes, and one without is skipped. Comments are skipped whole.
fn each_tag(
    html: &str,
    mut see: impl FnMut(&str, &[(String, String)]) -> ControlFlow<()>,
) -> ControlFlow<()> {
    const LONGEST: usize = 4_096;
    let mut rest = html;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        rest = rest.get(at + 1..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").and_then(|end| comment.get(end + 3..)).unwrap_or_default();
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (name, body) = rest.split_at(end);
        let name = name.to_ascii_lowercase();
        if !matches!(name.as_str(), "link" | "a" | "base") {
            continue;
        }
        if let Some(end) = tag_end(body, LONGEST) {
            let (body, after) = body.split_at(end);
            rest = after;
            see(&name, &attributes(body))?;
        }
    }
    ControlFlow::Continue(())
}

/// Offset of the first `>` outside quotes.
fn tag_end(body: &str, longest: usize) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in body.bytes().enumerate().take(longest) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Names in lower case and values without quotes and character references.
fn attributes(body: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = body;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let after = after.trim_ascii_start();
        let Some(value) = after.strip_prefix('=') else {
            if name.is_empty() {
                return found;
            }
            rest = after;
            continue;
        };
        let value = value.trim_ascii_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, after) = match quote {
            Some(quote) => {
                let inner = value.strip_prefix(quote).unwrap_or(value);
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            None => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        found.push((name.to_ascii_lowercase(), unescape(value)));
        rest = after;
    }
}

/// The references that occur in addresses and titles.
fn unescape(text: &str) -> String {
    let pairs = [("&quot;", "\""), ("&#39;", "'"), ("&#34;", "\""), ("&lt;", "<"), ("&gt;", ">")];
    let text = pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&#038;", "&").replace("&#38;", "&").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(html: &str) -> Vec<(String, String, bool)> {
        let page = Url::parse("https://paper.example/news/page.html").unwrap();
        feed_links(html, &page)
            .into_iter()
            .map(|link| (link.url.to_string(), link.title, link.declared))
            .collect()
    }

    #[test]
    fn declared_feeds_come_first_and_relative_addresses_resolve() {
        let html = "<!-- <link rel=alternate type=application/rss+xml href=/old> --><a href='/rss/politics.xml'>P</a>\
            <LINK REL='alternate' TYPE=\"application/rss+xml; charset=utf-8\" title='News &amp;\n more' HREF=feed?a=1&amp;b=2>\
            <link rel=stylesheet href=x.css><a href=/about>About</a><a href='mailto:x@example.org'>m</a>\
            <link rel=alternate hreflang=de href=/de><a href='/rss/politics.xml'>again</a>";
        assert_eq!(
            found(html),
            [
                ("https://paper.example/news/feed?a=1&b=2".into(), "News & more".into(), true),
                ("https://paper.example/rss/politics.xml".into(), String::new(), false),
            ]
        );
    }

    #[test]
    fn a_base_holds_for_what_follows() {
        let html = "<base href='https://cdn.example/x/'><a href='feed/'>f</a><a href='javascript:feed'>j</a>";
        assert_eq!(found(html), [("https://cdn.example/x/feed/".into(), String::new(), false)]);
    }

    #[test]
    fn hostile_pages_end() {
        for page in ["<a ", "<a \"", "<a =", "<a ==\"", "<", "<!--", "<a href='", "<a é=ü>"] {
            assert!(found(&page.repeat(20_000)).is_empty(), "{page}");
        }
    }
}
