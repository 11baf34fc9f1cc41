//! Zone names as feeds write them.

use jiff::civil::{Date, Weekday};

/// Names that mean one thing everywhere, in minutes east.
const ZONES: [(&str, i32); 61] = [
    ("acdt", 630),
    ("acst", 570),
    ("adt", -180),
    ("aedt", 660),
    ("aest", 600),
    ("akdt", -480),
    ("akst", -540),
    ("art", -180),
    ("ast", -240),
    ("awst", 480),
    ("bdt", 360),
    ("brst", -120),
    ("brt", -180),
    ("bst", 60),
    ("cdt", -300),
    ("cest", 120),
    ("cet", 60),
    ("clst", -180),
    ("clt", -240),
    ("cot", -300),
    ("eat", 180),
    ("edt", -240),
    ("eest", 180),
    ("eet", 120),
    ("est", -300),
    ("gmt", 0),
    ("gst", 240),
    ("hkt", 480),
    ("hst", -600),
    ("ict", 420),
    ("irst", 210),
    ("jst", 540),
    ("kst", 540),
    ("mdt", -360),
    ("mest", 120),
    ("mesz", 120),
    ("met", 60),
    ("mez", 60),
    ("msd", 240),
    ("msk", 180),
    ("mst", -420),
    ("myt", 480),
    ("ndt", -150),
    ("npt", 345),
    ("nst", -210),
    ("nzdt", 780),
    ("nzst", 720),
    ("pdt", -420),
    ("pht", 480),
    ("pkt", 300),
    ("pst", -480),
    ("sast", 120),
    ("sgt", 480),
    ("trt", 180),
    ("ut", 0),
    ("utc", 0),
    ("wat", 60),
    ("west", 60),
    ("wet", 0),
    ("wib", 420),
    ("z", 0),
];

/// Returns a zone's distance from UTC in minutes. The name is lower case; the feed's
/// language decides what an ambiguous one means, and the day whether summer time holds.
pub(super) fn offset(name: &str, lang: &str, day: Date) -> Option<i32> {
    let minutes = match name {
        "cst" if lang.starts_with("zh") => 480,
        "cst" => -360,
        "ist" if lang.starts_with("he") || lang.starts_with("iw") => 120,
        "ist" if lang.starts_with("ga") || lang == "en-ie" => 60,
        "ist" => 330,
        "et" => american(-300, day),
        "ct" => american(-360, day),
        "mt" => american(-420, day),
        "pt" => american(-480, day),
        "한국시간" | "한국시각" | "日本時間" => 540,
        "북경시간" | "北京时间" => 480,
        _ => {
            return ZONES
                .binary_search_by_key(&name, |(zone, _)| zone)
                .ok()
                .and_then(|at| ZONES.get(at))
                .map(|(_, minutes)| *minutes);
        }
    };
    Some(minutes)
}

/// Summer time in the United States: from the second Sunday of March to the first of November.
fn american(standard: i32, day: Date) -> i32 {
    let sunday = |month, nth| {
        Date::new(day.year(), month, 1)
            .and_then(|first| first.nth_weekday_of_month(nth, Weekday::Sunday))
            .ok()
    };
    let summer = sunday(3, 2).is_some_and(|begin| day >= begin) && sunday(11, 1).is_some_and(|end| day < end);
    if summer { standard + 60 } else { standard }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_sorted_for_the_binary_search() {
        assert!(ZONES.is_sorted());
    }

    #[test]
    fn language_and_season_decide() {
        let day = |month| Date::new(2026, month, 20).unwrap();
        assert_eq!(offset("cst", "zh-cn", day(1)), Some(480));
        assert_eq!(offset("cst", "en", day(1)), Some(-360));
        assert_eq!(offset("ist", "he", day(1)), Some(120));
        assert_eq!(offset("et", "en", day(1)), Some(-300));
        assert_eq!(offset("et", "en", day(7)), Some(-240));
        assert_eq!(offset("nowhere", "en", day(1)), None);
    }
}
