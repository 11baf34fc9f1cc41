//! Counts, times and names as a reader says them.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// Segments of a topic id that are written in capitals.
const CAPITALS: [&str; 10] = ["us", "uk", "eu", "un", "nato", "sma", "hns", "usfk", "usfj", "gdp"];

/// Returns `1 story`, `2 stories`: the plural is the word with `s` unless given.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// Writes a number with thin groups of three: `12,345`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes an instant in a zone after a strftime pattern.
fn format(at: Timestamp, zone: &TimeZone, pattern: &str) -> String {
    strtime::format(pattern, &at.to_zoned(zone.clone())).unwrap_or_else(|_| at.to_string())
}

/// Returns `Tue 24 Nov`.
pub(super) fn day(at: Timestamp, zone: &TimeZone) -> String {
    format(at, zone, "%a %-d %b")
}

/// Returns `Tuesday 24 November 2026`.
pub(super) fn long_day(at: Timestamp, zone: &TimeZone) -> String {
    format(at, zone, "%A %-d %B %Y")
}

/// Returns `24 Nov 09:12`.
pub(super) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    format(at, zone, "%-d %b %H:%M")
}

/// Returns `24 Nov 09:12 KST`.
pub(super) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    format(at, zone, "%-d %b %H:%M %Z")
}

/// Returns `Tue 24 Nov 09:12 KST`.
pub(super) fn weekday_moment(at: Timestamp, zone: &TimeZone) -> String {
    format(at, zone, "%a %-d %b %H:%M %Z")
}

/// Turns a topic id into a name: `us-japan` is US-Japan, `other-hosts` Other hosts.
pub(super) fn topic(id: &str) -> String {
    let mut out = String::new();
    let mut proper = false;
    for (at, part) in id.split(['-', '_', ' ']).filter(|part| !part.is_empty()).enumerate() {
        let capital = CAPITALS.contains(&part.to_lowercase().as_str());
        if at > 0 {
            out.push(if proper { '-' } else { ' ' });
        }
        let mut letters = part.chars();
        match letters.next() {
            Some(_) if capital => out.push_str(&part.to_uppercase()),
            Some(first) if at == 0 || proper => out.extend(first.to_uppercase().chain(letters)),
            _ => out.push_str(part),
        }
        proper = capital || (proper && at > 0);
    }
    out
}

/// Joins the first `limit` names and counts the others: `A, B and 3 more`.
pub(super) fn list(names: &[String], limit: usize) -> String {
    let shown: Vec<&str> = names.iter().take(limit).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_read_as_names() {
        let cases = [
            ("us-korea", "US-Korea"),
            ("nato", "NATO"),
            ("other-hosts", "Other hosts"),
            ("us_japan", "US-Japan"),
            ("", ""),
            ("방위비", "방위비"),
        ];
        for (id, name) in cases {
            assert_eq!(topic(id), name);
        }
    }

    #[test]
    fn numbers_are_grouped_and_names_counted() {
        assert_eq!(count(1, "story", "stories"), "1 story");
        assert_eq!(count(12_345, "story", "stories"), "12,345 stories");
        assert_eq!(thousands(100), "100");
        let names = ["A", "B", "C"].map(String::from);
        assert_eq!(list(&names, 2), "A, B and 1 more");
        assert_eq!(list(&names, 3), "A, B, C");
    }

    #[test]
    fn times_are_the_readers() {
        let at: Timestamp = "2026-11-24T00:12:00Z".parse().unwrap();
        let zone = TimeZone::get("Asia/Seoul").unwrap();
        assert_eq!(moment(at, &zone), "24 Nov 09:12 KST");
        assert_eq!(day(at, &zone), "Tue 24 Nov");
    }
}
