//! `mute`: silence until a date, with a reason.

use std::io;
use std::io::Write;

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::table;
use crate::config::load::Loaded;
use crate::or_end;
use crate::store::MuteKind;
use crate::time::{Clock, SystemClock};

/// Arguments of `mute`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Mute: matches stay in the digest, alerts are not mailed
    Add {
        /// What kind of thing
        kind: Kind,
        /// The rule's id, the story's number or the source's name
        what: String,
        /// Until this date (YYYY-MM-DD, the service's zone) or for this long (3d)
        #[arg(long)]
        until: String,
        /// Why; shown in digests
        #[arg(long)]
        reason: String,
    },
    /// List mutes in force
    List,
    /// End a mute
    Remove {
        /// Its number
        id: i64,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Rule,
    Story,
    Source,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let loaded = or_end!(console.load()?);
    match &args.command {
        Command::Add { kind, what, until, reason } => {
            let kind = match kind {
                Kind::Rule => MuteKind::Rule,
                Kind::Story => MuteKind::Story,
                Kind::Source => MuteKind::Source,
            };
            add(console, &loaded, kind, what, until, reason)
        }
        Command::List => list(console, &loaded),
        Command::Remove { id } => {
            let mut db = or_end!(console.writer(&loaded)?);
            match db.write(|tx| tx.end_mute(*id)) {
                Ok(true) => Ok(Outcome::Success),
                Ok(false) => {
                    console.fail(format!("there is no mute {id}; `burdenwatch mute list` shows them"))
                }
                Err(why) => console.fail(why),
            }
        }
    }
}

fn add(
    console: &mut Console,
    loaded: &Loaded,
    kind: MuteKind,
    what: &str,
    until: &str,
    reason: &str,
) -> io::Result<Outcome> {
    let now = SystemClock.now();
    let Some(until) = moment(until, now, loaded).filter(|until| *until > now) else {
        writeln!(
            console.err,
            "error: --until \"{until}\" is neither a date to come (2026-12-24) nor a time span (3d)"
        )?;
        return Ok(Outcome::Usage);
    };
    if matches!(kind, MuteKind::Rule) && !loaded.rules.rules().iter().any(|rule| rule.id == what) {
        return console.fail(format!("no rule has the id \"{what}\"; `burdenwatch rules list` shows them"));
    }
    let mut db = or_end!(console.writer(loaded)?);
    if matches!(kind, MuteKind::Story) {
        let known = what.parse().ok().map(|story: i64| db.read().members(story)).transpose();
        match known {
            Ok(Some(members)) if !members.is_empty() => {}
            Ok(_) => {
                return console.fail(format!(
                    "there is no story {what}; `burdenwatch matches list --json` shows their numbers"
                ));
            }
            Err(why) => return console.fail(why),
        }
    }
    match db.write(|tx| tx.record_mute(kind, what, until, reason, now)) {
        Ok(id) => {
            let until = until.to_zoned(loaded.config.service.time_zone.clone());
            writeln!(
                console.err,
                "mute {id}: {} {what} until {}",
                kind.as_str(),
                until.strftime("%Y-%m-%d %H:%M %Z")
            )?;
            Ok(Outcome::Success)
        }
        Err(why) => console.fail(why),
    }
}

fn moment(until: &str, now: Timestamp, loaded: &Loaded) -> Option<Timestamp> {
    if let Ok(date) = until.parse::<Date>() {
        return date.to_zoned(loaded.config.service.time_zone.clone()).ok().map(|zoned| zoned.timestamp());
    }
    let span = crate::config::unit::duration(until).ok()?;
    now.checked_add(jiff::SignedDuration::try_from(span).ok()?).ok()
}

fn list(console: &mut Console, loaded: &Loaded) -> io::Result<Outcome> {
    let mutes = match or_end!(console.reader(loaded)?) {
        None => Vec::new(),
        Some(db) => match db.read().mutes(SystemClock.now()) {
            Ok(mutes) => mutes,
            Err(why) => return console.fail(why),
        },
    };
    let zone = &loaded.config.service.time_zone;
    let cells: Vec<Vec<String>> = mutes
        .into_iter()
        .map(|mute| {
            let until = mute.until.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
            vec![mute.id.to_string(), mute.kind, mute.what, until, mute.reason]
        })
        .collect();
    table::print(&mut console.out, &["ID", "KIND", "WHAT", "UNTIL", "REASON"], &cells)?;
    console.out.flush()?;
    Ok(Outcome::Success)
}
