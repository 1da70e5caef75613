//! The times of a day in words.

use crate::schedule::fields::{HOUR, Values};

use super::lists::{and, every_nth, runs, step};

/// How many times of a day are listed one by one.
const LISTED: usize = 6;

/// Whether the times go round the clock evenly, or come in each hour: then nobody needs to be told that it is every day.
pub(super) fn round_the_clock(minutes: &[u16], hours: &[u16]) -> bool {
    let all = of_day(minutes, hours);
    HOUR.is_all(hours) || step(&all).is_some_and(|step| usize::from(step) * all.len() == 24 * 60)
}

/// In minutes from midnight; at most 1,440.
fn of_day(minutes: &[u16], hours: &[u16]) -> Values {
    hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute)).collect()
}

/// At which times of a day: `at 02:00 and 14:00`, `every 15 minutes from 09:00 to 17:45`.
pub(super) fn times(minutes: &[u16], hours: &[u16]) -> String {
    let all = of_day(minutes, hours);
    if all.len() <= LISTED {
        let listed: Vec<String> = all.iter().map(|&time| clock(time)).collect();
        return format!("at {}", and(&listed));
    }
    match (step(&all), all.first(), all.last(), minutes.first()) {
        (Some(60), _, _, Some(0)) if HOUR.is_all(hours) => "every hour, on the hour".to_owned(),
        (Some(60), _, _, Some(minute)) if HOUR.is_all(hours) => format!("at minute {minute} of every hour"),
        (Some(step), Some(0), Some(last), _) if last + step == 24 * 60 => every(step),
        (Some(step), Some(&first), Some(&last), _) => {
            format!("{} from {} to {}", every(step), clock(first), clock(last))
        }
        _ => format!("{} of {}", minutes_of(minutes), hours_of(hours)),
    }
}

/// `02:00`, of minutes from midnight.
fn clock(time: u16) -> String {
    format!("{:02}:{:02}", time / 60, time % 60)
}

/// `every minute`, `every 15 minutes`, `every 2 hours`.
fn every(step: u16) -> String {
    match step {
        1 => "every minute".to_owned(),
        60 => "every hour".to_owned(),
        step if step % 60 == 0 => format!("every {} hours", step / 60),
        step => format!("every {step} minutes"),
    }
}

fn minutes_of(minutes: &[u16]) -> String {
    // As far apart as so many in an hour are, from the hour on.
    let apart = u16::try_from(60 / minutes.len().max(1)).unwrap_or(60);
    if minutes.len() > 1 && (0..60).step_by(usize::from(apart)).eq(minutes.iter().copied()) {
        return every(apart);
    }
    match (step(minutes), minutes.first(), minutes.last()) {
        (Some(step), Some(first), Some(last)) => format!("{} from minute {first} to {last}", every(step)),
        _ if minutes.len() == 1 => format!("at minute {}", and(&runs(minutes, |minute| minute.to_string()))),
        _ => format!("at minutes {}", and(&runs(minutes, |minute| minute.to_string()))),
    }
}

fn hours_of(hours: &[u16]) -> String {
    if HOUR.is_all(hours) {
        return "every hour".to_owned();
    }
    match (every_nth(hours), hours.first(), hours.last()) {
        (Some((_, nth)), Some(first), Some(last)) => format!("every {nth} hour from {first} to {last}"),
        _ if hours.len() == 1 => format!("hour {}", and(&runs(hours, |hour| hour.to_string()))),
        _ => format!("the hours {}", and(&runs(hours, |hour| hour.to_string()))),
    }
}
