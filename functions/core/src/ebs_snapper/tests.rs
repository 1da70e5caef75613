//! Which snapshots are ebs_snapper's, and which make a set.

use proptest::prelude::*;

use super::*;
use crate::backup_set::{self, SetStatus};
use crate::inventory::SnapshotState;
use crate::policy::Tool;
use crate::retention::{self, Action};

/// A snapshot as ebs_snapper 0.10 makes it.
fn snapshot(volume: &str, started_at: &str) -> Snapshot {
    Snapshot {
        id: format!("snap-{volume}-{started_at}"),
        owner: None,
        volume_id: volume.to_owned(),
        state: SnapshotState::Completed,
        started_at: started_at.parse().unwrap(),
        size_gib: 8,
        description: format!("Created from i-1 by EbsSnapper(0.10.6) for ami-1 from {volume}"),
        tags: [(DELETE_ON.to_owned(), "2017-03-09".to_owned())].into(),
    }
}

/// The sets, each as `time: volumes it has/volumes it has to have`.
fn shown(snapshots: &[Snapshot]) -> Vec<String> {
    let shown = |group: &Group<&Snapshot>| {
        let volumes: Vec<&str> = group.members.iter().map(|snapshot| snapshot.volume_id.as_str()).collect();
        format!("{}: {}/{}", group.at, volumes.join(" "), group.volumes)
    };
    sets(snapshots.iter().collect()).iter().map(shown).collect()
}

fn told(snapshot: &Snapshot) -> Option<Result<&str, String>> {
    instance_of_snapshot(snapshot)
}

#[test]
fn a_snapshot_is_of_the_instance_that_its_description_names() {
    assert_eq!(told(&snapshot("vol-1", "2017-03-05T02:00:00Z")), Some(Ok("i-1")));
}

#[test]
fn without_the_tag_it_is_not_ebs_snappers_and_with_one_of_stopgaps_it_is_stopgaps() {
    let mut manual = snapshot("vol-1", "2017-03-05T02:00:00Z");
    manual.tags.clear();
    assert_eq!(told(&manual), None);
    let mut ours = snapshot("vol-1", "2017-03-05T02:00:00Z");
    ours.tags.insert(set_tags::POLICY.to_owned(), "nightly".to_owned());
    assert_eq!(told(&ours), None);
}

#[test]
fn of_a_snapshot_that_does_not_say_whose_it_is_nothing_is_assumed() {
    let with = |description: &str, delete_on: &str, volume: &str| {
        let mut snapshot = snapshot(volume, "2017-03-05T02:00:00Z");
        snapshot.description = description.to_owned();
        snapshot.tags.insert(DELETE_ON.to_owned(), delete_on.to_owned());
        told(&snapshot).unwrap().unwrap_err()
    };
    let fine = "Created from i-1 by EbsSnapper(0.10.6) for ami-1 from vol-1";
    assert!(with(fine, "never", "vol-1").contains("`never`"));
    assert!(with(fine, "2017-02-30", "vol-1").contains("no day"));
    assert!(with("", "2017-03-09", "vol-1").contains("description"));
    assert!(
        with("Created by CreateImage(i-1) for ami-1 from vol-1", "2017-03-09", "vol-1")
            .contains("description")
    );
    assert!(
        with("Created from i- by EbsSnapper(0.10.6) for ami-1 from vol-1", "2017-03-09", "vol-1")
            .contains("description")
    );
    assert!(with(fine, "2017-03-09", "vol-ffffffff").contains("copy"));
}

#[test]
fn the_description_that_is_asked_for_is_how_that_of_every_snapshot_of_the_instance_begins() {
    assert!(snapshot("vol-1", "2017-03-05T02:00:00Z").description.starts_with(&description("i-1")));
    assert!(!snapshot("vol-1", "2017-03-05T02:00:00Z").description.starts_with(&description("i-")));
}

#[test]
fn what_one_run_began_is_one_set() {
    let snapshots = [
        snapshot("vol-1", "2017-03-05T02:00:10.250Z"),
        snapshot("vol-2", "2017-03-05T02:04:59Z"),
        snapshot("vol-1", "2017-03-05T14:00:11Z"),
        snapshot("vol-2", "2017-03-05T14:00:15Z"),
    ];
    assert_eq!(
        shown(&snapshots),
        ["2017-03-05T02:00:10Z: vol-1 vol-2/2", "2017-03-05T14:00:11Z: vol-1 vol-2/2"]
    );
}

#[test]
fn what_the_next_run_took_of_other_volumes_belongs_to_the_set_and_what_came_later_does_not() {
    let snapshots = [
        snapshot("vol-1", "2017-03-05T02:00:10Z"),
        snapshot("vol-2", "2017-03-05T02:15:10Z"),
        snapshot("vol-3", "2017-03-05T03:15:10Z"),
    ];
    assert_eq!(shown(&snapshots), ["2017-03-05T02:00:10Z: vol-1 vol-2/2", "2017-03-05T03:15:10Z: vol-3/3"]);
}

#[test]
fn two_snapshots_of_a_volume_are_two_sets_however_close() {
    let snapshots = [snapshot("vol-1", "2017-03-05T02:00:10Z"), snapshot("vol-1", "2017-03-05T02:00:40Z")];
    assert_eq!(shown(&snapshots), ["2017-03-05T02:00:10Z: vol-1/1", "2017-03-05T02:00:40Z: vol-1/1"]);
}

#[test]
fn a_volume_is_missed_between_its_snapshots_and_not_before_or_after() {
    let snapshots = [
        snapshot("vol-1", "2017-03-01T02:00:00Z"),
        snapshot("vol-1", "2017-03-02T02:00:00Z"),
        snapshot("vol-2", "2017-03-02T02:00:05Z"),
        snapshot("vol-1", "2017-03-03T02:00:00Z"),
        snapshot("vol-1", "2017-03-04T02:00:00Z"),
        snapshot("vol-2", "2017-03-04T02:00:05Z"),
        snapshot("vol-1", "2017-03-05T02:00:00Z"),
        snapshot("vol-1", "2017-03-06T02:00:00Z"),
    ];
    let counts: Vec<String> =
        shown(&snapshots).iter().map(|set| set.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(counts, ["vol-1/1", "vol-2/2", "vol-1/2", "vol-2/2", "vol-1/1", "vol-1/1"]);
}

#[test]
fn the_newest_set_has_to_have_what_the_one_before_it_had() {
    let snapshots = [
        snapshot("vol-1", "2017-03-04T02:00:00Z"),
        snapshot("vol-2", "2017-03-04T02:00:05Z"),
        snapshot("vol-1", "2017-03-05T02:00:00Z"),
    ];
    assert_eq!(shown(&snapshots)[1], "2017-03-05T02:00:00Z: vol-1/2");
    let policy = "nightly".parse().unwrap();
    let statuses: Vec<SetStatus> =
        backup_set::adopted(&policy, &snapshots).iter().map(|set| set.status).collect();
    assert_eq!(statuses, [SetStatus::Complete, SetStatus::Incomplete { completed: 1 }]);
}

#[test]
fn adopted_sets_are_the_policys_and_say_who_made_them() {
    let mut other = snapshot("vol-9", "2017-03-05T02:00:00Z");
    other.description = other.description.replace("i-1", "i-2");
    let snapshots = [snapshot("vol-1", "2017-03-05T02:00:00.9Z"), other];
    let policy = "nightly".parse().unwrap();
    let sets = backup_set::adopted(&policy, &snapshots);
    let shown: Vec<(String, &str, Option<Tool>)> =
        sets.iter().map(|set| (set.occurrence.to_string(), set.instance_id, set.adopted)).collect();
    let tool = Some(Tool::EbsSnapper);
    assert_eq!(
        shown,
        [
            ("nightly/2017-03-05T02:00:00Z".to_owned(), "i-1", tool),
            ("nightly/2017-03-05T02:00:00Z".to_owned(), "i-2", tool)
        ]
    );
}

/// ebs_snapper's own scenario, and those by which its count went wrong: pending, failed, and someone's own snapshots.
#[test]
fn seven_expired_ones_with_a_minimum_of_five_leave_five_complete_ones() {
    let retention = crate::policy::Retention {
        keep_for: Some("1h".parse().unwrap()),
        at_least: Some(crate::policy::Count::Of(5)),
        ..crate::policy::Retention::default()
    };
    let left = |snapshots: &[Snapshot]| {
        let sets = backup_set::adopted(&"nightly".parse().unwrap(), snapshots);
        let decisions = retention::plan(&retention, &"UTC".parse().unwrap(), &sets, None);
        let left = decisions.iter().filter(|decision| decision.action != Action::Delete);
        left.filter(|decision| decision.set.is_complete()).count()
    };
    let seven: Vec<Snapshot> =
        (1..=7).map(|day| snapshot("vol-1", &format!("2017-03-0{day}T02:00:00Z"))).collect();
    assert_eq!(left(&seven), 5);
    for state in [SnapshotState::Pending, SnapshotState::Error] {
        let mut some = seven.clone();
        some[4].state = state;
        some[6].state = state;
        assert_eq!(left(&some), 5, "{state:?}");
    }
    let mut some = seven;
    some[2].tags.clear();
    "Created by CreateImage(i-1) for ami-1 from vol-1".clone_into(&mut some[3].description);
    assert_eq!(left(&some), 5);
}

proptest! {
    #[test]
    fn every_snapshot_is_in_one_set_of_one_snapshot_a_volume_in_whatever_order_they_come(
        made in proptest::collection::vec((0..3u8, 0..40i64), 1..30), order in any::<prop::sample::Index>()
    ) {
        let begin: Timestamp = "2017-03-05T02:00:00Z".parse().unwrap();
        let mut snapshots: Vec<Snapshot> = made
            .iter()
            .enumerate()
            .map(|(n, (volume, minutes))| {
                let at = begin + SignedDuration::from_mins(minutes * 4);
                Snapshot { id: format!("snap-{n}"), ..snapshot(&format!("vol-{volume}"), &at.to_string()) }
            })
            .collect();
        let groups = shown(&snapshots);
        let found = sets(snapshots.iter().collect());
        prop_assert_eq!(found.iter().map(|group| group.members.len()).sum::<usize>(), snapshots.len());
        for group in &found {
            let volumes: BTreeSet<&str> = group.members.iter().map(|member| member.volume()).collect();
            prop_assert_eq!(volumes.len(), group.members.len());
            prop_assert!(group.volumes >= volumes.len());
        }
        prop_assert!(found.is_sorted_by_key(|group| group.at));
        let order = order.index(snapshots.len());
        snapshots.rotate_left(order);
        prop_assert_eq!(shown(&snapshots), groups);
    }
}
