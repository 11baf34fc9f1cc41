//! The words that can contradict each other, by language.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, MatchKind};

use super::token::{compose, fold, is_cjk};

const TABLE: &str = include_str!("lexicon.txt");

/// How a term counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Two values of one axis contradict.
    Opposite,
    /// Who and where.
    Entity,
    /// A spelled-out number.
    Number,
    /// Matters when only one side has it.
    Lone,
    /// Editors swap the terms of one group freely.
    Same,
    /// Carries no content.
    Stop,
}

/// What one term means.
#[derive(Debug, Clone)]
pub(super) struct Meaning {
    /// How it counts.
    pub(super) role: Role,
    /// The axis, for a person.
    pub(super) axis: &'static str,
    /// Number of the axis.
    pub(super) axis_id: u16,
    /// Its values on that axis.
    pub(super) values: Vec<&'static str>,
    open: bool,
}

/// The terms of one language.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    patterns: Vec<String>,
    /// What each pattern means.
    meanings: Vec<Box<[Meaning]>>,
    /// Made when first needed: most houses read a few languages, and it takes longer than to read an article.
    automaton: OnceLock<Option<AhoCorasick>>,
}

/// Axes below this number are the sorts of quantities.
pub(super) const FIRST_AXIS: u16 = 4;

static ALL: LazyLock<BTreeMap<&'static str, Lexicon>> = LazyLock::new(load);
static NONE: LazyLock<Lexicon> = LazyLock::new(Lexicon::default);

/// The terms for a primary language tag.
pub(super) fn of(lang: &str) -> &'static Lexicon {
    ALL.get(lang).or_else(|| ALL.get("*")).unwrap_or(&NONE)
}

/// The languages with a section of their own.
pub(super) fn languages() -> impl Iterator<Item = &'static str> {
    ALL.keys().copied().filter(|l| *l != "*")
}

/// The languages of which a folded word is a small one, such as "the".
pub(super) fn small_word(word: &str) -> Option<&'static [&'static str]> {
    static SMALL: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
        let mut small: HashMap<&str, Vec<&str>> = HashMap::new();
        for (lang, lexicon) in ALL.iter() {
            for (pattern, meanings) in lexicon.patterns.iter().zip(&lexicon.meanings) {
                let word = pattern.strip_prefix(' ').filter(|word| !word.contains(' '));
                if let Some(word) = word.filter(|_| meanings.iter().any(|m| m.role == Role::Stop && !m.open))
                {
                    small.entry(word).or_default().push(lang);
                }
            }
        }
        small
    });
    SMALL.get(word).map(Vec::as_slice)
}

impl Lexicon {
    /// Every term found in a folded text with a leading space: byte range and meanings.
    pub(super) fn find<'a>(
        &'static self,
        text: &'a str,
    ) -> impl Iterator<Item = (usize, usize, &'static Meaning)> + 'a {
        let make =
            || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&self.patterns).ok();
        self.automaton.get_or_init(make).iter().flat_map(move |automaton| {
            automaton.find_iter(text).flat_map(move |hit| {
                let word = text.get(hit.start()..).is_some_and(|t| t.starts_with(' '));
                let next = text.get(hit.end()..).and_then(|t| t.chars().next());
                let whole = next.is_none_or(|c| !c.is_alphabetic() || is_cjk(c));
                let start = if word { hit.start() + 1 } else { hit.start() };
                let meanings: &'static [Meaning] =
                    self.meanings.get(hit.pattern().as_usize()).map_or(&[], Box::as_ref);
                meanings.iter().filter(move |m| !word || whole || m.open).map(move |m| (start, hit.end(), m))
            })
        })
    }
}

fn load() -> BTreeMap<&'static str, Lexicon> {
    let mut axes: Vec<&'static str> = Vec::new();
    let mut terms: BTreeMap<&'static str, BTreeMap<String, Vec<Meaning>>> = BTreeMap::new();
    let mut sections: Vec<&'static str> = Vec::new();
    for line in TABLE.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(names) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            sections = names.split_whitespace().collect();
            continue;
        }
        let Some((head, list)) = line.split_once(':') else { continue };
        let mut head = head.splitn(3, ' ');
        let (role, rest) = (head.next().unwrap_or(""), (head.next(), head.next()));
        let (role, axis, value) = match (role, rest) {
            ("opposite", (Some(axis), Some(value))) => (Role::Opposite, axis, value),
            ("entity", (Some(axis), Some(value))) => (Role::Entity, axis, value),
            ("lone", (Some(axis), value)) => (Role::Lone, axis, value.unwrap_or("")),
            ("number", (Some(value), _)) => (Role::Number, "number", value),
            ("same", (Some(value), _)) => (Role::Same, "same", value),
            _ => (Role::Stop, "stop", ""),
        };
        let at = axes.iter().position(|a| *a == axis).unwrap_or_else(|| {
            axes.push(axis);
            axes.len() - 1
        });
        let axis_id = FIRST_AXIS + u16::try_from(at).unwrap_or(0);
        for term in list.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            let open = term.ends_with('*');
            let folded =
                fold(&compose(term.trim_end_matches('*'))).replace(['\'', '’', '.'], "").replace('-', " ");
            let key = if folded.chars().next().is_some_and(is_cjk) { folded } else { format!(" {folded}") };
            let meaning = Meaning { role, axis, axis_id, values: value.split('+').collect(), open };
            for lang in &sections {
                terms.entry(lang).or_default().entry(key.clone()).or_default().push(meaning.clone());
            }
        }
    }
    let common = terms.get("*").cloned().unwrap_or_default();
    terms
        .into_iter()
        .map(|(lang, own)| (lang, build(if lang == "zh" { merged(&common, own) } else { own })))
        .collect()
}

fn merged(
    common: &BTreeMap<String, Vec<Meaning>>,
    own: BTreeMap<String, Vec<Meaning>>,
) -> BTreeMap<String, Vec<Meaning>> {
    let mut all = common.clone();
    for (term, meanings) in own {
        all.entry(term).or_default().extend(meanings);
    }
    all
}

fn build(terms: BTreeMap<String, Vec<Meaning>>) -> Lexicon {
    // Thousands of short lists, kept for good.
    let tight = |(term, meanings): (String, Vec<Meaning>)| (term, meanings.into_boxed_slice());
    let (patterns, meanings): (Vec<String>, Vec<Box<[Meaning]>>) = terms.into_iter().map(tight).unzip();
    Lexicon { patterns, meanings, automaton: OnceLock::new() }
}
