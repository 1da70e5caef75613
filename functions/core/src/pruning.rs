//! From retention's decisions to deletions: plan, then execute.
//!
//! The world may change between the two. Someone deletes the very set that the floor counts on, makes an image of a
//! snapshot, or takes the tags off one to keep it. So before each set is deleted the instance's snapshots are read again
//! and decided on again, and the set is left alone unless it still is to be deleted, and is what was planned.

mod executor;

pub use executor::{Expired, Pruned, execute};

use std::collections::BTreeSet;

use crate::backup_set::{self, BackupSet};
use crate::ebs_snapper;
use crate::error::TaskError;
use crate::inventory::{Location, Snapshot};
use crate::occurrence::Occurrence;
use crate::policy::{Policy, Tool};
use crate::ports::{Ec2, FaultKind, SnapshotQuery, all_pages};
use crate::retention::{self, Action, Decision, Expiry};
use crate::set_tags;

/// The sets of one policy and instance.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Where EC2 is asked.
    pub ec2: &'a dyn Ec2,
    /// Where the instance is, or was.
    pub location: &'a Location,
    /// The instance. It may no longer exist.
    pub instance_id: &'a str,
    /// The policy as it stands now.
    pub policy: &'a Policy,
    /// The tools whose snapshots of the instance are the policy's: see [`crate::adoption`].
    pub adopted: &'a [Tool],
    /// When the last sets go, too; only if the instance is gone.
    pub expiry: Option<Expiry>,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How many sets a rule keeps.
    pub kept: usize,
    /// How many the rules do not apply to; they stay.
    pub skipped: usize,
    /// What is to be deleted, the oldest first.
    pub expired: Vec<Target>,
}

/// A set that is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its occurrence.
    pub occurrence: Occurrence,
    /// The tool that made it, if it was not stopgap.
    pub adopted: Option<Tool>,
    /// Its snapshots, in the order in which they are deleted.
    pub snapshots: Vec<String>,
    /// Why it is to be deleted, in words.
    pub reason: String,
}

/// What became of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is gone.
    Deleted,
    /// There is no such set any more.
    Gone,
    /// It is left alone, or what is left of it: why, in words.
    Refused(String),
}

impl Scope<'_> {
    /// Reads the instance's snapshots and decides.
    pub async fn plan(&self) -> Result<Plan, TaskError> {
        let snapshots = self.read(&BTreeSet::new()).await?;
        let sets = self.sets(&snapshots);
        let decisions = self.decide(&sets);
        let count = |action| decisions.iter().filter(|decision| decision.action == action).count();
        let expired =
            decisions.iter().filter(|decision| decision.action == Action::Delete).map(target).collect();
        Ok(Plan { kept: count(Action::Keep), skipped: count(Action::Skip), expired })
    }

    /// What stands against deleting a set as it was planned: nothing, if the world still matches the plan. `gone` are the
    /// snapshots that have been deleted since; EC2's reads may still show them.
    ///
    /// A snapshot that is not to be seen any more may have been deleted; or someone has taken its tags off, to keep it. So a
    /// set of which anything is missing is left to the next run, which plans anew with what is still there and ours.
    pub async fn objection(
        &self,
        target: &Target,
        gone: &BTreeSet<String>,
    ) -> Result<Option<Outcome>, TaskError> {
        let snapshots = self.read(gone).await?;
        let sets = self.sets(&snapshots);
        let decisions = self.decide(&sets);
        let found = decisions.iter().find(|decision| is_still(decision.set, target));
        let Some(decision) = found else { return Ok(Some(Outcome::Gone)) };
        if decision.action != Action::Delete {
            let why = format!("it is not to be deleted any more: {}", reasons(decision));
            return Ok(Some(Outcome::Refused(why)));
        }
        let now: BTreeSet<&str> =
            decision.set.snapshots.iter().map(|snapshot| snapshot.id.as_str()).collect();
        let planned: BTreeSet<&str> = target.snapshots.iter().map(String::as_str).collect();
        let why = || Outcome::Refused("its snapshots are no longer those that were planned".to_owned());
        Ok((now != planned).then(why))
    }

    /// Deletes the snapshots of a set one by one, as EC2 asks, and notes each in `gone`.
    pub async fn delete(&self, target: &Target, gone: &mut BTreeSet<String>) -> Result<Outcome, TaskError> {
        for (n, id) in target.snapshots.iter().enumerate() {
            match self.ec2.delete_snapshot(self.location, id).await {
                Ok(()) => {}
                Err(fault) if fault.kind == FaultKind::NotFound => {}
                // An image was made of it, it is locked, or EC2 does not want to: others are not to wait for it.
                Err(fault) if matches!(fault.kind, FaultKind::Conflict | FaultKind::Rejected) => {
                    let before = match n {
                        0 => String::new(),
                        n => format!("{n} of {} snapshots deleted; ", target.snapshots.len()),
                    };
                    return Ok(Outcome::Refused(format!("{before}{fault}")));
                }
                Err(fault) => return Err(fault.into()),
            }
            gone.insert(id.clone());
        }
        Ok(Outcome::Deleted)
    }

    async fn read(&self, gone: &BTreeSet<String>) -> Result<Vec<Snapshot>, TaskError> {
        let query = SnapshotQuery::OfInstance(self.instance_id.to_owned());
        let mut snapshots =
            all_pages(|page| self.ec2.describe_snapshots(self.location, &query, page)).await?;
        for tool in self.adopted {
            let query = match tool {
                Tool::EbsSnapper => SnapshotQuery::EbsSnapperOf(self.instance_id.to_owned()),
            };
            let found = all_pages(|page| self.ec2.describe_snapshots(self.location, &query, page)).await?;
            // One that has stopgap's tags too is among the others already.
            let theirs = |snapshot: &Snapshot| ebs_snapper::instance_of_snapshot(snapshot).is_some();
            snapshots.extend(found.into_iter().filter(theirs));
        }
        snapshots.retain(|snapshot| !gone.contains(&snapshot.id));
        Ok(snapshots)
    }

    fn sets<'s>(&self, snapshots: &'s [Snapshot]) -> Vec<BackupSet<'s>> {
        let mut sets = backup_set::group(snapshots).sets;
        if self.adopted.contains(&Tool::EbsSnapper) {
            sets.extend(backup_set::adopted(&self.policy.id, snapshots));
        }
        sets.retain(|set| *set.policy() == self.policy.id && set.instance_id == self.instance_id);
        sets
    }

    fn decide<'s, 'a>(&self, sets: &'s [BackupSet<'a>]) -> Vec<Decision<'s, 'a>> {
        retention::plan(&self.policy.retention, &self.policy.schedule.timezone, sets, self.expiry)
    }
}

/// Whether `set` is the one that was planned. Sets of other tools have no occurrence of their own: two of them, or one and one
/// of stopgap's, may be of the same second.
fn is_still(set: &BackupSet<'_>, target: &Target) -> bool {
    set.occurrence == target.occurrence
        && set.adopted == target.adopted
        && (set.adopted.is_none()
            || set.snapshots.iter().any(|snapshot| target.snapshots.contains(&snapshot.id)))
}

/// The device with the lowest name comes first: mostly the root. An image holds on to that one above all, and then nothing of
/// the set is deleted rather than some of it.
fn target(decision: &Decision<'_, '_>) -> Target {
    let mut snapshots = decision.set.snapshots.clone();
    snapshots.sort_by_key(|snapshot| (snapshot.tags.get(set_tags::DEVICE), &snapshot.id));
    Target {
        occurrence: decision.set.occurrence.clone(),
        adopted: decision.set.adopted,
        snapshots: snapshots.into_iter().map(|snapshot| snapshot.id.clone()).collect(),
        reason: match decision.set.adopted {
            None => reasons(decision),
            Some(tool) => format!("made by {tool}: {}", reasons(decision)),
        },
    }
}

fn reasons(decision: &Decision<'_, '_>) -> String {
    decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
