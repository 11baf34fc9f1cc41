//! From a path to a [`Config`], or to everything that is wrong with it.
//!
//! All files are read to the end before anything is refused: a person who made five mistakes sees five.
//! Reading order: `tree` (places and keys) → `unit` (notations) → one file a section → `advice`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::advice::{self, Intervals, check_topics};
use super::files::{self, Named, Text};
use super::secret::{Env, NO_SECRETS};
use super::tree::{File, Place, Section, Sink};
use super::{Config, Mail, Polling, Service, feed, mail, polling, service, subscription};
use crate::digest::Templates;
use crate::problem::{Problem, Severity, Source};
use crate::rules::set::RuleSet;
use crate::rules::{builtin, compile};

/// A configuration that holds, and what is odd about it.
#[derive(Debug)]
pub struct Loaded<R = Arc<RuleSet>> {
    /// The configuration.
    pub config: Config,
    /// The rules, compiled and tested.
    pub rules: R,
    /// How many rules there are.
    pub rule_count: usize,
    /// The mail templates, where a directory is named.
    pub templates: Option<Arc<Templates>>,
    /// Warnings, by file and position.
    pub problems: Vec<Problem>,
}

/// What became of the rule files.
#[derive(Debug)]
pub struct Compiled<R> {
    /// The rules; `None` when there is an error.
    pub rules: Option<R>,
    /// How many rules there are.
    pub rule_count: usize,
    /// Their topics and ids; `None` when they cannot be known.
    pub topics: Option<BTreeSet<String>>,
    /// Errors, failed tests and warnings.
    pub problems: Vec<Problem>,
}

/// Reads the configuration at `path` and the files it names.
///
/// # Errors
/// All that is wrong, by file and position, warnings included.
pub fn load(path: &Path) -> Result<Loaded, Vec<Problem>> {
    load_with(path, &|name| std::env::var(name).ok(), |sources| compile_rules(sources, RuleSet::forget_tests))
}

/// Does what [`load`] does for a daemon that has rules already: files that say the same are not compiled again.
///
/// # Errors
/// All that is wrong, by file and position, warnings included.
pub fn load_again(path: &Path, known: &Arc<RuleSet>) -> Result<Loaded, Vec<Problem>> {
    load_with(path, &|name| std::env::var(name).ok(), |sources| {
        let same = with_builtin(sources, |sources| RuleSet::hash_of(sources) == known.hash());
        if same {
            compiled(Arc::clone(known), Vec::new())
        } else {
            compile_rules(sources, RuleSet::forget_tests)
        }
    })
}

/// Returns the rule files a configuration names, uncompiled; what else is wrong with it does not matter.
///
/// # Errors
/// What keeps the files from being found or read.
pub fn rule_sources(path: &Path) -> Result<Vec<Source>, Vec<Problem>> {
    let sink = Sink::default();
    let Some(main) = main_file(path, &sink) else { return Err(sink.into_problems()) };
    let elsewhere = Sink::default();
    let draft = main.read(&elsewhere, |root| read_main(root, &|name| std::env::var(name).ok()));
    let sources = draft.rule_files.iter().filter_map(|named| rule_file(named, &sink)).collect();
    let problems = sink.into_problems();
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        Err(problems)
    } else {
        Ok(sources)
    }
}

/// Compiles the rule files and runs their tests; without any, the pack compiled into the program is used.
///
/// `settle` then lets go of what whoever loads them does not need.
fn compile_rules(sources: &[Source], settle: fn(&mut RuleSet)) -> Compiled<Arc<RuleSet>> {
    let compile::Compiled { set, mut problems } = with_builtin(sources, RuleSet::compile);
    problems.extend(set.iter().flat_map(RuleSet::failures));
    if sources.is_empty() {
        // Remarks on a pack that the operator did not write and cannot edit are nobody's.
        problems.retain(|problem| problem.severity == Severity::Error);
    }
    let Some(mut set) = set else { return Compiled { rules: None, rule_count: 0, topics: None, problems } };
    settle(&mut set);
    compiled(Arc::new(set), problems)
}

fn with_builtin<T>(sources: &[Source], work: impl FnOnce(&[Source]) -> T) -> T {
    if sources.is_empty() { work(&builtin::sources()) } else { work(sources) }
}

fn compiled(rules: Arc<RuleSet>, problems: Vec<Problem>) -> Compiled<Arc<RuleSet>> {
    let known = rules.rules();
    let topics = known.iter().flat_map(|rule| [rule.topic.clone(), rule.id.clone()]).collect();
    Compiled { rule_count: known.len(), topics: Some(topics), problems, rules: Some(rules) }
}

/// Reads the user's mail templates and tries them on sample mails.
fn read_templates(mail: &Mail) -> Result<Option<Arc<Templates>>, Vec<Problem>> {
    // A directory that is not there has been complained about where it is named.
    let Some(dir) = mail.templates.as_ref().filter(|dir| dir.is_dir()) else { return Ok(None) };
    let unreadable = |path: &Path, why: std::io::Error| {
        vec![Problem::bare(format!("cannot read {}: {why}", path.display()))]
    };
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|why| unreadable(dir, why))? {
        let path = entry.map_err(|why| unreadable(dir, why))?.path();
        if path.is_file() {
            let text = std::fs::read_to_string(&path).map_err(|why| unreadable(&path, why))?;
            sources.push(Source::new(&path, text));
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Templates::from_dir(&sources).map(|templates| Some(Arc::new(templates)))
}

/// Does what [`load`] does for a command that mails nothing: the mail password is not read.
///
/// # Errors
/// All that is wrong, by file and position, warnings included.
pub fn load_to_read(path: &Path) -> Result<Loaded, Vec<Problem>> {
    let env = |name: &str| {
        if name == NO_SECRETS { Some("asked".to_owned()) } else { std::env::var(name).ok() }
    };
    load_with(path, &env, |sources| compile_rules(sources, RuleSet::forget_reports))
}

/// Does what [`load`] does, with the environment and the rule compiler as parameters.
///
/// # Errors
/// All that is wrong, by file and position, warnings included.
pub fn load_with<R>(
    path: &Path,
    env: Env<'_>,
    compile: impl FnOnce(&[Source]) -> Compiled<R>,
) -> Result<Loaded<R>, Vec<Problem>> {
    let sink = Sink::default();
    let Some(main) = main_file(path, &sink) else { return Err(sink.into_problems()) };
    let draft = main.read(&sink, |root| read_main(root, env));
    let mut order = vec![path.to_owned()];
    let mut feeds = draft.feeds;
    for named in draft.feed_files {
        let Some(text) = included(&named, &sink) else { continue };
        let file = File::new(&named.path, text);
        order.push(named.path);
        feeds.extend(file.read(&sink, read_feeds));
    }
    let mut rule_sources = Vec::new();
    for named in draft.rule_files {
        rule_sources.extend(rule_file(&named, &sink));
        order.push(named.path);
    }
    let start = Place { source: main.source.clone(), span: 0..0 };
    advice::repeated_feeds(&feeds, &sink);
    advice::repeated_subscriptions(&draft.subscriptions, &sink);
    advice::feeds(&feeds, &draft.polling, &draft.intervals, &start, &sink);
    if draft.subscriptions.is_empty() && !sink.has_errors() {
        let hint = "write a [[subscription]]";
        sink.push(start.warning("there is no subscription: nothing will be mailed").hint(hint));
    }
    let compiled = compile(&rule_sources);
    let mut problems = sink.into_problems();
    problems.extend(compiled.problems);
    let templates = draft.mail.as_ref().map(read_templates).transpose().unwrap_or_else(|wrong| {
        problems.extend(wrong);
        None
    });
    let topic_places = draft.subscriptions.iter().flat_map(|written| written.topics.clone()).collect();
    let mut feeds: Vec<_> = feeds.into_iter().filter_map(|written| written.feed).collect();
    // Collected in place, they would keep the room of all that they were read with.
    feeds.shrink_to_fit();
    let config = draft.service.zip(draft.mail).map(|(service, mail)| Config {
        path: path.to_owned(),
        service,
        polling: draft.polling,
        feeds,
        rule_sources,
        mail,
        subscriptions: draft.subscriptions.into_iter().filter_map(|written| written.subscription).collect(),
        topic_places,
    });
    if let (Some(config), Some(topics)) = (&config, &compiled.topics) {
        problems.extend(check_topics(config, topics));
    }
    sort(&mut problems, &order);
    let sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    match (config, compiled.rules) {
        (Some(config), Some(rules)) if sound => Ok(Loaded {
            config,
            rules,
            rule_count: compiled.rule_count,
            templates: templates.flatten(),
            problems,
        }),
        _ => Err(problems),
    }
}

/// What the main file says, as far as it could be read.
#[derive(Debug)]
struct Draft {
    service: Option<Service>,
    polling: Polling,
    intervals: Intervals,
    mail: Option<Mail>,
    feeds: Vec<feed::Written>,
    subscriptions: Vec<subscription::Written>,
    feed_files: Vec<Named>,
    rule_files: Vec<Named>,
}

/// Reads every section of the main file.
fn read_main(root: &Section<'_>, env: Env<'_>) -> Draft {
    let service = service::read(root, env);
    let operator = service.as_ref().and_then(|service| service.operator.as_ref());
    let (polling, intervals) = polling::read(root, operator);
    let zone = service.as_ref().map(|service| (service.time_zone_name.clone(), service.time_zone.clone()));
    let zone = zone.unwrap_or_else(|| ("UTC".to_owned(), TimeZone::UTC));
    let files = |key, name, example| {
        let section = root.section(key, name, &format!("{name} holds files = [{example}]"));
        let named = files::named(&section, example);
        section.finish();
        named
    };
    Draft {
        polling,
        intervals,
        mail: mail::read(root, service.as_ref().map(|service| service.state_dir.as_path()), env),
        feeds: read_feeds(root),
        subscriptions: root
            .sections("subscription")
            .map(|section| subscription::read(&section, &zone))
            .collect(),
        feed_files: files("feeds", "[feeds]", "\"feeds/*.toml\""),
        rule_files: files("rules", "[rules]", "\"rules/*.toml\""),
        service,
    }
}

/// Reads every `[[feed]]` of a file.
fn read_feeds(root: &Section<'_>) -> Vec<feed::Written> {
    root.sections("feed").map(|section| feed::read(&section)).collect()
}

/// Reads the main file.
fn main_file(path: &Path, sink: &Sink) -> Option<File> {
    match files::read(path) {
        Ok(text) => Some(File::new(path, text)),
        Err(why) => {
            let what = format!("cannot read {}: {why}", path.display());
            let hint = "name another with --config or $BURDENWATCH_CONFIG; `burdenwatch demo` needs none";
            sink.push(Problem::error(&Source::new(path, ""), 0..0, what).hint(hint));
            None
        }
    }
}

/// Reads a file that another names, and complains where it is named.
fn included(named: &Named, sink: &Sink) -> Option<Text> {
    let complain = |why| {
        let what = format!("cannot read {}: {why}", named.path.display());
        sink.push(named.place.error(what).hint("names are relative to the file they stand in"));
    };
    files::read_regular(&named.path).map_err(complain).ok()
}

/// Reads a file of rules, which whoever compiles them judges.
fn rule_file(named: &Named, sink: &Sink) -> Option<Source> {
    let Text { text, broken_at } = included(named, sink)?;
    let source = Source::new(&named.path, text);
    if let Some(at) = broken_at {
        sink.push(Problem::error(&source, at..at, "this is not UTF-8").hint("save the file as UTF-8"));
    }
    Some(source)
}

/// Sorts by file, in the order they are read, and position.
fn sort(problems: &mut [Problem], order: &[PathBuf]) {
    problems.sort_by_key(|problem| {
        let path = problem.source.as_ref().map(|source| source.path.as_path());
        let file = order.iter().position(|known| Some(known.as_path()) == path);
        (file.unwrap_or(order.len()), problem.span.start)
    });
}
