//! EC2 and EBS events, as EventBridge delivers them to `wake`: best effort.

use std::time::Duration;

use serde_json::{Value, json};
use stopgap_core::inventory::{InstanceState, Location};

use super::Aws;
use super::faults::FaultName;
use super::watch::Caller;

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

/// How an event goes astray.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// It never arrives.
    Lost,
    /// It arrives twice.
    Doubled,
    /// It arrives two minutes late.
    Late,
    /// It arrives after the one that follows it.
    OutOfOrder,
}

/// An event that goes astray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFault {
    /// What it tells: `stopped`, `running`, `terminated`, `snapshots`, or `run-ended` for Step Functions' own.
    pub event: &'static str,
    /// Which of its kind, from 1.
    pub nth: u32,
    /// How.
    pub how: Delivery,
}

/// The end of a run, as Step Functions tells it to the rescuer.
pub(crate) const RUN_ENDED: &str = "run-ended";

const LATE: Duration = Duration::from_secs(120);

/// What an event tells, by the name that faults give it; nothing for one that no rule matches.
fn name_of(event: &Value) -> Option<&'static str> {
    match event["detail"]["state"].as_str() {
        None => Some("snapshots"),
        Some(state) => ["running", "stopped", "terminated"].into_iter().find(|name| *name == state),
    }
}

impl Aws {
    /// How many copies of an event arrive and how much later than usual, and the event that was held back for it.
    pub(crate) fn route(&self, name: &'static str, event: &Value) -> (Vec<Duration>, Option<Value>) {
        self.change(|world| {
            if !world.watch.on {
                return (vec![Duration::ZERO], None);
            }
            let nth = world.watch.event(name);
            let how = world.event_faults.iter().find(|fault| fault.event == name && fault.nth == nth);
            let overtaken = world.watch.held_back.take();
            let copies = match how.map(|fault| fault.how) {
                None => vec![Duration::ZERO],
                Some(Delivery::Lost) => Vec::new(),
                Some(Delivery::Doubled) => vec![Duration::ZERO, Duration::from_secs(1)],
                Some(Delivery::Late) => vec![LATE],
                Some(Delivery::OutOfOrder) => {
                    world.watch.held_back = Some(event.clone());
                    Vec::new()
                }
            };
            (copies, overtaken)
        })
    }

    /// Tells of a state that an instance is in now.
    pub(crate) fn emit_state(&self, instance_id: &str, state: InstanceState) {
        self.emit(state_change(instance_id, state));
    }

    /// Delivers an event, as far as the rule matches it and the world lets it.
    pub(super) fn emit(&self, event: Value) {
        let Some(name) = name_of(&event).filter(|_| !self.has(FaultName::EventsLost)) else { return };
        let (later, overtaken) = self.route(name, &event);
        let copies = if self.has(FaultName::EventsDoubled) { 2 } else { 1 };
        for more in later.iter().cycle().take(later.len() * copies) {
            let late = self.has(FaultName::EventsLate);
            let delay = if late { self.between(5_000..=120_000) } else { self.between(300..=1_500) };
            self.deliver(event.clone(), delay + *more);
        }
        if let Some(overtaken) = overtaken {
            self.deliver(overtaken, Duration::from_secs(2));
        }
    }

    /// Invokes `wake` asynchronously: Lambda tries twice more when it fails.
    fn deliver(&self, event: Value, delay: Duration) {
        let aws = self.clone();
        self.clock().clone().spawn(async move {
            aws.clock().sleep(delay).await;
            for wait in [60, 120, 0] {
                if aws.invoke("wake", Caller::function("wake"), event.clone()).await.is_ok() {
                    break;
                }
                aws.clock().sleep(Duration::from_secs(wait)).await;
            }
        });
    }
}
