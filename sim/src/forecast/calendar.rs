//! The fleet's ticks at which a policy asks for something.

use jiff::{SignedDuration, Timestamp};
use stopgap_core::policy::Policy;

/// How often EventBridge Scheduler starts the fleet machine.
pub const TICK: SignedDuration = SignedDuration::from_mins(15);

/// How often the rescuer looks in the time of a tick: every five minutes.
pub(super) const RESCUES_A_TICK: u64 = 3;

/// The ticks with work, oldest first. At all others the fleet plans and finds nothing.
///
/// A policy is asked at the first tick, which may find an occurrence from before it that is still due, and at the first tick
/// at or after each occurrence: there the newest one is due (or too late already), and there those in between are missed.
pub(super) struct Calendar<'s> {
    policies: &'s [Policy],
    next: Vec<Option<Timestamp>>,
}

impl<'s> Calendar<'s> {
    pub(super) fn new(policies: &'s [Policy], first: Timestamp) -> Self {
        let next = policies.iter().map(|policy| policy.enabled.then_some(first)).collect();
        Self { policies, next }
    }

    /// The next tick with work before `until`, and the policies that are asked then, by their place.
    pub(super) fn next(&mut self, until: Timestamp) -> Option<(Timestamp, Vec<usize>)> {
        let tick = self.next.iter().flatten().min().copied().filter(|tick| *tick < until)?;
        let mut asked = Vec::new();
        for (n, (policy, next)) in self.policies.iter().zip(&mut self.next).enumerate() {
            if *next == Some(tick) {
                asked.push(n);
                *next = policy.schedule.next(tick).map(tick_from);
            }
        }
        Some((tick, asked))
    }
}

/// The first tick at `time` or after it.
pub(super) fn tick_from(time: Timestamp) -> Timestamp {
    let (seconds, every) = (time.as_second(), TICK.as_secs());
    let begun = seconds.div_euclid(every) * every;
    let is_tick = begun == seconds && time.subsec_nanosecond() == 0;
    Timestamp::from_second(if is_tick { begun } else { begun + every }).unwrap_or(Timestamp::MAX)
}

/// How many ticks lie in `from <= t < to`.
pub(super) fn ticks(from: Timestamp, to: Timestamp) -> u64 {
    let (first, end) = (tick_from(from).as_second(), tick_from(to).as_second());
    u64::try_from((end - first) / TICK.as_secs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_has_96_ticks_wherever_it_begins() {
        for from in ["2026-11-21T00:00:00Z", "2026-11-21T07:13:11.5Z", "2026-11-21T07:15:00Z"] {
            let from = time(from);
            assert_eq!(ticks(from, from + SignedDuration::from_hours(24)), 96);
        }
        assert_eq!(tick_from(time("2026-11-21T07:13:11Z")), time("2026-11-21T07:15:00Z"));
        assert_eq!(tick_from(time("2026-11-21T07:15:00Z")), time("2026-11-21T07:15:00Z"));
        assert_eq!(tick_from(time("2026-11-21T07:15:00.1Z")), time("2026-11-21T07:30:00Z"));
    }
}
