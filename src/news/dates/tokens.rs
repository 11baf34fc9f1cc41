//! A date's text cut into numbers, words and signs.

/// One piece of a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Digits: their value and how many they were.
    Number(u64, usize),
    /// Letters, lower case.
    Word(String),
    /// A CJK unit right behind a number: year, month, day, hour, minute or second.
    Unit(Unit),
    /// Anything else but white space.
    Sign(char),
}

/// What a CJK date counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// No date is longer.
const LONGEST: usize = 120;

/// Cuts `raw` into tokens.
pub(super) fn cut(raw: &str) -> Vec<Token> {
    let raw = raw.trim();
    let mut chars = raw.chars().map(narrow).take(LONGEST).peekable();
    let mut tokens = Vec::with_capacity(16);
    let mut counted = false;
    while let Some(char) = chars.next() {
        if let Some(digit) = char.to_digit(10) {
            let (mut value, mut digits) = (u64::from(digit), 1);
            while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
                value = value.saturating_mul(10).saturating_add(u64::from(digit));
                digits += 1;
                chars.next();
            }
            tokens.push(Token::Number(value, digits));
            counted = true;
            continue;
        }
        // "2020 年" occurs too.
        if char.is_whitespace() {
            continue;
        }
        if let Some(unit) = unit(char).filter(|_| counted) {
            tokens.push(Token::Unit(unit));
        } else if char == '元' {
            // The first year of an era.
            tokens.push(Token::Number(1, 1));
            counted = true;
            continue;
        } else if char.is_alphabetic() {
            let mut word: String = char.to_lowercase().collect();
            while let Some(next) =
                chars.next_if(|next| next.is_alphabetic() && *next != '元' || is_mark(*next))
            {
                word.extend(next.to_lowercase());
            }
            tokens.push(Token::Word(word));
        } else {
            tokens.push(Token::Sign(char));
        }
        counted = false;
    }
    tokens
}

fn is_mark(char: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&char)
}

/// Full-width forms and typographic signs as plain ones.
fn narrow(char: char) -> char {
    match char {
        '！'..='～' => char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        _ => char,
    }
}

fn unit(char: char) -> Option<Unit> {
    let unit = match char {
        '年' | '년' => Unit::Year,
        '月' | '월' => Unit::Month,
        '日' | '일' | '号' => Unit::Day,
        '時' | '时' | '시' | '點' | '点' => Unit::Hour,
        '分' | '분' => Unit::Minute,
        '秒' | '초' => Unit::Second,
        _ => return None,
    };
    Some(unit)
}
