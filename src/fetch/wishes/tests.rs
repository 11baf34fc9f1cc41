use proptest::prelude::*;
use reqwest::header::HeaderValue;

use super::*;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn now() -> Timestamp {
    "2020-11-10T10:00:00Z".parse().unwrap()
}

#[test]
fn freshness_is_what_is_left_of_it() {
    let date = ("date", "Tue, 10 Nov 2020 09:00:00 GMT");
    for (lines, fresh) in [
        (vec![("cache-control", "max-age=600")], Some(600)),
        (vec![("cache-control", "public, Max-Age=\"600\""), ("age", "100")], Some(500)),
        (vec![("cache-control", "max-age=600"), ("age", "700")], None),
        (vec![("cache-control", "max-age=0"), ("expires", "Tue, 10 Nov 2020 11:00:00 GMT")], None),
        (vec![("cache-control", "public"), ("cache-control", "max-age=60")], Some(60)),
        (vec![("cache-control", "max-age=600, no-cache")], None),
        (vec![("cache-control", "no-store"), ("expires", "Tue, 10 Nov 2020 11:00:00 GMT")], None),
        (vec![("cache-control", "max-age=nonsense"), ("age", "x")], None),
        (vec![("cache-control", "max-age=-5")], None),
        (vec![("cache-control", "max-age=99999999999999999999999")], Some(366 * 24 * 3600)),
        // Against the server's own clock, wrong as it may be; without one against ours.
        (vec![("expires", "Tue, 10 Nov 2020 09:30:00 GMT"), date], Some(1800)),
        (vec![("expires", "Tue, 10 Nov 2020 10:30:00 GMT")], Some(1800)),
        (vec![("expires", "0"), date], None),
        (vec![("expires", "Thu, 01 Jan 1970 00:00:00 GMT"), date], None),
        (vec![], None),
    ] {
        assert_eq!(read(&headers(&lines), now()).fresh_for, fresh.map(Duration::from_secs), "{lines:?}");
    }
}

#[test]
fn retry_after_is_read_in_both_forms() {
    for (value, wait) in [
        ("120", Some(120)),
        (" 0 ", Some(0)),
        ("1.5", Some(1)),
        ("30s", Some(30)),
        ("Tue, 10 Nov 2020 10:02:00 GMT", Some(120)),
        ("Tue, 10 Nov 2020 09:02:00 GMT", Some(0)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ] {
        let wish = read(&headers(&[("retry-after", value)]), now()).retry_after;
        assert_eq!(wish, wait.map(Duration::from_secs), "{value:?}");
    }
}

#[test]
fn dates_are_read_in_every_form_seen() {
    let then: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
    for text in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "06 Nov 1994 08:49:37 UTC",
        "Sun, 6 November 1994 17:49:37 +0900",
        "Sun, 06 Nov 1994 03:49:37 -0500",
        "sun, 06 nov 1994 08:49:37",
    ] {
        assert_eq!(http_date(text), Some(then), "{text}");
    }
    for text in
        ["", "0", "-1", "Sun, 36 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994", "06 Foo 1994 08:49:37", "::"]
    {
        assert_eq!(http_date(text), None, "{text}");
    }
    assert_eq!(http_date("Sun, 06 Nov 1994 08:49:60 GMT"), http_date("Sun, 06 Nov 1994 08:49:59 GMT"));
}

proptest! {
    #[test]
    fn no_header_is_too_odd(value in "[ -~]{0,40}") {
        let all = headers(&[("retry-after", &value), ("cache-control", &value), ("expires", &value), ("date", &value), ("age", &value)]);
        let wishes = read(&all, now());
        prop_assert!(wishes.retry_after.is_none_or(|wait| wait <= FURTHEST));
        prop_assert!(wishes.fresh_for.is_none_or(|wait| wait <= FURTHEST));
    }

    #[test]
    fn dates_of_any_shape_are_survived(text in "[0-9A-Za-z:+, -]{0,40}") {
        let _ = http_date(&text);
    }
}
