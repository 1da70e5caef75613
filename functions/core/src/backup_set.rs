//! Backup sets: the snapshots that share an occurrence and an instance.
//!
//! Sets are read from the snapshots' own tags (see [`crate::set_tags`]), so they survive the loss of our table. A
//! snapshot whose tags are incomplete, malformed or contradict another's is *foreign*: it belongs to no set, counts for
//! nothing, and is never deleted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::inventory::{Snapshot, SnapshotState};
use crate::occurrence::Occurrence;
use crate::policy::PolicyId;
use crate::set_tags;

/// The snapshots of one occurrence and instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSet<'a> {
    /// What it is the backup for.
    pub occurrence: Occurrence,
    /// The instance it is a backup of. It may no longer exist.
    pub instance_id: &'a str,
    /// How many volumes it has, by its tags.
    pub volumes: usize,
    /// Whether it can be restored from.
    pub status: SetStatus,
    /// Its snapshots, surplus ones too, by id.
    pub snapshots: Vec<&'a Snapshot>,
    /// The ids of those that the set does not need: a volume's second snapshot and on, after an unanswered create was
    /// repeated, and those that ended in error beside others that did not. They go when the set goes.
    pub surplus: Vec<&'a str>,
}

/// Whether a set can be restored from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetStatus {
    /// Each of its volumes has a completed snapshot.
    Complete,
    /// Each has one that is completed or still being copied.
    Pending,
    /// At least one volume has neither; so many do.
    Incomplete {
        /// How many volumes have a completed snapshot.
        completed: usize,
    },
}

impl BackupSet<'_> {
    /// The policy that asked for it.
    pub fn policy(&self) -> &PolicyId {
        &self.occurrence.policy
    }

    /// The time of the set: its occurrence's, whenever its snapshots were begun.
    pub fn at(&self) -> Timestamp {
        self.occurrence.at
    }

    /// Whether it can be restored from.
    pub fn is_complete(&self) -> bool {
        self.status == SetStatus::Complete
    }
}

/// What snapshots make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sets<'a> {
    /// The sets, by policy, time and instance.
    pub sets: Vec<BackupSet<'a>>,
    /// Snapshots with tags of ours that make no sense, by id. Those without any are not mentioned: they are not ours.
    pub foreign: Vec<Foreign<'a>>,
}

/// A snapshot that has some tag of ours and belongs to no set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreign<'a> {
    /// The snapshot's id.
    pub snapshot_id: &'a str,
    /// What is wrong with its tags, in words.
    pub why: String,
}

/// Sorts `snapshots` into sets. Their order does not matter.
pub fn group<'a>(snapshots: impl IntoIterator<Item = &'a Snapshot>) -> Sets<'a> {
    let mut members: BTreeMap<(Occurrence, &str), Vec<(usize, &Snapshot)>> = BTreeMap::new();
    let mut foreign = Vec::new();
    for snapshot in snapshots {
        match membership(snapshot) {
            None => {}
            Some(Ok((occurrence, instance, volumes))) => {
                members.entry((occurrence, instance)).or_default().push((volumes, snapshot));
            }
            Some(Err(why)) => foreign.push(Foreign { snapshot_id: &snapshot.id, why }),
        }
    }
    let mut sets = Vec::new();
    for ((occurrence, instance_id), members) in members {
        match set(occurrence, instance_id, &members) {
            Ok(set) => sets.push(set),
            Err(why) => {
                let foreigner = |(_, snapshot): &(usize, &'a Snapshot)| Foreign {
                    snapshot_id: &snapshot.id,
                    why: why.clone(),
                };
                foreign.extend(members.iter().map(foreigner));
            }
        }
    }
    foreign.sort();
    Sets { sets, foreign }
}

/// The set a snapshot says that it belongs to, and how many volumes that has; `None` when it has no tag of ours.
fn membership(snapshot: &Snapshot) -> Option<Result<(Occurrence, &str, usize), String>> {
    let ours = |key: &String| key.starts_with(set_tags::PREFIX);
    snapshot.tags.keys().any(ours).then(|| {
        let tag = |key: &str| {
            snapshot
                .tags
                .get(key)
                .map(String::as_str)
                .ok_or_else(|| format!("it has tags of stopgap's, but no `{key}`"))
        };
        let policy = tag(set_tags::POLICY)?;
        let instance = tag(set_tags::INSTANCE)?;
        let occurrence: Occurrence = tag(set_tags::OCCURRENCE)?
            .parse()
            .map_err(|error| format!("its tag `{}`: {error}", set_tags::OCCURRENCE))?;
        let volumes = tag(set_tags::VOLUMES)?;
        if occurrence.policy.as_str() != policy {
            return Err(format!("its tags name two policies, `{policy}` and `{}`", occurrence.policy));
        }
        if !instance.starts_with("i-") {
            return Err(format!("its tag `{}` is no instance id: `{instance}`", set_tags::INSTANCE));
        }
        let volumes = volumes.parse::<usize>().ok().filter(|n| *n > 0).ok_or_else(|| {
            format!("its tag `{}` is not a number of volumes: `{volumes}`", set_tags::VOLUMES)
        })?;
        Ok((occurrence, instance, volumes))
    })
}

fn set<'a>(
    occurrence: Occurrence,
    instance_id: &'a str,
    members: &[(usize, &'a Snapshot)],
) -> Result<BackupSet<'a>, String> {
    // A try that ended in error says nothing about the one after it: volumes may have come and gone between them.
    let (failed, good): (Vec<&(usize, &Snapshot)>, Vec<_>) =
        members.iter().partition(|(_, snapshot)| snapshot.state == SnapshotState::Error);
    let (failed, good) = if good.is_empty() { (good, failed) } else { (failed, good) };
    let sizes: BTreeSet<usize> = good.iter().map(|(volumes, _)| *volumes).collect();
    let volumes = match sizes.iter().copied().collect::<Vec<_>>()[..] {
        [volumes] => volumes,
        _ => {
            return Err(format!(
                "the snapshots of {occurrence} of {instance_id} disagree on how many volumes it has"
            ));
        }
    };
    let mut by_volume: BTreeMap<&str, Vec<&Snapshot>> = BTreeMap::new();
    for (_, snapshot) in good {
        by_volume.entry(&snapshot.volume_id).or_default().push(snapshot);
    }
    if by_volume.len() > volumes {
        return Err(format!(
            "{occurrence} of {instance_id} has snapshots of {} volumes, but its tags say {volumes}",
            by_volume.len()
        ));
    }
    let mut surplus: Vec<&str> = failed.iter().map(|(_, snapshot)| snapshot.id.as_str()).collect();
    let (mut completed, mut pending) = (0, 0);
    for snapshots in by_volume.values_mut() {
        // The best one first: completed before pending before the rest, then the oldest.
        snapshots.sort_by_key(|snapshot| (rank(snapshot.state), snapshot.started_at, &snapshot.id));
        let (best, rest) = match snapshots.split_first() {
            Some((best, rest)) => (best.state, rest),
            None => continue,
        };
        completed += usize::from(best == SnapshotState::Completed);
        pending += usize::from(best == SnapshotState::Pending);
        surplus.extend(rest.iter().map(|snapshot| snapshot.id.as_str()));
    }
    surplus.sort_unstable();
    let status = match () {
        () if completed == volumes => SetStatus::Complete,
        () if completed + pending == volumes => SetStatus::Pending,
        () => SetStatus::Incomplete { completed },
    };
    let mut snapshots: Vec<&Snapshot> = members.iter().map(|(_, snapshot)| *snapshot).collect();
    snapshots.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(BackupSet { occurrence, instance_id, volumes, status, snapshots, surplus })
}

fn rank(state: SnapshotState) -> u8 {
    match state {
        SnapshotState::Completed => 0,
        SnapshotState::Pending => 1,
        SnapshotState::Recovering | SnapshotState::Recoverable => 2,
        SnapshotState::Error => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let snapshots = [
            snapshot("snap-3", "vol-1", "i-1", FIRST, 1),
            failed,
            snapshot("snap-2", "vol-1", "i-1", FIRST, 1),
        ];
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
        let again =
            [snapshot("snap-2", "vol-1", "i-1", FIRST, 2), snapshot("snap-3", "vol-2", "i-1", FIRST, 2)];
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
}
