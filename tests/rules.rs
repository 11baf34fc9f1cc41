//! The rule language from outside: mistakes, findings, scripts, mutation of the shipped pack.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use burdenwatch::problem::{Severity, Source};
use burdenwatch::rules::builtin;
use burdenwatch::rules::outcome::{Article, Level, Match};
use burdenwatch::rules::set::RuleSet;

fn compile(text: &str) -> RuleSet {
    let compiled = RuleSet::compile(&[Source::new("t.toml", text.to_owned())]);
    compiled.set.unwrap_or_else(|| panic!("{:#?}", compiled.problems))
}

fn findings(text: &str, severity: Severity) -> Vec<String> {
    let compiled = RuleSet::compile(&[Source::new("t.toml", text.to_owned())]);
    let wanted = compiled.problems.iter().filter(|problem| problem.severity == severity);
    wanted.map(|problem| format!("{}: {}", problem.place().unwrap_or_default(), problem.what)).collect()
}

/// A rule set with one rule over one set of one pattern.
fn one(lang: &str, pattern: &str) -> RuleSet {
    compile(&format!("[sets.a]\n{lang} = ['{pattern}']\n[[rule]]\nid = \"r\"\nwhen = \"a\"\n"))
}

fn title(rules: &RuleSet, title: &str) -> Vec<Match> {
    rules.evaluate(&Article { title, ..Article::default() })
}

#[test]
fn patterns_meet_the_writings_of_their_script() {
    for (lang, pattern, meets, leaves) in [
        ("en", "=SMA", vec!["the SMA.", "S.M.A. talks", "ＳＭＡ", "のSMAを"], vec!["Sma", "SMAP", "sma'll"]),
        (
            "en",
            "cost share",
            vec!["cost shares", "Cost-Share", "cost\u{a0}share"],
            vec!["cost, share", "cost shared"],
        ),
        (
            "en",
            "share* the cost*",
            vec!["shared the costs", "shares the cost"],
            vec!["share of the cost", "ashare the cost"],
        ),
        ("de", "Lastenteilung*", vec!["lastenteilungen"], vec!["Entlastenteilung"]),
        ("fr", "coût", vec!["COUT", "cou\u{302}t"], vec!["couts"]),
        ("tr", "ISI", vec!["ısı", "İSİ", "isi"], vec!["ısın"]),
        ("el", "δαπάνης", vec!["ΔΑΠΑΝΗΣ"], vec!["δαπάνη"]),
        ("ru", "ещё", vec!["ЕЩЕ"], vec!["ещёё"]),
        ("ru", "йод", vec!["Йод"], vec!["иод"]),
        ("ja", "ホスト", vec!["ﾎｽﾄ", "ホスト国", "ドナー・ホスト"], vec!["ホストー", "ゴホスト"]),
        ("ja", "思いやり予算", vec!["「思いやり」予算"], vec!["思いやり、予算"]),
        ("zh", "駐軍費", vec!["驻军费", "駐軍費用"], vec!["駐軍"]),
        ("ko", "분담금", vec!["방위비분담금을", "분담 금"], vec!["분담, 금"]),
        ("ko", "협정", vec!["협정을", "새 협정", "협정에서 ", "SMA협정"], vec!["재협정", "협정문"]),
        ("ar", "دفاع", vec!["الدفاع", "وللدفاع", "بدفاع", "دِفَاع"], vec!["مدفاع", "دفاعي"]),
        ("ar", "أعباء", vec!["اعباء"], vec!["اعباءهم"]),
        ("th", "ค่าใช้จ่าย", vec!["แบ่งค่าใช้จ่ายทหาร"], vec!["ค่าใช้"]),
    ] {
        let rules = one(lang, pattern);
        for text in meets {
            assert_eq!(title(&rules, text).len(), 1, "`{pattern}` should meet `{text}`");
        }
        for text in leaves {
            assert_eq!(title(&rules, text).len(), 0, "`{pattern}` should leave `{text}`");
        }
    }
}

#[test]
fn a_short_noun_may_run_into_another_pattern_of_its_rule() {
    let rules = compile(
        "[sets.a]\nko = [\"한국\"]\n[sets.b]\nko = [\"방위비\"]\n[[rule]]\nid = \"r\"\nwhen = \"a and b\"\n\
         [[rule]]\nid = \"s\"\nwhen = \"a\"\n",
    );
    let ids: Vec<String> = title(&rules, "한국방위비").into_iter().map(|fired| fired.id).collect();
    assert_eq!(ids, ["r"]);
}

#[test]
fn distances_scopes_counts_and_scores() {
    let base = "[sets.a]\nen = [\"apple\"]\n[sets.b]\nen = [\"berry\"]\n[sets.c]\nja = [\"日本\"]\n[[rule]]\nid = \"r\"\n";
    for (when, text, fires) in [
        ("a near/2 b", "berry one two apple", true),
        ("a near/2 b", "berry one two three apple", false),
        ("a then/2 b", "berry one apple", false),
        ("a near/2 c", "apple 防衛費日本", true),
        ("a near/1 c", "apple 防衛費日本", false),
        ("a same b", "Apple is 3.5 up. Berry fell", false),
        ("a same b", "Apple is 3.5 up, berry fell", true),
        ("a away/2 b", "apple berry", false),
        ("a away/2 b", "apple berry one two three apple", true),
        ("a#>=2", "apple apple", true),
        ("a#>=2", "apple", false),
        ("2 of (a, b, c)", "apple 日本", true),
        ("2 of (a, b, c)", "apple", false),
        ("summary:a", "apple", false),
        ("score >= 2", "apple berry", true),
        ("score >= 2", "apple", false),
        ("a and not b", "apple", true),
        ("a and not b", "apple berry", false),
    ] {
        let rules = compile(&format!(
            "{base}when = \"{when}\"\n[rule.score]\nweights = {{ a = 1, b = 1 }}\ncap = 1\n"
        ));
        assert_eq!(!title(&rules, text).is_empty(), fires, "{when}: {text}");
    }
}

#[test]
fn a_match_says_why() {
    let rules = compile(
        "[sets.a]\nen = [\"host nation support\"]\n[sets.b]\nen = [\"japan\"]\n[sets.n]\nen = [\"world cup\"]\n\
         [[rule]]\nid = \"r\"\nstatus = \"experimental\"\nwhen = '''b#>=9 or\n  (a  near/5 b)'''\nunless = \"n\"\n\
         [rule.score]\nweights = { a = 5, b = 1 }\ntitle_x = 3\n",
    );
    let text = "World Cup: Japan’s “host-nation” support";
    let fired = &title(&rules, text)[0];
    assert_eq!((fired.branch.as_str(), fired.score, fired.level), ("a near/5 b", 18, Level::Digest));
    assert_eq!(fired.vetoed_by.as_deref(), Some("n"));
    let hits: Vec<_> = fired.hits.iter().map(|hit| (hit.set.as_str(), &text[hit.start..hit.end])).collect();
    assert_eq!(hits, [("b", "Japan"), ("a", "host-nation” support")]);
    assert!(fired.hits.iter().all(|hit| text[hit.start..hit.end] == hit.text));
    assert!(!fired.counts());
}

#[test]
fn a_match_is_lifted_to_an_alert_where_its_rule_says_so() {
    let rule = |status: &str| {
        compile(&format!(
            "[sets.a]\nen = [\"cost sharing\"]\n[sets.b]\nen = [\"sign*\"]\n[[rule]]\nid = \"r\"\nwhen = \"a\"\n\
             level = \"digest\"\nstatus = \"{status}\"\nalert_when = \"title:b\"\n"
        ))
    };
    let level = |rules: &RuleSet, headline: &str| title(rules, headline)[0].level;
    assert_eq!(level(&rule("stable"), "Cost sharing signed"), Level::Alert);
    assert_eq!(level(&rule("stable"), "Cost sharing explained"), Level::Digest);
    assert_eq!(level(&rule("experimental"), "Cost sharing signed"), Level::Digest);
    let tested = |level: &str| {
        compile(&format!(
            "[sets.a]\nen = [\"cost sharing\"]\n[[rule]]\nid = \"r\"\nwhen = \"a\"\nlevel = \"digest\"\n\
             [[test]]\ntitle = \"Cost sharing\"\nmatch = [\"r\"]\nlevel = \"{level}\"\n"
        ))
    };
    assert_eq!(tested("digest").failures(), []);
    assert!(tested("alert").failures()[0].what.contains("`r` fired as digest"));
    let alert = "[sets.a]\nen = [\"cost sharing\"]\n[[rule]]\nid = \"r\"\nwhen = \"a\"\nalert_when = \"a\"\n";
    let errors = findings(alert, Severity::Error);
    assert!(errors[0].contains("`alert_when` lifts"), "{errors:?}");
}

#[test]
fn a_set_may_also_stand_where_others_meet() {
    let sets = "[sets.us]\nen = [\"American\"]\nfr = [\"américain*\"]\n[sets.troops]\nen = [\"soldier\"]\nfr = [\"soldats\"]\n\
                [sets.forces]\nen = [\"=USFK\"]\nalso = \"troops near/1 us\"\n[sets.cost]\nen = [\"cost\"]\n\
                [sets.upkeep]\nalso = \"cost near/3 forces\"\n";
    let rules = compile(&format!(
        "{sets}[[rule]]\nid = \"r\"\nwhen = \"upkeep\"\n[rule.score]\nweights = {{ forces = 5 }}\n"
    ));
    for (headline, fires) in [
        ("The cost of American soldiers", true),
        ("The cost of USFK", true),
        ("Le cost des soldats américains", true),
        ("The cost of soldiers", false),
        ("American cost of soldiers", false),
    ] {
        let fired = title(&rules, headline);
        assert_eq!(!fired.is_empty(), fires, "{headline}");
        // What stands in the text are patterns, not what they make together.
        for hit in fired.iter().flat_map(|fired| &fired.hits) {
            assert!(["us", "troops", "forces", "cost"].contains(&hit.set.as_str()), "{hit:?}");
        }
        assert!(fired.iter().all(|fired| fired.score == 5), "{headline}");
    }
    let rule = "[[rule]]\nid = \"r\"\nwhen = \"a\"\n";
    for (sets, what) in [
        ("[sets.a]\nalso = \"b\"\n[sets.b]\nalso = \"a\"\n", "leads back to itself"),
        ("[sets.b]\nen = [\"word\"]\n[sets.a]\nalso = \"b and score >= 3\"\n", "knows no score"),
        ("[sets.a]\nalso = \"c near b\"\n", "there is no set `c`"),
        ("[sets.b]\nen = [\"word\"]\n[sets.a]\nalso = \"not b\"\n", "not"),
    ] {
        let errors = findings(&format!("{sets}{rule}"), Severity::Error);
        assert!(errors.iter().any(|error| error.contains(what)), "{sets}: {errors:?}");
    }
}

#[test]
fn a_set_may_go_on_in_another_file_in_other_languages() {
    let rule = "[sets.a]\nen = [\"cost\"]\n[[rule]]\nid = \"r\"\nwhen = \"a\"\n";
    let both = |other: &str| {
        RuleSet::compile(&[Source::new("en.toml", rule), Source::new("other.toml", other.to_owned())])
    };
    let rules = both("[sets.a]\nfr = [\"coût\"]\n").set.unwrap();
    for (headline, pattern) in [("The cost", "cost"), ("Le coût", "coût")] {
        assert_eq!(title(&rules, headline)[0].hits[0].pattern, pattern);
    }
    let problems = both("[sets.a]\nen = [\"price\"]\n").problems;
    assert!(problems[0].what.contains("defined twice in `en`"), "{problems:?}");
    assert_eq!(problems[0].place().as_deref(), Some("other.toml:1:7"));
}

#[test]
fn points_that_decide_are_shown_with_what_earned_them() {
    let rules = compile(
        "[sets.a]\nen = [\"apple\"]\n[sets.b]\nen = [\"berry\"]\n[[rule]]\nid = \"r\"\nwhen = \"score >= 5\"\n\
         [rule.score]\nweights = { a = 3, b = 2 }\n",
    );
    let fired = title(&rules, "An apple and a berry");
    let hits: Vec<&str> = fired[0].hits.iter().map(|hit| hit.text.as_str()).collect();
    assert_eq!(hits, ["apple", "berry"]);
}

#[test]
fn every_mistake_is_found_at_once_with_its_place() {
    let text = "shema = 1\n[sets.a]\nen = [\"cost\", \"(x\"]\n[sets.e]\nen = []\n[sets.f]\nen = [{ re = \"a+\" }]\n\
                [[rule]]\nid = \"r\"\nwhen = \"a and b or a\"\nlevel = \"alret\"\n[[rule]]\nid = \"r\"\nwhen = \"not a\"\n\
                [[test]]\ntitle = \"x\"\nmatch = [\"q\"]\n";
    assert_eq!(
        findings(text, Severity::Error),
        [
            "t.toml:1:1: unknown key `shema`",
            "t.toml:3:16: `(` is not closed",
            "t.toml:4:7: the set `e` is empty",
            "t.toml:7:14: the regular expression can match without any fixed word",
            "t.toml:10:15: there is no set `b`",
            "t.toml:10:17: `and` and `or` are mixed without brackets",
            "t.toml:11:9: `level` cannot be `alret`",
            "t.toml:13:6: the rule id `r` is taken",
            "t.toml:14:9: this holds for articles in which nothing was found",
            "t.toml:17:10: there is no rule `q`",
        ]
    );
}

#[test]
fn likely_mistakes_are_warnings() {
    let text = "[sets.a]\nen = [\"cost sharing\", \"cost sharing talks\", \"ab\"]\nko = [\"일본\", \"ценаx\", \"3.5%\"]\n[sets.b]\nen = [\"=NATO\"]\n\
                [sets.c]\nen = [\"nato\"]\n[sets.u]\nen = [\"unused\"]\n[[rule]]\nid = \"r\"\nwhen = \"a near/40 b or c\"\n\
                [rule.sets.c]\nen = [\"nato\"]\n[[test]]\ntitle = \"nothing\"\n";
    let text = text.replace("a near/40 b or c", "(a near/40 b) or c");
    assert_eq!(findings(&text, Severity::Error), Vec::<String>::new());
    assert_eq!(
        findings(&text, Severity::Warning),
        [
            "t.toml:2:23: `cost sharing talks` is already covered by `cost sharing` in this set",
            "t.toml:3:13: `ценаx` holds `ц`, which is not written in `ko`",
            "t.toml:5:7: `=NATO` stands in the set `c` too, as `nato`",
            "t.toml:6:7: no rule uses the set `c`",
            "t.toml:8:7: no rule uses the set `u`",
            "t.toml:11:6: no test makes the rule `r` fire",
            "t.toml:11:6: no test says what the rule `r` must leave alone",
            "t.toml:12:10: 40 words apart is hardly near",
            "t.toml:13:12: the set `c` hides the shared one of that name",
            "t.toml:15:1: this test demands nothing",
        ]
    );
}

#[test]
fn a_failed_test_shows_what_came_nearest() {
    let rules = compile(
        "[sets.a]\nen = [\"apple\"]\n[sets.b]\nen = [\"berry\"]\n[[rule]]\nid = \"r\"\nwhen = \"a near/1 b\"\n\
         [[test]]\ntitle = \"apple one two three berry\"\nmatch = [\"r\"]\n[[test]]\ntitle = \"apple berry\"\nno = [\"r\"]\n",
    );
    let failures: Vec<String> = rules.failures().into_iter().map(|problem| problem.what).collect();
    assert_eq!(failures[0].split(": ").nth(1).unwrap(), "`r` did not fire (`a near/1 b`");
    assert!(
        failures[0].contains("the nearest are 3 words apart; found a \"apple\", b \"berry\""),
        "{}",
        failures[0]
    );
    assert!(failures[1].contains("`r` fired: a near/1 b (a \"apple\", b \"berry\")"), "{}", failures[1]);
}

#[test]
fn nothing_in_an_article_makes_it_panic() {
    let rules = RuleSet::compile(&builtin::sources()).set.unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let odd = [
        "\u{0}",
        "\u{1}",
        "\u{2}",
        "\u{301}",
        "\u{3099}",
        "ﾞ",
        "\u{1160}",
        "ㄱ",
        "ㅏ",
        "가",
        "ᆨ",
        "ß",
        "ﬁ",
        "㈱",
        "U.",
        ".",
        "\u{ad}",
        "\u{202e}",
        "😀",
        "👩\u{200d}🚀",
        "İ",
        "ǅ",
        "日本",
        "S.M.A",
        "\n",
        "￼",
        "\u{10ffff}",
        "ノ",
        "・",
        "ﾎﾟ",
        "host nation support",
    ];
    for _ in 0..5_000 {
        let text: String = (0..random.usize(0..20)).map(|_| *random.choice(&odd).unwrap()).collect();
        for fired in rules.evaluate(&Article { title: &text, summary: &text, ..Article::default() }) {
            for hit in fired.hits {
                assert_eq!(text.get(hit.start..hit.end), Some(hit.text.as_str()));
            }
        }
    }
    let long = "japan host nation support korea ".repeat(20_000);
    assert!(!rules.evaluate(&Article { title: &long, summary: &long, ..Article::default() }).is_empty());
}

#[test]
fn a_set_that_no_test_guards_is_named() {
    let rules = compile(
        "[sets.a]\nen = [\"apple\"]\n[sets.b]\nen = [\"berry\"]\n[[rule]]\nid = \"r\"\nwhen = \"a or b\"\n\
         [[test]]\ntitle = \"apple\"\nmatch = [\"r\"]\n",
    );
    assert_eq!(rules.unguarded(), [("r".to_owned(), "b".to_owned())]);
}

#[test]
fn short_words_are_warned_of_where_they_decide_alone() {
    let warned = |when: &str| {
        let text = format!(
            "[sets.a]\nko = [\"일본\"]\n[sets.b]\nen = [\"berry\"]\n[[rule]]\nid = \"r\"\nwhen = \"{when}\"\n\
             [[test]]\ntitle = \"일본 berry\"\nmatch = [\"r\"]\n"
        );
        let problems = RuleSet::compile(&[Source::new("t.toml", text.to_owned())]).problems;
        problems.iter().any(|problem| problem.what.contains("`일본` has 2 characters"))
    };
    assert!(warned("a or b"));
    assert!(!warned("a near/5 b"));
}

#[test]
fn a_test_of_the_shipped_pack_guards_each_set_of_each_rule() {
    let rules = RuleSet::compile(&builtin::sources()).set.unwrap();
    let unguarded = rules.unguarded();
    assert!(unguarded.is_empty(), "no [[test]] fails without these: {unguarded:?}");
}
