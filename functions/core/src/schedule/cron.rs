//! EventBridge Scheduler's `cron`, evaluated by croner as a civil calendar.

use std::sync::OnceLock;

use jiff::civil::DateTime;

use super::fields::{Days, Fields};

/// An expression that was read, and is compiled when it is first looked for times: a policy is read with every state's input,
/// and most states ask nothing of its schedule.
#[derive(Clone, Debug)]
pub(super) struct Cron {
    fields: Fields,
    search: OnceLock<Option<croner::Cron>>,
}

impl Cron {
    /// Reads the six fields between `cron(` and `)`. The error names the field and says what it takes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { fields: Fields::parse(text)?, search: OnceLock::new() })
    }

    /// Croner reads whatever [`pattern`] writes: the invariants of the fuzz target `schedules` would find what it does not.
    fn search(&self) -> Option<&croner::Cron> {
        let compile = || {
            let parser = croner::parser::CronParser::builder()
                .seconds(croner::parser::Seconds::Required)
                .year(croner::parser::Year::Required);
            parser.build().parse(&pattern(&self.fields)).ok()
        };
        self.search.get_or_init(compile).as_ref()
    }

    /// Whether it is plain that it occurs: at a time of every day of a month, and no clock skips a month.
    pub(super) fn surely_occurs(&self) -> bool {
        self.fields.days == Days::Every
    }

    /// What it asks for.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The newest civil time at or before `civil` that matches.
    pub(super) fn at_or_before(&self, civil: DateTime) -> Option<DateTime> {
        self.search()?.find_previous_occurrence(&civil, true).ok()
    }

    /// The first civil time at or after `civil` that matches.
    pub(super) fn at_or_after(&self, civil: DateTime) -> Option<DateTime> {
        // croner drops what is below a second: 02:00:00.5 must not count as 02:00:00.
        let whole = civil.with().subsec_nanosecond(0).build().ok()?;
        self.search()?.find_next_occurrence(&whole, whole == civil).ok()
    }
}

/// The fields in croner's own dialect: with seconds, and days of the week from 0 (Sunday).
fn pattern(fields: &Fields) -> String {
    let (day, weekday) = match &fields.days {
        Days::Every => ("*".to_owned(), "*".to_owned()),
        Days::OfMonth(days) => (list(days, 0), "*".to_owned()),
        Days::Last => ("L".to_owned(), "*".to_owned()),
        Days::LastWeekday => ("LW".to_owned(), "*".to_owned()),
        Days::NearestWeekday(day) => (format!("{day}W"), "*".to_owned()),
        Days::OfWeek(days) => ("*".to_owned(), list(days, 1)),
        Days::Nth { weekday, nth } => ("*".to_owned(), format!("{}#{nth}", weekday - 1)),
        Days::LastOfWeek(weekday) => ("*".to_owned(), format!("{}L", weekday - 1)),
    };
    let Fields { minutes, hours, months, years, .. } = fields;
    format!(
        "0 {} {} {day} {} {weekday} {}",
        list(minutes, 0),
        list(hours, 0),
        list(months, 0),
        list(years, 0)
    )
}

/// The values as ranges: croner takes long to read 230 years one by one, and a policy is read with every state's input.
fn list(values: &[u16], less: u16) -> String {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for value in values.iter().map(|value| value - less) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == value => *last = value,
            _ => ranges.push((value, value)),
        }
    }
    let text = |(first, last)| if first == last { format!("{first}") } else { format!("{first}-{last}") };
    ranges.into_iter().map(text).collect::<Vec<_>>().join(",")
}
