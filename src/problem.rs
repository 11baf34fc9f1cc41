//! A complaint about a file a person wrote: where, what, and what to do.

use std::fmt;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A file's path and text, shared by every problem found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where the text came from; shown as it is.
    pub path: PathBuf,
    /// The whole text.
    pub text: Text,
}

/// A file's text: read, or compiled into the program.
#[derive(Debug, Clone)]
pub enum Text {
    /// Part of the program.
    Static(&'static str),
    /// Read from a file.
    Read(Arc<str>),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Read(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Read(text.into())
    }
}

impl Source {
    /// Makes a source of a path and its text.
    pub fn new(path: impl AsRef<Path>, text: impl Into<Text>) -> Self {
        Self { path: path.as_ref().to_owned(), text: text.into() }
    }
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; stops nothing.
    Warning,
    /// The file is not used.
    Error,
}

/// One thing wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The file; `None` for what belongs to no file (an unreadable path, say).
    pub source: Option<Source>,
    /// Byte range in the source's text.
    pub span: Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Makes an error at `span` of `source`.
    pub fn error(source: &Source, span: Range<usize>, what: impl Into<String>) -> Self {
        Self { severity: Severity::Error, source: Some(source.clone()), span, what: what.into(), hint: None }
    }

    /// Makes a warning at `span` of `source`.
    pub fn warning(source: &Source, span: Range<usize>, what: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(source, span, what) }
    }

    /// Makes an error that has no place in a file.
    pub fn bare(what: impl Into<String>) -> Self {
        Self { severity: Severity::Error, source: None, span: 0..0, what: what.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns `FILE:LINE:COLUMN`, counted from 1, columns in characters.
    pub fn place(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        let (row, column, ..) = locate(&source.text, &self.span);
        Some(format!("{}:{row}:{column}", source.path.display()))
    }
}

/// Row and column from 1, the line's text before the span, and from the span on.
fn locate<'t>(text: &'t str, span: &Range<usize>) -> (usize, usize, &'t str, &'t str) {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let (before, after) = text.split_at(start);
    let head = before.rsplit('\n').next().unwrap_or_default();
    let tail = after.split('\n').next().unwrap_or_default().trim_end_matches('\r');
    (before.matches('\n').count() + 1, head.chars().count() + 1, head, tail)
}

impl fmt::Display for Problem {
    /// Writes the complaint, the place, the line and a caret under what is meant.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(out, "{severity}: {}", self.what)?;
        if let (Some(source), Some(place)) = (&self.source, self.place()) {
            let (row, _, head, tail) = locate(&source.text, &self.span);
            // A tab prints as one space, so that the caret stands under its character.
            let (head, tail) = (head.replace('\t', " "), tail.replace('\t', " "));
            let pad = row.to_string().len();
            let marked = columns(&tail, self.span.len()).max(1);
            writeln!(out, "{:pad$} --> {place}", "")?;
            // Of a file that is empty or could not be read there is nothing to show.
            if !source.text.is_empty() {
                writeln!(out, "{:pad$} |", "")?;
                writeln!(out, "{row} | {head}{tail}")?;
                writeln!(out, "{:pad$} | {:skip$}{:^<marked$}", "", "", "", skip = head.width())?;
            }
        }
        self.hint.iter().try_for_each(|hint| writeln!(out, "hint: {hint}"))
    }
}

/// Display columns of the first `bytes` bytes of `text`.
fn columns(text: &str, bytes: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < bytes).filter_map(|(_, c)| c.width()).sum()
}

/// Returns the candidate nearest to `word`, when it is near enough to be meant.
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_wide_characters() {
        let source = Source::new("r.toml", "a = 1\nko = \"방위비\" # x\n");
        let at = source.text.find("방위비").unwrap();
        let problem = Problem::error(&source, at..at + 9, "no such set").hint("write one");
        assert_eq!(
            problem.to_string(),
            "error: no such set\n  --> r.toml:2:7\n  |\n2 | ko = \"방위비\" # x\n  |       ^^^^^^\nhint: write one\n"
        );
    }

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        assert_eq!(did_you_mean("timeot", ["every", "timeout"]), Some("timeout"));
        assert_eq!(did_you_mean("colour", ["every", "timeout"]), None);
    }
}
