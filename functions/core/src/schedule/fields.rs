//! The six fields of EventBridge Scheduler's `cron`, read into the values that they allow.
//!
//! The dialect is not Unix cron: six fields, a year instead of seconds, 1 = Sunday … 7 = Saturday, and exactly one of
//! the two day fields is `?`. A range that runs backwards goes on from the beginning of its field: EventBridge's
//! documentation has `cron(0/30 20-2 ? * MON-FRI *)` among its examples. What AWS does not document is refused, with a
//! message that names the field: `L`, `W` or `#` within lists, and years that run backwards.

use std::str::FromStr;

/// Values that a field allows: sorted, each once.
pub(super) type Values = Vec<u16>;

/// What an expression asks for. However it was written: `*/15`, `0/15` and `0,15,30,45` are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) minutes: Values,
    pub(super) hours: Values,
    pub(super) days: Days,
    /// 1 is January.
    pub(super) months: Values,
    pub(super) years: Values,
}

/// On which days of a month. Days of the week are 1 (Sunday) to 7 (Saturday).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Days {
    /// On all.
    Every,
    /// On these days of the month.
    OfMonth(Values),
    /// `L`: on the last day of the month.
    Last,
    /// `LW`: on the last day from Monday to Friday.
    LastWeekday,
    /// `15W`: on the day from Monday to Friday that is nearest to this one, within the month; not in months without it.
    NearestWeekday(u16),
    /// On these days of the week.
    OfWeek(Values),
    /// `3#2`: on the n-th of this day of the week.
    Nth {
        /// The day of the week.
        weekday: u16,
        /// From 1 to 5; there is not a fifth one in every month.
        nth: u16,
    },
    /// `6L`: on the last of this day of the week.
    LastOfWeek(u16),
}

impl Fields {
    /// Reads what stands between `cron(` and `)`. The error names the field and says what it takes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, day, month, weekday, year] = fields[..] else {
            return Err(format!(
                "cron takes 6 fields (minutes hours day-of-month month day-of-week year), not {}; \
                 write for example `cron(0 2 * * ? *)`",
                fields.len()
            ));
        };
        Ok(Self {
            minutes: MINUTE.values(minutes)?,
            hours: HOUR.values(hours)?,
            days: days(day, weekday)?,
            months: MONTH.values(month)?,
            years: YEAR.values(year)?,
        })
    }
}

fn days(day: &str, weekday: &str) -> Result<Days, String> {
    match (day, weekday) {
        ("?", "?") => {
            Err("day-of-month and day-of-week are both `?`; write `*` in one of them for every day"
                .to_owned())
        }
        ("?", _) => day_of_week(weekday),
        (_, "?") => day_of_month(day),
        ("*", _) => Err("write `?` in day-of-month when day-of-week is given".to_owned()),
        (_, "*") => Err("write `?` in day-of-week when day-of-month is given".to_owned()),
        _ => Err("one of day-of-month and day-of-week must be `?`".to_owned()),
    }
}

fn day_of_month(text: &str) -> Result<Days, String> {
    match text {
        "L" => return Ok(Days::Last),
        "LW" => return Ok(Days::LastWeekday),
        _ => {}
    }
    match text.strip_suffix('W') {
        Some(day) => DAY.value(day).map(Days::NearestWeekday).ok_or_else(|| DAY.error(text)),
        None => {
            DAY.values(text).map(|days| if DAY.is_all(&days) { Days::Every } else { Days::OfMonth(days) })
        }
    }
}

fn day_of_week(text: &str) -> Result<Days, String> {
    let error = || WEEKDAY.error(text);
    if text == "L" {
        // The last day of the week.
        return Ok(Days::OfWeek(vec![WEEKDAY.max]));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let weekday = WEEKDAY.value(day).ok_or_else(error)?;
        let nth = number(nth).filter(|nth| (1..=5).contains(nth)).ok_or_else(error)?;
        return Ok(Days::Nth { weekday, nth });
    }
    match text.strip_suffix('L') {
        Some(day) => WEEKDAY.value(day).map(Days::LastOfWeek).ok_or_else(error),
        None => {
            let days = WEEKDAY.values(text)?;
            Ok(if WEEKDAY.is_all(&days) { Days::Every } else { Days::OfWeek(days) })
        }
    }
}

/// Digits alone, as `FromStr` would take a sign, too.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    Some(text).filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

/// What a field takes.
pub(super) struct Field {
    name: &'static str,
    pub(super) min: u16,
    pub(super) max: u16,
    /// Names for the values from `min` on.
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minutes", min: 0, max: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hours", min: 0, max: 23, names: &[] };
const DAY: Field = Field { name: "day-of-month", min: 1, max: 31, names: &[] };
pub(super) const MONTH: Field = Field {
    name: "month",
    min: 1,
    max: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEKDAY: Field =
    Field { name: "day-of-week", min: 1, max: 7, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };
pub(super) const YEAR: Field = Field { name: "year", min: 1970, max: 2199, names: &[] };

impl Field {
    /// Whether these are all of the field's values.
    pub(super) fn is_all(&self, values: &[u16]) -> bool {
        values.len() == usize::from(self.max - self.min) + 1
    }

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

    /// Reads a number or a name, upper or lower case.
    fn value(&self, text: &str) -> Option<u16> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(index) => self.min + u16::try_from(index).ok()?,
            None => number(text)?,
        };
        (self.min..=self.max).contains(&value).then_some(value)
    }

    /// Reads a list of values, ranges and steps.
    fn values(&self, text: &str) -> Result<Values, String> {
        // Most fields say this; a policy is read with every state's input.
        if text == "*" {
            return Ok((self.min..=self.max).collect());
        }
        let parts: Result<Vec<_>, String> = text.split(',').map(|part| self.part(part, text)).collect();
        let mut values: Values = parts?.into_iter().flatten().collect();
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn part(&self, part: &str, whole: &str) -> Result<impl Iterator<Item = u16> + use<>, String> {
        let error = || self.error(whole);
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.min, self.max),
            Some((from, to)) => {
                let (from, to) = (self.value(from).ok_or_else(error)?, self.value(to).ok_or_else(error)?);
                if from > to && self.name == YEAR.name {
                    return Err(format!("{} `{whole}`: the range `{range}` runs backwards", self.name));
                }
                (from, to)
            }
            None => {
                let from = self.value(range).ok_or_else(error)?;
                (from, if step.is_some() { self.max } else { from })
            }
        };
        let step = match step {
            None => 1,
            Some(step) => number(step).filter(|step| (1..=self.max).contains(step)).ok_or_else(|| {
                format!("{} `{whole}`: a step is a number from 1 to {}", self.name, self.max)
            })?,
        };
        // One that runs backwards goes on from the field's beginning.
        let rest = (from > to).then_some(self.min..=to);
        let first = from..=if rest.is_some() { self.max } else { to };
        Ok(first.chain(rest.into_iter().flatten()).step_by(usize::from(step)))
    }
}
