//! `backup`: a consistent copy while the daemon runs.

use std::io;
use std::io::Write;
use std::path::PathBuf;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::or_end;

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to write it; must not exist yet
    pub file: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let loaded = or_end!(console.load()?);
    if args.file.exists() {
        return console.fail(format!("{} exists; a backup never overwrites", args.file.display()));
    }
    let dir = args.file.parent().filter(|dir| !dir.as_os_str().is_empty());
    if let Some(dir) = dir.filter(|dir| !dir.is_dir()) {
        return console.fail(format!(
            "cannot write {}: there is no directory {}",
            args.file.display(),
            dir.display()
        ));
    }
    let db = or_end!(console.archive(&loaded)?);
    // Under another name until it is checked: a cut-off backup must not look like one.
    let mut partial = args.file.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    drop(std::fs::remove_file(&partial));
    if let Err(why) = db.backup(&partial) {
        return console.fail(why);
    }
    if let Err(why) = std::fs::rename(&partial, &args.file) {
        return console.fail(format!(
            "cannot rename {} to {}: {why}",
            partial.display(),
            args.file.display()
        ));
    }
    writeln!(console.err, "wrote and checked {}", args.file.display())?;
    Ok(Outcome::Success)
}
