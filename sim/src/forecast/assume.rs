//! What a forecast takes for granted, and cannot know.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::aws::Pace;

/// What is assumed of EC2 and of the volumes. All of it is told in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Assumptions {
    /// How long an instance takes from StopInstances to `stopped`.
    #[serde(rename = "stop_seconds", serialize_with = "seconds")]
    pub stop: Duration,
    /// How long it takes from StartInstances to `running`.
    #[serde(rename = "start_seconds", serialize_with = "seconds")]
    pub start: Duration,
    /// How long snapshots take from their beginning to `completed`.
    #[serde(rename = "snapshot_seconds", serialize_with = "seconds")]
    pub snapshots: Duration,
    /// How long a load balancer drains a member of an Auto Scaling group before it is in Standby. The instance runs meanwhile.
    #[serde(rename = "drain_seconds", serialize_with = "seconds")]
    pub drain: Duration,
    /// How much of a volume holds data, in percent of its size.
    pub fill_percent: f64,
    /// How much of a volume's data changes in a day, in percent.
    pub change_percent_per_day: f64,
    /// The size of a volume of which the inventory does not tell, in GiB.
    pub unknown_volume_gib: u64,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Default for Assumptions {
    /// Stopping and starting take the middle of what the simulated EC2 takes; the rest are round numbers to be replaced by
    /// one's own. Draining takes what Elastic Load Balancing waits unless told otherwise.
    fn default() -> Self {
        Self {
            stop: Duration::from_millis(46_500),
            start: Duration::from_millis(18_500),
            snapshots: Duration::from_secs(300),
            drain: Duration::from_secs(300),
            fill_percent: 60.0,
            change_percent_per_day: 3.0,
            unknown_volume_gib: 0,
        }
    }
}

impl Assumptions {
    pub(super) fn pace(&self) -> Pace {
        Pace { stop: self.stop, start: self.start, snapshots: self.snapshots }
    }
}
