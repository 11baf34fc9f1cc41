//! Days out of numbers.

use jiff::SignedDuration;
use jiff::civil::Date;

/// Two digits are a year of 1970 to 2069.
pub(super) fn century(value: u64) -> Option<i16> {
    let value = i16::try_from(value).ok().filter(|value| (0..100).contains(value))?;
    Some(if value < 70 { 2000 + value } else { 1900 + value })
}

/// Makes a year of a number of so many digits.
pub(super) fn year(value: u64, digits: usize) -> Option<i16> {
    if digits <= 2 { century(value) } else { i16::try_from(value).ok().filter(|_| digits <= 4) }
}

/// Reads `20201116`.
pub(super) fn compact(value: u64) -> Option<Date> {
    civil(
        i16::try_from(value / 10_000).ok()?,
        i8::try_from(value / 100 % 100).ok()?,
        i8::try_from(value % 100).ok()?,
    )
}

/// Reads a day counted within its year.
pub(super) fn ordinal(year: u64, day: u64) -> Option<Date> {
    let first = civil(i16::try_from(year).ok()?, 1, 1)?;
    let days = i64::try_from(day).ok().filter(|day| (1..=366).contains(day))? - 1;
    first.checked_add(SignedDuration::from_hours(days * 24)).ok()
}

/// Makes a date. The 31st of June is none: the entry may have a better one.
pub(super) fn civil(year: i16, month: i8, day: i8) -> Option<Date> {
    if !(1..=31).contains(&day) || !(1000..=9999).contains(&year) {
        return None;
    }
    Date::new(year, month, day).ok()
}
