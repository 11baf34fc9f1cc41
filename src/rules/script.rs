//! What a character is to the rule language: its script, or which kind of separator.

/// The class of one character.
///
/// Scripts are told apart as far as edges and distances need it, no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Leaves no trace: soft hyphen, zero-width and bidi characters, variation selectors.
    Gone,
    /// Space, hyphen, dash, middle dot, slash, apostrophe, quote.
    Soft,
    /// Any other punctuation and symbol: no pattern reaches across.
    Hard,
    /// A full stop: ends a sentence unless a letter or digit follows at once.
    Dot,
    /// Ends a sentence: `!`, `?`, `。`, a block boundary.
    Stop,
    /// The percent sign: a word of its own that may touch any other.
    Percent,
    /// Letters and digits of scripts that put spaces between words.
    Alpha,
    /// Arabic letters, which also take one-letter prefixes.
    Arabic,
    /// Scripts that put no spaces between words and have no edges: Thai, Lao, Khmer, Burmese.
    Free,
    /// Han characters.
    Han,
    /// Hiragana.
    Hiragana,
    /// Katakana and its long-vowel mark.
    Katakana,
    /// Hangul syllables and letters.
    Hangul,
}

impl Class {
    /// Whether soft separators between two such characters vanish.
    pub(crate) fn is_cjk(self) -> bool {
        self >= Self::Han
    }

    /// Whether it stands in the normal form, as no separator does.
    pub(crate) fn is_letter(self) -> bool {
        self >= Self::Percent
    }

    /// Whether its words are runs between separators.
    pub(crate) fn has_words(self) -> bool {
        matches!(self, Self::Alpha | Self::Arabic)
    }
}

/// Classifies a character by itself, before any folding.
pub(crate) fn class(c: char) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Alpha,
        // A feed's text holds a newline only where a block ends.
        '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Stop,
        '!' | '?' | '。' | '！' | '？' | '｡' | '؟' | '।' | '۔' | '\u{2}' => Class::Stop,
        '.' => Class::Dot,
        '%' | '٪' | '％' => Class::Percent,
        // What the point or comma within a number becomes: see `DECIMAL`.
        DECIMAL => Class::Alpha,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => Class::Gone,
        '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0100}'..='\u{e01ef}'
        | '\u{61c}'
        | '\u{180b}'..='\u{180f}' => Class::Gone,
        // The tatweel only stretches a word.
        '\u{640}' => Class::Gone,
        '-' | '/' | '\'' | '"' | '`' | '·' | '´' | '«' | '»' => Class::Soft,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2e3a}' | '\u{2e3b}' | '\u{30a0}' | '\u{ff0d}' => {
            Class::Soft
        }
        '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{2032}' | '\u{2033}' => Class::Soft,
        // Letters by their category, apostrophes by their use.
        '\u{2bb}' | '\u{2bc}' | '\u{5f3}' | '\u{5f4}' | '\u{5be}' => Class::Soft,
        '•' | '‧' | '∙' | '⋅' | '・' | '･' | 'ㆍ' | '\u{119e}' | '⁄' | '\u{ff0f}' => {
            Class::Soft
        }
        '〈'..='』' | '〝'..='〟' | '﹁'..='﹄' => Class::Soft,
        _ if c.is_whitespace() => Class::Soft,
        '々' | '〆' | '〇' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => Class::Han,
        '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}' => Class::Han,
        '\u{3041}'..='\u{3096}' | 'ゝ'..='ゟ' => Class::Hiragana,
        '\u{30a1}'..='\u{30fa}' | 'ー'..='ヿ' | '\u{31f0}'..='\u{31ff}' => Class::Katakana,
        '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' => Class::Hangul,
        '\u{a960}'..='\u{a97c}' | '\u{d7b0}'..='\u{d7fb}' => Class::Hangul,
        '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' | '\u{e80}'..='\u{ecf}' => Class::Free,
        '\u{1000}'..='\u{103f}' | '\u{1780}'..='\u{17d3}' => Class::Free,
        // Indic vowel signs and viramas belong to their words.
        '\u{900}'..='\u{963}' | '\u{980}'..='\u{df3}' => Class::Alpha,
        _ if !c.is_alphanumeric() => Class::Hard,
        '\u{620}'..='\u{64a}' | '\u{66e}'..='\u{6d5}' | '\u{6ee}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => {
            Class::Arabic
        }
        '\u{8a0}'..='\u{8c7}' => Class::Arabic,
        _ => Class::Alpha,
    }
}

/// Stands in the normal form for the point or comma within a number, so that a number is one word.
///
/// U+066B, the Arabic decimal separator, which texts have in that very place.
pub(crate) const DECIMAL: char = '\u{66b}';

/// The zeros of the decimal digits that news is written with, beyond ASCII: ten follow each (Unicode, general category Nd).
const ZEROS: [char; 12] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{be6}', '\u{c66}', '\u{e50}',
    '\u{ed0}', '\u{1040}', '\u{17e0}',
];

/// Returns the ASCII digit for a digit of any script.
pub(crate) fn digit(c: char) -> Option<char> {
    if c.is_ascii_digit() {
        return Some(c);
    }
    let value = ZEROS.iter().map(|zero| (c as u32).wrapping_sub(*zero as u32)).find(|value| *value < 10)?;
    char::from_digit(value, 10)
}

/// Whether accents on this letter are dropped.
pub(crate) fn loses_accents(base: char) -> bool {
    matches!(base,
        'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}'
        | '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' | '\u{620}'..='\u{6ff}')
}

/// The lengths of [`is_particle`]'s particles, in bytes.
pub(crate) const PARTICLE_BYTES: [usize; 2] = [3, 6];

/// Whether this is a Korean particle that may follow a short noun. Asked at every end of one.
pub(crate) fn is_particle(text: &str) -> bool {
    matches!(text, "은" | "는" | "이" | "가" | "을" | "를" | "의" | "에" | "와" | "과" | "로" | "도" | "만")
        || matches!(text, "에서" | "으로" | "에게" | "부터" | "까지" | "에는")
}

/// Whether `prefix`, all that stands before a match in an Arabic word, is made of
/// conjunction, preposition and article only.
pub(crate) fn is_arabic_prefix(prefix: &str) -> bool {
    let rest = prefix.strip_prefix(['و', 'ف']).unwrap_or(prefix);
    let rest = rest.strip_prefix("لل").unwrap_or_else(|| {
        let rest = rest.strip_prefix(['ب', 'ل', 'ك']).unwrap_or(rest);
        rest.strip_prefix("ال").unwrap_or(rest)
    });
    rest.is_empty()
}
