//! How the member of an Auto Scaling group is kept from being replaced while it is down, and whether the group can spare it.

use std::collections::BTreeSet;

use crate::error::{ErrorName, TaskError};
use crate::inventory::Instance;
use crate::policy::{Autoscaling, Consistency};
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
        (_, LifecycleState::Leaving) => {
            let detail = format!("{} is being taken out of {group}", instance.id);
            refused(run, Finding::MemberLeaving, detail).map(|()| None)
        }
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
    let ScalingGroup { minimum, desired, members, .. } = found;
    let others = |states: &[LifecycleState]| {
        let others = members.iter().filter(|(id, state)| **id != run.instance_id && states.contains(state));
        others.map(|(id, _)| id.as_str()).collect::<Vec<_>>()
    };
    let coming = others(&[LifecycleState::Pending]);
    if !coming.is_empty() {
        let cause = format!("{} of {group} is not in service yet", coming.join(", "));
        return Err(TaskError::new(ErrorName::InTransition, cause));
    }
    let away = others(&[LifecycleState::EnteringStandby, LifecycleState::Standby]);
    if desired <= minimum && away.is_empty() {
        let detail = format!("{group} has a desired capacity of {desired} and a minimum of {minimum}");
        return Ok(refused(run, Finding::GroupAtMinimum, detail));
    }
    Ok(Ok(()))
}

/// What no policy overrides, as a run's reason.
fn refused(run: &RunPlan, finding: Finding, detail: String) -> Result<(), String> {
    match run.policy.preflight.judge([Found::new(finding, detail)]).into_iter().next() {
        Some(judged) => Err(judged.reason()),
        None => Ok(()),
    }
}
