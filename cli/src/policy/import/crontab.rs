//! ebs_snapper's crontab expressions, which are those of the Python package `crontab`, as EventBridge Scheduler's.
//!
//! Five fields or six, the sixth the year; days of the week from 0, Sunday, to 6. One of the two day fields has to be any day.

use std::collections::BTreeSet;

use stopgap_core::schedule::Expression;

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The same schedule as `cron(...)`.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn cron(text: &str) -> Result<String, String> {
    let text = match text.trim() {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        text => text,
    };
    let fields: Vec<String> = text.split_ascii_whitespace().map(str::to_ascii_uppercase).collect();
    let (minute, hour, day, month, weekday, year) = match fields.as_slice() {
        [minute, hour, day, month, weekday] => (minute, hour, day, month, weekday, "*"),
        [minute, hour, day, month, weekday, year] => (minute, hour, day, month, weekday, year.as_str()),
        _ => {
            return Err(format!(
                "`{text}` is neither a period such as `12 hours` nor a crontab of 5 or 6 fields"
            ));
        }
    };
    let (day, weekday) = match (is_any(day), is_any(weekday)) {
        (true, true) => ("*".to_owned(), "?".to_owned()),
        (false, true) => (day.clone(), "?".to_owned()),
        (true, false) => ("?".to_owned(), days_of_week(weekday)?),
        (false, false) => {
            return Err(format!(
                "`{text}` names days of the month and days of the week: cron runs on either, ebs_snapper on none, and \
                 EventBridge takes only one of the two; write one policy for each"
            ));
        }
    };
    let expression =
        format!("cron({} {} {day} {} {weekday} {})", plain(minute), plain(hour), plain(month), plain(year));
    match expression.parse::<Expression>() {
        Ok(_) => Ok(expression),
        Err(error) => Err(format!("`{text}` cannot be written for EventBridge: {error}")),
    }
}

/// Whether a field leaves its value open: a `*` in a list opens all of it.
fn is_any(field: &str) -> bool {
    field.split(',').any(|part| part == "*" || part == "?")
}

/// A list with a `*` in it is `*`.
fn plain(field: &str) -> &str {
    if is_any(field) { "*" } else { field }
}

/// Days of the week by name: their numbers differ by one.
fn days_of_week(text: &str) -> Result<String, String> {
    if let Some(day) = text.strip_prefix('L') {
        let last = number(day).and_then(|day| WEEKDAYS.get(day)).ok_or_else(|| wrong(text))?;
        return Ok(format!("{last}L"));
    }
    let mut days = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step = step.parse().ok().filter(|step| *step > 0).ok_or_else(|| wrong(text))?;
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from), number(to)),
            None if range == "*" => (Some(0), Some(6)),
            None if part.contains('/') => (number(range), Some(6)),
            None => (number(range), number(range)),
        };
        let (Some(from), Some(to)) = (from, to) else { return Err(wrong(text)) };
        if from > to {
            return Err(wrong(text));
        }
        // 7 is Sunday too, for most.
        days.extend((from..=to).step_by(step).map(|day| day % 7));
    }
    let names: Vec<&str> = days.iter().filter_map(|day| WEEKDAYS.get(*day).copied()).collect();
    let (first, last) = (days.first().copied().unwrap_or_default(), days.last().copied().unwrap_or_default());
    Ok(match names.as_slice() {
        [first_name, .., last_name] if names.len() > 2 && last - first + 1 == names.len() => {
            format!("{first_name}-{last_name}")
        }
        names => names.join(","),
    })
}

fn number(day: &str) -> Option<usize> {
    match WEEKDAYS.iter().position(|name| *name == day) {
        Some(number) => Some(number),
        None => day.parse().ok().filter(|day| *day <= 7),
    }
}

fn wrong(text: &str) -> String {
    format!(
        "the days of the week `{text}`: they are 0 (Sunday) to 6, or SUN to SAT, with `,` `-` `/`, or L5 for the last Friday"
    )
}

#[cfg(test)]
mod tests {
    use super::cron;

    #[test]
    fn the_same_times_are_written_as_eventbridge_writes_them() {
        for (crontab, expected) in [
            ("30 * * * *", "cron(30 * * * ? *)"),
            // The example of ebs_snapper's documentation, which has the year for a sixth field.
            ("0 5 * * ? *", "cron(0 5 * * ? *)"),
            ("0 5 ? * 1-5", "cron(0 5 ? * MON-FRI *)"),
            ("0 5 * * 0", "cron(0 5 ? * SUN *)"),
            ("0 5 * * 7", "cron(0 5 ? * SUN *)"),
            ("0 5 * * 6", "cron(0 5 ? * SAT *)"),
            ("0 5 * * sun,3-4", "cron(0 5 ? * SUN,WED,THU *)"),
            ("0 5 * * */2", "cron(0 5 ? * SUN,TUE,THU,SAT *)"),
            ("0 5 * * 3/2", "cron(0 5 ? * WED,FRI *)"),
            ("0 5 * * L5", "cron(0 5 ? * FRIL *)"),
            ("*/15 0-6 1,15 jan * 2017-2020", "cron(*/15 0-6 1,15 JAN ? 2017-2020)"),
            ("5/20 3 L * *", "cron(5/20 3 L * ? *)"),
            ("1,* 3 * * *", "cron(* 3 * * ? *)"),
            ("@daily", "cron(0 0 * * ? *)"),
            ("@weekly", "cron(0 0 ? * SUN *)"),
        ] {
            assert_eq!(cron(crontab).as_deref(), Ok(expected), "{crontab}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_said_with_what_would_be_right() {
        for (crontab, why) in [
            ("0 5 1 * 1", "write one policy for each"),
            ("0 5 */2 * 1", "write one policy for each"),
            ("0 5 * *", "5 or 6 fields"),
            ("every day", "5 or 6 fields"),
            ("0 5 * * 5-1", "SUN to SAT"),
            ("0 5 * * 8", "SUN to SAT"),
            ("0 25 * * *", "hours `25`"),
            ("0 5 1,L * *", "day-of-month"),
        ] {
            assert!(cron(crontab).unwrap_err().contains(why), "{crontab}: {:?}", cron(crontab));
        }
    }
}
