//! Connections that requests to one host share, and those they do not.

use std::sync::{Arc, Mutex};

use burdenwatch::config::Polling;
use burdenwatch::fetch::{Connection, FailureKind, Fetcher};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::{fetcher, polling, request};

/// What a connection does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Answers,
    HangsUp,
    /// Two answers to the first request, the second of which is nobody's.
    Babbles,
    /// The same, but the second comes only when the next request has.
    BabblesLate,
}

/// The heads of the requests on each connection, in the order they were made.
type Log = Arc<Mutex<Vec<Vec<String>>>>;

/// A server that keeps its connections; `mood` is told the numbers of the connection and of the request on it.
async fn serve(mood: fn(usize, usize) -> Mood) -> (Url, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/feed", listener.local_addr().unwrap())).unwrap();
    let log = Log::default();
    let kept = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = {
                let mut log = kept.lock().unwrap();
                log.push(Vec::new());
                log.len() - 1
            };
            tokio::spawn(keep(stream, Arc::clone(&kept), connection, mood));
        }
    });
    (url, log)
}

async fn keep(mut stream: TcpStream, log: Log, connection: usize, mood: fn(usize, usize) -> Mood) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let request = {
            let mut log = log.lock().unwrap();
            log[connection].push(String::from_utf8_lossy(&head).to_ascii_lowercase());
            log[connection].len() - 1
        };
        head.clear();
        let (feed, evil) = (
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfeed".as_slice(),
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil".as_slice(),
        );
        let answers = match (mood(connection, request), request) {
            (Mood::HangsUp, _) => return,
            (Mood::Babbles, 0) => [feed, evil].concat(),
            (Mood::BabblesLate, 1) => [evil, feed].concat(),
            _ => feed.to_vec(),
        };
        if stream.write_all(&answers).await.is_err() {
            return;
        }
    }
}

fn counts(log: &Log) -> Vec<usize> {
    log.lock().unwrap().iter().map(Vec::len).collect()
}

#[tokio::test]
async fn requests_that_share_a_connection_use_one_and_the_last_says_so() {
    let (url, log) = serve(|_, _| Mood::Answers).await;
    let fetcher = fetcher();
    for connection in [Connection::Shared, Connection::Shared, Connection::Last] {
        assert_eq!(fetcher.get_on(&request(&url), connection).await.unwrap().body, b"feed");
    }
    assert_eq!(counts(&log), [3]);
    let closing = |head: &String| head.contains("connection: close");
    assert_eq!(log.lock().unwrap()[0].iter().map(closing).collect::<Vec<_>>(), [false, false, true]);
}

#[tokio::test]
async fn a_request_of_its_own_shares_nothing() {
    let (url, log) = serve(|_, _| Mood::Answers).await;
    let fetcher = fetcher();
    for connection in [Connection::Own, Connection::Shared, Connection::Own] {
        fetcher.get_on(&request(&url), connection).await.unwrap();
    }
    assert_eq!(counts(&log), [1, 1, 1]);
}

#[tokio::test]
async fn a_connection_that_is_closed_as_it_is_used_again_costs_one_more_request() {
    let (url, log) = serve(|_, request| if request == 1 { Mood::HangsUp } else { Mood::Answers }).await;
    let fetcher = fetcher();
    for _ in 0..2 {
        let answer = fetcher.get_on(&request(&url), Connection::Shared).await;
        assert_eq!(answer.unwrap().body, b"feed");
    }
    assert_eq!(counts(&log), [2, 1]);
}

#[tokio::test]
async fn a_server_that_always_hangs_up_is_asked_twice_and_no_more() {
    let (url, log) = serve(|_, _| Mood::HangsUp).await;
    let failure = fetcher().get_on(&request(&url), Connection::Shared).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.what.ends_with("hung up before it answered"), "{}", failure.what);
    assert_eq!(counts(&log), [1, 1]);
}

#[tokio::test]
async fn an_answer_nobody_asked_for_is_nobodys() {
    let (url, log) = serve(|_, _| Mood::Babbles).await;
    let fetcher = fetcher();
    for _ in 0..3 {
        assert_eq!(fetcher.get_on(&request(&url), Connection::Shared).await.unwrap().body, b"feed");
    }
    assert_eq!(counts(&log), [1, 1, 1], "a connection out of step is not used again");
}

#[tokio::test]
async fn no_connection_is_shared_with_a_server_elsewhere_that_gets_no_time_to_be_silent() {
    let (mut url, log) = serve(|_, _| Mood::BabblesLate).await;
    // As good as elsewhere: this address is the machine's, but no loopback address.
    url.set_host(Some("0.0.0.0")).unwrap();
    let polling = Polling { allow_networks: vec!["0.0.0.0/8".parse().unwrap()], ..polling() };
    let fetcher = Fetcher::new(&polling).unwrap();
    for connection in [Connection::Shared, Connection::Shared, Connection::Last] {
        assert_eq!(fetcher.get_on(&request(&url), connection).await.unwrap().body, b"feed");
    }
    assert_eq!(counts(&log), [1, 1, 1]);
}
