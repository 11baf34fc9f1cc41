//! Random rules and articles, for the evaluator and the plain one of [`reference`](crate::rules::reference) to agree on.

use crate::problem::Source;
use crate::rules::outcome::{Article, Level};
use crate::rules::reference::{Text, evaluate};
use crate::rules::set::RuleSet;

const WORDS: [&str; 39] = [
    "cost",
    "costs",
    "sharing",
    "U.S.",
    "S.M.A.",
    "SMA",
    "sma",
    "Japan",
    "japanese",
    "host",
    "nation",
    "support",
    "pay",
    "日本",
    "在日",
    "米軍",
    "駐留",
    "経費",
    "サポート",
    "ホスト",
    "한국",
    "한미",
    "방위비",
    "분담",
    "분담금",
    "협정",
    "은",
    "에서",
    "Kosten",
    "деньги",
    "ёлка",
    "دفاع",
    "F-35",
    "國",
    "5",
    "5%",
    "%5",
    "3.5",
    "1,519",
];
const GAPS: [&str; 14] = [" ", " ", " ", "", "", "-", "・", ", ", ". ", "。", "\n", "」", "'", "/"];

fn phrase(random: &mut fastrand::Rng, most: usize) -> String {
    let mut text = String::new();
    for _ in 0..random.usize(1..=most) {
        text += random.choice(WORDS).unwrap();
        text += random.choice(GAPS).unwrap();
    }
    text
}

fn pattern(random: &mut fastrand::Rng) -> String {
    // No pattern contains what separates hard; within a number a point is none.
    let plain = |word: &str| {
        if word.contains(|c: char| c.is_ascii_digit()) {
            word.to_owned()
        } else {
            word.replace(['.', '-'], "")
        }
    };
    let mut words: Vec<String> =
        (0..random.usize(1..=3)).map(|_| plain(random.choice(WORDS).unwrap())).collect();
    for word in &mut words {
        if random.u8(0..5) == 0 {
            word.push('*');
        }
    }
    format!("{}{}", if random.u8(0..5) == 0 { "=" } else { "" }, words.join(" "))
}

fn expression(random: &mut fastrand::Rng, depth: usize) -> String {
    let set = |random: &mut fastrand::Rng| format!("s{}", random.u8(0..5));
    if depth == 0 {
        return match random.u8(0..7) {
            0 => format!("title:{}", set(random)),
            6 => format!("body:{}", set(random)),
            1 => format!("{}#>=2", set(random)),
            _ => set(random),
        };
    }
    let mut part = || expression(random, depth - 1);
    let (a, b, c) = (part(), part(), part());
    let n = random.u8(0..7);
    match random.u8(0..10) {
        0 => format!("(({a}) and ({b}))"),
        1 => format!("(({a}) or ({b}) or ({c}))"),
        2 => format!("(({a}) and not ({b}))"),
        3 => format!("2 of ({}, {}, {})", set(random), set(random), set(random)),
        4 => format!("(({a}) and score >= {n})"),
        5 => format!("(({a}) then/{n} ({b}))"),
        6 => format!("(({a}) away/{n} ({b}))"),
        7 => format!("(({a}) same ({b}))"),
        _ => format!("(({a}) near/{n} ({b}))"),
    }
}

fn rules(random: &mut fastrand::Rng) -> RuleSet {
    let mut file = String::from("[defaults]\nfields = [\"title\", \"summary\"]\n");
    // Those beyond the fifth are in no rule: rule sets differ in size.
    for set in 0..random.u8(5..9) {
        let patterns: Vec<String> = (0..4).map(|_| format!("{:?}", pattern(random))).collect();
        file += &format!("[sets.s{set}]\nen = [{}]\n", patterns.join(", "));
        // Each may rest on those before it, compounds too.
        if set > 1 && random.bool() {
            let (a, b, c, n) = (random.u8(0..set), random.u8(0..set), random.u8(0..set), random.u8(0..5));
            file += &match random.u8(0..6) {
                0 => format!("also = \"s{a} and not s{b}\"\n"),
                1 => format!("also = \"s{a} away/{n} s{b}\"\n"),
                2 => format!("also = \"2 of (s{a}, title:s{b}, s{c})\"\n"),
                3 => format!("also = \"(s{a} then/{n} s{b}) or body:s{c}\"\n"),
                _ => format!("also = \"s{a} near/{n} s{b}\"\n"),
            };
        }
    }
    for rule in 0..8 {
        let depth = random.usize(0..3);
        let mut when = expression(random, depth);
        // What only a score lets in is decided before anything else is looked at.
        if random.bool() {
            when = format!("({when}) and score >= {}", random.u8(0..14));
        }
        file += &format!("[[rule]]\nid = \"r{rule}\"\nwhen = '''{when}'''\n");
        file += &format!("unless = '''{}'''\n", expression(random, 0));
        file += &format!("level = \"digest\"\nalert_when = '''{}'''\n", expression(random, 1));
        let weights: Vec<String> = (0..5)
            .filter(|set| (rule + set) % 4 > 0)
            .map(|set| format!("s{set} = {}", random.i8(-3..5)))
            .collect();
        let (title_x, cap) = (random.u8(1..4), random.u8(1..4));
        file += &format!("[rule.score]\ntitle_x = {title_x}\ncap = {cap}\n");
        file += &format!("weights = {{ {} }}\n", weights.join(", "));
    }
    let compiled = RuleSet::compile(&[Source::new("random.toml", file.clone())]);
    compiled.set.unwrap_or_else(|| panic!("{file}\n{:#?}", compiled.problems))
}

#[test]
fn the_automaton_and_the_plain_reading_agree() {
    let mut random = fastrand::Rng::with_seed(20_201_019);
    let mut fired_in_all = 0;
    let mut before = rules(&mut random);
    for _ in 0..100 {
        let rules = rules(&mut random);
        for _ in 0..100 {
            let (title, summary) = (phrase(&mut random, 8), phrase(&mut random, 14));
            let body = phrase(&mut random, 3);
            let article = Article { title: &title, summary: &summary, body: &body, ..Article::default() };
            // Both use the memory of this thread: nothing of one may stay for the other.
            before.evaluate(&article);
            let mut fast: Vec<(String, i64, bool, Level)> = rules
                .evaluate(&article)
                .into_iter()
                .map(|fired| (fired.id, fired.score, fired.vetoed_by.is_some(), fired.level))
                .collect();
            fast.sort();
            let slow = evaluate(&rules, &article);
            assert_eq!(fast, slow, "{article:?}\n{}", &*rules.rules[0].source.text);
            fired_in_all += fast.len();
        }
        before = rules;
    }
    assert!(fired_in_all > 5_000, "only {fired_in_all} rules fired: the texts are too poor");
}

#[test]
fn every_slice_matches_again_by_itself() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut hits = 0;
    for _ in 0..40 {
        let rules = rules(&mut random);
        for _ in 0..60 {
            let (title, summary) = (phrase(&mut random, 9), phrase(&mut random, 9));
            let article = Article { title: &title, summary: &summary, ..Article::default() };
            for hit in rules.evaluate(&article).into_iter().flat_map(|fired| fired.hits) {
                hits += 1;
                assert_eq!(article.text(hit.field).get(hit.start..hit.end), Some(hit.text.as_str()));
                let pattern = rules.patterns.iter().find(|pattern| *pattern.text() == *hit.pattern).unwrap();
                let text = Text::of(&hit.text);
                let again =
                    pattern.variants().iter().any(|v| (0..text.0.len()).any(|at| text.ends(at, v).is_some()));
                assert!(again, "{hit:?} in {article:?}");
            }
        }
    }
    assert!(hits > 1_000, "{hits}");
}
