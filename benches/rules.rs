//! How fast rules are, as ratios and rates: `cargo bench --bench rules`.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use burdenwatch::problem::Source;
use burdenwatch::rules::builtin;
use burdenwatch::rules::outcome::Article;
use burdenwatch::rules::set::RuleSet;

const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve",
    "wi", "xo", "yu", "zan", "ler", "mor", "tin",
];
const NEWS: [&str; 6] = [
    "Officials in Tokyo said on Tuesday that talks with Washington on the new agreement would go on into next year. ",
    "The minister told parliament that spending on roads, schools and hospitals would rise by 3.5 percent. ",
    "日本政府は来年度の予算案について、与党との協議を続ける方針を明らかにした。",
    "정부는 내년도 예산안을 국회에 제출하고 관련 부처와 협의를 이어갈 계획이라고 밝혔다. ",
    "Der Minister erklärte am Montag, die Verhandlungen über den Haushalt würden fortgesetzt. ",
    "South Korea and the United States held a joint exercise, the U.S. military said in a statement. ",
];

fn word(random: &mut fastrand::Rng) -> String {
    (0..random.usize(3..6)).map(|_| *random.choice(&SYLLABLES).unwrap()).collect()
}

/// Articles of about 1.2 KB: sentences as they occur, and words as no language has them.
fn articles(random: &mut fastrand::Rng, words: &[String]) -> Vec<(String, String)> {
    let article = |random: &mut fastrand::Rng| {
        let mut summary = String::new();
        while summary.len() < 1_120 {
            match random.u8(0..3) {
                0 => (0..8).for_each(|_| summary += &(random.choice(words).unwrap().clone() + " ")),
                _ => summary += random.choice(NEWS).unwrap(),
            }
        }
        (random.choice(NEWS).unwrap().chars().take(60).collect(), summary)
    };
    (0..2_000).map(|_| article(random)).collect()
}

fn rules(count: usize, words: &[String], random: &mut fastrand::Rng) -> Source {
    let mut text = String::from(
        "[sets.place]\nen = [\"tokyo\", \"seoul\", \"washington\"]\nja = [\"日本\"]\nko = [\"한국\"]\n",
    );
    for rule in 0..count {
        let patterns: Vec<String> = (0..10)
            .map(|_| format!("\"{} {}\"", random.choice(words).unwrap(), random.choice(words).unwrap()))
            .collect();
        text += &format!(
            "[[rule]]\nid = \"r{rule}\"\nwhen = \"own near/10 place\"\n[rule.sets.own]\nen = [{}]\n",
            patterns.join(", ")
        );
    }
    Source::new("bench.toml", text)
}

/// Time of one pass over all articles, the best of several.
fn best(articles: &[(String, String)], mut each: impl FnMut(&Article<'_>)) -> Duration {
    let pass = |each: &mut dyn FnMut(&Article<'_>)| {
        let start = Instant::now();
        for (title, summary) in articles {
            each(&Article { title, summary, ..Article::default() });
        }
        start.elapsed()
    };
    (0..9).map(|_| pass(&mut each)).min().unwrap()
}

fn main() {
    let mut random = fastrand::Rng::with_seed(1);
    let words: Vec<String> = (0..5_000).map(|_| word(&mut random)).collect();
    let articles = articles(&mut random, &words);
    let per_article = |time: Duration| time.as_secs_f64() * 1e6 / articles.len() as f64;
    let compile = |sources: &[Source]| {
        let start = Instant::now();
        let compiled = RuleSet::compile(sources);
        (compiled.set.unwrap(), start.elapsed())
    };
    let run =
        |rules: &RuleSet| per_article(best(&articles, |article| drop(black_box(rules.evaluate(article)))));
    let bare = |rules: &RuleSet| {
        per_article(best(&articles, |article| {
            black_box(rules.scan_only(article));
        }))
    };

    let (one, one_time) = compile(&[rules(1, &words, &mut random)]);
    let (many, many_time) = compile(&[rules(1_000, &words, &mut random)]);
    let (pack, pack_time) = compile(&builtin::sources());
    println!("compile: 1 rule {one_time:.1?}, 1,000 rules {many_time:.1?}, shipped pack {pack_time:.1?}");
    let (one, thousand) = (run(&one), run(&many));
    println!("1 rule                     {one:6.2} us/article");
    println!("1,000 rules, 10k patterns  {thousand:6.2} us/article   ratio {:.2} (< 2)", thousand / one);
    println!("articles per second        {:6.0} (>= 25000)", 1e6 / thousand);
    let (bare, full) = (bare(&pack), run(&pack));
    println!("shipped pack, bare scan    {bare:6.2} us/article");
    println!("shipped pack, everything   {full:6.2} us/article   ratio {:.2} (< 1.3)", full / bare);
}
