//! One run of the shipped instance machine on the real task code.

use serde_json::json;
use stopgap_core::inventory::{InstanceState, SnapshotState};
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::Scene;

#[test]
fn a_running_instance_is_stopped_copied_and_started_again() {
    let scene = Scene::nightly(1);
    let id = scene.add(|spec| spec);
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    assert_eq!(
        scene.states(&execution.arn),
        [
            "ResolveRun",
            "WaitForAdmission",
            "PrepareRun",
            "HowToGoOn",
            "StopInstance",
            "WaitUntilStopped",
            "CreateSnapshots",
            "MustCompleteFirst",
            "IsRestartOwed",
            "StartInstance",
            "WaitUntilRunning",
            "IsShielded",
            "ConfirmRunning",
            "WasLeftStopped",
            "AreSnapshotsBegun",
            "WaitUntilCompleted",
            "CopyTags",
            "AreTagsComplete",
            "PruneSnapshots",
            "CloseRun",
            "IsWell",
            "Completed"
        ]
    );
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    let snapshots = scene.snapshots();
    assert_eq!(snapshots.len(), 2);
    assert!(snapshots.iter().all(|snapshot| snapshot.state == SnapshotState::Completed));
    assert_eq!(scene.held(), Vec::<String>::new());
    assert_eq!(scene.messages(), []);
}
