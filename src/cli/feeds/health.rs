//! `feeds list`: how each feed fares.

use std::io;
use std::io::Write;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::status::ago;
use crate::cli::table;
use crate::or_end;
use crate::store::FeedRow;
use crate::time::{Clock, SystemClock};

/// Prints the table, or JSON Lines.
pub(super) fn list(json: bool, console: &mut Console) -> io::Result<Outcome> {
    let loaded = or_end!(console.load()?);
    let rows = match or_end!(console.reader(&loaded)?) {
        None => Vec::new(),
        Some(db) => match db.read().feeds(true) {
            Ok(rows) => rows,
            Err(why) => return console.fail(why),
        },
    };
    if rows.is_empty() {
        writeln!(console.err, "no feed was polled yet; {} are configured", loaded.config.feeds.len())?;
    }
    if json {
        rows.iter().try_for_each(|row| writeln!(console.out, "{}", value(row)))?;
        return Ok(Outcome::Success);
    }
    let now = SystemClock.now();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let share = row.not_modified.saturating_mul(100).checked_div(row.polls).unwrap_or(0);
            let state = match (&row.failure, row.last_ok_at) {
                (Some(why), _) => format!("{} failures: {why}", row.failures),
                (None, None) => "not polled yet".to_owned(),
                (None, Some(_)) if row.gap_at.is_some_and(|at| now.duration_since(at).as_hours() < 24) => {
                    "entries may have been missed".to_owned()
                }
                (None, Some(_)) => "ok".to_owned(),
            };
            vec![
                table::short(&row.name, 30),
                row.last_ok_at.map_or("never".to_owned(), |at| ago(now, at)),
                ago(now, row.next_poll_at),
                format!("{share} %"),
                row.entries.to_string(),
                state,
                row.next_why.clone(),
            ]
        })
        .collect();
    table::print(
        &mut console.out,
        &["FEED", "LAST OK", "NEXT", "304", "ENTRIES", "STATE", "NEXT POLL BECAUSE"],
        &cells,
    )?;
    Ok(Outcome::Success)
}

fn value(row: &FeedRow) -> serde_json::Value {
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    let list = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap_or_default();
    serde_json::json!({
        "name": row.name, "url": row.url, "moved_url": row.moved_url, "title": row.title,
        "last_ok_at": time(row.last_ok_at), "last_poll_at": time(row.last_poll_at), "last_new_at": time(row.last_new_at),
        "next_poll_at": row.next_poll_at.to_string(), "next_why": row.next_why, "polls": row.polls,
        "not_modified": row.not_modified, "failures": row.failures, "failing_since": time(row.failing_since),
        "failure": row.failure, "failure_kind": row.failure_kind, "last_status": row.last_status,
        "entries": row.entries, "flaws": list(&row.flaws), "gaps": row.gaps, "gap_at": time(row.gap_at),
    })
}
