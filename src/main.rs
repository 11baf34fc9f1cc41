//! The `burdenwatch` program: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = match burdenwatch::cli::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(why) => {
            // Help and version are no mistakes; clap prints each where it belongs.
            drop(why.print());
            return ExitCode::from(if why.use_stderr() { 2 } else { 0 });
        }
    };
    burdenwatch::cli::run(arguments).into()
}
