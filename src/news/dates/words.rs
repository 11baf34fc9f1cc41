//! Words in dates: months and halves of the day, in the languages of the feeds.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// Month stems without accents; the longest one a word begins with decides.
const MONTHS: [(&str, &[&str]); 12] = [
    (
        "1",
        &[
            "jan", "jaan", "ian", "ene", "gen", "sty", "led", "ledn", "sije", "oca", "tammi", "saus", "янв",
            "січ", "яну", "ιαν", "urt", "сту", "јан", "xan", "yan", "sij",
        ],
    ),
    (
        "2",
        &[
            "feb", "fev", "febb", "feu", "veeb", "lut", "uno", "velj", "sub", "helmi", "vasari", "shk",
            "фев", "лют", "φεβ", "феб",
        ],
    ),
    (
        "3",
        &[
            "mar", "mrt", "maart", "mrz", "marz", "maerz", "bre", "ozu", "maalis", "kov", "мар", "бер",
            "μαρ", "сак", "mac",
        ],
    ),
    (
        "4",
        &[
            "apr", "avr", "abr", "kwi", "dub", "trav", "nis", "huhti", "bala", "pri", "апр", "квіт", "απρ",
            "кра",
        ],
    ),
    (
        "5",
        &[
            "may", "mai", "maj", "mei", "mag", "mayo", "kve", "svib", "touko", "geg", "маи", "мая", "трав",
            "μαι", "μαϊ", "мај",
        ],
    ),
    (
        "6",
        &[
            "jun", "juin", "juun", "iun", "giu", "cze", "czerw", "cerv", "lipanj", "lipnja", "haz", "kesa",
            "birz", "qer", "июн", "черв", "юни", "ιουν", "чэр", "јун", "iyn", "iyun", "xun", "cvn",
        ],
    ),
    (
        "7",
        &[
            "jul", "juil", "juul", "iul", "lug", "lip", "cervene", "cervenc", "srpanj", "srpnja", "tem",
            "heina", "liep", "korr", "июл", "лип", "юли", "ιουλ", "ліп", "јул", "iyl", "iyul", "xul", "cvc",
        ],
    ),
    (
        "8",
        &[
            "aug", "aou", "ago", "agu", "avg", "sie", "srpen", "srpna", "srpnu", "kolo", "elo", "rugpj",
            "gush", "авг", "серп", "αυγ", "жні", "avq", "ogo", "srp",
        ],
    ),
    (
        "9",
        &[
            "sep", "set", "szept", "wrz", "zar", "ruj", "eyl", "syys", "rugs", "shta", "сен", "вер", "сеп",
            "σεπ", "sentya", "sentab",
        ],
    ),
    (
        "10",
        &["oct", "okt", "ott", "out", "paz", "rij", "eki", "loka", "spal", "tet", "окт", "жов", "οκτ", "кас"],
    ),
    (
        "11",
        &[
            "nov",
            "noi",
            "lis",
            "list",
            "stud",
            "kas",
            "marras",
            "lapk",
            "nen",
            "ноя",
            "ное",
            "листоп",
            "νοε",
            "ліс",
            "лис",
            "нов",
            "noy",
            "stu",
        ],
    ),
    (
        "12",
        &[
            "dec", "dez", "dic", "des", "det", "gru", "pros", "ara", "joulu", "gruod", "dhj", "дек", "груд",
            "δεκ", "сне", "дец", "dek", "disem",
        ],
    ),
];

/// Weekdays that begin like a month.
const WEEKDAYS: [&str; 9] =
    ["mardi", "marted", "martes", "meinde", "pazar", "sere", "shtun", "subot", "сенб"];

/// Weekdays that a longer month begins with, or that are a month in another language.
const WEEKDAYS_IN_FULL: [&str; 2] = ["martea", "marti"];

/// Words that are a month or a weekday, by where they stand: `mar` alone is both in six languages.
const EITHER: [&str; 8] = ["mairt", "mar", "marte", "mei", "paz", "set", "sht", "sub"];

/// Month names whose stems would mislead in other languages.
const BY_LANGUAGE: [(&str, &str, i8); 14] = [
    ("az", "sen", 9),
    ("ca", "ag", 8),
    ("ms", "dis", 12),
    ("hr", "kol", 8),
    ("hr", "lip", 6),
    ("hr", "lis", 10),
    ("hr", "pro", 12),
    ("hr", "srp", 7),
    ("hr", "svi", 5),
    ("hr", "tra", 4),
    ("bs", "listopad", 10),
    ("cs", "pro", 12),
    ("sq", "sht", 9),
    ("lb", "mee", 5),
];

/// Returns the month a word names. The word is lower case.
pub(super) fn month(word: &str, lang: &str) -> Option<i8> {
    if let Some(known) = english(word) {
        return known;
    }
    let word = folded(word);
    if WEEKDAYS.iter().any(|day| word.starts_with(day)) || WEEKDAYS_IN_FULL.contains(&word.as_str()) {
        return None;
    }
    let special = BY_LANGUAGE.iter().find(|(own, stem, _)| lang.starts_with(own) && word.starts_with(stem));
    if let Some((_, _, month)) = special {
        return Some(*month);
    }
    let stems = MONTHS.iter().flat_map(|(month, stems)| stems.iter().map(move |stem| (*month, *stem)));
    let best = stems.filter(|(_, stem)| word.starts_with(stem)).max_by_key(|(_, stem)| stem.len());
    best.and_then(|(month, _)| month.parse().ok())
}

/// Tells whether a word that names a month is a weekday as well.
pub(super) fn is_either(word: &str) -> bool {
    EITHER.contains(&folded(word).as_str())
}

/// Knows the short names of RFC 822, which nearly every date has: a month, or a weekday, which is none.
fn english(word: &str) -> Option<Option<i8>> {
    const SHORT: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    if matches!(word, "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun" | "t" | "z") {
        return Some(None);
    }
    let at = SHORT.iter().position(|short| *short == word)?;
    Some(i8::try_from(at + 1).ok())
}

/// Lower case without accents, dotless i as i.
fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let nfd = DecomposingNormalizerBorrowed::new_nfd().normalize(word);
    let bare = nfd.chars().filter(|char| !('\u{300}'..='\u{36f}').contains(char));
    bare.map(|char| if char == 'ı' { 'i' } else { char }).collect()
}

/// Tells whether a word means after noon (true), before noon (false), or neither.
pub(super) fn afternoon(word: &str) -> Option<bool> {
    match word {
        "am" | "오전" | "午前" | "上午" | "凌晨" | "早上" | "πμ" => Some(false),
        "pm" | "오후" | "午後" | "午后" | "下午" | "晚上" | "μμ" => Some(true),
        _ => None,
    }
}

/// Returns the year before an era's first.
pub(super) fn era(word: &str) -> Option<i16> {
    match word {
        "令和" | "reiwa" => Some(2018),
        "平成" | "heisei" => Some(1988),
        "昭和" | "showa" => Some(1925),
        "民國" | "民国" | "中華民國" => Some(1911),
        _ => None,
    }
}
