//! What a run waits for, and how to see whether it is there: shared by `wait`, which looks when it has stored its token,
//! and `wake`, which looks when an event says that something changed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{ErrorName, TaskError};
use crate::inventory::{Instance, InstanceState, Location, SnapshotState};
use crate::ports::{Ec2, FaultKind, Settings, SnapshotQuery, Which, all_pages};

/// What must be true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Condition {
    /// The instance is `stopped`.
    Stopped {
        /// Where the instance is.
        location: Location,
        /// The instance.
        instance_id: String,
    },
    /// The instance is `running`.
    Running {
        /// Where the instance is.
        location: Location,
        /// The instance.
        instance_id: String,
        /// When the start was asked for.
        since: Timestamp,
    },
    /// Every snapshot is `completed`.
    Completed {
        /// Where the snapshots are.
        location: Location,
        /// The snapshots.
        snapshots: Vec<String>,
    },
}

/// What one look showed.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// It is true; the value is what the waiting state is answered with.
    Met(Value),
    /// It is not true yet.
    NotYet,
    /// It cannot come true any more.
    Never(TaskError),
}

impl Condition {
    /// The resources whose events may make it true.
    pub fn resources(&self) -> Vec<&str> {
        match self {
            Self::Stopped { instance_id, .. } | Self::Running { instance_id, .. } => vec![instance_id],
            Self::Completed { snapshots, .. } => snapshots.iter().map(String::as_str).collect(),
        }
    }

    /// How long to wait for it at most.
    pub fn limit(&self, settings: &Settings) -> SignedDuration {
        match self {
            Self::Stopped { .. } => settings.stop_limit,
            Self::Running { .. } => settings.run_limit,
            Self::Completed { .. } => settings.completion_limit,
        }
    }

    /// Looks once.
    pub async fn look(&self, ec2: &dyn Ec2, now: Timestamp, settings: &Settings) -> Result<Look, TaskError> {
        match self {
            Self::Stopped { location, instance_id } => {
                let instance = describe(ec2, location, instance_id).await?;
                Ok(match instance.state {
                    InstanceState::Stopped => Look::Met(json!({ "at": now })),
                    state if state.is_gone() => Look::Never(gone(instance_id, state)),
                    _ => Look::NotYet,
                })
            }
            Self::Running { location, instance_id, since } => {
                let instance = describe(ec2, location, instance_id).await?;
                Ok(match instance.state {
                    InstanceState::Running => Look::Met(json!({ "at": now })),
                    // A read that lags still shows `stopped` right after the start; after the lag it means that EC2
                    // took the start and gave it up (pending → stopped): the way a missing KMS grant looks.
                    InstanceState::Stopped if now.duration_since(*since) > settings.read_lag => {
                        let reason = instance.state_reason.as_deref().unwrap_or("EC2 gives no reason");
                        Look::Never(TaskError::new(
                            ErrorName::StartFailed,
                            format!("{instance_id} was started and fell back to stopped: {reason}"),
                        ))
                    }
                    state if state.is_gone() => Look::Never(gone(instance_id, state)),
                    _ => Look::NotYet,
                })
            }
            Self::Completed { location, snapshots } => completed(ec2, now, location, snapshots).await,
        }
    }
}

async fn completed(
    ec2: &dyn Ec2,
    now: Timestamp,
    location: &Location,
    ids: &[String],
) -> Result<Look, TaskError> {
    let query = SnapshotQuery::Ids(ids.to_vec());
    let found = match all_pages(|page| ec2.describe_snapshots(location, &query, page)).await {
        Ok(found) => found,
        // A read that lags does not show a snapshot that was just made, and fails for all of them.
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(Look::NotYet),
        Err(fault) => return Err(fault.into()),
    };
    let in_state = |state: SnapshotState| {
        let ids = found.iter().filter(|snapshot| snapshot.state == state).map(|snapshot| snapshot.id.clone());
        ids.collect::<Vec<_>>()
    };
    let failed = in_state(SnapshotState::Error);
    Ok(if !failed.is_empty() {
        Look::Never(TaskError::new(
            ErrorName::SnapshotFailed,
            format!("{} of {} snapshots ended in error: {}", failed.len(), ids.len(), failed.join(", ")),
        ))
    } else if in_state(SnapshotState::Completed).len() == ids.len() {
        Look::Met(json!({ "at": now }))
    } else {
        Look::NotYet
    })
}

fn gone(instance_id: &str, state: InstanceState) -> TaskError {
    TaskError::new(ErrorName::InstanceGone, format!("{instance_id} is {state}"))
}

/// Describes one instance. Not being there is [`ErrorName::InstanceGone`].
pub async fn describe(ec2: &dyn Ec2, location: &Location, instance_id: &str) -> Result<Instance, TaskError> {
    let which = Which::Ids(vec![instance_id.to_owned()]);
    let found = all_pages(|page| ec2.describe_instances(location, &which, page)).await;
    let missing = || {
        TaskError::new(ErrorName::InstanceGone, format!("there is no instance {instance_id} in {location}"))
    };
    match found {
        Ok(instances) => instances.into_iter().find(|i| i.id == instance_id).ok_or_else(missing),
        Err(fault) if fault.kind == FaultKind::NotFound => Err(missing()),
        Err(fault) => Err(fault.into()),
    }
}
