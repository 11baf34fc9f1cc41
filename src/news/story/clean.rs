//! What an outlet wraps round a text: tags before a headline, its own name after it, datelines, rights lines.

use super::lexicon::{self, Role};
use super::token::{compose, fold, is_cjk, is_hangul, tokens};

/// What the tags of a headline said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tags {
    /// An update of an earlier text.
    pub(super) update: bool,
    /// A correction of an earlier text.
    pub(super) correction: bool,
}

const UPDATES: &[&str] = &[
    "update",
    "lead",
    "ld",
    "종합",
    "2보",
    "3보",
    "4보",
    "続報",
    "更新",
    "aktualis",
    "mise a jour",
    "actualiz",
    "aggiorn",
    "aktualiz",
    "oppdater",
    "uppdater",
    "обновл",
];
const CORRECTIONS: &[&str] = &[
    "correct",
    "corrig",
    "정정",
    "訂正",
    "berichtig",
    "korrektur",
    "rectif",
    "correzione",
    "rettifica",
    "sprostow",
    "korekta",
    "更正",
    "исправ",
    "duzeltme",
    "تصحيح",
    "korrig",
    "바로잡",
];
const WORDS: &[&str] = &[
    "breaking",
    "breaking news",
    "urgent",
    "update",
    "exclusive",
    "live",
    "flash",
    "lead",
    "developing",
    "correction",
    "corrected",
    "refile",
    "recast",
    "wrapup",
    "wrap",
    "news",
    "alert",
    "just in",
    "eilmeldung",
    "eil",
    "exklusiv",
    "liveticker",
    "berichtigung",
    "korrektur",
    "urgence",
    "en direct",
    "direct",
    "exclusif",
    "alerte",
    "rectificatif",
    "urgente",
    "ultima hora",
    "última hora",
    "exclusiva",
    "directo",
    "correccion",
    "corrección",
    "ultim'ora",
    "esclusiva",
    "diretta",
    "pilne",
    "z ostatniej chwili",
    "tylko u nas",
    "sprostowanie",
    "срочно",
    "son dakika",
    "速報",
    "独自",
    "単独",
    "続報",
    "訂正",
    "号外",
    "속보",
    "단독",
    "종합",
    "정정",
    "상보",
    "1보",
    "2보",
    "3보",
    "快讯",
    "突发",
    "更正",
    "عاجل",
    "ora 24",
    "aktualizacja",
    "actualizacion",
    "aggiornamento",
    "mise a jour",
];

/// Cuts tags and outlet names off a composed headline.
pub(super) fn title(composed: &str) -> (String, Tags) {
    let mut tags = Tags::default();
    let mut rest = composed.trim();
    for _ in 0..4 {
        let Some((tag, after)) = leading_tag(rest) else { break };
        note(&tag, &mut tags);
        if !after.chars().any(char::is_alphanumeric) {
            break;
        }
        rest = after.trim_start();
    }
    for _ in 0..3 {
        let Some((before, tag)) = trailing_tag(rest) else { break };
        note(&tag, &mut tags);
        rest = before.trim_end();
    }
    (rest.to_owned(), tags)
}

fn note(tag: &str, tags: &mut Tags) {
    let tag = fold(tag);
    tags.update |= UPDATES.iter().any(|u| tag.contains(u));
    tags.correction |= CORRECTIONS.iter().any(|c| tag.contains(c));
}

/// A bracketed tag, or a tag word with an optional number before a colon, a dash or a bar.
fn leading_tag(text: &str) -> Option<(String, &str)> {
    let open = text.chars().next()?;
    if let Some(close) = closing(open) {
        let end = text.find(close)?;
        let tag = text.get(open.len_utf8()..end)?;
        let after = text.get(end + close.len_utf8()..)?;
        let short = tag.chars().count() <= if open == '(' { 12 } else { 14 };
        // (3일), [한미 정상회담]: only short brackets, and none of figures alone
        return (short && tag.chars().any(char::is_alphabetic))
            .then(|| (tag.to_owned(), after.trim_start_matches([':', '-', ' '])));
    }
    let end = text
        .char_indices()
        .take(40)
        .find(|(at, c)| {
            matches!(c, ':' | '|' | '–' | '—' | '：' | '｜' | '!' | '=') || (*c == '-' && *at > 0)
        })?
        .0;
    let tag = text.get(..end)?.trim();
    let known = fold(tag);
    let known = known.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let after = text.get(end..)?.trim_start_matches([':', '|', '–', '—', '：', '｜', '-', '!', '=', ' ']);
    WORDS.iter().any(|w| fold(w) == known).then(|| (tag.to_owned(), after))
}

fn trailing_tag(text: &str) -> Option<(&str, String)> {
    if let Some(close) = text.chars().next_back()
        && let Some(open) = opening(close)
    {
        let start = text.rfind(open)?;
        let tag = text.get(start + open.len_utf8()..text.len() - close.len_utf8())?;
        let before = text.get(..start)?;
        let wanted = fold(tag);
        let credit = WORDS.iter().any(|w| fold(w) == wanted)
            || super::wire::is_agency(&wanted)
            || CORRECTIONS.iter().chain(UPDATES).any(|w| wanted.starts_with(w));
        return (credit && before.chars().any(char::is_alphanumeric)).then(|| (before, tag.to_owned()));
    }
    for mark in [" | ", "|", " – ", " — ", " - ", " ‖ ", " · "] {
        if let Some(at) = text.rfind(mark) {
            let (before, after) = (text.get(..at)?, text.get(at + mark.len()..)?);
            let words = after.split_whitespace().count();
            let chars = after.chars().count();
            let name = chars <= 28
                && words <= 4
                && !after.chars().any(|c| c.is_ascii_digit() || matches!(c, '"' | '“' | '?' | '!'));
            // an outlet's name begins with a capital or is CJK; a clause after a dash seldom is all capitals
            let capitals = after.split_whitespace().all(|w| {
                w.chars().next().is_some_and(|c| !c.is_lowercase()) || w.len() <= 3 || w.contains('.')
            });
            if name
                && capitals
                && before.split_whitespace().count().max(before.chars().filter(|c| is_cjk(*c)).count() / 3)
                    >= 3
                && !claims(after)
            {
                return Some((before, after.to_owned()));
            }
        }
    }
    None
}

/// Whether a would-be outlet name says something that can contradict.
fn claims(name: &str) -> bool {
    let sentence = tokens(name, false);
    let spaced = format!(" {}", sentence.text);
    lexicon::languages().chain(["*"]).any(|lang| {
        matches!(lang, "en" | "*")
            && lexicon::of(lang).find(&spaced).any(|(_, _, m)| matches!(m.role, Role::Opposite | Role::Lone))
    })
}

fn closing(open: char) -> Option<char> {
    Some(match open {
        '[' => ']',
        '(' => ')',
        '【' => '】',
        '<' => '>',
        '〈' => '〉',
        '《' => '》',
        '［' => '］',
        '〔' => '〕',
        '≪' => '≫',
        _ => return None,
    })
}

fn opening(close: char) -> Option<char> {
    ['[', '(', '【', '<', '〈', '《', '［', '〔'].into_iter().find(|o| closing(*o) == Some(close))
}

/// Cuts the dateline, rights lines and bylines off a composed text.
pub(super) fn body(composed: &str) -> String {
    let text = without_dateline(composed.trim());
    let mut out = String::with_capacity(text.len());
    for line in text.split('\n') {
        let folded = fold(line);
        let rights = [
            "무단전재",
            "무단 전재",
            "재배포 금지",
            "無断転載",
            "all rights reserved",
            "alle rechte vorbehalten",
            "tous droits",
            "riproduzione riservata",
            "wszelkie prawa",
            "todos los derechos",
            "reporting by",
            "editing by",
        ]
        .iter()
        .any(|r| folded.contains(r));
        if !(rights && line.chars().count() < 160) {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// (서울=연합뉴스) 김기자 기자 =, 【ソウル時事】, TOKYO, Nov. 3 (Kyodo) --, BERLIN (dpa) -.
fn without_dateline(text: &str) -> &str {
    let Some(open) = text.chars().next() else { return text };
    if let Some(close) = closing(open)
        && let Some(end) = text.find(close).filter(|end| *end < 90)
        && let Some(after) = text.get(end + close.len_utf8()..)
    {
        let head = after.char_indices().take(24).find(|(_, c)| *c == '=').map(|(at, _)| at);
        return match head {
            Some(at) if after.chars().next().is_some_and(|c| c == ' ' || is_hangul(c)) => {
                after.get(at + 1..).unwrap_or(after).trim_start()
            }
            _ => after.trim_start_matches(['-', '–', '—', '=', ' ', ':']),
        };
    }
    for mark in [" -- ", " — ", " – ", " - ", "—"] {
        if let Some(at) = text.find(mark).filter(|at| *at <= 70)
            && let (Some(before), Some(after)) = (text.get(..at), text.get(at + mark.len()..))
        {
            let first = before.split([',', ' ', '(', '/']).next().unwrap_or("");
            let shouted = first.chars().count() >= 3
                && first.chars().all(|c| !c.is_lowercase())
                && first.chars().any(char::is_alphabetic)
                && !first.chars().any(is_cjk);
            if shouted || before.ends_with(')') && before.split_whitespace().count() <= 6 {
                return after;
            }
        }
    }
    text
}

/// The primary language: by script where the script decides, by the tag, else by the commonest small words.
pub(super) fn language(title: &str, body: &str, tag: &str) -> String {
    let tag: String = tag.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
    let (mut hangul, mut kana, mut han, mut cyrillic, mut ukrainian, mut arabic, mut latin) =
        (0, 0, 0, 0, 0, 0, 0);
    for c in title.chars().chain(body.chars()) {
        match c {
            '\u{ac00}'..='\u{d7a3}' => hangul += 1,
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{4e00}'..='\u{9fff}' => han += 1,
            'і' | 'ї' | 'є' | 'ґ' => ukrainian += 1,
            '\u{400}'..='\u{4ff}' => cyrillic += 1,
            '\u{600}'..='\u{6ff}' => arabic += 1,
            c if c.is_alphabetic() => latin += 1,
            _ => {}
        }
    }
    let cjk = (hangul + kana + han) * 2;
    let by_script = if cjk > latin.max(cyrillic).max(arabic) {
        if hangul * 3 >= han + kana {
            "ko"
        } else if kana * 8 >= han {
            "ja"
        } else {
            "zh"
        }
    } else if arabic > latin {
        "ar"
    } else if cyrillic + ukrainian > latin {
        if ukrainian * 25 > cyrillic { "uk" } else { "ru" }
    } else {
        ""
    };
    if !by_script.is_empty() {
        return by_script.to_owned();
    }
    if lexicon::languages().any(|l| l == tag) && !matches!(tag.as_str(), "zh" | "ar" | "ru" | "uk") {
        return tag;
    }
    guess(&format!("{title} {body}")).to_owned()
}

/// Small words that a beginning must have, and twice as many as any other language finds there, to decide.
const CLEAR: usize = 12;
/// The length of that beginning, in bytes.
const BEGINNING: usize = 800;

fn guess(text: &str) -> &'static str {
    let sentence = tokens(&compose(text), false);
    let end = sentence.text.floor_char_boundary(BEGINNING);
    if let Some(clear) = clear(sentence.text.get(..end).unwrap_or_default()) {
        return clear;
    }
    // The whole lexicon of each language knows more small words, and where they are part of longer terms.
    let spaced = format!(" {}", sentence.text);
    let small = |lang| lexicon::of(lang).find(&spaced).filter(|(_, _, m)| m.role == Role::Stop).count();
    guessable()
        .map(|lang| (small(lang), lang))
        .max_by_key(|(hits, lang)| (*hits, std::cmp::Reverse(*lang)))
        .map_or("en", |(_, lang)| lang)
}

/// Languages that no script gives away.
fn guessable() -> impl Iterator<Item = &'static str> {
    lexicon::languages().filter(|lang| !matches!(*lang, "zh" | "ar" | "ru" | "uk"))
}

/// The language of a beginning, if its single small words leave no doubt.
fn clear(beginning: &str) -> Option<&'static str> {
    let mut counts: Vec<(usize, &str)> = guessable().map(|lang| (0, lang)).collect();
    for of in beginning.split(' ').filter_map(lexicon::small_word) {
        for (count, _) in counts.iter_mut().filter(|(_, lang)| of.contains(lang)) {
            *count += 1;
        }
    }
    counts.sort_unstable();
    match *counts.as_slice() {
        [.., (second, _), (most, lang)] if most >= CLEAR.max(second * 2) => Some(lang),
        _ => None,
    }
}
