//! `status`: one screen, and an exit code that asks for a person when one is needed.

use std::io;
use std::io::Write;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::config::Config;
use crate::flow::dispatch;
use crate::flow::dispatch::Channel;
use crate::flow::health::FAILING;
use crate::flow::subscribers;
use crate::flow::subscribers::Gone;
use crate::or_end;
use crate::store::{Counts, FeedRow, Searchable, StoreError, Tx};
use crate::time::{Clock, SystemClock};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Whoever polls from a timer is never so far behind.
const BEHIND: SignedDuration = SignedDuration::from_hours(2);

struct Screen {
    counts: Counts,
    channel: Channel,
    rule_set: Option<String>,
    failing: Vec<FeedRow>,
    refused: Option<String>,
    suspended: usize,
    searchable: Searchable,
    gone: Option<Gone>,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let loaded = or_end!(console.load()?);
    let now = SystemClock.now();
    let screen = match or_end!(console.reader(&loaded)?) {
        None => Screen {
            counts: Counts {
                feeds: loaded.config.feeds.iter().filter(|feed| feed.enabled).count() as u64,
                ..Counts::default()
            },
            channel: Channel::default(),
            rule_set: Some(loaded.rules.hash().to_owned()),
            failing: Vec::new(),
            refused: None,
            suspended: 0,
            searchable: Searchable::All,
            gone: None,
        },
        Some(db) => match look(db.read(), now) {
            Ok(screen) => screen,
            Err(why) => return console.fail(why),
        },
    };
    let wants = needs(&screen, now);
    if args.json {
        print_json(&screen, console)?;
    } else {
        print(&screen, &wants, &loaded.config, now, console)?;
    }
    Ok(if wants.is_empty() { Outcome::Success } else { Outcome::Failure })
}

fn look(tx: Tx<'_>, now: Timestamp) -> Result<Screen, StoreError> {
    let mut failing = Vec::new();
    tx.each_feed(true, |feed| {
        if feed.failures >= FAILING {
            failing.push(feed);
        }
    })?;
    Ok(Screen {
        counts: tx.counts(now)?,
        channel: dispatch::channel(tx)?,
        rule_set: tx.fact("rules.hash")?,
        failing,
        refused: tx.fact("rules.refused")?.or(tx.fact("config.refused")?),
        suspended: tx.suspended()?.len(),
        searchable: tx.searchable()?,
        gone: subscribers::gone(tx)?,
    })
}

/// What a person must do something about, in words that say what.
fn needs(screen: &Screen, now: Timestamp) -> Vec<String> {
    let mut needs = Vec::new();
    let Counts { feeds, failing, oldest_unsent, oldest_due, .. } = screen.counts;
    if feeds > 0 && failing == feeds {
        needs.push("every feed is failing: is the network there?".to_owned());
    }
    let behind = oldest_due.map(|due| now.duration_since(due)).filter(|behind| *behind >= BEHIND);
    if let Some(behind) = behind {
        needs.push(format!(
            "polling is {} hours behind: is `burdenwatch run` running? (`systemctl status burdenwatch`)",
            behind.as_hours()
        ));
    }
    if screen.channel.misconfigured {
        needs.push(format!(
            "the mail server refuses this configuration ({}): see [mail.smtp]",
            screen.channel.why
        ));
    }
    if oldest_unsent.is_some_and(|at| now.duration_since(at).as_hours() >= 1) {
        needs.push(
            "mail has been waiting for more than an hour: `burdenwatch outbox list` says why".to_owned(),
        );
    }
    if screen.suspended > 0 {
        needs.push(format!("{} recipients are suspended after refusals: correct the address, then `burdenwatch outbox retry`", screen.suspended));
    }
    if let Some(refused) = &screen.refused {
        needs.push(format!("a changed configuration was refused: {refused}"));
    }
    needs
}

fn print_json(screen: &Screen, console: &mut Console) -> io::Result<Outcome> {
    let counts = &screen.counts;
    console.json(&json!({
        "feeds": { "total": counts.feeds, "healthy": counts.feeds.saturating_sub(counts.failing), "failing": counts.failing },
        "articles": counts.articles,
        "matches": counts.matches,
        "stories": counts.stories,
        "outbox": {
            "queued": counts.queued, "deferred": counts.deferred, "uncertain": counts.uncertain,
            "sent": counts.sent, "failed": counts.failed,
        },
        "last_poll_at": counts.last_poll.map(|at| at.to_string()),
        "rule_set": screen.rule_set,
        "overdue": counts.overdue,
        "oldest_unsent_at": counts.oldest_unsent.map(|at| at.to_string()),
        "search_complete": screen.searchable == Searchable::All,
        "last_digest_at": counts.last_digest.map(|at| at.to_string()),
        "mail_server": (screen.channel.failures > 0).then(|| screen.channel.why.clone()),
    }))
}

fn print(
    screen: &Screen,
    needs: &[String],
    config: &Config,
    now: Timestamp,
    console: &mut Console,
) -> io::Result<()> {
    let counts = &screen.counts;
    let zone = &config.service.time_zone;
    let time = |at: Option<Timestamp>| {
        at.map_or("never".to_owned(), |at| {
            format!("{} ({})", at.to_zoned(zone.clone()).strftime("%-d %b %H:%M %Z"), ago(now, at))
        })
    };
    let out = &mut console.out;
    writeln!(
        out,
        "feeds    {} watched, {} failing, {} overdue; last poll {}",
        counts.feeds,
        counts.failing,
        counts.overdue,
        time(counts.last_poll)
    )?;
    for feed in screen.failing.iter().take(12) {
        writeln!(out, "         {}: {}", feed.name, feed.failure.as_deref().unwrap_or("no reason recorded"))?;
    }
    writeln!(
        out,
        "archive  {} articles, {} flagged in {} stories",
        counts.articles, counts.matches, counts.stories
    )?;
    if screen.searchable != Searchable::All {
        writeln!(
            out,
            "         the search index was damaged and is being made new; until then a search is slow"
        )?;
    }
    writeln!(
        out,
        "outbox   {} queued, {} deferred, {} uncertain, {} sent, {} failed; {} alerts waiting",
        counts.queued, counts.deferred, counts.uncertain, counts.sent, counts.failed, counts.waiting_alerts
    )?;
    if let Some(gone) = &screen.gone {
        writeln!(
            out,
            "         alerts closed unsent, {}, for {}: {}; no such subscription is configured any more",
            gone.alerts,
            gone.subscriptions.join(", "),
            ago(now, gone.at),
        )?;
    }
    if let Some(at) = counts.oldest_unsent {
        writeln!(out, "         oldest undelivered mail {}", ago(now, at))?;
    }
    if screen.channel.failures > 0 {
        writeln!(
            out,
            "         mail server: {}; tried again {}",
            screen.channel.why,
            time(screen.channel.until)
        )?;
    }
    writeln!(out, "digest   last {}", time(counts.last_digest))?;
    let rules = screen.rule_set.as_deref().unwrap_or("none yet");
    writeln!(out, "rules    set {}", rules.chars().take(12).collect::<String>())?;
    for need in needs {
        writeln!(out, "needs you: {need}")?;
    }
    out.flush()
}

/// A span of time as a person says it.
pub(crate) fn ago(now: Timestamp, at: Timestamp) -> String {
    let past = now.duration_since(at);
    let (words, abs) = if past.is_negative() { ("in ", past.abs()) } else { ("", past) };
    let span = match (abs.as_secs(), abs.as_mins(), abs.as_hours()) {
        (secs @ 0..120, ..) => format!("{secs} s"),
        (_, mins @ 0..120, _) => format!("{mins} min"),
        (_, _, hours @ 0..48) => format!("{hours} h"),
        (.., hours) => format!("{} days", hours / 24),
    };
    if past.is_negative() { format!("{words}{span}") } else { format!("{span} ago") }
}
