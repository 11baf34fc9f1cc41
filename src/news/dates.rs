//! Instants out of whatever feeds write in a date element.
//!
//! The text is cut into numbers, words and signs, and each is asked what it can
//! be; so every order, separator and language goes through one reading. What is
//! not a date gives `None`, never a wrong guess at today.

mod calendar;
mod places;
mod settle;
mod tokens;
mod usual;
mod words;
mod zones;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use self::calendar::{century, compact};
use self::tokens::{Token, Unit};

/// What a feed tells about its dates besides their text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The zone of dates that name none; UTC when absent.
    pub zone: Option<&'a TimeZone>,
    /// The feed's language tag, which decides what `CST` and `3/4/2026` mean.
    pub lang: Option<&'a str>,
}

/// Reads a date as feeds write it.
pub fn parse(raw: &str, hints: &Hints<'_>) -> Option<Timestamp> {
    usual::read(raw.trim()).or_else(|| read(raw, hints))
}

/// Reads it word by word.
fn read(raw: &str, hints: &Hints<'_>) -> Option<Timestamp> {
    let lang = hints.lang.unwrap_or_default().to_ascii_lowercase();
    let mut reading = Reading { tokens: tokens::cut(raw), lang: &lang, ..Reading::default() };
    if let Some(instant) = reading.epoch() {
        return Some(instant);
    }
    reading.run();
    reading.instant(hints)
}

/// How surely a word is the date's month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// It is none, or came as a number with its unit.
    #[default]
    None,
    /// It may be a weekday, and stands where one does: before the day.
    Weekday,
    /// It may be a weekday, and stands behind a number.
    Either,
    /// It is a month's name and nothing else.
    Month,
}

/// A date being read.
#[derive(Default)]
struct Reading<'a> {
    tokens: Vec<Token>,
    lang: &'a str,
    at: usize,
    /// Numbers that are neither time nor zone, with the sign before each.
    loose: Vec<(u64, usize, Option<char>)>,
    year: Option<i16>,
    month: Option<i8>,
    claim: Claim,
    day: Option<i8>,
    hour: Option<i8>,
    minute: i8,
    second: i8,
    nanos: i32,
    afternoon: Option<bool>,
    /// Minutes east.
    offset: Option<i32>,
    zone_name: Option<String>,
    /// A place whose clocks the time is by.
    place: Option<&'static str>,
    era: Option<i16>,
}

impl Reading<'_> {
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    fn sign(&self, ahead: usize) -> Option<char> {
        match self.token(ahead) {
            Some(Token::Sign(sign)) => Some(*sign),
            _ => None,
        }
    }

    fn number(&self, ahead: usize) -> Option<(u64, usize)> {
        match self.token(ahead) {
            Some(Token::Number(value, digits)) => Some((*value, *digits)),
            _ => None,
        }
    }

    /// Reads a lone number of seconds, milliseconds or microseconds since 1970.
    fn epoch(&self) -> Option<Timestamp> {
        let (value, digits) = match self.tokens.as_slice() {
            [Token::Number(value, digits)]
            | [Token::Number(value, digits), Token::Sign('.' | ','), Token::Number(..)] => (value, digits),
            // "/Date(1605484800000+0900)/": the zone is for showing only.
            [
                Token::Sign('/'),
                Token::Word(word),
                Token::Sign('('),
                Token::Number(value, digits),
                ..,
                Token::Sign(')'),
                Token::Sign('/'),
            ] if word == "date" => (value, digits),
            _ => return None,
        };
        let value = i64::try_from(*value).ok()?;
        match digits {
            9..=10 => Timestamp::from_second(value).ok(),
            13 => Timestamp::from_millisecond(value).ok(),
            16 => Timestamp::from_microsecond(value).ok(),
            _ => None,
        }
    }

    fn run(&mut self) {
        while let Some(token) = self.tokens.get(self.at).cloned() {
            let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).cloned();
            let used = match token {
                Token::Number(value, digits) => self.numeric(value, digits, before.as_ref()),
                Token::Word(word) => self.word(&word),
                Token::Sign('+' | '-') => self.zone_number().unwrap_or(1),
                Token::Sign(_) | Token::Unit(_) => 1,
            };
            self.at += used;
        }
    }

    fn numeric(&mut self, value: u64, digits: usize, before: Option<&Token>) -> usize {
        if let Some(Token::Unit(unit)) = self.token(1) {
            return self.counted(value, *unit);
        }
        if self.hour.is_none() {
            if self.compact(value, digits) {
                return 1;
            }
            if let Some(used) = self.clock(value, digits) {
                return used;
            }
            let after_t = matches!(before, Some(Token::Word(word)) if word == "t");
            if after_t && !self.loose.is_empty() && matches!(digits, 2 | 4 | 6) {
                let (hour, minute, second) = match digits {
                    6 => (value / 10_000, value / 100 % 100, value % 100),
                    4 => (value / 100, value % 100, 0),
                    _ => (value, 0, 0),
                };
                self.set_time(hour, minute, second);
                return 1;
            }
            let half = match self.token(1) {
                // Before a number the word belongs to that one: "16 오후 03:04".
                Some(Token::Word(word)) if self.number(2).is_none() => {
                    let dotted = matches!(word.as_str(), "a" | "p") && self.sign(2) == Some('.');
                    dotted || words::afternoon(word).is_some() || matches!(word.as_str(), "uhr" | "h")
                }
                _ => false,
            };
            if half && digits <= 2 && value <= 24 {
                self.set_time(value, 0, 0);
                return 1;
            }
        }
        let sign = match before {
            Some(Token::Sign(sign)) => Some(*sign),
            _ => None,
        };
        self.loose.push((value, digits, sign));
        1
    }

    /// Reads `20201116090000`, `202011160900` and the time of `20201116 090000`, which a zone may follow.
    fn compact(&mut self, value: u64, digits: usize) -> bool {
        let (day, time) = match digits {
            14 => (value / 1_000_000, value % 1_000_000),
            12 => (value / 10_000, value % 10_000 * 100),
            6 => match self.loose.as_slice() {
                [(day, 8, _)] => (*day, value),
                _ => return false,
            },
            _ => return false,
        };
        let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
        let whole =
            (self.loose.is_empty() || digits == 6) && hour <= 24 && minute < 60 && compact(day).is_some();
        if whole {
            self.set_time(hour, minute, second);
            self.loose = vec![(day, 8, None)];
        }
        whole
    }

    /// Reads `9:00`, `09:00:00.123`, `9h30`, and `9.30` where no day can be meant.
    fn clock(&mut self, hour: u64, digits: usize) -> Option<usize> {
        if digits > 2 || hour > 24 {
            return None;
        }
        let split = match self.token(1)? {
            Token::Sign(':') => ':',
            Token::Word(word) if matches!(word.as_str(), "h" | "u") => 'h',
            Token::Sign('.') if self.dated() => '.',
            _ => return None,
        };
        let (minute, width) = self.number(2)?;
        if minute > 59 || width > 2 {
            return None;
        }
        let (mut second, mut used) = (0, 3);
        if self.sign(3) == Some(split)
            && let Some((value, 1..=2)) = self.number(4)
        {
            (second, used) = (value, 5);
            if matches!(self.sign(5), Some('.' | ','))
                && let Some((fraction, width)) = self.number(6)
            {
                let scale = 10u64.checked_pow(u32::try_from(9usize.saturating_sub(width)).ok()?)?;
                self.nanos =
                    if width <= 9 { i32::try_from(fraction.saturating_mul(scale)).unwrap_or(0) } else { 0 };
                used = 7;
            }
        }
        self.set_time(hour, minute, second);
        Some(used)
    }

    /// Tells whether day, month and year have been seen.
    fn dated(&self) -> bool {
        let named = usize::from(self.month.is_some())
            + usize::from(self.day.is_some())
            + usize::from(self.year.is_some());
        self.loose.len() + named >= 3 || self.loose.first().is_some_and(|(_, digits, _)| *digits == 8)
    }

    fn set_time(&mut self, hour: u64, minute: u64, second: u64) {
        self.hour = i8::try_from(hour).ok();
        self.minute = i8::try_from(minute).unwrap_or(0);
        self.second = i8::try_from(second.min(59)).unwrap_or(0);
    }

    fn counted(&mut self, value: u64, unit: Unit) -> usize {
        let small = i8::try_from(value).ok();
        match unit {
            Unit::Year => {
                let years = i16::try_from(value).unwrap_or(-1);
                self.year =
                    Some(self.era.map_or_else(
                        || century(value).unwrap_or(years),
                        |before| before.saturating_add(years),
                    ));
            }
            Unit::Month => self.month = small,
            Unit::Day => self.day = small,
            Unit::Hour => self.hour = small,
            Unit::Minute => self.minute = small.unwrap_or(0),
            Unit::Second => self.second = small.unwrap_or(0).min(59),
        }
        2
    }

    fn word(&mut self, word: &str) -> usize {
        if let Some(half) = words::afternoon(word) {
            self.afternoon = Some(half);
            return 1;
        }
        // "a.m." and "p.m." come in pieces; the "p" of a zone does not.
        if matches!(word, "a" | "p" | "π" | "μ")
            && self.sign(1) == Some('.')
            && matches!(self.token(2), Some(Token::Word(half)) if matches!(half.as_str(), "m" | "μ"))
        {
            self.afternoon = Some(matches!(word, "p" | "μ"));
            return 3;
        }
        if let Some(before) = words::era(word) {
            self.era = Some(before);
            return 1;
        }
        if let Some(month) = words::month(word, self.lang)
            && let Some(claim) = self.better_claim(word)
        {
            (self.month, self.claim) = (Some(month), claim);
            return 1;
        }
        if self.hour.is_some()
            && let Some((place, used)) = self.place_name(word)
        {
            self.place = self.place.or(Some(place));
            return used;
        }
        if zones::offset(word, self.lang, Date::ZERO).is_some() && self.hour.is_some() {
            // A number after the time outranks the name that comments on it: "+0900 (KST)".
            if self.zone_name.is_none() && self.offset.is_none() {
                self.zone_name = Some(word.to_owned());
            }
        }
        1
    }

    /// Reads `Asia/Seoul` and `America/New_York`, and tells how many tokens that were.
    fn place_name(&self, first: &str) -> Option<(&'static str, usize)> {
        let (mut name, mut used) = (first.to_owned(), 1);
        while let (Some(sign @ ('/' | '_')), Some(Token::Word(word))) =
            (self.sign(used), self.token(used + 1))
        {
            name.push(sign);
            name.push_str(word);
            used += 2;
        }
        places::rule(&name).map(|rule| (rule, used))
    }

    /// Weighs a month's name against the one before: `Mar, 24 Nov` is a Tuesday in November.
    fn better_claim(&self, word: &str) -> Option<Claim> {
        let claim = match (words::is_either(word), self.loose.is_empty()) {
            (true, true) => Claim::Weekday,
            (true, false) => Claim::Either,
            (false, _) => Claim::Month,
        };
        // Behind a day and a year comes no month any more.
        let better = match self.loose.len() {
            0 => claim >= self.claim,
            1 => claim > self.claim,
            _ => false,
        };
        (self.month.is_none() || better).then_some(claim)
    }

    /// Reads `+0900`, `-05:00`, `+9` after a time; `-` before a number is a separator otherwise.
    fn zone_number(&mut self) -> Option<usize> {
        let negative = self.sign(0)? == '-';
        let (value, digits) = self.number(1)?;
        let numeric_zone = self.hour.is_some() && self.offset.is_none();
        // The "-2020" of "09:00 16-11-2020" is no zone.
        let plausible = match digits {
            1 | 2 => value <= 15,
            3 | 4 => value / 100 <= 15 && value % 100 < 60,
            6 => value / 10_000 <= 15,
            _ => false,
        };
        let loose_date =
            self.loose.last().is_some() && !self.dated() && self.month.is_none() && self.year.is_none();
        if !numeric_zone || !plausible || loose_date {
            return None;
        }
        let value = i32::try_from(value).ok()?;
        let (mut minutes, mut used) = match digits {
            1 | 2 => (value * 60, 2),
            6 => (value / 10_000 * 60 + value / 100 % 100, 2),
            _ => (value / 100 * 60 + value % 100, 2),
        };
        if digits <= 2
            && self.sign(2) == Some(':')
            && let Some((rest, 2)) = self.number(3)
        {
            minutes += i32::try_from(rest).ok()?;
            used = 4;
        }
        self.offset = Some(if negative { -minutes } else { minutes });
        Some(used)
    }
}

#[cfg(test)]
#[path = "dates/tests.rs"]
mod tests;
