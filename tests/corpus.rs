//! The shipped pack measured on the project's own labelled articles, written without sight of the rules.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::collections::BTreeSet;

use burdenwatch::news::text;
use burdenwatch::rules::builtin;
use burdenwatch::rules::corpus::Figures;
use burdenwatch::rules::outcome::Article;
use burdenwatch::rules::set::RuleSet;

/// Figures below which a change of the pack is a step back.
const PRECISION: f64 = 0.95;
const RECALL: f64 = 0.80;

fn lines() -> Vec<serde_json::Value> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/labelled.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_corpus_is_large_mixed_and_half_look_alikes() {
    let lines = lines();
    let of =
        |key: &str| lines.iter().map(|line| line[key].as_str().unwrap_or_default()).collect::<BTreeSet<_>>();
    assert!(lines.len() >= 300);
    assert_eq!(of("id").len(), lines.len(), "every id once");
    assert!(of("lang").len() >= 12);
    let relevant = lines.iter().filter(|line| line["label"] == 1).count();
    assert!((2 * relevant).abs_diff(lines.len()) < lines.len() / 10);
}

#[test]
fn the_shipped_pack_keeps_its_floors() {
    let rules = RuleSet::compile(&builtin::sources()).set.unwrap();
    let mut figures = Figures::new(&rules);
    for line in lines() {
        let text_of = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let (title, summary, lang) =
            (text::title(&text_of("title")), text::plain(&text_of("summary")), text_of("lang"));
        let article = Article { title: &title, summary: &summary, lang: &lang, ..Article::default() };
        figures.judge(&rules, &text_of("id"), &article, line["label"] == 1);
    }
    let (precision, recall) = (figures.overall.precision(), figures.overall.recall());
    assert!(precision >= PRECISION, "precision {precision:.3}");
    assert!(recall >= RECALL, "recall {recall:.3}");
}
