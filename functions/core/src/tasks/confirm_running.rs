//! `confirm-running`: sees the instance running, and only then strikes the debt off. Idempotent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::error::{ErrorName, TaskError};
use crate::inventory::InstanceState;
use crate::lease;
use crate::measure::Measured;
use crate::ports::{Context, Ports, Write, Written};
use crate::records::{Intent, instance_key, put, read, unchanged};
use crate::slots;
use crate::waiting::describe;

/// What `confirm-running` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// When the instance was seen running.
    pub at: Timestamp,
}

impl Measured for Confirmed {}

/// Closes the intent and gives the slot of the concurrency group back, in one transaction. An intent that owes alarms too stays
/// open for them alone.
///
/// Needs `ec2:DescribeInstances` and the table.
///
/// # Errors
/// [`ErrorName::NotRunning`] when it does not run after all; [`ErrorName::Throttled`] when another run changed the slots
/// at the same moment. Both are retried.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Confirmed, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let instance = describe(ports.ec2, &run.location, &run.instance_id).await?;
    if instance.state != InstanceState::Running {
        let cause = format!("{} is {}", run.instance_id, instance.state);
        return Err(TaskError::new(ErrorName::NotRunning, cause));
    }
    let key = Intent::key(&run.location, &run.instance_id);
    let intent = read::<Intent>(ports.table, &key).await?;
    let Some(open) = &intent else {
        return Ok(Confirmed { at: cx.now });
    };
    let (open, expect) = (&open.record, unchanged(&intent));
    let mut writes = vec![if open.alarms.is_empty() {
        Write::Delete { key, expect }
    } else {
        put(
            key,
            expect,
            &Intent { restarted: true, shield: None, group: None, targets: Vec::new(), ..open.clone() },
        )?
    }];
    if let Some(group) = &open.group {
        let holder = instance_key(&run.location, &run.instance_id);
        writes.extend(slots::give_back(ports.table, &run.location, group, &holder).await?);
    }
    match ports.table.write(writes).await? {
        Written::Done => Ok(Confirmed { at: cx.now }),
        Written::Refused => Err(slots::contended()),
    }
}
