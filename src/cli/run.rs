//! `run`: the daemon in the foreground, or one round of it.

use std::io;
use std::io::Write;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cli::Outcome;
use crate::cli::check::plural;
use crate::cli::context::Console;
use crate::cli::logging;
use crate::config::load::Loaded;
use crate::daemon;
use crate::daemon::{OnceReport, StartError};
use crate::or_end;
use crate::problem::Problem;
use crate::rules::builtin;
use crate::time::SystemClock;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Poll every feed that is due once, deliver what is due, and exit
    #[arg(long)]
    pub once: bool,
    /// With --once: poll every feed, due or not
    #[arg(long, requires = "once")]
    pub all: bool,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    logging::start(console.verbosity);
    let loaded = or_end!(console.load_to_mail()?);
    warn(&loaded);
    let runtime = if args.once { runtime_of_one()? } else { runtime()? };
    let done = runtime.block_on(async {
        if args.once { once(loaded, args.all).await } else { forever(loaded).await.map(|()| None) }
    });
    // Blocking threads may still resolve a name; nobody waits for that.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match done {
        Ok(None) => Ok(Outcome::Success),
        Ok(Some(report)) => tell(&report, console),
        Err(why) => console.fail(why),
    }
}

/// Logs what may be meant otherwise. Remarks on rules are many and for whoever writes them: they are counted.
fn warn(loaded: &Loaded) {
    let configured = loaded.config.rule_sources.clone();
    let files = if configured.is_empty() { builtin::sources() } else { configured };
    let of_rules = |problem: &&Problem| {
        problem.source.as_ref().is_some_and(|source| files.iter().any(|file| file.path == source.path))
    };
    let (rules, rest): (Vec<&Problem>, Vec<&Problem>) = loaded.problems.iter().partition(of_rules);
    for problem in rest {
        tracing::warn!("{}: {}", problem.place().unwrap_or_default(), problem.what);
    }
    if !rules.is_empty() {
        tracing::info!("{} on rules; `burdenwatch check` shows them", plural(rules.len(), "remark"));
    }
}

/// Few threads: the work is waiting, and each blocking thread holds an arena of memory.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .enable_all()
        .build()
}

/// A single round is done soonest on one thread: to hand a poll to another costs more than most polls do.
fn runtime_of_one() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().max_blocking_threads(16).enable_all().build()
}

async fn forever(loaded: Loaded) -> Result<(), StartError> {
    let stop = CancellationToken::new();
    let (ask, reloads) = mpsc::channel(4);
    let signals = tokio::spawn(listen(stop.clone(), ask));
    let done = daemon::run(loaded, Arc::new(SystemClock), stop, reloads).await;
    signals.abort();
    done
}

async fn once(loaded: Loaded, all: bool) -> Result<Option<OnceReport>, StartError> {
    let stop = CancellationToken::new();
    let (ask, mut ignored) = mpsc::channel(4);
    let signals = tokio::spawn(listen(stop.clone(), ask));
    let drain = tokio::spawn(async move { while ignored.recv().await.is_some() {} });
    let report = daemon::run_once(loaded, Arc::new(SystemClock), all, stop).await;
    signals.abort();
    drain.abort();
    report.map(Some)
}

/// TERM and INT stop, HUP reloads.
async fn listen(stop: CancellationToken, reload: mpsc::Sender<()>) {
    let (Ok(mut term), Ok(mut int), Ok(mut hup)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
    else {
        tracing::error!(
            "signals cannot be listened for; stop burdenwatch with SIGKILL, nothing is lost by it"
        );
        return;
    };
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hup.recv() => {
                if reload.try_send(()).is_err() {
                    tracing::info!("a reload is already under way");
                }
            }
        }
    }
    stop.cancel();
}

fn tell(report: &OnceReport, console: &mut Console) -> io::Result<Outcome> {
    let OnceReport { polled, failed, new, matched, mail, trouble } = report;
    if console.verbosity >= 0 {
        writeln!(
            console.err,
            "{} polled ({} failed), {}, {matched} flagged; {} sent, {} put off, {} refused",
            plural(*polled, "feed"),
            failed.len(),
            plural(*new, "new article"),
            plural(mail.sent, "mail"),
            mail.put_off,
            mail.failed
        )?;
    }
    for (feed, why) in failed {
        writeln!(console.err, "error: {feed}: {why}")?;
    }
    for why in trouble {
        writeln!(console.err, "error: {why}")?;
    }
    let well = failed.is_empty() && trouble.is_empty() && mail.put_off == 0 && mail.failed == 0;
    Ok(if well { Outcome::Success } else { Outcome::Failure })
}
