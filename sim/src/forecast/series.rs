//! The sets of a policy over time: what core's retention keeps of them after each backup.
//!
//! The sets of one instance are a series. Series with the same history are decided on together: the same sets give the same
//! decisions, and most instances of a policy have the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use stopgap_core::backup_set::{BackupSet, SetStatus};
use stopgap_core::policy::Policy;
use stopgap_core::retention::{Action, Facts, decide};

/// The sets of one instance.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// The instance, by its place in the setting.
    pub(super) instance: usize,
    /// How many volumes each new set has.
    pub(super) volumes: u64,
    /// Its account and Region, by their place in the setting.
    pub(super) location: usize,
}

/// Series with the same history.
#[derive(Clone, Debug)]
struct Class {
    /// Oldest first.
    sets: Vec<Facts>,
    members: Vec<usize>,
}

/// All series of a policy.
pub(super) struct Kept<'s> {
    policy: &'s Policy,
    series: Vec<Series>,
    classes: Vec<Class>,
    /// How many snapshots the sets have that were there at the beginning.
    recorded: BTreeMap<(Timestamp, usize), u64>,
    /// How many snapshots there are, by account and Region.
    pub(super) snapshots: Vec<u64>,
}

/// What a backup of a policy's instances added and deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) sets_made: u64,
    pub(super) snapshots_made: u64,
    /// Sets and snapshots that were deleted, by the occurrence's time.
    pub(super) deleted: BTreeMap<Timestamp, (u64, u64)>,
    /// How many of the sets have so many snapshots.
    pub(super) deleted_by_size: BTreeMap<u64, u64>,
    /// Sets that no rule keeps and that are left to the next run.
    pub(super) deferred: u64,
}

impl<'s> Kept<'s> {
    /// The series at the beginning, each with its recorded sets.
    pub(super) fn new(
        policy: &'s Policy,
        series: Vec<Series>,
        recorded: &BTreeMap<usize, Vec<&BackupSet<'_>>>,
        locations: usize,
    ) -> Self {
        let snapshots = vec![0; locations];
        let mut kept = Self { policy, series, classes: Vec::new(), recorded: BTreeMap::new(), snapshots };
        for (n, one) in kept.series.iter().enumerate() {
            let mut sets: Vec<Facts> = Vec::new();
            for set in recorded.get(&one.instance).into_iter().flatten() {
                let count = set.snapshots.len() as u64;
                kept.recorded.insert((set.at(), n), count);
                if let Some(there) = kept.snapshots.get_mut(one.location) {
                    *there += count;
                }
                sets.push(at_rest(set.facts()));
            }
            sets.sort_by_key(|set| set.at);
            kept.classes.push(Class { sets, members: vec![n] });
        }
        kept.settle();
        kept
    }

    /// Adds the sets of an occurrence for the instances that were backed up, and prunes as their runs do in the end.
    pub(super) fn back_up(
        &mut self,
        occurrence: Timestamp,
        tick: Timestamp,
        done: &BTreeSet<usize>,
    ) -> Change {
        let mut change = Change::default();
        let (series, snapshots) = (&self.series, &mut self.snapshots);
        let is_done = |n: &usize| series.get(*n).is_some_and(|series| done.contains(&series.instance));
        let mut classes = Vec::new();
        for class in std::mem::take(&mut self.classes) {
            let (done, idle): (Vec<usize>, Vec<usize>) = class.members.iter().copied().partition(is_done);
            if !idle.is_empty() {
                classes.push(Class { sets: class.sets.clone(), members: idle });
            }
            if done.is_empty() {
                continue;
            }
            for one in done.iter().filter_map(|n| series.get(*n)) {
                change.sets_made += 1;
                change.snapshots_made += one.volumes;
                if let Some(there) = snapshots.get_mut(one.location) {
                    *there += one.volumes;
                }
            }
            let mut class = Class { members: done, ..class };
            class.add(occurrence, tick);
            let (expired, deferred) = class.prune(self.policy);
            change.deferred += deferred * class.members.len() as u64;
            for at in expired {
                for (n, one) in class.members.iter().filter_map(|n| Some((*n, series.get(*n)?))) {
                    let count = self.recorded.remove(&(at, n)).unwrap_or(one.volumes);
                    let (sets, of_sets) = change.deleted.entry(at).or_default();
                    *sets += 1;
                    *of_sets += count;
                    *change.deleted_by_size.entry(count).or_default() += 1;
                    if let Some(there) = snapshots.get_mut(one.location) {
                        *there = there.saturating_sub(count);
                    }
                }
            }
            classes.push(class);
        }
        self.classes = classes;
        self.settle();
        change
    }

    /// Joins the classes that have come to the same history.
    fn settle(&mut self) {
        type History = Vec<(Timestamp, Timestamp, usize, bool)>;
        let mut classes: BTreeMap<History, Class> = BTreeMap::new();
        for mut class in std::mem::take(&mut self.classes) {
            class.simplify();
            let status = |status| match status {
                SetStatus::Complete => 0,
                SetStatus::Pending => 1,
                SetStatus::Incomplete { completed } => 2 + completed,
            };
            let history: History = class
                .sets
                .iter()
                .map(|set| (set.at, set.begun_at, status(set.status), set.settled))
                .collect();
            match classes.get_mut(&history) {
                Some(same) => same.members.extend(class.members),
                None => {
                    classes.insert(history, class);
                }
            }
        }
        for class in classes.values_mut() {
            class.members.sort_unstable();
        }
        self.classes = classes.into_values().collect();
    }

    /// How many sets there are.
    pub(super) fn sets(&self) -> u64 {
        self.classes.iter().map(|class| (class.sets.len() * class.members.len()) as u64).sum()
    }

    /// The number of each instance's history.
    pub(super) fn history_of(&self) -> BTreeMap<usize, usize> {
        let of = |(n, class): (usize, &'_ Class)| -> Vec<(usize, usize)> {
            class.members.iter().filter_map(|m| Some((self.series.get(*m)?.instance, n))).collect()
        };
        self.classes.iter().enumerate().flat_map(of).collect()
    }

    /// The times of the sets of a history, oldest first.
    pub(super) fn times(&self, history: usize) -> Vec<Timestamp> {
        let sets = self.classes.get(history).into_iter().flat_map(|class| &class.sets);
        sets.map(|set| set.at).collect()
    }

    /// How many sets a history has.
    pub(super) fn sets_in(&self, history: usize) -> usize {
        self.classes.get(history).map_or(0, |class| class.sets.len())
    }

    /// What is kept: of each history the instances, by their places, and the times of the sets, oldest first.
    pub(super) fn histories(&self) -> impl Iterator<Item = (Vec<usize>, Vec<Timestamp>)> + '_ {
        self.classes.iter().map(|class| {
            let instances = class.members.iter().filter_map(|n| Some(self.series.get(*n)?.instance));
            (instances.collect(), class.sets.iter().map(|set| set.at).collect())
        })
    }
}

impl Class {
    fn add(&mut self, at: Timestamp, begun_at: Timestamp) {
        let set = Facts { at, begun_at, status: SetStatus::Complete, volumes: 0, settled: true };
        match self.sets.binary_search_by_key(&at, |set| set.at) {
            // What was left of an earlier try becomes a part of the set.
            Ok(there) => {
                if let Some(there) = self.sets.get_mut(there) {
                    *there = set;
                }
            }
            Err(place) => self.sets.insert(place, set),
        }
    }

    /// Takes out what no rule keeps, the oldest first and no more than one run may delete; answers the times of what went
    /// and how many sets were left to the next run.
    fn prune(&mut self, policy: &Policy) -> (Vec<Timestamp>, u64) {
        let newest_first: Vec<Facts> = self.sets.iter().rev().copied().collect();
        let verdicts = decide(&policy.retention, &policy.schedule.timezone, &newest_first, None);
        let expired = newest_first.iter().zip(verdicts).rev();
        let expired: Vec<Timestamp> =
            expired.filter(|(_, verdict)| verdict.action == Action::Delete).map(|(set, _)| set.at).collect();
        let most = usize::try_from(policy.retention.delete_at_most).unwrap_or(usize::MAX);
        let (now, later) = expired.split_at(expired.len().min(most));
        let gone: BTreeSet<Timestamp> = now.iter().copied().collect();
        self.sets.retain(|set| !gone.contains(&set.at));
        (now.to_vec(), later.len() as u64)
    }

    /// When exactly a set was begun matters only to sets beside it that are not complete.
    fn simplify(&mut self) {
        if self.sets.iter().all(|set| set.status == SetStatus::Complete) {
            for set in self.sets.iter_mut().filter(|set| set.begun_at > set.at) {
                set.begun_at = set.at;
            }
        }
    }
}

/// A recorded set once what is still being copied of it is.
pub(super) fn at_rest(facts: Facts) -> Facts {
    let pending = facts.status == SetStatus::Pending;
    let status = if pending { SetStatus::Complete } else { facts.status };
    let volumes = if status == SetStatus::Complete { 0 } else { facts.volumes };
    Facts { status, volumes, settled: facts.settled || pending, ..facts }
}
