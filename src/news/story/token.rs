//! Text into sentences, and sentences into tokens that two copies of one text share.
//!
//! A token is a word of an alphabetic script, one character of Chinese,
//! Japanese or Korean, or a number with its value. Case, Latin and Greek
//! accents, Arabic spelling variants and the width of characters are gone.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// What kind of writing a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word of an alphabetic script.
    Word,
    /// One Han, kana or Hangul character.
    Character,
    /// A number in digits.
    Number,
    /// A currency or per cent sign.
    Sign,
}

/// One token of a sentence.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// Equal for equal tokens; numbers by value.
    pub(super) id: u32,
    /// Where its text begins in the sentence's folded text; narrow, as hundreds of articles are kept for days.
    start: u32,
    /// How long it is there.
    len: u16,
    /// What it is.
    pub(super) kind: Kind,
    /// The space-separated run of characters it belongs to.
    pub(super) run: u16,
    /// Whether it began with a capital letter inside the sentence.
    pub(super) capital: bool,
    /// The value of a number.
    pub(super) value: f64,
    /// Whether a number was written as an ordinal.
    pub(super) ordinal: bool,
}

impl Token {
    /// Where its text begins in the sentence's folded text.
    pub(super) fn start(&self) -> usize {
        self.start as usize
    }

    /// Where its text ends there.
    pub(super) fn end(&self) -> usize {
        self.start() + usize::from(self.len)
    }
}

/// A sentence, folded and cut into tokens.
#[derive(Debug, Clone, Default)]
pub(super) struct Sentence {
    /// The folded text, one space between words and none inside CJK runs.
    pub(super) text: String,
    /// The tokens in order.
    pub(super) tokens: Vec<Token>,
}

/// FNV-1a over bytes, folded to 32 bits: the same on every machine.
pub(super) fn hash(bytes: &[u8]) -> u32 {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for b in bytes {
        h ^= u64::from(*b);
        h = h.wrapping_mul(0x0100_0000_01b3);
    }
    #[expect(clippy::cast_possible_truncation, reason = "both halves are mixed in on purpose")]
    let folded = (h ^ (h >> 32)) as u32;
    folded
}

/// Whether the character is Han, kana or Hangul.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{3005}' | '\u{3007}' | '\u{20000}'..='\u{2ffff}')
}

/// Whether the character is a Hangul syllable.
pub(super) fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}')
}

/// Brings a text to compatibility-composed form without invisible characters.
pub(super) fn compose(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc()
        .normalize(text)
        .chars()
        .filter(|c| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{640}'))
        .map(|c| if matches!(c, '\u{a0}' | '\u{202f}' | '\u{2009}') { ' ' } else { c })
        .collect()
}

/// Folds the case, accents and spelling variants of a composed text.
pub(super) fn fold(composed: &str) -> String {
    let mut out = String::with_capacity(composed.len());
    for c in composed.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else if is_cjk(c) {
            out.push(if c == '靭' { '靱' } else { c });
        } else {
            fold_char(c, &mut out);
        }
    }
    out
}

fn fold_char(c: char, out: &mut String) {
    match c {
        'ß' | 'ẞ' => return out.push_str("ss"),
        'ł' | 'Ł' => return out.push('l'),
        'ø' | 'Ø' => return out.push('o'),
        'đ' | 'Đ' | 'ð' => return out.push('d'),
        'ı' | 'İ' => return out.push('i'),
        'æ' | 'Æ' => return out.push_str("ae"),
        'œ' | 'Œ' => return out.push_str("oe"),
        'أ' | 'إ' | 'آ' | 'ٱ' => return out.push('ا'),
        'ى' => return out.push('ي'),
        'ة' => return out.push('ه'),
        'й' | 'Й' => return out.push('й'),
        'ї' | 'Ї' => return out.push('ї'),
        'ё' | 'Ё' => return out.push('е'),
        '\u{660}'..='\u{669}' => return push_digit(u32::from(c) - 0x660, out),
        '\u{6f0}'..='\u{6f9}' => return push_digit(u32::from(c) - 0x6f0, out),
        '٪' => return out.push('%'),
        _ => {}
    }
    let mut one = [0u8; 4];
    let single: &str = c.encode_utf8(&mut one);
    for part in DecomposingNormalizerBorrowed::new_nfd().normalize(single).chars() {
        if !matches!(part, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{655}' | '\u{670}') {
            out.extend(part.to_lowercase());
        }
    }
}

fn push_digit(value: u32, out: &mut String) {
    if let Some(c) = char::from_digit(value, 10) {
        out.push(c);
    }
}

/// Splits a composed text into sentences.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut word_len = 0; // letters or digits since the last gap
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, n)| *n);
        let ends = match c {
            '\n' | '。' | '！' | '？' | '!' | '?' | '؟' | '।' => true,
            '.' | '…' => {
                next.is_none_or(|n| n.is_whitespace() || closer(n))
                    && word_len > 2
                    && !abbreviation(text.get(start..at).unwrap_or(""))
                    && {
                        let after = text
                            .get(at + c.len_utf8()..)
                            .unwrap_or("")
                            .trim_start_matches(|n: char| n.is_whitespace() || closer(n))
                            .chars()
                            .next();
                        after.is_none_or(|n| !n.is_lowercase())
                    }
                    || (c == '.' && next.is_some_and(is_cjk))
            }
            _ => false,
        };
        if c.is_alphanumeric() {
            word_len += if is_hangul(c) { 3 } else { 1 };
        } else if c == '%' || closer(c) {
            word_len += 3; // "by 5 %." and "(Kyodo)." end a sentence as a word does
        } else if c != '.' || next.is_none_or(char::is_whitespace) {
            word_len = 0;
        }
        if ends {
            let end = at + c.len_utf8();
            push_sentence(text.get(start..end), &mut found);
            start = end;
        }
    }
    push_sentence(text.get(start..), &mut found);
    found
}

fn closer(c: char) -> bool {
    matches!(c, '"' | '”' | '’' | '»' | ')' | ']' | '“' | '«')
}

/// Titles and months that are written with a full stop.
fn abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    [
        "Mrs", "Gen", "Sen", "Rep", "Gov", "Col", "Sgt", "Lt", "Maj", "Adm", "Jan", "Feb", "Mar", "Apr",
        "Aug", "Sep", "Sept", "Oct", "Nov", "Dec", "Dez", "Okt", "Mio", "Mrd", "Nos", "Inc", "Ltd", "Corp",
        "tys", "proc", "Prof", "gen", "hab", "Abs", "Art", "bzw",
    ]
    .contains(&word)
}

fn push_sentence<'a>(part: Option<&'a str>, found: &mut Vec<&'a str>) {
    if let Some(part) = part.map(str::trim)
        && part.chars().any(char::is_alphanumeric)
    {
        found.push(part);
    }
}

/// Cuts one composed sentence into tokens. `dot_groups`: the language writes 28.500 for 28,500.
pub(super) fn tokens(sentence: &str, dot_groups: bool) -> Sentence {
    let chars: Vec<char> = sentence.chars().collect();
    let mut out = Sentence::default();
    let mut run: u16 = 0;
    let mut gap = Gap::None;
    let mut i = 0;
    while let Some(&c) = chars.get(i) {
        let (len, kind) = extent(&chars, i);
        if len == 0 {
            gap = gap.max(gap_of(c));
            i += 1;
            continue;
        }
        let raw: String = chars.get(i..i + len).unwrap_or(&[]).iter().collect();
        i += len;
        if kind == Kind::Word && is_elision(&raw, chars.get(i)) {
            continue;
        }
        let mut folded = fold(&raw.replace(['.', '\'', '’'], ""));
        if kind == Kind::Number {
            folded = raw.trim_end_matches([',', '.']).to_owned();
            folded = fold(&folded);
        }
        let split = gap == Gap::Hard
            || (gap == Gap::Space
                && !(is_ideograph(c) && out.text.chars().next_back().is_some_and(is_ideograph)))
            || (kind == Kind::Word && out.tokens.last().is_some_and(|t| t.kind == Kind::Word));
        if split {
            run = run.saturating_add(1);
            if !out.text.is_empty() {
                out.text.push(' ');
            }
        }
        let start = out.text.len();
        out.text.push_str(&folded);
        let mut token = Token {
            id: hash(folded.as_bytes()),
            start: u32::try_from(start).unwrap_or(u32::MAX),
            len: u16::try_from(folded.len()).unwrap_or(u16::MAX),
            kind,
            run,
            capital: !out.tokens.is_empty() && raw.chars().next().is_some_and(char::is_uppercase),
            value: 0.0,
            ordinal: false,
        };
        if kind == Kind::Number {
            token.value = number(&folded, dot_groups);
            token.id = hash(&token.value.to_bits().to_le_bytes());
            let suffix: String = chars.iter().skip(i).take(3).collect::<String>().to_lowercase();
            let letters: String = suffix.chars().take_while(|c| c.is_alphabetic() && !is_cjk(*c)).collect();
            if matches!(
                letters.as_str(),
                "st" | "nd" | "rd" | "th" | "e" | "er" | "re" | "eme" | "ème" | "de" | "a" | "o"
            ) {
                token.ordinal = true;
                i += letters.chars().count();
            } else if chars.get(i).is_some_and(|c| matches!(c, 'º' | 'ª' | '°')) {
                token.ordinal = true;
                i += 1;
            }
        }
        out.tokens.push(token);
        gap = Gap::None;
    }
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Soft,
    Space,
    Hard,
}

fn gap_of(c: char) -> Gap {
    match c {
        '·' | '・' | 'ㆍ' | '‧' | '「' | '」' | '『' | '』' | '“' | '”' | '‘' | '’' | '"' | '\'' => {
            Gap::Soft
        }
        c if c.is_whitespace() => Gap::Space,
        _ => Gap::Hard,
    }
}

fn is_ideograph(c: char) -> bool {
    is_cjk(c) && !is_hangul(c)
}

/// l'accord, dell'intesa, qu'il: the elided article is no word of its own.
fn is_elision(raw: &str, next: Option<&char>) -> bool {
    raw.chars().count() <= 5
        && matches!(next, Some('\'' | '’'))
        && raw.chars().last().is_some_and(|c| "lLdDnNsScCjJmMuU".contains(c))
        && !raw.eq_ignore_ascii_case("seoul")
}

/// How many characters the token at `i` takes, 0 for none.
fn extent(chars: &[char], i: usize) -> (usize, Kind) {
    let Some(&c) = chars.get(i) else { return (0, Kind::Word) };
    if is_cjk(c) {
        return (1, Kind::Character);
    }
    if is_digit(c) {
        return (number_extent(chars, i), Kind::Number);
    }
    if matches!(c, '%' | '٪' | '$' | '€' | '£' | '¥' | '₩' | '₺' | '₽') {
        return (1, Kind::Sign);
    }
    if !c.is_alphanumeric() {
        return (0, Kind::Word);
    }
    let mut end = i;
    while let Some(&n) = chars.get(end) {
        let letter =
            n.is_alphabetic() && !is_cjk(n) || matches!(n, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{655}');
        // U.S. and F-35: dots inside an acronym go, digits begin a new token
        let acronym = n == '.'
            && chars.get(end + 1).is_some_and(|n| n.is_alphabetic() && !is_cjk(*n))
            && single_letter(chars, end);
        if !(letter || acronym) {
            break;
        }
        end += 1;
    }
    ((end - i).max(1), Kind::Word)
}

fn single_letter(chars: &[char], dot: usize) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphabetic());
    letter(dot.checked_sub(1))
        && !letter(dot.checked_sub(2))
        && !chars.get(dot + 2).is_some_and(|c| c.is_alphabetic())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

fn number_extent(chars: &[char], i: usize) -> usize {
    let mut end = i;
    while let Some(&c) = chars.get(end) {
        let inside = is_digit(c)
            || (matches!(c, '.' | ',' | '٫' | '٬') && chars.get(end + 1).is_some_and(|n| is_digit(*n)))
            || (c == ' ' && end - i <= 3 && grouped(chars, end))
            || (c == ' '
                && end > i + 3
                && chars.get(end.wrapping_sub(4)) == Some(&' ')
                && grouped(chars, end));
        if !inside {
            break;
        }
        end += 1;
    }
    end - i
}

/// "28 500": exactly three digits after the space.
fn grouped(chars: &[char], space: usize) -> bool {
    (1..=3).all(|k| chars.get(space + k).is_some_and(|c| is_digit(*c)))
        && !chars.get(space + 4).is_some_and(|c| is_digit(*c))
}

/// Reads the value of a number as its language writes it.
fn number(text: &str, dot_groups: bool) -> f64 {
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '٫' => '.',
            '٬' => ',',
            c => c,
        })
        .collect();
    let last = text.rfind(['.', ',']);
    let Some(last) = last else { return text.parse().unwrap_or(0.0) };
    let mark = if text.get(last..).is_some_and(|t| t.starts_with(',')) { ',' } else { '.' };
    let other = if mark == ',' { '.' } else { ',' };
    let tail = text.len() - last - 1;
    let many = text.matches(mark).count() > 1;
    let grouping_here = (mark == '.') == dot_groups;
    let grouping = many || (!text.contains(other) && tail == 3 && grouping_here && !text.starts_with('0'));
    let clean: String = if grouping {
        text.chars().filter(char::is_ascii_digit).collect()
    } else {
        text.char_indices()
            .filter(|(at, c)| *at == last || c.is_ascii_digit())
            .map(|(at, c)| if at == last { '.' } else { c })
            .collect()
    };
    clean.parse().unwrap_or(0.0)
}
