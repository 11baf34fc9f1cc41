//! `matches`: the archive of flagged articles.

use std::io;
use std::io::Write;

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::table;
use crate::config::load::Loaded;
use crate::news::story::Evidence;
use crate::news::text;
use crate::or_end;
use crate::store::{Label, MatchRow, StoreError, Tx};
use crate::time::{Clock, SystemClock};

/// Arguments of `matches`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List flagged articles, the newest first
    List {
        /// Only of this topic or rule
        #[arg(long, value_name = "TOPIC|RULE")]
        rule: Option<String>,
        /// Only flagged within this time, such as 7d
        #[arg(long, value_name = "AGE")]
        since: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one in full: why it was flagged, its story, its earlier wordings
    Show {
        /// Its number
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Judge an article, flagged or not, for `rules eval --labels`
    Label {
        /// Its number
        id: i64,
        /// Whether it is on the subject
        verdict: Verdict,
        /// Why
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Write flagged articles to stdout
    Export {
        /// In which form
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        /// Only of this topic or rule
        #[arg(long, value_name = "TOPIC|RULE")]
        rule: Option<String>,
        /// Only flagged within this time, such as 90d
        #[arg(long, value_name = "AGE")]
        since: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Verdict {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
    Atom,
}

/// Runs the command.
pub fn run(args: &Args, console: &mut Console) -> io::Result<Outcome> {
    let loaded = or_end!(console.load()?);
    match &args.command {
        Command::List { rule, since, limit, json } => {
            let rows = or_end!(rows(console, &loaded, rule.as_deref(), since.as_deref(), *limit)?);
            if *json { as_json_lines(console, &rows) } else { list(console, &loaded, &rows) }
        }
        Command::Show { id, json } => show(console, &loaded, *id, *json),
        Command::Label { id, verdict, note } => label(console, &loaded, *id, *verdict, note),
        Command::Export { format, rule, since } => {
            let rows = or_end!(rows(console, &loaded, rule.as_deref(), since.as_deref(), u32::MAX)?);
            match format {
                Format::Jsonl => as_json_lines(console, &rows),
                Format::Csv => as_csv(console, &rows),
                Format::Atom => as_atom(console, &rows),
            }
        }
    }
}

fn rows(
    console: &mut Console,
    loaded: &Loaded,
    rule: Option<&str>,
    since: Option<&str>,
    limit: u32,
) -> io::Result<Result<Vec<MatchRow>, Outcome>> {
    let since = match since.map(age).transpose() {
        Ok(since) => since,
        Err(why) => {
            writeln!(console.err, "error: --since: {why}")?;
            return Ok(Err(Outcome::Usage));
        }
    };
    let db = match console.reader(loaded)? {
        Ok(Some(db)) => db,
        Ok(None) => return Ok(Ok(Vec::new())),
        Err(outcome) => return Ok(Err(outcome)),
    };
    match db.read().matches(since, rule, limit).and_then(|rows| db.unchanged().map(|()| rows)) {
        Ok(rows) => {
            if let Some(name) = rule.filter(|name| rows.is_empty() && !is_known(loaded, name)) {
                // A rule that is gone may have left matches, so an empty answer is what makes it a mistake.
                let why =
                    format!("no rule or topic is called \"{name}\"; `burdenwatch rules list` shows them");
                return Ok(Err(console.fail(why)?));
            }
            Ok(Ok(rows))
        }
        Err(why) => Ok(Err(console.fail(why)?)),
    }
}

fn is_known(loaded: &Loaded, name: &str) -> bool {
    let mut rules = loaded.rules.rules().iter();
    rules.any(|rule| rule.id == name || rule.topic == name || rule.was.iter().any(|was| was == name))
}

/// The instant so long ago, from `7d` or `36h`.
pub(crate) fn age(text: &str) -> Result<Timestamp, String> {
    let span =
        crate::config::unit::duration(text).map_err(|wrong| format!("{}; {}", wrong.what, wrong.hint))?;
    let span = jiff::SignedDuration::try_from(span).map_err(|why| why.to_string())?;
    SystemClock.now().checked_sub(span).map_err(|why| why.to_string())
}

/// Prints matches as a table; also used by `search`.
pub(crate) fn list(console: &mut Console, loaded: &Loaded, rows: &[MatchRow]) -> io::Result<Outcome> {
    let zone = &loaded.config.service.time_zone;
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.article_id.to_string(),
                row.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
                row.level.name().to_owned(),
                row.score.to_string(),
                table::short(&row.source, 24),
                table::short(&row.title, 78),
            ]
        })
        .collect();
    table::print(&mut console.out, &["ID", "FLAGGED", "LEVEL", "SCORE", "SOURCE", "TITLE"], &cells)?;
    console.out.flush()?;
    Ok(Outcome::Success)
}

fn value(row: &MatchRow) -> Value {
    json!({
        "id": row.article_id, "title": row.title, "link": row.link, "source": row.source, "lang": row.lang,
        "level": row.level.name(), "score": row.score, "disposition": row.disposition, "story": row.story_id,
        "published": row.published_at.map(|at| at.to_string()), "first_seen": row.seen_at.to_string(),
        "flagged": row.at.to_string(),
    })
}

/// Prints matches as JSON Lines; also used by `search`.
pub(crate) fn as_json_lines(console: &mut Console, rows: &[MatchRow]) -> io::Result<Outcome> {
    rows.iter().try_for_each(|row| writeln!(console.out, "{}", value(row)))?;
    console.out.flush()?;
    Ok(Outcome::Success)
}

/// RFC 4180; a cell that a spreadsheet would run as a formula gets an apostrophe.
fn as_csv(console: &mut Console, rows: &[MatchRow]) -> io::Result<Outcome> {
    let cell = |text: &str| {
        let text = text::safe(text);
        let formula = text.starts_with(['=', '+', '-', '@']);
        format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
    };
    let out = &mut console.out;
    write!(out, "id,flagged,first_seen,published,level,score,story,source,lang,title,link\r\n")?;
    for row in rows {
        let published = row.published_at.map(|at| at.to_string()).unwrap_or_default();
        let story = row.story_id.map(|id| id.to_string()).unwrap_or_default();
        write!(
            out,
            "{},{},{},{published},{},{},{story},{},{},{},{}\r\n",
            row.article_id,
            row.at,
            row.seen_at,
            row.level.name(),
            row.score,
            cell(&row.source),
            cell(row.lang.as_deref().unwrap_or_default()),
            cell(&row.title),
            cell(row.link.as_deref().unwrap_or_default()),
        )?;
    }
    out.flush()?;
    Ok(Outcome::Success)
}

/// RFC 4287.
fn as_atom(console: &mut Console, rows: &[MatchRow]) -> io::Result<Outcome> {
    let xml = |text: &str| quick_xml::escape::escape(text::safe(text)).into_owned();
    let newest = rows.first().map_or(Timestamp::UNIX_EPOCH, |row| row.at);
    let out = &mut console.out;
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">"
    )?;
    writeln!(out, "<title>burdenwatch</title><id>urn:burdenwatch:matches</id><updated>{newest}</updated>")?;
    for row in rows {
        writeln!(
            out,
            "<entry><id>urn:burdenwatch:match:{}</id><title>{}</title><updated>{}</updated><author><name>{}</name></author>",
            row.article_id,
            xml(&row.title),
            row.at,
            xml(&row.source)
        )?;
        if let Some(link) = &row.link {
            writeln!(out, "<link href=\"{}\"/>", xml(link))?;
        }
        writeln!(out, "</entry>")?;
    }
    writeln!(out, "</feed>")?;
    out.flush()?;
    Ok(Outcome::Success)
}

fn show(console: &mut Console, loaded: &Loaded, id: i64, json: bool) -> io::Result<Outcome> {
    let db = or_end!(console.archive(loaded)?);
    match gather(db.read(), id) {
        Ok(None) => console
            .fail(format!("no flagged article has the number {id}; `burdenwatch matches list` shows them")),
        Ok(Some(found)) if json => console.json(&found.json()),
        Ok(Some(found)) => {
            found.print(&mut console.out, &loaded.config.service.time_zone)?;
            console.out.flush()?;
            Ok(Outcome::Success)
        }
        Err(why) => console.fail(why),
    }
}

struct Found {
    row: MatchRow,
    text: crate::store::NewText,
    rules: Vec<crate::store::RuleRow>,
    /// The other members of its story: number, title, source, evidence.
    members: Vec<(i64, String, String, Option<String>)>,
    outlets: Vec<(String, Option<String>)>,
    revisions: Vec<(Timestamp, String, Option<String>)>,
}

fn gather(tx: Tx<'_>, id: i64) -> Result<Option<Found>, StoreError> {
    let (Some(row), Some(text)) = (tx.match_of(id)?, tx.text(id)?) else { return Ok(None) };
    let mut members = Vec::new();
    for member in row.story_id.map(|story| tx.members(story)).transpose()?.unwrap_or_default() {
        let text = tx.text(member.article_id)?.unwrap_or_default();
        let evidence =
            member.evidence.as_deref().and_then(|json| serde_json::from_str::<Evidence>(json).ok());
        members.push((
            member.article_id,
            text.title,
            text.source,
            evidence.map(|evidence| evidence.to_string()),
        ));
    }
    Ok(Some(Found {
        rules: tx.rules_of(id)?,
        outlets: tx.appearances(id)?,
        revisions: tx.revisions(id)?,
        members,
        row,
        text,
    }))
}

impl Found {
    fn json(&self) -> Value {
        let mut value = value(&self.row);
        if let Some(object) = value.as_object_mut() {
            object.insert("summary".to_owned(), json!(self.text.summary));
            object.insert("authors".to_owned(), json!(self.text.authors));
            object.insert("wire".to_owned(), json!(self.text.wire));
            object.insert(
                "rules".to_owned(),
                json!(self.rules.iter().map(|row| &row.matched).collect::<Vec<_>>()),
            );
            object.insert("outlets".to_owned(), json!(self.outlets));
            let members = self.members.iter().map(|(id, title, source, evidence)| {
                json!({ "id": id, "title": title, "source": source, "evidence": evidence })
            });
            object.insert("members".to_owned(), members.collect());
            let revisions = self.revisions.iter().map(
                |(at, title, changed)| json!({ "until": at.to_string(), "title": title, "changed": changed }),
            );
            object.insert("revisions".to_owned(), revisions.collect());
        }
        value
    }

    fn print(&self, out: &mut dyn Write, zone: &jiff::tz::TimeZone) -> io::Result<()> {
        let safe = |text: &str| text::safe(text).replace('\n', " ");
        let time = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
        let row = &self.row;
        writeln!(out, "{}\n", safe(&row.title))?;
        writeln!(out, "number     {} ({}, {})", row.article_id, row.level.name(), row.disposition)?;
        writeln!(
            out,
            "source     {}{}",
            safe(&row.source),
            self.text.wire.as_deref().map(|wire| format!(" ({wire})")).unwrap_or_default()
        )?;
        if let Some(link) = &row.link {
            writeln!(out, "link       {}", safe(link))?;
        }
        writeln!(out, "published  {}", row.published_at.map_or("not said".to_owned(), time))?;
        writeln!(out, "first seen {}", time(row.seen_at))?;
        writeln!(out, "\n{}\n", safe(&self.text.summary))?;
        for rule in &self.rules {
            let one = &rule.matched;
            let vetoed = one.vetoed_by.as_deref().map(|by| format!(", vetoed by {by}")).unwrap_or_default();
            writeln!(out, "rule {} ({}), score {}{vetoed}: {}", one.id, one.topic, one.score, one.branch)?;
            for hit in &one.hits {
                writeln!(
                    out,
                    "  {:?} {}..{} \"{}\" ({})",
                    hit.field,
                    hit.start,
                    hit.end,
                    safe(&hit.text),
                    hit.set
                )?;
            }
        }
        for (name, link) in &self.outlets {
            writeln!(out, "carried by {} {}", safe(name), link.as_deref().map(safe).unwrap_or_default())?;
        }
        if let Some(story) = row.story_id {
            writeln!(out, "\nstory {story}, {} articles", self.members.len())?;
            for (id, title, source, evidence) in &self.members {
                let why = evidence.as_deref().unwrap_or("the first");
                writeln!(out, "  {id} {} ({}): {why}", safe(title), safe(source))?;
            }
        }
        for (at, title, changed) in &self.revisions {
            let changed = changed.as_deref().map(|changed| format!("; then {changed}")).unwrap_or_default();
            writeln!(out, "until {} it read: {}{changed}", time(*at), safe(title))?;
        }
        Ok(())
    }
}

fn label(
    console: &mut Console,
    loaded: &Loaded,
    id: i64,
    verdict: Verdict,
    note: &str,
) -> io::Result<Outcome> {
    let mut db = or_end!(console.writer(loaded)?);
    let label = Label { article_id: id, relevant: matches!(verdict, Verdict::Yes), note: note.to_owned() };
    let now = SystemClock.now();
    let done = db.write(|tx| {
        let known = tx.article(id)?.is_some();
        if known {
            tx.record_label(&label, now)?;
        }
        Ok(known)
    });
    match done {
        Ok(true) => Ok(Outcome::Success),
        Ok(false) => console.fail(format!("no article has the number {id}; `burdenwatch matches list` and `burdenwatch rules sample` show numbers")),
        Err(why) => console.fail(why),
    }
}
