//! What an invocation is measured by, beside what Lambda measures itself.

/// A unit, as CloudWatch names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A time.
    Seconds,
}

impl Unit {
    /// CloudWatch's name of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
        }
    }
}

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// The metric's name, such as `SnapshotsStarted`.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// The value.
    pub value: f64,
}

impl Measure {
    /// A number of things.
    pub fn count(name: &'static str, count: usize) -> Self {
        Self { name, unit: Unit::Count, value: count as f64 }
    }

    /// A time in seconds.
    pub fn seconds(name: &'static str, seconds: i64) -> Self {
        Self { name, unit: Unit::Seconds, value: seconds as f64 }
    }
}

/// What a task's answer says of the work that was done.
pub trait Measured {
    /// The measurements. Most answers have none of their own.
    fn measures(&self) -> Vec<Measure> {
        Vec::new()
    }
}

impl Measured for () {}
