//! `rules check | test | list | eval`: the rule language's workbench.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use crate::cli::check::plural;
use crate::problem::{Problem, Severity, Source};
use crate::rules::compile::Compiled;
use crate::rules::corpus::{Figures, Tally};
use crate::rules::outcome::{Article, Level};
use crate::rules::set::RuleSet;

/// Check rule files: every mistake and every likely mistake.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Rule files instead of the configured ones
    pub files: Vec<PathBuf>,
    /// Fail on warnings too
    #[arg(long)]
    pub strict: bool,
}

/// Run the tests in rule files.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Rule files instead of the configured ones
    pub files: Vec<PathBuf>,
}

/// Measure rules on labelled articles.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Lines of JSON: id, title, summary, body, lang, label
    #[arg(required_unless_present = "labels", value_name = "CORPUS.jsonl")]
    pub corpus: Option<PathBuf>,
    /// Use the articles labelled with `matches label` instead
    #[arg(long, conflicts_with = "corpus")]
    pub labels: bool,
    /// Fail below these figures, for example precision=0.95,recall=0.9
    #[arg(long, value_parser = floor, value_name = "FIGURES")]
    pub floor: Option<Floor>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The least figures that are good enough.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Floor {
    precision: f64,
    recall: f64,
    f1: f64,
    f05: f64,
}

fn floor(text: &str) -> Result<Floor, String> {
    let mut floor = Floor::default();
    for part in text.split(',').map(str::trim) {
        let (name, figure) = part.split_once('=').ok_or(format!("`{part}`: write precision=0.95"))?;
        let slot = match name.trim() {
            "precision" => &mut floor.precision,
            "recall" => &mut floor.recall,
            "f1" => &mut floor.f1,
            "f05" => &mut floor.f05,
            _ => return Err(format!("`{name}` is none of precision, recall, f1, f05")),
        };
        *slot = figure
            .trim()
            .parse()
            .ok()
            .filter(|f| (0.0..=1.0).contains(f))
            .ok_or(format!("`{figure}` is not a number from 0 to 1"))?;
    }
    Ok(floor)
}

impl Floor {
    fn lacks(&self, tally: &Tally) -> Vec<String> {
        let figures = [
            ("precision", tally.precision(), self.precision),
            ("recall", tally.recall(), self.recall),
            ("f1", tally.f(1.0), self.f1),
            ("f05", tally.f(0.5), self.f05),
        ];
        let below = figures.into_iter().filter(|(_, reached, wanted)| reached < wanted);
        below.map(|(name, reached, wanted)| format!("{name} {reached:.4} is below {wanted}")).collect()
    }
}

/// Reads rule files; those that cannot be read become problems.
pub fn read(files: &[PathBuf]) -> (Vec<Source>, Vec<Problem>) {
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    for path in files {
        match std::fs::read_to_string(path) {
            Ok(text) => sources.push(Source::new(path, text)),
            Err(error) => problems.push(
                Problem::bare(format!("cannot read the rule file {}: {error}", path.display()))
                    .hint("check the path and its permissions"),
            ),
        }
    }
    (sources, problems)
}

/// Prints every finding; returns whether the rules can be used (with `strict`: have no finding at all).
pub fn check(sources: &[Source], strict: bool, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    let Compiled { set, mut problems } = RuleSet::compile(sources);
    problems.extend(set.iter().flat_map(RuleSet::failures));
    for problem in &problems {
        writeln!(err, "{problem}")?;
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    if let Some(set) = &set {
        let patterns = set.pattern_count();
        let (rules, tests, hash) =
            (set.rules().len(), set.test_count(), set.hash().chars().take(12).collect::<String>());
        writeln!(out, "{rules} rules, {patterns} patterns, {tests} tests, set {hash}")?;
    }
    writeln!(out, "{}, {}", plural(errors, "error"), plural(warnings, "warning"))?;
    Ok(errors == 0 && !(strict && warnings > 0))
}

/// Runs the tests and prints what failed; returns whether all passed.
pub fn test(set: &RuleSet, out: &mut dyn Write) -> io::Result<bool> {
    let reports = set.test();
    let failed = reports.iter().filter(|report| !report.passed()).count();
    for report in &reports {
        writeln!(out, "{} {}", if report.passed() { "ok    " } else { "FAILED" }, report.name)?;
    }
    for problem in reports.iter().filter_map(|report| report.problem.as_ref()) {
        writeln!(out, "\n{problem}")?;
    }
    writeln!(out, "\n{} passed, {failed} failed", reports.len() - failed)?;
    Ok(failed == 0)
}

/// Prints the rules as a table; `hits` tells a rule's recent matches, where they are known.
pub fn list(
    set: &RuleSet,
    hits: &dyn Fn(&str) -> Option<u64>,
    json: bool,
    out: &mut dyn Write,
) -> io::Result<bool> {
    if json {
        let rows: Vec<_> = set
            .rules()
            .iter()
            .map(|rule| {
                serde_json::json!({"id": rule.id, "title": rule.title, "topic": rule.topic, "level": rule.level,
                    "alert_when": rule.alert_when, "status": rule.status, "owner": rule.owner, "tags": rule.tags, "hits": hits(&rule.id)})
            })
            .collect();
        writeln!(out, "{}", serde_json::Value::from(rows))?;
        return Ok(true);
    }
    let width = |of: &dyn Fn(&crate::rules::set::RuleInfo) -> usize| {
        set.rules().iter().map(of).max().unwrap_or(4).max(4)
    };
    let (ids, topics) = (width(&|rule| rule.id.len()), width(&|rule| rule.topic.len()));
    writeln!(out, "{:ids$}  {:topics$}  level   status        hits  title", "rule", "topic")?;
    for rule in set.rules() {
        let level = match rule.level {
            Level::Digest if rule.alert_when.is_some() => "either",
            level => level.name(),
        };
        let hits = hits(&rule.id).map_or_else(|| "-".to_owned(), |hits| hits.to_string());
        let (id, topic, status) = (&rule.id, &rule.topic, rule.status);
        writeln!(out, "{id:ids$}  {topic:topics$}  {level:6}  {status:12}  {hits:>4}  {}", rule.title)?;
    }
    Ok(true)
}

/// One line of a corpus.
#[derive(Debug, Deserialize)]
struct Labelled {
    id: serde_json::Value,
    #[serde(default)]
    title: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    lang: String,
    label: serde_json::Value,
}

/// How texts of a corpus are cleaned: as a feed's are.
#[derive(Debug, Clone, Copy)]
pub struct Clean {
    /// Makes a headline of what a feed wrote.
    pub title: fn(&str) -> String,
    /// Makes plain text of what a feed wrote.
    pub text: fn(&str) -> String,
}

/// Measures rules on a corpus, named for complaints; returns false below the floor or when a line cannot be read.
#[expect(clippy::too_many_arguments, reason = "what is measured, and where everything goes")]
pub fn eval(
    set: &RuleSet,
    args: &EvalArgs,
    corpus: &mut dyn BufRead,
    path: &str,
    clean: Clean,
    progress: &mut dyn FnMut(u64),
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<bool> {
    let mut figures = Figures::new(set);
    let (mut readable, mut judged) = (true, 0_u64);
    for (line, number) in corpus.lines().zip(1_u64..) {
        let line = line.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot read the corpus {path}: {error}"))
        })?;
        if line.trim().is_empty() {
            continue;
        }
        let labelled = serde_json::from_str::<Labelled>(line.trim_start_matches('\u{feff}'));
        let labelled = labelled.map_err(|error| error.to_string()).and_then(|labelled| {
            let label = relevant(&labelled.label).ok_or("`label` is neither 1 nor 0".to_owned())?;
            Ok((labelled, label))
        });
        match labelled {
            Ok((labelled, relevant)) => {
                judge(&mut figures, set, &labelled, relevant, clean);
                judged += 1;
            }
            Err(error) => {
                readable = false;
                writeln!(
                    err,
                    "error: {path}:{number}: {error}\nhint: a line is {{\"id\", \"title\", \"lang\", \"label\": 1 or 0}}"
                )?;
            }
        }
        progress(number);
    }
    if readable && judged == 0 {
        writeln!(err, "error: there is no labelled article in {path}, so there is nothing to measure")?;
        return Ok(false);
    }
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string(&figures)?)?,
        false => print(&figures, out)?,
    }
    let lacks = args.floor.map(|floor| floor.lacks(&figures.overall)).unwrap_or_default();
    for lack in &lacks {
        writeln!(err, "error: {lack}")?;
    }
    Ok(readable && lacks.is_empty())
}

fn relevant(label: &serde_json::Value) -> Option<bool> {
    match label {
        serde_json::Value::Bool(label) => Some(*label),
        label => match label.as_f64()? {
            1.0 => Some(true),
            0.0 => Some(false),
            _ => None,
        },
    }
}

fn judge(figures: &mut Figures, set: &RuleSet, labelled: &Labelled, relevant: bool, clean: Clean) {
    let (title, summary) = ((clean.title)(&labelled.title), (clean.text)(&labelled.summary));
    let body = (clean.text)(&labelled.body);
    let Labelled { id, url, source, lang, .. } = labelled;
    let article = Article { title: &title, summary: &summary, body: &body, url, source, lang };
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    figures.judge(set, &id, &article, relevant);
}

fn print(figures: &Figures, out: &mut dyn Write) -> io::Result<()> {
    let names = figures.by_lang.keys().chain(figures.by_rule.keys());
    let width = names.map(|name| name.len()).max().unwrap_or(0).max(7);
    writeln!(
        out,
        "{:width$}  {:>5} {:>5} {:>5} {:>5}   {:6}  {:6}  {:6}  F0.5",
        "", "tp", "fp", "fn", "tn", "prec.", "recall", "F1"
    )?;
    let mut row = |name: &str, tally: &Tally| {
        let Tally { tp, fp, fn_, tn } = tally;
        let (p, r, f1, f05) = (tally.precision(), tally.recall(), tally.f(1.0), tally.f(0.5));
        writeln!(out, "{name:width$}  {tp:>5} {fp:>5} {fn_:>5} {tn:>5}   {p:.4}  {r:.4}  {f1:.4}  {f05:.4}")
    };
    row("overall", &figures.overall)?;
    figures.by_lang.iter().try_for_each(|(name, tally)| row(name, tally))?;
    figures.by_rule.iter().try_for_each(|(name, tally)| row(name, tally))?;
    for wrong in &figures.errors {
        let kind = if wrong.label == 1 { "missed" } else { "false alarm" };
        writeln!(out, "\n{kind} {}: {}", wrong.id, wrong.note)?;
    }
    Ok(())
}
