//! `stop-instance`: asks EC2 to stop the instance. Idempotent: stopping what is stopped is no error.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::error::TaskError;
use crate::lease;
use crate::measure::Measured;
use crate::ports::{Context, Ports};

/// What `stop-instance` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// When the stop was asked for.
    pub at: Timestamp,
}

impl Measured for Stopping {}

/// Stops the instance, never by force: a forced stop may lose writes and ask for a file system check.
///
/// Needs `ec2:StopInstances` on the instance and the table.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Stopping, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    ports.ec2.stop_instance(&run.location, &run.instance_id).await?;
    Ok(Stopping { at: cx.now })
}
