//! The sentence that shows why an article matched.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::rules::fields::FIELDS;
use crate::rules::outcome::{Article, Field, Hit};

/// Returns the sentence with the best evidence, cut to `max_chars`: pieces of text, and whether each is a hit.
///
/// The best sentence is the one that shows most sets; of two that show as many, the first.
pub fn sentence(article: &Article<'_>, hits: &[Hit], max_chars: usize) -> Vec<(String, bool)> {
    let mut best: Option<(usize, Field, Range<usize>)> = None;
    for field in FIELDS {
        let text = article.text(field);
        for span in sentences(text) {
            let sets: BTreeSet<&str> = hits
                .iter()
                .filter(|hit| hit.field == field && lies_in(hit, &span))
                .map(|hit| hit.set.as_str())
                .collect();
            if !sets.is_empty() && best.as_ref().is_none_or(|(most, ..)| sets.len() > *most) {
                best = Some((sets.len(), field, span));
            }
        }
    }
    let Some((_, field, span)) = best else { return Vec::new() };
    let text = article.text(field);
    let marks = merged(hits.iter().filter(|hit| hit.field == field && lies_in(hit, &span)));
    let window = window(text, span.clone(), &marks, max_chars);
    let mut pieces = Vec::new();
    let mut put = |range: Range<usize>, is_hit: bool, before: &str, after: &str| {
        let piece = text.get(range).unwrap_or_default();
        if !piece.is_empty() || !before.is_empty() || !after.is_empty() {
            pieces.push((format!("{before}{piece}{after}"), is_hit));
        }
    };
    let mut at = window.start;
    let lead = if window.start > span.start { "…" } else { "" };
    let trail = if window.end < span.end { "…" } else { "" };
    let mut before = lead;
    for mark in marks.iter().filter(|mark| mark.start >= window.start && mark.end <= window.end) {
        put(at..mark.start, false, before, "");
        put(mark.clone(), true, "", "");
        before = "";
        at = mark.end;
    }
    put(at..window.end, false, before, trail);
    pieces
}

fn lies_in(hit: &Hit, span: &Range<usize>) -> bool {
    span.start <= hit.start && hit.end <= span.end
}

/// Splits a text into sentences, without the white space between them.
fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let ends = match c {
            '\n' | '。' | '！' | '？' => true,
            // A dot inside a number or after an initial ends nothing.
            '.' | '!' | '?' => {
                let word = text.get(start..at).unwrap_or_default();
                let initial = word.chars().next_back().is_some_and(char::is_uppercase);
                chars.peek().is_none_or(|(_, next)| next.is_whitespace()) && !(c == '.' && initial)
            }
            _ => false,
        };
        if ends {
            spans.push(trimmed(text, start..end));
            start = end;
        }
    }
    spans.push(trimmed(text, start..text.len()));
    spans
}

fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let part = text.get(span.clone()).unwrap_or_default();
    let start = span.start + part.len() - part.trim_start().len();
    start..(start + part.trim().len())
}

/// Joins hits that overlap.
fn merged<'h>(hits: impl Iterator<Item = &'h Hit>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = hits.map(|hit| hit.start..hit.end).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut marks: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match marks.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => marks.push(range),
        }
    }
    marks
}

/// Cuts a sentence that is too long down to what surrounds its hits.
fn window(text: &str, span: Range<usize>, marks: &[Range<usize>], max_chars: usize) -> Range<usize> {
    let length = |range: Range<usize>| text.get(range).map_or(0, |part| part.chars().count());
    let total = length(span.clone());
    if total <= max_chars {
        return span;
    }
    // As many of the hits as fit from the first one on, then what fits around them.
    let Some(first) = marks.first() else { return span };
    let last =
        marks.iter().rev().find(|last| length(first.start..last.end) + 2 <= max_chars).unwrap_or(first);
    let spare = max_chars.saturating_sub(length(first.start..last.end) + 2);
    let room_after = length(last.end..span.end);
    let before = (spare / 2).max(spare.saturating_sub(room_after)).min(length(span.start..first.start));
    let after = spare.saturating_sub(before);
    let left = text.get(span.start..first.start).unwrap_or_default();
    let start = left.char_indices().rev().take(before).last().map_or(first.start, |(at, _)| span.start + at);
    let right = text.get(last.end..span.end).unwrap_or_default();
    let end = right.char_indices().nth(after).map_or(span.end, |(at, _)| last.end + at);
    start..end.max(last.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(text: &str, word: &str, set: &str) -> Hit {
        let start = text.find(word).unwrap();
        let (set, pattern, text) = (set.to_owned(), word.to_owned(), word.to_owned());
        Hit { set, pattern, field: Field::Summary, start, end: start + word.len(), text }
    }

    fn shown(text: &str, hits: &[Hit], most: usize) -> String {
        let article = Article { summary: text, ..Article::default() };
        let pieces = sentence(&article, hits, most);
        pieces.into_iter().map(|(piece, is_hit)| if is_hit { format!("[{piece}]") } else { piece }).collect()
    }

    #[test]
    fn the_sentence_that_shows_most_is_chosen_and_marked() {
        let text = "Talks went on. Japan will pay 8.3% more for host nation support in 2027. Tokyo agreed.";
        let hits = [
            hit(text, "Talks", "talks"),
            hit(text, "Japan", "japan"),
            hit(text, "host nation support", "hns"),
        ];
        assert_eq!(shown(text, &hits, 200), "[Japan] will pay 8.3% more for [host nation support] in 2027.");
        assert_eq!(shown(text, &hits, 50), "[Japan] will pay 8.3% more for [host nation support]…");
        let hits = [hit(text, "support", "hns")];
        assert_eq!(shown(text, &hits, 20), "…tion [support] in 20…");
    }

    #[test]
    fn overlapping_hits_are_one_mark_and_nothing_shows_nothing() {
        let text = "방위비분담금 협상";
        assert_eq!(
            shown(text, &[hit(text, "방위비분담", "a"), hit(text, "분담금", "b")], 99),
            "[방위비분담금] 협상"
        );
        assert_eq!(shown(text, &[], 99), "");
    }
}
