//! Durations as policies write them: `14d`, `36h`, `1y 2mo`, or ISO 8601 (`P1Y2M3DT3H`).

use std::fmt;
use std::str::FromStr;

use jiff::fmt::friendly::SpanPrinter;
use jiff::{SignedDuration, SpanRelativeTo};
use serde::{Deserialize, Serialize};

/// A positive duration in calendar and clock units, kept unit by unit: `1mo` is as long as the month it is counted in.
#[derive(Clone, Copy, Debug)]
pub struct Span(jiff::Span);

impl Span {
    /// The span in jiff's type, for calendar arithmetic on a zoned time.
    pub fn as_jiff(&self) -> jiff::Span {
        self.0
    }

    /// Its exact length, taking days as 24 hours; `None` when it counts weeks, months or years, or is out of range.
    pub fn exact(&self) -> Option<SignedDuration> {
        let calendar = self.0.get_years() != 0 || self.0.get_months() != 0 || self.0.get_weeks() != 0;
        if calendar {
            return None;
        }
        self.0.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
    }
}

impl PartialEq for Span {
    /// Unit by unit: `24h` and `1d` differ, since a day in a time zone is not always 24 hours.
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Eq for Span {}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&SpanPrinter::new().span_to_string(&self.0))
    }
}

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration: {why}; write `14d`, `36h`, `1y 2mo` or ISO 8601 (`P1Y2M3DT3H`)")]
pub struct SpanError {
    text: String,
    why: String,
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let error = |why: &str| SpanError { text: text.to_owned(), why: why.to_owned() };
        let span: jiff::Span = text.trim().parse().map_err(|_| error("it cannot be read"))?;
        if !span.is_positive() {
            return Err(error("it must be longer than nothing"));
        }
        if span.get_milliseconds() != 0 || span.get_microseconds() != 0 || span.get_nanoseconds() != 0 {
            return Err(error("it must be whole seconds"));
        }
        Ok(Self(span))
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A duration: `14d`, `36h`, `1y 2mo`, or ISO 8601 (`P1Y2M3DT3H`). `m` is minutes, `mo` is months.",
            "examples": ["14d", "36h", "1y 2mo", "P1Y2M3DT3H"],
            "minLength": 2
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_ways_of_writing_a_duration_are_read_and_the_friendly_one_is_written() {
        for (text, friendly) in [
            ("14d", "14d"),
            ("36h", "36h"),
            ("1y 2mo", "1y 2mo"),
            ("1y2mo", "1y 2mo"),
            (" 2 weeks ", "2w"),
            ("P1Y2M3DT3H", "1y 2mo 3d 3h"),
            ("PT90M", "90m"),
        ] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), friendly, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_positive_duration_is_refused_with_what_would_be_right() {
        for text in ["", "14", "d", "-14d", "14d ago", "0d", "forever", "1.5", "500ms", "99999999y", "PT0S"] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains("`14d`"), "{error}");
        }
    }

    #[test]
    fn an_exact_length_is_known_only_without_calendar_units() {
        assert_eq!("1d 2h".parse::<Span>().unwrap().exact(), Some(SignedDuration::from_hours(26)));
        assert_eq!("1mo".parse::<Span>().unwrap().exact(), None);
    }

    proptest! {
        #[test]
        fn a_duration_reads_back_as_it_was_written(y in 0..99i64, mo in 0..99i64, w in 0..99i64, d in 0..99i64,
                                                   h in 0..99i64, m in 0..99i64, s in 1..99i64) {
            let span = jiff::Span::new().years(y).months(mo).weeks(w).days(d).hours(h).minutes(m).seconds(s);
            let span = Span(span);
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}") {
            let _ = text.parse::<Span>();
        }
    }
}
