//! `enter-standby`: an Auto Scaling group replaces a member that is not `running`; this keeps it from doing so.
//! Idempotent, and polled: it raises [`ErrorName::StandbyPending`] until the member is *seen* in Standby.

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

/// What `enter-standby` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shielded {
    /// When the member was seen shielded.
    pub at: Timestamp,
}

impl Measured for Shielded {}

/// Puts the member into Standby, or suspends the processes that `prepare-run` wrote into the intent.
///
/// Needs `autoscaling:Describe*`, `EnterStandby` or `SuspendProcesses`, and the table.
///
/// # Errors
/// [`ErrorName::StandbyPending`] until it is seen (load balancers drain a member for 300 s by default);
/// [`ErrorName::StandbyRefused`] when the group would fall below its minimum or the member is leaving.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Shielded, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    match &input.document.prepared()?.shield {
        None => {}
        Some(Shield::Standby { group }) => {
            standby(ports.auto_scaling, &run.location, group, &run.instance_id).await?;
        }
        Some(Shield::Suspend { group, processes }) => {
            suspend(ports.auto_scaling, &run.location, group, processes).await?;
        }
    }
    Ok(Shielded { at: cx.now })
}

async fn standby(
    auto_scaling: &dyn AutoScaling,
    at: &Location,
    group: &str,
    instance_id: &str,
) -> Result<(), TaskError> {
    let pending =
        || TaskError::new(ErrorName::StandbyPending, format!("{instance_id} is not in Standby yet"));
    let refused =
        |why: &str| TaskError::new(ErrorName::StandbyRefused, format!("{instance_id} of {group}: {why}"));
    match auto_scaling.member(at, instance_id).await?.map(|member| member.lifecycle) {
        Some(LifecycleState::Standby) => Ok(()),
        Some(LifecycleState::EnteringStandby | LifecycleState::Pending) => Err(pending()),
        Some(LifecycleState::InService) => match auto_scaling.enter_standby(at, group, instance_id).await {
            Ok(()) => Err(pending()),
            Err(fault) if fault.kind == FaultKind::Rejected => Err(refused(&fault.message)),
            Err(fault) => Err(fault.into()),
        },
        Some(LifecycleState::Leaving) => Err(refused("it is being taken out of the group")),
        None => Err(refused("it is no longer a member")),
    }
}

async fn suspend(
    auto_scaling: &dyn AutoScaling,
    at: &Location,
    group: &str,
    processes: &[String],
) -> Result<(), TaskError> {
    let wanted: BTreeSet<String> = processes.iter().cloned().collect();
    if wanted.is_subset(&auto_scaling.group(at, group).await?.suspended) {
        return Ok(());
    }
    auto_scaling.suspend_processes(at, group, &wanted).await?;
    // Read back by the next try: SuspendProcesses answers before it holds everywhere.
    Err(TaskError::new(ErrorName::StandbyPending, format!("the processes of {group} are not suspended yet")))
}
