//! What repeats a failed backup, and what does not: the README tells people to start a new execution, and why.

use jiff::SignedDuration;
use serde_json::json;
use stopgap_core::inventory::InstanceState;
use stopgap_sim::aws::FaultName;
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::Scene;

#[test]
fn a_failure_that_was_handled_fails_again_when_redriven_and_touches_nothing() {
    let scene = Scene::nightly(1);
    let id = scene.add(|spec| spec.fault(FaultName::SnapshotError));
    let failed = scene.run(json!({ "instance_id": id }));
    assert_eq!(failed.error.as_deref(), Some("SnapshotFailed"));
    let (stops, snapshots, messages) =
        (scene.calls("StopInstances"), scene.snapshots().len(), scene.messages());

    scene.stopgap.aws.change(|world| world.machine_mut(&id).unwrap().faults.clear());
    scene.stopgap.step_functions.redrive_execution(&failed.arn).unwrap();
    scene.pass(SignedDuration::from_hours(24));
    assert_eq!(scene.execution(&failed.arn).error, failed.error);
    assert_eq!((scene.calls("StopInstances"), scene.snapshots().len()), (stops, snapshots));
    assert_eq!(scene.messages(), messages);
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
}

#[test]
fn an_aborted_run_that_still_holds_its_lease_goes_on_when_redriven() {
    let scene = Scene::nightly(2);
    let id = scene.add(|spec| spec);
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_secs(30));
    scene.stopgap.step_functions.stop_execution(&arn, None, Some("a person pressed stop"));
    scene.pass(SignedDuration::from_mins(30));
    assert_eq!(scene.state(&id), Some(InstanceState::Stopped));

    scene.stopgap.step_functions.redrive_execution(&arn).unwrap();
    scene.pass(SignedDuration::from_hours(24));
    let execution = scene.execution(&arn);
    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    assert_eq!((scene.calls("StopInstances"), scene.snapshots().len()), (1, 2));
    assert_eq!(scene.held(), Vec::<String>::new());
}

/// A run of an occurrence that is aborted once it has entered `state`, and the input for another.
fn aborted_in(seed: u64, state: &str) -> (Scene, String, serde_json::Value) {
    let scene = Scene::nightly(seed);
    let id = scene.add(|spec| spec);
    let input = json!({ "instance_id": id, "occurrence": "nightly/2026-11-21T02:00:00Z" });
    let arn = scene.start(input.clone());
    while scene.states(&arn).last().map(String::as_str) != Some(state) {
        scene.pass(SignedDuration::from_millis(100));
    }
    scene.stopgap.step_functions.stop_execution(&arn, None, Some("a person pressed stop"));
    (scene, id, input)
}

#[test]
fn a_run_that_is_started_again_waits_for_the_snapshots_that_are_copied_and_makes_no_others() {
    let (scene, id, input) = aborted_in(4, "WaitUntilCompleted");
    let again = scene.run(input);
    assert_eq!(scene.states(&again.arn).pop().as_deref(), Some("AlreadyDone"));
    assert_eq!((scene.snapshots().len(), scene.calls("StopInstances")), (2, 1));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
}

#[test]
fn a_run_that_takes_over_from_one_that_was_lost_keeps_the_snapshots_that_it_had_begun() {
    let (scene, id, input) = aborted_in(5, "StartInstance");
    let again = scene.run(input);
    assert_eq!(again.status, Status::Succeeded, "{:?} {:?}", again.error, again.cause);
    assert_eq!((scene.snapshots().len(), scene.calls("CreateSnapshots")), (2, 1));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn an_old_occurrence_is_made_when_a_person_asks_for_it_but_not_at_its_old_start_time() {
    let scene = Scene::nightly(3);
    let id = scene.add(|spec| spec);
    let mut input = json!({
        "instance_id": id, "occurrence": "nightly/2026-11-20T02:00:00Z", "start_at": "2026-11-20T02:00:01Z"
    });
    let late = scene.run(input.clone());
    assert_eq!(late.error.as_deref(), Some("StartWindowPassed"));
    assert_eq!(scene.snapshots().len(), 0);

    input.as_object_mut().unwrap().remove("start_at");
    let now = scene.run(input);
    assert_eq!(now.status, Status::Succeeded, "{:?} {:?}", now.error, now.cause);
    assert_eq!(scene.snapshots().len(), 2);
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}
