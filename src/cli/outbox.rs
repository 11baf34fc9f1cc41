//! `outbox`: what was mailed to whom, and what the server said.

use std::io;
use std::io::Write;

use clap::Subcommand;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::status::ago;
use crate::cli::table;
use crate::config::load::Loaded;
use crate::news::text;
use crate::or_end;
use crate::store::OutboxRow;
use crate::time::{Clock, SystemClock};

/// Arguments of `outbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List mails, the newest first
    List {
        /// Only in this state: queued, sending, sent, deferred, failed, uncertain
        #[arg(long, value_parser = ["queued", "sending", "sent", "deferred", "failed", "uncertain"])]
        state: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a mail's tries and the server's replies
    Show {
        /// Its number
        id: i64,
        /// Print the message itself
        #[arg(long)]
        eml: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a mail due now, with the same bytes; resumes a suspended recipient
    Retry {
        /// Its number
        id: i64,
    },
    /// Give up on a mail; its story stays in the archive
    Drop {
        /// Its number
        id: i64,
    },
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let loaded = or_end!(console.load()?);
    match &args.command {
        Command::List { state, limit, json } => list(console, &loaded, state.as_deref(), *limit, *json),
        Command::Show { id, eml, json } => show(console, &loaded, *id, *eml, *json),
        Command::Retry { id } => change(console, &loaded, *id, "retried"),
        Command::Drop { id } => change(console, &loaded, *id, "dropped"),
    }
}

fn value(mail: &OutboxRow) -> serde_json::Value {
    serde_json::json!({
        "id": mail.id, "kind": mail.kind, "subscription": mail.subscription, "recipient": mail.recipient,
        "message_id": mail.message_id, "subject": mail.subject, "state": mail.state, "attempts": mail.attempts,
        "created_at": mail.created_at.to_string(), "next_at": mail.next_at.to_string(), "last_code": mail.last_code,
        "last_reply": mail.last_reply, "done_at": mail.done_at.map(|at| at.to_string()),
    })
}

fn list(
    console: &mut Console,
    loaded: &Loaded,
    state: Option<&str>,
    limit: u32,
    json: bool,
) -> io::Result<Outcome> {
    let mails = match or_end!(console.reader(loaded)?) {
        None => Vec::new(),
        Some(db) => match db.read().mails(state, limit) {
            Ok(mails) => mails,
            Err(why) => return console.fail(why),
        },
    };
    if json {
        mails.iter().try_for_each(|mail| writeln!(console.out, "{}", value(mail)))?;
    } else {
        let now = SystemClock.now();
        let cells: Vec<Vec<String>> = mails
            .iter()
            .map(|mail| {
                let reply = mail.last_reply.clone().unwrap_or_default();
                vec![
                    mail.id.to_string(),
                    mail.state.clone(),
                    mail.attempts.to_string(),
                    ago(now, mail.created_at),
                    mail.recipient.clone(),
                    table::short(&mail.subject, 48),
                    table::short(&reply, 60),
                ]
            })
            .collect();
        table::print(
            &mut console.out,
            &["ID", "STATE", "TRIES", "QUEUED", "RECIPIENT", "SUBJECT", "LAST REPLY"],
            &cells,
        )?;
    }
    console.out.flush()?;
    Ok(Outcome::Success)
}

fn show(console: &mut Console, loaded: &Loaded, id: i64, eml: bool, json: bool) -> io::Result<Outcome> {
    let db = or_end!(console.archive(loaded)?);
    let tx = db.read();
    let found = tx.mail(id).and_then(|mail| Ok((mail, tx.tries(id)?)));
    let (mail, tries) = match found {
        Ok((Some(mail), tries)) => (mail, tries),
        Ok((None, _)) => {
            return console
                .fail(format!("no mail has the number {id}; `burdenwatch outbox list` shows them"));
        }
        Err(why) => return console.fail(why),
    };
    if eml {
        return match tx.mail_bytes(id) {
            Ok(bytes) if bytes.is_empty() => console
                .fail(format!("the bytes of mail {id} are no longer kept: see `retention` in [service]")),
            Ok(bytes) => {
                console.out.write_all(&bytes)?;
                console.out.flush()?;
                Ok(Outcome::Success)
            }
            Err(why) => console.fail(why),
        };
    }
    if json {
        let mut value = value(&mail);
        if let Some(object) = value.as_object_mut() {
            let tries = tries.iter().map(|one| {
                serde_json::json!({ "at": one.at.to_string(), "outcome": one.outcome, "code": one.code, "reply": one.reply })
            });
            object.insert("tries".to_owned(), tries.collect());
        }
        return console.json(&value);
    }
    let zone = &loaded.config.service.time_zone;
    let time = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    let out = &mut console.out;
    writeln!(out, "{}\n", text::safe(&mail.subject))?;
    writeln!(out, "number      {} ({})", mail.id, mail.kind)?;
    writeln!(
        out,
        "state       {} after {} {}",
        mail.state,
        mail.attempts,
        if mail.attempts == 1 { "try" } else { "tries" }
    )?;
    writeln!(out, "recipient   {}", mail.recipient)?;
    writeln!(out, "message-id  {}", mail.message_id)?;
    writeln!(out, "queued      {}", time(mail.created_at))?;
    match mail.done_at {
        Some(at) => writeln!(out, "done        {}", time(at))?,
        None => writeln!(out, "next try    {}", time(mail.next_at))?,
    }
    for one in tries {
        let code = one.code.map(|code| format!("{code} ")).unwrap_or_default();
        writeln!(out, "  {} {}: {code}{}", time(one.at), one.outcome, text::safe(&one.reply))?;
    }
    if let (Some(reply), true) = (&mail.last_reply, mail.attempts == 0) {
        writeln!(out, "  {}", text::safe(reply))?;
    }
    out.flush()?;
    Ok(Outcome::Success)
}

fn change(console: &mut Console, loaded: &Loaded, id: i64, what: &str) -> io::Result<Outcome> {
    let mut db = or_end!(console.writer(loaded)?);
    let now = SystemClock.now();
    let done = db.write(|tx| {
        if what == "retried" { tx.retry_mail(id, now) } else { tx.give_up(id, now, "dropped by hand") }
    });
    match done {
        Ok(true) => {
            writeln!(console.err, "mail {id} is {what}")?;
            Ok(Outcome::Success)
        }
        Ok(false) => console
            .fail(format!("mail {id} cannot be {what}: it does not exist, was sent, is being sent now, or its bytes are no longer kept")),
        Err(why) => console.fail(why),
    }
}
