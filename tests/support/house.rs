//! A whole burdenwatch in one process: scripted feeds, real SQLite, a clock that moves when told.

#![allow(dead_code, reason = "shared by test crates, which each use a part")]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use burdenwatch::config::load;
use burdenwatch::daemon;
use burdenwatch::daemon::OnceReport;
use burdenwatch::daemon::lock::Lock;
use burdenwatch::daemon::open;
use burdenwatch::flow::Setup;
use burdenwatch::store::{Db, FeedRow, MatchRow, NewMail, OutboxRow, StoreError, Tx};
use burdenwatch::time::{Clock, ManualClock};
use jiff::{SignedDuration, Timestamp};
use mail_parser::MessageParser;
use tokio_util::sync::CancellationToken;

use crate::http;
use crate::http::{Hit, Script, answer};

/// A Tuesday morning.
pub const START: &str = "2026-11-24T09:00:00Z";

const RULES: &str = r#"
schema = 1
[defaults]
fields = ["title", "summary"]
[sets.pay]
en = ["burden sharing", "host nation support"]
[sets.talk]
en = ["alliance budget"]
[[rule]]
id = "pay"
title = "Who pays"
topic = "us-japan"
level = "alert"
when = "pay"
[[rule]]
id = "talk"
title = "Budgets"
topic = "nato"
level = "digest"
when = "talk"
"#;

/// One item of a feed.
#[derive(Debug, Clone, Default)]
pub struct Item {
    pub id: Option<String>,
    pub link: Option<String>,
    pub title: String,
    pub summary: String,
    pub date: Option<String>,
}

/// An item with an id and an address of its own, undated.
pub fn item(id: &str, title: &str) -> Item {
    Item {
        id: Some(format!("id-{id}")),
        link: Some(format!("https://news.example/{id}")),
        title: title.to_owned(),
        ..Item::default()
    }
}

impl Item {
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    pub fn no_id(mut self) -> Self {
        self.id = None;
        self
    }

    pub fn link(mut self, link: &str) -> Self {
        self.link = Some(link.to_owned());
        self
    }

    pub fn no_link(mut self) -> Self {
        self.link = None;
        self
    }

    pub fn title(mut self, title: &str) -> Self {
        self.title = title.to_owned();
        self
    }

    pub fn summary(mut self, summary: &str) -> Self {
        self.summary = summary.to_owned();
        self
    }

    pub fn at(mut self, at: Timestamp) -> Self {
        self.date = Some(at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
        self
    }
}

/// An RSS document of these items.
pub fn rss(items: &[Item]) -> Vec<u8> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut text = String::from("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>A feed</title>");
    for item in items {
        text.push_str(&format!("<item><title>{}</title>", escape(&item.title)));
        if let Some(id) = &item.id {
            text.push_str(&format!("<guid isPermaLink=\"false\">{}</guid>", escape(id)));
        }
        if let Some(link) = &item.link {
            text.push_str(&format!("<link>{}</link>", escape(link)));
        }
        if !item.summary.is_empty() {
            text.push_str(&format!("<description>{}</description>", escape(&item.summary)));
        }
        if let Some(date) = &item.date {
            text.push_str(&format!("<pubDate>{date}</pubDate>"));
        }
        text.push_str("</item>");
    }
    text.push_str("</channel></rss>");
    text.into_bytes()
}

/// A message as its reader gets it.
#[derive(Debug, Clone)]
pub struct Mail {
    pub row: OutboxRow,
    pub bytes: Vec<u8>,
    pub text: String,
    pub html: String,
}

impl Mail {
    pub fn header(&self, name: &str) -> String {
        let message = MessageParser::default().parse(&self.bytes).unwrap();
        message.header_raw(name).unwrap_or_default().trim().to_owned()
    }
}

type Pages = Arc<Mutex<HashMap<String, Page>>>;

#[derive(Debug, Clone)]
enum Page {
    /// Served with an ETag of its own; 304 to who has it.
    Document(Vec<u8>),
    Scripted(Script),
}

/// The whole.
pub struct House {
    pub dir: tempfile::TempDir,
    pub clock: ManualClock,
    pub server: http::Server,
    pages: Pages,
    config: String,
    once: bool,
    open: Option<(Setup, Lock)>,
}

/// What a house is made of.
pub struct Plan<'p> {
    pub feeds: &'p [&'p str],
    /// The `[[subscription]]` tables.
    pub subscriptions: &'p str,
    /// The `[mail]` table, without `from`.
    pub mail: &'p str,
    /// Lines for `[polling]`.
    pub polling: &'p str,
    /// Whether each turn is a `run --once`; else a turn of the daemon, which keeps its waits.
    pub once: bool,
}

pub const DESK: &str = r#"
[[subscription]]
name = "desk"
to = ["desk@example.org"]
alerts_per_hour = 1000
digest = { at = "18:00" }
"#;

impl Default for Plan<'_> {
    fn default() -> Self {
        Self { feeds: &["one"], subscriptions: DESK, mail: "", polling: "", once: true }
    }
}

impl House {
    pub async fn new() -> Self {
        Self::of(Plan::default()).await
    }

    pub async fn of(plan: Plan<'_>) -> Self {
        let pages: Pages = Arc::default();
        let shelf = Arc::clone(&pages);
        let server = http::Server::start(move |hit| page(&shelf, hit)).await;
        let dir = tempfile::tempdir().unwrap();
        let mut config = format!(
            "[service]\nstate_dir = \"state\"\n[polling]\nallow_networks = [\"127.0.0.0/8\"]\nhost_gap = \"0s\"\nper_host = 8\n{}\n\
             [rules]\nfiles = [\"rules.toml\"]\n[mail]\nfrom = \"burdenwatch <watch@example.org>\"\n{}\n{}\n",
            plan.polling, plan.mail, plan.subscriptions
        );
        for feed in plan.feeds {
            config.push_str(&format!(
                "[[feed]]\nname = \"{feed}\"\nurl = \"{}\"\nlanguage = \"en\"\n",
                server.url(&format!("/{feed}"))
            ));
            pages.lock().unwrap().insert(format!("/{feed}"), Page::Document(rss(&[])));
        }
        std::fs::write(dir.path().join("rules.toml"), RULES).unwrap();
        let clock = ManualClock::new(START.parse().unwrap());
        let mut house = Self { dir, clock, server, pages, config, once: plan.once, open: None };
        house.start();
        house
    }

    /// The mail table for a scripted server.
    pub fn smtp(server: &crate::smtp::Server) -> String {
        format!(
            "transport = \"smtp\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\ntimeout = \"2s\"\ndata_timeout = \"2s\"",
            server.address.port()
        )
    }

    fn load(&self) -> load::Loaded {
        let path = self.dir.path().join("burdenwatch.toml");
        std::fs::write(&path, &self.config).unwrap();
        load::load(&path).unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<String>())
        })
    }

    fn start(&mut self) {
        self.open = Some(open::open(self.load(), Arc::new(self.clock.clone()), self.once).unwrap());
    }

    fn end(&mut self) {
        let (setup, lock) = self.open.take().unwrap();
        let store = setup.store.clone();
        drop(setup);
        store.close();
        drop(lock);
    }

    /// Ends the run and starts another, as a restart does.
    pub fn restart(&mut self) {
        self.end();
        self.start();
    }

    /// Restarts on another database, which `make` fills.
    pub fn restart_on(&mut self, make: impl FnOnce(&rusqlite::Connection)) {
        self.end();
        std::fs::remove_file(self.database()).unwrap();
        make(&rusqlite::Connection::open(self.database()).unwrap());
        self.start();
    }

    /// Restarts on a copy of the database, as after a disk was lost.
    pub fn restore(&mut self, copy: &std::path::Path) {
        self.end();
        std::fs::copy(copy, self.database()).unwrap();
        self.start();
    }

    /// Ends the run and leaves the house to a daemon.
    pub fn leave(&mut self) -> (load::Loaded, Arc<dyn Clock>) {
        self.end();
        (self.load(), Arc::new(self.clock.clone()))
    }

    /// Restarts with a changed configuration.
    pub fn reconfigure(&mut self, from: &str, to: &str) {
        assert!(self.config.contains(from), "{from:?} is not in the configuration");
        self.config = self.config.replace(from, to);
        self.restart();
    }

    /// Restarts with other rules.
    pub fn rewrite_rules(&mut self, from: &str, to: &str) {
        let path = self.dir.path().join("rules.toml");
        let rules = std::fs::read_to_string(&path).unwrap();
        assert!(rules.contains(from));
        std::fs::write(path, rules.replace(from, to)).unwrap();
        self.restart();
    }

    pub fn setup(&self) -> &Setup {
        &self.open.as_ref().unwrap().0
    }

    pub fn show(&self, feed: &str, items: &[Item]) {
        self.pages.lock().unwrap().insert(format!("/{feed}"), Page::Document(rss(items)));
    }

    pub fn script(&self, feed: &str, script: Script) {
        self.pages.lock().unwrap().insert(format!("/{feed}"), Page::Scripted(script));
    }

    /// One turn: every feed polled, what is due composed and delivered.
    pub async fn turn(&self) -> OnceReport {
        self.turn_of(true).await
    }

    /// One turn that polls only what is due.
    pub async fn turn_due(&self) -> OnceReport {
        self.turn_of(false).await
    }

    async fn turn_of(&self, all: bool) -> OnceReport {
        let report = daemon::once(self.setup(), all, &CancellationToken::new()).await.unwrap();
        assert!(report.trouble.is_empty(), "{:?}", report.trouble);
        report
    }

    /// Lets time pass, then takes a turn.
    pub async fn after(&self, time: SignedDuration) -> OnceReport {
        self.clock.advance(time);
        self.turn().await
    }

    pub fn now(&self) -> Timestamp {
        self.setup().clock.now()
    }

    pub fn read<T>(&self, work: impl FnOnce(Tx<'_>) -> Result<T, StoreError>) -> T {
        self.setup().store.read(work).unwrap()
    }

    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.setup().store.write(work).await.unwrap()
    }

    pub fn feed(&self, name: &str) -> FeedRow {
        self.read(|tx| tx.feeds(false)).into_iter().find(|feed| feed.name == name).unwrap()
    }

    pub fn articles(&self) -> u64 {
        let now = self.now();
        self.read(|tx| tx.counts(now)).articles
    }

    pub fn matches(&self) -> Vec<MatchRow> {
        self.read(|tx| tx.matches(None, None, 100_000))
    }

    /// All mails of a kind, in the order they were queued.
    pub fn mails(&self, kind: &str) -> Vec<Mail> {
        self.read(|tx| {
            let mut rows = tx.mails(None, 1_000_000)?;
            rows.reverse();
            rows.into_iter()
                .filter(|row| row.kind == kind)
                .map(|row| Ok(mail(row.clone(), tx.mail_bytes(row.id)?)))
                .collect()
        })
    }

    pub fn count(&self, kind: &str) -> usize {
        self.read(|tx| tx.mails(None, 1_000_000)).iter().filter(|row| row.kind == kind).count()
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("state/burdenwatch.db")
    }

    /// Another process's look at the database.
    pub fn db(&self) -> Db {
        Db::open(&self.database()).unwrap()
    }
}

fn mail(row: OutboxRow, bytes: Vec<u8>) -> Mail {
    let (text, html) = {
        let message = MessageParser::default().parse(&bytes).unwrap();
        (message.body_text(0).unwrap().into_owned(), message.body_html(0).unwrap().into_owned())
    };
    Mail { row, bytes, text, html }
}

fn page(pages: &Pages, hit: &Hit) -> Script {
    let page = pages.lock().unwrap().get(&hit.path).cloned();
    match page {
        None => answer("404 Not Found", &[], ""),
        Some(Page::Scripted(script)) => script,
        Some(Page::Document(body)) => {
            let tag = format!(
                "\"{:x}\"",
                body.iter().fold(5381_u64, |sum, byte| sum.wrapping_mul(33) ^ u64::from(*byte))
            );
            if hit.header("If-None-Match") == Some(tag.as_str()) {
                answer("304 Not Modified", &[], "")
            } else {
                answer("200 OK", &[("ETag", &tag), ("Content-Type", "application/rss+xml")], body)
            }
        }
    }
}

pub fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

pub fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// Queues so many alert-sized mails.
pub async fn queue_mails(house: &House, count: usize) {
    let now = house.now();
    let body = format!(
        "Subject: a mail\r\n\r\n{}",
        "words of an alert, in plain text and in markup\r\n".repeat(250)
    );
    house
        .write(move |tx| {
            for n in 0..count {
                let (key, id) = (format!("alert|desk|story-{n}"), format!("<{n}.alert@example.org>"));
                let new = NewMail {
                    dedup_key: &key,
                    kind: "alert",
                    subscription: "desk",
                    sender: "watch@example.org",
                    recipient: "desk@example.org",
                    message_id: &id,
                    subject: "a mail",
                    mime: body.as_bytes(),
                };
                tx.queue_mail(&new, now)?;
            }
            Ok(())
        })
        .await;
}
