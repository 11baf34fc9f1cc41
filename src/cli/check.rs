//! `burdenwatch check`: every mistake at once, and not a byte written.

use std::io::{self, Write};
use std::path::Path;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::run::runtime;
use crate::cli::web;
use crate::config::load::{Loaded, load};
use crate::mail::Mailer;
use crate::problem::{Problem, Severity};

/// Look for every mistake in configuration and rules
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// Let warnings fail the check too
    #[arg(long)]
    pub strict: bool,
    /// Also poll each feed once and open the mail server; nothing is stored or sent
    #[arg(long)]
    pub online: bool,
}

/// Checks the configuration of this call.
///
/// # Errors
/// When `out` or `err` cannot be written to.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let path = console.config_path().to_owned();
    let loaded = load(&path);
    let outcome = verdict(args, &loaded);
    let told = report(args, &path, &loaded, &mut console.out, &mut console.err);
    match told.and_then(|_| console.out.flush()) {
        // Whoever closed the pipe asked for the verdict all the same.
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => return Ok(outcome),
        told => told?,
    }
    match loaded {
        Ok(loaded) if args.online && outcome == Outcome::Success => online(&loaded, console),
        _ => Ok(outcome),
    }
}

/// Polls each feed once and opens the mail server, storing and sending nothing.
fn online(loaded: &Loaded, console: &mut Console) -> io::Result<Outcome> {
    let mut outcome =
        if web::check_feeds(&loaded.config, console)? { Outcome::Success } else { Outcome::Failure };
    let mailer = match Mailer::new(&loaded.config.mail) {
        Ok(mailer) => mailer,
        Err(why) => return console.fail(why),
    };
    match runtime()?.block_on(mailer.probe()) {
        Ok(said) => writeln!(console.out, "mail: ok, {said}")?,
        Err(refusal) => {
            writeln!(console.out, "mail: {refusal}")?;
            outcome = Outcome::Failure;
        }
    }
    console.out.flush()?;
    Ok(outcome)
}

/// What a check comes to.
fn verdict<R>(args: &Args, loaded: &Result<Loaded<R>, Vec<Problem>>) -> Outcome {
    match loaded {
        Ok(loaded) if !args.strict || loaded.problems.is_empty() => Outcome::Success,
        _ => Outcome::BadConfig,
    }
}

/// Prints what loading found: complaints to `err`, one line of summary to `out`.
///
/// # Errors
/// When `out` or `err` cannot be written to.
pub fn report<R>(
    args: &Args,
    path: &Path,
    loaded: &Result<Loaded<R>, Vec<Problem>>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let problems = match loaded {
        Ok(loaded) => &loaded.problems,
        Err(problems) => problems,
    };
    for problem in problems {
        writeln!(err, "{problem}")?;
    }
    let path = path.display();
    let found = tally(problems);
    let Ok(Loaded { config, rule_count, .. }) = loaded else {
        writeln!(out, "{path}: {found}")?;
        return Ok(verdict(args, loaded));
    };
    let counted = [
        plural(config.feeds.len(), "feed"),
        plural(*rule_count, "rule"),
        plural(config.subscriptions.len(), "subscription"),
    ];
    let refused = args.strict && !problems.is_empty();
    let words = if problems.is_empty() { "ok".to_owned() } else { format!("ok, {found}") };
    let words = if refused { format!("{found}, and --strict") } else { words };
    writeln!(out, "{path}: {}: {words}", counted.join(", "))?;
    Ok(verdict(args, loaded))
}

/// Counts complaints in words.
fn tally(problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let both = [(errors, "error"), (problems.len() - errors, "warning")];
    let words: Vec<_> = both.into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| plural(n, word)).collect();
    words.join(", ")
}

/// A number and its noun.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
