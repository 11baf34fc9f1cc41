//! `completions` and `man`: generated from the same definitions as the commands.

use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::cli::Outcome;
use crate::cli::context::Console;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The directory; made if absent
    pub dir: PathBuf,
}

/// Prints completions.
pub fn completions(args: &CompletionsArgs, console: &mut Console) -> io::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "burdenwatch", &mut script);
    console.out.write_all(&script)?;
    console.out.flush()?;
    Ok(Outcome::Success)
}

/// Writes `burdenwatch.1`, a page for each command, and `burdenwatch.toml.5`.
pub fn man(args: &ManArgs, console: &mut Console) -> io::Result<Outcome> {
    if let Err(why) = std::fs::create_dir_all(&args.dir).and_then(|()| write_pages(&args.dir)) {
        return console.fail(format!("cannot write manual pages into {}: {why}", args.dir.display()));
    }
    Ok(Outcome::Success)
}

fn write_pages(dir: &Path) -> io::Result<()> {
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), dir)?;
    std::fs::write(dir.join("burdenwatch.toml.5"), configuration_page())
}

/// The commented example is the manual of the configuration: every key stands in it.
fn configuration_page() -> String {
    let mut page = String::from(
        ".TH burdenwatch.toml 5\n.SH NAME\nburdenwatch.toml \\- configuration of burdenwatch\n.SH DESCRIPTION\n\
         Every key, commented, as shipped. Unknown keys are mistakes; \\fBburdenwatch check\\fR shows all of them at once.\n.SH EXAMPLE\n.nf\n",
    );
    for line in include_str!("../../config/burdenwatch.toml").lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A leading dot or apostrophe would be a request to the formatter.
        page.push_str("\\&");
        page.push_str(&line);
        page.push('\n');
    }
    page.push_str(".fi\n.SH SEE ALSO\n.BR burdenwatch (1)\n");
    page
}
