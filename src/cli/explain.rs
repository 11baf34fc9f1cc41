//! `explain`: why an article matched, or how near it came.

use std::io::{self, Write};

use clap::Args;
use serde_json::json;

use crate::news::text;
use crate::rules::outcome::{Article, Match};
use crate::rules::set::RuleSet;
use crate::rules::why::sentence;

/// Say which rules an article matches and why, or how near it comes.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A feed or text file, `-` for standard input, an address to fetch, or `#ID` of a stored article (quoted)
    #[arg(value_name = "FILE|-|URL|#ID", required_unless_present_any = ["title", "summary"])]
    pub article: Option<String>,
    /// A headline instead of a file
    #[arg(long, conflicts_with = "article")]
    pub title: Option<String>,
    /// A summary to go with it
    #[arg(long, conflicts_with = "article")]
    pub summary: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The JSON form of an explanation.
pub fn json(set: &RuleSet, article: &Article<'_>) -> serde_json::Value {
    let matches = set.evaluate(article);
    let counting = matches.iter().filter(|found| found.counts());
    let score = counting.clone().map(|found| found.score).max().unwrap_or(0);
    let rules: Vec<_> = matches
        .iter()
        .map(|found| {
            json!({"id": found.id, "level": found.level, "score": found.score, "branch": found.branch,
                "vetoed_by": found.vetoed_by, "hits": found.hits})
        })
        .collect();
    json!({"matched": counting.count() > 0, "score": score, "rules": rules})
}

/// How hits are marked for a person.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// Before a hit.
    pub open: &'static str,
    /// After a hit.
    pub close: &'static str,
}

impl Marks {
    /// Bold on a terminal, brackets elsewhere.
    pub fn new(color: bool) -> Self {
        if color { Self { open: "\u{1b}[1m", close: "\u{1b}[0m" } } else { Self { open: "[", close: "]" } }
    }
}

/// Explains one article; returns whether it matched.
pub fn explain(
    set: &RuleSet,
    article: &Article<'_>,
    as_json: bool,
    marks: Marks,
    out: &mut dyn Write,
) -> io::Result<bool> {
    if as_json {
        let value = json(set, article);
        writeln!(out, "{value}")?;
        return Ok(value.get("matched").and_then(serde_json::Value::as_bool).unwrap_or_default());
    }
    let matches = set.evaluate(article);
    for found in &matches {
        write_match(set, article, found, marks, out)?;
    }
    let matched = matches.iter().any(Match::counts);
    if !matched {
        writeln!(out, "no rule matches")?;
        for near in set.near_misses(article, 3) {
            writeln!(out, "\n{} (score {})\n  lacks: {}", near.rule, near.score, near.lacking)?;
            let found: Vec<String> = near
                .hits
                .iter()
                .map(|hit| format!("{} {}{}{}", hit.set, marks.open, text::safe(&hit.text), marks.close))
                .collect();
            writeln!(out, "  found: {}", found.join(", "))?;
        }
    }
    Ok(matched)
}

fn write_match(
    set: &RuleSet,
    article: &Article<'_>,
    found: &Match,
    marks: Marks,
    out: &mut dyn Write,
) -> io::Result<()> {
    let level = serde_json::to_value(found.level).unwrap_or_default();
    writeln!(
        out,
        "{}: {} ({}, score {})",
        found.id,
        found.title,
        level.as_str().unwrap_or_default(),
        found.score
    )?;
    if let Some(veto) = &found.vetoed_by {
        writeln!(out, "  vetoed by: {veto}")?;
    }
    let shown: String = sentence(article, &found.hits, 240)
        .into_iter()
        .map(|(piece, is_hit)| (text::safe(&piece), is_hit))
        .map(|(piece, is_hit)| if is_hit { format!("{}{piece}{}", marks.open, marks.close) } else { piece })
        .collect();
    writeln!(out, "  why:   {shown}\n  when:  {}", found.branch)?;
    for part in set.points(article, &found.id) {
        let field = serde_json::to_value(part.field).unwrap_or_default();
        let (set, times, points) = (&part.set, part.times, part.points);
        writeln!(out, "  {points:>5}  {set} x {times} in {}", field.as_str().unwrap_or_default())?;
    }
    for hit in &found.hits {
        let field = serde_json::to_value(hit.field).unwrap_or_default();
        let (set, pattern, start, end) = (&hit.set, &hit.pattern, hit.start, hit.end);
        let text = text::safe(&hit.text);
        writeln!(
            out,
            "  hit:   {set} `{pattern}` at {}[{start}..{end}] \"{text}\"",
            field.as_str().unwrap_or_default()
        )?;
    }
    writeln!(out)
}
