//! The rules of one retention while they go over the sets, newest first.

use jiff::Timestamp;

use super::period::{Period, Unit, local};
use super::{Facts, Reason, newest};
use crate::policy::{Count, Retention};
use crate::schedule::Zone;
use crate::span::Span;

/// The rules, and what they have counted so far.
pub(super) struct Rules<'r> {
    zone: &'r Zone,
    /// How many complete sets have been seen.
    seen: usize,
    last: Option<Count>,
    periods: Vec<Periods>,
    /// What `keep_for` says, and the time that it does not reach any more.
    keep_for: Option<(Span, Timestamp)>,
    at_least: Option<Count>,
}

/// A rule that keeps the newest set of each of the last so many periods.
struct Periods {
    rule: &'static str,
    unit: Unit,
    count: Count,
    /// How many it has kept.
    used: usize,
    /// The period of the set that it kept last.
    period: Option<Period>,
}

impl<'r> Rules<'r> {
    /// The rules at their beginning, for these complete sets.
    pub(super) fn new<'f>(
        retention: &Retention,
        zone: &'r Zone,
        complete: impl Iterator<Item = &'f Facts>,
    ) -> Self {
        let given = |count: Option<Count>| count.filter(|count| *count != Count::Of(0));
        let periods = [
            ("hourly", Unit::Hour, retention.keep_hourly),
            ("daily", Unit::Day, retention.keep_daily),
            ("weekly", Unit::Week, retention.keep_weekly),
            ("monthly", Unit::Month, retention.keep_monthly),
            ("yearly", Unit::Year, retention.keep_yearly),
        ];
        let rule = |(rule, unit, count)| {
            let count = given(count)?;
            Some(Periods { rule, unit, count, used: 0, period: None })
        };
        let keep_for =
            retention.keep_for.and_then(|span| Some((span, horizon(span, zone, newest(complete)?))));
        Self {
            zone,
            seen: 0,
            last: given(retention.keep_last),
            periods: periods.into_iter().filter_map(rule).collect(),
            keep_for,
            at_least: given(retention.at_least),
        }
    }

    /// Why the next complete set is kept; nothing if it is not.
    pub(super) fn count(&mut self, at: Timestamp, oldest: bool) -> Vec<Reason> {
        let n = self.seen;
        self.seen += 1;
        let mut reasons = Vec::new();
        if n == 0 {
            reasons.push(Reason::Newest);
        }
        let counted = |rule, count: Option<Count>| {
            let of = count.filter(|count| count.includes(n))?;
            Some(Reason::Counted { rule, nth: n + 1, of })
        };
        reasons.extend(counted("last", self.last));
        let mut is_oldest = false;
        let mut shown = None;
        for rule in self.periods.iter_mut().filter(|rule| rule.count.includes(rule.used)) {
            let shown = *shown.get_or_insert_with(|| local(self.zone, at));
            let period = Period::of(rule.unit, shown);
            let begins = rule.period != Some(period);
            if begins || oldest {
                rule.period = Some(period);
                rule.used += 1;
                reasons.push(Reason::Counted { rule: rule.rule, nth: rule.used, of: rule.count });
                is_oldest |= !begins;
            }
        }
        reasons.extend(is_oldest.then_some(Reason::Oldest));
        if let Some((span, _)) = self.keep_for.filter(|(_, horizon)| at > *horizon) {
            reasons.push(Reason::KeepFor(span));
        }
        reasons.extend(counted("at_least", self.at_least));
        reasons
    }

    /// Whether a set at `at` would be kept if it came next and were complete. It is not counted.
    pub(super) fn would_keep(&self, at: Timestamp, oldest: bool) -> bool {
        let includes = |count: Option<Count>| count.is_some_and(|count| count.includes(self.seen));
        let begins = |rule: &Periods| rule.period != Some(Period::of(rule.unit, local(self.zone, at)));
        let counted = |rule: &Periods| rule.count.includes(rule.used) && (oldest || begins(rule));
        includes(self.last)
            || includes(self.at_least)
            || self.periods.iter().any(counted)
            || self.keep_for.is_some_and(|(_, horizon)| at > horizon)
    }
}

/// So long before `newest`: what is at or before this, `keep_for` does not keep. As in restic, whose `--keep-within` keeps
/// what is younger.
pub(super) fn horizon(span: Span, zone: &Zone, newest: Timestamp) -> Timestamp {
    let back = newest.to_zoned(zone.rules().clone()).checked_sub(span.as_jiff());
    // Further back than time goes keeps everything.
    back.map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}
