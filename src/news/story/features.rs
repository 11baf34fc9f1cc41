//! The features of one article: its lines with what each of them claims, and the runs it may share with a copy.

use super::clean;
use super::lexicon::{self, Lexicon, Role};
use super::quantity::{Quantity, Sort, quantities};
use super::token::{Kind, Sentence, compose, hash, is_hangul, sentences, tokens};

/// A claim at a place in a line: a quantity, an outcome, a country.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// How it counts.
    pub(super) role: Role,
    /// The axis for a person: `amount`, `course`, `country`.
    pub(super) axis: &'static str,
    /// Marks contradict only on one axis.
    pub(super) axis_id: u16,
    /// The value; equal claims have equal values.
    pub(super) value: u32,
    /// First token.
    pub(super) first: usize,
    /// One past the last token.
    pub(super) last: usize,
    /// 1 where something comes about, -1 where it does not, else 0.
    pub(super) pole: i8,
    /// The quantity, when it is one.
    pub(super) quantity: Option<Quantity>,
}

/// A headline or a sentence.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Folded text and tokens.
    pub(super) sentence: Sentence,
    /// What it claims.
    pub(super) marks: Vec<Mark>,
    /// Per token: carries content.
    pub(super) content: Vec<bool>,
    /// Sorted features for finding its counterpart: words, or pairs of characters.
    pub(super) grams: Vec<u32>,
}

/// What comparison reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Features {
    /// The cleaned headline.
    pub(super) head: Line,
    /// The sentences of the text.
    pub(super) body: Vec<Line>,
    /// Sorted shared-run features of the text.
    pub(super) shingles: Vec<u32>,
    /// Tokens in the text.
    pub(super) size: usize,
    /// Whether it is written in Chinese, Japanese or Korean.
    pub(super) cjk: bool,
    /// The language that was used.
    pub(super) lang: String,
    /// Tags that were cut from the headline.
    pub(super) tags: clean::Tags,
}

impl Features {
    /// Reads a headline and a text.
    pub(super) fn read(title: &str, body: &str, lang: &str) -> Self {
        let title = compose(title);
        let body = compose(body);
        let lang = clean::language(&title, &body, lang);
        let (title, tags) = clean::title(&title);
        let body = clean::body(&body);
        let terms = lexicon::of(if matches!(lang.as_str(), "ko" | "ja") { "*" } else { &lang });
        let cjk = matches!(lang.as_str(), "ko" | "ja" | "zh");
        let head = Line::read(&title, &lang, terms);
        let mut lines: Vec<Line> =
            sentences(&body).into_iter().map(|s| Line::read(s, &lang, terms)).collect();
        lines.retain(|l| !l.sentence.tokens.is_empty());
        // a text that opens by repeating its headline is cut by feeds, not by editors
        if lines.len() > 1 && lines.first().is_some_and(|l| l.ids().eq(head.ids())) {
            lines.remove(0);
        }
        let k = run_length(cjk);
        let mut shingles: Vec<u32> = lines.iter().flat_map(|l| l.shingles(k)).collect();
        shingles.sort_unstable();
        shingles.dedup();
        shingles.shrink_to_fit();
        lines.shrink_to_fit();
        let size = lines.iter().map(|l| l.sentence.tokens.len()).sum();
        Self { head, body: lines, shingles, size, cjk, lang, tags }
    }

    /// Whether a claim of the same axis and value stands anywhere in the headline or text.
    pub(super) fn claims(&self, mark: &Mark) -> bool {
        self.lines().flat_map(|l| &l.marks).any(|m| m.agrees(mark))
    }

    /// Whether it is a headline and hardly any text.
    pub(super) fn is_bare(&self) -> bool {
        self.size < if self.cjk { 16 } else { 8 }
    }

    /// The headline, then the sentences.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        std::iter::once(&self.head).chain(&self.body)
    }
}

/// The length of a run that two independent texts seldom share.
pub(super) fn run_length(cjk: bool) -> usize {
    if cjk { 5 } else { 3 }
}

impl Mark {
    /// Whether the two claim the same.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.axis_id == other.axis_id && self.value == other.value
    }
}

impl Line {
    fn read(text: &str, lang: &str, terms: &'static Lexicon) -> Self {
        let dots = matches!(
            lang,
            "de" | "es"
                | "it"
                | "pt"
                | "nl"
                | "tr"
                | "da"
                | "no"
                | "nb"
                | "nn"
                | "sv"
                | "fi"
                | "pl"
                | "id"
                | "el"
        );
        let mut sentence = tokens(text, dots);
        let most = 160;
        sentence.tokens.truncate(most);
        let mut marks: Vec<Mark> = quantities(&sentence, lang).into_iter().map(quantity_mark).collect();
        let mut content = vec![true; sentence.tokens.len()];
        let spaced = format!(" {}", sentence.text);
        for (start, end, meaning) in terms.find(&spaced) {
            let (start, end) = (start.saturating_sub(1), end.saturating_sub(1));
            let first = sentence.tokens.partition_point(|t| t.end() <= start);
            let last = sentence.tokens.partition_point(|t| t.start() < end);
            if first >= last {
                continue;
            }
            match meaning.role {
                Role::Stop => content.iter_mut().take(last).skip(first).for_each(|c| *c = false),
                Role::Number => {
                    let value = meaning.values.first().and_then(|v| v.parse().ok()).unwrap_or(0.0);
                    if !marks.iter().any(|m| m.quantity.is_some() && m.first < last && first < m.last) {
                        marks.push(quantity_mark(Quantity {
                            sort: Sort::Count,
                            value,
                            digits: 1,
                            first,
                            last,
                        }));
                    }
                }
                role => marks.extend(meaning.values.iter().map(|value| Mark {
                    role,
                    axis: meaning.axis,
                    axis_id: meaning.axis_id,
                    value: hash(value.as_bytes()),
                    pole: pole(meaning.axis, value),
                    first,
                    last,
                    quantity: None,
                })),
            }
        }
        let mut line = Self { sentence, marks, content, grams: Vec::new() };
        line.grams = line.pairs();
        // Hundreds of articles are kept for days.
        line.sentence.text.shrink_to_fit();
        line.sentence.tokens.shrink_to_fit();
        line.marks.shrink_to_fit();
        line.grams.shrink_to_fit();
        line
    }

    /// The ids of the tokens.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.sentence.tokens.iter().map(|t| t.id)
    }

    /// One hash per run of `k` tokens.
    pub(super) fn shingles(&self, k: usize) -> impl Iterator<Item = u32> {
        let k = k.min(self.sentence.tokens.len()).max(1);
        self.sentence.tokens.windows(k).map(|run| {
            run.iter().fold(0x9e37_79b9, |h: u32, t| (h.rotate_left(5) ^ t.id).wrapping_mul(0x0100_0193))
        })
    }

    /// How many of its content words have no form in the other article.
    pub(super) fn foreign_words(&self, other: &Features) -> usize {
        let stem = |l: &Self, i: usize| l.words(i, i + 1).chars().take(5).collect::<String>();
        let theirs: Vec<String> =
            other.lines().flat_map(|l| (0..l.sentence.tokens.len()).map(|i| stem(l, i))).collect();
        (0..self.sentence.tokens.len())
            .filter(|i| self.content.get(*i) == Some(&true) && !theirs.contains(&stem(self, *i)))
            .count()
    }

    /// The text of a range of tokens.
    pub(super) fn words(&self, first: usize, last: usize) -> &str {
        let start = self.sentence.tokens.get(first).map_or(0, |t| t.start());
        let end = last.checked_sub(1).and_then(|l| self.sentence.tokens.get(l)).map_or(start, |t| t.end());
        self.sentence.text.get(start..end).unwrap_or("")
    }

    fn pairs(&self) -> Vec<u32> {
        let list = &self.sentence.tokens;
        let mut grams: Vec<u32> = Vec::with_capacity(list.len());
        for (i, token) in list.iter().enumerate() {
            if token.kind == Kind::Character {
                if let Some(next) = list.get(i + 1).filter(|n| n.kind == Kind::Character) {
                    grams.push(token.id.rotate_left(7) ^ next.id);
                }
            } else if self.content.get(i) == Some(&true) {
                grams.push(token.id);
            }
        }
        grams.sort_unstable();
        grams
    }

    /// Whether the token at `i` is a syllable of a spaced script, whose words are whole runs.
    pub(super) fn spaced(&self, i: usize) -> bool {
        self.sentence
            .tokens
            .get(i)
            .and_then(|t| self.sentence.text.get(t.start()..t.end()))
            .and_then(|t| t.chars().next())
            .is_some_and(is_hangul)
    }
}

fn quantity_mark(q: Quantity) -> Mark {
    let (axis, axis_id) = match q.sort {
        Sort::Amount => ("amount", 0),
        Sort::Percent => ("percentage", 1),
        Sort::Year => ("year", 2),
        Sort::Count => ("number", 3),
    };
    let value = hash(&q.value.to_bits().to_le_bytes());
    Mark {
        role: Role::Number,
        axis,
        axis_id,
        value,
        pole: 0,
        first: q.first,
        last: q.last,
        quantity: Some(q),
    }
}

fn pole(axis: &str, value: &str) -> i8 {
    match (axis, value) {
        ("accord", "reached")
        | ("consent" | "claim", "yes")
        | ("paper", "done" | "ratify" | "initial")
        | ("course", "begins") => 1,
        ("accord", "failed") | ("consent" | "claim", "no") | ("paper", "put off") | ("course", "ends") => -1,
        _ => 0,
    }
}
