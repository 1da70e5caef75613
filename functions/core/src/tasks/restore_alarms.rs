//! `restore-alarms`: switches on again what `silence-alarms` switched off, and strikes that off the intent. Idempotent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::alarms;
use crate::error::TaskError;
use crate::lease;
use crate::measure::Measured;
use crate::ports::{Context, Ports, Write, Written};
use crate::records::{Intent, put, read, unchanged};
use crate::slots;

/// What `restore-alarms` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When they were on.
    pub at: Timestamp,
}

impl Measured for Restored {}

/// Switches the alarms on that the intent names, whatever a read says of them: it may lag behind the switching off. Alarms
/// that somebody has deleted meanwhile are owed to nobody.
///
/// It comes after the start, which it must not delay, and closes an intent of which nothing else is left.
///
/// Needs `cloudwatch:DescribeAlarms`, `cloudwatch:EnableAlarmActions` and the table.
///
/// # Errors
/// What CloudWatch refuses; [`Throttled`](crate::error::ErrorName::Throttled) when someone else wrote the intent at the same
/// moment.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Restored, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let key = Intent::key(&run.location, &run.instance_id);
    let stored = read::<Intent>(ports.table, &key).await?;
    let expect = unchanged(&stored);
    let Some(intent) = stored.map(|stored| stored.record) else { return Ok(Restored { at: cx.now }) };
    for names in alarms::at_once(&intent.alarms) {
        let there = alarms::there(ports.alarms, &run.location, names).await?;
        if !there.is_empty() {
            ports.alarms.enable_alarm_actions(&run.location, &there).await?;
        }
    }
    let write = if intent.restarted {
        Write::Delete { key, expect }
    } else {
        put(key, expect, &Intent { alarms: Vec::new(), ..intent })?
    };
    match ports.table.write(vec![write]).await? {
        Written::Done => Ok(Restored { at: cx.now }),
        Written::Refused => Err(slots::contended()),
    }
}
