//! A TOML file as a tree with places, read key by key.
//!
//! serde stops at its first mistake; a person wants all of them. So each section is asked for
//! the keys it may hold; whatever is wrong with a value goes to the [`Sink`] and reads as absent,
//! and [`Section::finish`] complains about every key that nobody asked for.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::files::Text;
use super::redact::redact;
use super::syntax::salvage;
use super::unit::{Complaint, shown};
use crate::problem::{Problem, Severity, Source, did_you_mean};

/// Where all problems go.
#[derive(Debug, Default)]
pub(super) struct Sink(RefCell<Vec<Problem>>);

impl Sink {
    pub(super) fn push(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.0.borrow().iter().any(|problem| problem.severity == Severity::Error)
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// A range of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, its secrets masked.
    pub source: Source,
    /// Byte range in it.
    pub span: Range<usize>,
}

impl Place {
    /// Makes an error here.
    pub fn error(&self, what: impl Into<String>) -> Problem {
        Problem::error(&self.source, self.span.clone(), what)
    }

    /// Makes a warning here.
    pub fn warning(&self, what: impl Into<String>) -> Problem {
        Problem::warning(&self.source, self.span.clone(), what)
    }
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct File {
    /// What complaints show: the text with secrets masked.
    pub(super) source: Source,
    text: String,
    /// Where the first byte stands that is not UTF-8.
    broken_at: Option<usize>,
}

impl File {
    pub(super) fn new(path: &Path, text: Text) -> Self {
        let Text { text, broken_at } = text;
        Self { source: Source::new(path, redact(&text)), text, broken_at }
    }

    /// A path written in this file, which is relative to it.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.source.path.parent().unwrap_or(Path::new("")).join(path)
    }

    /// Reads the syntax, complains about all that is wrong with it, and hands over what is left.
    pub(super) fn read<T>(&self, sink: &Sink, read: impl FnOnce(&Section<'_>) -> T) -> T {
        let whole = salvage(&self.text, self.broken_at);
        for (span, message) in &whole.errors {
            let problem = Problem::error(&self.source, span.clone(), message);
            sink.push(match self.broken_at {
                Some(at) if at == span.start => problem.hint("save the file as UTF-8"),
                _ => problem,
            });
        }
        let root = DeTable::parse(&whole.text);
        let root = Section {
            name: String::new(),
            file: self,
            span: 0..0,
            table: root.as_ref().ok().map(Spanned::get_ref),
            broken: !whole.errors.is_empty(),
            asked: RefCell::default(),
            sink,
        };
        let value = read(&root);
        root.finish();
        value
    }
}

/// A table of a file, or one that is not there and holds only defaults.
#[derive(Debug)]
pub(super) struct Section<'a> {
    name: String,
    file: &'a File,
    span: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    /// The file has syntax errors, so what is missing may have been in what could not be read.
    broken: bool,
    asked: RefCell<Vec<&'static str>>,
    sink: &'a Sink,
}

impl<'a> Section<'a> {
    pub(super) fn file(&self) -> &'a File {
        self.file
    }

    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        Place { source: self.file.source.clone(), span: span.clone() }
    }

    /// Where the section's head stands.
    pub(super) fn head(&self) -> Place {
        self.place(&self.span)
    }

    /// Complains about a value.
    pub(super) fn error(&self, span: &Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        self.sink.push(Problem::error(&self.file.source, span.clone(), what).hint(hint));
    }

    /// Remarks on a value.
    pub(super) fn warn(&self, span: &Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        let hint = hint.into();
        self.sink.push(Problem {
            severity: Severity::Warning,
            ..Problem::error(&self.file.source, span.clone(), what).hint(hint)
        });
    }

    /// Complains about a required key that is absent.
    pub(super) fn missing(&self, key: &str, hint: &str) {
        if !self.has(key) && !self.broken {
            let owner = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            self.error(&self.span, format!("`{key}` is missing{owner}"), hint);
        }
    }

    /// Whether the key stands there, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// A value as it stands; remembers that the section may hold the key.
    pub(super) fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.ask(key);
        self.table?.get(key)
    }

    fn ask(&self, key: &'static str) {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
    }

    fn wrong_type(&self, what: &str, value: &Spanned<DeValue<'_>>, wanted: &str, hint: &str) {
        let found = kind(value.get_ref());
        self.error(&value.span(), format!("{what} is {found}, not {wanted}"), hint);
    }

    /// A string, read by `parse`; `example` is what a right value looks like.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<At<T>> {
        let value = self.value(key)?;
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(&format!("`{key}`"), value, "a string", &format!("write {key} = {example}"));
            return None;
        };
        self.judged(value.span(), parse(text))
    }

    /// A value that was read, or a complaint about it.
    pub(super) fn judged<T>(&self, span: Range<usize>, result: Result<T, Complaint>) -> Option<At<T>> {
        match result {
            Ok(value) => Some(At { value, span }),
            Err(Complaint { what, hint }) => {
                self.error(&span, what, hint);
                None
            }
        }
    }

    /// A list of strings, each read by `parse`; wrong ones are left out.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, Complaint>,
    ) -> Option<At<Vec<At<T>>>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(&format!("`{key}`"), value, "a list", &format!("write {key} = [{example}]"));
            return None;
        };
        let mut list = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => list.extend(self.judged(item.span(), parse(text))),
                _ => self.wrong_type(
                    &format!("an item of `{key}`"),
                    item,
                    "a string",
                    &format!("write {key} = [{example}]"),
                ),
            }
        }
        Some(At { value: list, span: value.span() })
    }

    /// Whether the key holds a list without items (wrong items count).
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        let value = self.table.and_then(|table| table.get(key));
        matches!(value.map(Spanned::get_ref), Some(DeValue::Array(items)) if items.is_empty())
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<At<bool>> {
        let value = self.value(key)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            self.wrong_type(&format!("`{key}`"), value, "true or false", "write it without quotes");
            return None;
        };
        Some(At { value: *flag, span: value.span() })
    }

    /// A whole number within `range`.
    pub(super) fn number(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        let value = self.value(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(
                &format!("`{key}`"),
                value,
                "a whole number",
                "write it without quotes or fraction",
            );
            return None;
        };
        let number =
            i64::from_str_radix(number.as_str(), number.radix()).ok().and_then(|n| u32::try_from(n).ok());
        let read = number.filter(|number| range.contains(number)).ok_or_else(|| {
            let what = format!("`{key}` is out of range");
            Complaint::new(what, format!("write a number from {} to {}", range.start(), range.end()))
        });
        self.judged(value.span(), read)
    }

    /// A table inside this one; an absent one reads as empty.
    pub(super) fn section(&self, key: &'static str, name: &str, hint: &str) -> Section<'a> {
        let value = self.value(key);
        let table = value.and_then(|value| match value.get_ref() {
            DeValue::Table(table) => Some((table, value.span())),
            _ => {
                self.wrong_type(&format!("`{key}`"), value, "a table", hint);
                None
            }
        });
        self.child(name, table)
    }

    /// The tables of `[[key]]`, one at a time: there may be ten thousand.
    pub(super) fn sections(&self, key: &'static str) -> impl Iterator<Item = Section<'a>> {
        let name = format!("[[{key}]]");
        let hint = format!("write {name} above each");
        let items = self.value(key).and_then(|value| match value.get_ref() {
            DeValue::Array(items) => Some(items),
            _ => {
                self.wrong_type(&format!("`{key}`"), value, "a list of tables", &hint);
                None
            }
        });
        items.into_iter().flat_map(|items| items.iter()).filter_map(move |item| match item.get_ref() {
            DeValue::Table(table) => Some(self.child(&name, Some((table, item.span())))),
            _ => {
                self.wrong_type(&format!("an item of `{key}`"), item, "a table", &hint);
                None
            }
        })
    }

    fn child(&self, name: &str, table: Option<(&'a DeTable<'a>, Range<usize>)>) -> Section<'a> {
        let (table, span) = table.map_or((None, self.span.clone()), |(table, span)| (Some(table), span));
        Section {
            name: name.to_owned(),
            file: self.file,
            span,
            table,
            broken: self.broken,
            asked: RefCell::default(),
            sink: self.sink,
        }
    }

    /// Names and values of a table of strings, in the order of the file.
    pub(super) fn pairs(&self, key: &'static str, example: &str) -> Vec<(At<&'a str>, At<&'a str>)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(&format!("`{key}`"), value, "a table", &format!("write {key} = {example}"));
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (name, value) in table {
            match value.get_ref() {
                DeValue::String(text) => pairs.push((
                    At { value: name.get_ref().as_ref(), span: name.span() },
                    At { value: text.as_ref(), span: value.span() },
                )),
                _ => self.wrong_type(
                    &shown(name.get_ref()),
                    value,
                    "a string",
                    &format!("write {key} = {example}"),
                ),
            }
        }
        pairs.sort_by_key(|(name, _)| name.span.start);
        pairs
    }

    /// Refuses a secret that stands in the file itself.
    pub(super) fn refuse_secret(&self, key: &'static str, instead: &str) {
        let Some(value) = self.table.and_then(|table| table.get(key)) else { return };
        self.ask(key);
        self.error(&value.span(), format!("`{key}` does not belong in this file: others read it"), instead);
    }

    /// Complains about every key that nobody asked for.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table.into_iter().flatten() {
            let word = key.get_ref().as_ref();
            if asked.contains(&word) {
                continue;
            }
            let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            let hint = match did_you_mean(word, asked.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known here: {}", asked.join(", ")),
            };
            self.error(&key.span(), format!("unknown key {}{place}", shown(word)), hint);
        }
    }
}

/// A value's type in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
