//! Orphans: the backup sets that no run prunes any more, since their instance is gone or their policy does not select it.
//!
//! A run prunes at its end what its policy and instance no longer keep. Of orphans the fleet's plan finds out, from what it
//! reads anyway, and on the policy's own schedule: when an occurrence has come since the last plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::due;
use crate::backup_set::{self, BackupSet};
use crate::inventory::{Instance, Inventory, Location, Snapshot};
use crate::occurrence::Occurrence;
use crate::policy::{Orphans, Policy, PolicyId};
use crate::records::PlannedUntil;
use crate::retention::{self, Action, Expiry, Facts};
use crate::set_tags;

/// The backup sets of a policy and instance that no run prunes any more, and of which something is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphan {
    /// The instance.
    pub instance_id: String,
    /// Where it is, or was; empty where a recording does not say.
    pub location: Location,
    /// The policy that made the sets.
    pub policy: PolicyId,
    /// Why no run prunes them.
    pub why: Why,
    /// How many of them a rule keeps.
    pub kept: usize,
    /// Those that are to go, oldest first.
    pub delete: Vec<Expired>,
}

/// A set that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// Its occurrence.
    pub occurrence: Occurrence,
    /// Why, in words.
    pub reasons: Vec<String>,
}

/// Why no run prunes the sets of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It does not exist any more, or is terminated.
    Gone,
    /// It exists, and the policy does not select it, or skips it as a member of its Auto Scaling group.
    Unselected,
}

impl Why {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "the instance is gone",
            Self::Unselected => "the policy does not select it any more",
        }
    }

    /// When the last sets go, too: only those of an instance that is gone.
    pub fn expiry(self, policy: &Policy, now: Timestamp) -> Option<Expiry> {
        match (self, policy.orphans) {
            (Self::Gone, Orphans::ExpireAfter(after)) => Some(Expiry { after, now }),
            (Self::Gone, Orphans::Keep) | (Self::Unselected, _) => None,
        }
    }
}

/// Why no run of `policy` prunes the sets of `instance`, which is nothing where there is none; `None` when runs do.
pub fn why(policy: &Policy, instance: Option<&Instance>, home: Option<&Location>) -> Option<Why> {
    let Some(instance) = instance.filter(|instance| !instance.state.is_gone()) else {
        return Some(Why::Gone);
    };
    let selected = policy.targets_place(&instance.location, home) && policy.selects(instance).is_selected();
    let pruned = selected && !due::is_skipped_member(policy, instance);
    (!pruned).then_some(Why::Unselected)
}

/// The instances that volumes say they are attached to: they are there, even if there is no record of them.
pub fn attached(inventory: &Inventory) -> BTreeSet<&str> {
    let attachments = inventory.volumes.iter().flat_map(|volume| &volume.attachments);
    attachments.map(|attachment| attachment.instance_id.as_str()).collect()
}

/// Whether it is time to prune the orphans of `policy`: it is enabled, and an occurrence has come since `planned_until`.
pub fn is_time(policy: &Policy, at: Timestamp, planned_until: Option<Timestamp>) -> bool {
    let since = |latest: Timestamp| planned_until.is_none_or(|until| until < latest);
    policy.enabled && policy.schedule.latest(at).is_some_and(since)
}

/// What is to go of `sets`, which are those of one policy and instance, *newest first*; `None` when nothing is.
pub fn of_series(
    policy: &Policy,
    why: Why,
    instance_id: &str,
    location: Location,
    sets: &[Facts],
    at: Timestamp,
) -> Option<Orphan> {
    let expiry = why.expiry(policy, at);
    let verdicts = retention::decide(&policy.retention, &policy.schedule.timezone, sets, expiry);
    let kept = verdicts.iter().filter(|verdict| verdict.action == Action::Keep).count();
    let gone = sets.iter().zip(&verdicts).filter(|(_, verdict)| verdict.action == Action::Delete).rev();
    let delete: Vec<Expired> = gone
        .map(|(set, verdict)| Expired {
            occurrence: Occurrence { policy: policy.id.clone(), at: set.at },
            reasons: verdict.reasons.iter().map(ToString::to_string).collect(),
        })
        .collect();
    let instance_id = instance_id.to_owned();
    (!delete.is_empty()).then(|| Orphan {
        instance_id,
        location,
        policy: policy.id.clone(),
        why,
        kept,
        delete,
    })
}

/// The orphans of these policies in what was read, by instance and policy. `copies` are the snapshots of each place that
/// was read: what was not says nothing of what is gone.
///
/// Snapshots of an instance that is in another place are copies of someone's and no orphans. Nor are those of an instance
/// that a volume is attached to, though there is no record of it: reads lag.
pub fn of_inventory<'a>(
    policies: impl Iterator<Item = &'a Policy>,
    inventory: &Inventory,
    copies: &[(Location, &[Snapshot])],
    at: Timestamp,
    planned_until: Option<&PlannedUntil>,
    home: &Location,
) -> Vec<Orphan> {
    let instances: BTreeMap<&str, &Instance> =
        inventory.instances.iter().map(|instance| (instance.id.as_str(), instance)).collect();
    let policies: BTreeMap<&str, &Policy> = policies.map(|policy| (policy.id.as_str(), policy)).collect();
    let attached = attached(inventory);
    let mut orphans = Vec::new();
    for (place, snapshots) in copies {
        let until = planned_until.map(|mark| mark.of(place));
        // Asked once of each policy and instance, not of each snapshot.
        let mut whys: BTreeMap<(&str, &str), Option<Why>> = BTreeMap::new();
        let mut judge = |policy_id, instance_id| {
            *whys.entry((policy_id, instance_id)).or_insert_with(|| {
                let policy = policies.get(policy_id).filter(|policy| is_time(policy, at, until))?;
                let instance = instances.get(instance_id).copied();
                let is_here = match instance {
                    Some(instance) => instance.location == *place,
                    None => !attached.contains(instance_id),
                };
                why(policy, instance, Some(home)).filter(|_| is_here)
            })
        };
        let orphaned = snapshots.iter().filter(|snapshot| {
            let named = snapshot.tags.get(set_tags::POLICY).zip(snapshot.tags.get(set_tags::INSTANCE));
            named.is_some_and(|(policy, instance)| judge(policy, instance).is_some())
        });
        let mut sets = backup_set::group(orphaned).sets;
        sets.sort_by(|a, b| series(a).cmp(&series(b)).then(b.at().cmp(&a.at())));
        for sets in sets.chunk_by(|a, b| series(a) == series(b)) {
            let Some((instance_id, policy)) = sets.first().map(series) else { continue };
            let Some(why) = whys.get(&(policy.as_str(), instance_id)).copied().flatten() else { continue };
            let Some(policy) = policies.get(policy.as_str()) else { continue };
            let facts: Vec<Facts> = sets.iter().map(BackupSet::facts).collect();
            orphans.extend(of_series(policy, why, instance_id, place.clone(), &facts, at));
        }
    }
    orphans.sort_by(|a, b| (&a.instance_id, &a.policy).cmp(&(&b.instance_id, &b.policy)));
    orphans
}

/// What sets are told apart by, besides their time.
fn series<'s>(set: &'s BackupSet<'_>) -> (&'s str, &'s PolicyId) {
    (set.instance_id, set.policy())
}

#[cfg(test)]
mod tests;
