//! The commands: one file each. Data goes to stdout, everything else to stderr.

pub mod backup;
pub mod check;
pub mod context;
pub mod demo;
pub mod digest;
pub mod explain;
pub mod feeds;
pub mod generate;
pub mod logging;
pub mod matches;
pub mod mute;
pub mod outbox;
pub mod parse;
pub mod rules;
pub mod rulings;
pub mod run;
pub mod search;
pub mod status;
pub mod stories;
pub mod table;
pub mod web;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::cli::context::Console;
use crate::news::text;

/// How a command ended, as an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 0.
    Success,
    /// 1: something failed, or needs a person.
    Failure,
    /// 2: the arguments make no sense.
    Usage,
    /// 78 (EX_CONFIG): the configuration is wrong; systemd does not restart on it.
    BadConfig,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Success => 0,
            Outcome::Failure => 1,
            Outcome::Usage => 2,
            Outcome::BadConfig => 78,
        })
    }
}

/// Watches news feeds for defence cost-sharing, and mails what it finds
#[derive(Debug, Parser)]
#[command(name = "burdenwatch", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Configuration file [default: /etc/burdenwatch/burdenwatch.toml]
    #[arg(short, long, global = true, env = "BURDENWATCH_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// When to colour output
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Say more (twice: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 something failed or needs a person, 2 wrong usage, 78 wrong configuration.";

/// When to colour output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch: poll feeds, flag articles, mail alerts and digests
    Run(run::Args),
    /// See it work: sample feeds, an alert and a digest, without configuration, network or mail server
    Demo(demo::Args),
    /// Check the configuration, the rules and their tests
    Check(check::Args),
    /// Say which rules match an article and why, or how near they came
    Explain(explain::ExplainArgs),
    /// Check, test, list, measure and try rules
    Rules(rulings::RulesArgs),
    /// Show the entries of a feed as burdenwatch reads them
    Parse(parse::Args),
    /// Measure how articles are grouped into stories
    Stories(stories::Args),
    /// Show feed health; find, import and export feeds
    Feeds(feeds::Args),
    /// Look into the archive of flagged articles
    Matches(matches::Args),
    /// Search the archive
    Search(search::Args),
    /// Show, preview and send digests
    Digest(digest::Args),
    /// Show delivery evidence; retry or drop mails
    Outbox(outbox::Args),
    /// Silence a rule, a story or a source until a date
    Mute(mute::Args),
    /// Show on one screen how the service is
    Status(status::Args),
    /// Write a consistent copy of the database
    Backup(backup::Args),
    /// Print completions for a shell
    Completions(generate::CompletionsArgs),
    /// Write the manual pages into a directory
    Man(generate::ManArgs),
}

/// Runs a command and returns how it ended.
pub fn run(cli: Cli) -> Outcome {
    let mut console = Console::new(&cli);
    let done = match cli.command {
        Command::Run(args) => run::run(&args, &mut console),
        Command::Demo(args) => demo::run(&args, &mut console),
        Command::Check(args) => check::run(&args, &mut console),
        Command::Explain(args) => rulings::explain(&args, &mut console),
        Command::Rules(args) => rulings::rules(&args, &mut console),
        Command::Parse(args) => web::parse(&args, &mut console),
        Command::Stories(args) => stories::run(&args, text::plain, &mut console.out, &mut console.err),
        Command::Feeds(args) => feeds::run(&args, &mut console),
        Command::Matches(args) => matches::run(&args, &mut console),
        Command::Search(args) => search::run(&args, &mut console),
        Command::Digest(args) => digest::run(&args, &mut console),
        Command::Outbox(args) => outbox::run(&args, &mut console),
        Command::Mute(args) => mute::run(&args, &mut console),
        Command::Status(args) => status::run(&args, &mut console),
        Command::Backup(args) => backup::run(&args, &mut console),
        Command::Completions(args) => generate::completions(&args, &mut console),
        Command::Man(args) => generate::man(&args, &mut console),
    };
    done.unwrap_or_else(|why| ended_early(&why))
}

/// A reader that closed the pipe has seen enough; anything else is a failure.
fn ended_early(why: &io::Error) -> Outcome {
    if why.kind() == io::ErrorKind::BrokenPipe { Outcome::Success } else { Outcome::Failure }
}
