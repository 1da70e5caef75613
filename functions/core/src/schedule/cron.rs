//! EventBridge Scheduler's `cron`, evaluated by croner as a civil calendar.

use jiff::civil::DateTime;

use super::fields::{Days, Fields, Values};

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) struct Cron {
    fields: Fields,
    search: croner::Cron,
}

impl Cron {
    /// Reads the six fields between `cron(` and `)`. The error names the field and says what it takes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields = Fields::parse(text)?;
        let parser = croner::parser::CronParser::builder()
            .seconds(croner::parser::Seconds::Required)
            .year(croner::parser::Year::Required);
        let search = parser.build().parse(&pattern(&fields)).map_err(|error| error.to_string())?;
        Ok(Self { fields, search })
    }

    /// What it asks for.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The newest civil time at or before `civil` that matches.
    pub(super) fn at_or_before(&self, civil: DateTime) -> Option<DateTime> {
        self.search.find_previous_occurrence(&civil, true).ok()
    }

    /// The first civil time at or after `civil` that matches.
    pub(super) fn at_or_after(&self, civil: DateTime) -> Option<DateTime> {
        // croner drops what is below a second: 02:00:00.5 must not count as 02:00:00.
        let whole = civil.with().subsec_nanosecond(0).build().ok()?;
        self.search.find_next_occurrence(&whole, whole == civil).ok()
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
fn list(values: &Values, less: u16) -> String {
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
