//! The backups: promises 3, 4, and of 5 that no volume is copied twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use stopgap_core::backup_set::{self, BackupSet};
use stopgap_core::inventory::SnapshotState;
use stopgap_core::records::{Run, RunState};
use stopgap_core::set_tags;

use super::{Check, Told, When};
use crate::faults::stage::{FLOOR, POLICY, Setting, at, home};
use crate::faults::trouble::{Act, Trouble};

impl Check<'_> {
    /// Promise 3, and 5.
    pub(super) fn is_backed_up(&mut self, id: &str) {
        let snapshots: Vec<_> = self.world.snapshots().collect();
        let sets = backup_set::group(snapshots.iter().copied()).sets;
        let of_night = |set: &&BackupSet<'_>| {
            set.instance_id == id && set.policy().as_str() == POLICY && set.at() >= at(0, 0)
        };
        let sets: Vec<&BackupSet<'_>> = sets.iter().filter(of_night).collect();
        let first = sets.iter().find(|set| set.at() == at(2, 0));
        let complete = first.is_some_and(|set| set.is_complete());
        let run = self.run_of(id);
        let settled = self.moment.moment >= When::Mended;
        let tells = |told: &Told| {
            told.instance == *id
                && ["backup-failed", "backup-missed", "backup-refused"].contains(&&*told.kind)
        };
        // Whoever takes an instance out of a policy, or terminates it before its run has begun (or begun again), is owed no
        // backup of it.
        let is_begun = run.as_ref().is_some_and(|run| !run.awaits_retry);
        let unselected = self.has(|trouble| matches!(trouble, Trouble::State(_, Act::TagsChanged)))
            || !is_begun && self.has(|trouble| matches!(trouble, Trouble::State(_, Act::Terminated)));
        // The fleet begins no run of a member that the policy skips.
        let skipped = self.moment.scenario.setting == Setting::Skip && run.is_none();
        if settled && !complete && !self.told.iter().any(tells) && !unselected && !skipped {
            self.breaks(3, "there is no backup, and no ticket tells of it");
        }
        if run.is_some_and(|run| run.state == RunState::Complete) && !complete {
            self.breaks(3, "the run is recorded as complete, and its backup is not");
        }
        for set in sets.iter().filter(|set| set.is_complete()) {
            let copied: BTreeSet<&str> = set
                .snapshots
                .iter()
                .filter(|snapshot| snapshot.state == SnapshotState::Completed)
                .map(|snapshot| snapshot.volume_id.as_str())
                .collect();
            if let Some(missing) = self.attached_throughout(id).iter().find(|v| !copied.contains(v.as_str()))
            {
                self.breaks(3, format!("a backup counts as complete without {missing}"));
            }
        }
        for set in &sets {
            // Where one ended in error, all are made again.
            if set.snapshots.iter().any(|snapshot| snapshot.state == SnapshotState::Error) {
                continue;
            }
            let mut copies: BTreeMap<&str, usize> = BTreeMap::new();
            for snapshot in &set.snapshots {
                *copies.entry(&snapshot.volume_id).or_default() += 1;
            }
            if copies.values().any(|copies| *copies > 1) {
                self.breaks(5, format!("{} has a volume twice", set.occurrence));
            }
        }
        if self.moment.moment == When::NightAfter {
            let again = sets.iter().any(|set| set.at() > at(2, 0) && set.is_complete());
            let selected = self.world.machine(id).is_some_and(|machine| {
                !machine.instance.state.is_gone() && machine.instance.tags.contains_key("Backup")
            });
            if selected && !again && self.moment.scenario.setting != Setting::Skip {
                self.breaks(3, "the night after, in which nothing goes wrong, has no backup");
            }
        }
    }

    /// The volumes that nobody attached or detached meanwhile.
    fn attached_throughout(&self, id: &str) -> Vec<String> {
        let devices =
            self.world.machine(id).map(|machine| machine.instance.devices.as_slice()).unwrap_or_default();
        let throughout = devices.iter().filter(|device| device.attached_at == Some(Timestamp::UNIX_EPOCH));
        throughout.map(|device| device.volume_id.clone()).collect()
    }

    fn run_of(&self, id: &str) -> Option<Run> {
        let occurrence = format!("{POLICY}/{}", at(2, 0)).parse().ok()?;
        let (_, body) = self.world.table.get(&Run::key(&occurrence, &home(), id))?;
        serde_json::from_value(body.clone()).ok()
    }

    /// Promise 4.
    pub(super) fn deletes_nothing_else(&mut self) {
        for deleted in &self.world.watch.deleted {
            let snapshot = &deleted.snapshot;
            let occurrence = snapshot.tags.get(set_tags::OCCURRENCE).cloned().unwrap_or_default();
            if self.moment.stage.before.others.contains(&snapshot.id) {
                self.breaks(4, format!("{occurrence} is none of the policy's, and was deleted"));
            }
            let own = occurrence.split_once('/').and_then(|(_, time)| time.parse::<Timestamp>().ok());
            let counts = own.is_some_and(|own| deleted.complete.contains(&own));
            if counts && deleted.complete.len() <= FLOOR {
                self.breaks(4, format!("{occurrence} was deleted, which the floor needs"));
            }
            if counts && own.as_ref() == deleted.complete.last() {
                self.breaks(4, format!("{occurrence} was deleted, the newest complete backup"));
            }
        }
    }
}
