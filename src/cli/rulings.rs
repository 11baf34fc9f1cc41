//! `rules` and `explain`: which rules, which articles; what is done with them stands in their own files.

use std::io;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use jiff::Timestamp;

use crate::cli::Outcome;
use crate::cli::context::Console;
use crate::cli::explain;
use crate::cli::explain::{ExplainArgs, Marks};
use crate::cli::matches::age;
use crate::cli::rules;
use crate::cli::rules::{CheckArgs, Clean, EvalArgs, TestArgs};
use crate::cli::table;
use crate::cli::web;
use crate::config::load::Loaded;
use crate::news::entry::Context;
use crate::news::parse;
use crate::news::text;
use crate::or_end;
use crate::problem::Source;
use crate::rules::builtin;
use crate::rules::corpus::{Change, backtest};
use crate::rules::set::RuleSet;
use crate::store::{ArchivedText, Db};
use crate::time::{Clock, SystemClock};

/// The largest article read from a file or a pipe.
const LARGEST: u64 = 64 << 20;

/// Arguments of `rules`.
#[derive(Debug, clap::Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look for mistakes and oddities in rule files
    Check(CheckArgs),
    /// Run the tests that stand in the rule files
    Test(TestArgs),
    /// List the rules with their recent hits
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Measure precision and recall on labelled articles
    Eval(EvalArgs),
    /// Say what changed rule files would add, lose and re-rank on the stored articles
    Backtest {
        /// The changed rule files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Only articles seen within this time
        #[arg(long, default_value = "90d", value_name = "AGE")]
        since: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Sample articles that matched nothing for labelling: the nearest ones, and some at random
    Sample {
        /// How many of each
        #[arg(long, default_value_t = 10)]
        count: usize,
        /// Only articles seen within this time
        #[arg(long, default_value = "7d", value_name = "AGE")]
        since: String,
    },
}

/// Runs `rules`.
pub fn rules(args: &RulesArgs, console: &mut Console) -> io::Result<Outcome> {
    let verdict = |well| if well { Outcome::Success } else { Outcome::Failure };
    let outcome = match &args.command {
        Command::Check(args) => {
            let sources = or_end!(sources(console, &args.files)?);
            verdict(rules::check(&sources, args.strict, &mut console.out, &mut console.err)?)
        }
        Command::Test(args) => {
            let sources = or_end!(sources(console, &args.files)?);
            let set = or_end!(compile(console, &sources)?);
            verdict(rules::test(&set, &mut console.out)?)
        }
        Command::List { json } => {
            let (set, loaded) = or_end!(active(console)?);
            let hits = recent_hits(loaded.as_ref());
            let count = |rule: &str| {
                let hits = hits.as_ref()?;
                Some(hits.iter().find(|(id, _)| id == rule).map_or(0, |(_, count)| *count))
            };
            verdict(rules::list(&set, &count, *json, &mut console.out)?)
        }
        Command::Eval(args) => verdict(eval(args, console)?),
        Command::Backtest { files, since, json } => try_out(console, files, since, *json)?,
        Command::Sample { count, since } => sample(console, *count, since)?,
    };
    console.out.flush()?;
    Ok(outcome)
}

/// The rule files named, else the configured ones, else the pack compiled in.
fn sources(console: &mut Console, files: &[PathBuf]) -> io::Result<Result<Vec<Source>, Outcome>> {
    if !files.is_empty() {
        let (sources, problems) = rules::read(files);
        console.complain(&problems)?;
        return Ok(if problems.is_empty() { Ok(sources) } else { Err(Outcome::Failure) });
    }
    if !console.has_config() {
        note_builtin(console)?;
        return Ok(Ok(builtin::sources()));
    }
    // Mistakes in the rules are what is asked about: they must not end the call here.
    let path = console.config_path().to_owned();
    match crate::config::load::rule_sources(&path) {
        Ok(sources) if sources.is_empty() => {
            note_builtin(console)?;
            Ok(Ok(builtin::sources()))
        }
        Ok(sources) => Ok(Ok(sources)),
        Err(problems) => {
            console.complain(&problems)?;
            Ok(Err(Outcome::BadConfig))
        }
    }
}

fn note_builtin(console: &mut Console) -> io::Result<()> {
    writeln!(console.err, "no rule files are configured: using the rule pack compiled into burdenwatch")
}

fn compile(console: &mut Console, sources: &[Source]) -> io::Result<Result<RuleSet, Outcome>> {
    let compiled = RuleSet::compile(sources);
    match compiled.set {
        Some(set) => Ok(Ok(set)),
        None => {
            console.complain(&compiled.problems)?;
            Ok(Err(Outcome::Failure))
        }
    }
}

/// A rule set, and the configuration it comes from, where there is one.
type Active = (Arc<RuleSet>, Option<Loaded>);

/// The rule set in force.
fn active(console: &mut Console) -> io::Result<Result<Active, Outcome>> {
    if console.has_config() {
        return Ok(console.load()?.map(|loaded| (Arc::clone(&loaded.rules), Some(loaded))));
    }
    note_builtin(console)?;
    Ok(compile(console, &builtin::sources())?.map(|set| (Arc::new(set), None)))
}

fn recent_hits(loaded: Option<&Loaded>) -> Option<Vec<(String, u64)>> {
    let db = Db::open_reader(&loaded?.config.service.state_dir.join("burdenwatch.db")).ok()??;
    let since = SystemClock.now().checked_sub(jiff::SignedDuration::from_hours(30 * 24)).ok()?;
    db.read().hits_by_rule(since).ok()
}

fn eval(args: &EvalArgs, console: &mut Console) -> io::Result<bool> {
    let (set, loaded) = match active(console)? {
        Ok(active) => active,
        Err(_) => return Ok(false),
    };
    let clean = Clean { title: text::title, text: text::plain };
    let terminal = io::stderr().is_terminal();
    let mut progress = |line: u64| {
        if terminal && line.is_multiple_of(500) {
            drop(write!(io::stderr(), "\r{line} articles"));
        }
    };
    let (mut corpus, name): (Box<dyn BufRead>, String) = match &args.corpus {
        None => match labelled(loaded.as_ref()) {
            Ok(lines) => (Box::new(io::Cursor::new(lines)), "labels".to_owned()),
            Err(why) => return console.fail(why).map(|_| false),
        },
        Some(path) => match std::fs::File::open(path) {
            Ok(file) => (Box::new(BufReader::new(file)), path.display().to_string()),
            Err(why) => {
                return console
                    .fail(format!("cannot read the corpus {}: {why}", path.display()))
                    .map(|_| false);
            }
        },
    };
    rules::eval(&set, args, &mut corpus, &name, clean, &mut progress, &mut console.out, &mut console.err)
}

/// The user's own labels as a corpus.
fn labelled(loaded: Option<&Loaded>) -> Result<Vec<u8>, String> {
    let loaded = loaded.ok_or("labels are in the database of a configuration: name it with --config")?;
    let db = Db::open_reader(&loaded.config.service.state_dir.join("burdenwatch.db"));
    let db = db.map_err(|why| why.to_string())?.ok_or("there is no database yet")?;
    let tx = db.read();
    let mut lines = Vec::new();
    for label in tx.labels().map_err(|why| why.to_string())? {
        let Some(text) = tx.any_text(label.article_id).map_err(|why| why.to_string())? else { continue };
        let line = serde_json::json!({
            "id": label.article_id.to_string(), "title": text.title, "summary": text.summary, "body": text.body,
            "lang": text.lang, "label": u8::from(label.relevant),
        });
        lines.extend_from_slice(line.to_string().as_bytes());
        lines.push(b'\n');
    }
    db.unchanged().map_err(|why| why.to_string())?;
    if lines.is_empty() {
        return Err("nothing is labelled yet: `burdenwatch matches label ID yes|no`".to_owned());
    }
    Ok(lines)
}

/// The archived articles seen since; all in memory, as rule sets borrow them.
fn archived(loaded: &Loaded, since: Timestamp) -> Result<Vec<(i64, ArchivedText)>, String> {
    let db = Db::open_reader(&loaded.config.service.state_dir.join("burdenwatch.db"));
    let db =
        db.map_err(|why| why.to_string())?.ok_or("there is no database yet; `burdenwatch run` makes it")?;
    let mut articles = Vec::new();
    let walked = db.read().each_text(since, |id, _, text| {
        articles.push((id, text));
        Ok(())
    });
    walked.and_then(|()| db.unchanged()).map_err(|why| why.to_string())?;
    Ok(articles)
}

fn try_out(console: &mut Console, files: &[PathBuf], since: &str, json: bool) -> io::Result<Outcome> {
    let Ok(since) = age(since) else {
        writeln!(console.err, "error: --since \"{since}\" is not a time span such as 90d")?;
        return Ok(Outcome::Usage);
    };
    let loaded = or_end!(console.load()?);
    let sources = or_end!(sources(console, files)?);
    let new = or_end!(compile(console, &sources)?);
    let articles = match archived(&loaded, since) {
        Ok(articles) => articles,
        Err(why) => return console.fail(why),
    };
    let labels = Db::open_reader(&loaded.config.service.state_dir.join("burdenwatch.db"))
        .ok()
        .flatten()
        .and_then(|db| db.read().labels().ok())
        .unwrap_or_default();
    let differences =
        backtest(&loaded.rules, &new, articles.iter().map(|(id, text)| (*id, text.as_article())));
    for one in &differences {
        let title =
            articles.iter().find(|(id, _)| *id == one.article).map_or("", |(_, text)| text.title.as_str());
        let label = labels.iter().find(|label| label.article_id == one.article).map(|label| label.relevant);
        if json {
            let mut value = serde_json::to_value(one)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("title".to_owned(), title.into());
                object.insert("label".to_owned(), label.map(u8::from).into());
            }
            writeln!(console.out, "{value}")?;
            continue;
        }
        let what = match &one.change {
            Change::Added { score } => format!("added      score {score}"),
            Change::Lost { score } => format!("lost       score {score}"),
            Change::Reranked { from, to } => format!("re-ranked  score {from} -> {to}"),
        };
        let label =
            label.map_or("", |relevant| if relevant { "  (labelled yes)" } else { "  (labelled no)" });
        writeln!(
            console.out,
            "{what}  {}  #{} {}{label}",
            one.rule,
            one.article,
            table::short(&text::safe(title), 80)
        )?;
    }
    writeln!(console.err, "{} articles, {} differences", articles.len(), differences.len())?;
    Ok(Outcome::Success)
}

fn sample(console: &mut Console, count: usize, since: &str) -> io::Result<Outcome> {
    let Ok(since) = age(since) else {
        writeln!(console.err, "error: --since \"{since}\" is not a time span such as 7d")?;
        return Ok(Outcome::Usage);
    };
    let loaded = or_end!(console.load()?);
    let articles = match archived(&loaded, since) {
        Ok(articles) => articles,
        Err(why) => return console.fail(why),
    };
    let unmatched =
        |text: &ArchivedText| !loaded.rules.evaluate(&text.as_article()).iter().any(|rule| rule.counts());
    let mut rest: Vec<&(i64, ArchivedText)> = articles.iter().filter(|(_, text)| unmatched(text)).collect();
    let mut near: Vec<(i64, i64, String)> = rest
        .iter()
        .filter_map(|(id, text)| {
            let near = loaded.rules.near_misses(&text.as_article(), 1).into_iter().next()?;
            Some((near.score, *id, format!("{} lacked {}", near.rule, near.lacking)))
        })
        .collect();
    near.sort_by_key(|(score, id, _)| (std::cmp::Reverse(*score), *id));
    near.truncate(count);
    let title =
        |id: i64| articles.iter().find(|(one, _)| *one == id).map_or("", |(_, text)| text.title.as_str());
    let mut cells: Vec<Vec<String>> = near
        .iter()
        .map(|(_, id, why)| vec![id.to_string(), table::short(title(*id), 70), why.clone()])
        .collect();
    fastrand::shuffle(&mut rest);
    rest.retain(|(id, _)| !near.iter().any(|(_, shown, _)| shown == id));
    for (id, text) in rest.into_iter().take(count) {
        cells.push(vec![id.to_string(), table::short(&text.title, 70), "at random".to_owned()]);
    }
    table::print(&mut console.out, &["ID", "TITLE", "WHY SHOWN"], &cells)?;
    writeln!(console.err, "judge each with: burdenwatch matches label ID yes|no")?;
    Ok(Outcome::Success)
}

/// Runs `explain`.
pub fn explain(args: &ExplainArgs, console: &mut Console) -> io::Result<Outcome> {
    let (set, loaded) = or_end!(active(console)?);
    let articles = match articles(args, loaded.as_ref()) {
        Ok(articles) => articles,
        Err(why) => return console.fail(why),
    };
    let many = articles.len() > 1;
    for text in &articles {
        let article = text.as_article();
        if many && !args.json {
            writeln!(console.out, "{}", text::safe(&text.title))?;
        }
        explain::explain(&set, &article, args.json, Marks::new(console.color), &mut console.out)?;
        if many && !args.json {
            writeln!(console.out)?;
        }
    }
    console.out.flush()?;
    Ok(Outcome::Success)
}

/// What is to be explained: given in words, stored, or every entry of a feed.
fn articles(args: &ExplainArgs, loaded: Option<&Loaded>) -> Result<Vec<ArchivedText>, String> {
    if args.title.is_some() || args.summary.is_some() {
        let title = text::title(args.title.as_deref().unwrap_or_default());
        let summary = text::plain(args.summary.as_deref().unwrap_or_default());
        return Ok(vec![ArchivedText { title, summary, ..ArchivedText::default() }]);
    }
    let name =
        args.article.as_deref().ok_or("say what to explain: a file, -, an address, #ID, or --title")?;
    if let Some(id) = name.strip_prefix('#') {
        return stored(id, loaded).map(|text| vec![text]);
    }
    if let Ok(url) = url::Url::parse(name)
        && matches!(url.scheme(), "http" | "https")
    {
        let fetched = web::get(&url)?;
        return Ok(read(&fetched.body, fetched.content_type.as_deref(), fetched.address.as_ref()));
    }
    let body = if name == "-" {
        bounded(&mut io::stdin())
    } else {
        std::fs::File::open(name).and_then(|mut file| bounded(&mut file))
    };
    body.map(|body| read(&body, None, None)).map_err(|why| format!("cannot read {name}: {why}"))
}

fn bounded(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    input.take(LARGEST).read_to_end(&mut body)?;
    Ok(body)
}

fn stored(id: &str, loaded: Option<&Loaded>) -> Result<ArchivedText, String> {
    let id: i64 = id.parse().map_err(|_| format!("#{id} is not an article's number"))?;
    let loaded =
        loaded.ok_or("stored articles are in the database of a configuration: name it with --config")?;
    let db = Db::open_reader(Path::new(&loaded.config.service.state_dir.join("burdenwatch.db")));
    let db = db.map_err(|why| why.to_string())?.ok_or("there is no database yet")?;
    let found = db.read().any_text(id).map_err(|why| why.to_string())?;
    found.ok_or_else(|| format!("no article has the number {id}, or its text is no longer kept"))
}

/// A feed's entries; a page's or a text's first line as headline and the rest as summary.
fn read(body: &[u8], content_type: Option<&str>, base: Option<&url::Url>) -> Vec<ArchivedText> {
    let context = Context { content_type, base, ..Context::default() };
    if let Ok(document) = parse::read(body, &context)
        && !document.entries.is_empty()
    {
        return document
            .entries
            .into_iter()
            .map(|entry| ArchivedText {
                title: entry.title.unwrap_or_default(),
                summary: entry.summary.unwrap_or_default(),
                body: entry.content.unwrap_or_default(),
                link: entry.link.unwrap_or_default(),
                source: entry.source.unwrap_or_default(),
                lang: entry.lang.unwrap_or_default(),
            })
            .collect();
    }
    let plain = text::plain(&String::from_utf8_lossy(body));
    let (title, summary) = plain.split_once('\n').unwrap_or((plain.as_str(), ""));
    vec![ArchivedText {
        title: title.trim().to_owned(),
        summary: summary.trim().to_owned(),
        ..ArchivedText::default()
    }]
}
