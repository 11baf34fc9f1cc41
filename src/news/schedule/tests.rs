use proptest::prelude::*;

use super::*;

const MINUTE: u64 = 60;

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * MINUTE)
}

fn pace(adaptive: bool) -> Pace {
    Pace { every: minutes(15), min_every: minutes(5), max_every: minutes(120), adaptive }
}

/// A Tuesday.
fn noon() -> Timestamp {
    "2020-11-17T12:00:00Z".parse().unwrap()
}

fn input(rhythm: &Rhythm) -> Input<'_> {
    Input {
        now: noon(),
        pace: pace(true),
        rhythm,
        hints: Hints::default(),
        failures: 0,
        retry_after: None,
        shown: 0,
        chance: 0.5,
    }
}

fn wait(input: &Input<'_>) -> Duration {
    next_poll(input).at.duration_since(input.now).try_into().unwrap()
}

/// Four weeks up to `noon`, with an entry every `gap` at the hours that `at` lets through.
fn watched(gap: Duration, at: impl Fn(i64) -> bool) -> Rhythm {
    let end = noon().as_second();
    let step = i64::try_from(gap.as_secs()).unwrap();
    let mut rhythm = Rhythm::default();
    let mut from = end - 27 * 86_400;
    while from < end {
        let to = (from + 900).min(end);
        let new: Vec<_> = (from + 1..=to)
            .filter(|second| second % step == 0 && at(*second))
            .map(|second| Timestamp::from_second(second).unwrap())
            .collect();
        rhythm.observe(Timestamp::from_second(to).unwrap(), &new);
        from = to;
    }
    rhythm
}

#[test]
fn fixed_intervals_are_kept_to_the_letter() {
    let mut rhythm = watched(minutes(1), |_| true);
    rhythm.suspect_gap(noon());
    let mut input = input(&rhythm);
    input.pace = pace(false);
    input.hints = Hints {
        ttl_minutes: Some(600),
        fresh_for: Some(minutes(600)),
        skip_hours: &[12, 13, 14],
        skip_days: &[1],
    };
    for chance in [0.0, 0.5, 1.0] {
        input.chance = chance;
        assert_eq!(wait(&input), minutes(15));
    }
    assert_eq!(next_poll(&input).why, "every 15 min, as configured");
}

#[test]
fn an_unknown_feed_is_asked_as_usual() {
    let rhythm = Rhythm::default();
    let got = wait(&input(&rhythm));
    assert!(got > minutes(14) && got < minutes(16), "{got:?}");
    assert_eq!(next_poll(&input(&rhythm)).why, "no rhythm seen yet");
}

#[test]
fn busy_feeds_are_asked_often_and_quiet_ones_seldom() {
    let busy = watched(minutes(6), |_| true);
    let calm = watched(minutes(250), |_| true);
    let still = watched(minutes(60 * 24 * 20), |_| true);
    let (busy, calm, still) = (wait(&input(&busy)), wait(&input(&calm)), wait(&input(&still)));
    assert!(busy < minutes(6), "{busy:?}");
    assert!(calm > minutes(16) && calm < minutes(60), "{calm:?}");
    assert!(still > minutes(100), "{still:?}");
}

#[test]
fn polls_follow_the_hour_and_the_day() {
    // Every 20 minutes from 6 to 10 o'clock on weekdays, else nothing.
    let rhythm = watched(minutes(20), |second| (6..10).contains(&hour(second)) && weekday(second) < 5);
    let at = |text: &str| {
        let mut input = input(&rhythm);
        input.now = text.parse().unwrap();
        wait(&input)
    };
    let morning = at("2020-11-18T07:00:00Z");
    let evening = at("2020-11-18T20:00:00Z");
    let sunday = at("2020-11-22T07:00:00Z");
    assert!(morning < minutes(9), "{morning:?}");
    assert!(evening > minutes(40), "{evening:?}");
    assert!(sunday > morning * 2, "{sunday:?}");
    // A wait that began in the quiet hours ends in time for the busy ones.
    let before = at("2020-11-18T05:30:00Z");
    assert!(before < evening && before < minutes(70), "{before:?}");
    let why = next_poll(&Input { now: "2020-11-18T07:00:00Z".parse().unwrap(), ..input(&rhythm) }).why;
    assert!(why.starts_with("usual rhythm: an entry every ") && why.ends_with("min at this hour"), "{why}");
}

#[test]
fn the_first_document_is_history_by_its_dates() {
    let hourly = |count: i64| -> Vec<Timestamp> {
        (1..=count).map(|hours| Timestamp::from_second(noon().as_second() - hours * 360).unwrap()).collect()
    };
    let mut dated = Rhythm::default();
    dated.observe(noon(), &hourly(40));
    assert!(wait(&input(&dated)) < minutes(11));
    // Undated entries all bear the time of the poll and prove nothing.
    let mut undated = Rhythm::default();
    undated.observe(noon(), &vec![noon(); 40]);
    assert!(!undated.is_known());
    // Dates in the future are no later than now; ancient ones do not count.
    let mut odd = Rhythm::default();
    odd.observe(noon(), &[Timestamp::MAX, Timestamp::MIN, "2020-01-01T00:00:00Z".parse().unwrap()]);
    assert!(!odd.is_known());
}

#[test]
fn breaking_news_quickens_a_quiet_feed() {
    let mut rhythm = watched(minutes(60 * 24), |_| true);
    let usual = wait(&input(&rhythm));
    let burst: Vec<_> =
        (0..4).map(|n| Timestamp::from_second(noon().as_second() - 60 - n * 120).unwrap()).collect();
    rhythm.observe(noon(), &burst);
    assert!(wait(&input(&rhythm)) * 3 < usual, "{usual:?}");
}

#[test]
fn a_suspected_gap_hurries_for_a_while() {
    let mut rhythm = watched(minutes(250), |_| true);
    rhythm.suspect_gap(noon());
    assert_eq!(wait(&input(&rhythm)), minutes(5));
    let mut later = input(&rhythm);
    later.now = noon() + SignedDuration::from_hours(7);
    assert!(wait(&later) > minutes(10), "{:?}", next_poll(&later));
    // The clock was put back by a day: the mark is from a future that did not come.
    later.now = noon() - SignedDuration::from_hours(24);
    assert!(wait(&later) > minutes(10), "{:?}", next_poll(&later));
}

#[test]
fn a_short_document_is_not_outrun() {
    let rhythm = watched(minutes(30), |_| true);
    let mut input = input(&rhythm);
    input.pace.min_every = minutes(1);
    input.pace.every = minutes(400);
    let usual = wait(&input);
    input.shown = 2;
    let short = wait(&input);
    assert!(usual > minutes(40) && short < minutes(33), "{usual:?} {short:?}");
    assert!(next_poll(&input).why.starts_with("the feed shows only 2 entries"));
}

#[test]
fn wishes_raise_the_interval_within_the_bounds() {
    let rhythm = watched(minutes(6), |_| true);
    let mut input = input(&rhythm);
    input.hints.ttl_minutes = Some(60);
    input.hints.fresh_for = Some(minutes(30));
    assert!(wait(&input) >= minutes(60) && wait(&input) <= minutes(66));
    assert_eq!(next_poll(&input).why, "server asks 60 min (ttl)");
    input.hints.fresh_for = Some(minutes(90));
    assert_eq!(next_poll(&input).why, "server asks 90 min (cache headers)");
    input.hints.ttl_minutes = Some(u32::MAX);
    assert_eq!(wait(&input), minutes(120));
    // A wish below the rhythm changes nothing.
    input.hints = Hints { ttl_minutes: Some(1), fresh_for: Some(minutes(1)), ..Hints::default() };
    assert!(wait(&input) < minutes(7));
}

#[test]
fn skipped_hours_and_days_are_waited_out_within_the_bounds() {
    let rhythm = watched(minutes(6), |_| true);
    let mut input = input(&rhythm);
    input.hints.skip_hours = &[12];
    assert_eq!(wait(&input), minutes(60));
    input.hints.skip_hours = &[11, 13];
    assert!(wait(&input) < minutes(7));
    input.hints.skip_hours = &[12, 13, 14, 15, 200];
    assert_eq!(wait(&input), minutes(120));
    input.hints.skip_hours = &[];
    input.hints.skip_days = &[0, 1, 2, 3, 4, 5, 6];
    assert_eq!(wait(&input), minutes(120));
    assert!(next_poll(&input).why.contains("skipDays"));
}

#[test]
fn failures_back_off_and_never_stop() {
    let rhythm = Rhythm::default();
    let mut input = input(&rhythm);
    for adaptive in [true, false] {
        input.pace = pace(adaptive);
        input.chance = 0.0;
        let waits: Vec<u64> = (1..=6)
            .map(|failures| {
                input.failures = failures;
                wait(&input).as_secs() / MINUTE
            })
            .collect();
        assert_eq!(waits, [15, 30, 60, 120, 120, 120]);
        input.chance = 1.0;
        input.failures = u32::MAX;
        assert_eq!(wait(&input), minutes(120));
    }
    for (failures, why) in [
        (1, "1st failure, trying again"),
        (3, "3rd failure in a row, backing off"),
        (11, "11th failure in a row, backing off"),
        (22, "22nd failure in a row, backing off"),
    ] {
        input.failures = failures;
        assert_eq!(next_poll(&input).why, why);
    }
}

#[test]
fn retry_after_may_leave_the_bounds_up_to_a_day() {
    let rhythm = Rhythm::default();
    let mut input = input(&rhythm);
    input.failures = 4;
    for (adaptive, asked, waited) in
        [(true, 300, 300), (false, 300, 300), (true, 5, 15), (false, 60 * 24 * 30, 60 * 24)]
    {
        input.pace = pace(adaptive);
        input.retry_after = Some(minutes(asked));
        assert_eq!(wait(&input), minutes(waited));
    }
    assert_eq!(next_poll(&input).why, "server asks 24 h (Retry-After)");
}

#[test]
fn a_rhythm_is_small_and_survives_storage() {
    let rhythm = watched(minutes(2), |_| true);
    let stored = serde_json::to_string(&rhythm).unwrap();
    assert!(stored.len() < 600, "{} {stored}", stored.len());
    assert_eq!(serde_json::from_str::<Rhythm>(&stored).unwrap(), rhythm);
    assert_eq!(serde_json::from_str::<Rhythm>("{}").unwrap(), Rhythm::default());
}

#[test]
fn a_clock_that_ran_ahead_is_forgiven() {
    let mut rhythm = Rhythm::default();
    let ahead = noon() + SignedDuration::from_hours(24 * 365 * 10);
    rhythm.observe(ahead, &[ahead - SignedDuration::from_hours(1)]);
    rhythm.observe(noon(), &[]);
    let got = wait(&input(&rhythm));
    assert!(got >= minutes(5) && got <= minutes(120));
    let mut busy = rhythm.clone();
    for poll in 1..200i32 {
        let now = noon() + SignedDuration::from_mins(i64::from(poll) * 5);
        busy.observe(now, &[now]);
    }
    let later = Input { now: noon() + SignedDuration::from_mins(1000), ..input(&busy) };
    assert!(wait(&later) < minutes(7), "{:?}", wait(&later));
}

proptest! {
    #[test]
    fn whatever_happens_the_bounds_hold(
        polls in prop::collection::vec((-4_000_000i64..4_000_000, prop::collection::vec(-9_000_000i64..9_000_000, 0..8)), 0..20),
        failures in 0u32..40, ttl: Option<u32>, fresh: Option<u64>, retry: Option<u64>, shown in 0usize..100,
        skip_hours in prop::collection::vec(0u8..30, 0..30), skip_days in prop::collection::vec(0u8..9, 0..9),
        chance in prop_oneof![0.0..1.0, Just(f64::NAN), Just(f64::INFINITY)], gap: bool, adaptive: bool,
    ) {
        let mut rhythm = Rhythm::default();
        let mut now = noon();
        for (step, entries) in polls {
            now += SignedDuration::from_secs(step);
            let times: Vec<_> = entries.iter().map(|off| now + SignedDuration::from_secs(*off)).collect();
            rhythm.observe(now, &times);
            if gap { rhythm.suspect_gap(now); }
        }
        let hints = Hints { ttl_minutes: ttl, fresh_for: fresh.map(Duration::from_secs), skip_hours: &skip_hours, skip_days: &skip_days };
        let retry_after = retry.map(Duration::from_secs);
        let input = Input { now, pace: pace(adaptive), rhythm: &rhythm, hints, failures, retry_after, shown, chance };
        let got = wait(&input);
        match (failures, retry_after) {
            (0, _) if !adaptive => prop_assert_eq!(got, minutes(15)),
            (0, _) => prop_assert!(got >= minutes(5) && got <= minutes(120), "{:?}", got),
            (_, None) => prop_assert!(got >= minutes(15) && got <= minutes(120), "{:?}", got),
            (_, Some(_)) => prop_assert!(got >= minutes(15) && got <= minutes(24 * 60), "{:?}", got),
        }
        prop_assert!(serde_json::to_string(&rhythm).unwrap().len() < 600);
    }
}
