//! `cron(...)`, `rate(...)` and `at(...)`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::cron::Cron;
use super::fields::number;
use super::{Zone, words};

/// A schedule expression of EventBridge Scheduler, kept as it was written.
///
/// DST follows EventBridge Scheduler: a civil time that the clock skips in spring does not occur, and one that it
/// repeats in autumn occurs once, the first time. `rate` counts elapsed time, so a day is 24 hours.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Cron(Box<Cron>),
    /// The period in seconds.
    Rate(i64),
    At(DateTime),
}

impl Expression {
    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The newest occurrence at or before `at`, reading the expression in `zone`.
    pub fn latest(&self, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
        match &self.kind {
            Kind::Rate(period) => Timestamp::from_second(multiple_before(at, *period)?).ok(),
            Kind::At(civil) => instant(zone, *civil).filter(|&t| t <= at),
            Kind::Cron(cron) => {
                let mut civil = furthest_reading(zone, at);
                loop {
                    civil = cron.at_or_before(civil)?;
                    match instant(zone, civil) {
                        Some(t) if t <= at => return Some(t),
                        _ => civil = civil.checked_sub(SignedDuration::from_mins(1)).ok()?,
                    }
                }
            }
        }
    }

    /// The first occurrence after `after`, reading the expression in `zone`.
    pub fn next(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        match &self.kind {
            Kind::Rate(period) => {
                Timestamp::from_second(multiple_before(after, *period)?.checked_add(*period)?).ok()
            }
            Kind::At(civil) => instant(zone, *civil).filter(|&t| t > after),
            Kind::Cron(cron) => {
                let mut civil = after.to_zoned(zone.rules().clone()).datetime();
                loop {
                    civil = cron.at_or_after(civil)?;
                    match instant(zone, civil) {
                        Some(t) if t > after => return Some(t),
                        _ => civil = civil.checked_add(SignedDuration::from_mins(1)).ok()?,
                    }
                }
            }
        }
    }

    /// The occurrences at or after `from`, oldest first, reading the expression in `zone`. It ends where the expression
    /// does: with the year 2199 at the latest, but for `rate`, which goes on as long as times can be written.
    pub fn from<'a>(&'a self, zone: &'a Zone, from: Timestamp) -> impl Iterator<Item = Timestamp> + 'a {
        let before = from.checked_sub(SignedDuration::from_nanos(1)).ok();
        let first = before.and_then(|before| self.next(zone, before));
        std::iter::successors(first, |&t| self.next(zone, t))
    }

    /// What it means, in an English sentence without a full stop, reading the expression in `zone`.
    ///
    /// It says all there is to know: two expressions with the same words have the same occurrences. The rules for clocks
    /// that are changed are not repeated in it.
    pub fn describe(&self, zone: &Zone) -> String {
        let text = match &self.kind {
            // A rate counts elapsed time, which is the same in every zone.
            Kind::Rate(period) => words::rate(*period),
            Kind::At(civil) if instant(zone, *civil).is_none() => {
                format!("never: clocks in {zone} skip {}", words::at(*civil))
            }
            Kind::At(civil) => format!("once, at {} ({zone})", words::at(*civil)),
            Kind::Cron(cron) => {
                let text = format!("{} ({zone})", words::cron(cron.fields()));
                if self.ever_occurs(zone) { text } else { format!("{text}, which never comes") }
            }
        };
        words::sentence(&text)
    }

    /// Whether it occurs at all, reading it in `zone`.
    pub fn ever_occurs(&self, zone: &Zone) -> bool {
        if matches!(&self.kind, Kind::Cron(cron) if cron.surely_occurs()) {
            return true;
        }
        // Any zone's 1970 begins after this.
        let before = Timestamp::UNIX_EPOCH.checked_sub(SignedDuration::from_hours(48));
        before.is_ok_and(|before| self.next(zone, before).is_some())
    }
}

/// The newest multiple of `period` seconds at or before `at`. It may be before any time that can be written.
fn multiple_before(at: Timestamp, period: i64) -> Option<i64> {
    let seconds = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    seconds.div_euclid(period).checked_mul(period)
}

/// The instant at which clocks in `zone` first show `civil`; `None` when they skip it.
fn instant(zone: &Zone, civil: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.rules().to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

/// The furthest civil time that clocks in `zone` have shown by `at`. That is what they show at `at`, unless they were
/// set back shortly before: then it is what they showed just before that.
fn furthest_reading(zone: &Zone, at: Timestamp) -> DateTime {
    let now = zone.rules().to_datetime(at);
    // `preceding` leaves out a transition at the very instant it is given.
    let just_after = at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at);
    let set_back = zone.rules().preceding(just_after).next().and_then(|transition| {
        let before = transition.timestamp().checked_sub(SignedDuration::from_nanos(1)).ok()?;
        Some(zone.rules().to_datetime(before))
    });
    set_back.map_or(now, |before| before.max(now))
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is not a schedule expression, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a schedule expression: {why}")]
pub struct ExpressionError {
    text: String,
    why: String,
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        let kind = if let Some(fields) = inner("cron") {
            Cron::parse(fields).map(|cron| Kind::Cron(Box::new(cron)))
        } else if let Some(period) = inner("rate") {
            rate(period).map(Kind::Rate)
        } else if let Some(time) = inner("at") {
            at(time).map(Kind::At)
        } else {
            Err("write `cron(minutes hours day-of-month month day-of-week year)`, such as `cron(0 2 * * ? *)`, \
                 `rate(12 hours)` or `at(2026-11-21T02:00:00)`"
                .to_owned())
        };
        match kind {
            Ok(kind) => Ok(Self { text: text.to_owned(), kind }),
            Err(why) => Err(ExpressionError { text: text.to_owned(), why }),
        }
    }
}

/// Reads `value unit` and gives the period in seconds.
fn rate(text: &str) -> Result<i64, String> {
    const RIGHT: &str = "write `rate(value unit)`, such as `rate(1 hour)` or `rate(15 minutes)`";
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [value, unit] = words[..] else {
        return Err(format!("a rate has a value and a unit; {RIGHT}"));
    };
    let value = number::<u32>(value)
        .filter(|&value| value > 0)
        .ok_or_else(|| format!("the value of a rate is a positive whole number, not `{value}`; {RIGHT}"))?;
    // Scheduler does not ask that the unit agrees with the value, as EventBridge's rules do.
    let seconds = match unit {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        _ => {
            return Err(format!("the unit of a rate is minute(s), hour(s) or day(s), not `{unit}`; {RIGHT}"));
        }
    };
    Ok(i64::from(value) * seconds)
}

/// Reads `yyyy-mm-ddThh:mm:ss`, to the letter: jiff alone would take more.
fn at(text: &str) -> Result<DateTime, String> {
    let shape = text.len() == 19
        && text.bytes().enumerate().all(|(i, b)| match i {
            4 | 7 => b == b'-',
            10 => b == b'T',
            13 | 16 => b == b':',
            // jiff reads the 60 of a leap second as 59.
            17 => matches!(b, b'0'..=b'5'),
            _ => b.is_ascii_digit(),
        });
    shape
        .then(|| text.parse::<DateTime>().ok())
        .flatten()
        .filter(|time| (1970..=2199).contains(&time.year()))
        .ok_or_else(|| {
            format!(
                "`{text}` is not a time of the years 1970 to 2199; write `at(yyyy-mm-ddThh:mm:ss)` without an offset, \
                 and the time zone in `timezone`"
            )
        })
}

impl Serialize for Expression {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Expression {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A schedule expression of EventBridge Scheduler.",
            "pattern": "^(cron|rate|at)\\(.*\\)$",
            "examples": ["cron(0 2 * * ? *)", "rate(12 hours)", "at(2026-11-21T02:00:00)"]
        })
    }
}
