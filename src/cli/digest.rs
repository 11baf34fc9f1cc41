//! `digest`: past digests, what would be mailed now, and one at once.

use std::io;
use std::io::Write;
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::run::runtime;
use crate::cli::table;
use crate::config::Subscription;
use crate::config::load::Loaded;
use crate::daemon::lock;
use crate::daemon::open;
use crate::digest;
use crate::digest::Templates;
use crate::digest::brief::Rendered;
use crate::flow::Run;
use crate::flow::digests;
use crate::flow::dispatch;
use crate::flow::subscribers;
use crate::mail;
use crate::mail::{Kind, Message};
use crate::news::text;
use crate::or_end;
use crate::store::{Db, Store, StoreError};
use crate::time::{Clock, SystemClock};

/// Arguments of `digest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List past digests, the newest first
    List {
        /// Only of this subscription
        #[arg(long, value_name = "NAME")]
        subscription: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a past digest
    Show {
        /// Its number
        number: u32,
        /// Of this subscription, where several have that number
        #[arg(long, value_name = "NAME")]
        subscription: Option<String>,
        /// In which form
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print what would be mailed now, claiming nothing
    Preview {
        /// The subscription
        name: String,
        /// In which form
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Compose and send a digest now, quiet day or not
    Send {
        /// The subscription
        name: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Html,
    Eml,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let loaded = match args.command {
        Command::Send { .. } => or_end!(console.load_to_mail()?),
        _ => or_end!(console.load()?),
    };
    match &args.command {
        Command::List { subscription, json } => list(console, &loaded, subscription.as_deref(), *json),
        Command::Show { number, subscription, format } => {
            show(console, &loaded, *number, subscription.as_deref(), *format)
        }
        Command::Preview { name, format } => preview(console, &loaded, name, *format),
        Command::Send { name } => send(console, loaded, name),
    }
}

fn named<'l>(
    console: &mut Console,
    loaded: &'l Loaded,
    name: &str,
) -> io::Result<Result<&'l Subscription, Outcome>> {
    if let Some(found) = loaded.config.subscriptions.iter().find(|one| one.name == name) {
        return Ok(Ok(found));
    }
    let names: Vec<&str> = loaded.config.subscriptions.iter().map(|one| one.name.as_str()).collect();
    let known = if names.is_empty() {
        "none is configured".to_owned()
    } else {
        format!("configured are: {}", names.join(", "))
    };
    Ok(Err(console.fail(format!("there is no subscription \"{name}\"; {known}"))?))
}

fn list(
    console: &mut Console,
    loaded: &Loaded,
    subscription: Option<&str>,
    json: bool,
) -> io::Result<Outcome> {
    let rows = match or_end!(console.reader(loaded)?) {
        None => Vec::new(),
        Some(db) => match db.read().digests(subscription, 500) {
            Ok(rows) => {
                // One that is no longer configured may have left digests.
                if let Some(name) = subscription.filter(|_| rows.is_empty()) {
                    or_end!(named(console, loaded, name)?);
                }
                rows
            }
            Err(why) => return console.fail(why),
        },
    };
    if json {
        for row in rows {
            let line = serde_json::json!({
                "subscription": row.subscription, "number": row.number, "slot": row.slot, "at": row.at.to_string(),
                "stories": row.stories, "articles": row.articles, "subject": row.subject,
            });
            writeln!(console.out, "{line}")?;
        }
    } else {
        let cells: Vec<Vec<String>> = rows
            .into_iter()
            .map(|row| {
                let slot = row.slot.unwrap_or_else(|| "by hand".to_owned());
                vec![row.subscription, row.number.to_string(), slot, row.stories.to_string(), row.subject]
            })
            .collect();
        table::print(&mut console.out, &["SUBSCRIPTION", "NUMBER", "SLOT", "STORIES", "SUBJECT"], &cells)?;
    }
    console.out.flush()?;
    Ok(Outcome::Success)
}

fn show(
    console: &mut Console,
    loaded: &Loaded,
    number: u32,
    name: Option<&str>,
    format: Format,
) -> io::Result<Outcome> {
    let db = or_end!(console.archive(loaded)?);
    let found = match db.read().digests(name, u32::MAX) {
        Ok(rows) => rows.into_iter().filter(|row| row.number == number).collect::<Vec<_>>(),
        Err(why) => return console.fail(why),
    };
    let mut subscriptions: Vec<String> = found.iter().map(|row| row.subscription.clone()).collect();
    subscriptions.dedup();
    match found.into_iter().next() {
        None => {
            let of = name.map(|name| format!(" of \"{name}\"")).unwrap_or_default();
            console.fail(format!("there is no digest #{number}{of}; `burdenwatch digest list` shows them"))
        }
        Some(_) if subscriptions.len() > 1 => console.fail(format!(
            "#{number} is a digest of {}: say which with --subscription",
            subscriptions.join(" and ")
        )),
        Some(row) if format == Format::Eml => {
            let mail = digests::mails(db.read(), &row)
                .and_then(|mails| mails.first().map(|mail| db.read().mail_bytes(mail.id)).transpose());
            match mail {
                Ok(Some(bytes)) if !bytes.is_empty() => bytes_out(console, &bytes),
                Ok(_) => console.fail("its mail is no longer in the outbox"),
                Err(why) => console.fail(why),
            }
        }
        Some(row) if row.text.is_empty() && row.html.is_empty() => console.fail(format!(
            "the words of digest #{number} are no longer kept: see `retention` in [service]; its mail may still be in your mailbox"
        )),
        Some(row) => {
            words_out(console, &Rendered { subject: row.subject, text: row.text, html: row.html }, format)
        }
    }
}

fn words_out(console: &mut Console, words: &Rendered, format: Format) -> io::Result<Outcome> {
    match format {
        Format::Html => console.out.write_all(words.html.as_bytes())?,
        Format::Text | Format::Eml => {
            writeln!(console.out, "Subject: {}\n", text::safe(&words.subject))?;
            console.out.write_all(words.text.as_bytes())?;
        }
    }
    console.out.flush()?;
    Ok(Outcome::Success)
}

fn bytes_out(console: &mut Console, bytes: &[u8]) -> io::Result<Outcome> {
    console.out.write_all(bytes)?;
    console.out.flush()?;
    Ok(Outcome::Success)
}

fn preview(console: &mut Console, loaded: &Loaded, name: &str, format: Format) -> io::Result<Outcome> {
    let subscription = or_end!(named(console, loaded, name)?);
    let db = or_end!(console.archive(loaded)?);
    let words = match compose(&db, loaded, subscription) {
        Ok(Some(words)) => words,
        Ok(None) => {
            return console.fail("the daemon has not seen this subscription yet; start or reload it first");
        }
        Err(why) => return console.fail(why),
    };
    if format != Format::Eml {
        return words_out(console, &words, format);
    }
    let (from, now) = (&loaded.config.mail.from, SystemClock.now());
    let Some(to) = subscription.to.first() else { return Ok(Outcome::Failure) };
    let message = Message {
        from: from.clone(),
        reply_to: loaded.config.mail.reply_to.clone(),
        to: to.clone(),
        subject: words.subject,
        text: words.text,
        html: words.html,
        message_id: mail::message_id("preview", &to.email, Kind::Digest, from.domain()),
        date: now,
        list_id: Some(format!("<{name}.burdenwatch.{}>", from.domain())),
        kind: Kind::Digest,
        references: Vec::new(),
        headers: Vec::new(),
    };
    match mail::build(&message) {
        Ok(bytes) => bytes_out(console, &bytes),
        Err(why) => console.fail(why),
    }
}

fn compose(db: &Db, loaded: &Loaded, subscription: &Subscription) -> Result<Option<Rendered>, StoreError> {
    let (tx, now) = (db.read(), SystemClock.now());
    let Some(row) = subscribers::standing(tx, &subscription.name, now)? else { return Ok(None) };
    let near = digests::nearest(tx, &loaded.rules, &subscription.name, now)?;
    let draft = digests::draft(tx, &loaded.config, &loaded.rules, subscription, &row, near, now)?;
    let templates = loaded.templates.clone().unwrap_or_else(|| Arc::new(Templates::builtin()));
    Ok(Some(digest::digest(&draft.facts, &templates)))
}

/// Queues a digest in one transaction; a running daemon delivers it within seconds, else we do.
fn send(console: &mut Console, loaded: Loaded, name: &str) -> io::Result<Outcome> {
    let subscription = or_end!(named(console, &loaded, name)?).clone();
    let state_dir = loaded.config.service.state_dir.clone();
    if let Err(source) = std::fs::create_dir_all(&state_dir) {
        return console.fail(format!("cannot make the state directory {}: {source}", state_dir.display()));
    }
    let own = lock::take(&state_dir).ok();
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let store = Store::open(&state_dir.join("burdenwatch.db"), SystemClock.now(), false)
            .map_err(|why| why.to_string())?;
        let run = Run { once: true, id: format!("send-{:016x}", fastrand::u64(..)) };
        let setup =
            open::install(loaded, store, Arc::new(SystemClock), run).map_err(|why| why.to_string())?;
        let now = setup.clock.now();
        let known = subscription.clone();
        setup
            .store
            .write(move |tx| subscribers::know(tx, &known, now))
            .await
            .map_err(|why| why.to_string())?;
        let number = digests::compose(&setup, &subscription, None).await.map_err(|why| why.to_string())?;
        let delivered = if own.is_some() {
            let stop = tokio_util::sync::CancellationToken::new();
            Some(dispatch::deliver_due(&setup, &stop).await.map_err(|why| why.to_string())?)
        } else {
            None
        };
        let store = setup.store.clone();
        drop(setup);
        drop(tokio::task::spawn_blocking(move || store.close()).await);
        Ok::<_, String>((number.unwrap_or_default(), delivered))
    });
    drop(own);
    match done {
        Err(why) => console.fail(why),
        Ok((number, None)) => {
            writeln!(console.err, "digest #{number} is queued; the running daemon delivers it")?;
            Ok(Outcome::Success)
        }
        Ok((number, Some(mail))) if mail.put_off + mail.failed == 0 => {
            writeln!(console.err, "digest #{number} is sent to {} recipients", mail.sent)?;
            Ok(Outcome::Success)
        }
        Ok((number, Some(_))) => console.fail(format!(
            "digest #{number} is queued but could not be delivered to all; `burdenwatch outbox list` says why"
        )),
    }
}
