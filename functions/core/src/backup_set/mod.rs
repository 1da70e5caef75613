//! Backup sets: the snapshots that share an occurrence and an instance.
//!
//! Sets are read from the snapshots' own tags (see [`crate::set_tags`]), so they survive the loss of our table. A
//! snapshot whose tags are incomplete, malformed or contradict another's is *foreign*: it belongs to no set, counts for
//! nothing, and is never deleted, unless a policy adopts it: see [`adopted()`].

mod adopted;
mod assess;
mod membership;

#[cfg(test)]
mod tests;

pub use adopted::adopted;
pub use assess::{Assessed, Contradiction, Member, assess};
pub use membership::{Claim, Membership};

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::inventory::{Snapshot, SnapshotState};
use crate::occurrence::Occurrence;
use crate::policy::{PolicyId, Tool};
use crate::retention::Facts;

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
    /// The tool that made it, if it was not stopgap. Its occurrence is no schedule's then: its time is when it was begun.
    pub adopted: Option<Tool>,
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

    /// What retention looks at.
    pub fn facts(&self) -> Facts {
        let begun_at = self.snapshots.iter().map(|snapshot| snapshot.started_at).max();
        let settled = |snapshot: &&Snapshot| snapshot.state.is_settled();
        Facts {
            at: self.at(),
            begun_at: begun_at.unwrap_or(self.at()),
            status: self.status,
            volumes: self.volumes,
            settled: self.snapshots.iter().all(settled),
        }
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
    // By policy, time and instance; each snapshot with the number of volumes that it says.
    type Members<'a> = BTreeMap<(&'a str, Timestamp, &'a str), Vec<(usize, &'a Snapshot)>>;
    let mut members = Members::new();
    let mut foreign = Vec::new();
    for snapshot in snapshots {
        let claim = Claim::of(snapshot.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        match claim.map(|claim| claim.read()) {
            None => {}
            Some(Ok(Membership { policy, at, instance_id, volumes })) => {
                members.entry((policy, at, instance_id)).or_default().push((volumes, snapshot));
            }
            Some(Err(why)) => foreign.push(Foreign { snapshot_id: &snapshot.id, why }),
        }
    }
    let mut sets = Vec::new();
    for ((policy, at, instance_id), mut members) in members {
        // A membership names a policy by its id.
        let Ok(policy) = policy.parse::<PolicyId>() else { continue };
        let occurrence = Occurrence { policy, at };
        match assess(&mut members) {
            Ok(Assessed { volumes, status, surplus, .. }) => {
                let mut surplus: Vec<&str> =
                    surplus.into_iter().map(|snapshot| snapshot.id.as_str()).collect();
                surplus.sort_unstable();
                let mut snapshots: Vec<&Snapshot> =
                    members.into_iter().map(|(_, snapshot)| snapshot).collect();
                snapshots.sort_unstable_by(|a, b| a.id.cmp(&b.id));
                sets.push(BackupSet {
                    occurrence,
                    instance_id,
                    volumes,
                    status,
                    snapshots,
                    surplus,
                    adopted: None,
                });
            }
            Err(contradiction) => {
                let why = format!("{occurrence} of {instance_id}: {contradiction}");
                foreign.extend(
                    members
                        .iter()
                        .map(|(_, snapshot)| Foreign { snapshot_id: &snapshot.id, why: why.clone() }),
                );
            }
        }
    }
    foreign.sort();
    Sets { sets, foreign }
}

impl<'a> Member for &'a Snapshot {
    type Volume = &'a str;
    type Id = &'a str;

    fn id(&self) -> &'a str {
        &self.id
    }

    fn volume(&self) -> &'a str {
        &self.volume_id
    }

    fn state(&self) -> SnapshotState {
        self.state
    }

    fn started_at(&self) -> Timestamp {
        self.started_at
    }
}
