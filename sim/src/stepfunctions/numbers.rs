//! Numbers that a definition gives, or that a path reads; and what AWS says of those that do not do.

use serde_json::Value;

use super::context::Entered;
use super::failure::Failure;
use crate::asl::model::{Count, Percentage};
use crate::asl::paths::Path;

/// AWS: no number in a definition is more than this, except numbers of items.
const MOST: i64 = 100_000_000;

impl Entered<'_> {
    /// A number of seconds or items; `field` is the name of the field with the path.
    pub(super) fn number(
        &self,
        count: &Count,
        field: &str,
        least: i64,
        data: &Value,
    ) -> Result<u64, Failure> {
        let path = match count {
            Count::Fixed(number) => return Ok(*number),
            Count::Path(path) => path,
        };
        let value = self.read(path, data)?;
        let whole = whole(&value).filter(|number| (least..=MOST).contains(number));
        whole.and_then(|number| u64::try_from(number).ok()).ok_or_else(|| {
            let kind = if least == 0 { "non-negative" } else { "positive" };
            self.broken(format_args!(
                "The {field} parameter does not reference a {kind} integer value: {} == {}",
                path.text(),
                plain(&value)
            ))
        })
    }

    /// The seconds of a Wait state.
    pub(super) fn seconds(&self, count: &Count, data: &Value) -> Result<u64, Failure> {
        let path = match count {
            Count::Fixed(number) => return Ok(*number),
            Count::Path(path) => path,
        };
        let value = self.read(path, data).map_err(|_| {
            self.broken(format_args!(
                "The SecondsPath parameter does not reference an input value: {}",
                path.text()
            ))
        })?;
        let seconds = whole(&value).filter(|seconds| *seconds <= MOST).ok_or_else(|| {
            self.broken(format_args!(
                "The SecondsPath parameter cannot be parsed as a long value: {} == {}",
                path.text(),
                plain(&value)
            ))
        })?;
        u64::try_from(seconds).map_err(|_| {
            self.broken(format_args!(
                "The SecondsPath parameter references a negative value: {} == {seconds}",
                path.text()
            ))
        })
    }

    /// `MaxConcurrency`, `ToleratedFailureCount` or `MaxItems`. `negative` is the failure of a number below zero.
    pub(super) fn map_count(
        &self,
        count: &Count,
        field: &str,
        data: &Value,
        negative: impl FnOnce(i64) -> Failure,
    ) -> Result<u64, Failure> {
        let path = match count {
            Count::Fixed(number) => return Ok(*number),
            Count::Path(path) => path,
        };
        let value = self.read(path, data)?;
        let number = whole(&value)
            .or_else(|| value.as_str()?.parse().ok())
            .ok_or_else(|| self.not_a("integer", field, path, &value))?;
        u64::try_from(number).map_err(|_| negative(number))
    }

    /// `ToleratedFailurePercentage`.
    pub(super) fn percentage(&self, percentage: &Percentage, data: &Value) -> Result<f64, Failure> {
        let path = match percentage {
            Percentage::Fixed(share) => return Ok(*share),
            Percentage::Path(path) => path,
        };
        let value = self.read(path, data)?;
        let share = value
            .as_f64()
            .or_else(|| value.as_str()?.parse().ok())
            .ok_or_else(|| self.not_a("float", "ToleratedFailurePercentagePath", path, &value))?;
        if (0.0..=100.0).contains(&share) {
            return Ok(share);
        }
        Err(self.broken("ToleratedFailurePercentage must be between 0 and 100."))
    }

    fn not_a(&self, kind: &str, field: &str, path: &Path, value: &Value) -> Failure {
        self.broken(format_args!(
            "The {field} field refers to value \"{}\" which is not a valid {kind}: {}",
            plain(value),
            path.text()
        ))
    }
}

/// An integer, also when it is written as 5.0.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e12)?;
        #[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
        Some(number as i64)
    })
}

/// A text without its quotes, anything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
