//! Invented mail, to try templates on: four languages, every kind of line.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::tz::Offset;
use jiff::tz::TimeZone;

use crate::digest::brief::Alert;
use crate::digest::brief::Alerted;
use crate::digest::brief::Digest;
use crate::digest::brief::Fragment;
use crate::digest::brief::NearMiss;
use crate::digest::brief::Notice;
use crate::digest::brief::Outlet;
use crate::digest::brief::Rollup;
use crate::digest::brief::RuleState;
use crate::digest::brief::Story;
use crate::digest::brief::Topic;

/// 24 November 2026, 07:30 in Seoul.
const NOW: Timestamp = Timestamp::constant(1_795_473_000, 0);
/// The name of the invented subscription.
const NAME: &str = "alliance-desk";

/// Seoul, without asking the machine for its zones.
fn zone() -> TimeZone {
    TimeZone::get("Asia/Seoul").unwrap_or_else(|_| TimeZone::fixed(Offset::constant(9)))
}

/// Hours before the digest.
fn hours_ago(hours: i64) -> Timestamp {
    NOW.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(NOW)
}

/// Reads `an |agreement| on` as text with the hit between bars.
fn why(marked: &str) -> Vec<Fragment> {
    let parts = marked.split('|').enumerate();
    parts.map(|(at, text)| Fragment { text: text.to_owned(), hit: at % 2 == 1 }).collect()
}

/// Makes outlets of their names, each with a copy.
fn outlets(names: &[&str]) -> Vec<Outlet> {
    let outlet = |(at, name): (usize, &&str)| Outlet {
        name: (*name).to_owned(),
        link: Some(format!("https://news{at}.example.net/copy/20261123")),
    };
    names.iter().enumerate().map(outlet).collect()
}

/// Returns one story with everything a story can have.
pub fn story() -> Story {
    Story {
        match_id: 4711,
        title: "Tokyo and Washington open talks on a new host nation support deal".to_owned(),
        lang: Some("en".to_owned()),
        source: "Harbour Daily".to_owned(),
        link: Some(
            "https://harbour.example.org/politics/2026/11/host-nation-support-talks?id=88213&page=1"
                .to_owned(),
        ),
        first_seen: hours_ago(7),
        published: Some(hours_ago(8)),
        also: outlets(&[
            "Bay Times",
            "Pacific Desk",
            "The Kanto Post",
            "Eastern Wire",
            "Base Town News",
            "Yokosuka Mail",
        ]),
        wire: Some("Eastern Wire".to_owned()),
        official: false,
        topic: "us-japan".to_owned(),
        rule: ("jp-hns".to_owned(), "Host nation support for US forces in Japan".to_owned()),
        other_rules: vec!["jp-special-measures".to_owned()],
        score: 31,
        why: why(
            "Negotiators met for two days in Tokyo to begin work on the next |special measures agreement|, under which \
             |Japan| pays part of the |cost of stationing| American forces; the present one ends in March.",
        ),
        changed: None,
        facts: vec!["¥211 bn a year".to_owned(), "talks opened".to_owned(), "ends 31 Mar 2027".to_owned()],
    }
}

fn japanese() -> Story {
    Story {
        match_id: 4712,
        title: "在日米軍の駐留経費、日本側負担の増額を米が打診 来年度予算案に反映も".to_owned(),
        lang: Some("ja".to_owned()),
        source: "みなと新報".to_owned(),
        link: Some("https://minato.example.jp/articles/2026/11/23/yosan".to_owned()),
        also: outlets(&["湾岸通信"]),
        wire: None,
        rule: ("jp-hns".to_owned(), "Host nation support for US forces in Japan".to_owned()),
        score: 24,
        why: why(
            "政府関係者によると、米側は|在日米軍|の|駐留経費|について日本の負担を年間およそ三百億円増やすよう求め、双方は年内の大筋合意を目指している。",
        ),
        changed: Some("amount: ¥211 bn to ¥241 bn a year".to_owned()),
        facts: vec!["¥241 bn a year".to_owned()],
        other_rules: Vec::new(),
        first_seen: hours_ago(3),
        published: None,
        ..story()
    }
}

fn korean() -> Story {
    Story {
        match_id: 4713,
        title: "한미, 제13차 방위비분담특별협정 첫 실무협의…총액 산정 방식 놓고 이견".to_owned(),
        lang: Some("ko".to_owned()),
        source: "한강일보".to_owned(),
        link: Some("https://hangang.example.kr/view/AKR20261123004100".to_owned()),
        also: outlets(&["남산신문", "외교안보저널", "서해방송"]),
        wire: None,
        topic: "us-korea".to_owned(),
        rule: ("kr-sma".to_owned(), "Special Measures Agreement with Korea".to_owned()),
        other_rules: Vec::new(),
        score: 29,
        why: why(
            "양국 대표단은 서울에서 만나 |주한미군| 주둔 비용 가운데 한국이 낼 몫을 정하는 |방위비분담| 협상의 일정과 의제를 논의했다.",
        ),
        first_seen: hours_ago(12),
        published: Some(hours_ago(100)),
        facts: Vec::new(),
        ..story()
    }
}

fn german() -> Story {
    Story {
        match_id: 4714,
        title: "Verteidigungsministerium legt Zahlen zur Lastenteilung im Bündnis vor: 3,1 Prozent im kommenden Jahr".to_owned(),
        lang: Some("de".to_owned()),
        source: "Ministerium der Verteidigung, Pressestelle".to_owned(),
        link: Some("https://presse.example.de/lastenteilung-2027".to_owned()),
        also: Vec::new(),
        wire: None,
        official: true,
        topic: "nato".to_owned(),
        rule: ("nato-share".to_owned(), "Burden-sharing figures of allies".to_owned()),
        other_rules: Vec::new(),
        score: 18,
        why: why(
            "Nach dem Entwurf steigen die |Verteidigungsausgaben| auf 3,1 Prozent der Wirtschaftsleistung; damit komme das Land \
             seiner Zusage zur |Lastenteilung| in der |NATO| früher nach als geplant.",
        ),
        facts: vec!["3.1 % of GDP".to_owned()],
        first_seen: hours_ago(20),
        published: Some(hours_ago(21)),
        ..story()
    }
}

/// Returns a story of which nothing is known but that it is one.
fn bare() -> Story {
    Story {
        title: String::new(),
        lang: None,
        source: String::new(),
        link: None,
        published: None,
        also: Vec::new(),
        wire: None,
        other_rules: Vec::new(),
        rule: ("jp-hns".to_owned(), String::new()),
        why: Vec::new(),
        facts: Vec::new(),
        ..story()
    }
}

/// Returns an alert.
pub fn alert() -> Alert {
    Alert { subscription: NAME.to_owned(), zone: zone(), story: story(), follow_up: false }
}

/// Returns a follow-up of an alert, in Japanese.
pub fn follow_up() -> Alert {
    Alert { story: japanese(), follow_up: true, ..alert() }
}

/// Returns an alert about an article that has no headline, no link and no source.
pub fn bare_alert() -> Alert {
    Alert { story: bare(), ..alert() }
}

/// Returns a roll-up of stories of three topics.
pub fn rollup() -> Rollup {
    Rollup {
        subscription: NAME.to_owned(),
        zone: zone(),
        per_hour: 6,
        stories: vec![german(), story(), korean(), japanese()],
    }
}

/// Returns a digest in which every section has something.
pub fn digest() -> Digest {
    let topic = |id: &str, stories: Vec<Story>, trend: Vec<u32>| Topic { id: id.to_owned(), stories, trend };
    let trend =
        vec![0, 1, 0, 2, 1, 0, 0, 1, 3, 1, 0, 2, 0, 0, 1, 1, 4, 2, 0, 0, 1, 2, 5, 3, 1, 0, 1, 2, 2, 4];
    let quarter = |shift: usize| trend.iter().cycle().skip(shift).take(30).map(|n| n / 2).collect();
    Digest {
        topics: vec![
            topic("us-japan", vec![japanese(), story()], quarter(0)),
            topic("us-korea", vec![korean()], quarter(7)),
            topic("nato", vec![german()], quarter(15)),
            topic("other-hosts", Vec::new(), vec![0; 30]),
        ],
        alerted: vec![
            Alerted {
                at: hours_ago(15),
                waiting: 0,
                story: Story {
                    match_id: 4701,
                    title: "Seoul rejects report of a fivefold demand in cost-sharing talks".to_owned(),
                    source: "Peninsula Review".to_owned(),
                    link: Some("https://peninsula.example.org/a/5531".to_owned()),
                    topic: "us-korea".to_owned(),
                    ..story()
                },
            },
            Alerted {
                at: hours_ago(18),
                waiting: 1,
                story: Story {
                    match_id: 4699,
                    title: "방위비 협상 대표에 전 주미공사 임명".to_owned(),
                    also: Vec::new(),
                    link: Some("https://hangang.example.kr/view/AKR20261122009900".to_owned()),
                    ..korean()
                },
            },
        ],
        near_misses: vec![
            NearMiss {
                article_id: 90_412,
                title: "Island council asks who pays for the new runway at the joint base".to_owned(),
                lang: Some("en".to_owned()),
                source: "Atoll Observer".to_owned(),
                link: Some("https://atoll.example.org/council/runway".to_owned()),
                rule: "hosts-general".to_owned(),
                lacking: "a word for an agreement or a sum of money".to_owned(),
            },
            NearMiss {
                article_id: 90_377,
                title: "Haushaltsausschuss vertagt Beratung über Liegenschaften der Gaststreitkräfte"
                    .to_owned(),
                lang: Some("de".to_owned()),
                source: "Rheinblatt".to_owned(),
                link: None,
                rule: "de-stationing".to_owned(),
                lacking: "a cost near the forces (7 words apart, 5 allowed)".to_owned(),
            },
        ],
        notices: vec![
            notice(false, "Bay Times", "nothing new for 19 days; it usually has an item a day"),
            notice(true, "Strait Radio", "HTTP 403 at every poll since 21 Nov 04:10 KST (214 polls)"),
            notice(true, "Delta Gazette", "the certificate expired on 22 Nov"),
            notice(false, "Fjord Post", "added: 42 items taken as its baseline"),
        ],
        coming: vec![
            "31 Mar 2027 (127 days): the present agreement with Japan ends".to_owned(),
            "7 Jul 2027 (225 days): NATO summit".to_owned(),
        ],
        feeds_healthy: 61,
        trend,
        ..quiet()
    }
}

/// Returns the digest of a day on which nothing matched.
pub fn quiet_digest() -> Digest {
    let day = SignedDuration::from_hours(24);
    let next = |at: Timestamp| at.saturating_add(day).unwrap_or(at);
    let quiet = quiet();
    Digest {
        number: 215,
        follows: Some(214),
        at: next(quiet.at),
        since: quiet.since.map(next),
        next_at: quiet.next_at.map(next),
        ..quiet
    }
}

/// What all digests here have in common.
fn quiet() -> Digest {
    Digest {
        subscription: NAME.to_owned(),
        number: 214,
        follows: Some(213),
        at: NOW,
        since: Some(hours_ago(24)),
        zone: zone(),
        covers_days: 1,
        extra: false,
        articles_read: 812,
        feeds_total: 63,
        feeds_healthy: 63,
        topics: Vec::new(),
        alerted: Vec::new(),
        near_misses: Vec::new(),
        notices: Vec::new(),
        coming: Vec::new(),
        trend: vec![0, 2, 1, 1, 0, 0, 3, 2, 1, 0, 0],
        rules: RuleState { hash: "9f3c61d2".to_owned(), rules: 41, tests: 127 },
        schedule: "mon to fri 07:30 Asia/Seoul".to_owned(),
        next_at: NOW.saturating_add(SignedDuration::from_hours(24)).ok(),
        owner: "desk@example.org".to_owned(),
    }
}

fn notice(urgent: bool, subject: &str, text: &str) -> Notice {
    Notice { urgent, subject: subject.to_owned(), text: text.to_owned() }
}
