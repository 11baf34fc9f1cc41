//! Addresses of articles: the one a reader is shown, and the one identity rests on.

use std::borrow::Cow;

use url::Url;

/// Query parameters that say where a reader came from, never what is read.
const TRACKING: [&str; 36] = [
    "__twitter_impression",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "at_campaign",
    "at_medium",
    "cmp",
    "cmpid",
    "cvid",
    "dclid",
    "emc",
    "fbclid",
    "feature",
    "ftag",
    "gbraid",
    "gclid",
    "igshid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "ncid",
    "ocid",
    "oly_anon_id",
    "oly_enc_id",
    "partner",
    "rss",
    "sfnsn",
    "smid",
    "srsltid",
    "taid",
    "twclid",
    "wbraid",
    "xtor",
    "yclid",
];

/// Beginnings of such parameters' names.
const TRACKING_PREFIXES: [&str; 6] = ["utm_", "mtm_", "pk_", "campaign_", "itm_", "at_custom"];

/// Query parameters looked at; there is no page with so many.
const MOST_PARAMETERS: usize = 256;

/// What generators write where they have no address.
const NO_ADDRESS: [&str; 8] = ["", "#", "-", "none", "null", "nil", "undefined", "n/a"];

/// The longest address that is kept.
const LONGEST: usize = 8 * 1024;

/// Returns the canonical key of an address: two addresses with one key lead to one article.
///
/// For comparing only, never for showing.
pub fn key(url: &str) -> Option<String> {
    plain_key(url).or_else(|| parsed_key(url))
}

/// Returns the key of an address that is written as it would be after parsing, and is nobody's wrapper.
///
/// Nearly every address is, having been parsed before; to parse it again costs more than all else.
fn plain_key(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, rest) = rest.split_at(rest.find('/')?);
    let named = host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'));
    let ends_in_letters =
        host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_lowercase()));
    if !named
        || !ends_in_letters
        || ["xn--", "google", "bing.", "facebook."].iter().any(|part| host.contains(part))
    {
        return None;
    }
    let host = bare_host(host);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*');
    if !path.bytes().all(|byte| usual(byte) || matches!(byte, b'/' | b',' | b':' | b';' | b'=' | b'+'))
        || !query.bytes().all(|byte| usual(byte) || matches!(byte, b'&' | b'='))
        || path.contains("/.")
    {
        return None;
    }
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()).take(MOST_PARAMETERS) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if value.contains('=') {
            return None;
        }
        if !is_tracking(name, value, host) {
            pairs.push((name, value));
        }
    }
    pairs.sort_unstable();
    let mut key = String::with_capacity("https://".len() + host.len() + rest.len());
    for part in ["https://", host, bare_path(path)] {
        key.push_str(part);
    }
    for (place, (name, value)) in pairs.into_iter().enumerate() {
        for part in [if place == 0 { "?" } else { "&" }, name, "=", value] {
            key.push_str(part);
        }
    }
    Some(key)
}

fn parsed_key(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    let url = unwrap(&url).unwrap_or(url);
    if !matches!(url.scheme(), "http" | "https") {
        return Some(url.to_string());
    }
    let host = bare_host(url.host_str()?);
    let mut key = String::with_capacity(url.as_str().len());
    key.push_str("https://");
    key.push_str(host);
    if let Some(port) = url.port().filter(|port| !matches!(port, 80 | 443)) {
        key.push_str(&format!(":{port}"));
    }
    key.push_str(bare_path(url.path()));
    let query = bare_query(&url, host);
    if !query.is_empty() {
        key.push('?');
        key.push_str(&query);
    }
    Some(key)
}

fn bare_host(host: &str) -> &str {
    let mut host = host.strip_suffix('.').unwrap_or(host);
    for prefix in ["www.", "m.", "amp.", "mobile."] {
        // What is left must still be a name: "m.kr" is a site of its own.
        host = host.strip_prefix(prefix).filter(|rest| rest.contains('.')).unwrap_or(host);
    }
    host
}

fn bare_path(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix("/amp").or_else(|| path.strip_suffix("/amp.html")).unwrap_or(path);
    path.strip_suffix("/index.html").unwrap_or(path).trim_end_matches('/')
}

fn bare_query(url: &Url, host: &str) -> String {
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = url
        .query_pairs()
        .take(MOST_PARAMETERS)
        .filter(|(name, value)| !is_tracking(name, value, host))
        .collect();
    pairs.sort();
    if pairs.is_empty() {
        return String::new();
    }
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn is_tracking(name: &str, value: &str, host: &str) -> bool {
    let name: Cow<'_, str> = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    };
    TRACKING.binary_search(&name.as_ref()).is_ok()
        || TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || (name == "ref" && bare_host(value) == host)
        || (matches!(name.as_ref(), "amp" | "outputtype") && matches!(value, "" | "1" | "amp"))
}

/// Undoes the wrappers that aggregators put round an address, without asking anyone:
/// `google.com/url?url=` of Google Alerts, and Google News addresses that still
/// spell theirs.
pub fn unwrap(url: &Url) -> Option<Url> {
    let host = bare_host(url.host_str()?);
    let parameter = |names: &[&str]| {
        let pair = url.query_pairs().take(64).find(|(name, _)| names.contains(&name.as_ref()));
        pair.and_then(|(_, value)| http(&value))
    };
    if is_google(host) {
        return match url.path() {
            "/url" => parameter(&["url", "q"]),
            "/news/url" => parameter(&["url"]),
            _ if host.starts_with("news.") => google_news(url.path()).or_else(|| parameter(&["url"])),
            _ => None,
        };
    }
    match host {
        "bing.com" if url.path() == "/news/apiclick.aspx" => parameter(&["url"]),
        "l.facebook.com" | "lm.facebook.com" if url.path() == "/l.php" => parameter(&["u"]),
        "news.url.google.com" => parameter(&["url"]),
        _ => None,
    }
}

fn is_google(host: &str) -> bool {
    let host = host.strip_prefix("news.").unwrap_or(host);
    host.strip_prefix("google.").is_some_and(|rest| rest.len() <= 6)
}

/// Reads the address out of an older Google News path: base64 of a small record that spells it.
fn google_news(path: &str) -> Option<Url> {
    let (_, blob) = path.split_once("/articles/")?;
    let blob = blob.trim_end_matches(['=', '/']);
    if blob.len() > LONGEST {
        return None;
    }
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(blob.as_bytes())
        .or_else(|_| {
            data_encoding::BASE64URL_NOPAD
                .decode(blob.get(..blob.len() / 4 * 4).unwrap_or_default().as_bytes())
        })
        .ok()?;
    let at = memchr::memmem::find(&bytes, b"http")?;
    let tail = bytes.get(at..)?;
    let end = tail.iter().position(|byte| !(0x21..0x7f).contains(byte)).unwrap_or(tail.len());
    http(std::str::from_utf8(tail.get(..end)?).ok()?)
}

fn http(text: &str) -> Option<Url> {
    Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// White space, and what editors and databases leave round a text that nobody sees.
fn is_unseen(char: char) -> bool {
    char.is_whitespace()
        || char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// Tells whether an address lacks its scheme only: `www.example.org/1`, or the feed's own host in front.
fn begins_with_a_host(href: &str, base: Option<&Url>) -> bool {
    let host = href.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let www = host.get(..4).is_some_and(|www| www.eq_ignore_ascii_case("www.")) && host.len() > 4;
    www || (host.contains('.') && base.and_then(Url::host_str) == Some(host))
}

/// Makes an address absolute; `None` for one that leads nowhere.
pub(crate) fn absolute(href: &str, base: Option<&Url>) -> Option<Url> {
    let href = href.trim_matches(is_unseen);
    if href.len() > LONGEST || NO_ADDRESS.iter().any(|word| href.eq_ignore_ascii_case(word)) {
        return None;
    }
    if begins_with_a_host(href, base) {
        return http(&format!("https://{href}"));
    }
    // Line breaks and tabs inside are how some generators wrap; the URL standard drops them.
    let url = match Url::parse(href) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => base?.join(href).ok()?,
        Err(_) => return None,
    };
    if matches!(url.scheme(), "javascript" | "data" | "file" | "vbscript" | "about" | "blob") {
        return None;
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_binary_search() {
        assert!(TRACKING.is_sorted());
    }

    #[test]
    fn one_article_has_one_key() {
        let table = [
            ("http://www.example.org/a/", "https://example.org/a"),
            ("https://m.example.org:443/a?utm_source=rss&b=2&a=1#top", "https://example.org/a?a=1&b=2"),
            ("https://amp.example.org/a/amp", "https://example.org/a"),
            ("https://example.org/a/amp/?fbclid=x", "https://example.org/a"),
            ("https://EXAMPLE.org", "https://example.org"),
            ("http://example.org:8080/?p=1&CMP=share", "https://example.org:8080?p=1"),
            ("https://example.org/a?ref=example.org", "https://example.org/a"),
            ("https://example.org/a?ref=other", "https://example.org/a?ref=other"),
            (
                "https://www.google.com/url?rct=j&url=http://example.org/x%3Fid%3D1&ct=ga",
                "https://example.org/x?id=1",
            ),
            ("https://m.kr/a", "https://m.kr/a"),
            ("urn:uuid:1", "urn:uuid:1"),
        ];
        for (url, expected) in table {
            assert_eq!(key(url).as_deref(), Some(expected), "{url}");
        }
        assert_eq!(key("not a url"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_key_does_not_depend_on_how_it_is_found(
            url in r"https?://(www\.|m\.|amp\.|)[a-z0-9.-]{0,12}(\.[a-z0-9]{1,3}|)(:80|)(/[a-zA-Z0-9./_~%,;:=+*-]{0,12}){0,3}(/amp|/index\.html|/|)(\?[a-zA-Z0-9._*~%+=&-]{0,24}|)(&utm_source=a|&ref=a\.b|&AMP=1|)(#x|)"
        ) {
            if let Some(key) = plain_key(&url) {
                proptest::prop_assert_eq!(Some(key), parsed_key(&url));
            }
        }
    }

    #[test]
    fn most_addresses_need_no_parsing() {
        for url in [
            "https://www.example.org/2026/11/24/talks-open.html?utm_source=rss&id=1000",
            "https://example.co.kr/view/AKR20261124000100504",
        ] {
            assert!(plain_key(url).is_some(), "{url}");
            assert_eq!(plain_key(url), parsed_key(url));
        }
        for url in [
            "https://www.google.com/url?url=http://a.example/",
            "https://1.2.3.4/x",
            "https://a.example/%41",
            "https://a.example/?a=b=c",
        ] {
            assert_eq!(plain_key(url), None, "{url}");
        }
    }

    #[test]
    fn keys_keep_what_tells_articles_apart() {
        assert_ne!(key("https://example.org/view?id=1"), key("https://example.org/view?id=2"));
        assert_ne!(key("https://a.example.org/1"), key("https://b.example.org/1"));
    }

    #[test]
    fn wrappers_come_off_offline() {
        let blob =
            data_encoding::BASE64URL_NOPAD.encode(b"\x08\x13\x22\x1bhttps://example.org/story-1\xd2\x01\0");
        let table = [
            (
                "https://www.google.com/url?sa=t&url=https://example.org/a&usg=x".to_owned(),
                Some("https://example.org/a"),
            ),
            (
                format!("https://news.google.com/rss/articles/{blob}?oc=5"),
                Some("https://example.org/story-1"),
            ),
            ("https://news.google.com/rss/articles/CBMiopaque?oc=5".to_owned(), None),
            ("https://example.org/url?url=https://other.test/".to_owned(), None),
            ("https://www.google.com/url?url=javascript:alert(1)".to_owned(), None),
        ];
        for (wrapped, expected) in table {
            let got = unwrap(&Url::parse(&wrapped).unwrap());
            assert_eq!(got.as_ref().map(Url::as_str), expected, "{wrapped}");
        }
    }

    #[test]
    fn absolute_addresses_only() {
        let base = Url::parse("https://example.org/feed/rss.xml").unwrap();
        let table = [
            ("/a", Some("https://example.org/a")),
            (" b?c=1 ", Some("https://example.org/feed/b?c=1")),
            ("//cdn.example.org/x", Some("https://cdn.example.org/x")),
            ("http://x.test/방위비", Some("http://x.test/%EB%B0%A9%EC%9C%84%EB%B9%84")),
            ("javascript:alert(1)", None),
            ("", None),
        ];
        for (href, expected) in table {
            assert_eq!(absolute(href, Some(&base)).as_ref().map(Url::as_str), expected, "{href}");
        }
        assert_eq!(absolute("/a", None), None);
    }
}
