//! The small notations of the file: durations, sizes, times of day, days, zones, networks.
//!
//! Each reader takes the text between the quotes and answers with a value or with a [`Complaint`].

use std::time::Duration;

use ipnet::IpNet;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use crate::problem::did_you_mean;

/// What is wrong with a value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// One sentence without a full stop.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl Complaint {
    /// Makes a complaint.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// Quotes a value for a message: one line, of bounded length.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).flat_map(harmless).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// Escapes what would move the cursor, and nothing else.
fn harmless(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}

/// Reads `"90s"`, `"15m"`, `"1h30m"`, `"180d"`, `"1.5h"`, `"250ms"`.
pub fn duration(text: &str) -> Result<Duration, Complaint> {
    const HINT: &str = "write numbers with units, such as \"90s\", \"15m\", \"1h30m\" or \"180d\"";
    const CENTURY: f64 = 100.0 * 366.0 * 86_400.0;
    let wrong = || Complaint::new(format!("{} is not a duration", shown(text)), HINT);
    let seconds = amounts(text).ok_or_else(wrong)?.into_iter().try_fold(0.0, |sum, (number, unit)| {
        let unit = match unit {
            "ms" => 0.001,
            "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            "w" | "week" | "weeks" => 7.0 * 86_400.0,
            _ => return Err(wrong()),
        };
        Ok(sum + number * unit)
    })?;
    if seconds > CENTURY {
        return Err(Complaint::new(format!("{} is longer than a century", shown(text)), HINT));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads `"20 MiB"`, `"500 kB"`, `"4096 B"`.
pub fn size(text: &str) -> Result<u64, Complaint> {
    const HINT: &str = "write a number and a unit (B, kB, MB, GB, KiB, MiB or GiB), such as \"20 MiB\"";
    let wrong = || Complaint::new(format!("{} is not a size", shown(text)), HINT);
    let amounts = amounts(text).ok_or_else(wrong)?;
    let [(number, unit)] = amounts.as_slice() else { return Err(wrong()) };
    let unit: f64 = match unit.to_ascii_lowercase().as_str() {
        "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "kib" => 1_024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        _ => return Err(wrong()),
    };
    let bytes = number * unit;
    if !(1.0..=1e12).contains(&bytes) {
        return Err(Complaint::new(format!("{} is not between one byte and a terabyte", shown(text)), HINT));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 10^12")]
    Ok(bytes as u64)
}

/// Splits `1h 30m` into numbers and units; `None` unless the text is nothing but such pairs.
fn amounts(text: &str) -> Option<Vec<(f64, &str)>> {
    let mut rest = text.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (digits, after) =
            rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()));
        let after = after.trim_start();
        let (unit, after) =
            after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let plain = digits.starts_with(|c: char| c.is_ascii_digit()) && digits.len() <= 15;
        found.push((digits.parse().ok().filter(|_| plain && !unit.is_empty())?, unit));
        rest = after.trim_start();
    }
    (!found.is_empty()).then_some(found)
}

/// Reads `"07:30"` or `"07:30:15"`.
pub fn time_of_day(text: &str) -> Result<Time, Complaint> {
    let wrong = || {
        Complaint::new(
            format!("{} is not a time of day", shown(text)),
            "write hours and minutes, such as \"07:30\" or \"07:30:15\"",
        )
    };
    let parts = text.split(':').map(two_digits).collect::<Option<Vec<i8>>>().ok_or_else(wrong)?;
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return Err(wrong()),
    };
    Time::new(hour, minute, second, 0).map_err(|_| wrong())
}

/// Reads one or two digits.
fn two_digits(text: &str) -> Option<i8> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Reads `"22:00-06:00"`.
pub fn hours(text: &str) -> Result<(Time, Time), Complaint> {
    let hint = "write a start and an end, such as \"22:00-06:00\"";
    let wrong = || Complaint::new(format!("{} is not a span of hours", shown(text)), hint);
    let (start, end) = text.split_once('-').ok_or_else(wrong)?;
    let times =
        (time_of_day(start.trim()).map_err(|_| wrong())?, time_of_day(end.trim()).map_err(|_| wrong())?);
    if times.0 == times.1 {
        return Err(Complaint::new(format!("{} starts when it ends", shown(text)), hint));
    }
    Ok(times)
}

/// Reads `"mon"` or `"monday"`.
pub fn day(text: &str) -> Result<Weekday, Complaint> {
    const DAYS: [(&str, &str, Weekday); 7] = [
        ("mon", "monday", Weekday::Monday),
        ("tue", "tuesday", Weekday::Tuesday),
        ("wed", "wednesday", Weekday::Wednesday),
        ("thu", "thursday", Weekday::Thursday),
        ("fri", "friday", Weekday::Friday),
        ("sat", "saturday", Weekday::Saturday),
        ("sun", "sunday", Weekday::Sunday),
    ];
    let word = text.to_ascii_lowercase();
    DAYS.iter().find(|(short, long, _)| word == *short || word == *long).map(|(.., day)| *day).ok_or_else(
        || {
            Complaint::new(
                format!("{} is not a day of the week", shown(text)),
                "the days are mon, tue, wed, thu, fri, sat and sun",
            )
        },
    )
}

/// Reads an IANA zone name, and returns it as the database spells it.
pub fn zone(text: &str) -> Result<(String, TimeZone), Complaint> {
    TimeZone::get(text)
        .map(|zone| (zone.iana_name().unwrap_or(text).to_owned(), zone))
        .map_err(|_| Complaint::new(format!("{} is not a known time zone", shown(text)), zone_hint(text)))
}

/// What to write instead of a name no database has.
fn zone_hint(text: &str) -> String {
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    if names.is_empty() {
        return "this machine has no time zone database: install the package tzdata".to_owned();
    }
    match did_you_mean(text, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => "write an IANA name, such as \"Asia/Seoul\" or \"UTC\"".to_owned(),
    }
}

/// Reads `"10.0.0.0/8"`, `"fd00::/8"`, or one address.
pub fn network(text: &str) -> Result<IpNet, Complaint> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().map(|net| net.trunc()).or_else(|_| address()).map_err(|_| {
        Complaint::new(
            format!("{} is not a network", shown(text)),
            "write an address and a prefix length, such as \"127.0.0.0/8\" or \"fd00::/8\"",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in [
            ("0s", 0),
            ("250ms", 250),
            ("1s", 1_000),
            ("90s", 90_000),
            ("15m", 900_000),
            ("15 min", 900_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("180d", 15_552_000_000),
            ("2 weeks", 1_209_600_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "15", "m", "15x", "-5m", "1..5h", "5m!", "99999999999999999999s", "1e9d", "40000d", "５m"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_know_both_kinds_of_kilo() {
        for (text, bytes) in [("20 MiB", 20 << 20), ("500 kB", 500_000), ("1.5KiB", 1_536), ("7 b", 7)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "20", "20 M", "0 B", "1 MiB 2 KiB", "5 TiB", "-1 MB", "2000 GB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_hours_days_and_networks() {
        assert_eq!(time_of_day("7:05"), Ok(Time::constant(7, 5, 0, 0)));
        assert_eq!(time_of_day("07:30:15"), Ok(Time::constant(7, 30, 15, 0)));
        for text in ["", "24:00", "7", "07:60", "07:30:15:1", "+7:30", "007:30", "७:30"] {
            assert!(time_of_day(text).is_err(), "{text}");
        }
        assert_eq!(hours("22:00-06:00").map(|(start, _)| start.hour()), Ok(22));
        for text in ["22:00", "22:00-22:00", "22-06", "22:00-06:00-07:00"] {
            assert!(hours(text).is_err(), "{text}");
        }
        assert_eq!(day("Monday"), Ok(Weekday::Monday));
        assert!(day("mo").is_err());
        assert_eq!(network("10.1.2.3/8").map(|net| net.to_string()), Ok("10.0.0.0/8".to_owned()));
        assert_eq!(network("::1").map(|net| net.to_string()), Ok("::1/128".to_owned()));
        assert!(network("10.0.0.0/33").is_err());
    }

    #[test]
    fn a_zone_is_spelled_as_the_database_does() {
        assert_eq!(zone("asia/seoul").map(|(name, _)| name), Ok("Asia/Seoul".to_owned()));
        assert_eq!(zone("Asia/Seol").map_err(|why| why.hint), Err("did you mean \"Asia/Seoul\"?".to_owned()));
        assert!(zone("KST").is_err());
    }

    #[test]
    fn a_quoted_value_cannot_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2J"), "`a\\u{1b}[2J`");
        assert_eq!(shown(&"x".repeat(61)).chars().count(), 63);
    }
}
