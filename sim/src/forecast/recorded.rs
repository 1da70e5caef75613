//! The backup sets that the inventory has already: what retention begins with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use stopgap_core::backup_set::{self, BackupSet};
use stopgap_core::inventory::Snapshot;

use super::planning::in_question_at;
use super::report::LeftAlone;
use super::setting::Setting;
use super::storage::stored_share;

/// Sets by tags.
pub(super) struct Recorded<'i> {
    /// Of each policy and instance, by their places in the setting, the sets that its runs prune.
    pub(super) pruned: BTreeMap<usize, BTreeMap<usize, Vec<BackupSet<'i>>>>,
    /// What no run prunes.
    pub(super) left_alone: Vec<LeftAlone>,
    /// How many sets are of a time after the beginning: they are taken for not made yet.
    pub(super) later: usize,
    /// How many snapshots have tags of stopgap's that make no sense.
    pub(super) foreign: usize,
}

impl<'i> Recorded<'i> {
    pub(super) fn new(setting: &Setting, snapshots: &'i [Snapshot], from: Timestamp) -> Self {
        let grouped = backup_set::group(snapshots);
        let (sets, later): (Vec<_>, Vec<_>) = grouped.sets.into_iter().partition(|set| set.at() <= from);
        let mut pruned: BTreeMap<usize, BTreeMap<usize, Vec<BackupSet<'i>>>> = BTreeMap::new();
        let mut alone: BTreeMap<(String, &'static str, &str), Vec<BackupSet<'i>>> = BTreeMap::new();
        for set in sets {
            let policy = setting.policies.iter().position(|policy| policy.id == *set.policy());
            let instance = setting.places.get(set.instance_id).copied();
            match why_alone(setting, policy, instance) {
                Ok((policy, instance)) => {
                    pruned.entry(policy).or_default().entry(instance).or_default().push(set);
                }
                Err(why) => {
                    alone.entry((set.policy().to_string(), why, set.instance_id)).or_default().push(set);
                }
            }
        }
        Self {
            pruned,
            left_alone: left_alone(setting, alone),
            later: later.len(),
            foreign: grouped.foreign.len(),
        }
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

/// The policy and the instance whose runs prune a set, or why there are none.
fn why_alone(
    setting: &Setting,
    policy: Option<usize>,
    instance: Option<usize>,
) -> Result<(usize, usize), &'static str> {
    let policy = policy.ok_or("there is no such policy in the file")?;
    if !setting.policies.get(policy).is_some_and(|policy| policy.enabled) {
        return Err("the policy is disabled");
    }
    let selected = instance
        .filter(|n| setting.instance(*n).is_some_and(|instance| setting.selects(policy, instance)))
        .ok_or("the policy selects no such instance: it is gone, or not matched any more")?;
    Ok((policy, selected))
}

fn left_alone(
    setting: &Setting,
    alone: BTreeMap<(String, &'static str, &str), Vec<BackupSet<'_>>>,
) -> Vec<LeftAlone> {
    let mut lines: BTreeMap<(String, &'static str), LeftAlone> = BTreeMap::new();
    for ((policy, why, _), sets) in alone {
        let line = lines.entry((policy.clone(), why)).or_insert_with(|| LeftAlone {
            policy,
            why,
            sets: 0,
            snapshots: 0,
            stored_gib: 0.0,
        });
        line.sets += sets.len() as u64;
        line.snapshots += sets.iter().map(|set| set.snapshots.len() as u64).sum::<u64>();
        // Volumes as the newest set has them.
        let newest = sets.iter().max_by_key(|set| set.at());
        let volumes: BTreeMap<&str, u64> = newest
            .into_iter()
            .flat_map(|set| &set.snapshots)
            .map(|snapshot| (snapshot.volume_id.as_str(), snapshot.size_gib))
            .collect();
        let times: BTreeSet<Timestamp> = sets.iter().map(BackupSet::at).collect();
        line.stored_gib += volumes.values().sum::<u64>() as f64 * stored_share(times, &setting.assumed);
    }
    lines.into_values().collect()
}
