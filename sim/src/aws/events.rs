//! EC2 and EBS events, as EventBridge delivers them to `wake`: best effort.

use std::time::Duration;

use serde_json::{Value, json};
use stopgap_core::inventory::{InstanceState, Location};

use super::Aws;
use super::faults::FaultName;

/// `EC2 Instance State-change Notification`.
pub(super) fn state_change(instance_id: &str, state: InstanceState) -> Value {
    json!({
        "source": "aws.ec2",
        "detail-type": "EC2 Instance State-change Notification",
        "detail": { "instance-id": instance_id, "state": state.as_str() },
    })
}

/// `EBS Multi-Volume Snapshots Completion Status`: one for all snapshots of a call.
pub(super) fn snapshots(at: &Location, ids: &[String], succeeded: bool) -> Value {
    let snapshots: Vec<Value> = ids
        .iter()
        .map(|id| {
            let status = if succeeded { "completed" } else { "error" };
            json!({ "snapshot_id": format!("arn:aws:ec2::{}:snapshot/{id}", at.region), "status": status })
        })
        .collect();
    json!({
        "source": "aws.ec2",
        "detail-type": "EBS Multi-Volume Snapshots Completion Status",
        "detail": {
            "event": "createSnapshots",
            "result": if succeeded { "succeeded" } else { "failed" },
            "snapshots": snapshots,
        },
    })
}

impl Aws {
    /// Delivers an event, as far as the rule matches it and the world lets it.
    pub(super) fn emit(&self, event: Value) {
        let state = event["detail"]["state"].as_str();
        let matched = state.is_none_or(|state| ["running", "stopped", "terminated"].contains(&state));
        if !matched || self.has(FaultName::EventsLost) {
            return;
        }
        let copies = if self.has(FaultName::EventsDoubled) { 2 } else { 1 };
        for _ in 0..copies {
            let late = self.has(FaultName::EventsLate);
            let delay = if late { self.between(5_000..=120_000) } else { self.between(300..=1_500) };
            self.deliver(event.clone(), delay);
        }
    }

    /// Invokes `wake` asynchronously: Lambda tries twice more when it fails.
    fn deliver(&self, event: Value, delay: Duration) {
        let aws = self.clone();
        self.clock().clone().spawn(async move {
            aws.clock().sleep(delay).await;
            for wait in [60, 120, 0] {
                if aws.invoke("wake", event.clone()).await.is_ok() {
                    break;
                }
                aws.clock().sleep(Duration::from_secs(wait)).await;
            }
        });
    }
}
