//! Sets that no run prunes: those of instances that are gone or not selected any more, which the fleet prunes by core's own
//! plan of orphans; and those that nobody does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use stopgap_core::backup_set::BackupSet;
use stopgap_core::inventory::Location;
use stopgap_core::plan::orphans::{Why, is_time, of_series};
use stopgap_core::policy::{Orphans, Policy};
use stopgap_core::retention::Facts;

use super::Assumptions;
use super::calendar::TICK;
use super::report::LeftAlone;
use super::series::at_rest;
use super::storage::stored_share;

/// The sets of a policy and instance that no run prunes.
#[derive(Clone)]
pub(super) struct Orphaned {
    pub(super) policy: String,
    instance_id: String,
    /// Why, as far as the fleet prunes them for it; else in words why it does not.
    why: Result<Why, &'static str>,
    /// Newest first.
    sets: Vec<Facts>,
    snapshots: BTreeMap<Timestamp, u64>,
    /// The size of the volumes of the newest set.
    gib: u64,
    /// What the sets store, in GiB.
    pub(super) stored: f64,
    deleted: u64,
    /// Nothing of it goes any more.
    at_rest: bool,
    asked: Option<Timestamp>,
}

/// What the fleet deletes of it at a tick: occurrence's time and number of snapshots.
pub(super) type Gone = Vec<(Timestamp, u64)>;

impl Orphaned {
    pub(super) fn new(
        why: Result<Why, &'static str>,
        sets: &[BackupSet<'_>],
        assumed: &Assumptions,
    ) -> Option<Self> {
        let newest = sets.iter().max_by_key(|set| set.at())?;
        let volumes: BTreeMap<&str, u64> = newest
            .snapshots
            .iter()
            .map(|snapshot| (snapshot.volume_id.as_str(), snapshot.size_gib))
            .collect();
        let mut facts: Vec<Facts> = sets.iter().map(|set| at_rest(set.facts())).collect();
        facts.sort_by_key(|set| std::cmp::Reverse(set.at));
        let mut orphaned = Self {
            policy: newest.policy().to_string(),
            instance_id: newest.instance_id.to_owned(),
            why,
            sets: facts,
            snapshots: sets.iter().map(|set| (set.at(), set.snapshots.len() as u64)).collect(),
            gib: volumes.values().sum(),
            stored: 0.0,
            deleted: 0,
            at_rest: why.is_err(),
            asked: None,
        };
        orphaned.weigh(assumed);
        Some(orphaned)
    }

    fn weigh(&mut self, assumed: &Assumptions) {
        self.stored = self.gib as f64 * stored_share(self.sets.iter().rev().map(|set| set.at), assumed);
    }

    pub(super) fn sets(&self) -> u64 {
        self.sets.len() as u64
    }

    pub(super) fn snapshots(&self) -> u64 {
        self.snapshots.values().sum()
    }

    /// Prunes as the fleet does at `tick` when an occurrence of `policy` has come since the tick before; once a day is
    /// enough, since but for the time that `expire_after` counts, the rules say the same.
    pub(super) fn prune(
        &mut self,
        policy: &Policy,
        tick: Timestamp,
        day: Timestamp,
        first: bool,
        assumed: &Assumptions,
    ) -> Gone {
        let before = tick.checked_sub(TICK).ok().filter(|_| !first);
        let Ok(why) = self.why else { return Gone::new() };
        if self.at_rest || self.asked == Some(day) || !is_time(policy, tick, before) {
            return Gone::new();
        }
        let orphan = of_series(policy, why, &self.instance_id, Location::new("", ""), &self.sets, tick);
        let delete = orphan.map(|orphan| orphan.delete).unwrap_or_default();
        let most = usize::try_from(policy.retention.delete_at_most).unwrap_or(usize::MAX);
        let waits = why == Why::Gone && policy.orphans != Orphans::Keep && !self.sets.is_empty();
        self.at_rest = delete.is_empty() && !waits;
        // What is put off is asked for again at the next occurrence.
        self.asked = (delete.len() <= most).then_some(day);
        let gone: BTreeSet<Timestamp> =
            delete.iter().take(most).map(|expired| expired.occurrence.at).collect();
        if gone.is_empty() {
            return Gone::new();
        }
        self.sets.retain(|set| !gone.contains(&set.at));
        self.deleted += gone.len() as u64;
        self.weigh(assumed);
        gone.into_iter().map(|at| (at, self.snapshots.remove(&at).unwrap_or_default())).collect()
    }
}

/// What is left of them, by policy and reason.
pub(super) fn left_alone(orphaned: &[Orphaned]) -> Vec<LeftAlone> {
    let mut lines: BTreeMap<(&str, &str), LeftAlone> = BTreeMap::new();
    for one in orphaned {
        let why = one.why.map_or_else(|why| why, Why::as_str);
        let line = lines.entry((&one.policy, why)).or_insert_with(|| LeftAlone {
            policy: one.policy.clone(),
            why,
            sets_deleted: 0,
            sets: 0,
            snapshots: 0,
            stored_gib: 0.0,
        });
        line.sets_deleted += one.deleted;
        line.sets += one.sets();
        line.snapshots += one.snapshots();
        line.stored_gib += one.stored;
    }
    lines.into_values().collect()
}
