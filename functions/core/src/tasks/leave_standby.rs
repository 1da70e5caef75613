//! `leave-standby`: gives the member back to its group. Idempotent, and polled: it raises
//! [`ErrorName::StandbyPending`] until the member is *seen* in service.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::lease;
use crate::measure::Measured;
use crate::ports::{AutoScaling, Context, FaultKind, LifecycleState, Ports};
use crate::records::Shield;

/// What `leave-standby` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// When the member was seen in service.
    pub at: Timestamp,
}

impl Measured for Returned {}

/// Takes the member out of Standby, or resumes the processes that this run suspended (and no others).
///
/// Needs `autoscaling:Describe*`, `ExitStandby` or `ResumeProcesses`, and the table.
///
/// # Errors
/// [`ErrorName::StandbyPending`] until it is seen.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Returned, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    match &input.document.prepared()?.shield {
        None => {}
        Some(Shield::Standby { group }) => {
            in_service(ports.auto_scaling, &run.location, group, &run.instance_id).await?;
        }
        Some(Shield::Suspend { group, processes }) => {
            resume(ports.auto_scaling, &run.location, group, processes).await?;
        }
    }
    Ok(Returned { at: cx.now })
}

async fn in_service(
    auto_scaling: &dyn AutoScaling,
    at: &Location,
    group: &str,
    instance_id: &str,
) -> Result<(), TaskError> {
    let pending =
        || TaskError::new(ErrorName::StandbyPending, format!("{instance_id} is not back in {group} yet"));
    match auto_scaling.member(at, instance_id).await?.map(|member| member.lifecycle) {
        Some(LifecycleState::Standby) => match auto_scaling.exit_standby(at, group, instance_id).await {
            Ok(()) => Err(pending()),
            // The group is at its maximum, or the instance is not running for Auto Scaling yet.
            Err(fault) if fault.kind == FaultKind::Rejected => {
                Err(TaskError::new(ErrorName::StandbyRefused, fault.to_string()))
            }
            Err(fault) => Err(fault.into()),
        },
        Some(LifecycleState::Pending | LifecycleState::EnteringStandby) => Err(pending()),
        // In service; or no longer ours to give back.
        Some(LifecycleState::InService | LifecycleState::Leaving) | None => Ok(()),
    }
}

async fn resume(
    auto_scaling: &dyn AutoScaling,
    at: &Location,
    group: &str,
    processes: &[String],
) -> Result<(), TaskError> {
    let ours: BTreeSet<String> = processes.iter().cloned().collect();
    let pending =
        || TaskError::new(ErrorName::StandbyPending, format!("the processes of {group} are not resumed yet"));
    let is_gone = match auto_scaling.group(at, group).await {
        Ok(found) if ours.is_disjoint(&found.suspended) => return Ok(()),
        Ok(_) => false,
        Err(fault) if fault.kind == FaultKind::NotFound => true,
        Err(fault) => return Err(fault.into()),
    };
    match auto_scaling.resume_processes(at, group, &ours).await {
        Ok(()) => Err(pending()),
        // Whoever believes wrongly that a group is gone leaves it as it is for good. So its processes are resumed all the
        // same, which AWS refuses for a group that is gone, and it is looked for once more.
        Err(fault) if is_gone && fault.kind == FaultKind::Rejected => {
            match auto_scaling.group(at, group).await {
                Ok(_) => Err(pending()),
                Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
                Err(fault) => Err(fault.into()),
            }
        }
        Err(fault) => Err(fault.into()),
    }
}
