//! What makes a set, and whether it is complete.

use super::*;
use crate::set_tags;
use crate::testing::snapshot;

const FIRST: &str = "nightly/2026-11-20T02:00:00Z";

fn statuses(snapshots: &[Snapshot]) -> Vec<SetStatus> {
    group(snapshots).sets.iter().map(|set| set.status).collect()
}

#[test]
fn a_set_is_complete_when_every_volume_has_a_completed_snapshot() {
    let mut snapshots =
        vec![snapshot("snap-1", "vol-1", "i-1", FIRST, 2), snapshot("snap-2", "vol-2", "i-1", FIRST, 2)];
    assert_eq!(statuses(&snapshots), [SetStatus::Complete]);
    snapshots[1].state = SnapshotState::Pending;
    assert_eq!(statuses(&snapshots), [SetStatus::Pending]);
    snapshots[1].state = SnapshotState::Error;
    assert_eq!(statuses(&snapshots), [SetStatus::Incomplete { completed: 1 }]);
}

#[test]
fn two_snapshots_of_one_volume_do_not_make_a_set_of_two_volumes() {
    let snapshots =
        [snapshot("snap-1", "vol-1", "i-1", FIRST, 2), snapshot("snap-2", "vol-1", "i-1", FIRST, 2)];
    assert_eq!(statuses(&snapshots), [SetStatus::Incomplete { completed: 1 }]);
}

#[test]
fn duplicates_are_surplus_and_the_usable_one_is_not() {
    let mut failed = snapshot("snap-1", "vol-1", "i-1", FIRST, 1);
    failed.state = SnapshotState::Error;
    let snapshots =
        [snapshot("snap-3", "vol-1", "i-1", FIRST, 1), failed, snapshot("snap-2", "vol-1", "i-1", FIRST, 1)];
    let sets = group(&snapshots).sets;
    assert_eq!(sets[0].status, SetStatus::Complete);
    assert_eq!(sets[0].surplus, ["snap-1", "snap-3"]);
    assert_eq!(sets[0].snapshots.len(), 3);
}

#[test]
fn instances_and_occurrences_have_sets_of_their_own() {
    let snapshots = [
        snapshot("snap-1", "vol-1", "i-1", FIRST, 1),
        snapshot("snap-2", "vol-2", "i-2", FIRST, 1),
        snapshot("snap-3", "vol-1", "i-1", "nightly/2026-11-21T02:00:00Z", 1),
        snapshot("snap-4", "vol-1", "i-1", "weekly/2026-11-20T02:00:00Z", 1),
    ];
    assert_eq!(statuses(&snapshots), [SetStatus::Complete; 4]);
}

#[test]
fn the_time_of_a_set_is_its_occurrence_whenever_the_snapshots_were_begun() {
    let late = Snapshot { started_at: Timestamp::MAX, ..snapshot("snap-1", "vol-1", "i-1", FIRST, 1) };
    assert_eq!(group([&late]).sets[0].at(), "2026-11-20T02:00:00Z".parse().unwrap());
}

#[test]
fn tags_that_make_no_sense_make_a_snapshot_foreign_with_a_reason() {
    let with = |key: &str, value: Option<&str>| {
        let mut snapshot = snapshot("snap-1", "vol-1", "i-1", FIRST, 1);
        match value {
            Some(value) => snapshot.tags.insert(key.to_owned(), value.to_owned()),
            None => snapshot.tags.remove(key),
        };
        snapshot
    };
    for (snapshot, says) in [
        (with(set_tags::POLICY, None), "no `stopgap:policy`"),
        (with(set_tags::INSTANCE, None), "no `stopgap:instance`"),
        (with(set_tags::OCCURRENCE, None), "no `stopgap:occurrence`"),
        (with(set_tags::VOLUMES, None), "no `stopgap:volumes`"),
        (with(set_tags::POLICY, Some("weekly")), "two policies, `weekly` and `nightly`"),
        (with(set_tags::OCCURRENCE, Some("tuesday")), "not an occurrence"),
        (with(set_tags::INSTANCE, Some("web")), "no instance id"),
        (with(set_tags::VOLUMES, Some("0")), "not a number of volumes"),
        (with(set_tags::VOLUMES, Some("many")), "not a number of volumes"),
    ] {
        let sets = group([&snapshot]);
        assert_eq!(sets.sets, [], "{says}");
        assert!(sets.foreign[0].why.contains(says), "{:?}", sets.foreign);
    }
}

#[test]
fn snapshots_that_contradict_each_other_are_all_foreign() {
    let disagree =
        [snapshot("snap-1", "vol-1", "i-1", FIRST, 1), snapshot("snap-2", "vol-2", "i-1", FIRST, 2)];
    let too_many =
        [snapshot("snap-1", "vol-1", "i-1", FIRST, 1), snapshot("snap-2", "vol-2", "i-1", FIRST, 1)];
    for snapshots in [disagree, too_many] {
        let sets = group(&snapshots);
        assert_eq!((sets.sets.len(), sets.foreign.len()), (0, 2));
    }
}

#[test]
fn a_second_try_after_an_error_may_have_another_number_of_volumes() {
    let mut failed = snapshot("snap-1", "vol-gone", "i-1", FIRST, 1);
    failed.state = SnapshotState::Error;
    let again = [snapshot("snap-2", "vol-1", "i-1", FIRST, 2), snapshot("snap-3", "vol-2", "i-1", FIRST, 2)];
    let sets = group([&failed].into_iter().chain(&again));
    assert_eq!(sets.foreign, []);
    assert!(sets.sets[0].is_complete());
    assert_eq!((sets.sets[0].volumes, sets.sets[0].snapshots.len()), (2, 3), "it goes when the set goes");
    assert_eq!(sets.sets[0].surplus, ["snap-1"]);
}

#[test]
fn what_has_no_tag_of_ours_is_not_mentioned() {
    let mut snapshot = snapshot("snap-1", "vol-1", "i-1", FIRST, 1);
    snapshot.tags = [("Name".to_owned(), "stopgap".to_owned())].into();
    assert_eq!(group([&snapshot]), Sets::default());
}
