//! Whether a backup is due.

use jiff::Timestamp;

use super::{Action, Due, Known, PastRun, RETRIES_MAX};
use crate::inventory::{Instance, InstanceState};
use crate::occurrence::Occurrence;
use crate::policy::{Autoscaling, Consistency, Policy};
use crate::select::VolumeSelection;

/// What a policy's schedule says of the time that is planned for: the same for all its instances.
pub(super) struct Moment {
    latest: Option<Timestamp>,
    next: Option<Timestamp>,
}

impl Moment {
    pub(super) fn of(policy: &Policy, at: Timestamp) -> Self {
        Self { latest: policy.schedule.latest(at), next: policy.schedule.next(at) }
    }
}

/// The backup of `instance` that `policy` asks for now, or why there is none.
pub(super) fn decide<'a>(
    policy: &Policy,
    moment: &Moment,
    instance: &'a Instance,
    volumes: VolumeSelection,
    reasons: Vec<String>,
    known: &Known<'a>,
) -> Result<Due, Vec<String>> {
    let mut against = standing_reasons(policy, instance, &volumes);
    if !policy.enabled {
        against.insert(0, "the policy is disabled".to_owned());
    }
    match next_attempt(policy, moment, instance, known) {
        Ok((occurrence, attempt)) if against.is_empty() => {
            Ok(Due { attempt, ..backup(policy, occurrence, instance, volumes, reasons) })
        }
        Ok(_) => Err(against),
        Err(reason) => {
            against.push(reason);
            Err(against)
        }
    }
}

/// The backup of `instance` that a person asks for, whatever the schedule says, or why it would be refused.
pub(super) fn by_hand(
    policy: &Policy,
    occurrence: &Occurrence,
    instance: &Instance,
    volumes: VolumeSelection,
    reasons: Vec<String>,
) -> Result<Due, Vec<String>> {
    match standing_reasons(policy, instance, &volumes) {
        against if against.is_empty() => Ok(backup(policy, occurrence.clone(), instance, volumes, reasons)),
        against => Err(against),
    }
}

/// The first attempt at a backup, to start at its occurrence: admission says when.
fn backup(
    policy: &Policy,
    occurrence: Occurrence,
    instance: &Instance,
    volumes: VolumeSelection,
    reasons: Vec<String>,
) -> Due {
    Due {
        instance_id: instance.id.clone(),
        location: instance.location.clone(),
        policy: policy.id.clone(),
        start_at: occurrence.at,
        start_by: start_by(policy, occurrence.at),
        occurrence,
        attempt: 0,
        action: action(policy, instance),
        volumes: volumes.ids,
        group: policy.concurrency.as_ref().and_then(|limit| limit.group_by.group_of(instance)),
        reasons,
    }
}

/// Whether a policy would back an instance up at all, whatever the time.
pub(super) fn takes_part(policy: &Policy, instance: &Instance) -> bool {
    policy.enabled && !is_skipped_member(policy, instance)
}

pub(super) fn is_skipped_member(policy: &Policy, instance: &Instance) -> bool {
    policy.autoscaling == Autoscaling::Skip && instance.auto_scaling_group().is_some()
}

/// What stands against a backup at any time, in words.
fn standing_reasons(policy: &Policy, instance: &Instance, volumes: &VolumeSelection) -> Vec<String> {
    let mut reasons = Vec::new();
    if is_skipped_member(policy, instance) {
        let group = instance.auto_scaling_group().unwrap_or_default();
        reasons.push(format!(
            "it is a member of the Auto Scaling group {group}, and the policy's autoscaling is `skip`"
        ));
    }
    if !instance.location.is_known() {
        reasons.push("its account or Region is not known".to_owned());
    }
    if volumes.ids.is_empty() {
        let left_out: Vec<String> =
            volumes.left_out.iter().map(|(id, why)| format!("{id} is {why}")).collect();
        reasons.push(match left_out.as_slice() {
            [] => "it has no EBS volume".to_owned(),
            left_out => format!("the policy leaves out all its volumes: {}", left_out.join(", ")),
        });
    }
    reasons
}

/// The newest occurrence and the number of its next attempt, or why there is none.
fn next_attempt<'a>(
    policy: &Policy,
    moment: &Moment,
    instance: &'a Instance,
    known: &Known<'a>,
) -> Result<(Occurrence, u8), String> {
    let at = known.question.at;
    let next = match moment.next {
        Some(next) => format!("the next is at {next}"),
        None => "there is no further one".to_owned(),
    };
    let Some(latest) = moment.latest else {
        return Err(format!("no occurrence yet; {next}"));
    };
    let occurrence = Occurrence::new(policy.id.clone(), latest);
    if known.has_complete_set(&occurrence, instance) {
        return Err(format!("already has a complete set for {latest}; {next}"));
    }
    if at >= start_by(policy, latest) {
        let within = &policy.schedule.start_within;
        return Err(format!("the last occurrence {latest} is older than start_within {within}; {next}"));
    }
    match known.run(&occurrence, instance) {
        None => Ok((occurrence, 0)),
        Some(PastRun::Live) => Err(format!("the run for {latest} is under way; {next}")),
        Some(PastRun::Complete) => Err(format!("the run for {latest} made a complete set; {next}")),
        Some(PastRun::Missed) => Err(format!("{latest} was missed, and that has been reported; {next}")),
        Some(PastRun::Failed { retryable: false, .. }) => {
            Err(format!("the run for {latest} failed, and its error does not allow another; {next}"))
        }
        Some(PastRun::Failed { attempt, .. }) if attempt >= RETRIES_MAX => {
            Err(format!("the run for {latest} failed {} times; {next}", attempt.saturating_add(1)))
        }
        Some(PastRun::Failed { attempt, .. }) => Ok((occurrence, attempt + 1)),
    }
}

fn start_by(policy: &Policy, occurrence: Timestamp) -> Timestamp {
    occurrence.checked_add(policy.schedule.start_within()).unwrap_or(Timestamp::MAX)
}

/// What is running is stopped and started again; what is stopped or stopping stays stopped.
pub(super) fn action(policy: &Policy, instance: &Instance) -> Action {
    let up = matches!(instance.state, InstanceState::Pending | InstanceState::Running);
    match policy.consistency {
        Consistency::Stop if up => Action::StopSnapshotStart,
        Consistency::Stop | Consistency::Crash => Action::Snapshot,
    }
}
