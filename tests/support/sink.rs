//! A mail server with moods: asked at every step what it feels like, it keeps what it accepted.

#![allow(dead_code, reason = "shared by test crates, which each use a part")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Where in a dialogue the server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Greeting,
    Recipient,
    Data,
    /// In the middle of the message.
    Body,
    Dot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Kind,
    /// Kind after a while.
    Slow(Duration),
    /// Answers this instead.
    Refuse(&'static str),
    HangUp,
    /// Takes the message and hangs up without a word.
    TakeAndHangUp,
    /// Says nothing more, for ever.
    Silent,
}

/// A message the server took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) to: String,
    pub(crate) data: String,
}

impl Taken {
    pub(crate) fn header(&self, name: &str) -> String {
        let mail = mail_parser::MessageParser::default().parse(self.data.as_bytes()).unwrap();
        mail.header_raw(name).unwrap_or_default().trim().to_owned()
    }

    pub(crate) fn id(&self) -> String {
        self.header("Message-ID")
    }

    /// Subject and text part, as a reader sees them.
    pub(crate) fn words(&self) -> String {
        let mail = mail_parser::MessageParser::default().parse(self.data.as_bytes()).unwrap();
        let text = mail.body_text(0).map(|text| text.into_owned()).unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        format!("{}\n{}", mail.subject().unwrap_or_default(), words.join(" "))
    }
}

type Moods = dyn Fn(Step) -> Mood + Send + Sync;

#[derive(Debug, Default)]
struct Book {
    taken: Mutex<Vec<Taken>>,
    /// Times a step was reached.
    bodies: AtomicUsize,
    connections: AtomicUsize,
    ambiguous: AtomicUsize,
}

#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    book: Arc<Book>,
    task: tokio::task::JoinHandle<()>,
}

impl Sink {
    pub(crate) async fn start(moods: impl Fn(Step) -> Mood + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (book, moods): (Arc<Book>, Arc<Moods>) = (Arc::default(), Arc::new(moods));
        let shared = Arc::clone(&book);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (book, moods) = (Arc::clone(&shared), Arc::clone(&moods));
                tokio::spawn(async move { talk(stream, &book, moods.as_ref()).await });
            }
        });
        Self { address, book, task }
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.book.taken.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.book.taken.lock().unwrap().len()
    }

    /// How many messages were begun.
    pub(crate) fn bodies(&self) -> usize {
        self.book.bodies.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.book.connections.load(Ordering::SeqCst)
    }

    /// How often a message was taken and the client not told.
    pub(crate) fn ambiguous(&self) -> usize {
        self.book.ambiguous.load(Ordering::SeqCst)
    }

    /// The `[mail]` tables for this server; every wait is short.
    pub(crate) fn tables(&self) -> String {
        format!(
            "[mail]\ntransport = \"smtp\"\nfrom = \"burdenwatch <watch@example.org>\"\nretry = [\"1s\"]\n\
             [mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\ntimeout = \"20s\"\ndata_timeout = \"60s\"\n",
            self.address.port()
        )
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether the dialogue goes on, and whether the step succeeded.
async fn feel(stream: &mut BufReader<TcpStream>, mood: Mood, usual: &str) -> Option<bool> {
    let (reply, well) = match mood {
        Mood::Kind => (usual, true),
        Mood::Slow(wait) => {
            tokio::time::sleep(wait).await;
            (usual, true)
        }
        Mood::Refuse(reply) => (reply, false),
        Mood::HangUp | Mood::TakeAndHangUp => return None,
        Mood::Silent => std::future::pending().await,
    };
    stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    (!reply.starts_with("421")).then_some(well)
}

async fn talk(stream: TcpStream, book: &Book, moods: &Moods) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    feel(&mut stream, moods(Step::Greeting), "220 moody.example ESMTP").await?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => feel(&mut stream, Mood::Kind, "250 moody.example").await?,
            "RCPT" => {
                let well = feel(&mut stream, moods(Step::Recipient), "250 ok").await?;
                if well {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                }
                well
            }
            "DATA" => {
                if feel(&mut stream, moods(Step::Data), "354 go on").await? {
                    message(&mut stream, &to, book, moods).await?
                } else {
                    false
                }
            }
            "QUIT" => {
                feel(&mut stream, Mood::Kind, "221 bye").await?;
                return None;
            }
            _ => feel(&mut stream, Mood::Kind, "250 ok").await?,
        };
    }
}

async fn message(stream: &mut BufReader<TcpStream>, to: &str, book: &Book, moods: &Moods) -> Option<bool> {
    let (mut data, mut lines) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if lines == 0 {
            book.bodies.fetch_add(1, Ordering::SeqCst);
        }
        lines += 1;
        if line == ".\r\n" {
            break;
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
        if lines == 3 {
            match moods(Step::Body) {
                Mood::HangUp => return None,
                Mood::Silent => std::future::pending().await,
                Mood::Slow(wait) => tokio::time::sleep(wait).await,
                _ => {}
            }
        }
    }
    let mood = moods(Step::Dot);
    if matches!(mood, Mood::Kind | Mood::Slow(_) | Mood::TakeAndHangUp) {
        book.taken.lock().unwrap().push(Taken { to: to.to_owned(), data });
    }
    if mood == Mood::TakeAndHangUp {
        book.ambiguous.fetch_add(1, Ordering::SeqCst);
    }
    feel(stream, mood, "250 queued").await
}
