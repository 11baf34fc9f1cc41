use super::*;

fn instant(raw: &str, lang: &str, zone: Option<&TimeZone>) -> Option<String> {
    parse(raw, &Hints { zone, lang: Some(lang) }).map(|instant| instant.to_string())
}

#[test]
fn every_way_feeds_write_an_instant() {
    let nine = "2020-11-16T00:00:00Z";
    let table = [
        // RFC 822 and what is made of it
        ("Mon, 16 Nov 2020 09:00:00 +0900", "ko"),
        ("Mon, 16 Nov 2020 09:00:00 KST", "ko"),
        ("Mon, 16 Nov 2020 09:00:00 JST", "ja"),
        ("Mon, 16 Nov 2020 09:00:00 GMT+0900", "ko"),
        ("Mon, 16 Nov 2020 09:00:00 UTC+9", "ko"),
        ("Mon,16 Nov 2020 9:00 +09:00", "ko"),
        ("16 Nov 20 09:00 +0900", "en"),
        ("Mon Nov 16 09:00:00 KST 2020", "ko"),
        ("Mon Nov 16 00:00:00 2020", "en"),
        ("Nov. 16, 2020 9:00 a.m. KST", "en"),
        ("No. 99, 16 Nov 2020", "en"),
        ("November 16th, 2020, 9:00 AM +0900", "en"),
        ("Sunday, 15-Nov-20 19:00:00 EST", "en"),
        ("Mon, 16 Nov 2020 01:00:00 +0100 (CET)", "de"),
        ("Mon, 16 Nov 2020 08:00:00 CST", "zh-CN"),
        ("Sun, 15 Nov 2020 18:00:00 CST", "en-us"),
        ("Mon, 16 Nov 2020 05:30:00 IST", "en-IN"),
        ("Sun, 15 Nov 2020 24:00:00 GMT", "en"),
        ("Mon, 16 Nov 2020 00:00 Z", "en"),
        // ISO 8601
        ("2020-11-16T09:00:00+09:00", "ko"),
        ("2020-11-16T00:00:00.000Z", "en"),
        ("2020-11-16T00:00Z", "en"),
        ("2020-11-16T09+09", "en"),
        ("2020-11-16 09:00:00 +0900", "ko"),
        ("20201116T000000Z", "en"),
        ("20201116T090000+0900", "en"),
        ("2020-11-15T19:00:00-05:00", "en"),
        ("20201116090000+0900", "ko"),
        ("20201116090000 KST", "ko"),
        ("20201116 090000 +0900", "ko"),
        ("202011160900 +09:00", "ko"),
        ("20201116000000Z", "en"),
        ("2020-11-16T09:00:00[Asia/Seoul]", "ko"),
        ("2020-11-16T00:00:00Z[Asia/Seoul]", "ko"),
        ("Mon, 16 Nov 2020 09:00:00 Asia/Seoul", "ko"),
        ("Sun, 15 Nov 2020 19:00:00 America/New_York", "en"),
        ("16/11/2020 01:00 (Europe/Paris)", "fr"),
        ("2020-11-16", "en"),
        ("2020-321", "en"),
        ("20201116", "en"),
        // numbers
        ("1605484800", "en"),
        ("1605484800000", "en"),
        ("/Date(1605484800000)/", "en"),
        ("/Date(1605484800000+0900)/", "en"),
        ("20201116000000", "en"),
        ("2020/11/16", "en"),
        ("2020.11.16", "ko"),
        ("2020. 11. 16. 00:00", "ko"),
        ("11/16/2020", "en-us"),
        ("16/11/2020", "fr"),
        ("16.11.2020", "de"),
        ("16.11.2020 00:00:00", "de"),
        ("16-11-2020 00:00", "nl"),
        ("20.11.16", "ko"),
        // Korean, Japanese, Chinese
        ("2020년 11월 16일 오전 9시 KST", "ko"),
        ("2020-11-16 오전 09:00:00 +0900", "ko"),
        ("입력 2020.11.16. 오전 9:00 KST", "ko"),
        ("Mon Nov 16 2020 09:00:00 GMT+0900 (Korean Standard Time)", "ko"),
        ("Sun, 15th November 2020 at 7 p.m. ET", "en"),
        ("Mon, 16 Nov 2020 09:00:00 +09:00:00", "en"),
        ("2020-Nov-16", "en"),
        ("2020년 11월 16일(월) 오전 09:00 KST", "ko"),
        ("2020年11月16日 09時00分 JST", "ja"),
        ("2020年11月16日（月）午前9時JST", "ja"),
        ("令和2年11月16日", "ja"),
        ("民國109年11月16日", "zh-TW"),
        ("２０２０年１１月１６日", "ja"),
        // European names
        ("Mo, 16 Nov 2020 01:00:00 MEZ", "de"),
        ("lundi 16 novembre 2020 01:00 CET", "fr"),
        ("lun., 16 nov. 2020 01:00:00 +0100", "fr"),
        ("16 de noviembre de 2020", "es"),
        ("lunedì 16 novembre 2020", "it"),
        ("poniedziałek, 16 listopada 2020", "pl"),
        ("maandag 16 november 2020", "nl"),
        ("segunda-feira, 16 de novembro de 2020", "pt"),
        ("maanantai 16. marraskuuta 2020 klo 2.00 EET", "fi"),
        ("pondělí 16. listopadu 2020", "cs"),
        ("Δευτέρα, 16 Νοεμβρίου 2020", "el"),
        ("luni, 16 noiembrie 2020", "ro"),
        ("16 Kasım 2020 Pazartesi", "tr"),
        ("Пн, 16 ноября 2020 03:00:00 MSK", "ru"),
        ("понеділок, 16 листопада 2020", "uk"),
    ];
    let wrong: Vec<_> =
        table.iter().filter(|(raw, lang)| instant(raw, lang, None).as_deref() != Some(nine)).collect();
    assert!(
        wrong.is_empty(),
        "{:#?}",
        wrong.iter().map(|(raw, lang)| (raw, instant(raw, lang, None))).collect::<Vec<_>>()
    );
}

#[test]
fn months_of_many_languages() {
    let table = [
        ("5 août 2020", 8),
        ("1 mai 2020", 5),
        ("mar. 3 mars 2020", 3),
        ("mardi 4 février 2020", 2),
        ("7 März 2020", 3),
        ("martes 4 de agosto de 2020", 8),
        ("5 gennaio 2020", 1),
        ("4 luglio 2020", 7),
        ("5 sierpnia 2020", 8),
        ("6 czerwca 2020", 6),
        ("7 lipca 2020", 7),
        ("8 października 2020", 10),
        ("9 mei 2020", 5),
        ("5 maart 2020", 3),
        ("3 oktober 2020", 10),
        ("2 června 2020", 6),
        ("2 července 2020", 7),
        ("3 srpna 2020", 8),
        ("1 září 2020", 9),
        ("4 Ağustos 2020", 8),
        ("5 Mayıs 2020", 5),
        ("6 Şubat 2020", 2),
        ("5 Aralık 2020", 12),
        ("3 мая 2020", 5),
        ("4 серпня 2020", 8),
        ("5 жовтня 2020", 10),
        ("6 квітня 2020", 4),
        ("7 Ιουλίου 2020", 7),
        ("8 Μαΐου 2020", 5),
        ("2 tammikuuta 2020", 1),
        ("3 syyskuuta 2020", 9),
        ("4 kesäkuuta 2020", 6),
        ("szept. 5 2020", 9),
        ("1 outubro 2020", 10),
        ("2 dezembro 2020", 12),
        ("5 diciembre 2020", 12),
        ("6 iunie 2020", 6),
        ("3 desember 2020", 12),
    ];
    for (raw, month) in table {
        let instant = instant(raw, "", None).unwrap_or_default();
        assert!(instant.starts_with(&format!("2020-{month:02}")), "{raw}: {instant}");
    }
    assert!(instant("3 listopada 2020", "hr", None).unwrap().starts_with("2020-10"));
}

#[test]
fn a_date_without_a_zone_is_the_feeds() {
    let seoul = TimeZone::fixed(jiff::tz::offset(9));
    assert_eq!(instant("2020-11-16 09:00:00", "ko", Some(&seoul)).as_deref(), Some("2020-11-16T00:00:00Z"));
    assert_eq!(instant("2020-11-16T09:00:00Z", "ko", Some(&seoul)).as_deref(), Some("2020-11-16T09:00:00Z"));
}

#[test]
fn what_is_no_date_is_none() {
    for raw in [
        "",
        "yesterday",
        "16",
        "99999999999999999999999",
        "Mon",
        "00/00/0000",
        "0000-00-00 00:00:00",
        "13:00",
        "Mon, 32 Nov 2026 10:00:00 GMT",
        "Mon, 99 Nov 2026",
        "00 Nov 2026",
        "20201399000000",
        "/Date()/",
        "09:00 Asia/Seoul",
        "-",
        "2020-13-45",
        "年月日",
        "+:+:+",
    ] {
        assert_eq!(instant(raw, "en", None), None, "{raw}");
    }
}

#[test]
fn the_usual_forms_mean_what_the_general_reading_finds_in_them() {
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let zone = TimeZone::fixed(jiff::tz::offset(9));
    let mut usual = 0;
    for (place, month) in months.iter().enumerate() {
        for day in ["01", "09", "28", "31", "00", "32"] {
            for time in ["00:00:00", "23:59:59", "24:00:00", "12:60:00", "12:30:60"] {
                let weekday = days[place % 7];
                let month_of_year = place + 1;
                let raw = [
                    format!("{weekday}, {day} {month} 2026 {time} GMT"),
                    format!("{weekday}, {day} {month} 1999 {time} -0730"),
                    format!("{weekday}, {day} {month} 1969 {time} +0000"),
                    format!("{weekday}, {day} {month} 2026 {time} +1600"),
                    format!("2026-{month_of_year:02}-{day}T{time}Z"),
                    format!("2026-{month_of_year:02}-{day}T{time}+05:45"),
                    format!("2026-{month_of_year:02}-{day}T{time}+05:75"),
                ];
                for raw in raw {
                    let found = usual::read(&raw);
                    usual += usize::from(found.is_some());
                    for lang in ["en", "de", "fr", "es", "tr", "fi", "ko", "zh"] {
                        let hints = Hints { zone: Some(&zone), lang: Some(lang) };
                        let general = super::read(&raw, &hints);
                        assert!(found.is_none() || found == general, "{raw} in {lang}");
                        assert_eq!(parse(&raw, &hints), general, "{raw} in {lang}");
                    }
                }
            }
        }
    }
    assert!(usual > 300, "{usual}");
}

/// Weekdays and months of one language in every written form, each with its number.
struct Names {
    lang: &'static str,
    days: Vec<(usize, &'static str)>,
    months: Vec<(usize, &'static str)>,
}

fn names() -> Vec<Names> {
    let lines = include_str!("../../../tests/fixtures/date-names.txt").lines().skip(1);
    let forms = |list: &'static str| {
        let numbered = list.trim().split(',').filter(|names| !names.is_empty()).enumerate();
        numbered.flat_map(|(place, names)| names.split('/').map(move |name| (place + 1, name)))
    };
    lines
        .map(|line| {
            let [lang, days, months] = line.splitn(3, ';').collect::<Vec<_>>().try_into().unwrap();
            Names { lang, days: forms(days).collect(), months: forms(months).collect() }
        })
        .collect()
}

#[test]
fn no_weekday_is_read_as_a_month() {
    let mut wrong = Vec::new();
    let mut check = |raw: String, lang: &str, month: usize| {
        let found = instant(&raw, lang, None).unwrap_or_default();
        if !found.starts_with(&format!("2026-{month:02}-24T09")) {
            wrong.push((raw, found));
        }
    };
    let all = names();
    for Names { lang, days, months } in &all {
        for (_, day) in days {
            check(format!("{day} 24/11/2026 - 09:00"), "fr", 11);
            check(format!("{day}, 24 Nov 2026 09:00:00 GMT"), lang, 11);
            check(format!("24.11.2026 ({day}) 09:00"), lang, 11);
            for (month, name) in months {
                check(format!("{day}, 24 {name} 2026 09:00:00 +0000"), lang, *month);
                check(format!("24 {name} 2026 {day} 09:00"), lang, *month);
                check(format!("{day} {name} 24 09:00:00 2026"), lang, *month);
            }
        }
    }
    assert!(
        all.len() > 35 && wrong.is_empty(),
        "{} wrong, such as {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(30)]
    );
}

#[test]
fn a_word_that_is_both_is_judged_by_its_place() {
    for (raw, day) in [
        ("Mar, 24 Nov 2026 10:00:00 +0100", "2026-11-24T09:00:00Z"),
        ("mar. 24 novembre 2026", "2026-11-24T00:00:00Z"),
        ("mar 24/11/2026 - 10:00", "2026-11-24T10:00:00Z"),
        ("Paz, 29 Kas 2026 10:00 +0300", "2026-11-29T07:00:00Z"),
        ("29 Kas 2026 Paz 10:00", "2026-11-29T10:00:00Z"),
        ("Paz, 01 Mar 2026 10:00", "2026-03-01T10:00:00Z"),
        ("01 Mar 2026 Paz 10:00", "2026-03-01T10:00:00Z"),
        ("sub, 28 stu 2026 10:00:00 +0100", "2026-11-28T09:00:00Z"),
        ("Set, 28 Nov 2026 10:00", "2026-11-28T10:00:00Z"),
        ("Mar, 08 Set 2026 10:00", "2026-09-08T10:00:00Z"),
        ("Mar Nov 24 10:00:00 2026", "2026-11-24T10:00:00Z"),
        ("e martë, 24 nëntor 2026", "2026-11-24T00:00:00Z"),
        // And months they stay where no other word is one.
        ("Tue Mar 24 10:00:00 -0500 2026", "2026-03-24T15:00:00Z"),
        ("Mar 24, 2026", "2026-03-24T00:00:00Z"),
        ("24-Mar-2026 10:00", "2026-03-24T10:00:00Z"),
        ("3 Mar 26 10:00", "2026-03-03T10:00:00Z"),
        ("Mar 24, 2026. Subscribe!", "2026-03-24T00:00:00Z"),
        // Where three numbers make a date, a word is none.
        ("Desde 24/11/2026 10:00", "2026-11-24T10:00:00Z"),
    ] {
        assert_eq!(instant(raw, "", None).as_deref(), Some(day), "{raw}");
    }
}
