//! What holds of any input whatever, for the fuzz targets in `fuzz/` and for the replay of their corpus.
//!
//! Each function takes bytes from anywhere, and panics where a promise is broken: that is what a fuzzer looks for.

mod descriptions;
mod policies;
mod schedules;

pub use descriptions::descriptions;
pub use policies::policies;
pub use schedules::schedules;

/// A fuzz target: its name, which is its folder in `fuzz/corpus/`, and what it tries.
pub type Target = (&'static str, fn(&[u8]));

/// All fuzz targets.
pub const TARGETS: [Target; 3] =
    [("descriptions", descriptions), ("policies", policies), ("schedules", schedules)];
