//! What is allowed in rule files and still a likely mistake.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use crate::problem::{Problem, Source};
use crate::rules::expression::{Expr, Nearness, Node, SetId};
use crate::rules::fold::fold;
use crate::rules::normal::Normal;
use crate::rules::pattern::Variant;
use crate::rules::scan::Found;
use crate::rules::script::{Class, DECIMAL};
use crate::rules::set::{Pattern, Rule, RuleSet};

/// A distance in half-units beyond which two words have little to do with each other.
const FAR: u32 = 60;

/// Returns a warning for each finding.
pub(crate) fn lint(rules: &RuleSet) -> Vec<Problem> {
    let mut problems = Vec::new();
    unused(rules, &mut problems);
    shadowed(rules, &mut problems);
    let alone = deciding_alone(rules);
    for (number, pattern) in rules.patterns.iter().enumerate() {
        if alone.iter().any(|patterns| patterns.contains(&number)) {
            problems.extend(short(pattern));
        }
        problems.extend(foreign(pattern));
    }
    repeated(rules, &mut problems);
    for rule in &rules.rules {
        far(rule, &mut problems);
    }
    untested(rules, &mut problems);
    overlapping(rules, &mut problems);
    problems
}

fn unused(rules: &RuleSet, problems: &mut Vec<Problem>) {
    let mut used: HashSet<SetId> = rules.rules.iter().flat_map(|rule| rule.sets.iter().copied()).collect();
    // Those that name others come last, so that one look backwards is enough.
    for set in rules.compounds.iter().rev().filter_map(|id| Some((id, rules.sets.get(*id)?.also.as_ref()?))) {
        if used.contains(set.0) {
            used.extend(&set.1.sets);
        }
    }
    for (_, set) in rules.sets.iter().enumerate().filter(|(id, _)| !used.contains(id)) {
        let what = format!("no rule uses the set `{}`", set.name);
        problems.push(
            Problem::warning(&set.source, set.span.clone(), what).hint("use it in a `when`, or remove it"),
        );
    }
}

fn shadowed(rules: &RuleSet, problems: &mut Vec<Problem>) {
    let shared: BTreeMap<&str, &Source> = rules
        .sets
        .iter()
        .filter(|set| set.rule.is_none())
        .map(|set| (set.name.as_str(), &set.source))
        .collect();
    for set in rules.sets.iter().filter(|set| set.rule.is_some()) {
        if let Some(source) = shared.get(set.name.as_str()) {
            let what = format!("the set `{}` hides the shared one of that name", set.name);
            let hint = format!("rename it; the shared one is in {}", source.path.display());
            problems.push(Problem::warning(&set.source, set.span.clone(), what).hint(hint));
        }
    }
}

/// The patterns of sets that decide without company: a short word among them decides by chance.
fn deciding_alone(rules: &RuleSet) -> Vec<Range<usize>> {
    let mut sets = Vec::new();
    for rule in &rules.rules {
        let vetoes = rule.unless.as_ref().map(|(expr, _)| expr);
        for expr in std::iter::once(&rule.when).chain(vetoes) {
            alternatives(expr, &mut sets);
        }
    }
    sets.into_iter().filter_map(|id| rules.sets.get(id).map(|set| set.patterns.clone())).collect()
}

/// The sets one occurrence of which makes an expression hold.
fn alternatives(expr: &Expr, sets: &mut Vec<SetId>) {
    match &expr.node {
        Node::Set { id, least, .. } if *least <= 1 => sets.push(*id),
        Node::Or(parts) | Node::Of(1, parts) => parts.iter().for_each(|part| alternatives(part, sets)),
        _ => {}
    }
}

/// Warns about patterns so short that they stand in many other words.
fn short(pattern: &Pattern) -> Option<Problem> {
    let variants = pattern.variants();
    let (text, cased) = variants.iter().filter_map(shortest).min_by_key(|(text, _)| text.chars().count())?;
    let letters = text.chars().filter(|c| fold(*c).first.class.is_letter()).count();
    let cjk = text.chars().all(|c| fold(c).first.class.is_cjk());
    let (what, hint) = match (cjk, letters) {
        (true, ..=2) => (
            format!("`{text}` has {letters} characters and is part of many other words"),
            "write a longer word, or use it only with `near`",
        ),
        (false, ..=3) if !cased => (
            format!("`{text}` has {letters} letters and capitals do not matter"),
            "write `=SMA` for an abbreviation, or a longer word",
        ),
        _ => return None,
    };
    Some(Problem::warning(pattern.source(), pattern.span(), what).hint(hint))
}

fn shortest(variant: &Variant) -> Option<(&str, bool)> {
    variant.rest.is_empty().then_some((variant.head.text.as_str(), variant.head.capitals.is_some()))
}

/// Warns about a pattern whose letters its language does not use.
fn foreign(pattern: &Pattern) -> Option<Problem> {
    let normal = Normal::of(pattern.text());
    let is_known = |c: char| {
        let class = fold(c).first.class;
        // What numbers are written with is written everywhere.
        let latin = c.is_ascii_alphanumeric() || matches!(c, '\u{c0}'..='\u{24f}' | '%' | DECIMAL);
        match pattern.lang().split(['-', '_']).next().unwrap_or_default() {
            "ko" => latin || matches!(class, Class::Hangul | Class::Han),
            "ja" => latin || matches!(class, Class::Han | Class::Hiragana | Class::Katakana),
            "zh" => latin || class == Class::Han,
            "ru" | "uk" | "bg" | "mk" | "be" | "kk" | "mn" | "sr" => {
                latin || matches!(c, '\u{400}'..='\u{52f}')
            }
            "el" => latin || matches!(c, '\u{370}'..='\u{3ff}'),
            "ar" | "fa" | "ur" | "ps" => latin || class == Class::Arabic || c.is_numeric(),
            "he" => latin || matches!(c, '\u{590}'..='\u{5ff}'),
            "th" | "lo" | "km" | "my" => latin || class == Class::Free,
            "en" | "de" | "fr" | "es" | "it" | "pt" | "nl" | "pl" | "cs" | "sk" | "hu" | "ro" | "sl"
            | "hr" | "sq" | "da" | "no" | "nb" | "nn" | "sv" | "fi" | "is" | "et" | "lv" | "lt" | "lb"
            | "tr" | "id" | "ms" | "tl" | "vi" | "ca" | "ga" | "mt" => latin,
            _ => true,
        }
    };
    let stranger = normal.text().chars().find(|c| fold(*c).first.class.is_letter() && !is_known(*c))?;
    let what =
        format!("`{}` holds `{stranger}`, which is not written in `{}`", pattern.text(), pattern.lang());
    Some(Problem::warning(pattern.source(), pattern.span(), what).hint("move it to the list of its language"))
}

/// Warns about patterns that another pattern already covers.
fn repeated(rules: &RuleSet, problems: &mut Vec<Problem>) {
    let together: HashSet<(SetId, SetId)> = rules
        .rules
        .iter()
        .flat_map(|rule| rule.sets.iter().flat_map(|a| rule.sets.iter().map(|b| (*a, *b))))
        .collect();
    let mut found = Found::default();
    let mut told: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (set, info) in rules.sets.iter().enumerate() {
        for number in info.patterns.clone() {
            let Some(pattern) = rules.patterns.get(number) else { continue };
            let variants = pattern.variants();
            let spellings: Vec<String> = variants.iter().map(written).collect();
            // Every spelling must be covered, else the pattern still adds something.
            let mut covers: Option<BTreeMap<usize, (SetId, bool)>> = None;
            for (spelling, variant) in spellings.iter().zip(&variants) {
                let here = rules.scanner.covers(spelling, rules.sets.len(), &mut found);
                let here: BTreeMap<usize, (SetId, bool)> = here
                    .into_iter()
                    .filter(|covering| !covering.at_end || reaches(rules, covering.pattern, variant))
                    .map(|covering| (covering.pattern, (covering.set, covering.whole)))
                    .collect();
                covers = Some(match covers {
                    None => here,
                    Some(before) => {
                        before.into_iter().filter(|(other, _)| here.contains_key(other)).collect()
                    }
                });
            }
            for (other, (other_set, whole)) in
                covers.into_iter().flatten().filter(|(other, _)| *other != number)
            {
                let Some(rival) = rules.patterns.get(other) else { continue };
                let what = match (other_set == set, whole) {
                    (true, _) => {
                        format!("`{}` is already covered by `{}` in this set", pattern.text(), rival.text())
                    }
                    (false, true)
                        if together.contains(&(set, other_set)) && cased(pattern) != cased(rival) =>
                    {
                        let name = rules.sets.get(other_set).map_or("", |set| set.name.as_str());
                        format!("`{}` stands in the set `{name}` too, as `{}`", pattern.text(), rival.text())
                    }
                    _ => continue,
                };
                if told.insert((number.min(other), number.max(other))) {
                    let hint = "remove one of the two";
                    problems.push(Problem::warning(pattern.source(), pattern.span(), what).hint(hint));
                }
            }
        }
    }
}

/// Whether a pattern also covers what a star or a plural of `variant` adds at the end.
fn reaches(rules: &RuleSet, rival: usize, variant: &Variant) -> bool {
    if !variant.ends.star && !variant.ends.plural {
        return true;
    }
    let rivals = rules.patterns.get(rival).map(Pattern::variants).unwrap_or_default();
    rivals.iter().any(|rival| rival.ends.star || !variant.ends.star && rival.ends.plural)
}

fn cased(pattern: &Pattern) -> bool {
    pattern.variants().iter().any(|variant| variant.head.capitals.is_some())
}

/// Returns a variant as a text it matches.
fn written(variant: &Variant) -> String {
    let piece = |piece: &crate::rules::pattern::Piece| match &piece.capitals {
        None => piece.text.clone(),
        Some(capitals) => piece
            .text
            .char_indices()
            .map(
                |(at, c)| {
                    if capitals.get(at) == Some(&true) { c.to_uppercase().next().unwrap_or(c) } else { c }
                },
            )
            .collect(),
    };
    std::iter::once(&variant.head).chain(&variant.rest).map(piece).collect()
}

fn far(rule: &Rule, problems: &mut Vec<Problem>) {
    let mut visit = |expr: &Expr| {
        if let Node::Pair(Nearness::Near(units) | Nearness::Then(units), ..) = &expr.node
            && *units > FAR
        {
            let what = format!("{} words apart is hardly near", units / 2);
            let span = rule.written.when.place(expr.span.clone());
            problems.push(
                Problem::warning(&rule.source, span, what).hint("use `same` for a sentence, or 30 or less"),
            );
        }
    };
    rule.when.walk(&mut visit);
}

fn untested(rules: &RuleSet, problems: &mut Vec<Problem>) {
    let reports = rules.reports();
    let fired: HashSet<&str> =
        reports.iter().flat_map(|report| report.fired.iter().map(String::as_str)).collect();
    let refused: HashSet<&str> = reports
        .iter()
        .flat_map(|report| report.outcomes.iter().filter(|outcome| !outcome.wanted))
        .map(|outcome| outcome.rule.as_str())
        .collect();
    let silent = rules.tests.iter().any(|(_, test)| test.demands_silence());
    for rule in &rules.rules {
        let mut warn = |what: String, hint: &str| {
            problems.push(Problem::warning(&rule.source, rule.written.id.span.clone(), what).hint(hint));
        };
        let id = &rule.info.id;
        if !fired.contains(id.as_str()) {
            warn(format!("no test makes the rule `{id}` fire"), "add a [[test]] with `match`");
        }
        if !refused.contains(id.as_str()) && !silent {
            warn(format!("no test says what the rule `{id}` must leave alone"), "add a [[test]] with `no`");
        }
    }
    for (source, test) in rules.tests.iter().filter(|(_, test)| test.matches.is_none() && test.no.is_none()) {
        let what = "this test demands nothing";
        problems.push(Problem::warning(source, test.span.clone(), what).hint("give it `match` or `no`"));
    }
}

/// Warns about two rules that fire on nearly the same tests.
fn overlapping(rules: &RuleSet, problems: &mut Vec<Problem>) {
    let mut tests_of: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (at, report) in rules.reports().iter().enumerate() {
        for rule in &report.fired {
            tests_of.entry(rule).or_default().insert(at);
        }
    }
    let tested: Vec<(&Rule, &BTreeSet<usize>)> =
        rules.rules.iter().filter_map(|rule| Some((rule, tests_of.get(rule.info.id.as_str())?))).collect();
    for (at, (rule, tests)) in tested.iter().enumerate() {
        for (other, others) in tested.iter().take(at) {
            let (both, either) = (tests.intersection(others).count(), tests.union(others).count());
            if either > 1 && both * 5 > either * 4 {
                let what = format!(
                    "`{}` and `{}` fire on {both} of {either} tests alike",
                    other.info.id, rule.info.id
                );
                let span = rule.written.id.span.clone();
                let hint = "merge them, or add tests that tell them apart";
                problems.push(Problem::warning(&rule.source, span, what).hint(hint));
            }
        }
    }
}
