//! What other tools get wrong, and stopgap must not: one test for each, as far as it has none elsewhere.
//! `docs/others.md` says which tool it is and names them all.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::backup_set;
use stopgap_core::inventory::{InstanceState, Location};
use stopgap_core::ports::FaultKind;
use stopgap_sim::aws::{FaultName, Injection, Site, Wrong};
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::{Scene, nightly};

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

fn opened(kind: &str, instance: &str) -> (String, String, String) {
    (kind.to_owned(), "open".to_owned(), instance.to_owned())
}

/// The occurrences of which there are snapshots.
fn occurrences(scene: &Scene) -> Vec<String> {
    backup_set::group(&scene.snapshots()).sets.iter().map(|set| set.occurrence.at.to_string()).collect()
}

/// One run by hand in which a state's first call of an operation is refused.
fn refused(seed: u64, state: &str, operation: &'static str, kind: FaultKind) -> (Scene, String, Status) {
    let scene = Scene::nightly(seed);
    let id = scene.add(|spec| spec);
    let at = Site::new(state, operation, 1);
    scene.stopgap.aws.change(|world| {
        world.watch.noting = true;
        world.watch.arm(Injection { at, lasts: false, wrong: Wrong::Refused(kind) });
    });
    let execution = scene.run(json!({ "instance_id": id }));
    let befell = scene.stopgap.aws.look(|world| world.watch.calls.iter().any(|called| called.wrong));
    assert!(befell, "the run makes this call");
    (scene, id, execution.status)
}

#[test]
fn what_expired_long_ago_is_deleted_however_long_nobody_deleted_anything() {
    let scene = Scene::nightly(1);
    let id = scene.add(|spec| spec);
    // Nobody has pruned for a year and a half.
    for month in ["2025-05", "2025-09", "2026-01", "2026-08", "2026-10", "2026-11"] {
        scene.add_set(&id, at(&format!("{month}-20T02:00:00Z")));
    }
    scene.night();
    assert_eq!(
        occurrences(&scene),
        ["2026-10-20T02:00:00Z", "2026-11-20T02:00:00Z", "2026-11-21T02:00:00Z"],
        "the newest three, as the policy says"
    );
}

#[test]
fn a_region_that_has_no_instance_any_more_is_pruned_all_the_same() {
    let (with, without) =
        (Location::new("123456789012", "us-east-1"), Location::new("123456789012", "eu-west-1"));
    let targets = json!({ "targets": [{ "regions": [with.region, without.region] }] });
    let scene = Scene::new(2, &[nightly(targets)]);
    scene.add(|spec| spec.at(&with));
    let gone = scene.add(|spec| spec.at(&without));
    for day in 10..18 {
        scene.add_set(&gone, at(&format!("2026-11-{day}T02:00:00Z")));
    }
    scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&without).expect("it is there");
        place.machines.clear();
        place.volumes.clear();
    });
    scene.night();
    let snapshots = scene.snapshots().into_iter();
    let left: Vec<_> =
        snapshots.filter(|snapshot| snapshot.tags.get("stopgap:instance") == Some(&gone)).collect();
    let sets = backup_set::group(&left).sets;
    assert_eq!((sets.len(), scene.messages()), (3, vec![]), "the newest three, as the policy says");
}

#[test]
fn snapshots_whose_tags_could_not_be_copied_count_and_are_deleted_in_their_turn() {
    let (scene, id, status) = refused(3, "CopyTags", "CreateTags", FaultKind::AccessDenied);
    assert_eq!((status, scene.messages()), (Status::Succeeded, vec![opened("tags-incomplete", &id)]));
    let first = occurrences(&scene);
    assert_eq!(first.len(), 1);
    assert!(backup_set::group(&scene.snapshots()).sets[0].is_complete(), "the backup itself lacks nothing");

    // Three newer ones push it out.
    for _ in 0..3 {
        scene.pass(SignedDuration::from_hours(1));
        scene.run(json!({ "instance_id": id }));
    }
    let left = occurrences(&scene);
    assert_eq!((left.len(), left.contains(&first[0])), (3, false));
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}

#[test]
fn two_hundred_instances_of_three_volumes_are_planned_at_once_and_copied_by_one_call_each() {
    let scene = Scene::new(4, &[nightly(json!({ "consistency": "crash" }))]);
    for _ in 0..200 {
        scene.add(|spec| spec.volume(50, &[]));
    }
    scene.night();
    assert_eq!((scene.runs().len(), scene.snapshots().len()), (200, 600));
    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    let ec2 = scene.stopgap.aws.look(|world| world.calls.clone());
    assert_eq!(ec2["CreateSnapshots"], 200);
    assert_eq!((ec2.get("StopInstances"), ec2.get("StartInstances")), (None, None));
    assert_eq!(scene.messages(), []);
    // Each run reads again what it acts on, so there are more reads than writes; and none of them for nothing.
    let requests = [
        "CreateSnapshots",
        "CreateTags",
        "DescribeInstances",
        "DescribeSnapshots",
        "DescribeVolumes",
        "DescribeVolumesModifications",
    ];
    let requests: u64 = requests.iter().map(|operation| ec2[*operation]).sum();
    assert!(requests <= 200 * 16, "{requests} requests: {ec2:?}");
}

/// The night of a fleet in which one cannot be stopped, the snapshots of one fail, and those of one take for ever.
#[test]
fn one_instance_in_trouble_keeps_no_other_down() {
    let night = |trouble: bool| {
        let scene = Scene::nightly(5);
        let ids: Vec<String> = (0..12).map(|_| scene.add(|spec| spec)).collect();
        if trouble {
            scene.stopgap.aws.change(|world| {
                for (id, fault) in [(&ids[0], FaultName::StopProtected), (&ids[1], FaultName::SnapshotError)]
                {
                    world.machine_mut(id).expect("it is there").faults.insert(fault);
                }
                let hours = Some(Duration::from_secs(5 * 60 * 60));
                world.machine_mut(&ids[2]).expect("it is there").snapshots_take = hours;
            });
        }
        scene.night();
        assert!(ids.iter().all(|id| scene.state(id) == Some(InstanceState::Running)));
        let downs = ids[3..].iter().map(|id| {
            let overhead = |world: &stopgap_sim::aws::World| world.machine(id)?.downs.first()?.overhead();
            scene.stopgap.aws.look(overhead).expect("it was down and is up")
        });
        (downs.max().expect("there are some"), scene.open_tickets())
    };
    let (well, ticketless) = night(false);
    let (ill, tickets) = night(true);
    assert_eq!(ticketless, Vec::<String>::new());
    assert_eq!(tickets, ["backup-failed", "backup-refused"]);
    assert!(
        ill < well + SignedDuration::from_secs(3),
        "down {ill:#} beyond EC2's own time, and {well:#} before"
    );
}

#[test]
fn snapshots_that_never_complete_end_the_run_with_a_ticket_and_the_instance_runs_meanwhile() {
    let scene = Scene::nightly(6);
    let id = scene.add(|spec| spec);
    scene.stopgap.aws.change(|world| {
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        world.machine_mut(&id).expect("it is there").snapshots_take = Some(year);
    });
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_mins(5));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    scene.pass(SignedDuration::from_hours(4 * 24));
    let execution = scene.execution(&arn);
    assert_eq!((execution.status, execution.error.as_deref()), (Status::Failed, Some("DeadlinePassed")));
    assert_eq!(scene.messages(), [opened("backup-failed", &id)]);
    assert_eq!((scene.calls("StopInstances"), scene.held()), (1, vec![]));
}

#[test]
fn retention_by_days_keeps_the_young_and_deletes_the_old_in_one_run() {
    let scene = Scene::new(7, &[nightly(json!({ "retention": { "keep_for": "3d" } }))]);
    let id = scene.add(|spec| spec);
    for day in 10..21 {
        scene.add_set(&id, at(&format!("2026-11-{day}T02:00:00Z")));
    }
    scene.night();
    // What is as old as that to the second is not younger.
    let kept: Vec<String> = (19..=21).map(|day| format!("2026-11-{day}T02:00:00Z")).collect();
    assert_eq!(occurrences(&scene), kept);
    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
}

#[test]
fn a_limit_that_leaves_no_room_for_a_snapshot_is_a_failed_run_and_a_ticket() {
    let (scene, id, status) = refused(8, "CreateSnapshots", "CreateSnapshots", FaultKind::LimitExceeded);
    assert_eq!((status, scene.snapshots().len()), (Status::Failed, 0));
    assert_eq!(scene.messages(), [opened("backup-failed", &id)]);
    let message: Value = scene.stopgap.aws.look(|world| world.published[0].1.document.clone());
    assert_eq!(
        (&message["error"], &message["failed_state"]),
        (&json!("LimitExceeded"), &json!("CreateSnapshots"))
    );
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
}

#[test]
fn an_instance_that_is_stuck_in_stopping_is_a_ticket_and_runs_as_soon_as_ec2_lets_it() {
    let scene = Scene::nightly(9);
    let id = scene.add(|spec| spec);
    scene.stopgap.aws.change(|world| {
        world.machine_mut(&id).expect("it is there").stop_takes = Duration::from_secs(60 * 60);
    });
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_mins(50));
    assert_eq!(scene.open_tickets(), ["left-stopped"]);
    assert_eq!(scene.state(&id), Some(InstanceState::Stopping));
    scene.pass(SignedDuration::from_mins(20));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    // One stop was asked for, and there is none by force: the port has no such request.
    assert_eq!(scene.calls("StopInstances"), 1);
    scene.pass(SignedDuration::from_hours(24));
    assert_eq!(scene.execution(&arn).status, Status::Failed, "there is no backup of it");
    assert_eq!(scene.open_tickets(), ["backup-failed"]);
}
