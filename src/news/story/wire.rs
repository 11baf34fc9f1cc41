//! The agency a text is credited to.

use super::token::{compose, fold};

/// Agency names by what outlets write, folded.
const AGENCIES: &[(&str, &[&str])] = &[
    ("Kyodo", &["kyodo", "kyodo news", "共同", "共同通信", "共同通信社", "교도통신", "교도", "共同社"]),
    ("Jiji", &["jiji", "jiji press", "時事", "時事通信", "時事通信社", "지지통신"]),
    (
        "Yonhap",
        &[
            "yonhap",
            "yonhap news agency",
            "yonhap news",
            "연합뉴스",
            "연합",
            "聯合ニュース",
            "聯合",
            "韩联社",
            "韓聯社",
        ],
    ),
    ("Newsis", &["newsis", "뉴시스"]),
    ("News1", &["news1", "뉴스1"]),
    ("Reuters", &["reuters", "로이터", "로이터통신", "ロイター", "路透社", "рейтер", "رويترز", "rtr"]),
    ("AP", &["ap", "associated press", "the associated press", "ap통신", "ap通信", "美联社"]),
    (
        "AFP",
        &[
            "afp",
            "agence france presse",
            "afp통신",
            "afp通信",
            "afp時事",
            "afp=時事",
            "法新社",
            "ا ف ب",
            "فرانس برس",
        ],
    ),
    ("dpa", &["dpa", "deutsche presse agentur"]),
    ("ANSA", &["ansa"]),
    ("AGI", &["agi"]),
    ("Adnkronos", &["adnkronos"]),
    ("EFE", &["efe", "agencia efe"]),
    ("Europa Press", &["europa press"]),
    ("PAP", &["pap"]),
    ("Lusa", &["lusa", "agencia lusa"]),
    ("TASS", &["tass", "тасс"]),
    ("Interfax", &["interfax", "интерфакс"]),
    ("RIA", &["ria", "ria novosti", "риа новости", "риа"]),
    ("Ukrinform", &["ukrinform", "укрінформ", "укринформ"]),
    ("Xinhua", &["xinhua", "新华社", "新華社", "新華", "신화통신"]),
    ("CNA", &["中央社"]),
    ("ANP", &["anp"]),
    ("Belga", &["belga"]),
    ("APA", &["apa"]),
    ("Keystone-SDA", &["sda", "keystone sda", "ats"]),
    ("NTB", &["ntb"]),
    ("TT", &["tt"]),
    ("Ritzau", &["ritzau"]),
    ("STT", &["stt"]),
    ("BNS", &["bns"]),
    ("LETA", &["leta"]),
    ("ČTK", &["ctk"]),
    ("MTI", &["mti"]),
    ("Agerpres", &["agerpres"]),
    ("AMNA", &["amna", "απε μπε"]),
    ("Anadolu", &["aa", "anadolu", "anadolu agency", "anadolu ajansi"]),
    ("Bloomberg", &["bloomberg", "블룸버그", "ブルームバーグ"]),
    ("UPI", &["upi"]),
    ("PTI", &["pti"]),
    ("ANI", &["ani"]),
];

/// Whether a folded credit names an agency.
pub(super) fn is_agency(folded: &str) -> bool {
    agency(folded).is_some()
}

fn agency(credit: &str) -> Option<&'static str> {
    let credit = credit.replace(['-', '/'], " ");
    let credit = credit.trim().trim_matches(|c: char| !c.is_alphanumeric());
    AGENCIES.iter().find(|(_, names)| names.contains(&credit)).map(|(name, _)| *name)
}

/// Names the agency an article credits: in its author line, or in brackets or after a sign at the text's edges.
///
/// "AP reported" inside a sentence is no credit.
pub fn wire(title: &str, summary: &str, authors: &[String]) -> Option<String> {
    let found = authors
        .iter()
        .flat_map(|a| parts(a))
        .find_map(|p| agency(&p))
        .or_else(|| edges(summary))
        .or_else(|| edges(title));
    found.map(str::to_owned)
}

/// The pieces of an author line: "By Jane Doe, Reuters", "AFP/dpa".
fn parts(author: &str) -> Vec<String> {
    let folded = fold(&compose(author.get(..200).unwrap_or(author)));
    let whole = folded.trim_start_matches("by ").to_owned();
    let split: Vec<String> = folded
        .split([',', ';', '/', '|', '(', ')', '=', '·', '・'])
        .flat_map(|p| p.split(" and ").chain(p.split(" with ")).chain(p.split(" - ")))
        .map(|p| p.trim().trim_start_matches("by ").to_owned())
        .collect();
    std::iter::once(whole).chain(split).collect()
}

fn edges(text: &str) -> Option<&'static str> {
    let composed = compose(text);
    let trimmed = composed.trim();
    let start: String = trimmed.chars().take(80).collect();
    let count = trimmed.chars().count();
    let end: String = trimmed.chars().skip(count.saturating_sub(80)).collect();
    bracketed(&start, true).or_else(|| bracketed(&end, false)).or_else(|| signed(&end))
}

/// (Yonhap), 【ソウル時事】, [서울=뉴시스], (서울=연합뉴스), (ANSA) -
fn bracketed(edge: &str, at_start: bool) -> Option<&'static str> {
    let mut rest = edge;
    while let Some(open) = rest.find(['(', '[', '【', '〔', '〈']) {
        let after = rest.get(open..)?.chars().skip(1).collect::<String>();
        let close = after.find([')', ']', '】', '〕', '〉'])?;
        let inside = fold(after.get(..close)?);
        let near_edge = if at_start {
            rest.get(..open)
                .is_some_and(|b| b.split_whitespace().count() <= 6 && !b.contains(['。', '!', '?']))
        } else {
            after.get(close..).is_some_and(|tail| tail.chars().filter(|c| c.is_alphanumeric()).count() <= 24)
        };
        if near_edge {
            let pieces = inside.split(['=', '/', ',', '・', '·', '|']).map(str::trim).chain([inside.trim()]);
            if let Some(found) = pieces.into_iter().find_map(|p| agency(p).or_else(|| suffix(p))) {
                return Some(found);
            }
        }
        let next = rest.len() - after.len() + close;
        rest = rest.get(next..)?;
    }
    None
}

/// ソウル時事, ワシントン共同: place and agency in one word.
fn suffix(credit: &str) -> Option<&'static str> {
    AGENCIES
        .iter()
        .find(|(_, names)| {
            names.iter().any(|n| !n.is_ascii() && n.chars().count() >= 2 && credit.ends_with(n))
        })
        .map(|(name, _)| *name)
}

/// "... — Reuters", "... / dpa", "…。共同".
fn signed(end: &str) -> Option<&'static str> {
    let line = end.trim_end().trim_end_matches(['.', '。']);
    let at = line.rfind(['—', '–', '/', '|', '。', '\n', '©', 'ⓒ', '='])?;
    let tail: String = line.get(at..)?.chars().skip(1).collect();
    agency(&fold(tail.trim()))
}
