use std::time::Duration;

use reqwest::header::LOCATION;

use super::*;
use crate::fetch::Validators;

fn chain(url: &str, login: bool) -> Chain {
    let request = Request {
        url: Url::parse(url).unwrap(),
        validators: Validators { etag: Some("\"e\"".to_owned()), last_modified: None },
        headers: vec![("X-Key".to_owned(), "k".to_owned())],
        user_agent: None,
        basic_auth: login.then(|| ("u".to_owned(), crate::config::Secret::new("p"))),
        timeout: Duration::from_secs(1),
        max_body: 1,
        tls_insecure: false,
    };
    Chain::new(&request, &HeaderValue::from_static("test")).unwrap()
}

fn follow(chain: &mut Chain, status: u16, to: &str) -> Result<(), Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_bytes(to.as_bytes()).unwrap());
    chain.follow(StatusCode::from_u16(status).unwrap(), &headers)
}

#[test]
fn a_change_of_scheme_or_port_is_a_change_of_origin() {
    for (from, to, kept) in [
        ("https://a.example/f", "https://a.example/g", true),
        ("https://a.example/f", "https://a.example:443/g", true),
        ("https://A.example/f", "https://a.example/g", true),
        ("http://a.example/f", "https://a.example/f", false),
        ("https://a.example/f", "https://a.example:8443/f", false),
        ("https://a.example/f", "https://www.a.example/f", false),
    ] {
        let mut chain = chain(from, true);
        follow(&mut chain, 301, to).unwrap();
        let request = chain.request(Connection::Own);
        for name in ["authorization", "x-key", "if-none-match"] {
            assert_eq!(request.headers().contains_key(name), kept, "{from} to {to}: {name}");
        }
    }
}

#[test]
fn what_was_dropped_stays_dropped_on_the_way_back() {
    let mut chain = chain("https://a.example/f", false);
    follow(&mut chain, 302, "https://b.example/").unwrap();
    follow(&mut chain, 302, "https://a.example/g").unwrap();
    assert!(!chain.request(Connection::Own).headers().contains_key("x-key"));
}

#[test]
fn a_password_does_not_leave_https() {
    let failure =
        follow(&mut chain("https://a.example/f", true), 301, "http://a.example/f?k=geheim").unwrap_err();
    assert_eq!(failure.kind, FailureKind::Redirects);
    assert!(
        failure.what.contains("http://a.example/f?...") && !failure.what.contains("geheim"),
        "{}",
        failure.what
    );
    // Without one the redirect is followed, but is no move.
    let mut open = chain("https://a.example/f", false);
    follow(&mut open, 301, "http://a.example/f").unwrap();
    assert_eq!((open.url.as_str(), &open.moved_to), ("http://a.example/f", &None));
}

#[test]
fn odd_locations_are_read_as_browsers_do() {
    for (to, at) in [
        ("  /x y#z ", "https://a.example/x%20y"),
        ("//b.example", "https://b.example/"),
        ("?page=2", "https://a.example/dir/f?page=2"),
        ("../뉴스", "https://a.example/%EB%89%B4%EC%8A%A4"),
    ] {
        let mut chain = chain("https://a.example/dir/f", false);
        follow(&mut chain, 302, to).unwrap();
        assert_eq!(chain.url.as_str(), at);
    }
}
