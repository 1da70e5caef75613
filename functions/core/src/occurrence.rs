//! An occurrence: one time at which a policy asks for a backup.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::policy::PolicyId;

/// `<policy id>/<RFC 3339 UTC time>`: what makes a backup *one* backup, however often it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occurrence {
    /// The policy that asks.
    pub policy: PolicyId,
    /// For when it asks; whole seconds.
    pub at: Timestamp,
}

impl Occurrence {
    /// The occurrence of `policy` at `at`, cut to the second: names, tags and keys all carry whole seconds.
    pub fn new(policy: PolicyId, at: Timestamp) -> Self {
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self { policy, at }
    }

    /// The name of the execution that makes this backup of `instance_id`, the `attempt`th time (from 0).
    ///
    /// At most 80 characters of `[0-9A-Za-z_-]`, as Step Functions asks: 19 + 1 + 16 + 1 + 12 + 1 + 1 for the usual
    /// instance id. The policy id is hashed since it alone can have 63.
    pub fn execution_name(&self, instance_id: &str, attempt: u8) -> String {
        let digest = Sha256::digest(self.policy.as_str());
        let policy: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let time = self.at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
        format!("{instance_id}_{time}_{policy}_{attempt}")
    }
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.policy, self.at)
    }
}

/// Why a text is not an occurrence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an occurrence: {why}; write `<policy id>/<RFC 3339 time>`, such as `nightly/2026-11-21T02:00:00Z`"
)]
pub struct OccurrenceError {
    text: String,
    why: String,
}

impl FromStr for Occurrence {
    type Err = OccurrenceError;

    fn from_str(text: &str) -> Result<Self, OccurrenceError> {
        let error = |why: String| OccurrenceError { text: text.to_owned(), why };
        let (policy, at) = text.split_once('/').ok_or_else(|| error("there is no `/`".to_owned()))?;
        let policy = policy.parse::<PolicyId>().map_err(|e| error(e.to_string()))?;
        let at = at.parse::<Timestamp>().map_err(|e| error(e.to_string()))?;
        Ok(Self::new(policy, at))
    }
}

impl Serialize for Occurrence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Occurrence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nightly() -> Occurrence {
        "nightly/2026-11-21T02:00:00Z".parse().unwrap()
    }

    #[test]
    fn an_occurrence_reads_back_as_it_was_written() {
        assert_eq!(nightly().to_string(), "nightly/2026-11-21T02:00:00Z");
    }

    #[test]
    fn a_time_with_an_offset_is_the_same_occurrence_as_in_utc() {
        assert_eq!("nightly/2026-11-20T20:00:00-06:00".parse::<Occurrence>().unwrap(), nightly());
    }

    #[test]
    fn the_execution_name_is_made_of_what_makes_the_occurrence_unique() {
        // The policy's part: printf nightly | sha256sum | cut -c1-12
        let name = nightly().execution_name("i-0123456789abcdef0", 1);
        assert_eq!(name, "i-0123456789abcdef0_20261121T020000Z_2a3b62b53ddb_1");
        assert!(name.len() <= 80);
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
    }

    #[test]
    fn what_is_not_an_occurrence_is_refused_with_what_would_be_right() {
        for text in ["", "nightly", "nightly/", "Nightly/2026-11-21T02:00:00Z", "nightly/yesterday"] {
            let error = text.parse::<Occurrence>().unwrap_err().to_string();
            assert!(error.contains("nightly/2026-11-21T02:00:00Z"), "{error}");
        }
    }
}
