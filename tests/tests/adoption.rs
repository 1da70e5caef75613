//! ebs_snapper's snapshots on the shipped machine: adopted, they are pruned by the policy's rules; else nobody touches them.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use jiff::Timestamp;
use serde_json::{Value, json};
use stopgap_core::inventory::{Snapshot, SnapshotState};
use stopgap_core::pruning::Pruned;
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::{Scene, home, nightly};

/// A night of October 2026, long before the scenario.
fn night(day: u8) -> Timestamp {
    format!("2026-10-{day:02}T02:00:00Z").parse().unwrap()
}

/// Snapshots as ebs_snapper makes them, of all volumes of an instance.
fn add_theirs(scene: &Scene, instance: &str, at: Timestamp) {
    let tags = [("DeleteOn".to_owned(), "2026-10-05".to_owned())].into();
    scene.stopgap.aws.add_backup(instance, at, &tags);
    change(scene, at, |_, snapshot| {
        if snapshot.description.is_empty() {
            snapshot.description = format!(
                "Created from {instance} by EbsSnapper(0.10.6) for ami-1 from {}",
                snapshot.volume_id
            );
        }
    });
}

/// Changes all snapshots that were begun then.
fn change(scene: &Scene, at: Timestamp, change: impl Fn(usize, &mut Snapshot)) {
    scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&home()).unwrap();
        let of_then = place.snapshots.values_mut().map(|copy| &mut copy.snapshot);
        of_then.filter(|snapshot| snapshot.started_at == at).enumerate().for_each(|(n, s)| change(n, s));
    });
}

/// One instance of two volumes, and ebs_snapper's snapshots of these nights.
fn scene(seed: u64, policies: &[Value], days: impl IntoIterator<Item = u8>) -> (Scene, String) {
    let scene = Scene::new(seed, policies);
    let id = scene.add(|spec| spec);
    days.into_iter().for_each(|day| add_theirs(&scene, &id, night(day)));
    (scene, id)
}

fn adopting(retention: Value) -> Value {
    nightly(json!({ "retention": retention, "adopt": ["ebs-snapper"] }))
}

/// The nights of October of which a snapshot of the instance is left.
fn left(scene: &Scene) -> Vec<u8> {
    let snapshots = scene.snapshots();
    (1..=31).filter(|day| snapshots.iter().any(|snapshot| snapshot.started_at == night(*day))).collect()
}

fn prune(scene: &Scene, id: &str, policy: &str) -> Pruned {
    let execution = scene.run(json!({ "instance_id": id, "policy": policy }));
    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    scene.pruned(&execution)
}

#[test]
fn without_adopt_they_stay_whatever_the_rules_say() {
    let (scene, id) = scene(1, &[nightly(json!({ "retention": { "keep_last": 1 } }))], 1..=7);
    assert_eq!(prune(&scene, &id, "nightly").expired, []);
    assert_eq!(left(&scene), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn adopted_they_are_pruned_by_the_rules_in_one_series_with_stopgaps_own() {
    let (scene, id) = scene(2, &[adopting(json!({ "keep_last": 3 }))], 1..=7);
    let pruned = prune(&scene, &id, "nightly");
    assert_eq!((pruned.kept, left(&scene)), (3, vec![6, 7]), "and the new one");
    let first = &pruned.expired[0];
    assert_eq!(first.occurrence, "nightly/2026-10-01T02:00:00Z");
    assert_eq!(
        (first.reason.as_str(), first.result.as_str()),
        ("made by ebs_snapper: no rule keeps it", "deleted")
    );
    // And by the next run, in which stopgap has two sets.
    prune(&scene, &id, "nightly");
    assert_eq!(left(&scene), [7]);
}

/// ebs_snapper with a minimum of 5 and seven expired ones deletes all seven, and counts what is pending, failed, someone's own,
/// or held by an image.
#[test]
fn seven_expired_ones_with_a_floor_of_five_leave_five_complete_sets() {
    let floor = json!({ "keep_for": "1h", "at_least": 5 });
    let (scene, id) = self::scene(3, &[adopting(floor.clone())], 1..=7);
    prune(&scene, &id, "nightly");
    assert_eq!(left(&scene), [4, 5, 6, 7], "and the new one");

    for (seed, state) in [(4, SnapshotState::Pending), (5, SnapshotState::Error)] {
        let (scene, id) = self::scene(seed, &[adopting(floor.clone())], 1..=7);
        for day in [5, 7] {
            change(&scene, night(day), |n, s| s.state = if n == 0 { state } else { s.state });
        }
        prune(&scene, &id, "nightly");
        let complete: Vec<u8> = left(&scene).into_iter().filter(|day| ![5, 7].contains(day)).collect();
        assert_eq!(complete, [2, 3, 4, 6], "{state:?}: four complete ones and the new one");
    }

    // Two snapshots made by hand, and an image's, which even has the tag.
    let (scene, id) = self::scene(6, &[adopting(floor)], 1..=7);
    change(&scene, night(6), |_, snapshot| snapshot.tags.clear());
    change(&scene, night(1), |_, snapshot| {
        snapshot.description = format!("Created by CreateImage({id}) for ami-1 from {}", snapshot.volume_id);
    });
    prune(&scene, &id, "nightly");
    assert_eq!(left(&scene), [1, 3, 4, 5, 6, 7], "four that count, the new one, and those of others");
}

#[test]
fn a_run_of_ebs_snappers_that_missed_a_volume_counts_for_nothing() {
    let (scene, id) = scene(7, &[adopting(json!({ "keep_for": "1h", "at_least": 3 }))], 1..=4);
    let half = scene.snapshots().into_iter().find(|snapshot| snapshot.started_at == night(3)).unwrap().id;
    scene.stopgap.aws.change(|world| world.places.get_mut(&home()).unwrap().snapshots.remove(&half));
    prune(&scene, &id, "nightly");
    assert_eq!(
        left(&scene),
        [2, 3, 4],
        "the new one and two complete ones; what is left of the 3rd waits for them to go"
    );
}

#[test]
fn one_that_an_image_was_made_of_is_left_alone_with_the_reason() {
    let (scene, id) = scene(8, &[adopting(json!({ "keep_last": 1 }))], 1..=3);
    let held = scene.snapshots().into_iter().find(|snapshot| snapshot.started_at == night(2)).unwrap().id;
    scene.stopgap.aws.change(|world| world.places.get_mut(&home()).unwrap().images.insert(held));
    let pruned = prune(&scene, &id, "nightly");
    assert_eq!(left(&scene), [2], "{pruned:?}");
    assert!(pruned.expired.iter().any(|expired| expired.result.starts_with("not deleted: ")), "{pruned:?}");
}

#[test]
fn two_policies_that_adopt_the_same_snapshots_make_one_series_of_the_first_that_selects_the_instance() {
    let policy = |id: &str, select: Value, keep: u8| {
        nightly(
            json!({ "id": id, "select": { "any": [select] }, "retention": { "keep_last": keep }, "adopt": ["ebs-snapper"] }),
        )
    };
    let everything = || json!({ "tag": { "Backup": ["nightly"] } });
    let policies = [
        policy("a-elsewhere", json!({ "name": "no-*" }), 1),
        policy("b-first", everything(), 4),
        policy("c-second", everything(), 1),
    ];
    let (scene, id) = scene(9, &policies, 1..=7);
    assert_eq!(prune(&scene, &id, "c-second").expired, [], "they are not its");
    assert_eq!(prune(&scene, &id, "a-elsewhere").expired, [], "it does not select the instance");
    assert_eq!(left(&scene), [1, 2, 3, 4, 5, 6, 7]);
    let pruned = prune(&scene, &id, "b-first");
    assert_eq!(left(&scene), [5, 6, 7], "and the new one: {pruned:?}");
}

#[test]
fn what_is_another_instances_or_does_not_say_whose_it_is_stays() {
    let (scene, id) = scene(10, &[adopting(json!({ "keep_last": 1 }))], 1..=4);
    change(&scene, night(1), |_, snapshot| {
        snapshot.description = snapshot.description.replace(&id, "i-0other")
    });
    change(&scene, night(2), |_, snapshot| snapshot.description.clear());
    // A copy from another Region.
    change(&scene, night(3), |_, snapshot| "vol-ffffffff".clone_into(&mut snapshot.volume_id));
    prune(&scene, &id, "nightly");
    assert_eq!(left(&scene), [1, 2, 3]);
}
