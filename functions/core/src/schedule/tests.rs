use proptest::prelude::*;

use super::*;

fn schedule(expression: &str, zone: &str) -> Schedule {
    Schedule {
        expression: expression.parse().unwrap(),
        timezone: zone.parse().unwrap(),
        start_within: "2h".parse().unwrap(),
    }
}

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Expression, zone, from, to, and every occurrence between them, worked out by hand from the calendar.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

#[track_caller]
fn occurs(rows: &[Row]) {
    for (expression, zone, from, to, expected) in rows {
        let found: Vec<String> =
            schedule(expression, zone).between(t(from), t(to)).map(|t| t.to_string()).collect();
        assert_eq!(found, *expected, "{expression} in {zone}");
    }
}

#[test]
fn every_wildcard_means_what_eventbridge_scheduler_says() {
    let (from, to) = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
    occurs(&[
        // 2026-11-01 is a Sunday, and November has 30 days.
        ("cron(0 2 L * ? *)", "UTC", from, to, &["2026-11-30T02:00:00Z"]),
        (
            "cron(0 2 LW * ? *)",
            "UTC",
            "2026-05-01T00:00:00Z",
            "2026-06-01T00:00:00Z",
            &["2026-05-29T02:00:00Z"],
        ),
        ("cron(0 2 1W * ? *)", "UTC", from, to, &["2026-11-02T02:00:00Z"]),
        // The 1st is a Saturday: `W` does not leave the month.
        (
            "cron(0 2 1W * ? *)",
            "UTC",
            "2026-08-01T00:00:00Z",
            "2026-09-01T00:00:00Z",
            &["2026-08-03T02:00:00Z"],
        ),
        ("cron(0 2 14W * ? *)", "UTC", from, to, &["2026-11-13T02:00:00Z"]),
        ("cron(0 2 ? * 3#2 *)", "UTC", from, to, &["2026-11-10T02:00:00Z"]),
        ("cron(0 2 ? * SUN#5 *)", "UTC", from, to, &["2026-11-29T02:00:00Z"]),
        ("cron(0 2 ? * 6L *)", "UTC", from, to, &["2026-11-27T02:00:00Z"]),
        ("cron(0 2 ? * FRIL *)", "UTC", from, to, &["2026-11-27T02:00:00Z"]),
        (
            "cron(0 2 ? NOV 1 2026)",
            "UTC",
            from,
            "2026-11-09T00:00:00Z",
            &["2026-11-01T02:00:00Z", "2026-11-08T02:00:00Z"],
        ),
        (
            "cron(0 2 ? * L *)",
            "UTC",
            from,
            "2026-11-15T00:00:00Z",
            &["2026-11-07T02:00:00Z", "2026-11-14T02:00:00Z"],
        ),
        (
            "cron(0 2 ? * MON-WED *)",
            "UTC",
            from,
            "2026-11-05T00:00:00Z",
            &["2026-11-02T02:00:00Z", "2026-11-03T02:00:00Z", "2026-11-04T02:00:00Z"],
        ),
        (
            "cron(1/25 4,6 1 * ? *)",
            "UTC",
            from,
            to,
            &[
                "2026-11-01T04:01:00Z",
                "2026-11-01T04:26:00Z",
                "2026-11-01T04:51:00Z",
                "2026-11-01T06:01:00Z",
                "2026-11-01T06:26:00Z",
                "2026-11-01T06:51:00Z",
            ],
        ),
        (
            "cron(0 10-14/2 1 nov ? 2025-2027/2)",
            "UTC",
            "2025-01-01T00:00:00Z",
            "2026-12-31T00:00:00Z",
            &["2025-11-01T10:00:00Z", "2025-11-01T12:00:00Z", "2025-11-01T14:00:00Z"],
        ),
        (
            "cron(0 0 29 2 ? *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            "2033-01-01T00:00:00Z",
            &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"],
        ),
    ]);
}

#[test]
fn a_time_skipped_in_spring_does_not_occur_and_one_repeated_in_autumn_occurs_once() {
    occurs(&[
        // Chicago skips 02:00-03:00 on 2026-03-08 and repeats 01:00-02:00 on 2026-11-01.
        (
            "cron(30 2 * * ? *)",
            "America/Chicago",
            "2026-03-07T00:00:00Z",
            "2026-03-10T00:00:00Z",
            &["2026-03-07T08:30:00Z", "2026-03-09T07:30:00Z"],
        ),
        (
            "cron(30 1 * * ? *)",
            "America/Chicago",
            "2026-10-31T00:00:00Z",
            "2026-11-03T00:00:00Z",
            &["2026-10-31T06:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T07:30:00Z"],
        ),
        (
            "cron(30 2 * * ? *)",
            "America/Chicago",
            "2027-03-13T12:00:00Z",
            "2027-03-16T00:00:00Z",
            &["2027-03-15T07:30:00Z"],
        ),
        (
            "cron(0/30 1-3 * * ? *)",
            "America/Chicago",
            "2026-03-08T06:00:00Z",
            "2026-03-08T12:00:00Z",
            &["2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z", "2026-03-08T08:00:00Z", "2026-03-08T08:30:00Z"],
        ),
        (
            "cron(0/30 0-2 * * ? *)",
            "America/Chicago",
            "2026-11-01T05:00:00Z",
            "2026-11-01T12:00:00Z",
            &[
                "2026-11-01T05:00:00Z",
                "2026-11-01T05:30:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T06:30:00Z",
                "2026-11-01T08:00:00Z",
                "2026-11-01T08:30:00Z",
            ],
        ),
        // London skips 01:00-02:00 on 2026-03-29 and repeats it on 2026-10-25.
        (
            "cron(15 1 * * ? *)",
            "Europe/London",
            "2026-03-28T00:00:00Z",
            "2026-03-31T00:00:00Z",
            &["2026-03-28T01:15:00Z", "2026-03-30T00:15:00Z"],
        ),
        (
            "cron(15 1 * * ? *)",
            "Europe/London",
            "2026-10-24T12:00:00Z",
            "2026-10-27T00:00:00Z",
            &["2026-10-25T00:15:00Z", "2026-10-26T01:15:00Z"],
        ),
        (
            "cron(15 1 * * ? *)",
            "Europe/London",
            "2027-03-27T12:00:00Z",
            "2027-03-30T00:00:00Z",
            &["2027-03-29T00:15:00Z"],
        ),
        // Lord Howe moves by half an hour: it repeats 01:30-02:00 on 2026-04-05 and skips 02:00-02:30 on 2026-10-04.
        (
            "cron(45 1 * * ? *)",
            "Australia/Lord_Howe",
            "2026-04-04T00:00:00Z",
            "2026-04-06T00:00:00Z",
            &["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
        ),
        (
            "cron(15 2 * * ? *)",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            "2026-10-05T00:00:00Z",
            &["2026-10-04T15:15:00Z"],
        ),
        (
            "cron(15 2 * * ? *)",
            "Australia/Lord_Howe",
            "2027-10-02T00:00:00Z",
            "2027-10-04T00:00:00Z",
            &["2027-10-03T15:15:00Z"],
        ),
        // Kolkata never changes: always 5:30 ahead.
        (
            "cron(0 2 * * ? *)",
            "Asia/Kolkata",
            "2026-03-28T00:00:00Z",
            "2026-03-30T00:00:00Z",
            &["2026-03-28T20:30:00Z", "2026-03-29T20:30:00Z"],
        ),
    ]);
}

#[test]
fn the_newest_occurrence_is_found_while_the_clock_repeats_an_hour() {
    let every_half_hour = schedule("cron(0/30 * * * ? *)", "America/Chicago");
    // 06:00Z-07:00Z is 01:00-02:00 the first time, 07:00Z-08:00Z the second.
    for (at, latest) in [
        ("2026-11-01T06:59:00Z", "2026-11-01T06:30:00Z"),
        ("2026-11-01T07:00:00Z", "2026-11-01T06:30:00Z"),
        ("2026-11-01T07:10:00Z", "2026-11-01T06:30:00Z"),
        ("2026-11-01T07:59:59Z", "2026-11-01T06:30:00Z"),
        ("2026-11-01T08:00:00Z", "2026-11-01T08:00:00Z"),
    ] {
        assert_eq!(every_half_hour.latest(t(at)), Some(t(latest)), "at {at}");
        assert_eq!(
            every_half_hour.next(t(at)),
            Some(t(if at < "2026-11-01T08" { "2026-11-01T08:00:00Z" } else { "2026-11-01T08:30:00Z" }))
        );
    }
}

#[test]
fn a_rate_counts_from_1970_whatever_the_zone() {
    occurs(&[
        (
            "rate(1 day)",
            "America/Chicago",
            "2026-03-07T00:00:00Z",
            "2026-03-10T00:00:00Z",
            &["2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z"],
        ),
        // 7 days from Thursday 1970-01-01: Thursdays.
        (
            "rate(7 days)",
            "UTC",
            "2026-11-01T00:00:00Z",
            "2026-11-15T00:00:00Z",
            &["2026-11-05T00:00:00Z", "2026-11-12T00:00:00Z"],
        ),
        (
            "rate(20 minutes)",
            "UTC",
            "2026-11-01T00:00:00Z",
            "2026-11-01T01:00:00Z",
            &["2026-11-01T00:00:00Z", "2026-11-01T00:20:00Z", "2026-11-01T00:40:00Z"],
        ),
    ]);
    assert_eq!(
        schedule("rate(1 hour)", "UTC").latest(t("1969-12-31T23:59:59.5Z")),
        Some(t("1969-12-31T23:00:00Z"))
    );
}

/// Scheduler's user guide lists `minutes`, `hours` and `days`, its API reference the singular too, and neither asks for
/// agreement: that is a rule of EventBridge's rules.
#[test]
fn the_unit_of_a_rate_is_singular_or_plural_whatever_the_value() {
    for (one, other) in [
        ("rate(1 minutes)", "rate(1 minute)"),
        ("rate(1 hours)", "rate(1 hour)"),
        ("rate(1 days)", "rate(1 day)"),
        ("rate(5 minute)", "rate(5 minutes)"),
        ("rate(12 hour)", "rate(12 hours)"),
    ] {
        let after = t("2026-11-21T01:23:45Z");
        assert_eq!(schedule(one, "UTC").next(after), schedule(other, "UTC").next(after), "{one}");
    }
}

#[test]
fn a_step_as_large_as_its_field_leaves_the_first_value() {
    let (from, to) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    occurs(&[
        ("cron(0 2 3 1/12 ? *)", "UTC", from, to, &["2026-01-03T02:00:00Z"]),
        ("cron(0 2 3/31 3 ? *)", "UTC", from, to, &["2026-03-03T02:00:00Z"]),
        (
            "cron(0 2 ? 2 SUN/7 *)",
            "UTC",
            from,
            "2026-02-09T00:00:00Z",
            &["2026-02-01T02:00:00Z", "2026-02-08T02:00:00Z"],
        ),
        ("cron(0 2 3 3 ? 2026/230)", "UTC", from, "2199-12-31T23:59:59Z", &["2026-03-03T02:00:00Z"]),
    ]);
}

/// EventBridge's documentation has `cron(0/30 20-2 ? * MON-FRI *)` among its examples.
#[test]
fn a_range_that_runs_backwards_goes_on_from_the_beginning_of_its_field() {
    let (from, to) = ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
    occurs(&[
        (
            "cron(0 22-2/2 ? * MON-FRI *)",
            "UTC",
            from,
            to,
            &["2026-11-20T00:00:00Z", "2026-11-20T02:00:00Z", "2026-11-20T22:00:00Z"],
        ),
        (
            "cron(58-1 2 20 * ? *)",
            "UTC",
            from,
            to,
            &["2026-11-20T02:00:00Z", "2026-11-20T02:01:00Z", "2026-11-20T02:58:00Z", "2026-11-20T02:59:00Z"],
        ),
        (
            "cron(0 2 ? * SAT-SUN *)",
            "UTC",
            from,
            "2026-11-23T00:00:00Z",
            &["2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z"],
        ),
        (
            "cron(0 2 30-1 NOV-JAN/2 ? *)",
            "UTC",
            from,
            "2027-02-01T00:00:00Z",
            &["2026-11-30T02:00:00Z", "2027-01-01T02:00:00Z", "2027-01-30T02:00:00Z", "2027-01-31T02:00:00Z"],
        ),
    ]);
}

#[test]
fn a_rate_longer_than_times_can_be_written_occurs_at_its_origin() {
    let schedule = schedule("rate(4294967295 days)", "UTC");
    assert_eq!(schedule.next(t("1969-12-31T00:00:00Z")), Some(Timestamp::UNIX_EPOCH));
    assert_eq!(schedule.next(Timestamp::UNIX_EPOCH), None);
    assert_eq!(schedule.latest(t("2026-11-21T00:00:00Z")), Some(Timestamp::UNIX_EPOCH));
    assert_eq!(schedule.latest(t("1969-12-31T00:00:00Z")), None);
}

#[test]
fn an_at_occurs_once_in_its_zone_and_not_at_all_in_a_gap() {
    let once = schedule("at(2026-11-21T02:00:00)", "America/Chicago");
    assert_eq!(once.latest(t("2026-11-21T07:59:59Z")), None);
    assert_eq!(once.latest(t("2030-01-01T00:00:00Z")), Some(t("2026-11-21T08:00:00Z")));
    assert_eq!(once.next(t("2026-11-21T08:00:00Z")), None);
    assert_eq!(schedule("at(2026-03-08T02:30:00)", "America/Chicago").latest(Timestamp::MAX), None);
}

#[test]
fn an_expression_that_never_fires_is_answered_and_not_searched_for_ever() {
    for expression in ["cron(0 0 31 2 ? *)", "cron(0 0 30 FEB ? 2000)", "cron(0 0 31W 4,6,9,11 ? *)"] {
        let never = schedule(expression, "America/Chicago");
        assert_eq!(never.next(Timestamp::MIN), None);
        assert_eq!(never.latest(Timestamp::MAX), None);
    }
}

#[test]
fn an_occurrence_is_missed_when_it_is_too_late_or_the_next_one_comes() {
    assert_eq!(
        schedule("rate(1 hour)", "UTC").missed_at(t("2026-11-21T02:00:00Z")),
        t("2026-11-21T03:00:00Z")
    );
    assert_eq!(
        schedule("rate(1 day)", "UTC").missed_at(t("2026-11-21T00:00:00Z")),
        t("2026-11-21T02:00:00Z")
    );
}

#[test]
fn a_wrong_expression_is_refused_with_the_field_and_what_is_right() {
    for (expression, says) in [
        ("", "cron(0 2 * * ? *)"),
        ("0 2 * * *", "cron(0 2 * * ? *)"),
        ("cron(0 2 * * ?)", "6 fields"),
        ("cron(0 2 * * * *)", "`?` in day-of-month"),
        ("cron(0 2 ? * ? *)", "both `?`"),
        ("cron(0 2 1 * 2 *)", "must be `?`"),
        ("cron(60 2 * * ? *)", "minutes `60`"),
        ("cron(0 24 * * ? *)", "hours `24`"),
        ("cron(0 2 32 * ? *)", "day-of-month `32`"),
        ("cron(0 2 * 13 ? *)", "month `13`"),
        ("cron(0 2 ? * 0 *)", "day-of-week `0`"),
        ("cron(0 2 ? * 8 *)", "SUN-SAT"),
        ("cron(0 2 ? * 2#6 *)", "day-of-week `2#6`"),
        ("cron(0 2 ? * 2#1,3#1 *)", "day-of-week"),
        ("cron(0 2 1,L * ? *)", "day-of-month"),
        ("cron(0 2 * * ? 1969)", "1970-2199"),
        ("cron(0/0 2 * * ? *)", "a step is"),
        ("cron(+5 2 * * ? *)", "minutes"),
        ("cron(,5 2 * * ? *)", "minutes"),
        ("cron(0 2 * * ? 2028-2026)", "backwards"),
        ("cron(0 2 * * ? *", "schedule expression"),
        ("cron(0/60 2 * * ? *)", "a step is a number from 1 to 59"),
        ("cron(0 0/24 * * ? *)", "a step is a number from 1 to 23"),
        ("cron(0 2 1/32 * ? *)", "a step is a number from 1 to 31"),
        ("rate(0 hours)", "positive"),
        ("rate(-1 hours)", "positive"),
        ("rate(+1 hours)", "positive"),
        ("cron(0/+5 2 * * ? *)", "a step is"),
        ("cron(0 2 ? * 2#+1 *)", "day-of-week"),
        ("at(2026-11-21T23:59:60)", "not a time"),
        ("at(2026-11-21T24:00:00)", "not a time"),
        ("rate(1 week)", "minute(s), hour(s) or day(s)"),
        ("rate(5)", "value and a unit"),
        ("at(2026-11-21)", "yyyy-mm-ddThh:mm:ss"),
        ("at(2026-11-21T02:00:00Z)", "without an offset"),
        ("at(2026-02-30T02:00:00)", "not a time"),
    ] {
        let error = expression.parse::<Expression>().unwrap_err().to_string();
        assert!(error.contains(says), "{expression}: {error}");
    }
}

#[test]
fn a_zone_that_is_none_is_refused_with_the_one_that_was_meant() {
    let error = "America/Chigaco".parse::<Zone>().unwrap_err().to_string();
    assert!(error.contains("`America/Chicago`"), "{error}");
    for zone in ["", "CST6CDT,M3.2.0,M11.1.0", "Mars", "+02:00"] {
        assert!(zone.parse::<Zone>().is_err(), "{zone}");
    }
}

proptest! {
    #[test]
    fn latest_next_and_between_tell_the_same_story(
        minute in 0..60u8, hours in proptest::collection::btree_set(0..24u8, 1..4), zone in 0..4usize,
        // 2026-01-01 to 2028-01-01.
        at in 1_767_225_600i64..1_830_297_600,
    ) {
        let hours: Vec<String> = hours.iter().map(u8::to_string).collect();
        let zone = ["America/Chicago", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata"][zone];
        let schedule = schedule(&format!("cron({minute} {} * * ? *)", hours.join(",")), zone);
        let at = Timestamp::from_second(at).unwrap();
        let latest = schedule.latest(at).unwrap();
        let next = schedule.next(at).unwrap();
        prop_assert!(latest <= at && at < next);
        prop_assert_eq!(schedule.next(latest), Some(next));
        prop_assert_eq!(schedule.latest(next), Some(next));
        prop_assert_eq!(schedule.between(latest, next).collect::<Vec<_>>(), vec![latest]);
        // Never further apart than two days: every pattern here fires daily, but for the day of a gap.
        prop_assert!(next.duration_since(latest) <= SignedDuration::from_hours(49));
    }

    #[test]
    fn no_text_makes_it_panic(text in "(cron|rate|at)\\([-0-9A-Z*?/,#LW: ]{0,24}\\)") {
        if let Ok(expression) = text.parse::<Expression>() {
            let _ = expression.next(&Zone::UTC, Timestamp::UNIX_EPOCH);
            let _ = expression.latest(&Zone::UTC, Timestamp::MAX);
        }
    }
}
