//! When a digest is due: slots are local dates, never instants.
//!
//! So daylight saving neither skips nor doubles one, a clock that steps back
//! cannot fire one twice, and downtime leaves one digest to catch up with.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::DigestPlan;
use crate::flow::alerts::instant;

/// A slot missed for longer than this is not worth a mail of its own: its items go into the next.
const CATCH_UP: SignedDuration = SignedDuration::from_hours(72);
/// With the next slot this near, a missed one waits for it.
const NEAR: SignedDuration = SignedDuration::from_mins(30);

/// What is to be done about slots now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// Compose for this slot, which stands for so many.
    Digest {
        /// The slot's local date.
        slot: Date,
        /// Slots since the last digest, this one included.
        covers: u32,
    },
    /// Too long ago: mark it as dealt with.
    Skip(Date),
}

/// Decides about slots.
///
/// `created` is when the subscription came to be: no slot before it is owed.
/// `last` is the newest slot dealt with.
pub fn due(
    plan: &DigestPlan,
    zone: &TimeZone,
    now: Timestamp,
    created: Timestamp,
    last: Option<Date>,
) -> Due {
    let today = now.to_zoned(zone.clone()).date();
    let mut newest = None;
    let mut covers = 0;
    let mut day = Some(today);
    // A plan names at least one weekday; a year bounds the count after long downtime.
    for _ in 0..366 {
        let Some(date) = day else { break };
        day = date.yesterday().ok();
        if last.is_some_and(|last| date <= last) {
            break;
        }
        let Some(at) = slot_at(plan, zone, date) else { continue };
        if at > now {
            continue;
        }
        if at <= created {
            break;
        }
        newest.get_or_insert((date, at));
        covers += 1;
    }
    let Some((slot, at)) = newest else { return Due::Nothing };
    let late = now.duration_since(at);
    if late > CATCH_UP {
        return Due::Skip(slot);
    }
    let next_is_near = next(plan, zone, now).is_some_and(|next| next.duration_since(now) < NEAR);
    // Only a slot that was missed waits; one that is merely late by a little does not.
    if late > NEAR && next_is_near { Due::Nothing } else { Due::Digest { slot, covers } }
}

/// Returns the first slot after `now`.
pub fn next(plan: &DigestPlan, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let mut day = Some(now.to_zoned(zone.clone()).date());
    for _ in 0..8 {
        let date = day?;
        day = date.tomorrow().ok();
        if let Some(at) = slot_at(plan, zone, date)
            && at > now
        {
            return Some(at);
        }
    }
    None
}

/// The instant of a day's slot; none on a day without one.
fn slot_at(plan: &DigestPlan, zone: &TimeZone, date: Date) -> Option<Timestamp> {
    plan.days.contains(&date.weekday()).then(|| instant(zone, date.to_datetime(plan.at))).flatten()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, time};

    use super::*;
    use crate::config::Quiet;

    const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    fn plan(hour: i8, minute: i8, days: &[Weekday]) -> DigestPlan {
        DigestPlan { at: time(hour, minute, 0, 0), days: days.to_vec(), quiet: Quiet::Send }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_new_subscription_is_owed_nothing_before_it_and_today_if_the_slot_is_ahead() {
        let (plan, zone) = (plan(7, 30, &ALL), TimeZone::UTC);
        let created = at("2026-11-24T06:00:00Z");
        assert_eq!(due(&plan, &zone, at("2026-11-24T06:30:00Z"), created, None), Due::Nothing);
        let slot = Due::Digest { slot: day("2026-11-24"), covers: 1 };
        assert_eq!(due(&plan, &zone, at("2026-11-24T07:30:00Z"), created, None), slot);
        let late = at("2026-11-24T08:00:00Z");
        assert_eq!(due(&plan, &zone, at("2026-11-24T08:01:00Z"), late, None), Due::Nothing);
    }

    #[test]
    fn downtime_leaves_one_digest_that_says_how_many_slots_it_covers() {
        let (plan, zone) = (plan(7, 30, &ALL), TimeZone::UTC);
        let (created, last) = (at("2026-11-01T00:00:00Z"), Some(day("2026-11-20")));
        let slot = Due::Digest { slot: day("2026-11-23"), covers: 3 };
        assert_eq!(due(&plan, &zone, at("2026-11-24T05:00:00Z"), created, last), slot);
        assert_eq!(
            due(&plan, &zone, at("2026-11-24T07:10:00Z"), created, last),
            Due::Nothing,
            "20 min to go"
        );
        let weekly = DigestPlan { days: vec![Weekday::Monday], ..plan };
        let old = due(&weekly, &zone, at("2026-11-27T12:00:00Z"), created, last);
        assert_eq!(old, Due::Skip(day("2026-11-23")));
    }

    #[test]
    fn a_clock_that_steps_back_fires_nothing_twice() {
        let (plan, zone) = (plan(7, 30, &ALL), TimeZone::UTC);
        let (created, last) = (at("2026-11-01T00:00:00Z"), Some(day("2026-11-24")));
        assert_eq!(due(&plan, &zone, at("2026-11-24T07:31:00Z"), created, last), Due::Nothing);
        assert_eq!(due(&plan, &zone, at("2026-11-22T09:00:00Z"), created, last), Due::Nothing);
    }

    /// Every quarter of an hour of a year, in four zones, at an hour that daylight saving touches.
    #[test]
    fn a_year_has_exactly_one_digest_a_day_everywhere() {
        for (zone, hour) in
            [("Asia/Seoul", 7), ("America/New_York", 2), ("Europe/Berlin", 2), ("Australia/Lord_Howe", 2)]
        {
            let zone = TimeZone::get(zone).unwrap();
            let plan = plan(hour, 15, &ALL);
            let created = at("2026-01-01T00:00:00Z");
            let (mut now, mut last, mut slots) = (created, None, Vec::new());
            while now < at("2027-01-01T00:00:00Z") {
                if let Due::Digest { slot, covers } = due(&plan, &zone, now, created, last) {
                    assert_eq!(covers, 1, "{slot}");
                    slots.push(slot);
                    last = Some(slot);
                }
                now += SignedDuration::from_mins(15);
            }
            let (first, final_one) = (slots[0], slots[slots.len() - 1]);
            let days = first.until(final_one).unwrap().get_days();
            assert_eq!(slots.len(), usize::try_from(days).unwrap() + 1, "none skipped");
            assert!(slots.windows(2).all(|pair| pair[0] < pair[1]), "none doubled");
            assert!(slots.len() >= 364);
        }
    }
}
