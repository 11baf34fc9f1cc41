//! One complaint a kind of mistake, and no panic whatever the bytes.

use proptest::prelude::*;

use super::{MAIL, REST, load_files, said};

/// Each fixture is a file with one kind of mistake, and after `# ---` exactly what is said about it.
#[test]
fn every_kind_of_mistake_is_told() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let mut seen = 0;
    let mut wrong = String::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let (toml, expected) = text.split_once("# ---\n").unwrap_or((&text, ""));
        let told: String = said(&[("b.toml", toml)], &[])
            .lines()
            .map(|l| format!("# {l}").trim_end().to_owned() + "\n")
            .collect();
        if told != expected {
            if std::env::var_os("BLESS_CONFIG").is_some() {
                std::fs::write(&path, format!("{toml}# ---\n{told}")).unwrap();
            }
            wrong += &format!("{}\nexpected:\n{expected}\ntold:\n{told}\n", path.display());
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen >= 20, "fixtures are missing");
}

#[test]
fn mistakes_of_all_files_are_told_in_the_order_of_files_and_lines() {
    let main = format!("[feeds]\nfiles = [\"a.toml\", \"absent.toml\"]\n{MAIL}bogus = 1\n{REST}");
    let told =
        said(&[("b.toml", &main), ("a.toml", "[[feed]]\nname = \"F\"\nurl = \"ftp://x.example/\"\n")], &[]);
    let places: Vec<_> =
        told.lines().filter_map(|line| line.split_once("--> ")).map(|(_, place)| place).collect();
    assert_eq!(places, ["b.toml:2:20", "b.toml:5:1", "a.toml:2:8", "a.toml:3:7"], "{told}");
}

#[test]
fn bytes_that_are_no_text_and_files_that_are_none_have_a_place() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("b.toml");
    let place = || {
        let problems = super::load_with(&path, &|_| None, super::no_rules).unwrap_err();
        problems[0].place().unwrap().replace(dir.path().to_str().unwrap(), "")
    };
    assert_eq!(place(), "/b.toml:1:1");
    std::fs::write(&path, b"[mail]\nfrom = \"\xff\"\n").unwrap();
    assert_eq!(place(), "/b.toml:2:9");
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_printed() {
    let text = format!(
        "{MAIL}[mail.smtp]\npassword = \"hunter2\"\n{REST}[[feed]]\nname = \"G\"\nurl = \"https://u:hunter2@g.example/\"\n\
         basic_auth = {{ username = \"u\", password = \"hunter2\" }}\n"
    );
    let told = said(&[("b.toml", &text)], &[]);
    assert!(!told.contains("hunter2"), "{told}");
    assert_eq!(told.matches("error: ").count(), 3, "{told}");
    assert_eq!(told.matches("password_file").count(), 3, "{told}");
}

/// Lines of configuration, whole or damaged.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        prop::sample::select(vec![
            "[service]",
            "[polling]",
            "[[feed]]",
            "[feed]",
            "[mail",
            "[mail.smtp]",
            "[[subscription]]",
            "[feeds]",
            "[rules]",
            "name = \"x\"",
            "url = \"http://[::1]:99/\"",
            "to = [\"a@b.c\", 1]",
            "digest = { at = \"1:2\" ",
            "every = \"9999999999d\"",
            "port = -1",
            "port = 0x",
            "retry = [[]]",
            "files = [\"*\", \"\"]",
            "time_zone = \"../../etc/passwd\"",
            "from = \"é@é\"",
            "headers = { a = 1, \"\" = \"\" }",
            "password = '''",
            "security = \"none\"",
            "transport = \"smtp\"",
            "username = \"\"",
            "x.y.z = 1",
            "x.y = 2",
            "= 3",
            "\"\" = \"\\u0000\"",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_file_makes_the_loader_panic(lines in prop::collection::vec(line(), 0..24)) {
        let text = lines.join("\n");
        said(&[("b.toml", &text)], &[]);
    }

    #[test]
    fn no_bytes_make_the_loader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (dir, _) = load_files(&[("b.toml", "")], &[]);
        std::fs::write(dir.path().join("b.toml"), &bytes).unwrap();
        let loaded = super::load_with(&dir.path().join("b.toml"), &|_| None, super::no_rules);
        for problem in loaded.err().into_iter().flatten() {
            prop_assert!(!problem.to_string().is_empty());
        }
    }
}
