//! Every call that the functions make in a run, gone wrong in every way, once and for good: whatever it is, the instance
//! runs again or a critical ticket is open, and a backup that did not happen is a ticket.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::json;
use stopgap_core::backup_set;
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::FaultKind;
use stopgap_sim::aws::{Injection, Wrong};
use stopgap_tests::{Scene, home};

const ONCE: u64 = 1;
/// More than any state's quick retries.
const RETRIES_USED_UP: u64 = 8;

const WAYS: [Wrong; 10] = [
    Wrong::Refused(FaultKind::Throttled),
    Wrong::Refused(FaultKind::Unavailable),
    Wrong::Refused(FaultKind::AccessDenied),
    Wrong::Refused(FaultKind::NotFound),
    Wrong::Refused(FaultKind::Conflict),
    Wrong::Refused(FaultKind::Rejected),
    Wrong::Refused(FaultKind::Malformed),
    Wrong::Unanswered,
    Wrong::HangsBefore,
    Wrong::HangsAfter,
];

/// A run of a member of an Auto Scaling group, so that Standby is part of it, with old backups to prune.
fn run(injection: Option<Injection>) -> (Scene, String) {
    let scene = Scene::nightly(1);
    let id = scene.add(|spec| spec);
    let other = scene.add(|spec| spec);
    scene.group(1, &[&id, &other], 20);
    scene.stopgap.aws.change(|world| world.injection = injection);
    scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_hours(3));
    (scene, id)
}

/// What is broken about how a run ended, in words.
fn broken(scene: &Scene, id: &str) -> Vec<String> {
    let mut broken = Vec::new();
    // What was published counts: the table may have been what failed.
    let has = |kind: &str| {
        let mut of_kind = scene.messages().into_iter().filter(|message| message.0 == kind);
        of_kind.next_back().is_some_and(|(_, action, _)| action != "resolve")
    };
    let state = scene.state(id);
    if state != Some(InstanceState::Running) && !has("left-stopped") {
        broken.push(format!("the instance is {state:?}, and nobody knows"));
    }
    let snapshots = scene.snapshots();
    let sets = backup_set::group(&snapshots).sets;
    let complete = sets.iter().filter(|set| set.is_complete()).count();
    if complete == 0 && !has("backup-failed") && !has("backup-missed") && !has("backup-refused") {
        // A person who started the run by hand and got an error at once knows.
        let failed_at_once = scene.runs().iter().all(|run| scene.states(&run.arn) == ["ResolveRun"]);
        let unresolved =
            scene.runs().iter().all(|run| scene.states(&run.arn).contains(&"Unresolved".to_owned()));
        if !failed_at_once && !unresolved {
            broken.push("there is no backup, and no ticket".to_owned());
        }
    }
    if complete > 1 {
        broken.push(format!("there are {complete} backups of one occurrence"));
    }
    let replaced = scene.stopgap.aws.look(|world| world.places[&home()].groups["web"].replaced.clone());
    if !replaced.is_empty() {
        broken.push(format!("Auto Scaling replaced {replaced:?}"));
    }
    broken
}

/// Runs every scenario, and tells those that broke a promise.
fn matrix(times: u64) {
    let (scene, id) = run(None);
    assert_eq!(broken(&scene, &id), Vec::<String>::new());
    let calls = scene.stopgap.aws.look(|world| world.port_calls.clone());
    assert!(calls.len() > 50, "a run makes {} calls", calls.len());

    let mut violations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, operation) in calls.iter().enumerate() {
        for wrong in WAYS {
            let (scene, id) = run(Some(Injection { after: number as u64, times, wrong }));
            let broken = broken(&scene, &id);
            if !broken.is_empty() {
                violations.insert(format!("call {number:>2} {operation} {wrong:?} × {times}"), broken);
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn any_call_gone_wrong_once_breaks_no_promise() {
    matrix(ONCE);
}

#[test]
fn any_call_gone_wrong_until_the_retries_are_used_up_breaks_no_promise() {
    matrix(RETRIES_USED_UP);
}
