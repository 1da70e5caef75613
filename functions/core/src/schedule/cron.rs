//! EventBridge Scheduler's `cron` dialect, read field by field and evaluated by croner as a civil calendar.
//!
//! The dialect is not Unix cron: six fields, a year instead of seconds, 1 = Sunday … 7 = Saturday, and exactly one of
//! the two day fields is `?`. So the fields are read here, with messages that name them, and croner is given a plain
//! pattern in its own dialect (0 = Sunday, `n/step` written as a range). What is undocumented at AWS is refused:
//! ranges that run backwards, and `L`, `W` or `#` within lists.

use jiff::civil::DateTime;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) struct Cron(croner::Cron);

impl Cron {
    /// Reads the six fields between `cron(` and `)`. The error names the field and says what it takes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday, year] = fields[..] else {
            return Err(format!(
                "cron takes 6 fields (minutes hours day-of-month month day-of-week year), not {}; \
                 write for example `cron(0 2 * * ? *)`",
                fields.len()
            ));
        };
        match (day, weekday) {
            ("?", "?") => {
                return Err(
                    "day-of-month and day-of-week are both `?`; write `*` in one of them for every day"
                        .to_owned(),
                );
            }
            ("?", _) | (_, "?") => {}
            ("*", _) => return Err("write `?` in day-of-month when day-of-week is given".to_owned()),
            (_, "*") => return Err("write `?` in day-of-week when day-of-month is given".to_owned()),
            _ => return Err("one of day-of-month and day-of-week must be `?`".to_owned()),
        }
        let pattern = format!(
            "0 {} {} {} {} {} {}",
            MINUTE.list(minute)?,
            HOUR.list(hour)?,
            day_of_month(day)?,
            MONTH.list(month)?,
            day_of_week(weekday)?,
            YEAR.list(year)?,
        );
        let parser = croner::parser::CronParser::builder()
            .seconds(croner::parser::Seconds::Required)
            .year(croner::parser::Year::Required);
        parser.build().parse(&pattern).map(Self).map_err(|error| error.to_string())
    }

    /// The newest civil time at or before `civil` that matches.
    pub(super) fn at_or_before(&self, civil: DateTime) -> Option<DateTime> {
        self.0.find_previous_occurrence(&civil, true).ok()
    }

    /// The first civil time at or after `civil` that matches.
    pub(super) fn at_or_after(&self, civil: DateTime) -> Option<DateTime> {
        // croner drops what is below a second: 02:00:00.5 must not count as 02:00:00.
        let whole = civil.with().subsec_nanosecond(0).build().ok()?;
        self.0.find_next_occurrence(&whole, whole == civil).ok()
    }
}

/// What a field takes.
struct Field {
    name: &'static str,
    min: u16,
    max: u16,
    /// Names for the values from `min` on.
    names: &'static [&'static str],
    /// What croner calls the value `min`.
    origin: u16,
}

const MINUTE: Field = Field { name: "minutes", min: 0, max: 59, names: &[], origin: 0 };
const HOUR: Field = Field { name: "hours", min: 0, max: 23, names: &[], origin: 0 };
const DAY: Field = Field { name: "day-of-month", min: 1, max: 31, names: &[], origin: 1 };
const MONTH: Field = Field {
    name: "month",
    min: 1,
    max: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    origin: 1,
};
const WEEKDAY: Field = Field {
    name: "day-of-week",
    min: 1,
    max: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    origin: 0,
};
const YEAR: Field = Field { name: "year", min: 1970, max: 2199, names: &[], origin: 1970 };

impl Field {
    fn error(&self, text: &str) -> String {
        let names = match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => format!(" or {first}-{last}"),
            _ => String::new(),
        };
        let also = match self.name {
            "day-of-month" => ", and `?`, `L`, `LW` or `15W` alone",
            "day-of-week" => ", and `?`, `L`, `6L` or `3#2` alone",
            _ => "",
        };
        format!(
            "{} `{text}`: it takes {}-{}{names}, with `,` `-` `*` `/`{also}",
            self.name, self.min, self.max
        )
    }

    /// Reads a number or a name, and gives it as croner counts.
    fn value(&self, text: &str) -> Option<u16> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(index) => self.min + u16::try_from(index).ok()?,
            None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (self.min..=self.max).contains(&value).then(|| value - self.min + self.origin)
    }

    /// Reads a list of values, ranges and steps, and gives it in croner's dialect.
    fn list(&self, text: &str) -> Result<String, String> {
        let parts: Result<Vec<String>, String> = text.split(',').map(|part| self.part(part, text)).collect();
        Ok(parts?.join(","))
    }

    fn part(&self, part: &str, whole: &str) -> Result<String, String> {
        let error = || self.error(whole);
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let last = self.max - self.min + self.origin;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.origin, last),
            Some((from, to)) => {
                let (from, to) = (self.value(from).ok_or_else(error)?, self.value(to).ok_or_else(error)?);
                if from > to {
                    return Err(format!(
                        "{} `{whole}`: the range `{range}` runs backwards; write two ranges",
                        self.name
                    ));
                }
                (from, to)
            }
            None => {
                let from = self.value(range).ok_or_else(error)?;
                (from, if step.is_some() { last } else { from })
            }
        };
        let Some(step) = step else {
            return Ok(format!("{from}-{to}"));
        };
        let step =
            step.parse::<u16>().ok().filter(|step| (1..=self.max - self.min).contains(step)).ok_or_else(
                || format!("{} `{whole}`: a step is a number from 1 to {}", self.name, self.max - self.min),
            )?;
        Ok(format!("{from}-{to}/{step}"))
    }
}

fn day_of_month(text: &str) -> Result<String, String> {
    match text {
        "?" => return Ok("*".to_owned()),
        "*" | "L" | "LW" => return Ok(text.to_owned()),
        _ => {}
    }
    match text.strip_suffix('W') {
        Some(day) => DAY.value(day).map(|day| format!("{day}W")).ok_or_else(|| DAY.error(text)),
        None => DAY.list(text),
    }
}

fn day_of_week(text: &str) -> Result<String, String> {
    let error = || WEEKDAY.error(text);
    match text {
        "?" | "*" => return Ok("*".to_owned()),
        // The last day of the week, as in Quartz, whose dialect this is.
        "L" => return Ok("6".to_owned()),
        _ => {}
    }
    if let Some((day, nth)) = text.split_once('#') {
        let day = WEEKDAY.value(day).ok_or_else(error)?;
        let nth = nth.parse::<u16>().ok().filter(|nth| (1..=5).contains(nth)).ok_or_else(error)?;
        return Ok(format!("{day}#{nth}"));
    }
    match text.strip_suffix('L') {
        Some(day) => WEEKDAY.value(day).map(|day| format!("{day}L")).ok_or_else(error),
        None => WEEKDAY.list(text),
    }
}
