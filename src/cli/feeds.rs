//! `burdenwatch feeds`: lists of feeds in and out, and feeds on a page.

pub mod discover;
mod health;
pub mod opml;

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use url::Url;

use self::discover::Link;
use self::opml::Outline;
use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::web;
use crate::config::Feed;
use crate::or_end;

/// Arguments of `feeds`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show how each feed fares: last answer, next poll and why, gaps, errors
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Poll each configured feed once, storing nothing, and say what came
    Check,
    /// Print the feeds a web page names as `[[feed]]` tables to paste
    Discover {
        /// The page's address
        url: Url,
    },
    /// Print an OPML list as `[[feed]]` tables to paste
    Import(ImportArgs),
    /// Print the configured feeds as OPML
    Export,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let outcome = match &args.command {
        Command::List { json } => health::list(*json, console),
        Command::Check => {
            let loaded = or_end!(console.load()?);
            let well = web::check_feeds(&loaded.config, console)?;
            Ok(if well { Outcome::Success } else { Outcome::Failure })
        }
        Command::Discover { url } => {
            let fetched = match web::get(url) {
                Ok(fetched) => fetched,
                Err(why) => return console.fail(format!("cannot read {url}: {why}")),
            };
            let page = fetched.address.as_ref().unwrap_or(url);
            let links = discover::feed_links(&String::from_utf8_lossy(&fetched.body), page);
            discovered(&links, page, &mut console.out, &mut console.err)
        }
        Command::Import(args) => import(args, &mut console.out, &mut console.err),
        Command::Export => {
            let loaded = or_end!(console.load()?);
            export(&loaded.config.feeds, &mut console.out)
        }
    }?;
    console.out.flush()?;
    Ok(outcome)
}

/// Print a list of feeds from another program as `[[feed]]` tables
#[derive(Debug, Clone, clap::Args)]
pub struct ImportArgs {
    /// An OPML file, or - for standard input
    pub file: PathBuf,
}

/// Reads OPML, and prints tables to paste into a file of feeds.
///
/// # Errors
/// When `out` or `err` cannot be written to.
pub fn import(args: &ImportArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Outcome> {
    let bytes = match read(&args.file) {
        Ok(bytes) => bytes,
        Err(why) => {
            writeln!(err, "error: cannot read {}: {why}", args.file.display())?;
            return Ok(Outcome::Failure);
        }
    };
    let list = opml::read(&bytes);
    if let Some(why) = &list.cut_short {
        writeln!(err, "warning: {} is read only in part: {why}", args.file.display())?;
    }
    let mut names = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for outline in &list.outlines {
        let usable = Url::parse(&outline.url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        });
        let Some(url) = usable else {
            let name = crate::config::unit::shown(&outline.title);
            writeln!(err, "warning: {name} is left out: its address is no plain http or https URL")?;
            continue;
        };
        if addresses.insert(url.to_string()) {
            let name = free_name(&outline.title, &url, &mut names);
            write!(out, "{}", table(&name, &url, outline))?;
        }
    }
    if addresses.is_empty() {
        writeln!(err, "error: {} holds no feed", args.file.display())?;
        return Ok(Outcome::Failure);
    }
    writeln!(err, "{} feeds", addresses.len())?;
    Ok(Outcome::Success)
}

/// Prints the configured feeds as OPML.
///
/// # Errors
/// When `out` cannot be written to.
pub fn export(feeds: &[Feed], out: &mut dyn Write) -> io::Result<Outcome> {
    out.write_all(opml::write(feeds).as_bytes())?;
    Ok(Outcome::Success)
}

/// Prints the feeds found on a page as tables to paste.
///
/// # Errors
/// When `out` or `err` cannot be written to.
pub fn discovered(
    links: &[Link],
    page: &Url,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    if links.is_empty() {
        writeln!(err, "no feed is named on {page}")?;
        return Ok(Outcome::Failure);
    }
    let mut names = BTreeSet::new();
    for link in links {
        let name = free_name(&link.title, &link.url, &mut names);
        let outline = Outline { title: name.clone(), ..Outline::default() };
        write!(out, "{}", table(&name, &link.url, &outline))?;
    }
    Ok(Outcome::Success)
}

/// Reads a file of bounded length, or standard input.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    const LONGEST: u64 = 16 * 1024 * 1024;
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().take(LONGEST + 1).read_to_end(&mut bytes)?
    } else {
        std::fs::File::open(file)?.take(LONGEST + 1).read_to_end(&mut bytes)?
    };
    if read as u64 > LONGEST { Err(io::Error::other("it is larger than 16 MiB")) } else { Ok(bytes) }
}

/// A name nobody has yet, on one line.
fn free_name(title: &str, url: &Url, taken: &mut BTreeSet<String>) -> String {
    let line: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).take(150).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let base = if line.is_empty() { url.host_str().unwrap_or("feed").to_owned() } else { line };
    let mut name = base.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base} ({number})");
        number += 1;
    }
    name
}

/// One `[[feed]]`.
fn table(name: &str, url: &Url, outline: &Outline) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut table = format!("[[feed]]\nname = {}\nurl = {}\n", quoted(name), quoted(url.as_str()));
    if let Some(language) = &outline.language {
        table += &format!("language = {}\n", quoted(language));
    }
    if !outline.tags.is_empty() {
        let tags: Vec<_> = outline.tags.iter().map(|tag| quoted(tag)).collect();
        table += &format!("tags = [{}]\n", tags.join(", "));
    }
    table + "\n"
}
