//! What an answer's headers say about the next request.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, RETRY_AFTER};

use super::Wishes;

/// No wish reaches further; who schedules cuts it down to what he grants.
const FURTHEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads both wishes; `now` stands in for a missing `Date`.
pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Wishes {
    Wishes { fresh_for: fresh_for(headers, now), retry_after: retry_after(headers, now) }
}

/// `Cache-Control: max-age` less `Age`, else `Expires` less `Date`; nothing where caching is declined.
fn fresh_for(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let mut max_age = None;
    for line in headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok()) {
        for directive in line.split(',').map(str::trim) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            if name.eq_ignore_ascii_case("no-cache") || name.eq_ignore_ascii_case("no-store") {
                return None;
            }
            if name.trim().eq_ignore_ascii_case("max-age") {
                max_age = max_age.or_else(|| seconds(value.trim().trim_matches('"')));
            }
        }
    }
    let fresh = match max_age {
        Some(whole) => whole.saturating_sub(text(headers, &AGE).and_then(seconds).unwrap_or_default()),
        None => until(http_date(text(headers, &EXPIRES)?)?, headers, now),
    };
    Some(fresh).filter(|fresh| !fresh.is_zero())
}

/// Either form of `Retry-After`; a date in the past is "now".
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let wish = text(headers, &RETRY_AFTER)?;
    seconds(wish).or_else(|| Some(until(http_date(wish)?, headers, now)))
}

/// The span from the server's own clock, where it shows one, to an instant it names.
fn until(then: Timestamp, headers: &HeaderMap, now: Timestamp) -> Duration {
    let from = text(headers, &DATE).and_then(http_date).unwrap_or(now);
    Duration::try_from(then.duration_since(from)).unwrap_or_default().min(FURTHEST)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A whole number of seconds; what some servers append (a fraction, an `s`) is let pass.
fn seconds(text: &str) -> Option<Duration> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next().filter(|digits| !digits.is_empty())?;
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let plain = rest.is_empty() || rest.starts_with(['.', 's', ';', ' ']);
    // Only an overlong run of digits fails here.
    plain.then(|| digits.parse().map_or(FURTHEST, |count| Duration::from_secs(count).min(FURTHEST)))
}

/// Reads the three forms of RFC 9110 section 5.6.7 and what resembles them: a
/// day, a month's name, a year and a time in any order, GMT unless an offset follows.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let (mut day, mut month, mut year, mut time, mut offset) = (None, None, None, None, 0i64);
    if text.len() > 64 {
        return None;
    }
    for word in text.split([' ', ',', '-']).filter(|word| !word.is_empty()) {
        if word.contains(':') {
            time = Some(clock_time(word)?);
        } else if let Some(east) = word.strip_prefix('+') {
            offset = minutes_of(east.parse().ok()?).saturating_mul(60);
        } else if let Ok(number) = word.parse::<i16>() {
            match (day, word.len()) {
                (None, 1 | 2) => day = i8::try_from(number).ok(),
                (_, 4) if year.is_none() => year = Some(number),
                // The hyphen of a western offset went with the split.
                (_, 4) if time.is_some() => offset = -minutes_of(i64::from(number)).saturating_mul(60),
                (_, 2) if year.is_none() => year = Some(if number < 70 { 2000 } else { 1900 } + number),
                _ => return None,
            }
        } else if month.is_none() {
            month = month_number(word);
        }
    }
    let date = Date::new(year?, month?, day?).ok()?;
    let zoned = date.to_datetime(time?).to_zoned(TimeZone::UTC).ok()?;
    zoned.timestamp().checked_sub(jiff::SignedDuration::from_secs(offset)).ok()
}

/// `0930` is 570 minutes.
fn minutes_of(hhmm: i64) -> i64 {
    (hhmm / 100).saturating_mul(60).saturating_add(hhmm % 100)
}

fn clock_time(word: &str) -> Option<Time> {
    let mut parts = word.split(':').map(str::parse::<i8>);
    let (hour, minute) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let second = parts.next().unwrap_or(Ok(0)).ok()?;
    Time::new(hour, minute, second.min(59), 0).ok()
}

fn month_number(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = word.get(..3)?;
    let place = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(start))?;
    i8::try_from(place.saturating_add(1)).ok()
}

#[cfg(test)]
mod tests;
