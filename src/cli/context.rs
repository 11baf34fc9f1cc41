//! What commands share: where they print, which configuration, which database.

use std::fmt;
use std::io;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::cli::Cli;
use crate::cli::Color;
use crate::cli::Outcome;
use crate::config::load;
use crate::config::load::Loaded;
use crate::problem::{Problem, Severity};
use crate::store::Db;

/// The configuration when none is named.
pub const DEFAULT_CONFIG: &str = "/etc/burdenwatch/burdenwatch.toml";

/// Where a command prints, and what was said before its name.
pub struct Console {
    /// Data.
    pub out: Box<dyn Write>,
    /// Everything else.
    pub err: Box<dyn Write>,
    /// Whether `out` may be coloured.
    pub color: bool,
    /// `-v`, less `-q`.
    pub verbosity: i8,
    config: Option<PathBuf>,
}

impl fmt::Debug for Console {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Console").field("color", &self.color).finish_non_exhaustive()
    }
}

impl Console {
    /// Makes the console of a call.
    pub fn new(cli: &Cli) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            color: match cli.color {
                Color::Auto => io::stdout().is_terminal() && !plain,
                Color::Always => true,
                Color::Never => false,
            },
            verbosity: if cli.quiet { -1 } else { i8::try_from(cli.verbose).unwrap_or(2) },
            config: cli.config.clone(),
        }
    }

    /// Returns the configuration file of this call.
    pub fn config_path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(DEFAULT_CONFIG))
    }

    /// Whether a configuration was named, or the default one is there.
    pub fn has_config(&self) -> bool {
        self.config.is_some() || Path::new(DEFAULT_CONFIG).exists()
    }

    /// Loads the configuration to look into the archive; complaints go to stderr, and a wrong one is an
    /// [`Outcome::BadConfig`]. The mail password is not read.
    pub fn load(&mut self) -> io::Result<Result<Loaded, Outcome>> {
        let loaded = load::load_to_read(self.config_path());
        self.judge(loaded)
    }

    /// Loads the configuration with its secrets, to mail.
    pub fn load_to_mail(&mut self) -> io::Result<Result<Loaded, Outcome>> {
        let loaded = load::load(self.config_path());
        self.judge(loaded)
    }

    fn judge(&mut self, loaded: Result<Loaded, Vec<Problem>>) -> io::Result<Result<Loaded, Outcome>> {
        match loaded {
            Ok(loaded) => {
                if self.verbosity > 0 {
                    self.complain(&loaded.problems)?;
                }
                Ok(Ok(loaded))
            }
            Err(problems) => {
                let errors: Vec<Problem> =
                    problems.into_iter().filter(|problem| problem.severity == Severity::Error).collect();
                self.complain(&errors)?;
                Ok(Err(Outcome::BadConfig))
            }
        }
    }

    /// Prints complaints, one after the other.
    pub fn complain(&mut self, problems: &[Problem]) -> io::Result<()> {
        for problem in problems {
            writeln!(self.err, "{problem}")?;
        }
        self.err.flush()
    }

    /// Prints a failure: what was tried, what happened, what to do.
    pub fn fail(&mut self, why: impl fmt::Display) -> io::Result<Outcome> {
        writeln!(self.err, "error: {why}")?;
        Ok(Outcome::Failure)
    }

    /// Opens the database for reading; `None` when there is none yet.
    pub fn reader(&mut self, loaded: &Loaded) -> io::Result<Result<Option<Db>, Outcome>> {
        match Db::open_reader(&loaded.config.service.state_dir.join("burdenwatch.db")) {
            Ok(db) => Ok(Ok(db)),
            Err(why) => Ok(Err(self.fail(why)?)),
        }
    }

    /// Opens the database for reading and complains when there is none yet.
    pub fn archive(&mut self, loaded: &Loaded) -> io::Result<Result<Db, Outcome>> {
        match self.reader(loaded)? {
            Ok(Some(db)) => Ok(Ok(db)),
            Ok(None) => {
                let state = loaded.config.service.state_dir.display();
                Ok(
                    Err(self
                        .fail(format!("there is no database in {state} yet; `burdenwatch run` makes it"))?),
                )
            }
            Err(outcome) => Ok(Err(outcome)),
        }
    }

    /// Opens the database for writing beside a daemon.
    pub fn writer(&mut self, loaded: &Loaded) -> io::Result<Result<Db, Outcome>> {
        let path = loaded.config.service.state_dir.join("burdenwatch.db");
        if let Err(outcome) = self.archive(loaded)? {
            return Ok(Err(outcome));
        }
        match Db::open(&path) {
            Ok(db) => Ok(Ok(db)),
            Err(why) => Ok(Err(self.fail(why)?)),
        }
    }

    /// Prints a value as one line of JSON.
    pub fn json(&mut self, value: &serde_json::Value) -> io::Result<Outcome> {
        writeln!(self.out, "{value}")?;
        self.out.flush()?;
        Ok(Outcome::Success)
    }
}

/// Unwraps what may already have decided how the command ends.
#[macro_export]
macro_rules! or_end {
    ($value:expr) => {
        match $value {
            Ok(value) => value,
            Err(outcome) => return Ok(outcome),
        }
    };
}
