//! Many nights, everything going wrong at once: the promises hold on each.

use std::collections::BTreeMap;

use stopgap_core::backup_set;
use stopgap_core::inventory::InstanceState;
use stopgap_sim::aws::{FaultName, Scope};
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::Scene;

/// A night of six instances, all faults of the whole world, and one instance's own fault.
fn night(seed: u64, fault: FaultName) -> (Scene, Vec<String>, String, String) {
    let scene = Scene::nightly(seed);
    let everything = FaultName::ALL.iter().filter(|fault| fault.scope() == Scope::Everything);
    // Lost events make late and doubled ones moot: they take turns.
    let left_out = if seed.is_multiple_of(2) { FaultName::EventsLost } else { FaultName::EventsDoubled };
    scene.stopgap.aws.change(|world| {
        world.faults.extend(everything.copied().filter(|fault| *fault != left_out));
    });
    let well: Vec<String> = (0..4).map(|_| scene.add(|spec| spec)).collect();
    let stopped = scene.add(|spec| spec.state(InstanceState::Stopped));
    let victim = scene.add(|spec| spec.fault(fault));
    scene.night();
    (scene, well, stopped, victim)
}

#[test]
fn whatever_goes_wrong_at_once_the_promises_hold() {
    let own = FaultName::ALL.iter().filter(|fault| fault.scope() == Scope::Instance);
    for (fault, seed) in own.flat_map(|fault| (0..6).map(move |seed| (*fault, seed))) {
        let (scene, well, stopped, victim) = night(seed, fault);
        let scenario = format!("{fault}, seed {seed}");

        // An instance that was running before is running after, or a critical ticket is open.
        for id in &well {
            assert_eq!(scene.state(id), Some(InstanceState::Running), "{scenario}: {id}");
        }
        let left_stopped = scene.state(&victim) != Some(InstanceState::Running);
        assert_eq!(left_stopped, scene.open_tickets().contains(&"left-stopped".to_owned()), "{scenario}");
        // An instance that was stopped before stays stopped.
        assert_eq!(scene.state(&stopped), Some(InstanceState::Stopped), "{scenario}");
        // One occurrence, one backup: complete, and each volume copied once.
        let snapshots = scene.snapshots();
        let sets = backup_set::group(&snapshots).sets;
        for id in well.iter().chain([&stopped]) {
            let of_instance: Vec<_> = sets.iter().filter(|set| set.instance_id == id).collect();
            assert_eq!(of_instance.len(), 1, "{scenario}: {id}");
            assert!(of_instance[0].is_complete(), "{scenario}: {id}");
            assert_eq!(of_instance[0].surplus, Vec::<&str>::new(), "{scenario}: {id}");
        }
        // One failure, one ticket; and nobody else has one.
        let mut opened: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (kind, action, instance) in scene.messages() {
            assert_eq!(instance, victim, "{scenario}: a ticket {kind} of an instance that is well");
            *opened.entry((kind, action)).or_default() += 1;
        }
        let opens: usize = opened.iter().filter(|((_, action), _)| action == "open").map(|(_, n)| n).sum();
        assert_eq!(opens, 1, "{scenario}: {opened:?}");
        // What is held is held for the instance that does not run.
        assert_eq!(scene.held().is_empty(), !left_stopped, "{scenario}: {:?}", scene.held());
        let fleets = scene.stopgap.step_functions.executions();
        let fleets = fleets.iter().filter(|execution| execution.machine_arn == scene.stopgap.fleet);
        assert!(fleets.clone().all(|fleet| fleet.status != Status::Failed), "{scenario}");
    }
}

#[test]
fn the_same_seed_is_the_same_night_to_the_last_event() {
    let events = || {
        let (scene, ..) = night(3, FaultName::SnapshotError);
        let executions = scene.stopgap.step_functions.executions();
        let histories =
            executions.iter().map(|execution| scene.stopgap.step_functions.history(&execution.arn));
        histories.flatten().map(|event| event.to_json().to_string()).collect::<Vec<_>>()
    };
    let (first, second) = (events(), events());
    assert!(first.len() > 500, "{} events", first.len());
    assert_eq!(first, second);
}
