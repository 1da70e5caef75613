//! When a policy asks for a backup: EventBridge Scheduler's expressions in an IANA time zone.
//!
//! An occurrence is decided here and not by EventBridge Scheduler: the fleet machine is started at a fixed rate, and
//! asks each policy which occurrence is the newest. So `rate(...)` needs an origin that does not depend on when the
//! policy was stored: its occurrences are the multiples of the period since 1970-01-01T00:00Z.

mod cron;
mod expression;
mod fields;
mod words;
mod zone;

pub use expression::{Expression, ExpressionError};
pub use zone::{Zone, ZoneError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::span::Span;

/// The longest `start_within` there may be: a backup that starts more than a day late is another day's backup.
pub const START_WITHIN_MAX: SignedDuration = SignedDuration::from_hours(24);

/// When a policy asks for backups, and how late one may still start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Schedule {
    /// `cron(...)`, `rate(...)` or `at(...)`, as EventBridge Scheduler writes them.
    pub expression: Expression,
    /// The IANA time zone in which the expression is read, such as `America/Chicago`.
    pub timezone: Zone,
    /// How long after its time an occurrence may still start; after that it is missed. At most 24 hours.
    pub start_within: Span,
}

impl Schedule {
    /// The newest occurrence at or before `at`.
    pub fn latest(&self, at: Timestamp) -> Option<Timestamp> {
        self.expression.latest(&self.timezone, at)
    }

    /// The first occurrence after `after`.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.expression.next(&self.timezone, after)
    }

    /// The occurrences in `from <= t < to`, oldest first.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        self.expression.from(&self.timezone, from).take_while(move |&t| t < to)
    }

    /// `start_within` as an exact length; a policy that was read has one of at most [`START_WITHIN_MAX`].
    pub fn start_within(&self) -> SignedDuration {
        self.start_within.exact().map_or(START_WITHIN_MAX, |length| length.min(START_WITHIN_MAX))
    }

    /// When the occurrence at `t` is missed if nothing served it: when its `start_within` is over or the next
    /// occurrence comes, whichever is first.
    pub fn missed_at(&self, t: Timestamp) -> Timestamp {
        let late = t.checked_add(self.start_within()).unwrap_or(Timestamp::MAX);
        self.next(t).map_or(late, |next| next.min(late))
    }
}

#[cfg(test)]
mod tests;
