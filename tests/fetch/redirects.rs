//! Redirects: how far, where to, and what goes along.

use burdenwatch::config::Secret;
use burdenwatch::fetch::{FailureKind, Fetcher};

use crate::http::{Server, answer, redirect};
use crate::{fetcher, get, polling, request};

#[tokio::test]
async fn only_the_leading_run_of_permanent_redirects_is_a_move() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/a" => redirect("301 Moved", "/b"),
        "/b" => redirect("308 Moved", "c#top"),
        "/c" => redirect("302 Found", "/d"),
        "/d" => redirect("301 Moved", "/end"),
        "/t" => redirect("307 Elsewhere", "/a"),
        _ => answer("200 OK", &[], "feed"),
    })
    .await;
    let got = get(&server.url("/a")).await.unwrap();
    assert_eq!((got.final_url, got.moved_to), (server.url("/end"), Some(server.url("/c"))));
    let got = get(&server.url("/t")).await.unwrap();
    assert_eq!((got.final_url, got.moved_to), (server.url("/end"), None));
}

#[tokio::test]
async fn circles_and_endless_chains_end() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/self" => redirect("302 Found", "/self"),
        "/ping" => redirect("302 Found", "/pong"),
        "/pong" => redirect("302 Found", "/ping"),
        "/nowhere" => answer("302 Found", &[], ""),
        "/ftp" => redirect("302 Found", "ftp://example.org/feed"),
        "/bad" => redirect("302 Found", "http://[::"),
        path => redirect("302 Found", &format!("{path}x")),
    })
    .await;
    for (path, hits, kind) in [
        ("/self", 1, FailureKind::Redirects),
        ("/ping", 2, FailureKind::Redirects),
        ("/nowhere", 1, FailureKind::Redirects),
        ("/bad", 1, FailureKind::Redirects),
        ("/ftp", 1, FailureKind::Refused),
        ("/endless", 11, FailureKind::Redirects),
    ] {
        let before = server.hits().len();
        let failure = get(&server.url(path)).await.unwrap_err();
        assert_eq!((failure.kind, failure.status), (kind, Some(302)), "{path}: {}", failure.what);
        assert_eq!(server.hits().len() - before, hits, "{path}");
    }
}

#[tokio::test]
async fn ten_redirects_are_followed() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/xxxxxxxxxx" => answer("200 OK", &[], "feed"),
        path => redirect("302 Found", &format!("{path}x")),
    })
    .await;
    assert_eq!(get(&server.url("/")).await.unwrap().body, b"feed");
}

#[tokio::test]
async fn a_server_that_redirects_to_itself_until_its_cookie_comes_back_is_humoured() {
    let server = Server::start(|hit| match hit.header("cookie") {
        Some(cookie) if cookie.contains("visit=1") => answer("200 OK", &[], "feed"),
        _ => redirect("307 Again", &hit.path),
    })
    .await;
    // Without the cookie it is a circle.
    assert_eq!(get(&server.url("/feed")).await.unwrap_err().kind, FailureKind::Redirects);

    let server = Server::start(|hit| match hit.header("cookie") {
        Some("visit=1; lang=ko") => answer("200 OK", &[], "feed"),
        _ => answer(
            "307 Again",
            &[
                ("Location", &hit.path),
                ("Set-Cookie", "visit=1; Path=/; HttpOnly"),
                ("Set-Cookie", "lang=ko"),
            ],
            "",
        ),
    })
    .await;
    let keeper = fetcher();
    for poll in 1..3 {
        let got = keeper.get(&request(&server.url("/feed"))).await.unwrap();
        assert_eq!((got.body.as_slice(), got.moved_to), (b"feed".as_slice(), None));
        // The next poll starts without it.
        assert_eq!(server.hits().len(), poll * 2);
        assert_eq!(server.hits()[poll * 2 - 2].header("cookie"), None);
    }
}

#[tokio::test]
async fn a_cookie_that_never_helps_is_a_circle() {
    let server =
        Server::start(|hit| answer("307 Again", &[("Location", &hit.path), ("Set-Cookie", "visit=1")], ""))
            .await;
    assert_eq!(get(&server.url("/")).await.unwrap_err().kind, FailureKind::Redirects);
    assert_eq!(server.hits().len(), 2);
}

#[tokio::test]
async fn nothing_of_the_feeds_own_crosses_origins() {
    let stranger = Server::start(|_| answer("200 OK", &[], "feed")).await;
    let to = stranger.url("/end").to_string();
    let home = Server::start(move |hit| match hit.path.as_str() {
        "/feed" => answer("302 Found", &[("Location", "/next"), ("Set-Cookie", "home=1")], ""),
        _ => redirect("302 Found", &to),
    })
    .await;
    let mut ask = request(&home.url("/feed"));
    ask.basic_auth = Some(("desk".to_owned(), Secret::new("secret")));
    ask.headers = vec![("X-Key".to_owned(), "k1".to_owned())];
    ask.user_agent = Some("Reader/1".to_owned());
    ask.validators.etag = Some("\"e\"".to_owned());
    ask.validators.last_modified = Some("then".to_owned());
    fetcher().get(&ask).await.unwrap();
    for hit in home.hits() {
        assert!(hit.header("authorization").is_some() && hit.header("x-key").is_some(), "{}", hit.head);
        assert_eq!(hit.header("if-none-match"), Some("\"e\""));
    }
    assert_eq!(home.hits()[1].header("cookie"), Some("home=1"));
    let there = &stranger.hits()[0];
    for name in ["authorization", "x-key", "if-none-match", "if-modified-since", "cookie", "referer"] {
        assert_eq!(there.header(name), None, "{name}");
    }
    assert_eq!(there.header("user-agent"), Some("Reader/1"));
}

#[tokio::test]
async fn a_login_planted_in_a_redirect_is_not_sent() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/" => redirect("302 Found", &format!("http://evil:pw@{}/end", hit.header("host").unwrap())),
        _ => answer("200 OK", &[], ""),
    })
    .await;
    let got = get(&server.url("/")).await.unwrap();
    assert_eq!(server.hits()[1].header("authorization"), None);
    assert_eq!(got.final_url, server.url("/end"));
}

#[tokio::test]
async fn redirects_into_the_private_network_are_refused_in_every_spelling() {
    for target in [
        "http://10.0.0.5/feed",
        "http://0x0a.5/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:1/",
        "http://[::ffff:10.0.0.1]/",
        "http://3232235777/",
        "http://[64:ff9b::a00:1]/",
        "//192.168.1.1/",
    ] {
        let server = Server::start(move |_| redirect("302 Found", target)).await;
        let failure = get(&server.url("/")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused, "{target}: {}", failure.what);
        assert!(failure.what.contains("allow_networks"), "{}", failure.what);
    }
}

#[tokio::test]
async fn the_guard_judges_names_by_what_they_resolve_to() {
    let server = Server::start(|_| answer("200 OK", &[], "feed")).await;
    let url = url::Url::parse(&format!("http://localhost:{}/", server.address.port())).unwrap();
    assert_eq!(get(&url).await.unwrap().body, b"feed");

    let mut closed = polling();
    closed.allow_networks.clear();
    let guarded = Fetcher::new(&closed).unwrap();
    let failure = guarded.get(&request(&url)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused, "{}", failure.what);
    assert!(failure.what.starts_with("localhost is a loopback address"), "{}", failure.what);
    let failure = guarded.get(&request(&server.url("/"))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.what.contains("127.0.0.1, which allow_networks does not list"), "{}", failure.what);
    assert_eq!(server.hits().len(), 1);
}

#[tokio::test]
async fn a_proxy_is_asked_for_names_and_may_itself_be_private() {
    let proxy = Server::start(|_| answer("200 OK", &[], "through")).await;
    let mut proxied = polling();
    proxied.allow_networks.clear();
    proxied.proxy = Some(proxy.url("/"));
    let fetcher = Fetcher::new(&proxied).unwrap();
    let name = url::Url::parse("http://feeds.example.invalid/rss").unwrap();
    assert_eq!(fetcher.get(&request(&name)).await.unwrap().body, b"through");
    assert_eq!(proxy.hits()[0].path, "http://feeds.example.invalid/rss");
    // An address needs no resolving, so it is still judged.
    let inside = url::Url::parse("http://10.0.0.1/rss").unwrap();
    assert_eq!(fetcher.get(&request(&inside)).await.unwrap_err().kind, FailureKind::Refused);
}
