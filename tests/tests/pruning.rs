//! Pruning on the shipped machine: what is deleted, and what never is.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use stopgap_core::inventory::{Snapshot, SnapshotState, Tags};
use stopgap_core::pruning::{Expired, Pruned};
use stopgap_sim::aws::{Aws, World};
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::{Scene, home, nightly};

/// A night of October 2026, long before the scenario.
fn night(day: u8) -> Timestamp {
    format!("2026-10-{day:02}T02:00:00Z").parse().unwrap()
}

fn set_tags(instance: &str, at: Timestamp, volumes: usize) -> Tags {
    let tags = [
        ("stopgap:policy", "nightly".to_owned()),
        ("stopgap:instance", instance.to_owned()),
        ("stopgap:occurrence", format!("nightly/{at}")),
        ("stopgap:volumes", volumes.to_string()),
    ];
    tags.map(|(key, value)| (key.to_owned(), value)).into()
}

/// A scene with one instance of two volumes and a backup of each of these nights.
fn scene(seed: u64, retention: Value, days: impl IntoIterator<Item = u8>) -> (Scene, String) {
    let scene = Scene::new(seed, &[nightly(json!({ "retention": retention }))]);
    let id = scene.add(|spec| spec);
    for day in days {
        scene.stopgap.aws.add_backup(&id, night(day), &set_tags(&id, night(day), 2));
    }
    (scene, id)
}

/// Changes all snapshots of a night.
fn change(world: &mut World, day: u8, change: impl Fn(usize, &mut Snapshot)) {
    let occurrence = format!("nightly/{}", night(day));
    let place = world.places.get_mut(&home()).unwrap();
    let of_night = place.snapshots.values_mut().map(|copy| &mut copy.snapshot);
    let of_night = of_night.filter(|snapshot| snapshot.tags.get("stopgap:occurrence") == Some(&occurrence));
    of_night.enumerate().for_each(|(n, snapshot)| change(n, snapshot));
}

/// The ids of the snapshots of a night.
fn ids(scene: &Scene, day: u8) -> Vec<String> {
    let occurrence = format!("nightly/{}", night(day));
    let snapshots = scene.snapshots().into_iter();
    let of_night = snapshots.filter(|snapshot| snapshot.tags.get("stopgap:occurrence") == Some(&occurrence));
    of_night.map(|snapshot| snapshot.id).collect()
}

/// The nights of October of which a snapshot is left.
fn left(scene: &Scene) -> Vec<u8> {
    (1..=31).filter(|day| !ids(scene, *day).is_empty()).collect()
}

/// Backs the instance up, which ends with pruning, and answers what that did.
fn prune(scene: &Scene, id: &str) -> Pruned {
    let execution = scene.run(json!({ "instance_id": id }));
    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    scene.pruned(&execution)
}

fn results(expired: &[Expired]) -> Vec<&str> {
    expired.iter().map(|expired| expired.result.as_str()).collect()
}

/// As soon as something has been deleted, someone else does something to the world.
fn when_deleting(scene: &Scene, act: impl FnOnce(&Aws) + 'static) {
    let (aws, clock) = (scene.stopgap.aws.clone(), scene.stopgap.runtime.clock());
    scene.stopgap.runtime.clock().spawn(async move {
        while aws.look(|world| !world.calls.contains_key("DeleteSnapshot")) {
            clock.sleep(Duration::from_millis(10)).await;
        }
        act(&aws);
    });
}

/// ebs_snapper with a minimum of 5 and seven expired ones deletes all seven, and counts what is pending, failed, someone's
/// own.
#[test]
fn seven_expired_sets_with_a_floor_of_five_leave_five() {
    let floor = json!({ "keep_for": "1h", "at_least": 5 });
    let (scene, id) = self::scene(1, floor.clone(), 1..=7);
    assert_eq!(results(&prune(&scene, &id).expired), ["deleted"; 3]);
    assert_eq!(left(&scene), [4, 5, 6, 7], "and the new one");

    for (seed, state) in [(2, SnapshotState::Pending), (3, SnapshotState::Error)] {
        let (scene, id) = self::scene(seed, floor.clone(), 1..=7);
        for day in [5, 7] {
            scene
                .stopgap
                .aws
                .change(|world| change(world, day, |n, s| s.state = if n == 0 { state } else { s.state }));
        }
        prune(&scene, &id);
        let complete: Vec<u8> = left(&scene).into_iter().filter(|day| ![5, 7].contains(day)).collect();
        assert_eq!(complete, [2, 3, 4, 6], "{state:?}: four complete ones and the new one");
    }

    // Two snapshots that someone made by hand, or took the tags off.
    let (scene, id) = self::scene(4, floor, 1..=7);
    scene.stopgap.aws.change(|world| change(world, 6, |_, snapshot| snapshot.tags.clear()));
    prune(&scene, &id);
    assert_eq!(left(&scene), [3, 4, 5, 7], "four that can be counted, and the new one");
    assert_eq!(scene.snapshots().iter().filter(|snapshot| snapshot.tags.is_empty()).count(), 2);
}

#[test]
fn nothing_is_deleted_that_the_floor_needs_when_someone_deletes_others_meanwhile() {
    let (scene, id) = scene(5, json!({ "keep_last": 4, "at_least": 4 }), 1..=28);
    when_deleting(&scene, |aws| {
        let kept = ["2026-10-26", "2026-10-27", "2026-10-28"].map(|day| format!("nightly/{day}T02:00:00Z"));
        let is_kept = |snapshot: &Snapshot| {
            kept.iter().any(|kept| snapshot.tags.get("stopgap:occurrence") == Some(kept))
        };
        aws.change(|world| {
            world.places.get_mut(&home()).unwrap().snapshots.retain(|_, copy| !is_kept(&copy.snapshot));
        });
    });
    let pruned = prune(&scene, &id);
    assert_eq!(left(&scene), [23, 24, 25], "three that were to go, and the new one");
    let kept = pruned
        .expired
        .iter()
        .filter(|expired| expired.result.contains("it is not to be deleted any more: last "));
    assert_eq!(kept.count(), 3, "{pruned:?}");
}

#[test]
fn a_set_that_someone_touches_between_plan_and_execution_is_left_alone() {
    let (scene, id) = scene(6, json!({ "keep_last": 1 }), 1..=28);
    let instance = id.clone();
    when_deleting(&scene, move |aws| {
        // Taken out by its tags; half of it taken out; more in it.
        aws.change(|world| change(world, 26, |_, snapshot| snapshot.tags.clear()));
        aws.change(|world| {
            change(world, 27, |n, snapshot| {
                if n == 0 {
                    snapshot.tags.clear()
                }
            })
        });
        aws.add_backup(&instance, night(28), &set_tags(&instance, night(28), 2));
    });
    let pruned = prune(&scene, &id);
    let refused: Vec<&str> =
        results(&pruned.expired).into_iter().filter(|result| *result != "deleted").collect();
    assert_eq!(
        refused,
        [
            "no longer there: someone has deleted it, or taken its tags off",
            "not deleted: its snapshots are no longer those that were planned",
            "not deleted: its snapshots are no longer those that were planned",
        ]
    );
    assert_eq!((left(&scene), ids(&scene, 28).len()), (vec![27, 28], 4));
    assert_eq!(scene.snapshots().iter().filter(|snapshot| snapshot.tags.is_empty()).count(), 3);
}

#[test]
fn one_run_deletes_no_more_than_its_policy_allows_and_names_the_rest_as_deferred() {
    let (scene, id) = scene(7, json!({ "keep_last": 1, "delete_at_most": 3 }), 1..=10);
    let first = prune(&scene, &id);
    assert_eq!((first.kept, first.expired.len(), first.deferred), (1, 3, 7));
    assert_eq!(first.deferred_sets[0], "nightly/2026-10-04T02:00:00Z");
    assert_eq!(left(&scene), [4, 5, 6, 7, 8, 9, 10]);
    // The next run goes on, and has the first one's set to delete too.
    assert_eq!((prune(&scene, &id).deferred, left(&scene)), (5, vec![7, 8, 9, 10]));
}

#[test]
fn however_often_a_run_is_tried_again_it_deletes_no_more_than_allowed() {
    let scene = Scene::new(8, &[nightly(json!({ "retention": { "keep_last": 1, "delete_at_most": 28 } }))]);
    let id = scene.add(|spec| (0..10).fold(spec, |spec, _| spec.volume(8, &[])));
    for day in 1..=31 {
        scene.stopgap.aws.add_backup(&id, night(day), &set_tags(&id, night(day), 12));
    }
    let execution = scene.run(json!({ "instance_id": id }));
    assert_eq!(execution.status, Status::Succeeded);
    let events = scene.stopgap.step_functions.history(&execution.arn);
    let ended =
        events.iter().filter(|event| event.detail("error").and_then(Value::as_str) == Some("OutOfTime"));
    assert!(ended.count() > 0, "it was done in one invocation");
    assert_eq!(left(&scene), [29, 30, 31]);
    assert_eq!(scene.pruned(&execution).deferred, 3);
}

#[test]
fn what_a_deletion_left_is_finished_and_what_may_still_be_wanted_is_not() {
    let (scene, id) = scene(9, json!({ "keep_last": 3 }), 1..=6);
    let partly = [1, 5].map(|day| ids(&scene, day)[0].clone());
    scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&home()).unwrap();
        place.snapshots.retain(|id, _| !partly.contains(id));
        // Failed, but one volume is still being copied; and failed for good.
        change(world, 2, |n, s| s.state = [SnapshotState::Error, SnapshotState::Pending][n]);
        change(world, 3, |_, s| s.state = SnapshotState::Error);
    });
    let pruned = prune(&scene, &id);
    // The new one, 6 and 4 are the newest three complete ones; 5 would be among them.
    assert_eq!(left(&scene), [2, 4, 5, 6], "{pruned:?}");
    let reasons: Vec<&str> = pruned.expired.iter().map(|expired| expired.reason.as_str()).collect();
    let incomplete = |n: u8| {
        format!(
            "incomplete: {n} of 2 volumes have a completed snapshot; no rule would keep it if it were complete"
        )
    };
    assert_eq!(reasons, [incomplete(1), incomplete(0)]);
    assert_eq!((pruned.kept, pruned.skipped), (3, 2));
}

#[test]
fn what_someone_else_deletes_meanwhile_is_no_failure_and_the_rest_of_it_goes_next_time() {
    let (scene, id) = scene(10, json!({ "keep_last": 1 }), 1..=28);
    let gone: BTreeSet<String> =
        [ids(&scene, 27), ids(&scene, 28)[..1].to_vec()].concat().into_iter().collect();
    when_deleting(&scene, move |aws| {
        aws.change(|world| {
            world.places.get_mut(&home()).unwrap().snapshots.retain(|id, _| !gone.contains(id))
        });
    });
    let pruned = prune(&scene, &id);
    assert_eq!(results(&pruned.expired)[..26], ["deleted"; 26]);
    assert_eq!(left(&scene), [28], "{pruned:?}");
    prune(&scene, &id);
    assert_eq!(left(&scene), [0; 0]);
    assert_eq!(scene.messages(), []);
}

/// The snapshot of a night's first volume, or of its second.
fn of_volume(scene: &Scene, day: u8, volume: usize) -> String {
    ids(scene, day).swap_remove(volume)
}

fn hold(scene: &Scene, images: &[String], locked: &[String]) {
    scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&home()).unwrap();
        place.images.extend(images.iter().cloned());
        place.locked.extend(locked.iter().cloned());
    });
}

#[test]
fn what_an_image_was_made_of_or_is_locked_is_left_whole_with_the_reason_and_all_else_goes() {
    let (scene, id) = scene(11, json!({ "keep_last": 1 }), 1..=6);
    // The roots, as images and locks of a whole backup have them.
    hold(&scene, &[of_volume(&scene, 2, 0)], &[of_volume(&scene, 4, 0)]);
    let first = prune(&scene, &id);
    assert_eq!(left(&scene), [2, 4], "and the new one");
    for day in [2, 4] {
        assert_eq!(ids(&scene, day).len(), 2, "nothing of {day} was deleted");
    }
    let results = results(&first.expired);
    assert_eq!(results.iter().filter(|result| **result == "deleted").count(), 4);
    let refused = |why: &str| {
        results
            .iter()
            .any(|result| result.starts_with("not deleted: DeleteSnapshot: ") && result.contains(why))
    };
    assert!(refused("InvalidSnapshot.InUse") && refused("SnapshotLocked"), "{results:?}");

    // Night after night the same, and no ticket: nothing has failed.
    for _ in 0..3 {
        prune(&scene, &id);
    }
    assert_eq!((left(&scene), scene.messages()), (vec![2, 4], vec![]));
    // Once they are let go, they go.
    scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&home()).unwrap();
        place.images.clear();
        place.locked.clear();
    });
    prune(&scene, &id);
    assert_eq!(left(&scene), [0; 0]);
}

#[test]
fn of_a_set_whose_second_volume_is_locked_the_rest_is_deleted_and_what_is_left_counts_for_nothing() {
    let (scene, id) = scene(12, json!({ "at_least": 2 }), 1..=4);
    hold(&scene, &[], &[of_volume(&scene, 1, 1)]);
    let first = prune(&scene, &id);
    let why = &first.expired[0].result;
    assert!(why.starts_with("not deleted: 1 of 2 snapshots deleted; DeleteSnapshot: "), "{why}");
    assert_eq!((left(&scene), ids(&scene, 1).len()), (vec![1, 4], 1));
    prune(&scene, &id);
    assert_eq!((left(&scene), scene.messages()), (vec![1], vec![]));
}

#[test]
fn however_many_old_sets_are_locked_the_newer_ones_go() {
    let scene = Scene::new(13, &[nightly(json!({ "retention": { "keep_last": 1 } }))]);
    let id = scene.add(|spec| spec);
    let nights: Vec<Timestamp> =
        (0..160).map(|hour| night(1) + jiff::SignedDuration::from_hours(hour)).collect();
    nights.iter().for_each(|night| scene.add_set(&id, *night));
    let old = format!("nightly/{}", nights[150]);
    let locked: Vec<String> = scene
        .snapshots()
        .into_iter()
        .filter(|snapshot| snapshot.tags["stopgap:occurrence"] < old)
        .map(|snapshot| snapshot.id)
        .collect();
    hold(&scene, &[], &locked);
    let pruned = prune(&scene, &id);
    assert_eq!(scene.snapshots().len(), 2 * (150 + 1));
    let refused =
        pruned.expired.iter().filter(|expired| expired.result != "deleted").count() + pruned.more_refused;
    assert_eq!((refused, pruned.deferred), (150, 0));
    // The document of the run holds no more than a part of them.
    assert!(pruned.expired.len() <= 110, "{}", pruned.expired.len());
}
