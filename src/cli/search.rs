//! `search`: full text over the archive, Korean and Japanese included.

use std::io;
use std::io::Write;

use jiff::Timestamp;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::matches;
use crate::cli::table;
use crate::or_end;
use crate::store::{StoreError, Tx};

/// Arguments of `search`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Words that must all occur
    #[arg(required = true)]
    pub words: Vec<String>,
    /// Search articles that matched nothing too, as long as their texts are kept
    #[arg(long)]
    pub all: bool,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let loaded = or_end!(console.load()?);
    let db = or_end!(console.archive(&loaded)?);
    let words: Vec<&str> = args.words.iter().flat_map(|words| words.split_whitespace()).collect();
    if words.is_empty() {
        writeln!(console.err, "error: there is no word to search for")?;
        return Ok(Outcome::Usage);
    }
    match db.read().search(&words, args.limit) {
        Err(why) => return console.fail(why),
        Ok(rows) if args.json => {
            matches::as_json_lines(console, &rows)?;
        }
        Ok(rows) => {
            matches::list(console, &loaded, &rows)?;
        }
    }
    if !args.all {
        return Ok(Outcome::Success);
    }
    match unmatched(db.read(), &words, args.limit).and_then(|found| db.unchanged().map(|()| found)) {
        Err(why) => console.fail(why),
        Ok(found) if args.json => {
            for (id, title, link) in found {
                let line = serde_json::json!({ "id": id, "title": title, "link": link, "level": null });
                writeln!(console.out, "{line}")?;
            }
            console.out.flush()?;
            Ok(Outcome::Success)
        }
        Ok(found) => {
            let rows: Vec<Vec<String>> = found
                .into_iter()
                .map(|(id, title, link)| vec![id.to_string(), table::short(&title, 90), link])
                .collect();
            writeln!(console.out, "\nnot flagged:")?;
            table::print(&mut console.out, &["ID", "TITLE", "LINK"], &rows)?;
            console.out.flush()?;
            Ok(Outcome::Success)
        }
    }
}

/// Scans the compressed texts: slow, but they are many and rarely asked for.
fn unmatched(tx: Tx<'_>, words: &[&str], limit: u32) -> Result<Vec<(i64, String, String)>, StoreError> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    tx.each_text(Timestamp::UNIX_EPOCH, |id, _, text| {
        if found.len() < limit && tx.match_of(id)?.is_none() {
            let all = format!("{}\n{}", text.title, text.summary).to_lowercase();
            if words.iter().all(|word| all.contains(word.as_str())) {
                found.push((id, text.title, text.link));
            }
        }
        Ok(())
    })?;
    Ok(found)
}
