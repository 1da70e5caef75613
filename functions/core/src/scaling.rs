//! How the member of an Auto Scaling group is kept from being replaced while it is down, and whether the group can spare it.

use std::collections::BTreeSet;

use crate::error::{ErrorName, TaskError};
use crate::inventory::Instance;
use crate::policy::{Autoscaling, Consistency, Policy};
use crate::ports::{AutoScaling, LifecycleState, ScalingGroup};
use crate::preflight::{Finding, Found};
use crate::records::Shield;
use crate::tasks::RunPlan;

/// The processes by which a group replaces a member that is not running. AZRebalance is one since it may choose the
/// member to terminate.
const REPLACING_PROCESSES: [&str; 3] = ["AZRebalance", "HealthCheck", "ReplaceUnhealthy"];

/// What keeps Auto Scaling from replacing the instance; `Ok(Err(reason))` where it must not be touched.
///
/// # Errors
/// [`ErrorName::InTransition`] while the member, or another one that the group is short of without it, is on its way.
pub(crate) async fn shield(
    auto_scaling: &dyn AutoScaling,
    run: &RunPlan,
    instance: &Instance,
    stop: bool,
) -> Result<Result<Option<Shield>, String>, TaskError> {
    if instance.auto_scaling_group().is_none() || run.policy.consistency == Consistency::Crash {
        return Ok(Ok(None));
    }
    let Some(member) = auto_scaling.member(&run.location, &instance.id).await? else { return Ok(Ok(None)) };
    let group = member.group;
    Ok(match (run.policy.autoscaling, member.lifecycle) {
        (Autoscaling::Skip, _) => {
            Err(format!("{} is a member of {group}, and the policy skips members", instance.id))
        }
        // What is down already is not taken from the group.
        _ if !stop => Ok(None),
        (_, LifecycleState::Pending | LifecycleState::EnteringStandby) => {
            let cause = format!("{} is coming into or leaving service in {group}", instance.id);
            return Err(TaskError::new(ErrorName::InTransition, cause));
        }
        (_, LifecycleState::Leaving) => refused(run, leaving(&group, &instance.id)).map(|()| None),
        // Someone put it there, and will take it back: nothing is owed.
        (_, LifecycleState::Standby) => Ok(None),
        (Autoscaling::Standby, LifecycleState::InService) => {
            let found = auto_scaling.group(&run.location, &group).await?;
            spared(run, &group, &found)?.map(|()| Some(Shield::Standby { group }))
        }
        (Autoscaling::Suspend, LifecycleState::InService) => {
            let suspended = auto_scaling.group(&run.location, &group).await?.suspended;
            let wanted = BTreeSet::from(REPLACING_PROCESSES.map(str::to_owned));
            let processes = wanted.difference(&suspended).cloned().collect();
            Ok(Some(Shield::Suspend { group, processes }))
        }
    })
}

/// Whether the group can do without this member, or may be able to once others are back; `Ok(Err(reason))` where it never can.
///
/// Auto Scaling tells a member that leaves Standby and one that is being launched alike, and either is worth waiting for: the
/// group is short of it.
fn spared(run: &RunPlan, group: &str, found: &ScalingGroup) -> Result<Result<(), String>, TaskError> {
    let coming = others(found, &run.instance_id, &[LifecycleState::Pending]);
    if !coming.is_empty() {
        let cause = format!("{} of {group} is not in service yet", coming.join(", "));
        return Err(TaskError::new(ErrorName::InTransition, cause));
    }
    Ok(at_minimum(group, found, &run.instance_id).map_or(Ok(()), |found| refused(run, found)))
}

/// What keeps a group from sparing its member for a backup of `policy`, if something does for good: what a plan tells before a
/// run finds it.
pub(crate) fn found(policy: &Policy, group: &str, found: &ScalingGroup, instance_id: &str) -> Option<Found> {
    match (found.members.get(instance_id)?, policy.autoscaling) {
        (LifecycleState::Leaving, _) => Some(leaving(group, instance_id)),
        (LifecycleState::InService, Autoscaling::Standby) => at_minimum(group, found, instance_id),
        _ => None,
    }
}

/// The other members that are in one of these states.
fn others<'a>(group: &'a ScalingGroup, instance_id: &str, states: &[LifecycleState]) -> Vec<&'a str> {
    let others = group.members.iter().filter(|(id, state)| **id != instance_id && states.contains(state));
    others.map(|(id, _)| id.as_str()).collect()
}

fn leaving(group: &str, instance_id: &str) -> Found {
    Found::new(Finding::MemberLeaving, format!("{instance_id} is being taken out of {group}"))
}

/// That the group is at its minimum, and no other member is on its way back that could stand in.
fn at_minimum(group: &str, found: &ScalingGroup, instance_id: &str) -> Option<Found> {
    use LifecycleState::{EnteringStandby, Pending, Standby};
    let ScalingGroup { minimum, desired, .. } = found;
    let never =
        desired <= minimum && others(found, instance_id, &[Pending, EnteringStandby, Standby]).is_empty();
    never.then(|| {
        let detail = format!("{group} has a desired capacity of {desired} and a minimum of {minimum}");
        Found::new(Finding::GroupAtMinimum, detail)
    })
}

/// What no policy overrides, as a run's reason.
fn refused(run: &RunPlan, found: Found) -> Result<(), String> {
    match run.policy.preflight.judge([found]).into_iter().next() {
        Some(judged) => Err(judged.reason()),
        None => Ok(()),
    }
}
