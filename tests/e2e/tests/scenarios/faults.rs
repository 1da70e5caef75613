//! The same fault on both sides: between the real functions and moto, and in the simulation. What becomes of the instance,
//! of the backup and of the tickets has to be the same.

mod simulated;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stopgap_e2e::cloud::ACCOUNT;
use stopgap_e2e::faults::Wrong;
use stopgap_e2e::scene::Scene;
use stopgap_e2e::scene::instances::DEVICES;
use stopgap_e2e::ticket_queue::TicketQueue;

use crate::stopgap;

const WRONG: [Wrong; 8] = [
    Wrong::Throttled,
    Wrong::AccessDenied,
    Wrong::InternalError,
    Wrong::LostBefore,
    Wrong::LostAfter,
    Wrong::Malformed,
    Wrong::CrashBefore,
    Wrong::CrashAfter,
];

/// The calls that matter most, and what goes wrong with them: what changes the instance and makes its backup in every way;
/// what is owed and who is told in those in which nobody knows, or that no retry mends. A slow answer takes the SDK's time-out
/// of 10 s, so of these there are two.
fn cases() -> Vec<(&'static str, Wrong)> {
    let every = ["StopInstances", "CreateSnapshots", "StartInstances"];
    let some = [Wrong::AccessDenied, Wrong::LostAfter, Wrong::Malformed, Wrong::CrashAfter];
    let every = every.into_iter().flat_map(|operation| WRONG.map(|wrong| (operation, wrong)));
    let some = ["TransactWriteItems", "Publish"]
        .into_iter()
        .flat_map(|operation| some.map(|wrong| (operation, wrong)));
    let slow = ["CreateSnapshots", "StartInstances"].map(|operation| (operation, Wrong::Slow));
    every.chain(some).chain(slow).collect()
}

/// As often as the SDK tries a request that may be repeated (`functions/aws/src/sdk.rs`): then a task sees the fault once.
const ATTEMPTS: u32 = 6;

/// How many runs at the same time: moto has one processor, and other tests need it, too.
const AT_ONCE: usize = 6;

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// The instance's state.
    state: String,
    /// How many complete backups it has.
    backups: usize,
    /// The tickets' transitions.
    told: Vec<String>,
    /// What of leases, intents and slots is still held.
    held: Vec<String>,
}

/// What was said, in order; delivery is at least once.
fn told(transitions: impl Iterator<Item = String>) -> Vec<String> {
    let mut told: Vec<String> = transitions.collect();
    told.dedup();
    told
}

/// A fault of Publish needs something to say: that an instance may not be stopped.
fn is_protected(operation: &str) -> bool {
    operation == "Publish"
}

/// How many requests have to go wrong for the task to see one fault.
fn times(operation: &str, wrong: Wrong) -> u32 {
    let is_repeated =
        matches!(wrong, Wrong::Throttled | Wrong::InternalError | Wrong::LostBefore | Wrong::LostAfter);
    // CreateSnapshots takes no client token, so the SDK repeats none.
    if is_repeated && operation != "CreateSnapshots" { ATTEMPTS } else { 1 }
}

/// How many complete backups an instance has on moto.
async fn backups(scene: &Scene<'_>, id: &str) -> usize {
    let mut sets: BTreeMap<String, usize> = BTreeMap::new();
    for snapshot in scene.snapshots(id).await {
        if snapshot.state == "completed" {
            *sets.entry(snapshot.tags["stopgap:occurrence"].clone()).or_default() += 1;
        }
    }
    sets.values().filter(|snapshots| **snapshots == DEVICES.len()).count()
}

#[tokio::test]
async fn a_fault_between_the_functions_and_aws_comes_to_what_it_comes_to_in_the_simulation() {
    let stopgap = stopgap();
    let scene = Scene::new(stopgap, "faulty", json!({})).await;
    let all = json!({ "account": [ACCOUNT] });
    let queue = TicketQueue::subscribe(&scene.aws, &stopgap.topic, "faulty", &all).await;

    let mut runs = Vec::new();
    for some in cases().chunks(AT_ONCE) {
        let begun = runs.len();
        for &(operation, wrong) in some {
            let id = scene.instance().await;
            if is_protected(operation) {
                scene.protect_from_stop(&id, true).await;
            }
            stopgap.cloud.faults.plan(operation, &id, times(operation, wrong), wrong);
            let run = scene.start(&stopgap.instance_machine, &json!({ "instance_id": id })).await;
            runs.push((operation, wrong, id, run));
        }
        for (.., run) in &runs[begun..] {
            scene.end_of(run).await;
        }
    }

    let tickets = queue.take().await;
    let mut different = Vec::new();
    for (operation, wrong, id, _) in runs {
        assert_eq!(stopgap.cloud.faults.left(&id), 0, "{operation} {wrong:?}: it went wrong so often");
        let text = |ticket: &Value, field: &str| ticket[field].as_str().unwrap_or_default().to_owned();
        let of_it = tickets.iter().filter(|ticket| ticket["instance"] == json!(id));
        let transitions = of_it.map(|ticket| format!("{} {}", text(ticket, "kind"), text(ticket, "action")));
        let real = Outcome {
            state: scene.state(&id).await,
            backups: backups(&scene, &id).await,
            told: told(transitions),
            held: scene.held(&id).await,
        };
        let simulated = simulated::run(operation, wrong);
        if real != simulated {
            different.push(format!("{operation} {wrong:?}: {real:?}, simulated {simulated:?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
