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

/// What feeds mostly bring: all kinds of news, in many languages, hardly any of it on the subject.
const ORDINARY: [&str; 36] = [
    "The city council approved a plan on Monday to replace the old tram lines by 2031, the mayor's office said. ",
    "Shares in the carmaker fell 4 percent after it cut its forecast for the second time this year. ",
    "Rescue teams searched through the night for three hikers missing since Sunday in the northern hills. ",
    "The central bank left its key rate unchanged and said inflation was likely to ease in the autumn. ",
    "A court in Lyon sentenced the former director to two years in prison for fraud. ",
    "The home side won 3-1 after a late penalty, their fifth victory in a row. ",
    "Doctors warn that the new variant spreads quickly among children who have not been vaccinated. ",
    "The film, shot over six weeks in Lisbon, opens in cinemas across Europe next Friday. ",
    "Heavy rain closed two main roads and left thousands of homes without power, officials said. ",
    "Prime Minister Anna Berg will meet union leaders next week to discuss pay in the public sector. ",
    "The United States and South Korea announced a new round of talks on battery trade. ",
    "Police in Osaka, Japan, are looking for a man who robbed a jewellery shop on Thursday. ",
    "경찰은 어제 오후 고속도로에서 난 사고의 원인을 조사하고 있다고 밝혔다. ",
    "올해 수출은 반도체 호조에 힘입어 지난해보다 크게 늘어난 것으로 집계됐다. ",
    "시민들은 주말에 열리는 벚꽃 축제를 보기 위해 공원을 찾았다. ",
    "대통령은 국무회의에서 민생 경제를 살피겠다고 말했다. ",
    "気象庁は、週末にかけて西日本で大雨になるおそれがあるとして注意を呼びかけている。",
    "県内の小学校で、子どもたちが地元の農家と一緒に田植えを体験した。",
    "円相場は一時、一ドル百五十円台まで値下がりした。",
    "首相は国会で、物価高への対策を急ぐ考えを示した。",
    "Die Bahn hat am Dienstag angekündigt, mehrere Strecken im Süden bis zum Herbst zu sperren. ",
    "Der Verein trennt sich nach der dritten Niederlage in Folge von seinem Trainer. ",
    "In Berlin streiten die Parteien weiter über die Finanzierung der Krankenhäuser. ",
    "Le festival accueillera cette année plus de deux cents artistes venus de trente pays. ",
    "La grève des enseignants se poursuit lundi, selon les syndicats. ",
    "El ayuntamiento abrirá una nueva biblioteca en el barrio antiguo antes del verano. ",
    "La selección viajará el jueves a Buenos Aires para su próximo partido. ",
    "Il ministro ha presentato il nuovo piano per le scuole e gli ospedali del Sud. ",
    "Rząd przedstawił projekt ustawy o mieszkaniach dla młodych rodzin. ",
    "Władze Warszawy otworzyły w sobotę nową linię metra. ",
    "Жители района жалуются на шум от строительства новой дороги. ",
    "Команда одержала победу в последнем матче сезона. ",
    "市政府表示，新的地铁线路将于明年年底前开通。",
    "Belediye, sahil yolunun yaz sonuna kadar kapalı kalacağını duyurdu. ",
    "أعلنت وزارة الصحة افتتاح مستشفى جديد في العاصمة الأسبوع المقبل. ",
    "Το υπουργείο ανακοίνωσε νέα μέτρα για τις πυρκαγιές του καλοκαιριού. ",
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

/// Titles and summaries as feeds have them, about 360 bytes.
fn ordinary(random: &mut fastrand::Rng) -> Vec<(String, String)> {
    let article = |random: &mut fastrand::Rng| {
        let mut summary = String::new();
        while summary.len() < 250 {
            summary += random.choice(ORDINARY).unwrap();
        }
        (random.choice(ORDINARY).unwrap().chars().take(60).collect(), summary)
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
    let ordinary = ordinary(&mut random);
    let per_article = |time: Duration| time.as_secs_f64() * 1e6 / 2_000.0;
    let compile = |sources: &[Source]| {
        let start = Instant::now();
        let compiled = RuleSet::compile(sources);
        (compiled.set.unwrap(), start.elapsed())
    };
    let run = |rules: &RuleSet, articles: &[(String, String)]| {
        per_article(best(articles, |article| drop(black_box(rules.evaluate(article)))))
    };
    let bare = |rules: &RuleSet, articles: &[(String, String)]| {
        per_article(best(articles, |article| {
            black_box(rules.scan_only(article));
        }))
    };

    let (one, one_time) = compile(&[rules(1, &words, &mut random)]);
    let (many, many_time) = compile(&[rules(1_000, &words, &mut random)]);
    let (pack, pack_time) = compile(&builtin::sources());
    println!("compile: 1 rule {one_time:.1?}, 1,000 rules {many_time:.1?}, shipped pack {pack_time:.1?}");
    let (one, thousand) = (run(&one, &articles), run(&many, &articles));
    println!("1 rule                     {one:6.2} us/article");
    println!("1,000 rules, 10k patterns  {thousand:6.2} us/article   ratio {:.2} (< 2)", thousand / one);
    println!("articles per second        {:6.0} (>= 25000)", 1e6 / thousand);
    for (news, articles, goal) in
        [("ordinary news", &ordinary, " (< 1.3)"), ("the bench's own mix", &articles, "")]
    {
        let (bare, full) = (bare(&pack, articles), run(&pack, articles));
        println!("shipped pack, {news}");
        println!("  bare scan                {bare:6.2} us/article");
        println!("  everything               {full:6.2} us/article   ratio {:.2}{goal}", full / bare);
    }
}
