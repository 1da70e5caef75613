//! What is found before an instance is stopped, and what follows: a refused backup has touched nothing, and its ticket
//! names the finding and what to do.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stopgap_core::inventory::{InstanceState, Tags};
use stopgap_core::ports::{InstanceStorage, KeyState, LifecycleState, Modification, ScheduledEvent};
use stopgap_core::preflight::{Finding, Verdict};
use stopgap_sim::aws::{FaultName, InstanceSpec, Place, VolumeSpec};
use stopgap_sim::stepfunctions::{Execution, Status};
use stopgap_tests::{Scene, home, nightly};

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";

/// An instance of which `finding` is found, in a scene with the policy `nightly` and these changes to it.
fn scene_of(finding: Finding, changes: Value) -> (Scene, String) {
    let scene = Scene::new(70, &[nightly(changes)]);
    let id = scene.add(|spec| as_found(finding, spec));
    let volume = scene
        .stopgap
        .aws
        .look(|world| world.machine(&id).expect("it is there").instance.devices[1].volume_id.clone());
    if matches!(finding, Finding::GroupAtMinimum | Finding::MemberLeaving) {
        scene.group(1, &[&id], 20);
    }
    place(&scene, |place| match finding {
        Finding::OneTimeSpot => drop(place.spot_requests.insert("sir-1".to_owned(), true)),
        Finding::KmsKeyUnusable => set_key(place, "Disabled"),
        Finding::InstanceStoreData => place.storage.push(storage("i3.large", true)),
        Finding::MaintenanceEvent => place.events.push(ScheduledEvent {
            instance_id: id.clone(),
            code: "system-reboot".to_owned(),
            description: "The instance is scheduled for a reboot".to_owned(),
            not_before: "2026-11-24T03:00:00Z".parse().ok(),
        }),
        Finding::MemberLeaving => {
            let group = place.groups.get_mut("web").expect("it is there");
            group.members.insert(id.clone(), LifecycleState::Leaving);
        }
        Finding::VolumeModifying => place.modifications.push(Modification {
            volume_id: volume.clone(),
            state: "optimizing".to_owned(),
            progress: Some(40),
        }),
        _ => {}
    });
    (scene, id)
}

/// What an instance must be so that `finding` is found of it, as far as it says so itself.
fn as_found(finding: Finding, mut spec: InstanceSpec) -> InstanceSpec {
    match finding {
        Finding::InstanceStoreRoot => return spec.attribute("root-device-type", "instance-store"),
        Finding::OneTimeSpot => spec.spot_request = Some("sir-1".to_owned()),
        Finding::StopProtected => return spec.fault(FaultName::StopProtected),
        Finding::KmsKeyUnusable => spec.volumes[1].kms_key_id = Some(KEY.to_owned()),
        Finding::InstanceStoreData => return spec.attribute("instance-type", "i3.large"),
        Finding::PublicAddressLost => spec.passing_address = Some("203.0.113.7".to_owned()),
        Finding::Hibernation => spec.hibernation = true,
        Finding::PendingSnapshots => spec.volumes[1].volume_type = "st1".to_owned(),
        Finding::TooManyVolumes => {
            spec.volumes.extend((0..127).map(|_| VolumeSpec::new(1, Tags::new())));
        }
        Finding::MaintenanceEvent
        | Finding::VolumeModifying
        | Finding::GroupAtMinimum
        | Finding::MemberLeaving => {}
    }
    spec
}

fn place(scene: &Scene, change: impl FnOnce(&mut Place)) {
    scene.stopgap.aws.change(|world| change(world.places.get_mut(&home()).expect("it is there")));
}

fn set_key(place: &mut Place, state: &str) {
    place.keys.insert(KEY.to_owned(), KeyState(state.to_owned()));
}

fn storage(instance_type: &str, always: bool) -> InstanceStorage {
    InstanceStorage { instance_type: instance_type.to_owned(), size_gb: 475, always }
}

/// The changes by which a policy has `finding` otherwise.
fn having(finding: Finding, verdict: &str) -> Value {
    json!({ "preflight": { finding.as_str(): verdict } })
}

fn cause_of_the_ticket(scene: &Scene) -> (String, String) {
    scene.stopgap.aws.look(|world| {
        let document = &world.published.last().expect("a ticket").1.document;
        (
            document["kind"].as_str().expect("a text").to_owned(),
            document["cause"].as_str().expect("a text").to_owned(),
        )
    })
}

/// The backup is made, and nothing is found.
#[track_caller]
fn nothing_is_said(scene: &Scene, run: &Execution, finding: Finding) {
    let said = (run.status, scene.reasons(run));
    assert_eq!(said, (Status::Succeeded, vec![]), "{finding}: {:?}", run.cause);
}

/// Those whose scene needs nothing but [`scene_of`]: a snapshot is pending only once one has been begun.
fn staged() -> impl Iterator<Item = Finding> {
    Finding::ALL.iter().copied().filter(|finding| *finding != Finding::PendingSnapshots)
}

#[test]
fn what_is_refused_touches_nothing_and_is_one_ticket_that_names_it_and_what_to_do() {
    for finding in staged() {
        let (scene, id) = scene_of(finding, having(finding, "refuse"));
        scene.run(json!({ "instance_id": id }));
        scene.run(json!({ "instance_id": id }));
        let touched = ["StopInstances", "CreateSnapshots", "StartInstances"].map(|call| scene.calls(call));
        assert_eq!(touched, [0, 0, 0], "{finding}");
        assert_eq!(scene.held(), Vec::<String>::new(), "{finding}");
        assert_eq!(scene.open_tickets(), ["backup-refused"], "{finding}");
        let (kind, cause) = cause_of_the_ticket(&scene);
        assert_eq!(kind, "backup-refused");
        assert!(
            cause.starts_with(&format!("{finding}: ")) && cause.ends_with(finding.next_step()),
            "{cause}"
        );
    }
}

#[test]
fn what_ec2_refuses_or_loses_is_refused_and_the_rest_is_a_warning_without_a_word_of_the_policy() {
    for finding in staged() {
        let (scene, id) = scene_of(finding, json!({}));
        let run = scene.run(json!({ "instance_id": id }));
        let refused = scene.open_tickets() == ["backup-refused"];
        assert_eq!(refused, finding.default_verdict() == Verdict::Refuse, "{finding}");
        if !refused {
            assert_eq!(run.status, Status::Succeeded, "{finding}: {:?}", run.cause);
            let reasons = scene.reasons(&run);
            assert!(reasons[0].starts_with(&format!("{finding}: ")), "{finding}: {reasons:?}");
        }
    }
}

#[test]
fn what_a_policy_has_as_a_warning_is_backed_up_and_what_it_ignores_is_not_even_asked() {
    for finding in staged().filter(|finding| finding.fixed().is_none()) {
        let (scene, id) = scene_of(finding, having(finding, "warn"));
        let run = scene.run(json!({ "instance_id": id }));
        assert_eq!(
            (run.status, scene.open_tickets()),
            (Status::Succeeded, vec![]),
            "{finding}: {:?}",
            run.cause
        );
        assert_eq!(scene.reasons(&run).len(), 1, "{finding}");

        let (scene, id) = scene_of(finding, having(finding, "ignore"));
        let run = scene.run(json!({ "instance_id": id }));
        nothing_is_said(&scene, &run, finding);
        let call = match finding {
            Finding::InstanceStoreData => "DescribeInstanceTypes",
            Finding::MaintenanceEvent => "DescribeInstanceStatus",
            Finding::VolumeModifying => "DescribeVolumesModifications",
            _ => continue,
        };
        assert_eq!(scene.calls(call), 0, "{finding}");
    }
}

#[test]
fn the_next_good_backup_closes_the_ticket_of_a_refused_one() {
    let (scene, id) = scene_of(Finding::KmsKeyUnusable, json!({}));
    scene.run(json!({ "instance_id": id }));
    assert_eq!(scene.open_tickets(), ["backup-refused"]);

    place(&scene, |place| set_key(place, "Enabled"));
    let run = scene.run(json!({ "instance_id": id }));
    assert_eq!((run.status, scene.open_tickets()), (Status::Succeeded, vec![]), "{:?}", run.cause);
    let actions: Vec<_> = scene.messages().into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(actions, ["open", "resolve"]);
}

#[test]
fn without_the_preflight_each_of_these_would_have_failed_halfway() {
    for (finding, unseen, then) in [
        (Finding::StopProtected, "DescribeInstanceAttribute", "backup-failed"),
        (Finding::OneTimeSpot, "DescribeSpotInstanceRequests", "backup-failed"),
        (Finding::KmsKeyUnusable, "DescribeKey", "left-stopped"),
    ] {
        let (scene, id) = scene_of(finding, json!({}));
        scene.deny(unseen);
        let run = scene.run(json!({ "instance_id": id }));
        assert_eq!(scene.open_tickets(), [then], "{finding}");
        assert!(
            scene.reasons(&run)[0].starts_with("not known whether "),
            "{finding}: {:?}",
            scene.reasons(&run)
        );
    }
}

#[test]
fn what_may_not_be_found_out_costs_no_backup_and_is_told() {
    let scene = Scene::nightly(71);
    let id = scene.add(|mut spec| {
        spec.volumes[0].kms_key_id = Some(KEY.to_owned());
        spec.spot_request = Some("sir-1".to_owned());
        spec.attribute("instance-type", "m5.large")
    });
    let asked = [
        "DescribeInstanceAttribute",
        "DescribeInstanceStatus",
        "DescribeInstanceTypes",
        "DescribeKey",
        "DescribeSpotInstanceRequests",
        "DescribeVolumesModifications",
    ];
    for operation in asked {
        scene.deny(operation);
    }
    let run = scene.run(json!({ "instance_id": id }));
    assert_eq!((run.status, scene.open_tickets()), (Status::Succeeded, vec![]), "{:?}", run.cause);
    let reasons = scene.reasons(&run);
    assert!(reasons.iter().all(|reason| reason.starts_with("not known ")), "{reasons:?}");
    let told: BTreeSet<&str> = asked
        .into_iter()
        .filter(|operation| reasons.iter().any(|reason| reason.contains(operation)))
        .collect();
    assert_eq!(told, BTreeSet::from(asked), "{reasons:?}");
}

#[test]
fn of_an_old_instance_type_ec2_does_not_tell_and_a_persistent_spot_instance_comes_back() {
    let scene = Scene::nightly(72);
    let id = scene.add(|mut spec| {
        spec.spot_request = Some("sir-2".to_owned());
        spec.attribute("instance-type", "m3.large")
    });
    place(&scene, |place| {
        place.storage.push(storage("m3.large", false));
        place.spot_requests.insert("sir-2".to_owned(), false);
    });
    let run = scene.run(json!({ "instance_id": id }));
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.cause);
    let reasons = scene.reasons(&run);
    assert!(
        reasons.len() == 1 && reasons[0].contains("m3.large") && reasons[0].contains("not tell"),
        "{reasons:?}"
    );
}

#[test]
fn a_volume_with_as_many_pending_snapshots_as_ec2_allows_is_not_stopped_for_another() {
    let (scene, id) = scene_of(Finding::PendingSnapshots, json!({ "consistency": "crash" }));
    let first = scene.start(json!({ "instance_id": id }));
    while scene.calls("CreateSnapshots") == 0 {
        scene.pass(jiff::SignedDuration::from_secs(1));
    }
    // The first run holds the lease until its snapshots are complete; somebody else's are in no run's way.
    scene.stopgap.step_functions.stop_execution(&first, None, None);
    scene.pass(jiff::SignedDuration::from_secs(2));
    let second = scene.start(json!({ "instance_id": id }));
    scene.pass(jiff::SignedDuration::from_secs(20));
    assert_ne!(scene.execution(&second).status, Status::Running);
    assert_eq!(scene.calls("CreateSnapshots"), 1);
    let (kind, cause) = cause_of_the_ticket(&scene);
    assert_eq!(kind, "backup-refused");
    assert!(cause.contains("(st1) are pending, and EC2 allows 1"), "{cause}");
}

#[test]
fn nothing_about_a_stop_is_asked_of_what_goes_on_running_or_was_stopped_before() {
    let of_a_stop =
        staged().filter(|finding| !matches!(finding, Finding::TooManyVolumes | Finding::VolumeModifying));
    for finding in of_a_stop {
        let (scene, id) = scene_of(finding, json!({ "consistency": "crash" }));
        let run = scene.run(json!({ "instance_id": id }));
        nothing_is_said(&scene, &run, finding);

        let (scene, id) = scene_of(finding, json!({}));
        scene.stopgap.aws.change(|world| {
            let machine = world.machine_mut(&id).unwrap();
            machine.instance.state = InstanceState::Stopped;
            machine.past[0].1 = InstanceState::Stopped;
        });
        let run = scene.run(json!({ "instance_id": id }));
        nothing_is_said(&scene, &run, finding);
        assert_eq!(scene.state(&id), Some(InstanceState::Stopped), "{finding}");
    }
}

#[test]
fn a_dry_run_tells_what_would_be_refused() {
    let (scene, id) = scene_of(Finding::StopProtected, json!({}));
    let run = scene.run(json!({ "instance_id": id, "dry_run": true }));
    assert!(scene.reasons(&run)[0].starts_with("stop-protected: "), "{:?}", scene.reasons(&run));
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}
