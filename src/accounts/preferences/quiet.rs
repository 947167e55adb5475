//! Quiet hours: a daily span by the clock on somebody's wall. Where that clock is set forward or back, it says what it says:
//! the hour that comes twice is twice as silent, and the one that is left out is not there.

use chrono::NaiveTime;
use chrono_tz::Tz;

use super::Preferences;
use crate::clock::Instant;

/// Whether somebody wants to be left alone then, but for what is urgent. A zone that is not known any more is taken for
/// UTC.
pub fn is_quiet(preferences: &Preferences, instant: Instant) -> bool {
    let hours = &preferences.notifications;
    let (Some(start), Some(end)) = (hours.quiet_start, hours.quiet_end) else { return false };
    let zone: Tz = preferences.time_zone.parse().unwrap_or(Tz::UTC);
    let local = instant.with_timezone(&zone).time();
    is_within(start, end, local)
}

fn is_within(start: NaiveTime, end: NaiveTime, time: NaiveTime) -> bool {
    match start <= end {
        true => start <= time && time < end,
        // Over midnight.
        false => start <= time || time < end,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::id::UserId;

    fn quiet(zone: &str, start: &str, end: &str) -> Preferences {
        let mut preferences = Preferences::of_newcomer(UserId(uuid::Uuid::nil()));
        let time = |text| Some(NaiveTime::parse_from_str(text, "%H:%M").unwrap());
        preferences.time_zone = zone.to_owned();
        (preferences.notifications.quiet_start, preferences.notifications.quiet_end) = (time(start), time(end));
        preferences
    }

    fn at(preferences: &Preferences, instant: &str) -> bool {
        is_quiet(preferences, DateTime::parse_from_rfc3339(instant).unwrap().to_utc())
    }

    #[test]
    fn nobody_is_left_alone_who_did_not_ask() {
        assert!(!is_quiet(&Preferences::of_newcomer(UserId(uuid::Uuid::nil())), DateTime::UNIX_EPOCH));
    }

    #[test]
    fn a_span_begins_with_its_first_minute_and_ends_before_its_last() {
        let noon = quiet("UTC", "12:00", "13:00");
        for (time, is_quiet) in [
            ("11:59:59.999", false),
            ("12:00:00", true),
            ("12:59:59.999", true),
            ("13:00:00", false),
            ("00:00:00", false),
        ] {
            assert_eq!(at(&noon, &format!("2026-11-20T{time}Z")), is_quiet, "{time}");
        }
    }

    #[test]
    fn a_span_may_run_over_midnight() {
        let night = quiet("UTC", "22:30", "07:00");
        for (time, is_quiet) in [
            ("22:29:59", false),
            ("22:30:00", true),
            ("23:59:59.999", true),
            ("00:00:00", true),
            ("06:59:59", true),
            ("07:00:00", false),
            ("12:00:00", false),
        ] {
            assert_eq!(at(&night, &format!("2026-11-20T{time}Z")), is_quiet, "{time}");
        }
        assert!(at(&quiet("UTC", "00:00", "23:59"), "2026-11-20T23:58:59Z"));
        assert!(!at(&quiet("UTC", "00:00", "23:59"), "2026-11-20T23:59:00Z"));
        assert!(at(&quiet("UTC", "12:00", "00:00"), "2026-11-20T23:59:59Z"));
        assert!(!at(&quiet("UTC", "12:00", "00:00"), "2026-11-20T00:00:00Z"));
    }

    #[test]
    fn a_span_is_by_the_clock_on_the_wall() {
        let night = quiet("Asia/Kolkata", "22:00", "06:00");
        assert!(at(&night, "2026-11-20T16:30:00Z") && !at(&night, "2026-11-20T16:29:00Z"));
        assert!(at(&night, "2026-11-21T00:29:00Z") && !at(&night, "2026-11-21T00:30:00Z"));
        assert!(at(&quiet("Atlantis/Capital", "01:00", "02:00"), "2026-11-20T01:30:00Z"));
    }

    /// In Berlin 02:00 is 03:00 on 29 March, and 03:00 is 02:00 again on 25 October.
    #[test]
    fn a_span_holds_when_the_clock_is_set() {
        let small = quiet("Europe/Berlin", "02:15", "02:45");
        for (instant, is_quiet) in [
            ("2026-03-28T01:30:00Z", true),
            // 01:59, then 03:00: it is not there.
            ("2026-03-29T00:59:59Z", false),
            ("2026-03-29T01:00:00Z", false),
            ("2026-03-29T01:30:00Z", false),
            ("2026-03-30T00:30:00Z", true),
            // 02:30 comes twice.
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T00:50:00Z", false),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T01:45:00Z", false),
        ] {
            assert_eq!(at(&small, instant), is_quiet, "{instant}");
        }
        let night = quiet("Europe/Berlin", "22:00", "03:00");
        assert!(at(&night, "2026-03-29T00:59:59Z") && !at(&night, "2026-03-29T01:00:00Z"));
        assert!(at(&night, "2026-10-25T01:59:59Z") && !at(&night, "2026-10-25T02:00:00Z"));
    }
}
