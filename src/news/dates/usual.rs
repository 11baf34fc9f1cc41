//! The two ways nearly all feeds write an instant, read without cutting it into words.
//!
//! What is not exactly one of them is left to the general reading, which would say the same of these.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::calendar::civil;

const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Reads `Thu, 19 Nov 2026 21:24:00 +0000` and `2026-11-19T21:24:00Z`, and nothing else.
pub(super) fn read(raw: &str) -> Option<Timestamp> {
    let raw = raw.as_bytes();
    let (day, month, year, rest) = match raw {
        [w1, w2, w3, b',', b' ', d1, d2, b' ', m1, m2, m3, b' ', y1, y2, y3, y4, b' ', rest @ ..] => {
            let name = [*m1, *m2, *m3];
            WEEKDAYS.contains(&[*w1, *w2, *w3].as_slice()).then_some(())?;
            let month = MONTHS.iter().position(|month| *month == name)? + 1;
            (number(&[*d1, *d2])?, u16::try_from(month).ok()?, number(&[*y1, *y2, *y3, *y4])?, rest)
        }
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', rest @ ..] => {
            (number(&[*d1, *d2])?, number(&[*m1, *m2])?, number(&[*y1, *y2, *y3, *y4])?, rest)
        }
        _ => return None,
    };
    let [h1, h2, b':', m1, m2, b':', s1, s2, zone @ ..] = rest else { return None };
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    let east = match zone {
        b"Z" | b" GMT" | b" +0000" | b"+00:00" => 0,
        [b' ', sign @ (b'+' | b'-'), h1, h2, m1, m2] | [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            (hours <= 15 && minutes < 60).then_some(())?;
            let minutes = i64::from(hours) * 60 + i64::from(minutes);
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    (hour < 24 && minute < 60 && second < 60 && (1970..2100).contains(&year)).then_some(())?;
    let small = |number: u16| i8::try_from(number).ok();
    let date = civil(i16::try_from(year).ok()?, small(month)?, small(day)?)?;
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let utc = TimeZone::UTC.to_timestamp(DateTime::from_parts(date, time)).ok()?;
    utc.checked_sub(SignedDuration::from_mins(east)).ok()
}

fn number(digits: &[u8]) -> Option<u16> {
    digits
        .iter()
        .try_fold(0, |all: u16, byte| byte.is_ascii_digit().then(|| all * 10 + u16::from(byte - b'0')))
}
