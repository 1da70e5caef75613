//! `wake`: what an EventBridge event of EC2 or EBS is delivered to. It answers the tokens that wait for the resource.
//!
//! Events are best effort: lost, late, doubled. So an event is only a hint; the resource is read again, and what is
//! answered is what was read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::TaskError;
use crate::measure::Measured;
use crate::ports::{Context, Ports, all_pages};
use crate::records::{Stored, Waiting};
use crate::waiting::Look;

/// An EventBridge event, as far as it is used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// What it tells of.
    pub detail: Value,
}

/// How many tokens were answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Woken {
    /// Answered, well or ill.
    pub answered: usize,
}

impl Measured for Woken {}

/// Re-reads what the event names, and answers each token whose condition is met or can never be.
///
/// Needs `ec2:DescribeInstances`, `ec2:DescribeSnapshots`, `states:SendTask*` and the table. Idempotent: stale tokens are
/// ignored.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, event: Event) -> Result<Woken, TaskError> {
    let mut waiting: Vec<Waiting> = Vec::new();
    for resource in resources(&event.detail) {
        let partition = Waiting::partition(&resource);
        for item in all_pages(|page| ports.table.query(&partition, page)).await? {
            let record = Stored::<Waiting>::from_item(item)?.record;
            // A multi-volume event names every snapshot of the set, and each has the same token.
            if record.until >= cx.now && !waiting.contains(&record) {
                waiting.push(record);
            }
        }
    }
    let mut answered = 0;
    for record in waiting {
        match record.condition.look(ports.ec2, cx.now, cx.settings).await? {
            Look::Met(output) => ports.callbacks.succeed(&record.token, output).await?,
            Look::Never(error) => ports.callbacks.fail(&record.token, &error).await?,
            Look::NotYet => continue,
        }
        answered += 1;
    }
    Ok(Woken { answered })
}

/// The ids of the instance or snapshots that an event tells of: `instance-id`, or the last part of the snapshot ARNs,
/// whose other fields come in an order that differs between AWS's own documents.
fn resources(detail: &Value) -> Vec<String> {
    let of_set = detail.get("snapshots").and_then(Value::as_array).into_iter().flatten();
    let arns = of_set.chain([detail]).filter_map(|part| part.get("snapshot_id")).filter_map(Value::as_str);
    let ids = arns.filter_map(|arn| arn.rsplit('/').next());
    detail.get("instance-id").and_then(Value::as_str).into_iter().chain(ids).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_resources_of_every_kind_of_event() {
        let state_change = json!({ "instance-id": "i-1", "state": "stopped" });
        let single =
            json!({ "event": "createSnapshot", "snapshot_id": "arn:aws:ec2::us-west-2:snapshot/snap-1" });
        let multi = json!({ "event": "createSnapshots", "snapshots": [
            { "snapshot_id": "arn:aws:ec2::us-east-1:snapshot/snap-1" },
            { "snapshot_id": "arn:aws:ec2:us-east-1::snapshot/snap-2" },
        ]});
        assert_eq!(resources(&state_change), ["i-1"]);
        assert_eq!(resources(&single), ["snap-1"]);
        assert_eq!(resources(&multi), ["snap-1", "snap-2"]);
    }

    #[test]
    fn an_event_of_something_else_wakes_nobody() {
        assert!(resources(&json!({ "snapshots": "none", "instance-id": 7 })).is_empty());
        assert!(resources(&json!(null)).is_empty());
    }
}
