//! `silence-alarms`: switches the actions of the instance's alarms off while it is down on purpose. Idempotent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::alarms;
use crate::error::TaskError;
use crate::lease;
use crate::measure::Measured;
use crate::ports::{Context, Ports};
use crate::records::{Intent, read};

/// What `silence-alarms` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silenced {
    /// When they were off.
    pub at: Timestamp,
}

impl Measured for Silenced {}

/// Switches the alarms off that `prepare-run` wrote into the intent, and no others: what is written there is switched on again,
/// by whoever holds the lease then.
///
/// Needs `cloudwatch:DescribeAlarms`, `cloudwatch:DisableAlarmActions` and the table.
///
/// # Errors
/// What CloudWatch refuses. The instance is not stopped then: what a policy asks for is done, or there is no time down.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Silenced, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let intent = read::<Intent>(ports.table, &Intent::key(&run.location, &run.instance_id)).await?;
    for names in intent.iter().flat_map(|intent| alarms::at_once(&intent.record.alarms)) {
        let there = alarms::there(ports.alarms, &run.location, names).await?;
        if !there.is_empty() {
            ports.alarms.disable_alarm_actions(&run.location, &there).await?;
        }
    }
    Ok(Silenced { at: cx.now })
}
