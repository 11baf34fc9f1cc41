//! What was read of a date, settled: which number is the day, and which instant it all means.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{civil, compact, ordinal, year};
use super::{Claim, Hints, Reading, zones};

impl Reading<'_> {
    pub(super) fn instant(&mut self, hints: &Hints<'_>) -> Option<Timestamp> {
        let date = self.date()?;
        let mut hour = self.hour.unwrap_or(0);
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let (date, hour) = if hour == 24 { (date.tomorrow().ok()?, 0) } else { (date, hour) };
        let time = Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let civil = DateTime::from_parts(date, time);
        let named = self.zone_name.as_deref().and_then(|name| zones::offset(name, self.lang, date));
        // "GMT+0900": the number counts, the name is what it counts from.
        if let Some(minutes) = self.offset.or(named) {
            let utc = TimeZone::UTC.to_timestamp(civil).ok()?;
            return utc.checked_sub(SignedDuration::from_mins(i64::from(minutes))).ok();
        }
        let place = self.place.and_then(|rule| TimeZone::posix(rule).ok());
        place.as_ref().or(hints.zone).unwrap_or(&TimeZone::UTC).to_timestamp(civil).ok()
    }

    fn date(&mut self) -> Option<Date> {
        let loose = std::mem::take(&mut self.loose);
        // "mar 24/11/2026": the word is a weekday, or none of a date's.
        let whole =
            matches!(loose.as_slice(), [_, (.., Some('/' | '.' | '-')), (.., Some('/' | '.' | '-')), ..]);
        if self.claim != Claim::None
            && whole
            && let Some(date) = self.numbers(&loose)
        {
            return Some(date);
        }
        if let (Some(month), None) = (self.month, self.day) {
            return self.with_month(month, &loose);
        }
        if let (Some(month), Some(day)) = (self.month, self.day) {
            let year =
                self.year.or_else(|| loose.first().and_then(|(value, digits, _)| year(*value, *digits)))?;
            return civil(year, month, day);
        }
        self.numbers(&loose)
    }

    /// A month's name, or its number with a unit, and loose numbers.
    fn with_month(&self, month: i8, loose: &[(u64, usize, Option<char>)]) -> Option<Date> {
        if let Some(year) = self.year {
            return civil(
                year,
                month,
                loose.first().map_or(1, |(value, ..)| i8::try_from(*value).unwrap_or(1)),
            );
        }
        let year_of =
            |fits: fn(u64, usize) -> bool| loose.iter().position(|(value, digits, _)| fits(*value, *digits));
        match year_of(|_, digits| digits == 4).or_else(|| year_of(|value, _| value > 31)) {
            Some(at) => {
                let (value, digits, _) = loose.get(at)?;
                let mut rest =
                    loose.iter().enumerate().filter(|(place, (_, digits, _))| *place != at && *digits <= 2);
                // The 32nd is no day, and not the year of the one that is meant.
                let day = match rest.clone().find(|(_, (value, ..))| (1..=31).contains(value)) {
                    Some((_, (day, ..))) => *day,
                    None => u64::from(rest.next().is_none()),
                };
                civil(year(*value, *digits)?, month, i8::try_from(day).ok()?)
            }
            // Both have two digits: the day comes first in every order in use.
            None => {
                let ((day, ..), (short_year, digits, _)) = (loose.first()?, loose.get(1)?);
                civil(year(*short_year, *digits)?, month, i8::try_from(*day).ok()?)
            }
        }
    }

    /// Numbers only.
    fn numbers(&self, loose: &[(u64, usize, Option<char>)]) -> Option<Date> {
        let small = |value: u64| i8::try_from(value).ok();
        match loose {
            [(value, 8, _), ..] => compact(*value),
            [(value, 7, _)] => ordinal(value / 1000, value % 1000),
            [(value, 6, _)] => civil(i16::try_from(value / 100).ok()?, small(value % 100)?, 1),
            [(value, 4, _)] => civil(i16::try_from(*value).ok()?, 1, 1),
            [(first, 4, _), (second, 3, _)] => ordinal(*first, *second),
            [(first, 4, _), (second, 1 | 2, _)] => civil(i16::try_from(*first).ok()?, small(*second)?, 1),
            [(first, 4, _), (second, ..), (third, ..), ..] => {
                civil(i16::try_from(*first).ok()?, small(*second)?, small(*third)?)
            }
            [(first, ..), (second, ..), (third, digits, sign), ..] => {
                let cjk = ["ko", "ja", "zh"].iter().any(|lang| self.lang.starts_with(lang));
                if *digits < 3 && (cjk || *first > 31 || *sign == Some('-')) {
                    return civil(year(*first, 2)?, small(*second)?, small(*third)?);
                }
                let year = year(*third, *digits)?;
                // The United States write the month first, with slashes; the rest of the world the day.
                let american = *sign != Some('.') && matches!(self.lang, "" | "en" | "en-us");
                let month_first = *second > 12 || (american && *first <= 12);
                let (month, day) = if month_first { (*first, *second) } else { (*second, *first) };
                civil(year, small(month)?, small(day)?)
            }
            _ => None,
        }
    }
}
