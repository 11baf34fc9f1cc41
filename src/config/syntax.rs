//! What is left of a file whose syntax is broken, so that its other mistakes can be told too.

use std::ops::Range;

use toml::de::DeTable;

/// A text that is TOML, and what had to go.
#[derive(Debug)]
pub(super) struct Whole {
    /// As long as the original: lines that could not be read are blank.
    pub(super) text: String,
    /// What is wrong, and where.
    pub(super) errors: Vec<(Range<usize>, String)>,
}

/// So many syntax errors are told; a file with more is hardly TOML.
const MOST: usize = 24;

/// Blanks one line after another until the rest is TOML.
///
/// `broken_at` is where the text is not what the file holds, because that is not UTF-8.
pub(super) fn salvage(text: &str, broken_at: Option<usize>) -> Whole {
    let mut whole = Whole { text: text.to_owned(), errors: Vec::new() };
    if let Some(at) = broken_at {
        whole.errors.push((at..at, "this is not UTF-8".to_owned()));
        whole.blank(at);
    }
    while let Some((span, message)) = first_error(&whole.text) {
        // A key or table that stands there twice is sound in itself, and nothing above is open.
        let culprit = if message.contains("duplicate") { span.start } else { whole.culprit(span.start) };
        whole.errors.push((span, message));
        if whole.errors.len() >= MOST || !whole.blank(culprit) {
            whole.text = " ".repeat(text.len());
        }
    }
    whole
}

fn first_error(text: &str) -> Option<(Range<usize>, String)> {
    let error = DeTable::parse(text).err()?;
    Some((error.span().unwrap_or(0..0), format!("not TOML: {}", error.message().replace('\n', ", "))))
}

impl Whole {
    /// Where the line begins that is to blame for an error at `at`: the line itself, unless that is sound
    /// alone. Then something above was left open, most likely in the nearest line that is not sound alone.
    fn culprit(&self, at: usize) -> usize {
        let mut above: Vec<(usize, &str)> = Vec::new();
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if start > at {
                break;
            }
            above.push((start, line));
            start += line.len();
        }
        above.retain(|(_, line)| !line.trim().is_empty());
        let unsound = above.iter().rev().take(200).find(|(_, line)| DeTable::parse(line).is_err());
        unsound.or(above.last()).map_or(0, |(start, _)| *start)
    }

    /// Blanks the line at `at`, and with the head of a table the whole table: under another head its keys
    /// would mean something else. False when there was nothing.
    fn blank(&mut self, at: usize) -> bool {
        let mut out = String::with_capacity(self.text.len());
        let mut changed = false;
        let mut headless = false;
        for line in self.text.split_inclusive('\n') {
            let start = out.len();
            let is_head = line.trim_start().starts_with('[');
            let meant = (start..start + line.len()).contains(&at) && !line.trim().is_empty();
            headless = if meant { is_head } else { headless && !is_head };
            if meant || headless {
                let body = line.strip_suffix('\n');
                out.push_str(&" ".repeat(body.unwrap_or(line).len()));
                out.push_str(if body.is_some() { "\n" } else { "" });
                changed = true;
            } else {
                out.push_str(line);
            }
        }
        self.text = out;
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the errors, from 1 and sorted, and the lines that are left.
    fn told(text: &str) -> (Vec<usize>, Vec<String>) {
        let whole = salvage(text, None);
        assert_eq!(whole.text.len(), text.len());
        let row = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let left = whole.text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        let mut rows: Vec<usize> = whole.errors.iter().map(|(span, _)| row(span.start)).collect();
        rows.sort_unstable();
        (rows, left)
    }

    #[test]
    fn each_broken_line_is_told_and_the_rest_is_kept() {
        let (rows, left) = told("a 1\nb = 2\nc =\n[d\ne = 1\n[f]\ng = 1\nh = \"x\n");
        assert_eq!((rows, left), (vec![1, 3, 4, 8], vec!["b = 2".into(), "[f]".into(), "g = 1".into()]));
    }

    #[test]
    fn an_open_bracket_costs_its_own_line() {
        let (rows, left) = told("a = [1,\nb = 2\n[c]\nd = 3\n");
        assert_eq!((rows.len(), left), (1, vec!["b = 2".into(), "[c]".into(), "d = 3".into()]));
    }

    #[test]
    fn what_stands_there_twice_costs_the_second() {
        let (rows, left) = told("a = [\n1\n]\nb = 1\nb = 2\n[c]\nd = 1\n[c]\ne = 1\n[f]\n");
        assert_eq!(rows, [5, 8]);
        assert_eq!(left, ["a = [", "1", "]", "b = 1", "[c]", "d = 1", "[f]"]);
    }

    #[test]
    fn what_is_no_toml_at_all_ends() {
        let (rows, left) = told(&"x y z [[[ \"\n".repeat(1_000));
        assert_eq!((rows.len(), left.len()), (MOST, 0));
    }
}
