//! `demo`: the product at work, with no configuration, network or mail server.
//!
//! Sample feeds are served on loopback and a configuration is written; from there on
//! it is the very code of `run --once`, twice, on a clock that moves three hours between.

mod feeds;

use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::cli::Outcome;
use crate::cli::check::plural;
use crate::cli::context::Console;
use crate::cli::demo::feeds::SAMPLES;
use crate::cli::run::runtime;
use crate::config::load;
use crate::daemon;
use crate::daemon::{OnceReport, open};
use crate::news::text;
use crate::store::{Db, StoreError};
use crate::time::{Clock, ManualClock, SystemClock};

/// Time between the two polls.
const BETWEEN: SignedDuration = SignedDuration::from_hours(3);
/// What the demo makes in its directory, besides mails and their HTML.
const OWN: [&str; 5] =
    ["burdenwatch.toml", "burdenwatch.db", "burdenwatch.db-wal", "burdenwatch.db-shm", "burdenwatch.lock"];

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to put mails and database; made if absent [default: a new directory for temporary files]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let dir = match directory(args.dir.as_deref()) {
        Ok(dir) => dir,
        Err(why) => return console.fail(why),
    };
    writeln!(
        console.err,
        "serving {} sample feeds on loopback; everything goes into {}",
        SAMPLES.len() + 1,
        dir.display()
    )?;
    let shown = runtime()?.block_on(show(&dir));
    match shown {
        Ok(shown) => tell(&dir, &shown, console),
        Err(why) => console.fail(format!("the demo did not work: {why}")),
    }
}

/// Makes the directory and clears it of what an earlier demo left.
fn directory(dir: Option<&Path>) -> Result<PathBuf, String> {
    let dir = match dir {
        Some(dir) => std::path::absolute(dir).map_err(|why| why.to_string())?,
        None => std::env::temp_dir().join(format!("burdenwatch-demo-{:08x}", fastrand::u32(..))),
    };
    let cannot = |what: &str, why: io::Error| format!("cannot {what} {}: {why}", dir.display());
    std::fs::create_dir_all(&dir).map_err(|why| cannot("make", why))?;
    for entry in std::fs::read_dir(&dir).map_err(|why| cannot("read", why))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mail = [".alert.eml", ".digest.eml", ".rollup.eml", ".notice.eml", ".alert.html", ".digest.html"];
        if OWN.contains(&name.as_str()) || mail.iter().any(|end| name.ends_with(end)) {
            std::fs::remove_file(entry.path()).map_err(|why| cannot("clear", why))?;
        }
    }
    Ok(dir)
}

/// What there is to see.
struct Shown {
    first: OnceReport,
    second: OnceReport,
    digest: String,
    subject: String,
    match_id: i64,
}

async fn show(dir: &Path) -> Result<Shown, String> {
    let start = SystemClock.now().saturating_sub(BETWEEN).map_err(|why| why.to_string())?;
    let phase = Arc::new(AtomicUsize::new(0));
    let server = serve(start, Arc::clone(&phase)).await.map_err(|why| format!("no sample server: {why}"))?;
    let config = dir.join("burdenwatch.toml");
    let dead = closed_port().await.map_err(|why| why.to_string())?;
    std::fs::write(&config, configuration(dir, server, dead, start))
        .map_err(|why| format!("cannot write {}: {why}", config.display()))?;
    let loaded = load::load(&config)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<String>())?;
    let clock = ManualClock::new(start);
    let (setup, lock) = open::open(loaded, Arc::new(clock.clone()), true).map_err(|why| why.to_string())?;
    let stop = CancellationToken::new();
    let first = daemon::once(&setup, true, &stop).await.map_err(|why| why.to_string())?;
    clock.advance(BETWEEN);
    phase.store(1, Ordering::Relaxed);
    let second = daemon::once(&setup, true, &stop).await.map_err(|why| why.to_string())?;
    let store = setup.store.clone();
    drop(setup);
    drop(tokio::task::spawn_blocking(move || store.close()).await);
    drop(lock);
    let (subject, digest, match_id) =
        keep_html(dir).map_err(|why| why.to_string())?.ok_or("no digest was composed")?;
    Ok(Shown { first, second, digest, subject, match_id })
}

/// A port nobody listens on: the dead feed.
async fn closed_port() -> io::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    listener.local_addr()
}

#[derive(Clone)]
struct Shelf {
    start: Timestamp,
    phase: Arc<AtomicUsize>,
}

async fn serve(start: Timestamp, phase: Arc<AtomicUsize>) -> io::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let app = Router::new().route("/{name}", get(hand_out)).with_state(Shelf { start, phase });
    // Ends with the runtime.
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

async fn hand_out(
    State(shelf): State<Shelf>,
    UrlPath(name): UrlPath<String>,
    headers: HeaderMap,
) -> Response {
    let phase = shelf.phase.load(Ordering::Relaxed);
    let Some(sample) = SAMPLES.iter().find(|sample| sample.path.trim_start_matches('/') == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body = sample.document(phase, shelf.start);
    let etag = format!("\"{}-{}\"", name, body.len());
    if headers.get(header::IF_NONE_MATCH).and_then(|tag| tag.to_str().ok()) == Some(etag.as_str()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(header::CONTENT_TYPE, sample.content_type.to_owned()), (header::ETAG, etag)], body).into_response()
}

/// A configuration like any operator's, so that the commands work on what the demo leaves.
fn configuration(dir: &Path, server: SocketAddr, dead: SocketAddr, start: Timestamp) -> String {
    let slot = start.saturating_add(SignedDuration::from_hours(2)).unwrap_or(start).strftime("%H:%M");
    let quoted = |path: &Path| toml::Value::String(path.to_string_lossy().into_owned()).to_string();
    let mut text = format!(
        "# Written by `burdenwatch demo`; the feeds were served only while it ran.\n\
         [service]\nstate_dir = {dir}\ntime_zone = \"UTC\"\n\n\
         [polling]\nper_host = 8\nhost_gap = \"0s\"\ntimeout = \"10s\"\nallow_networks = [\"127.0.0.0/8\"]\n\n\
         [mail]\ntransport = \"directory\"\nfrom = \"burdenwatch <watch@demo.example>\"\ndirectory = {dir}\n\n\
         [[subscription]]\nname = \"demo-desk\"\nto = [\"desk@demo.example\"]\ndigest = {{ at = \"{slot}\" }}\n",
        dir = quoted(dir),
    );
    for sample in &SAMPLES {
        text.push_str(&format!(
            "\n[[feed]]\nname = \"{}\"\nurl = \"http://{server}{}\"\nlanguage = \"{}\"\n",
            sample.name, sample.path, sample.language
        ));
    }
    text.push_str(&format!("\n[[feed]]\nname = \"Dead Letter\"\nurl = \"http://{dead}/feed.xml\"\n"));
    text
}

/// Writes each mail's HTML beside it; returns the digest's words and the best match's number.
fn keep_html(dir: &Path) -> Result<Option<(String, String, i64)>, StoreError> {
    let Some(db) = Db::open_reader(&dir.join("burdenwatch.db"))? else { return Ok(None) };
    let tx = db.read();
    let Some(digest) = tx.digests(None, 1)?.into_iter().next() else { return Ok(None) };
    let best = tx
        .matches(None, None, 50)?
        .into_iter()
        .filter(|row| row.disposition == "fresh")
        .max_by_key(|row| row.score);
    if let Some(mail) = crate::flow::digests::mails(tx, &digest)?.first() {
        let name = crate::flow::dispatch::file_name(mail).replace(".eml", ".html");
        let written = std::fs::write(dir.join(&name), &digest.html);
        written.map_err(|source| StoreError::File { what: "write", path: dir.join(name), source })?;
    }
    Ok(Some((digest.subject, digest.text, best.map_or(0, |row| row.article_id))))
}

fn tell(dir: &Path, shown: &Shown, console: &mut Console) -> io::Result<Outcome> {
    let program = std::env::args().next().unwrap_or_else(|| "burdenwatch".to_owned());
    let config = dir.join("burdenwatch.toml");
    let mut files: Vec<String> = std::fs::read_dir(dir)?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".eml") || name.ends_with(".html"))
        .collect();
    files.sort();
    let out = &mut console.out;
    for (when, report) in [("first poll", &shown.first), ("three hours later", &shown.second)] {
        writeln!(
            out,
            "{when}: {} polled, {}, {} flagged, {}",
            plural(report.polled, "feed"),
            plural(report.new, "new article"),
            report.matched,
            plural(report.mail.sent, "mail")
        )?;
        for (feed, why) in &report.failed {
            writeln!(out, "  {feed}: {why}")?;
        }
    }
    writeln!(out, "\nSubject: {}\n", text::safe(&shown.subject))?;
    writeln!(out, "{}", shown.digest)?;
    writeln!(out, "Mails and pages in {}:", dir.display())?;
    for file in files {
        writeln!(out, "  {file}")?;
    }
    writeln!(out, "Database: {}\n", dir.join("burdenwatch.db").display())?;
    let call = format!("{program} -c {}", config.display());
    writeln!(
        out,
        "Try:\n  {call} matches list\n  {call} matches show {}\n  {call} digest preview demo-desk",
        shown.match_id
    )?;
    out.flush()?;
    let well = shown.first.trouble.is_empty() && shown.second.trouble.is_empty() && shown.first.mail.sent > 0;
    Ok(if well { Outcome::Success } else { Outcome::Failure })
}
