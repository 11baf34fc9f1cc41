//! A rule file as a person wrote it: its parts, each with its place.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::problem::{Problem, Source, did_you_mean};
use crate::rules::expression::RESERVED;
use crate::rules::fields::{FieldSet, NAMES, field};
use crate::rules::outcome::{Field, Level};
use crate::rules::set::{List, Pattern};
use crate::rules::table::{Table, Word, number};

/// A named set.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    /// Its name.
    pub(crate) name: Word,
    /// What it is made of.
    pub(crate) patterns: Vec<Pattern>,
    /// Where else it stands.
    pub(crate) also: Option<Word>,
}

/// How a rule ranks what it found.
#[derive(Debug, Clone)]
pub(crate) struct Score {
    /// Points of an occurrence by set; none given means one point for each set of `when`.
    pub(crate) weights: Vec<(Word, i64)>,
    /// What an occurrence in the title counts.
    pub(crate) title_x: i64,
    /// Occurrences of one set counted in one field.
    pub(crate) cap: i64,
}

/// A rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) id: Word,
    pub(crate) was: Vec<Word>,
    pub(crate) title: String,
    pub(crate) topic: String,
    pub(crate) level: Level,
    pub(crate) experimental: bool,
    pub(crate) owner: Option<String>,
    pub(crate) refs: Vec<String>,
    pub(crate) falsepos: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) when: Word,
    pub(crate) unless: Option<Word>,
    /// What lifts a match of level digest to an alert.
    pub(crate) alert_when: Option<Word>,
    pub(crate) sets: Vec<Set>,
    pub(crate) score: Score,
}

/// A `[[test]]`.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) span: Range<usize>,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) body: String,
    pub(crate) url: String,
    pub(crate) source: String,
    pub(crate) lang: String,
    /// Rules that must fire; an empty list on its own demands silence.
    pub(crate) matches: Option<Vec<Word>>,
    /// Rules that must not fire.
    pub(crate) no: Option<Vec<Word>>,
    /// The level of those that must.
    pub(crate) level: Option<Level>,
}

/// The levels as files write them, in the order of [`level`].
const LEVELS: [&str; 3] = ["alert", "digest", "log"];

fn level(number: usize) -> Level {
    match number {
        0 => Level::Alert,
        1 => Level::Digest,
        _ => Level::Log,
    }
}

/// The key of a set that is no language.
const ALSO: &str = "also";

/// A file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) source: Source,
    pub(crate) fields: FieldSet,
    pub(crate) near: u32,
    pub(crate) sets: Vec<Set>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tests: Vec<Test>,
}

/// Reads a file as far as it can be read.
pub(crate) fn read(source: &Source, problems: &mut Vec<Problem>) -> File {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let hint = "rule files are TOML: https://toml.io";
        problems
            .push(Problem::error(source, span, error.message().trim_end_matches('.').to_owned()).hint(hint));
    }
    let mut top = Table::new(document.get_ref(), 0..0, source);
    let mut file = File {
        source: source.clone(),
        fields: FieldSet::one(Field::Title).or(FieldSet::one(Field::Summary)),
        near: 8,
        sets: Vec::new(),
        rules: Vec::new(),
        tests: Vec::new(),
    };
    if let Some((schema, span)) = top.number("schema", problems)
        && schema != 1
    {
        let what = format!("this is schema {schema}, and only schema 1 is known");
        problems
            .push(Problem::error(source, span, what).hint("write `schema = 1`, or use a newer burdenwatch"));
    }
    if let Some(table) = top.table("defaults", problems) {
        defaults(&mut file, table, problems);
    }
    if let Some(table) = top.table("sets", problems) {
        file.sets = sets(source, &table, problems);
    }
    file.rules =
        top.tables("rule", problems).into_iter().filter_map(|table| rule(source, table, problems)).collect();
    file.tests =
        top.tables("test", problems).into_iter().map(|table| test(source, table, problems)).collect();
    top.done(problems);
    file
}

fn defaults(file: &mut File, mut table: Table<'_, '_>, problems: &mut Vec<Problem>) {
    if let Some(names) = table.words("fields", problems) {
        let mut fields = FieldSet::NONE;
        for name in &names {
            match field(&name.text) {
                Some(field) => fields = fields.or(FieldSet::one(field)),
                None => {
                    let what = format!("there is no field `{}`", name.text);
                    let hint = meant(&name.text, &NAMES);
                    problems.push(Problem::error(&file.source, name.span.clone(), what).hint(hint));
                }
            }
        }
        match fields.is_empty() {
            true if names.is_empty() => problems.push(
                Problem::error(&file.source, table.span.clone(), "`fields` names no field")
                    .hint("write `fields = [\"title\", \"summary\"]`"),
            ),
            true => {}
            false => file.fields = fields,
        }
    }
    if let Some((near, span)) = table.number("near", problems) {
        match u32::try_from(near).ok().filter(|near| *near <= 10_000) {
            Some(near) => file.near = near,
            None => problems.push(
                Problem::error(&file.source, span, format!("`near` cannot be {near}"))
                    .hint("8 words is usual"),
            ),
        }
    }
    table.done(problems);
}

fn sets(source: &Source, table: &Table<'_, '_>, problems: &mut Vec<Problem>) -> Vec<Set> {
    let mut sets = Vec::new();
    for (name, value) in table.entries() {
        let plain = name.text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if RESERVED.contains(&name.text.as_str())
            || !plain
            || !name.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        {
            let what = format!("`{}` cannot name a set", name.text);
            let hint = "use letters, digits and `_`, beginning with a letter, and no word of the language";
            problems.push(Problem::error(source, name.span.clone(), what).hint(hint));
        }
        let Some(lists) = value.get_ref().as_table() else {
            let what = format!("the set `{}` is not a table", name.text);
            let hint = "write lists of patterns by language: `en = [\"...\"]`";
            problems.push(Problem::error(source, value.span(), what).hint(hint));
            continue;
        };
        let mut listed = 0;
        let mut patterns = Vec::new();
        let mut also = None;
        for (lang, list) in Table::new(lists, value.span(), source).entries() {
            if let (ALSO, Some(text)) = (lang.text.as_str(), list.get_ref().as_str()) {
                also = Some(Word::new(source, text, list.span()));
                listed += 1;
                continue;
            }
            let Some(list) = list.get_ref().as_array() else {
                let what = format!("`{}` is not a list of patterns", lang.text);
                problems.push(Problem::error(source, list.span(), what).hint("write `en = [\"...\"]`"));
                listed += 1;
                continue;
            };
            let written = list.iter().filter_map(|item| Some((item.get_ref().as_str()?, item.span())));
            let all = Arc::new(List::new(source, &lang.text, false, written));
            for item in list.iter() {
                listed += 1;
                patterns.extend(pattern(&all, item, problems));
            }
        }
        if listed == 0 {
            let what = format!("the set `{}` is empty", name.text);
            problems
                .push(Problem::error(source, name.span.clone(), what).hint("give it patterns, or remove it"));
        }
        sets.push(Set { name, patterns, also });
    }
    sets
}

fn pattern(
    list: &Arc<List>,
    item: &toml::Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Option<Pattern> {
    let source = &list.source;
    if item.get_ref().as_str().is_some() {
        return Some(Pattern::new(Arc::clone(list), item.span()));
    }
    let Some(table) = item.get_ref().as_table() else {
        let what = format!("a pattern is a string, not a {}", item.get_ref().type_str());
        problems
            .push(Problem::error(source, item.span(), what).hint("write `\"...\"` or `{ re = \"...\" }`"));
        return None;
    };
    let mut table = Table::new(table, item.span(), source);
    let word = table.word("re", problems);
    if word.is_none() {
        let what = "a pattern in braces needs `re`";
        problems.push(Problem::error(source, item.span(), what).hint("write `{ re = \"...\" }`"));
    }
    table.done(problems);
    word.map(|word| {
        let written = std::iter::once((word.text.as_str(), word.span.clone()));
        Pattern::new(Arc::new(List::new(source, &list.lang, true, written)), word.span)
    })
}

fn rule(source: &Source, mut table: Table<'_, '_>, problems: &mut Vec<Problem>) -> Option<Rule> {
    let span = table.span.clone();
    let id = table.word("id", problems);
    let when = table.word("when", problems);
    for (key, value) in [("id", &id), ("when", &when)] {
        if value.as_ref().is_none_or(|value| value.text.trim().is_empty()) {
            problems.push(Problem::error(source, span.clone(), format!("a rule has no `{key}`")).hint(
                if key == "id" {
                    "give it a name that stays"
                } else {
                    "say when it fires: `when = \"a and b\"`"
                },
            ));
        }
    }
    let text = |word: Option<Word>| word.map(|word| word.text);
    let list =
        |words: Option<Vec<Word>>| words.unwrap_or_default().into_iter().map(|word| word.text).collect();
    let title = text(table.word("title", problems));
    let topic = text(table.word("topic", problems));
    let level = table.word("level", problems);
    let status = table.word("status", problems);
    let rule = Rule {
        title: title.or_else(|| id.as_ref().map(|id| id.text.clone())).unwrap_or_default(),
        topic: topic.or_else(|| id.as_ref().map(|id| id.text.clone())).unwrap_or_default(),
        was: table.words("was", problems).unwrap_or_default(),
        level: one_of(source, level, "level", &LEVELS, problems).map_or(Level::Alert, self::level),
        experimental: one_of(source, status, "status", &["stable", "experimental"], problems) == Some(1),
        owner: text(table.word("owner", problems)),
        refs: list(table.words("refs", problems)),
        falsepos: list(table.words("falsepos", problems)),
        tags: list(table.words("tags", problems)),
        unless: table.word("unless", problems),
        alert_when: table.word("alert_when", problems),
        sets: table
            .table("sets", problems)
            .map(|sets| self::sets(source, &sets, problems))
            .unwrap_or_default(),
        score: score(source, table.table("score", problems), problems),
        id: id.unwrap_or_default(),
        when: when.unwrap_or_default(),
    };
    if let Some(word) = rule.alert_when.as_ref().filter(|_| rule.level != Level::Digest) {
        let what = "`alert_when` lifts matches of level `digest`, and this rule has another";
        problems.push(
            Problem::error(source, word.span.clone(), what)
                .hint("write `level = \"digest\"`, or leave it out"),
        );
    }
    table.done(problems);
    Some(rule).filter(|rule| !rule.id.text.is_empty() && !rule.when.text.trim().is_empty())
}

fn score(source: &Source, table: Option<Table<'_, '_>>, problems: &mut Vec<Problem>) -> Score {
    let mut score = Score { weights: Vec::new(), title_x: 1, cap: 2 };
    let Some(mut table) = table else { return score };
    if let Some(weights) = table.table("weights", problems) {
        for (name, value) in weights.entries() {
            match number(value.get_ref()) {
                Some(weight) if weight.abs() <= 1_000_000 => score.weights.push((name, weight)),
                _ => {
                    let what = format!("the weight of `{}` is not a whole number", name.text);
                    problems.push(Problem::error(source, value.span(), what).hint("write for example 3"));
                }
            }
        }
    }
    for (key, slot) in [("title_x", &mut score.title_x), ("cap", &mut score.cap)] {
        if let Some((number, span)) = table.number(key, problems) {
            match (1..=1_000_000).contains(&number) {
                true => *slot = number,
                false => problems.push(
                    Problem::error(source, span, format!("`{key}` cannot be {number}"))
                        .hint("write 1 or more"),
                ),
            }
        }
    }
    table.done(problems);
    score
}

fn test(file: &Source, mut table: Table<'_, '_>, problems: &mut Vec<Problem>) -> Test {
    let span = table.span.clone();
    let mut text = |key| table.word(key, problems).map(|word| word.text).unwrap_or_default();
    let (title, summary, body) = (text("title"), text("summary"), text("body"));
    let (url, source, lang) = (text("url"), text("source"), text("lang"));
    let (matches, no) = (table.words("match", problems), table.words("no", problems));
    let level = one_of(file, table.word("level", problems), "level", &LEVELS, problems).map(level);
    table.done(problems);
    Test { span, title, summary, body, url, source, lang, matches, no, level }
}

/// Returns which of the allowed words it is.
fn one_of(
    source: &Source,
    word: Option<Word>,
    key: &str,
    allowed: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<usize> {
    let word = word?;
    let found = allowed.iter().position(|allowed| *allowed == word.text);
    if found.is_none() {
        let what = format!("`{key}` cannot be `{}`", word.text);
        problems.push(Problem::error(source, word.span.clone(), what).hint(meant(&word.text, allowed)));
    }
    found
}

/// Words a hint for a mistyped name.
pub(crate) fn meant(word: &str, known: &[&str]) -> String {
    match did_you_mean(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.len() > 12 => "see `burdenwatch rules list`, or define it".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}
