//! ebs_snapper's durations, which are those of the Python package `pytimeparse`: `4 days`, `1w`, `1 day, 6:00:00`.

use jiff::{Span, SpanRelativeTo, Unit};

/// The seconds of a duration; `None` where the text is none that ebs_snapper could read: there are no months and years.
pub(super) fn seconds(text: &str) -> Option<u64> {
    // jiff's friendly format has the same units and clocks, and knows months and years besides.
    let span: Span = text.trim().to_ascii_lowercase().parse().ok()?;
    let calendar = span.get_years() != 0 || span.get_months() != 0;
    if calendar || span.is_negative() {
        return None;
    }
    let seconds = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).ok()?;
    // Whole seconds of at most some ten thousand years: exact.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and not negative"
    )]
    (seconds >= 1.0).then_some(seconds.floor() as u64)
}

/// A duration as policies write it, in the largest unit that it is a multiple of.
pub(super) fn written(seconds: u64) -> String {
    let (value, unit) = in_units(seconds);
    format!("{value}{}", ["s", "m", "h", "d"][unit])
}

/// The duration as a rate: whole minutes, rounded up; and whether that changed it.
pub(super) fn rate(seconds: u64) -> (String, bool) {
    let rounded = seconds.div_ceil(60) * 60;
    let (value, unit) = in_units(rounded);
    let name = ["second", "minute", "hour", "day"][unit];
    let plural = if value == 1 { "" } else { "s" };
    (format!("rate({value} {name}{plural})"), rounded != seconds)
}

/// The value in, and the number of, the largest unit: second, minute, hour, day.
fn in_units(seconds: u64) -> (u64, usize) {
    match seconds {
        s if s % 86_400 == 0 => (s / 86_400, 3),
        s if s % 3_600 == 0 => (s / 3_600, 2),
        s if s % 60 == 0 => (s / 60, 1),
        s => (s, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_ebs_snapper() {
        for (text, expected) in [
            ("4 days", Some("4d")),
            ("12 hours", Some("12h")),
            ("1 Week", Some("7d")),
            ("2w", Some("14d")),
            ("24h", Some("1d")),
            ("1 day, 6:00:00", Some("30h")),
            ("1d 90m", Some("1530m")),
            ("90 seconds", Some("90s")),
            ("32m", Some("32m")),
            ("1 month", None),
            ("P1Y", None),
            ("0 days", None),
            ("-1 day", None),
            ("4", None),
            ("soon", None),
            ("0 5 * * *", None),
        ] {
            assert_eq!(seconds(text).map(written).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_rate_is_whole_minutes() {
        assert_eq!(rate(12 * 3_600), ("rate(12 hours)".to_owned(), false));
        assert_eq!(rate(7 * 86_400), ("rate(7 days)".to_owned(), false));
        assert_eq!(rate(86_400), ("rate(1 day)".to_owned(), false));
        assert_eq!(rate(61), ("rate(2 minutes)".to_owned(), true));
    }
}
