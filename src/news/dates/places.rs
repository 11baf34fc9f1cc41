//! Places that dates name their zone by, as the tz database spells them.
//!
//! The rules are those in force, written out: the core reads no files, and news
//! is of today.

/// Rules in POSIX form, and the places that keep them; lower case.
const PLACES: [(&str, &[&str]); 27] = [
    ("UTC0", &["etc/utc", "etc/gmt", "etc/uct"]),
    ("KST-9", &["asia/seoul", "asia/pyongyang", "asia/tokyo"]),
    (
        "CST-8",
        &[
            "asia/shanghai",
            "asia/taipei",
            "asia/hong_kong",
            "asia/macau",
            "asia/singapore",
            "asia/kuala_lumpur",
            "asia/manila",
            "australia/perth",
        ],
    ),
    ("WIB-7", &["asia/jakarta", "asia/bangkok", "asia/ho_chi_minh", "asia/saigon"]),
    ("BDT-6", &["asia/dhaka"]),
    ("IST-5:30", &["asia/kolkata", "asia/calcutta", "asia/colombo"]),
    ("NPT-5:45", &["asia/kathmandu"]),
    ("PKT-5", &["asia/karachi", "asia/tashkent", "asia/almaty"]),
    ("GST-4", &["asia/dubai", "asia/baku", "asia/tbilisi", "asia/yerevan"]),
    ("IRST-3:30", &["asia/tehran"]),
    ("AST-3", &["asia/riyadh", "asia/baghdad", "asia/qatar", "asia/kuwait", "africa/nairobi"]),
    ("MSK-3", &["europe/moscow", "europe/minsk", "europe/istanbul", "asia/istanbul"]),
    ("IST-2IDT,M3.4.4/26,M10.5.0", &["asia/jerusalem", "asia/tel_aviv"]),
    (
        "EET-2EEST,M3.5.0/3,M10.5.0/4",
        &[
            "europe/kyiv",
            "europe/kiev",
            "europe/athens",
            "europe/bucharest",
            "europe/sofia",
            "europe/helsinki",
            "europe/tallinn",
            "europe/riga",
            "europe/vilnius",
            "asia/nicosia",
        ],
    ),
    ("SAST-2", &["africa/johannesburg"]),
    (
        "CET-1CEST,M3.5.0,M10.5.0/3",
        &[
            "europe/berlin",
            "europe/paris",
            "europe/rome",
            "europe/madrid",
            "europe/amsterdam",
            "europe/brussels",
            "europe/luxembourg",
            "europe/vienna",
            "europe/zurich",
            "europe/warsaw",
            "europe/prague",
            "europe/bratislava",
            "europe/budapest",
            "europe/ljubljana",
            "europe/zagreb",
            "europe/belgrade",
            "europe/sarajevo",
            "europe/skopje",
            "europe/podgorica",
            "europe/tirane",
            "europe/copenhagen",
            "europe/oslo",
            "europe/stockholm",
            "europe/malta",
        ],
    ),
    ("WAT-1", &["africa/lagos"]),
    ("GMT0BST,M3.5.0/1,M10.5.0", &["europe/london"]),
    ("GMT0IST,M3.5.0/1,M10.5.0", &["europe/dublin"]),
    ("WET0WEST,M3.5.0/1,M10.5.0", &["europe/lisbon"]),
    ("GMT0", &["atlantic/reykjavik", "africa/accra"]),
    ("BRT3", &["america/sao_paulo", "america/buenos_aires", "america/argentina/buenos_aires"]),
    (
        "EST5EDT,M3.2.0,M11.1.0",
        &["america/new_york", "america/toronto", "america/detroit", "us/eastern", "canada/eastern"],
    ),
    ("CST6CDT,M3.2.0,M11.1.0", &["america/chicago", "america/winnipeg", "us/central"]),
    ("MST7MDT,M3.2.0,M11.1.0", &["america/denver", "america/edmonton", "us/mountain"]),
    ("PST8PDT,M3.2.0,M11.1.0", &["america/los_angeles", "america/vancouver", "us/pacific"]),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", &["australia/sydney", "australia/melbourne", "australia/canberra"]),
];

/// Returns the rule of a place.
pub(super) fn rule(name: &str) -> Option<&'static str> {
    let slashed = name.contains('/');
    PLACES.iter().find(|(_, names)| slashed && names.contains(&name)).map(|(rule, _)| *rule)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::{self, TimeZone};

    use super::*;

    #[test]
    fn every_rule_is_one_and_says_what_the_system_says() {
        for (rule, names) in PLACES {
            let ours = TimeZone::posix(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
            for name in names {
                assert_eq!(super::rule(name), Some(rule), "{name}");
                // As far as this system has a tz database, and knows the name.
                let Ok(theirs) = tz::db().get(name) else { continue };
                for month in 1..=12 {
                    for day in [1, 10, 28] {
                        let noon = date(2026, month, day).at(12, 0, 0, 0);
                        let at = |zone: &TimeZone| zone.to_timestamp(noon).unwrap();
                        assert_eq!(at(&ours), at(&theirs), "{name} on {noon}");
                    }
                }
            }
        }
    }
}
