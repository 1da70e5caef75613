//! The backup sets that the inventory has already: what retention begins with.

use std::collections::BTreeMap;

use jiff::Timestamp;
use stopgap_core::backup_set::{self, BackupSet};
use stopgap_core::inventory::{Inventory, Snapshot};
use stopgap_core::plan::orphans::{self, Why};

use super::orphans::Orphaned;
use super::planning::in_question_at;
use super::setting::Setting;

/// Sets by tags.
pub(super) struct Recorded<'i> {
    /// Of each policy and instance, by their places in the setting, the sets that its runs prune.
    pub(super) pruned: BTreeMap<usize, BTreeMap<usize, Vec<BackupSet<'i>>>>,
    /// What no run prunes, by policy and instance.
    pub(super) orphaned: Vec<Orphaned>,
    /// How many sets are of a time after the beginning: they are taken for not made yet.
    pub(super) later: usize,
    /// How many snapshots have tags of stopgap's that make no sense.
    pub(super) foreign: usize,
}

/// Who prunes a set.
enum Pruner {
    /// The runs of this instance, by its place in the setting.
    Runs(usize),
    /// The fleet, for this reason.
    Fleet(Why),
    /// Nobody: why.
    Nobody(&'static str),
}

impl<'i> Recorded<'i> {
    /// The sets in `inventory`, which has all instances, selected or not.
    pub(super) fn new(setting: &Setting, inventory: &'i Inventory, from: Timestamp) -> Self {
        let grouped = backup_set::group(&inventory.snapshots);
        let (sets, later): (Vec<_>, Vec<_>) = grouped.sets.into_iter().partition(|set| set.at() <= from);
        let mut series: BTreeMap<(String, &str), Vec<BackupSet<'i>>> = BTreeMap::new();
        for set in sets {
            series.entry((set.policy().to_string(), set.instance_id)).or_default().push(set);
        }
        let instances = inventory.instances.iter().map(|instance| (instance.id.as_str(), instance)).collect();
        let attached = orphans::attached(inventory);
        let mut pruned: BTreeMap<usize, BTreeMap<usize, Vec<BackupSet<'i>>>> = BTreeMap::new();
        let mut orphaned = Vec::new();
        for ((id, instance_id), sets) in series {
            let policy = setting.policies.iter().position(|policy| policy.id.as_str() == id);
            let why = match pruner(setting, policy, instance_id, &instances, attached.contains(instance_id)) {
                Pruner::Runs(instance) => {
                    if let Some(policy) = policy {
                        pruned.entry(policy).or_default().insert(instance, sets);
                    }
                    continue;
                }
                Pruner::Fleet(why) => Ok(why),
                Pruner::Nobody(why) => Err(why),
            };
            orphaned.extend(Orphaned::new(why, &sets, &setting.assumed));
        }
        Self { pruned, orphaned, later: later.len(), foreign: grouped.foreign.len() }
    }

    /// The snapshots that the plan of `tick` has to know: those that may have served what the first one finds due.
    pub(super) fn in_question(&self, setting: &Setting, tick: Timestamp, first: Timestamp) -> Vec<Snapshot> {
        if tick != first {
            return Vec::new();
        }
        let occurrences = in_question_at(&setting.policies, first);
        let sets = self.pruned.values().flat_map(BTreeMap::values).flatten();
        let asked = sets.filter(|set| occurrences.contains(&set.occurrence));
        asked.flat_map(|set| &set.snapshots).map(|snapshot| (*snapshot).clone()).collect()
    }
}

fn pruner(
    setting: &Setting,
    policy: Option<usize>,
    instance_id: &str,
    instances: &BTreeMap<&str, &stopgap_core::inventory::Instance>,
    is_attached: bool,
) -> Pruner {
    let Some(policy) = policy.and_then(|n| setting.policies.get(n)) else {
        return Pruner::Nobody("there is no such policy in the file");
    };
    if !policy.enabled {
        return Pruner::Nobody("the policy is disabled");
    }
    let instance = instances.get(instance_id).copied();
    if instance.is_none() && is_attached {
        return Pruner::Nobody("there is no record of the instance, but of a volume of it");
    }
    match (orphans::why(policy, instance, None), setting.places.get(instance_id)) {
        (None, Some(place)) => Pruner::Runs(*place),
        (Some(why), _) => Pruner::Fleet(why),
        (None, None) => Pruner::Fleet(Why::Unselected),
    }
}
