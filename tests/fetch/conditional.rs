//! Validators, headers, wishes and statuses.

use std::time::Duration;

use burdenwatch::config::Secret;
use burdenwatch::fetch::{FailureKind, Validators};

use crate::http::{Server, Step, answer};
use crate::{fetcher, get, request};

#[tokio::test]
async fn a_first_request_is_unconditional_and_names_us() {
    let server = Server::start(|_| {
        answer(
            "200 OK",
            &[("ETag", "W/\"a b\""), ("Last-Modified", "yesterday"), ("Content-Type", "text/xml")],
            "<rss/>",
        )
    })
    .await;
    let got = get(&server.url("/feed#part")).await.unwrap();
    assert_eq!((got.status, got.body.as_slice()), (200, b"<rss/>".as_slice()));
    assert_eq!(got.content_type.as_deref(), Some("text/xml"));
    assert_eq!(got.validators.etag.as_deref(), Some("W/\"a b\""));
    assert_eq!(got.validators.last_modified.as_deref(), Some("yesterday"));
    assert_eq!((got.final_url, got.moved_to), (server.url("/feed"), None));
    let hit = &server.hits()[0];
    assert_eq!(
        (hit.path.as_str(), hit.header("if-none-match"), hit.header("if-modified-since")),
        ("/feed", None, None)
    );
    assert!(hit.header("user-agent").unwrap().starts_with("burdenwatch/"));
    assert!(hit.header("accept").unwrap().contains("application/atom+xml"));
    for coding in ["gzip", "br", "zstd", "deflate"] {
        assert!(hit.header("accept-encoding").unwrap().contains(coding), "{coding}");
    }
}

#[tokio::test]
async fn validators_go_out_verbatim_and_a_304_keeps_or_updates_them() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/keeps" => answer("304 Not Modified", &[], ""),
        _ => answer("304 Not Modified", &[("ETag", "\"new\""), ("Cache-Control", "max-age=600")], ""),
    })
    .await;
    let old =
        Validators { etag: Some("\"é old".to_owned()), last_modified: Some("Mon, 2 Nov 2020".to_owned()) };
    let mut ask = request(&server.url("/keeps"));
    ask.validators = old.clone();
    let kept = fetcher().get(&ask).await.unwrap();
    assert_eq!((kept.status, kept.validators, kept.body.len()), (304, old.clone(), 0));
    let hit = &server.hits()[0];
    assert_eq!(hit.header("if-none-match"), old.etag.as_deref());
    assert_eq!(hit.header("if-modified-since"), old.last_modified.as_deref());

    ask.url = server.url("/updates");
    let updated = fetcher().get(&ask).await.unwrap();
    assert_eq!(updated.validators.etag.as_deref(), Some("\"new\""));
    assert_eq!(updated.validators.last_modified, old.last_modified);
    assert_eq!(updated.wishes.fresh_for, Some(Duration::from_secs(600)));
}

#[tokio::test]
async fn the_same_etag_on_a_200_does_not_hide_the_body() {
    let server = Server::start(|_| answer("200 OK", &[("ETag", "\"stuck\"")], "news")).await;
    let mut ask = request(&server.url("/"));
    ask.validators.etag = Some("\"stuck\"".to_owned());
    let got = fetcher().get(&ask).await.unwrap();
    assert_eq!((got.status, got.body.as_slice()), (200, b"news".as_slice()));
}

#[tokio::test]
async fn a_200_without_validators_forgets_the_old_ones() {
    let server = Server::start(|_| answer("200 OK", &[], "news")).await;
    let mut ask = request(&server.url("/"));
    ask.validators.etag = Some("\"old\"".to_owned());
    assert_eq!(fetcher().get(&ask).await.unwrap().validators, Validators::default());
}

#[tokio::test]
async fn a_304_nobody_asked_for_is_a_failure() {
    let server = Server::start(|_| answer("304 Not Modified", &[], "")).await;
    let failure = get(&server.url("/")).await.unwrap_err();
    assert_eq!((failure.kind, failure.status), (FailureKind::Status, Some(304)));
}

#[tokio::test]
async fn a_feed_has_its_own_headers_agent_and_login() {
    let server = Server::start(|_| answer("206 Partial Content", &[], "x")).await;
    let mut ask = request(&server.url("/"));
    ask.headers = vec![("X-Key".to_owned(), "k1".to_owned()), ("Accept".to_owned(), "text/xml".to_owned())];
    ask.user_agent = Some("Reader/1".to_owned());
    ask.basic_auth = Some(("desk".to_owned(), Secret::new("pa:ss")));
    assert_eq!(fetcher().get(&ask).await.unwrap().status, 200);
    let hit = &server.hits()[0];
    assert_eq!(hit.header("x-key"), Some("k1"));
    assert_eq!((hit.header("user-agent"), hit.header("accept")), (Some("Reader/1"), Some("text/xml")));
    assert_eq!(hit.header("authorization"), Some("Basic ZGVzazpwYTpzcw=="));
    assert_eq!(hit.head.to_lowercase().matches("\naccept:").count(), 1);
}

#[tokio::test]
async fn a_login_in_the_address_is_sent_and_never_shown() {
    let server = Server::start(|_| answer("401 Unauthorized", &[], "")).await;
    let mut url = server.url("/feed?key=geheim");
    url.set_username("me").unwrap();
    url.set_password(Some("p@s+s=&")).unwrap();
    let failure = get(&url).await.unwrap_err();
    assert_eq!(server.hits()[0].header("authorization"), Some("Basic bWU6cEBzK3M9Jg=="));
    assert_eq!((failure.kind, failure.status), (FailureKind::Status, Some(401)));
    for secret in ["p@s", "p%40s", "geheim", "me:"] {
        assert!(!failure.what.contains(secret), "{}", failure.what);
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_named() {
    let mut ask = request(&url::Url::parse("http://127.0.0.1:1/").unwrap());
    ask.headers = vec![("X-Bad".to_owned(), "a\r\nInjected: yes".to_owned())];
    let failure = fetcher().get(&ask).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.what.contains("X-Bad") && !failure.what.contains("Injected"), "{}", failure.what);
}

#[tokio::test]
async fn statuses_become_kinds() {
    let server = Server::start(|hit| {
        let date = ("Date", "Tue, 10 Nov 2020 10:00:00 GMT");
        match hit.path.as_str() {
            "/429" => answer("429 Too Many Requests", &[("Retry-After", "120")], "<html>slow down"),
            "/429-date" => answer("429 Slow", &[date, ("Retry-After", "Tue, 10 Nov 2020 10:05:00 GMT")], ""),
            "/429-bare" => answer("429 Slow", &[], ""),
            "/503" => answer("503 Busy", &[("Retry-After", "60")], ""),
            "/503-bare" => answer("503 Busy", &[], ""),
            "/410" => answer("410 Gone", &[], ""),
            "/cf" => answer("403 Forbidden", &[("cf-mitigated", "challenge")], ""),
            "/cf-page" => {
                answer("503 Busy", &[("Server", "cloudflare")], "<script src=/cdn-cgi/challenge-platform/x>")
            }
            "/403" => answer("403 Forbidden", &[], "no"),
            "/aws" => answer("202 Accepted", &[("x-amzn-waf-action", "challenge")], ""),
            "/300" => answer("300 Multiple Choices", &[], ""),
            _ => answer("404 Not Found", &[], ""),
        }
    })
    .await;
    use FailureKind::{Blocked, Gone, Status, Throttled};
    for (path, kind, status, wait) in [
        ("/429", Throttled, 429, Some(120)),
        ("/429-date", Throttled, 429, Some(300)),
        ("/429-bare", Throttled, 429, None),
        ("/503", Throttled, 503, Some(60)),
        ("/503-bare", Status, 503, None),
        ("/410", Gone, 410, None),
        ("/cf", Blocked, 403, None),
        ("/cf-page", Blocked, 503, None),
        ("/403", Status, 403, None),
        ("/aws", Blocked, 202, None),
        ("/300", Status, 300, None),
        ("/404", Status, 404, None),
    ] {
        let failure = get(&server.url(path)).await.unwrap_err();
        assert_eq!((failure.kind, failure.status), (kind, Some(status)), "{path}: {}", failure.what);
        assert_eq!(failure.retry_after, wait.map(Duration::from_secs), "{path}");
        assert!(failure.what.contains(&status.to_string()), "{}", failure.what);
    }
    let blocked = get(&server.url("/cf")).await.unwrap_err();
    assert!(blocked.what.contains("Cloudflare challenge: try"), "{}", blocked.what);
}

#[tokio::test]
async fn a_wall_that_lets_us_pass_is_no_wall() {
    let server = Server::start(|_| answer("200 OK", &[("X-DataDome", "protected")], "feed")).await;
    assert_eq!(get(&server.url("/")).await.unwrap().body, b"feed");
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_whole() {
    let server = Server::start(|_| {
        vec![Step::Send(b"HTTP/1.0 200 OK\r\n\r\n<rss>".to_vec()), Step::Send(b"</rss>".to_vec())]
    })
    .await;
    assert_eq!(get(&server.url("/")).await.unwrap().body, b"<rss></rss>");
}
