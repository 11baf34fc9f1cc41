//! The literals a regular expression cannot match without, so that it runs only where one of them stands.

use regex_syntax::hir::{Hir, HirKind};

/// A required literal has at least this many characters.
pub(crate) const SHORTEST: usize = 3;

/// Returns a family of literals one of which every match contains; none when
/// there is no such family with long enough members.
pub(crate) fn required(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => family(vec![String::from_utf8(literal.0.to_vec()).ok()?]),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(required).max_by_key(|family| weakest(family)),
        HirKind::Alternation(parts) => {
            let families: Option<Vec<Vec<String>>> = parts.iter().map(required).collect();
            family(families?.concat())
        }
        _ => None,
    }
}

fn family(words: Vec<String>) -> Option<Vec<String>> {
    (words.len() <= 64 && weakest(&words) >= SHORTEST).then_some(words)
}

fn weakest(words: &[String]) -> usize {
    words.iter().map(|word| word.chars().count()).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_found_or_refused() {
        let of = |pattern: &str| required(&regex_syntax::parse(pattern).unwrap());
        assert_eq!(of(r"\d+ billion won"), Some(vec![" billion won".to_owned()]));
        assert_eq!(
            of("(billion|trillion) (won|yen)"),
            Some(vec!["billion".to_owned(), "trillion".to_owned()])
        );
        assert_eq!(of(r"(ab)+\d*"), None);
        assert_eq!(of("(cost)?"), None);
        assert_eq!(of("cost|[a-z]+"), None);
        assert_eq!(of("분담금.{1,9}억"), Some(vec!["분담금".to_owned()]));
    }
}
