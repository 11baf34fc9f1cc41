//! The sets of rule files: their patterns read, and put where the automaton finds them.

use std::collections::HashMap;

use crate::problem::{Problem, Source};
use crate::rules::compile::Builder;
use crate::rules::compound::{Also, NO_POINTS};
use crate::rules::expression::{Node, SetId};
use crate::rules::file::{self, File};
use crate::rules::literal;
use crate::rules::normal::Normal;
use crate::rules::pattern::{self, Ends, Variant};
use crate::rules::scan::{Beyond, Entry, Expression};
use crate::rules::set::{Pattern, Set};

/// A regular expression's compiled form may take this many bytes.
const REGEX_SIZE: usize = 1 << 20;

impl Builder {
    /// Reads the sets that all files share. A set may go on in another file, in other languages.
    pub(crate) fn global_sets(&mut self, files: &[File]) {
        let mut parts: Vec<Vec<(&Source, &file::Set)>> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (source, set) in files.iter().flat_map(|file| file.sets.iter().map(|set| (&file.source, set))) {
            let at = *known.entry(&set.name.text).or_insert(parts.len());
            match parts.get_mut(at) {
                None => parts.push(vec![(source, set)]),
                Some(part) => match repeated(part, set) {
                    None => part.push((source, set)),
                    Some(what) => {
                        let what = format!("the set `{}` {what}", set.name.text);
                        let hint = "files share their sets: merge the two, or rename one";
                        self.problems.push(Problem::error(source, set.name.span.clone(), what).hint(hint));
                    }
                },
            }
        }
        for part in parts {
            let id = self.set(&part, None);
            if let Some((_, set)) = part.first() {
                self.globals.insert(set.name.text.clone(), id);
            }
        }
    }

    /// Reads a set that stands in one place or several.
    pub(crate) fn set(&mut self, parts: &[(&Source, &file::Set)], rule: Option<usize>) -> SetId {
        let id = self.sets.len();
        let first = self.patterns.len();
        self.costs.push(1);
        for (source, set) in parts {
            for pattern in &set.patterns {
                match pattern.is_regex() {
                    true => self.regex(source, id, pattern),
                    false => self.literal(source, id, pattern),
                }
                self.patterns.push(pattern.clone());
            }
        }
        let patterns = first..self.patterns.len();
        if let Some((source, set)) = parts.first() {
            let (name, source, span) = (set.name.text.clone(), (*source).clone(), set.name.span.clone());
            self.sets.push(Set { name, patterns, source, span, rule, also: None });
        }
        id
    }

    pub(crate) fn global_compounds(&mut self, files: &[File]) {
        for file in files {
            for set in file.sets.iter().filter(|set| set.also.is_some()) {
                if let Some(id) = self.globals.get(&set.name.text).copied() {
                    self.compound(file, set, id, &HashMap::new());
                }
            }
        }
    }

    /// Reads a set's `also`. It must be sure to find something, and know no points: it belongs to no rule.
    pub(crate) fn compound(
        &mut self,
        file: &File,
        set: &file::Set,
        id: SetId,
        locals: &HashMap<String, SetId>,
    ) {
        let Some(word) = &set.also else { return };
        let Some(expr) = self.expression(file, word, locals) else { return };
        let (mut sets, mut scored) = (Vec::new(), false);
        expr.walk(&mut |part| match part.node {
            Node::Set { id, .. } => sets.push(id),
            Node::Score(_) => scored = true,
            _ => {}
        });
        if scored {
            let what = "`also` knows no score: that belongs to a rule";
            let hint = "write which sets must meet, such as `a near/2 b`";
            self.problems.push(Problem::error(&file.source, word.span.clone(), what).hint(hint));
            return;
        }
        sets.sort_unstable();
        sets.dedup();
        let necessary = self.necessary(&expr, &NO_POINTS).unwrap_or_default();
        if let Some(set) = self.sets.get_mut(id) {
            set.also = Some(Also { expr, sets, necessary, span: word.span.clone() });
        }
    }

    /// Returns the sets that say `also`, each after those it names; complains about those that name each other.
    pub(crate) fn in_order(&mut self) -> Vec<SetId> {
        let mut waiting: Vec<SetId> = (0..self.sets.len())
            .filter(|id| self.sets.get(*id).is_some_and(|set| set.also.is_some()))
            .collect();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let named =
                |id: &SetId| self.sets.get(*id).and_then(|set| set.also.as_ref()).map(|also| &also.sets);
            let ready =
                |id: &SetId| named(id).is_none_or(|sets| !sets.iter().any(|set| waiting.contains(set)));
            let (now, later): (Vec<SetId>, Vec<SetId>) = waiting.iter().partition(|id| ready(id));
            if now.is_empty() {
                break;
            }
            order.extend(now);
            waiting = later;
        }
        for set in waiting.iter().filter_map(|id| self.sets.get(*id)) {
            let span = set.also.as_ref().map_or(set.span.clone(), |also| also.span.clone());
            let what = format!("the set `{}` leads back to itself through `also`", set.name);
            self.problems.push(
                Problem::error(&set.source, span, what)
                    .hint("let one of the sets stand by its patterns alone"),
            );
        }
        order
    }

    fn literal(&mut self, source: &Source, set: SetId, pattern: &Pattern) {
        let (variants, mistakes) = pattern::read(pattern.text(), pattern.lang());
        for mistake in mistakes {
            let span = pattern.place(mistake.span);
            let problem = match mistake.fatal {
                true => Problem::error(source, span, mistake.what),
                false => Problem::warning(source, span, mistake.what),
            };
            self.problems.push(problem.hint(mistake.hint));
        }
        let number = self.patterns.len() as u32;
        if let Some(cost) = self.costs.get_mut(set) {
            *cost += variants.iter().map(expected).sum::<usize>();
        }
        for variant in variants {
            let beyond = Beyond::of(&variant, &mut self.shapes);
            let entry = Entry { set: set as u32, pattern: number, ends: variant.ends, beyond };
            self.literals.add(&variant.head.text, entry);
        }
    }

    fn regex(&mut self, source: &Source, set: SetId, pattern: &Pattern) {
        let span = pattern.span();
        let text = pattern.text();
        let number = self.patterns.len() as u32;
        let regex = regex::RegexBuilder::new(text).size_limit(REGEX_SIZE).dfa_size_limit(REGEX_SIZE).build();
        let (regex, hir) = match (regex, regex_syntax::parse(text)) {
            (Ok(regex), Ok(hir)) => (regex, hir),
            (Err(error), _) => {
                let what = format!("the regular expression is refused: {}", last_line(&error.to_string()));
                self.problems.push(
                    Problem::error(source, span, what).hint("see https://docs.rs/regex for the syntax"),
                );
                return;
            }
            (_, Err(error)) => {
                let what = format!("the regular expression is refused: {}", last_line(&error.to_string()));
                self.problems.push(
                    Problem::error(source, span, what).hint("see https://docs.rs/regex for the syntax"),
                );
                return;
            }
        };
        let Some(family) = literal::required(&hir) else {
            let what = "the regular expression can match without any fixed word";
            let hint = format!(
                "let it contain at least {} fixed characters in a row in every branch",
                literal::SHORTEST
            );
            self.problems.push(Problem::error(source, span, what).hint(hint));
            return;
        };
        for word in family {
            if Normal::of(&word).text() != word.trim() {
                let what = format!("`{word}` never stands in a normalised text");
                let hint = "texts are folded first: small letters, no accents, single spaces for hyphens";
                self.problems.push(Problem::warning(source, span.clone(), what).hint(hint));
            }
            let beyond = Beyond::Regex(self.regexes.len() as u32);
            self.literals.add(&word, Entry { set: set as u32, pattern: number, ends: Ends::FREE, beyond });
        }
        self.regexes.push(Expression { regex, set, pattern: number });
    }
}

/// Says what a set that goes on repeats.
fn repeated(before: &[(&Source, &file::Set)], set: &file::Set) -> Option<String> {
    let known = |lang: &str| before.iter().any(|(_, other)| other.patterns.iter().any(|p| p.lang() == lang));
    if set.also.is_some() && before.iter().any(|(_, other)| other.also.is_some()) {
        return Some("has an `also` elsewhere".to_owned());
    }
    let lang = set.patterns.iter().map(Pattern::lang).find(|lang| known(lang))?;
    Some(format!("is defined twice in `{lang}`"))
}

/// Guesses how often a variant occurs: short literals often, long ones hardly ever.
fn expected(variant: &Variant) -> usize {
    10_000 / variant.head.text.len().pow(2).max(1)
}

fn last_line(message: &str) -> &str {
    message.lines().last().unwrap_or(message).trim_start_matches("error: ")
}
