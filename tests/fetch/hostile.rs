//! Servers that mean harm, or might as well.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use burdenwatch::fetch::{FailureKind, Fetcher};

use crate::http::{Script, Server, Step, answer, head};
use crate::{fetcher, get, polling, request};

const SHORT: Duration = Duration::from_millis(250);

/// Gets with a short time limit and says how long it took.
async fn hurried(server: &Server, path: &str) -> (burdenwatch::fetch::Failure, Duration) {
    let mut ask = request(&server.url(path));
    ask.timeout = SHORT;
    let start = Instant::now();
    let failure = fetcher().get(&ask).await.unwrap_err();
    (failure, start.elapsed())
}

fn send(bytes: &[u8]) -> Step {
    Step::Send(bytes.to_vec())
}

#[tokio::test]
async fn bodies_without_end_are_cut_at_the_limit() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/announced" => vec![send(&head("200 OK", &[("Content-Length", "1073741824")])), Step::Hang],
        "/chunked" => vec![
            send(&head("200 OK", &[("Transfer-Encoding", "chunked")])),
            Step::Forever([b"1000\r\n".as_slice(), &[b'x'; 4096], b"\r\n"].concat(), Duration::ZERO),
        ],
        _ => vec![send(&head("200 OK", &[])), Step::Forever(vec![b'x'; 65536], Duration::ZERO)],
    })
    .await;
    for path in ["/announced", "/chunked", "/endless"] {
        let failure = get(&server.url(path)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge, "{path}: {}", failure.what);
        assert!(failure.what.contains("max_body, 1 MiB"), "{}", failure.what);
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    let server = Server::start(|hit| answer("200 OK", &[], vec![b'x'; hit.path.len() - 1])).await;
    let mut ask = request(&server.url("/xxxx"));
    ask.max_body = 4;
    assert_eq!(fetcher().get(&ask).await.unwrap().body.len(), 4);
    ask.max_body = 3;
    assert_eq!(fetcher().get(&ask).await.unwrap_err().kind, FailureKind::TooLarge);
}

/// Zeros, compressed.
fn packed(coding: &str, size: usize) -> Vec<u8> {
    let zeros = vec![0; size];
    if coding == "zstd" {
        return zstd::encode_all(zeros.as_slice(), 3).unwrap();
    }
    let mut gzip =
        Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || input.write_all(&zeros).unwrap());
    let output = gzip.wait_with_output().unwrap();
    feeder.join().unwrap();
    output.stdout
}

#[tokio::test]
async fn compression_bombs_are_counted_after_decompression() {
    for coding in ["gzip", "zstd"] {
        let bytes = packed(coding, 64 << 20);
        assert!(bytes.len() < 1 << 20);
        let server = Server::start(move |_| answer("200 OK", &[("Content-Encoding", coding)], &bytes)).await;
        let failure = get(&server.url("/")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge, "{coding}: {}", failure.what);
    }
}

#[tokio::test]
async fn compressed_bodies_are_unpacked_and_broken_ones_are_said_to_be() {
    for coding in ["gzip", "zstd"] {
        let bytes = packed(coding, 5000);
        let cut = bytes[..bytes.len() / 2].to_vec();
        let server = Server::start(move |hit| match hit.path.as_str() {
            "/whole" => answer("200 OK", &[("Content-Encoding", coding)], &bytes),
            _ => answer("200 OK", &[("Content-Encoding", coding)], &cut),
        })
        .await;
        assert_eq!(get(&server.url("/whole")).await.unwrap().body, vec![0; 5000]);
        let failure = get(&server.url("/cut")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Body, "{coding}: {}", failure.what);
    }
}

#[tokio::test]
async fn a_body_cut_short_is_no_body() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/length" => vec![send(&head("200 OK", &[("Content-Length", "100")])), send(b"<rss>")],
        "/chunk" => vec![send(&head("200 OK", &[("Transfer-Encoding", "chunked")])), send(b"5\r\n<rss>\r\n")],
        _ => vec![send(&head("200 OK", &[("Content-Length", "100")])), send(b"<rss>"), Step::Reset],
    })
    .await;
    for path in ["/length", "/chunk", "/reset"] {
        let failure = get(&server.url(path)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Body, "{path}: {}", failure.what);
    }
}

#[tokio::test]
async fn slow_servers_are_left_when_the_whole_time_is_over() {
    let drip = Duration::from_millis(20);
    let server = Server::start(move |hit| match hit.path.as_str() {
        "/silent" => vec![Step::Hang],
        "/drip" => vec![send(&head("200 OK", &[])), Step::Forever(b"x".to_vec(), drip)],
        "/drip-head" => vec![send(b"HTTP/1.1 200 OK\r\nX: "), Step::Forever(b"x".to_vec(), drip)],
        "/continue" => vec![Step::Forever(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), drip)],
        path => {
            let mut script: Script = vec![Step::Pause(Duration::from_millis(60))];
            script.extend(crate::http::redirect("302 Found", &format!("{path}x")));
            script
        }
    })
    .await;
    for path in ["/silent", "/drip", "/drip-head", "/continue", "/hops"] {
        let (failure, took) = hurried(&server, path).await;
        assert_eq!(failure.kind, FailureKind::Timeout, "{path}: {}", failure.what);
        assert!(failure.what.contains("did not answer within 250 ms"), "{}", failure.what);
        assert!(took >= SHORT && took < SHORT * 4, "{path}: {took:?}");
    }
}

#[tokio::test]
async fn a_body_that_stands_still_is_left_before_the_whole_time_is_over() {
    let server = Server::start(|_| vec![send(&head("200 OK", &[])), send(b"<rss>"), Step::Hang]).await;
    let start = Instant::now();
    let patient = fetcher().with_idle_limit(Duration::from_millis(100));
    let failure = patient.get(&request(&server.url("/"))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.what.contains("sent nothing for 100 ms after 5 bytes"), "{}", failure.what);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn header_floods_are_refused() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/one" => vec![send(b"HTTP/1.1 200 OK\r\nX: "), Step::Forever(vec![b'x'; 65536], Duration::ZERO)],
        _ => vec![send(b"HTTP/1.1 200 OK\r\n"), Step::Forever(b"X-Flood: x\r\n".repeat(500), Duration::ZERO)],
    })
    .await;
    for path in ["/one", "/many"] {
        let failure = get(&server.url(path)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge, "{path}: {}", failure.what);
    }
}

#[tokio::test]
async fn nonsense_and_hang_ups_are_failures_in_words() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/garbage" => vec![send(b"\x00\xff garbage \r\n\r\n")],
        "/ssh" => vec![send(b"SSH-2.0-OpenSSH_9\r\n")],
        "/reset" => vec![Step::Reset],
        _ => vec![],
    })
    .await;
    for path in ["/garbage", "/ssh", "/reset", "/close"] {
        let failure = get(&server.url(path)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{path}: {}", failure.what);
        assert!(failure.what.contains("127.0.0.1:"), "{}", failure.what);
    }
    let address = server.address;
    drop(server);
    tokio::task::yield_now().await;
    let url = url::Url::parse(&format!("http://{address}/")).unwrap();
    let failure = get(&url).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.what.ends_with("refused the connection"), "{}", failure.what);
    let nowhere = url::Url::parse("http://no-such-name.invalid/").unwrap();
    let failure = get(&nowhere).await.unwrap_err();
    assert!(failure.what.starts_with("no-such-name.invalid cannot be found"), "{}", failure.what);
}

#[tokio::test]
async fn empty_and_html_bodies_are_the_parsers_business() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/empty" => answer("200 OK", &[], ""),
        "/204" => vec![send(b"HTTP/1.1 204 No Content\r\n\r\n")],
        _ => answer("200 OK", &[("Content-Type", "text/html")], "<!doctype html>"),
    })
    .await;
    assert_eq!(get(&server.url("/empty")).await.unwrap().body, b"");
    assert_eq!(get(&server.url("/204")).await.unwrap().status, 200);
    assert_eq!(get(&server.url("/html")).await.unwrap().content_type.as_deref(), Some("text/html"));
}

#[tokio::test]
async fn slow_feeds_of_one_host_do_not_hold_up_another_host() {
    let slow = Server::start(|_| vec![Step::Hang]).await;
    let quick = Server::on("127.0.0.2:0", |_| answer("200 OK", &[], "feed")).await;
    let mut settings = polling();
    (settings.per_host, settings.concurrency) = (1, 2);
    let fetcher = std::sync::Arc::new(Fetcher::new(&settings).unwrap());
    let mut ask = request(&slow.url("/"));
    ask.timeout = Duration::from_millis(400);
    // Eight wait at the slow host; only one of them holds one of the two places in all.
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let (fetcher, ask) = (std::sync::Arc::clone(&fetcher), ask.clone());
            tokio::spawn(async move { fetcher.get(&ask).await })
        })
        .collect();
    while slow.hits().is_empty() {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    for _ in 0..5 {
        fetcher.get(&request(&quick.url("/"))).await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
    assert_eq!(slow.hits().len(), 1);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_host_is_asked_by_as_many_and_as_often_as_configured() {
    let server =
        Server::start(|_| [vec![Step::Pause(Duration::from_millis(30))], answer("200 OK", &[], "")].concat())
            .await;
    let mut settings = polling();
    (settings.per_host, settings.host_gap) = (2, Duration::from_millis(50));
    let fetcher = std::sync::Arc::new(Fetcher::new(&settings).unwrap());
    let polls: Vec<_> = (0..6)
        .map(|_| {
            let (fetcher, ask) = (std::sync::Arc::clone(&fetcher), request(&server.url("/")));
            tokio::spawn(async move { fetcher.get(&ask).await })
        })
        .collect();
    for poll in polls {
        poll.await.unwrap().unwrap();
    }
    let starts: Vec<_> = server.hits().iter().map(|hit| hit.at).collect();
    for pair in starts.windows(2) {
        // A little less than the gap: the server sees a request later than it starts.
        assert!(pair[1] - pair[0] >= Duration::from_millis(40), "{:?}", pair[1] - pair[0]);
    }
    assert!(server.peak.load(std::sync::atomic::Ordering::SeqCst) <= 2);
}
