//! Quantities in a sentence: amounts with their multipliers, percentages, years, plain numbers and ordinals.

use super::token::{Kind, Sentence, Token};

/// What a quantity counts; only quantities of one sort can contradict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// Money, or any number written with a multiplier of a million and more.
    Amount,
    /// Per cent.
    Percent,
    /// A year of the calendar.
    Year,
    /// A plain number, a day of the month, an ordinal.
    Count,
}

/// A quantity and the tokens it was read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quantity {
    /// What it counts.
    pub(super) sort: Sort,
    /// Its value, multipliers applied.
    pub(super) value: f64,
    /// How many significant digits were written.
    pub(super) digits: u32,
    /// First token.
    pub(super) first: usize,
    /// One past the last token.
    pub(super) last: usize,
}

/// Reads every quantity written in digits.
pub(super) fn quantities(sentence: &Sentence, lang: &str) -> Vec<Quantity> {
    let tokens = &sentence.tokens;
    let mut found = Vec::new();
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        if token.kind == Kind::Number {
            let quantity = read(sentence, i, lang);
            i = quantity.last.max(i + 1);
            found.push(quantity);
        } else {
            i += 1;
        }
    }
    found
}

fn read(sentence: &Sentence, first: usize, lang: &str) -> Quantity {
    let tokens = &sentence.tokens;
    let (mut total, mut section, mut scaled) = (0.0, 0.0, false);
    let mut digits = 0;
    let mut ordinal = false;
    let mut i = first;
    let mut pending = false; // a number was read since the last multiplier
    while let Some(token) = tokens.get(i) {
        if token.kind == Kind::Number {
            if pending || (i > first && !scaled_before(sentence, i)) {
                break;
            }
            digits = digits.max(significant(word(sentence, token)));
            section += token.value;
            ordinal |= token.ordinal;
            pending = true;
        } else if let Some((by, closes)) =
            scale(word(sentence, token), lang, tokens.get(i + 1).map(|t| word(sentence, t)))
        {
            if token.kind == Kind::Character && !pending && !scaled {
                break;
            }
            if closes {
                total += section * by;
                section = 0.0;
            } else {
                section *= by;
            }
            scaled |= by >= 10_000.0;
            pending = false;
        } else {
            break;
        }
        i += 1;
    }
    let value = total + section;
    let before = first.checked_sub(1).and_then(|p| tokens.get(p)).map_or("", |t| word(sentence, t));
    let after = tokens.get(i).map_or("", |t| word(sentence, t));
    let two: String = tokens.iter().skip(i).take(4).map(|t| word(sentence, t)).collect();
    let percent = matches!(before, "%" | "yuzde")
        || matches!(
            after,
            "%" | "percent"
                | "pct"
                | "prozent"
                | "proc"
                | "procent"
                | "prosent"
                | "prosenttia"
                | "процентов"
                | "процента"
                | "процент"
                | "відсотків"
                | "відсотка"
                | "відсотки"
                | "percentuali"
        )
        || (matches!(after, "per" | "pour" | "por" | "في")
            && matches!(
                tokens.get(i + 1).map(|t| word(sentence, t)),
                Some("cent" | "cento" | "ciento" | "المئه" | "المائه")
            ))
        || two.starts_with("퍼센트")
        || two.starts_with("パーセ")
        || two.starts_with("프로");
    let money = scaled
        || value.abs() >= 1e6
        || matches!(before, "$" | "€" | "£" | "¥" | "₩" | "₺" | "₽" | "krw" | "usd" | "eur" | "jpy")
        || matches!(after, "$" | "€" | "£" | "¥" | "₩" | "₺" | "₽");
    let year = !scaled
        && !percent
        && !ordinal
        && value.fract() == 0.0
        && (1900.0..=2100.0).contains(&value)
        && tokens.get(first).is_some_and(|t| word(sentence, t).len() == 4)
        && i == first + 1;
    let sort = match () {
        () if percent => Sort::Percent,
        () if money => Sort::Amount,
        () if year => Sort::Year,
        () => Sort::Count,
    };
    Quantity { sort, value, digits, first, last: i }
}

/// Whether the token before `i` is a multiplier with no gap or in the same run of digits: 1조 5192억.
fn scaled_before(sentence: &Sentence, i: usize) -> bool {
    i.checked_sub(1).and_then(|p| sentence.tokens.get(p)).is_some_and(|t| {
        matches!(
            word(sentence, t),
            "조" | "억" | "만" | "천" | "백" | "兆" | "億" | "亿" | "万" | "萬" | "千" | "百"
        )
    })
}

fn word<'a>(sentence: &'a Sentence, token: &Token) -> &'a str {
    sentence.text.get(token.start()..token.end()).unwrap_or("")
}

fn significant(text: &str) -> u32 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let kept = digits.trim_start_matches('0').trim_end_matches('0');
    u32::try_from(kept.len()).unwrap_or(u32::MAX)
}

/// The multiplier a word is, and whether it closes a section of a CJK number.
fn scale(word: &str, lang: &str, next: Option<&str>) -> Option<(f64, bool)> {
    let long = !matches!(lang, "en" | "ru" | "uk" | "tr" | "pt" | "" | "ar"); // Billion is 10^12
    let by = match word {
        "백" | "百" => return Some((1e2, false)),
        "천" | "千" => return Some((1e3, false)),
        "만" | "万" | "萬" => 1e4,
        "억" | "億" | "亿" => 1e8,
        "조" | "兆" => 1e12,
        "thousand" | "tausend" | "tys" | "тысяч" | "тыс" | "тисяч" | "bin" | "tusen" | "duizend"
        | "tuhatta" | "الف" => 1e3,
        "mil" if matches!(next, Some("millones")) => 1e3,
        "mil" | "mila" => 1e3,
        "million" | "millions" | "mn" | "m" | "millionen" | "mio" | "millones" | "milioni" | "milione"
        | "milhoes" | "milionow" | "miliony" | "mln" | "миллионов" | "миллиона" | "млн" | "мільйонів"
        | "milyon" | "miljoen" | "miljoner" | "millioner" | "miljoonaa" | "مليون" | "ملايين" => {
            1e6
        }
        "billion" | "billions" | "bn" | "bln" if !long => 1e9,
        "billion" | "billions" | "billionen" | "bilion" | "bilionow" | "biliony" | "billon" | "billones"
        | "biljoen" | "biljoonaa" | "biliardi" => 1e12,
        "milliarden"
        | "milliarde"
        | "mrd"
        | "milliard"
        | "milliards"
        | "md"
        | "mds"
        | "miliardi"
        | "miliardo"
        | "mld"
        | "miliardow"
        | "miliardy"
        | "miliarda"
        | "miljard"
        | "miljarder"
        | "milliarder"
        | "miljardia"
        | "mlrd"
        | "milyar"
        | "bilhoes"
        | "миллиардов"
        | "миллиарда"
        | "млрд"
        | "мільярдів"
        | "мільярда"
        | "مليار"
        | "مليارات" => 1e9,
        "trillion"
        | "trillions"
        | "tn"
        | "trln"
        | "trilhoes"
        | "trilyon"
        | "триллионов"
        | "триллиона"
        | "трлн"
        | "трильйонів"
        | "تريليون" => 1e12,
        _ => return None,
    };
    Some((by, true))
}

/// Whether one value is the other, written with fewer digits.
pub(super) fn rounds_to(a: &Quantity, b: &Quantity, least_digits: u32) -> bool {
    if same(a.value, b.value) {
        return true;
    }
    let (coarse, fine) = if a.digits <= b.digits { (a, b) } else { (b, a) };
    if coarse.sort == Sort::Year
        || coarse.sort == Sort::Count && coarse.value < 1000.0
        || coarse.digits < least_digits
        || coarse.digits >= fine.digits
    {
        return false;
    }
    let step = 10f64.powi(
        coarse.value.abs().max(f64::MIN_POSITIVE).log10().floor() as i32
            - i32::try_from(coarse.digits).unwrap_or(9)
            + 1,
    );
    (coarse.value - fine.value).abs() <= step * 0.51
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}
