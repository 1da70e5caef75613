//! What became of an instance, its backup and its ticket, in a few words.

use std::collections::BTreeSet;

use stopgap_core::backup_set;
use stopgap_core::inventory::InstanceState;

use super::stage::{POLICY, Stage, at};

/// What became of it by the end of the night.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Outcome {
    /// The instance: how it stands.
    pub instance: &'static str,
    /// Its backup.
    pub backup: &'static str,
    /// The tickets that were opened, and whether each is closed again.
    pub ticket: String,
}

/// Of the first instance.
pub(super) fn of(stage: &Stage) -> Outcome {
    stage.stopgap.aws.look(|world| {
        let id = stage.subjects.first().map_or("", String::as_str);
        let machine = world.machine(id);
        let instance = match machine.map(|machine| (machine.instance.state, machine.downs.len())) {
            Some((InstanceState::Running, 0)) => "ran on",
            Some((InstanceState::Running, 1)) => "runs again",
            Some((InstanceState::Running, _)) => "runs again, after several stops",
            Some((InstanceState::Stopped, 0)) => "stayed stopped",
            Some((state, _)) if !state.is_gone() => "is down",
            _ => "terminated",
        };
        let snapshots: Vec<_> = world.snapshots().collect();
        let sets = backup_set::group(snapshots.iter().copied()).sets;
        let mut of_night = sets
            .iter()
            .filter(|set| set.instance_id == id && set.policy().as_str() == POLICY && set.at() == at(2, 0));
        let backup = if of_night.any(|set| set.is_complete()) { "complete" } else { "none" };
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let kinds: BTreeSet<String> =
            world.published.iter().map(|(_, n)| text(&n.document["kind"])).collect();
        let tickets: Vec<String> = kinds
            .into_iter()
            .map(|kind| {
                let of = world.published.iter().rev().find(|(_, n)| text(&n.document["kind"]) == kind);
                let closed = of.is_some_and(|(_, n)| n.document["action"] == "resolve");
                if closed { format!("{kind}, closed") } else { kind }
            })
            .collect();
        let ticket = if tickets.is_empty() { "none".to_owned() } else { tickets.join("; ") };
        Outcome { instance, backup, ticket }
    })
}
