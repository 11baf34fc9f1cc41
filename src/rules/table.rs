//! Reads TOML tables so that every mistake is found at once and has its place.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Problem, Source, did_you_mean};

/// A string of the file and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// The string.
    pub(crate) text: String,
    /// The whole value in the file, quotes included.
    pub(crate) span: Range<usize>,
    /// Where the string itself begins, when the file has it letter for letter.
    inner: Option<usize>,
}

impl Word {
    pub(crate) fn new(source: &Source, text: &str, span: Range<usize>) -> Self {
        let inner = source.text.get(span.clone()).and_then(|raw| raw.find(text)).map(|at| span.start + at);
        Self { text: text.to_owned(), span, inner }
    }

    /// Returns the place in the file of a range of the string.
    pub(crate) fn place(&self, range: Range<usize>) -> Range<usize> {
        self.inner.map_or_else(|| self.span.clone(), |at| at + range.start..at + range.end)
    }
}

/// A table being read: what is asked for, and what nobody asked for.
#[derive(Debug)]
pub(crate) struct Table<'a, 's> {
    table: &'a DeTable<'s>,
    /// The place of the table's header.
    pub(crate) span: Range<usize>,
    source: &'a Source,
    known: Vec<&'static str>,
}

impl<'a, 's> Table<'a, 's> {
    pub(crate) fn new(table: &'a DeTable<'s>, span: Range<usize>, source: &'a Source) -> Self {
        Self { table, span, source, known: Vec::new() }
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'s>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn wrong(&self, value: &Spanned<DeValue<'s>>, key: &str, wanted: &str, problems: &mut Vec<Problem>) {
        let what = format!("`{key}` is {}, not {wanted}", article(value.get_ref().type_str()));
        problems.push(Problem::error(self.source, value.span(), what).hint(format!("write {wanted}")));
    }

    /// Takes a string.
    pub(crate) fn word(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> Option<Word> {
        let value = self.take(key)?;
        let word = value.get_ref().as_str().map(|text| Word::new(self.source, text, value.span()));
        if word.is_none() {
            self.wrong(value, key, "a string in quotes", problems);
        }
        word
    }

    /// Takes a list of strings.
    pub(crate) fn words(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> Option<Vec<Word>> {
        let value = self.take(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(value, key, "a list of strings, [\"...\"]", problems);
            return None;
        };
        let mut words = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
                Some(text) => words.push(Word::new(self.source, text, item.span())),
                None => self.wrong(item, key, "a list of strings, [\"...\"]", problems),
            }
        }
        Some(words)
    }

    /// Takes a whole number.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<(i64, Range<usize>)> {
        let value = self.take(key)?;
        let number = number(value.get_ref());
        if number.is_none() {
            self.wrong(value, key, "a whole number", problems);
        }
        number.map(|number| (number, value.span()))
    }

    /// Takes a table.
    pub(crate) fn table(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> Option<Table<'a, 's>> {
        let value = self.take(key)?;
        let table = value.get_ref().as_table().map(|table| Table::new(table, value.span(), self.source));
        if table.is_none() {
            self.wrong(value, key, &format!("a table, [{key}]"), problems);
        }
        table
    }

    /// Takes a list of tables.
    pub(crate) fn tables(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> Vec<Table<'a, 's>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(value, key, &format!("a list of tables, [[{key}]]"), problems);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => tables.push(Table::new(table, item.span(), self.source)),
                None => self.wrong(item, key, &format!("a list of tables, [[{key}]]"), problems),
            }
        }
        tables
    }

    /// Takes every entry, whatever its key.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Word, &'a Spanned<DeValue<'s>>)> {
        self.table.iter().map(|(key, value)| (Word::new(self.source, key.get_ref(), key.span()), value))
    }

    /// Complains about the keys nobody took.
    pub(crate) fn done(self, problems: &mut Vec<Problem>) {
        for (key, _) in self.table.iter() {
            let name: &Cow<'_, str> = key.get_ref();
            if !self.known.contains(&name.as_ref()) {
                let hint = match did_you_mean(name, self.known.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("known keys: {}", self.known.join(", ")),
                };
                problems.push(
                    Problem::error(self.source, key.span(), format!("unknown key `{name}`")).hint(hint),
                );
            }
        }
    }
}

/// Reads a whole number of any notation.
pub(crate) fn number(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

fn article(kind: &str) -> String {
    match kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => format!("an {kind}"),
        false => format!("a {kind}"),
    }
}
