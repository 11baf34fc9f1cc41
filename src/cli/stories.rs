//! `burdenwatch stories eval`: precision and recall of the grouping on labelled pairs.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cli::Outcome;
use crate::news::story::{Text, compare, print};

/// Measure how articles are grouped into stories
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with stories.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Measure the grouping on labelled pairs of articles
    Eval(Eval),
}

/// Arguments of `stories eval`.
#[derive(Debug, Clone, clap::Args)]
pub struct Eval {
    /// Pairs, one JSON object a line: id, a, b, label "copy" or "other"
    #[arg(value_name = "PAIRS.jsonl")]
    pub pairs: PathBuf,
    /// Fail below these figures, as in precision=0.90,recall=0.80
    #[arg(long, value_parser = floor)]
    pub floor: Option<Floor>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The least figures that pass.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Floor {
    /// Least precision.
    pub precision: f64,
    /// Least recall.
    pub recall: f64,
}

fn floor(text: &str) -> Result<Floor, String> {
    let mut floor = Floor::default();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| format!("\"{part}\" is not NAME=FIGURE, as in precision=0.90"))?;
        let value: f64 =
            value.trim().parse().map_err(|_| format!("\"{value}\" is not a figure between 0 and 1"))?;
        if !(0.0..=1.0).contains(&value) {
            return Err(format!("\"{value}\" is not a figure between 0 and 1"));
        }
        match name.trim() {
            "precision" => floor.precision = value,
            "recall" => floor.recall = value,
            other => return Err(format!("\"{other}\" is neither precision nor recall")),
        }
    }
    Ok(floor)
}

#[derive(Debug, Deserialize)]
struct Pair {
    id: serde_json::Value,
    a: Side,
    b: Side,
    label: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Side {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    lang: Option<String>,
}

/// What was measured.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Copies that were grouped.
    pub tp: u32,
    /// Others that were grouped.
    pub fp: u32,
    /// Copies that were not grouped.
    #[serde(rename = "fn")]
    pub missed: u32,
    /// Others that were not grouped.
    pub tn: u32,
    /// Share of the grouped pairs that are copies; 1 when none was grouped.
    pub precision: f64,
    /// Share of the copies that were grouped; 1 when there are none.
    pub recall: f64,
    /// Every pair that was judged wrongly.
    pub errors: Vec<Wrong>,
}

/// A pair that was judged wrongly.
#[derive(Debug, Clone, Serialize)]
pub struct Wrong {
    /// The pair.
    pub id: String,
    /// What it is.
    pub label: &'static str,
    /// What was decided.
    pub grouped: bool,
    /// Why.
    pub evidence: String,
}

/// Runs a command; `clean` turns a feed's markup into plain text.
///
/// # Errors
/// When `out` or `err` cannot be written to.
pub fn run(
    args: &Args,
    clean: fn(&str) -> String,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let Command::Eval(args) = &args.command;
    let report = match read(&args.pairs).and_then(|text| measure(&text, clean)) {
        Ok(report) => report,
        Err(why) => {
            writeln!(err, "error: cannot measure {}: {why}", args.pairs.display())?;
            return Ok(Outcome::Failure);
        }
    };
    if args.json {
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        show(&report, out)?;
    }
    let floor = args.floor.unwrap_or_default();
    if report.precision < floor.precision || report.recall < floor.recall {
        writeln!(
            err,
            "below the floor: precision {:.3} (least {:.3}), recall {:.3} (least {:.3})",
            report.precision, floor.precision, report.recall, floor.recall
        )?;
        return Ok(Outcome::Failure);
    }
    Ok(Outcome::Success)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{e}; name a readable file of JSON lines"))
}

/// Measures the grouping on labelled pairs, one JSON object a line.
///
/// # Errors
/// A line that is no labelled pair, with its number.
pub fn measure(lines: &str, clean: fn(&str) -> String) -> Result<Report, String> {
    let mut report = Report::default();
    for (number, line) in lines.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let at = |why: String| format!("line {}: {why}", number + 1);
        let pair: Pair =
            serde_json::from_str(line.trim_start_matches('\u{feff}')).map_err(|e| at(e.to_string()))?;
        let copy = label(&pair.label)
            .ok_or_else(|| at(format!("label {} is neither \"copy\" nor \"other\"", pair.label)))?;
        // a side without a time is taken to be of the other's
        let times = (time(&pair.a), time(&pair.b));
        let (a, b) = (times.0.or(times.1).unwrap_or_default(), times.1.or(times.0).unwrap_or_default());
        let verdict = compare(&side(&pair.a, a, clean), &side(&pair.b, b, clean));
        *match (copy, verdict.copy) {
            (true, true) => &mut report.tp,
            (true, false) => &mut report.missed,
            (false, true) => &mut report.fp,
            (false, false) => &mut report.tn,
        } += 1;
        if copy != verdict.copy {
            let id = pair.id.as_str().map_or_else(|| pair.id.to_string(), str::to_owned);
            let label = if copy { "copy" } else { "other" };
            report.errors.push(Wrong {
                id,
                label,
                grouped: verdict.copy,
                evidence: verdict.evidence.to_string(),
            });
        }
    }
    report.precision = share(report.tp, report.fp);
    report.recall = share(report.tp, report.missed);
    Ok(report)
}

fn label(value: &serde_json::Value) -> Option<bool> {
    match (value.as_str(), value.as_u64()) {
        (Some("copy"), _) | (_, Some(1)) => Some(true),
        (Some("other"), _) | (_, Some(0)) => Some(false),
        _ => None,
    }
}

fn time(side: &Side) -> Option<Timestamp> {
    side.at.as_deref()?.trim().parse().ok()
}

fn side(side: &Side, at: Timestamp, clean: fn(&str) -> String) -> crate::news::story::Print {
    let text = |t: &Option<String>| clean(t.as_deref().unwrap_or(""));
    let (title, summary) = (text(&side.title), text(&side.summary));
    print(&Text {
        title: &title,
        summary: &summary,
        source: side.source.as_deref().unwrap_or(""),
        lang: side.lang.as_deref().unwrap_or(""),
        at,
    })
}

fn share(hit: u32, wrong: u32) -> f64 {
    if hit + wrong == 0 { 1.0 } else { f64::from(hit) / f64::from(hit + wrong) }
}

fn show(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Report { tp, fp, missed, tn, precision, recall, errors } = report;
    writeln!(
        out,
        "precision {precision:.3}  recall {recall:.3}  ({tp} grouped rightly, {fp} wrongly, {missed} missed, {tn} kept apart)"
    )?;
    for wrong in errors {
        writeln!(
            out,
            "{}  {}  {}",
            wrong.id,
            if wrong.grouped { "grouped wrongly" } else { "missed" },
            wrong.evidence
        )?;
    }
    Ok(())
}
