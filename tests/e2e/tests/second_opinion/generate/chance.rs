//! Chance, from a seed.

use std::ops::RangeInclusive;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of chance that is the same for the same seed, on any machine.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number in the range.
    pub(super) fn within(&mut self, range: RangeInclusive<usize>) -> usize {
        // As u32, so that it does not depend on the width of a usize.
        let (from, to) = (u32::try_from(*range.start()).unwrap(), u32::try_from(*range.end()).unwrap());
        usize::try_from(self.0.random_range(from..=to)).unwrap()
    }

    /// A small number that is not negative: for templates and results, see [`faults`](crate::faults).
    pub(super) fn count(&mut self) -> u64 {
        u64::try_from(self.within(0..=12)).unwrap()
    }

    /// A small number that may be negative.
    pub(super) fn number(&mut self) -> i64 {
        i64::try_from(self.within(0..=15)).unwrap() - 3
    }

    /// Whether something happens that does once in `n` times.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.within(1..=n) == 1
    }

    /// One of these.
    pub(super) fn of<'a, T: ?Sized>(&mut self, these: &[&'a T]) -> &'a T {
        these[self.within(0..=these.len() - 1)]
    }
}
