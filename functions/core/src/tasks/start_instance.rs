//! `start-instance`: pays back the restart that the intent promises. Idempotent: starting what runs is no error.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::error::{ErrorName, TaskError};
use crate::lease;
use crate::measure::Measured;
use crate::ports::{Context, FaultKind, Ports};
use crate::waiting::describe;

/// What `start-instance` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// When the start was asked for.
    pub at: Timestamp,
}

impl Measured for Started {}

/// Starts the instance.
///
/// Needs `ec2:StartInstances` on the instance and the table.
///
/// # Errors
/// [`ErrorName::InTransition`] while it is still stopping (EC2 answers `IncorrectInstanceState`);
/// [`ErrorName::DeadlinePassed`] when the run has tried for as long as the intent allows.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Started, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let deadline = input.document.prepared()?.deadline;
    if cx.now > deadline {
        let cause = format!("{} could not be started until {deadline}", run.instance_id);
        return Err(TaskError::new(ErrorName::DeadlinePassed, cause));
    }
    match ports.ec2.start_instance(&run.location, &run.instance_id).await {
        Ok(_) => Ok(Started { at: cx.now }),
        // Still stopping; or gone, which EC2 answers alike. Giving up takes a second look.
        Err(fault) if matches!(fault.kind, FaultKind::Conflict | FaultKind::NotFound) => {
            let state = describe(ports.ec2, &run.location, &run.instance_id).await?.state;
            let name = if state.is_gone() { ErrorName::InstanceGone } else { ErrorName::InTransition };
            Err(TaskError::new(name, fault.to_string()))
        }
        Err(fault) => Err(fault.into()),
    }
}
