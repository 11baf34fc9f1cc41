//! The README keeps its word: its commands run as printed, its tables name every key, its index every command.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");
const EXAMPLE: &str = include_str!("../config/burdenwatch.toml");
const PROGRAM: &str = env!("CARGO_BIN_EXE_burdenwatch");

/// The README's code blocks of a language, each with the line it begins on.
fn blocks(language: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, usize, String)> = None;
    for (number, line) in README.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(name), None) => open = Some((name == language, number + 2, String::new())),
            (Some(_), Some(_)) => {
                let (wanted, start, text) = open.take().unwrap();
                if wanted {
                    blocks.push((start, text));
                }
            }
            (None, Some((.., text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block is not closed");
    blocks
}

#[test]
fn every_shell_block_runs_as_printed() {
    let place = tempfile::tempdir().unwrap();
    let bin = place.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(PROGRAM, bin.join("burdenwatch")).unwrap();
    let home = place.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let blocks = blocks("sh");
    assert!(blocks.len() > 5, "the README shows how to use the program");
    // In order and in one directory: later blocks work on what earlier ones made.
    for (line, block) in blocks {
        let done = Command::new("sh")
            .args(["-euc", &block])
            .current_dir(&home)
            .env("PATH", &path)
            .env("HOME", &home)
            .env_remove("BURDENWATCH_CONFIG")
            .env_remove("STATE_DIRECTORY")
            .env_remove("XDG_STATE_HOME")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "README.md:{line}: {}\n{block}\n{said}", done.status);
    }
}

/// A line of the example that is a comment only because it is optional: `#key = value`.
fn uncommented(line: &str) -> &str {
    let optional = line
        .strip_prefix('#')
        .filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()) && rest.contains(" = "));
    optional.unwrap_or(line)
}

/// Every key of the example, under the title of its section; keys of inline tables with a dot.
fn configured() -> BTreeSet<(String, String)> {
    let text: String = EXAMPLE.lines().flat_map(|line| [uncommented(line), "\n"]).collect();
    let table: toml::Table = text.parse().expect("the example with every optional key set is TOML");
    let mut keys = BTreeSet::new();
    for (section, value) in &table {
        match value {
            toml::Value::Array(items) => {
                for item in items {
                    collect(&format!("[[{section}]]"), item.as_table().unwrap(), &mut keys);
                }
            }
            toml::Value::Table(inner) => collect(&format!("[{section}]"), inner, &mut keys),
            _ => panic!("{section} stands outside of any section"),
        }
    }
    keys
}

fn collect(section: &str, table: &toml::Table, keys: &mut BTreeSet<(String, String)>) {
    for (key, value) in table {
        match value.as_table() {
            Some(inner) if section == "[mail]" && key == "smtp" => collect("[mail.smtp]", inner, keys),
            // Headers have names of their own, not of ours.
            Some(inner) if key != "headers" => {
                keys.insert((section.to_owned(), key.clone()));
                keys.extend(inner.keys().map(|part| (section.to_owned(), format!("{key}.{part}"))));
            }
            _ => {
                keys.insert((section.to_owned(), key.clone()));
            }
        }
    }
}

/// Every key in the first column of a table under a heading such as "### `[mail]`".
fn documented() -> BTreeSet<(String, String)> {
    let mut keys = BTreeSet::new();
    let mut section: Option<String> = None;
    for line in README.lines() {
        if line.starts_with('#') {
            let title = line.trim_start_matches('#').trim();
            section = title.strip_prefix("`[").and(Some(title.trim_matches('`').to_owned()));
        }
        if let (Some(section), Some(row)) = (&section, line.strip_prefix("| `")) {
            keys.insert((section.clone(), row.split('`').next().unwrap().to_owned()));
        }
    }
    keys
}

#[test]
fn the_tables_name_every_key_of_the_example_and_no_other() {
    let (configured, documented) = (configured(), documented());
    let undocumented: Vec<_> = configured.difference(&documented).collect();
    let unknown: Vec<_> = documented.difference(&configured).collect();
    assert!(configured.len() > 50, "only {} keys were found", configured.len());
    assert!(undocumented.is_empty(), "not in the README: {undocumented:?}");
    assert!(unknown.is_empty(), "not in config/burdenwatch.toml: {unknown:?}");
}

/// The names in the list of commands that a help text shows.
fn subcommands(path: &[&str]) -> Vec<String> {
    let help = Command::new(PROGRAM).args(path).arg("--help").output().unwrap();
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    let list = help.split("Commands:\n").nth(1).unwrap_or_default();
    list.lines()
        .take_while(|line| line.starts_with("  "))
        // Deeper indentation continues a description.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_is_mentioned() {
    let commands = subcommands(&[]);
    assert!(commands.len() > 15, "{commands:?}");
    let operate = README.split("\n## Operate\n").nth(1).unwrap().split("\n## ").next().unwrap();
    for command in &commands {
        let row =
            operate.lines().find(|line| line.starts_with("| `") && line.contains(&format!("`{command}`")));
        let row = row.unwrap_or_else(|| panic!("`{command}` is in no row of the table of commands"));
        for part in subcommands(&[command.as_str()]) {
            assert!(row.contains(&format!("`{part}")), "`{command} {part}` is not in its row: {row}");
        }
    }
}

#[test]
fn every_metric_in_the_source_is_in_the_table() {
    let source = include_str!("../src/daemon/watch.rs");
    let mut found = 0;
    for piece in source.split('"').skip(1).step_by(2) {
        // Names are snake case and have a help text beside them; labels' values are one word.
        if piece.contains('_') && piece.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            found += 1;
            assert!(
                README.contains(&format!("burdenwatch_{piece}")),
                "the metric {piece} is not in the README"
            );
        }
    }
    assert!(found > 15, "only {found} metrics were found");
}

#[test]
fn what_the_readme_points_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = README.split('`').skip(1).step_by(2).filter(|text| {
        ["src/", "tests/", "config/", "fuzz/", "benches/"].iter().any(|folder| text.starts_with(folder))
    });
    for path in named {
        let path = path.split_whitespace().next().unwrap();
        assert!(root.join(path).exists(), "the README points to {path}, which is not there");
    }
    for anchor in README.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        let is_it = |title: &str| title.to_lowercase().replace(' ', "-").replace(',', "") == anchor;
        let found = README.lines().filter_map(|line| line.strip_prefix("## ")).any(is_it);
        assert!(found, "no chapter has the anchor #{anchor}");
    }
}
