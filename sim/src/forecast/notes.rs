//! What a person should know of a forecast.

use jiff::{SignedDuration, Timestamp};

use super::calendar::TICK;
use super::ledger::Ledger;
use super::shape::Stage;

impl Ledger<'_> {
    /// What a person should know, the most important first.
    pub(super) fn notes(&self, from: Timestamp, until: Timestamp, stage: &Stage<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        let before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
        for (account, policy) in self.accounts.iter().zip(&self.setting.policies) {
            let id = &policy.id;
            if account.instances == 0 {
                notes.push(format!("policy {id} selects nothing"));
            } else if !policy.enabled {
                notes.push(format!("policy {id} is disabled: nothing of it is due"));
            } else if account.runs == 0 && account.missed == 0 {
                notes.push(match policy.schedule.next(before) {
                    Some(next) if next >= until => format!("policy {id} does not occur before {next}"),
                    Some(_) => format!("policy {id} backs nothing up: see what is not backed up"),
                    None => format!("policy {id} does not occur any more"),
                });
            }
            if !policy.adopt.is_empty() {
                notes.push(format!("policy {id} adopts what other tools made: that is not in the forecast"));
            }
            if account.missed > 0 {
                notes.push(format!(
                    "policy {id} misses {} backups: its schedule or its start_within leaves them no tick of the fleet (every {} min) \
                     or no time to wait for their turn",
                    account.missed,
                    TICK.as_mins()
                ));
            }
        }
        for (policy, runs) in &self.overlapping {
            let id = self.setting.policies.get(*policy).map(|p| p.id.as_str()).unwrap_or_default();
            notes.push(format!(
                "{runs} runs of policy {id} begin while an earlier one of their instance goes on, and would wait for it: \
                 that wait, and what is missed for it, is not in the figures"
            ));
        }
        if !self.store.unknown_sizes.is_empty() {
            notes.push(format!(
                "the size of {} volumes is not known: each is taken for {} GiB (--volume-size)",
                self.store.unknown_sizes.len(),
                self.setting.assumed.unknown_volume_gib
            ));
        }
        let unknown = self.setting.inventory.unknown.len();
        if unknown > 0 {
            notes.push(format!("the inventory has {unknown} gaps; `stopgap plan` names them"));
        }
        if self.recorded.later > 0 {
            notes.push(format!(
                "{} sets of the inventory are of a later time than {from}, and left out",
                self.recorded.later
            ));
        }
        if self.recorded.foreign > 0 {
            notes.push(format!(
                "{} snapshots have tags of stopgap's that make no sense; they are left out",
                self.recorded.foreign
            ));
        }
        if stage.approximated > 0 {
            notes.push(format!(
                "{} bundles of runs were taken for others that begin at other times after each other",
                stage.approximated
            ));
        }
        notes.push(
            "a deployment with STOPGAP_PRUNE=report deletes nothing, and pays for all that is made"
                .to_owned(),
        );
        notes
    }
}
