//! Days and months in words.

use crate::schedule::fields::{Days, MONTH};

use super::lists::{and, every_nth, ordinal, runs};

/// What is said of every day of every month.
pub(super) const EVERY: &str = "every day";

/// What a weekday is, where `W` stands for one: Saturdays and Sundays are days of the week, too.
const WEEKDAY: &str = "weekday (Monday to Friday)";

/// On which days: `every day`, `on the 1st and 15th of every month`, `on Mondays to Fridays in March`.
pub(super) fn days(days: &Days, months: &[u16]) -> String {
    let of = of_months(months);
    match days {
        Days::Every => format!("{EVERY}{}", in_months(months)),
        Days::OfMonth(days) => match (every_nth(days), days.first(), days.last()) {
            (Some((_, nth)), Some(&first), Some(&last)) => {
                format!("on every {nth} day from the {} to the {} of {of}", ordinal(first), ordinal(last))
            }
            (_, Some(&only), _) if days.len() == 1 => {
                format!("on the {} of {}", ordinal(only), having(only, &of))
            }
            _ => format!("on the {} of {of}", and(&runs(days, ordinal))),
        },
        Days::Last => format!("on the last day of {of}"),
        Days::LastWeekday => format!("on the last {WEEKDAY} of {of}"),
        Days::NearestWeekday(day) => {
            format!(
                "on the {WEEKDAY} of the same month nearest to the {} of {}",
                ordinal(*day),
                having(*day, &of)
            )
        }
        Days::OfWeek(days) => format!("{}{}", of_week(days), in_months(months)),
        Days::Nth { weekday, nth } => {
            let which = ["first", "second", "third", "fourth", "fifth"][usize::from(nth - 1)];
            // There are 28 days in every month.
            let of = if *nth == 5 { having(29, &of) } else { of };
            format!("on the {which} {} of {of}", weekday_name(*weekday))
        }
        Days::LastOfWeek(weekday) => format!("on the last {} of {of}", weekday_name(*weekday)),
    }
}

fn of_week(days: &[u16]) -> String {
    format!("on {}", and(&runs(days, |day| format!("{}s", weekday_name(day)))))
}

fn of_months(months: &[u16]) -> String {
    if MONTH.is_all(months) { EVERY_MONTH.to_owned() } else { and(&runs(months, month_name)) }
}

fn in_months(months: &[u16]) -> String {
    if MONTH.is_all(months) { String::new() } else { format!(" in {}", of_months(months)) }
}

const EVERY_MONTH: &str = "every month";

/// Not every month has a 29th.
fn having(day: u16, months: &str) -> String {
    if day > 28 && months == EVERY_MONTH { format!("{months} that has one") } else { months.to_owned() }
}

/// Of 1 (Sunday) to 7 (Saturday).
fn weekday_name(weekday: u16) -> &'static str {
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"][usize::from(weekday - 1)]
}

/// Of 1 (January) to 12 (December).
fn month_name(month: u16) -> String {
    let names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    names[usize::from(month - 1)].to_owned()
}
