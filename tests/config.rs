//! The configuration, from the outside: files in, a `Config` or every complaint out.
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
use std::fs;
use std::path::Path;
use std::time::Duration;

use burdenwatch::cli::Outcome;
use burdenwatch::cli::check;
use burdenwatch::config::load::{Compiled, Loaded, load, load_again, load_with};
use burdenwatch::config::{Config, Quiet, Security, Transport};
use burdenwatch::problem::{Problem, Severity, Source};
use tempfile::TempDir;

/// What every configuration needs, and nothing else; line 1 to 2.
const MAIL: &str = "[mail]\nfrom = \"watch@example.org\"\n";
/// A feed and a subscription that nothing is to be said about.
const REST: &str = "[[feed]]\nname = \"F\"\nurl = \"https://f.example/rss\"\n\
    [[subscription]]\nname = \"s\"\nto = [\"desk@example.org\"]\ndigest = { at = \"07:30\" }\n";

fn no_rules(_: &[Source]) -> Compiled<()> {
    Compiled { rules: Some(()), rule_count: 0, topics: None, problems: Vec::new() }
}

/// Writes files into a new directory, and loads the first.
fn load_files(files: &[(&str, &str)], env: &[(&str, &str)]) -> (TempDir, Result<Loaded<()>, Vec<Problem>>) {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let path = dir.path().join(files[0].0);
    let here = dir.path().to_str().unwrap().to_owned();
    let loaded = load_with(
        &path,
        &|name| {
            let found =
                env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.replace("DIR", &here));
            found.or_else(|| (name == "STATE_DIRECTORY").then(|| format!("{here}/state")))
        },
        no_rules,
    );
    (dir, loaded)
}

/// The configuration of one file.
fn config(text: &str) -> Config {
    let (_dir, loaded) = load_files(&[("b.toml", text)], &[]);
    loaded.unwrap_or_else(|problems| panic!("{}", rendered(&problems))).config
}

/// Everything said about some files, with the directory taken out.
fn said(files: &[(&str, &str)], env: &[(&str, &str)]) -> String {
    let (dir, loaded) = load_files(files, env);
    let problems = match loaded {
        Ok(loaded) => loaded.problems,
        Err(problems) => problems,
    };
    rendered(&problems).replace(&format!("{}/", dir.path().display()), "")
}

fn rendered(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_least_configuration_has_the_defaults_of_the_manual() {
    let config = config(&format!("{MAIL}{REST}"));
    let polling = &config.polling;
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    assert_eq!(
        (polling.every, polling.min_every, polling.max_every),
        (minutes(15), minutes(5), minutes(120))
    );
    assert!(polling.adaptive && polling.proxy.is_none() && polling.allow_networks.is_empty());
    assert_eq!((polling.concurrency, polling.per_host, polling.max_body), (32, 1, 20 << 20));
    assert_eq!((polling.host_gap, polling.timeout), (Duration::from_secs(2), Duration::from_secs(30)));
    let named =
        polling.user_agent.starts_with(concat!("burdenwatch/", env!("CARGO_PKG_VERSION"), " (+https://"));
    assert!(named, "{}", polling.user_agent);
    assert_eq!(config.service.time_zone_name, "UTC");
    assert_eq!(config.service.retention, minutes(180 * 24 * 60));
    assert!(config.service.state_dir.ends_with("state"));
    assert!(matches!(&config.mail.transport, Transport::Directory(dir) if dir.ends_with("state/outbox")));
    assert_eq!(config.mail.retry, [1, 5, 15, 60, 240].map(minutes));
    let subscription = &config.subscriptions[0];
    assert_eq!(subscription.topics, ["*"]);
    assert!(subscription.alerts && subscription.quiet_hours.is_none());
    assert_eq!((subscription.alert_wait, subscription.alerts_per_hour), (minutes(3), 6));
    let digest = subscription.digest.as_ref().unwrap();
    assert_eq!((digest.days.len(), digest.quiet), (7, Quiet::Send));
    let feed = &config.feeds[0];
    assert!(feed.enabled && !feed.official && !feed.critical && !feed.tls_insecure);
}

#[test]
fn defaults_give_way_to_what_is_written() {
    let seconds = |seconds: u64| Duration::from_secs(seconds);
    for (written, every, min, max) in [
        ("every = \"1s\"", 1, 1, 7_200),
        ("max_every = \"1m\"", 60, 60, 60),
        ("min_every = \"3h\"", 10_800, 10_800, 10_800),
        ("every = \"1d\"", 86_400, 300, 86_400),
    ] {
        let polling = config(&format!("[polling]\n{written}\n{MAIL}{REST}")).polling;
        assert_eq!(
            (polling.every, polling.min_every, polling.max_every),
            (seconds(every), seconds(min), seconds(max)),
            "{written}"
        );
    }
    for (security, port) in [("tls", 465), ("starttls", 587), ("none", 25)] {
        let text = format!("{MAIL}transport = \"smtp\"\n[mail.smtp]\nsecurity = \"{security}\"\n{REST}");
        let Transport::Smtp(smtp) = config(&text).mail.transport else { panic!("no smtp") };
        assert_eq!(smtp.port, port, "{security}");
    }
}

#[test]
fn the_state_directory_is_systemds_then_the_users() {
    let text = format!("{MAIL}{REST}");
    for (env, expected) in [
        (vec![("STATE_DIRECTORY", "/a:/b"), ("XDG_STATE_HOME", "/x")], Some("/a")),
        (vec![("STATE_DIRECTORY", ""), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")], Some("/x/burdenwatch")),
        (
            vec![("STATE_DIRECTORY", ""), ("XDG_STATE_HOME", "relative"), ("HOME", "/h")],
            Some("/h/.local/state/burdenwatch"),
        ),
        (vec![("STATE_DIRECTORY", "")], None),
    ] {
        let (_dir, loaded) = load_files(&[("b.toml", &text)], &env);
        let found = loaded.ok().map(|loaded| loaded.config.service.state_dir);
        assert_eq!(found.as_deref(), expected.map(Path::new), "{env:?}");
    }
}

#[test]
fn a_password_comes_from_a_file_a_credential_or_the_environment() {
    let smtp = format!("{MAIL}transport = \"smtp\"\n[mail.smtp]\nusername = \"w\"\n");
    let named = format!("{smtp}password_file = \"pw\"\n{REST}");
    let plain = format!("{smtp}{REST}");
    let variable = ("BURDENWATCH_SMTP_PASSWORD", "from variable");
    let directory = ("CREDENTIALS_DIRECTORY", "DIR/cred");
    for (files, env, expected) in [
        (
            vec![("b.toml", named.as_str()), ("pw", "from file\n")],
            vec![variable, directory],
            Some("from file"),
        ),
        (
            vec![("b.toml", &plain), ("cred/smtp_password", "from credential\r\n")],
            vec![variable, directory],
            Some("from credential"),
        ),
        (vec![("b.toml", &plain)], vec![variable, directory], Some("from variable")),
        (vec![("b.toml", &plain), ("cred/smtp_password", " two ends \n\n")], vec![directory], None),
        (vec![("b.toml", &plain)], vec![], None),
    ] {
        let (_dir, loaded) = load_files(&files, &env);
        let found = loaded.ok().map(|loaded| match loaded.config.mail.transport {
            Transport::Smtp(smtp) => smtp.login.unwrap().1.expose().to_owned(),
            other => panic!("{other:?}"),
        });
        assert_eq!(found.as_deref(), expected, "{files:?}");
    }
}

#[test]
fn a_client_beyond_loopback_needs_a_token() {
    let text = format!("[service]\nlisten = \"0.0.0.0:9108\"\n{MAIL}{REST}");
    let env = [("CREDENTIALS_DIRECTORY", "DIR/cred")];
    let (_dir, loaded) = load_files(&[("b.toml", &text), ("cred/listen_token", "t\n")], &env);
    assert_eq!(loaded.unwrap().config.service.listen_token.unwrap().expose(), "t");
}

#[test]
fn included_files_are_read_in_order_and_once() {
    let main = format!(
        "{MAIL}{REST}[feeds]\nfiles = [\"feeds/*.toml\", \"feeds/b.toml\"]\n[rules]\nfiles = [\"r.toml\"]\n"
    );
    let feed = |name: &str| format!("[[feed]]\nname = \"{name}\"\nurl = \"https://{name}.example/\"\n");
    let (b, a) = (feed("b"), feed("a"));
    let files = [
        ("m.toml", main.as_str()),
        ("feeds/b.toml", &b),
        ("feeds/a.toml", &a),
        ("feeds/.c.toml", "!"),
        ("r.toml", "x = 1"),
    ];
    let (_dir, loaded) = load_files(&files, &[]);
    let config = loaded.unwrap().config;
    let names: Vec<_> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
    assert_eq!(names, ["F", "a", "b"]);
    assert_eq!(config.rule_sources.len(), 1);
    assert_eq!(&*config.rule_sources[0].text, "x = 1");
}

#[test]
fn complaints_of_the_rule_compiler_stop_the_load_and_unknown_topics_do_not() {
    let text =
        format!("{MAIL}[rules]\nfiles = [\"r.toml\"]\n{REST}topics = [\"us-japn\", \"nato\", \"*\"]\n");
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("b.toml"), text).unwrap();
    fs::write(dir.path().join("r.toml"), "when = \"x\"\n").unwrap();
    let load = |problem: fn(&Source) -> Problem| {
        load_with(&dir.path().join("b.toml"), &|_| Some("/s".to_owned()), |sources| Compiled {
            rules: Some(7),
            rule_count: 3,
            topics: Some(BTreeSet::from(["us-japan".to_owned(), "nato".to_owned()])),
            problems: vec![problem(&sources[0])],
        })
    };
    let problems = load(|source| Problem::error(source, 7..10, "no such set")).unwrap_err();
    let whats: Vec<_> = problems.iter().map(|problem| problem.what.as_str()).collect();
    assert_eq!(whats, ["no rule has the topic or id `us-japn`", "no such set"]);
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean \"us-japan\"?"));
    let loaded = load(|source| Problem::warning(source, 7..10, "a thin rule")).unwrap();
    assert_eq!((loaded.rules, loaded.rule_count, loaded.problems.len()), (7, 3, 2));
}

#[test]
fn rules_that_have_not_changed_are_not_compiled_again() {
    let rules = |word: &str| {
        format!("[sets.a]\nen = [\"{word}\"]\n[[rule]]\nid = \"a\"\ntopic = \"t\"\nwhen = \"a\"\n")
    };
    let dir = tempfile::tempdir().unwrap();
    let (path, file) = (dir.path().join("b.toml"), dir.path().join("rules.toml"));
    fs::write(&file, rules("burden sharing")).unwrap();
    fs::write(&path, format!("[rules]\nfiles = [\"rules.toml\"]\n{MAIL}{REST}")).unwrap();
    let first = load(&path).unwrap();
    let again = load_again(&path, &first.rules).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first.rules, &again.rules));
    assert_eq!(again.rule_count, 1);
    fs::write(&file, rules("cost sharing")).unwrap();
    let changed = load_again(&path, &first.rules).unwrap();
    assert_ne!(changed.rules.hash(), first.rules.hash());
    fs::write(&file, "[[rule]]\n").unwrap();
    assert!(load_again(&path, &changed.rules).is_err());
}

#[test]
fn check_prints_every_place_and_a_summary() {
    let run = |text: &str, strict| {
        let (dir, loaded) = load_files(&[("b.toml", text)], &[]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let outcome = check::report(
            &check::Args { strict, online: false },
            Path::new("b.toml"),
            &loaded,
            &mut out,
            &mut err,
        )
        .unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "check writes nothing");
        (outcome, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap().contains("b.toml:"))
    };
    let good = format!("{MAIL}{REST}");
    let odd = format!("{MAIL}{REST}[polling]\nevery = \"5s\"\n");
    let done = |line: &str, place| (Outcome::Success, line.to_owned(), place);
    let refused = |line: &str| (Outcome::BadConfig, line.to_owned(), true);
    assert_eq!(run(&good, true), done("b.toml: 1 feed, 0 rules, 1 subscription: ok\n", false));
    assert_eq!(run(&odd, false), done("b.toml: 1 feed, 0 rules, 1 subscription: ok, 1 warning\n", true));
    assert_eq!(
        run(&odd, true),
        refused("b.toml: 1 feed, 0 rules, 1 subscription: 1 warning, and --strict\n")
    );
    assert_eq!(run("x = 1\n", false), refused("b.toml: 2 errors\n"));
}

/// The shipped example as it stands, and with every key that is commented out.
#[test]
fn the_shipped_example_loads_and_shows_every_key() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let text = fs::read_to_string(root.join("burdenwatch.toml")).unwrap();
    let env = |name: &str| (name == "STATE_DIRECTORY").then(|| "/var/lib/burdenwatch".to_owned());
    let loaded = load_with(&root.join("burdenwatch.toml"), &env, no_rules)
        .unwrap_or_else(|p| panic!("{}", rendered(&p)));
    let enabled = loaded.config.feeds.iter().filter(|feed| feed.enabled).count();
    assert_eq!(enabled, 24, "the default set");
    assert!(loaded.config.feeds.iter().all(|feed| feed.language.is_some() && !feed.tags.is_empty()));
    let feeds_said = loaded.problems.iter().filter(|problem| !problem.what.contains("rules/*.toml")).count();
    assert_eq!(feeds_said, 0, "{}", rendered(&loaded.problems));

    let all: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let all = all.replace("/run/secrets/", "./").replace("transport = \"directory\"", "transport = \"smtp\"");
    let files = [
        ("b.toml", all.as_str()),
        ("smtp", "x"),
        ("feed", "x"),
        ("listen_token", "x"),
        ("templates/alert.txt", ""),
        ("rules/r.toml", ""),
        ("feeds/f.toml", ""),
    ];
    let (_dir, loaded) = load_files(&files, &[]);
    let loaded = loaded.unwrap_or_else(|problems| panic!("{}", rendered(&problems)));
    assert!(loaded.config.service.operator.is_some() && loaded.config.mail.templates.is_some());
    let Transport::Smtp(smtp) = &loaded.config.mail.transport else { panic!("no smtp") };
    assert_eq!((smtp.security, smtp.login.is_some(), smtp.hello.is_some()), (Security::StartTls, true, true));
    let sections = [
        "[service]",
        "[polling]",
        "[feeds]",
        "[rules]",
        "[mail]",
        "[mail.smtp]",
        "[[feed]]",
        "[[subscription]]",
    ];
    for section in sections {
        // A key that does not exist makes the loader tell those that do.
        let broken = all.replacen(&format!("\n{section}"), &format!("\n{section}\nzzzzzzzzzzzz = 1"), 1);
        let (_dir, loaded) = load_files(&[&[("b.toml", broken.as_str())], &files[1..]].concat(), &[]);
        let problems = loaded.unwrap_err();
        let hint = problems.iter().find(|p| p.what.contains("zzz")).and_then(|p| p.hint.clone()).unwrap();
        let part = all.split(&format!("\n{section}")).nth(1).unwrap().split("\n[").next().unwrap();
        for key in hint.strip_prefix("known here: ").unwrap().split(", ").filter(|key| *key != "smtp") {
            assert!(part.lines().any(|line| line.starts_with(&format!("{key} ="))), "{section} {key}");
        }
    }
    assert!(loaded.problems.iter().all(|problem| problem.severity == Severity::Warning));
}

#[path = "config/mistakes.rs"]
mod mistakes;
