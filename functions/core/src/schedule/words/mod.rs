//! What an expression means, in words.
//!
//! The words come from the values that an expression allows and not from how it is written. So two expressions have the
//! same words when, and only when, they occur at the same times.

mod days;
mod lists;
mod times;

use jiff::civil::DateTime;

use super::fields::{Fields, YEAR};
use lists::{and, every_nth, runs};

/// What a cron expression asks for: `at 02:00 every day`.
pub(super) fn cron(fields: &Fields) -> String {
    let days = days::days(&fields.days, &fields.months);
    let years = years(&fields.years);
    let times = times::times(&fields.minutes, &fields.hours);
    if days == days::EVERY && times::round_the_clock(&fields.minutes, &fields.hours) {
        format!("{times}{years}")
    } else {
        format!("{times} {days}{years}")
    }
}

/// Of a period in seconds: `every 12 hours, counted from …`.
pub(super) fn rate(seconds: i64) -> String {
    let every = match seconds / 60 {
        1 => return "every minute".to_owned(),
        60 => "every hour".to_owned(),
        1440 => "every 24 hours".to_owned(),
        minutes if minutes % 1440 == 0 => format!("every {} days of 24 hours", minutes / 1440),
        minutes if minutes % 60 == 0 => format!("every {} hours", minutes / 60),
        minutes => format!("every {minutes} minutes"),
    };
    format!("{every}, counted from 1970-01-01T00:00Z")
}

/// A civil time: `02:00 on 21 November 2026`.
pub(super) fn at(civil: DateTime) -> String {
    let clock = if civil.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    civil.strftime(&format!("{clock} on %-d %B %Y")).to_string()
}

/// `text` as the beginning of a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// In which years, beginning with a comma; nothing for all of them.
fn years(years: &[u16]) -> String {
    let (Some(&first), Some(&last)) = (years.first(), years.last()) else {
        return String::new();
    };
    if YEAR.is_all(years) {
        return String::new();
    }
    if let Some((step, nth)) = every_nth(years) {
        return match last + step > YEAR.max {
            true => format!(", every {nth} year from {first} on"),
            false => format!(", every {nth} year from {first} to {last}"),
        };
    }
    let unbroken = usize::from(last - first) + 1 == years.len();
    if unbroken && last == YEAR.max && first < last {
        return format!(", from {first} on");
    }
    if unbroken && first < last {
        return format!(", from {first} to {last}");
    }
    format!(", in {}", and(&runs(years, |year| year.to_string())))
}

#[cfg(test)]
mod tests;
