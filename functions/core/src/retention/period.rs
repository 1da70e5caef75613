//! Calendar periods: the buckets of `keep_hourly` to `keep_yearly`.

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::schedule::Zone;

/// How long a calendar period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// An hour on the clock. The two that a clock shows alike when it is set back are one.
    Hour,
    /// A day.
    Day,
    /// An ISO week: Monday to Sunday, of the year that most of it lies in.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// A calendar period: what two times share that lie in the same hour, day, ISO week, month or year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    unit: Unit,
    year: i16,
    /// The month and day, or the number of the week; 0 where the unit is longer.
    part: (i8, i8),
    hour: i8,
}

impl Period {
    /// The period of `unit` in which a calendar and clock show `local`.
    pub fn of(unit: Unit, local: DateTime) -> Self {
        let (year, part, hour) = match unit {
            Unit::Hour => (local.year(), (local.month(), local.day()), local.hour()),
            Unit::Day => (local.year(), (local.month(), local.day()), 0),
            Unit::Week => {
                let week = local.date().iso_week_date();
                (week.year(), (week.week(), 0), 0)
            }
            Unit::Month => (local.year(), (local.month(), 0), 0),
            Unit::Year => (local.year(), (0, 0), 0),
        };
        Self { unit, year, part, hour }
    }
}

/// What calendar and clock show at `at` in `zone`.
pub(super) fn local(zone: &Zone, at: Timestamp) -> DateTime {
    zone.rules().to_datetime(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(unit: Unit, zone: &str, a: &str, b: &str) -> bool {
        let zone: Zone = zone.parse().unwrap();
        let period = |text: &str| Period::of(unit, local(&zone, text.parse().unwrap()));
        period(a) == period(b)
    }

    #[test]
    fn a_week_belongs_to_the_year_that_most_of_it_lies_in() {
        // Monday, 2024-12-30, to Sunday, 2025-01-05, is week 1 of 2025; 2024-01-01 began week 1 of 2024.
        assert!(same(Unit::Week, "UTC", "2024-12-30T00:00:00Z", "2025-01-05T23:59:59Z"));
        assert!(!same(Unit::Week, "UTC", "2024-12-30T00:00:00Z", "2024-01-02T00:00:00Z"));
        assert!(!same(Unit::Week, "UTC", "2024-12-29T23:59:59Z", "2024-12-30T00:00:00Z"));
        // Friday, 2027-01-01, is in week 53 of 2026.
        assert!(same(Unit::Week, "UTC", "2026-12-28T00:00:00Z", "2027-01-03T23:59:59Z"));
    }

    #[test]
    fn periods_are_those_of_the_zone() {
        let (evening, night) = ("2026-11-30T23:30:00Z", "2026-12-01T00:30:00Z");
        for unit in [Unit::Day, Unit::Month] {
            assert!(!same(unit, "UTC", evening, night));
            assert!(same(unit, "America/Chicago", evening, night));
        }
        // Lord Howe is at +11:00 in summer: its year begins at 13:00 UTC.
        assert!(!same(Unit::Year, "Australia/Lord_Howe", "2026-12-31T12:59:59Z", "2026-12-31T13:00:00Z"));
    }

    #[test]
    fn the_hour_that_a_clock_shows_twice_is_one() {
        // London's clocks go from 02:00 back to 01:00 on 2026-10-25, at 01:00 UTC.
        assert!(same(Unit::Hour, "Europe/London", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"));
        assert!(!same(Unit::Hour, "UTC", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"));
        // Kolkata's hours begin at half past.
        assert!(same(Unit::Hour, "Asia/Kolkata", "2026-10-25T00:30:00Z", "2026-10-25T01:29:59Z"));
    }

    #[test]
    fn periods_of_two_units_are_never_the_same() {
        let local = local(&Zone::UTC, Timestamp::UNIX_EPOCH);
        let units = [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
        for (n, a) in units.into_iter().enumerate() {
            assert!(units[n + 1..].iter().all(|b| Period::of(a, local) != Period::of(*b, local)));
        }
    }
}
