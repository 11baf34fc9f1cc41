//! The import order of the house, read from its source.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

/// What each part may name of the house besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("problem", &[]),
    ("news", &["problem"]),
    ("rules", &["problem"]),
    ("digest", &["problem"]),
    ("config", &["problem", "time", "news", "rules", "digest"]),
    ("fetch", &["problem", "time", "news", "rules", "digest", "config"]),
    ("store", &["problem", "time", "news", "rules", "digest", "config"]),
    ("mail", &["problem", "time", "news", "rules", "digest", "config"]),
    ("flow", &["problem", "time", "news", "rules", "digest", "config", "fetch", "store", "mail"]),
    ("daemon", &["problem", "time", "news", "rules", "digest", "config", "fetch", "store", "mail", "flow"]),
    (
        "cli",
        &["problem", "time", "news", "rules", "digest", "config", "fetch", "store", "mail", "flow", "daemon"],
    ),
];

/// The parts that are functions of their arguments.
const PURE: &[&str] = &["news", "rules", "digest"];
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "::now()",
    "async fn",
    "rand::",
    "fastrand",
    ".await",
    "reqwest",
    "rusqlite",
];

/// A source file: its part, its path below `src`, its code without tests and comments.
struct File {
    part: String,
    path: PathBuf,
    code: String,
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut open, mut tests) = (Vec::new(), vec![root.clone()], Vec::new());
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let below = path.strip_prefix(&root).unwrap().to_owned();
                let part =
                    below.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
                let text = std::fs::read_to_string(&path).unwrap();
                tests.extend(test_files(&below, &text));
                found.push(File { part, code: code(&text), path: below });
            }
        }
    }
    found.retain(|file| !tests.contains(&file.path));
    assert!(found.len() > 100, "the sources were found");
    found
}

/// The files a source declares for tests only.
fn test_files(path: &Path, text: &str) -> Vec<PathBuf> {
    let dir =
        if path.ends_with("mod.rs") { path.parent().unwrap().to_owned() } else { path.with_extension("") };
    let after = text.split("#[cfg(test)]\n").skip(1);
    let declared = after.filter_map(|rest| {
        rest.lines().find(|line| !line.starts_with("#["))?.strip_prefix("mod ")?.strip_suffix(';')
    });
    declared.map(|name| dir.join(format!("{name}.rs"))).collect()
}

/// Drops comments, and everything from the tests on.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod ").next().unwrap();
    body.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

fn complain(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn each_part_imports_downward_only() {
    let mut broken = Vec::new();
    for file in files().iter().filter(|file| !matches!(file.part.as_str(), "main" | "lib")) {
        let (_, may_use) = MAY_USE
            .iter()
            .find(|(part, _)| *part == file.part)
            .unwrap_or_else(|| panic!("{} belongs to no layer", file.path.display()));
        for named in file.code.split("crate::").skip(1) {
            let part: String = named.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // What else stands at the root are macros.
            let is_part = MAY_USE.iter().any(|(known, _)| *known == part);
            if is_part && part != file.part && !may_use.contains(&part.as_str()) {
                broken.push(format!("{} names crate::{part}", file.path.display()));
            }
        }
    }
    complain(broken);
}

#[test]
fn imports_are_one_a_line_so_that_the_order_can_be_read() {
    let grouped = files().into_iter().filter(|file| file.code.contains("use crate::{"));
    complain(grouped.map(|file| format!("{} groups `use crate::{{`", file.path.display())).collect());
}

#[test]
fn what_decides_has_no_clock_no_input_no_chance() {
    let mut broken = Vec::new();
    for file in files().iter().filter(|file| PURE.contains(&file.part.as_str())) {
        for word in IMPURE.iter().filter(|word| file.code.contains(**word)) {
            broken.push(format!("{} has {word}", file.path.display()));
        }
    }
    complain(broken);
}

#[test]
fn sql_stands_in_the_store_alone() {
    let speaks = |file: &File| {
        file.part != "store"
            && ["rusqlite::", "SELECT ", "INSERT INTO", "DELETE FROM"]
                .iter()
                .any(|word| file.code.contains(word))
    };
    complain(
        files()
            .into_iter()
            .filter(speaks)
            .map(|file| format!("{} speaks SQL", file.path.display()))
            .collect(),
    );
}

#[test]
fn the_clock_is_asked_in_one_place() {
    let asks = |file: &File| {
        file.part != "time"
            && ["Timestamp::now()", "Zoned::now()", "SystemTime::now()"]
                .iter()
                .any(|word| file.code.contains(word))
    };
    complain(
        files()
            .into_iter()
            .filter(asks)
            .map(|file| format!("{} asks what time it is", file.path.display()))
            .collect(),
    );
}

#[test]
fn main_is_short() {
    let main = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 40);
}
