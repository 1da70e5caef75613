//! Numbers as they are told: seconds in tenths, GiB in hundredths.

use std::collections::BTreeMap;

use crate::night::Spread;

/// How often instances were down how long, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Downs(pub(super) BTreeMap<i64, u64>);

impl Downs {
    pub(super) fn add(&mut self, milliseconds: i64) {
        *self.0.entry(milliseconds).or_default() += 1;
    }

    pub(super) fn seconds(&self) -> f64 {
        seconds(self.0.iter().map(|(down, times)| down * i64::try_from(*times).unwrap_or(i64::MAX)).sum())
    }

    /// By nearest rank, as [`Spread::of`].
    pub(super) fn spread(&self) -> Spread {
        let count: u64 = self.0.values().sum();
        let at = |percent: u64| {
            let rank = (count * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let found = self.0.iter().find(|(_, times)| {
                seen += **times;
                seen >= rank
            });
            found.map_or(0.0, |(down, _)| seconds(*down))
        };
        Spread { p50: at(50), p99: at(99), max: at(100) }
    }
}

/// Milliseconds as seconds.
pub(super) fn seconds(milliseconds: i64) -> f64 {
    tenths(milliseconds as f64 / 1e3)
}

pub(super) fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// Never `-0`, which sums of nothing are.
pub(super) fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0 + 0.0
}
