//! The same runs in the simulated AWS. This alone knows how a fault is asked for there.

use serde_json::json;
use stopgap_core::backup_set;
use stopgap_core::ports::FaultKind;
use stopgap_e2e::faults::Wrong;
use stopgap_sim::aws::{FaultName, Injection, Site, Wrong as Simulated};
use stopgap_tests::Scene;

use super::{Outcome, is_protected, told};

/// How a run ends in which the first call of `operation` goes wrong for the task that makes it.
pub(super) fn run(operation: &'static str, wrong: Wrong) -> Outcome {
    let wrong = match wrong {
        Wrong::Throttled => Simulated::Refused(FaultKind::Throttled),
        Wrong::AccessDenied => Simulated::Refused(FaultKind::AccessDenied),
        Wrong::InternalError => Simulated::Refused(FaultKind::Unavailable),
        Wrong::LostBefore => Simulated::Lost,
        Wrong::LostAfter | Wrong::Slow => Simulated::Unanswered,
        Wrong::Malformed => Simulated::Refused(FaultKind::Malformed),
        Wrong::CrashBefore => Simulated::CrashesBefore,
        Wrong::CrashAfter => Simulated::CrashesAfter,
    };
    let at = Site::new(place(operation), operation, 1);
    let (scene, id) = scene(operation, Injection { at, lasts: false, wrong });

    let snapshots = scene.snapshots();
    Outcome {
        state: scene.state(&id).expect("it is there").to_string(),
        backups: backup_set::group(&snapshots).sets.iter().filter(|set| set.is_complete()).count(),
        told: told(scene.messages().into_iter().map(|(kind, action, _)| format!("{kind} {action}"))),
        held: scene.held(),
    }
}

/// The state that makes the first such call.
fn place(operation: &str) -> &str {
    match operation {
        "StopInstances" => "StopInstance",
        "StartInstances" => "StartInstance",
        "TransactWriteItems" => "PrepareRun",
        "Publish" => "NotifyBackupRefused",
        same => same,
    }
}

fn scene(operation: &str, injection: Injection) -> (Scene, String) {
    let scene = Scene::nightly(1);
    let id = scene.add(|spec| {
        let spec = spec.volume(8, &[]).volume(8, &[]);
        if is_protected(operation) { spec.fault(FaultName::StopProtected) } else { spec }
    });
    let site = injection.at.clone();
    scene.stopgap.aws.change(|world| {
        world.watch.noting = true;
        world.watch.arm(injection);
    });
    scene.run(json!({ "instance_id": id }));
    let wrong =
        scene.stopgap.aws.look(|world| world.watch.calls.iter().any(|call| call.site == site && call.wrong));
    assert!(wrong, "the run makes the call {site}");
    (scene, id)
}
