//! Which backups are due, which are not and why, and what the inventory leaves open. Pure: the fleet's planner and the
//! offline command ask the same question and get the same answer.
//!
//! An occurrence is due when `occurrence <= at < occurrence + start_within` and nothing has served it: no live run, no
//! complete set, no final failure. Only the newest occurrence of a policy and instance can be due. One that was not
//! served is *missed* when its `start_within` is over or the next occurrence comes, and is reported by the one plan
//! whose span of time holds that moment.

pub mod admission;
mod by_hand;
mod due;
mod missed;
pub mod orphans;
pub mod preflight;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::backup_set;
use crate::inventory::{Instance, Inventory, Location, Unknown, Volume};
use crate::occurrence::Occurrence;
use crate::policy::{Policy, PolicyId};
use crate::records::PlannedUntil;
use crate::select::Selection;

pub use by_hand::by_hand;

/// How often a failed run is repeated at most, when its error allows it.
pub const RETRIES_MAX: u8 = 2;

/// How many missed occurrences of a policy are reported at most, the newest ones: after a month without a planner, a
/// policy of every minute has more of them than a ticket holds.
pub const MISSED_MAX: usize = 100;

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// All policies, enabled or not.
    pub policies: &'a [Policy],
    /// What there is.
    pub inventory: &'a Inventory,
    /// The runs that are known, by occurrence and instance id.
    pub runs: &'a BTreeMap<(Occurrence, String), PastRun>,
    /// The time to plan for.
    pub at: Timestamp,
    /// Up to when the last plan was made; `None` when there was none, and then nothing counts as missed.
    pub planned_until: Option<&'a PlannedUntil>,
    /// Where stopgap is deployed: what policies mean that leave account or Region open. Where it is not known, as
    /// offline, they mean any.
    pub home: Option<&'a Location>,
    /// Plan this policy alone; one that is not among `policies` plans nothing. Overlaps are still told with the others.
    pub only: Option<&'a PolicyId>,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PastRun {
    /// It is under way.
    Live,
    /// It made a complete set.
    Complete,
    /// It failed.
    Failed {
        /// Which attempt it was, from 0.
        attempt: u8,
        /// Whether its error allows another.
        retryable: bool,
        /// Whether nobody was told, since another was counted on.
        awaits_retry: bool,
    },
    /// It never ran, and that has been reported.
    Missed,
}

/// The answer. Every array is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The backups to make now, by instance and policy.
    pub due: Vec<Due>,
    /// The instances that a policy selects and that are not due by it, with the reasons.
    pub not_due: Vec<NotDue>,
    /// The policies that select nothing.
    pub unmatched: Vec<PolicyId>,
    /// The instances that several enabled policies select: each keeps its own sets.
    pub overlaps: Vec<Overlap>,
    /// What the inventory does not know, and should.
    pub unknown: Vec<Unknown>,
    /// The occurrences that nothing served in time, to be reported now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Missed>,
    /// The backup sets that no run prunes any more and of which something is to go now, by instance and policy. What a plan
    /// is made from besides decides whether they were looked for: [`orphans::of_inventory`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<orphans::Orphan>,
    /// What is found of the instances that policies select, by instance and policy, due or not. What a plan is made from
    /// besides decides whether it was looked for: [`preflight::Subjects`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preflight: Vec<preflight::Preflight>,
}

impl Plan {
    /// Whether the backup of this instance by this policy would be refused, as far as was looked.
    pub fn refuses(&self, instance_id: &str, policy: &PolicyId) -> bool {
        let mut found =
            self.preflight.iter().filter(|found| found.instance_id == instance_id && found.policy == *policy);
        found.any(|found| !found.report.refusals().is_empty())
    }
}

/// A backup to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The instance.
    pub instance_id: String,
    /// Where it lives.
    pub location: Location,
    /// The policy that asks.
    pub policy: PolicyId,
    /// For when it asks.
    pub occurrence: Occurrence,
    /// Which attempt this is, from 0.
    pub attempt: u8,
    /// Whether the instance is stopped for it.
    pub action: Action,
    /// The ids of the volumes that the backup will contain.
    pub volumes: Vec<String>,
    /// The group whose members take turns, such as `tag:Cluster=alpha`; `None` where there is no limit.
    pub group: Option<String>,
    /// When it may start, so that requests stay within the limits of its account and Region.
    pub start_at: Timestamp,
    /// When it is too late to start: the occurrence and its `start_within`.
    pub start_by: Timestamp,
    /// Why the instance is selected, in words.
    pub reasons: Vec<String>,
}

/// Whether an instance is stopped for its backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It runs: stop it, snapshot its volumes, start it again.
    StopSnapshotStart,
    /// It is stopped already (and stays so), or the policy asks for a crash-consistent copy.
    Snapshot,
}

/// Why an instance that a policy selects is not due by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotDue {
    /// The instance.
    pub instance_id: String,
    /// The policy that selects it.
    pub policy: PolicyId,
    /// Why not, in words; at least one reason.
    pub reasons: Vec<String>,
}

/// An instance that several enabled policies select.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Overlap {
    /// The instance.
    pub instance_id: String,
    /// The policies.
    pub policies: Vec<PolicyId>,
}

/// Occurrences of a policy and instance that nothing served in time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Missed {
    /// The instance.
    pub instance_id: String,
    /// Where it lives.
    pub location: Location,
    /// The policy that asked.
    pub policy: PolicyId,
    /// The occurrences, oldest first; the newest [`MISSED_MAX`] at most.
    pub occurrences: Vec<Occurrence>,
}

/// What the parts of the planner look things up in.
struct Known<'a> {
    question: Question<'a>,
    volumes: BTreeMap<&'a str, &'a Volume>,
    /// The volumes that say that they are attached to an instance, by its id.
    attached: BTreeMap<&'a str, Vec<&'a str>>,
    /// What has a complete set.
    complete: BTreeSet<(Occurrence, &'a str)>,
}

impl<'a> Known<'a> {
    fn new(question: Question<'a>) -> Self {
        let sets = backup_set::group(&question.inventory.snapshots).sets;
        let mut attached: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for volume in &question.inventory.volumes {
            for attachment in &volume.attachments {
                attached.entry(&attachment.instance_id).or_default().push(&volume.id);
            }
        }
        Self {
            question,
            attached,
            volumes: question.inventory.volumes.iter().map(|volume| (volume.id.as_str(), volume)).collect(),
            complete: sets
                .into_iter()
                .filter(|set| set.is_complete())
                .map(|set| (set.occurrence, set.instance_id))
                .collect(),
        }
    }

    fn has_complete_set(&self, occurrence: &Occurrence, instance: &'a Instance) -> bool {
        self.complete.contains(&(occurrence.clone(), instance.id.as_str()))
    }

    fn run(&self, occurrence: &Occurrence, instance: &Instance) -> Option<PastRun> {
        self.question.runs.get(&(occurrence.clone(), instance.id.clone())).copied()
    }
}

/// The occurrences of `policy` that a plan of `at` may find due or missed: those whose runs it must know.
pub fn occurrences_in_question(
    policy: &Policy,
    at: Timestamp,
    planned_until: Option<&PlannedUntil>,
    home: Option<&Location>,
) -> BTreeSet<Occurrence> {
    let newest = policy.schedule.latest(at).map(|latest| Occurrence::new(policy.id.clone(), latest));
    let told_until = planned_until.map(|mark| mark.told_of_policy(policy, home));
    newest.into_iter().chain(missed::occurrences(policy, at, told_until)).collect()
}

/// Answers `question`.
pub fn plan(question: &Question<'_>) -> Plan {
    let known = Known::new(*question);
    let mut plan = Plan::default();
    let mut wanted: BTreeMap<&str, BTreeSet<&PolicyId>> = BTreeMap::new();
    let mut unknown: BTreeSet<Unknown> = unknown::of_inventory(question.inventory);
    for policy in question.policies {
        let chosen = question.only.is_none_or(|only| *only == policy.id);
        let missable = if chosen {
            let told_until = question.planned_until.map(|mark| mark.told_of_policy(policy, question.home));
            missed::occurrences(policy, question.at, told_until)
        } else {
            Vec::new()
        };
        let moment = due::Moment::of(policy, question.at);
        let mut matched = false;
        let instances = question.inventory.instances.iter();
        for instance in instances.filter(|i| policy.targets_place(&i.location, question.home)) {
            let Selection::Selected(mut reasons) = policy.selects(instance) else { continue };
            matched = true;
            if policy.enabled {
                wanted.entry(&instance.id).or_default().insert(&policy.id);
            }
            if !chosen {
                continue;
            }
            let volumes = policy.volumes.applied_to(instance, &known.volumes);
            unknown.extend(unknown::of_selected(instance, &volumes, &known));
            // Two matchers may say the same.
            reasons.sort();
            reasons.dedup();
            match due::decide(policy, &moment, instance, volumes, reasons, &known) {
                Ok(due) => plan.due.push(due),
                Err(reasons) => plan.not_due.push(NotDue {
                    instance_id: instance.id.clone(),
                    policy: policy.id.clone(),
                    reasons,
                }),
            }
            plan.missed.extend(missed::of(policy, instance, &missable, &known));
        }
        if chosen && !matched {
            plan.unmatched.push(policy.id.clone());
        }
    }
    let several = wanted.into_iter().filter(|(_, policies)| {
        policies.len() > 1 && question.only.is_none_or(|only| policies.contains(only))
    });
    plan.overlaps = several
        .map(|(instance, policies)| Overlap {
            instance_id: instance.to_owned(),
            policies: policies.into_iter().cloned().collect(),
        })
        .collect();
    plan.due.sort_by(|a, b| (&a.instance_id, &a.policy).cmp(&(&b.instance_id, &b.policy)));
    admit(&mut plan.due, question.policies, question.at);
    plan.not_due.sort();
    plan.unmatched.sort();
    plan.missed.sort();
    plan.unknown = unknown.into_iter().collect();
    plan
}

/// Gives each backup its time to start.
fn admit(due: &mut [Due], policies: &[Policy], at: Timestamp) {
    let limits: BTreeMap<&PolicyId, u32> =
        policies.iter().filter_map(|policy| Some((&policy.id, policy.concurrency.as_ref()?.max))).collect();
    let requests: Vec<admission::Request<'_>> = due
        .iter()
        .map(|due| admission::Request {
            location: &due.location,
            starts: due.action == Action::StopSnapshotStart,
            group: due.group.as_deref(),
            at_once: limits.get(&due.policy).copied().unwrap_or(u32::MAX),
        })
        .collect();
    let times = admission::start_times(at, &requests);
    for (due, time) in due.iter_mut().zip(times) {
        due.start_at = time;
    }
}

#[cfg(test)]
mod tests;
