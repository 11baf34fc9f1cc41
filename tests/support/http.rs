//! A scripted HTTP server on loopback: each request is answered by a list of steps, faults included.

#![allow(dead_code, reason = "shared by test crates, which each use a part")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::Instant;

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) at: Instant,
    pub(crate) path: String,
    /// The whole head, lower-cased names not needed: see `header`.
    pub(crate) head: String,
}

impl Hit {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What the server does next on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Goes on when told.
    Wait(Arc<Notify>),
    /// The same bytes for ever, with a pause between.
    Forever(Vec<u8>, Duration),
    /// Keeps the connection open and says nothing more.
    Hang,
    /// Closes with RST.
    Reset,
}

pub(crate) type Script = Vec<Step>;

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    hits: Arc<Mutex<Vec<Hit>>>,
    /// The most requests that were being answered at one time.
    pub(crate) peak: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Hit) -> Script + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1:0", answer).await
    }

    pub(crate) async fn on(address: &str, answer: impl Fn(&Hit) -> Script + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let hits = Arc::new(Mutex::new(Vec::new()));
        let (peak, now) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (answer, log, high) = (Arc::new(answer), Arc::clone(&hits), Arc::clone(&peak));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                let (high, now) = (Arc::clone(&high), Arc::clone(&now));
                tokio::spawn(async move {
                    high.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    serve(stream, |hit| answer(hit), &log).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, hits, peak, task }
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        url::Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.hits.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: impl Fn(&Hit) -> Script, log: &Mutex<Vec<Hit>>) {
    let _ = stream.set_nodelay(true);
    let Some(hit) = request(&mut stream).await else { return };
    let script = answer(&hit);
    log.lock().unwrap().push(hit);
    for step in script {
        if !perform(&mut stream, step).await {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

async fn perform(stream: &mut TcpStream, step: Step) -> bool {
    match step {
        Step::Send(bytes) => stream.write_all(&bytes).await.is_ok(),
        Step::Pause(time) => {
            tokio::time::sleep(time).await;
            true
        }
        Step::Wait(word) => {
            word.notified().await;
            true
        }
        Step::Forever(bytes, pause) => loop {
            if stream.write_all(&bytes).await.is_err() {
                return false;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        },
        Step::Hang => {
            let mut rest = [0; 64];
            while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
            false
        }
        Step::Reset => {
            let _ = socket_reset(stream);
            false
        }
    }
}

#[expect(deprecated, reason = "a zero linger only blocks when it is not zero")]
fn socket_reset(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_linger(Some(Duration::ZERO))
}

async fn request(stream: &mut TcpStream) -> Option<Hit> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        head.extend_from_slice(&buffer[..count]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1)?.to_owned();
    Some(Hit { at: Instant::now(), path, head })
}

/// A plain answer with its length.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Script {
    let body = body.as_ref();
    let mut bytes = head(status, headers);
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

/// A head whose body ends with the connection.
pub(crate) fn head(status: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// A redirect.
pub(crate) fn redirect(status: &str, to: &str) -> Script {
    answer(status, &[("Location", to)], "")
}
