//! When DLM makes snapshots: always in UTC, from once an hour to once a year.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::schedule::Schedule;

use super::Found;

const PART: &str = "schedule.expression";

/// The hours that an interval may have.
const INTERVALS: [i64; 8] = [1, 2, 3, 4, 6, 8, 12, 24];

/// How many occurrences are looked at: two weeks of hours, and all years that expressions know.
const LOOKED_AT: usize = 400;

/// From when on. A zone that has not shifted its clocks since then is taken for one that does not.
fn since() -> Timestamp {
    // A Monday.
    Timestamp::from_second(1_767_571_200).unwrap_or_default()
}

/// The schedule's `CreateRule`.
pub(super) fn create_rule(schedule: &Schedule, found: &mut Found) -> Option<Value> {
    let expression = schedule.expression.as_str();
    if let Some(period) = expression.strip_prefix("rate(") {
        let hours = hours(period.trim_end_matches(')'));
        return match hours.filter(|hours| INTERVALS.contains(hours)) {
            // The multiples of each of them since 1970 fall on the same times of every day.
            Some(hours) => Some(json!({ "Interval": hours, "IntervalUnit": "HOURS", "Times": ["00:00"] })),
            None => found.cannot(
                PART,
                format!("DLM's intervals are 1, 2, 3, 4, 6, 8, 12 and 24 hours, and this is `{expression}`; write a `cron(...)`"),
            ),
        };
    }
    let Some(fields) = expression.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')) else {
        return found.cannot(PART, "DLM has no schedule that occurs once");
    };
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    if fields.last() != Some(&"*") {
        return found
            .cannot(PART, "DLM makes snapshots at least once a year, and the expression names years");
    }
    let times: Vec<Timestamp> =
        schedule.expression.from(&schedule.timezone, since()).take(LOOKED_AT).collect();
    let gaps = || times.iter().zip(times.iter().skip(1)).map(|(a, b)| b.duration_since(*a));
    if gaps().any(|gap| gap < SignedDuration::from_hours(1)) {
        return found.cannot(PART, "DLM makes snapshots at most once an hour, and this occurs more often");
    }
    if gaps().any(|gap| gap > SignedDuration::from_hours(366 * 24)) {
        return found.cannot(PART, "DLM makes snapshots at least once a year, and this occurs less often");
    }
    let zone = schedule.timezone.rules();
    let rule = if zone.following(since()).next().is_some() {
        let message = format!(
            "DLM's schedules are in UTC, and clocks in {} are set forward and back: it would begin an hour off for a part of the \
             year; write one for `\"timezone\": \"UTC\"`",
            schedule.timezone.name()
        );
        return found.cannot("schedule.timezone", message);
    } else if zone.to_offset(since()).is_zero() {
        format!("cron({})", fields.join(" "))
    } else if let Some(rule) = daily_in_utc(&fields, &times) {
        found.note(
            "schedule.timezone",
            format!("DLM's schedules are in UTC: `{expression}` in {} is `{rule}`", schedule.timezone.name()),
        );
        rule
    } else {
        let message = format!(
            "DLM's schedules are in UTC, and the days in {} are others; write one for `\"timezone\": \"UTC\"`",
            schedule.timezone.name()
        );
        return found.cannot("schedule.timezone", message);
    };
    // The API's pattern.
    if rule.len() > 106 {
        return found.cannot(PART, "DLM's expressions have up to 106 characters, and this has more");
    }
    Some(json!({ "CronExpression": rule }))
}

/// The hours of `12 hours` or `1 day`.
fn hours(period: &str) -> Option<i64> {
    let (value, unit) = period.split_once(' ')?;
    let value: i64 = value.parse().ok()?;
    match unit.trim() {
        "hour" | "hours" => Some(value),
        "day" | "days" => value.checked_mul(24),
        "minute" | "minutes" if value % 60 == 0 => Some(value / 60),
        _ => None,
    }
}

/// The expression in UTC of one that occurs on every day, in a zone whose clocks are always as far from UTC.
fn daily_in_utc(fields: &[&str], times: &[Timestamp]) -> Option<String> {
    let [_, _, day, "*", weekday, "*"] = fields else { return None };
    if ![day, weekday].into_iter().all(|field| matches!(*field, "*" | "?")) {
        return None;
    }
    let first = times.first()?;
    let one_day =
        times.iter().take_while(|time| time.duration_since(*first) < SignedDuration::from_hours(24));
    let clock = |time: &Timestamp| {
        let civil = time.to_zoned(TimeZone::UTC);
        (civil.hour(), civil.minute())
    };
    let at: BTreeSet<(i8, i8)> = one_day.map(clock).collect();
    let minutes: BTreeSet<i8> = at.iter().map(|(_, minute)| *minute).collect();
    let (Some(minute), true) = (minutes.first(), minutes.len() == 1) else { return None };
    let hours: Vec<String> = at.iter().map(|(hour, _)| hour.to_string()).collect();
    Some(format!("cron({minute} {} * * ? *)", hours.join(",")))
}
