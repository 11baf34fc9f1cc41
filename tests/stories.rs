//! The grouping against the project's own labelled pairs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, missing_docs, reason = "tests")]

use burdenwatch::cli::stories::measure;

fn plain(markup: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in markup.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.replace("&nbsp;", " ").replace("&amp;", "&").replace("&quot;", "\"")
}

fn check(file: &str, precision: f64, recall: f64) {
    let report = measure(&std::fs::read_to_string(file).unwrap(), plain).unwrap();
    for e in &report.errors {
        eprintln!("{} {} grouped={} {}", e.id, e.label, e.grouped, e.evidence);
    }
    eprintln!("{file}: tp {} fp {} fn {} tn {} P {:.3} R {:.3}", report.tp, report.fp, report.missed, report.tn, report.precision, report.recall);
    assert!(report.precision >= precision && report.recall >= recall, "{file}: precision {:.3}, recall {:.3}", report.precision, report.recall);
}

#[test]
fn development_pairs() {
    check("tests/stories/development.jsonl", 0.98, 0.95);
}

#[test]
fn held_out_pairs() {
    check("tests/stories/held-out.jsonl", 0.98, 0.95);
}
