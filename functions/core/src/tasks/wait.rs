//! `wait`: the task behind every state that waits for EC2 (`lambda:invoke.waitForTaskToken`).
//!
//! It stores the token and *then* looks, so an event between the two is not lost; `wake` answers later. The state's own
//! short timeout with a Retry on `States.Timeout` calls it again, with a new token: the poll behind the events, which
//! EC2 may lose.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, StateInput};
use crate::error::{ErrorName, TaskError};
use crate::ports::{Context, Expect, Ports};
use crate::records::{Waiting, put};
use crate::waiting::{Condition, Look};

/// What a waiting state hands to `wait`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// What to wait for.
    #[serde(rename = "for")]
    pub for_: Purpose,
    /// The token to answer (`$$.Task.Token`).
    pub token: String,
    /// When the state was entered (`$$.State.EnteredTime`); the same on each retry.
    pub entered: Timestamp,
    /// State and document.
    #[serde(flatten)]
    pub state: StateInput,
}

/// What a state waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The instance is stopped.
    Stopped,
    /// The instance is running.
    Running,
    /// The snapshots are completed.
    Completed,
}

/// Stores the token, then looks; answers the token at once if there is nothing to wait for.
///
/// Needs `ec2:DescribeInstances`, `ec2:DescribeSnapshots`, `states:SendTaskSuccess` and the table. Idempotent: a new
/// token replaces the old one of the same execution.
///
/// # Errors
/// What can never come true (the instance is gone, a snapshot failed, a start fell back), and
/// [`ErrorName::DeadlinePassed`] when it took longer than the settings allow.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: Input) -> Result<(), TaskError> {
    let document = &input.state.document;
    let condition = condition(input.for_, document)?;
    let limit = condition.limit(cx.settings);
    let until = input.entered.saturating_add(limit).unwrap_or(Timestamp::MAX);

    let waiting = Waiting { token: input.token, condition, until };
    for resource in waiting.condition.resources() {
        let key = Waiting::key(resource, &document.run.execution);
        ports.table.write(vec![put(key, Expect::Any, &waiting)?]).await?;
    }
    match waiting.condition.look(ports.ec2, cx.now, cx.settings).await? {
        Look::Met(output) => Ok(ports.callbacks.succeed(&waiting.token, output).await?),
        Look::Never(error) => Err(error),
        Look::NotYet if cx.now < until => Ok(()),
        Look::NotYet => {
            let (what, hours) = (input.state.state, limit.as_secs_f64() / 3600.0);
            Err(TaskError::new(ErrorName::DeadlinePassed, format!("{what} took longer than {hours:.1} h")))
        }
    }
}

fn condition(purpose: Purpose, document: &Document) -> Result<Condition, TaskError> {
    let run = &document.run;
    let (location, instance_id) = (run.location.clone(), run.instance_id.clone());
    match purpose {
        Purpose::Stopped => Ok(Condition::Stopped { location, instance_id }),
        Purpose::Running => {
            let start = document.start.as_ref().ok_or_else(|| {
                TaskError::new(ErrorName::Defect, "the machine waits for a start that was not asked for")
            })?;
            Ok(Condition::Running { location, instance_id, since: start.payload.at })
        }
        Purpose::Completed => Ok(Condition::Completed { location, snapshots: document.snapshot_ids() }),
    }
}
