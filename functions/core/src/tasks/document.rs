//! The document that travels through the instance machine: each state adds its result under a key of its own, and each
//! task reads the whole of it. Nothing is ever replaced, so whatever fails, the way back has all it needs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    close_run::Closed, copy_tags::Copied, create_snapshots::Created, notify::Notified, prepare_run::Prepared,
    start_instance::Started, stop_instance::Stopping,
};
use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::occurrence::Occurrence;
use crate::policy::Policy;
use crate::pruning::Pruned;

/// The states whose failure means that there is no backup, in the order of the machine; before them the rescuer's, which
/// finds that a run is lost.
pub const BACKUP_STATES: [&str; 10] = [
    "TakeOver",
    "ResolveRun",
    "PrepareRun",
    "EnterStandby",
    "DeregisterTargets",
    "SilenceAlarms",
    "StopInstance",
    "WaitUntilStopped",
    "CreateSnapshots",
    "WaitUntilCompleted",
];

/// The states whose failure means that the instance does not serve again, in the order of the machine.
pub const RESTART_STATES: [&str; 5] =
    ["StartInstance", "WaitUntilRunning", "LeaveStandby", "RegisterTargets", "ConfirmRunning"];

/// What every state of the instance machine hands its function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StateInput {
    /// The state's name (`$$.State.Name`).
    pub state: String,
    /// The document (`$`).
    pub document: Document,
}

/// A function's answer, the way `lambda:invoke` wraps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer<T> {
    /// What the function returned.
    #[serde(rename = "Payload")]
    pub payload: T,
}

/// What a `Catch` keeps of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its name.
    #[serde(rename = "Error", default)]
    pub error: String,
    /// Its cause. For an error of a Lambda function that is a JSON text with `errorMessage` in it.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

impl Failure {
    /// The cause in plain words: the `errorMessage` where Lambda wrapped one.
    pub fn in_words(&self) -> String {
        let wrapped: Option<serde_json::Value> = serde_json::from_str(&self.cause).ok();
        let message = wrapped.as_ref().and_then(|cause| cause.get("errorMessage")).and_then(|m| m.as_str());
        message.unwrap_or(&self.cause).to_owned()
    }
}

/// When something was seen: what `wait` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// When.
    pub at: Timestamp,
}

/// What a run is to do: decided by `resolve-run`, never changed after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The instance.
    pub instance_id: String,
    /// Where it is.
    pub location: Location,
    /// The policy as it stood when the run was resolved.
    pub policy: Policy,
    /// What the run is for.
    pub occurrence: Occurrence,
    /// Which try of the occurrence this is, from 0.
    pub attempt: u8,
    /// This execution, by its ARN: who owns lease, intent and slot.
    pub execution: String,
    /// When the run may begin: the fleet spreads runs so that nobody waits stopped for a request token.
    pub start_at: Timestamp,
    /// When it is too late to begin.
    pub start_until: Timestamp,
    /// Whether the run only says what it would do.
    pub dry_run: bool,
}

/// The document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// What is to be done.
    pub run: RunPlan,
    /// What `prepare-run` found and took.
    #[serde(default)]
    pub prepared: Option<Answer<Prepared>>,
    /// When the stop was asked for.
    #[serde(default)]
    pub stop: Option<Answer<Stopping>>,
    /// When the instance was seen stopped.
    #[serde(default)]
    pub stopped: Option<At>,
    /// The snapshots.
    #[serde(default)]
    pub snapshots: Option<Answer<Created>>,
    /// When the start was asked for, the last time.
    #[serde(default)]
    pub start: Option<Answer<Started>>,
    /// When the instance was seen running.
    #[serde(default)]
    pub running: Option<At>,
    /// When the member was seen out of reach of its Auto Scaling group.
    #[serde(default)]
    pub standby: Option<Answer<At>>,
    /// When it was seen out of its load balancers.
    #[serde(default)]
    pub deregistered: Option<Answer<At>>,
    /// When the alarms were switched off.
    #[serde(default)]
    pub silenced: Option<Answer<At>>,
    /// When it was seen to serve behind its load balancers again.
    #[serde(default)]
    pub registered: Option<Answer<At>>,
    /// When the debt of the restart was struck off.
    #[serde(default)]
    pub confirmed: Option<Answer<At>>,
    /// When the alarms were switched on again.
    #[serde(default)]
    pub restored: Option<Answer<At>>,
    /// When all snapshots were seen completed.
    #[serde(default)]
    pub completed: Option<At>,
    /// What became of the sets that retention no longer keeps.
    #[serde(default)]
    pub pruned: Option<Answer<Pruned>>,
    /// What became of the tags.
    #[serde(default)]
    pub tags: Option<Answer<Copied>>,
    /// How the run closed.
    #[serde(default)]
    pub closed: Option<Answer<Closed>>,
    /// Whether this is not the run itself, but the rescuer, that gives back what a lost run held.
    #[serde(default)]
    pub rescue: bool,
    /// The ticket that tells that there is no backup, as the rescuer has it.
    #[serde(default)]
    pub told: Option<Answer<Notified>>,
    /// What failed, by the state that it failed in.
    #[serde(default)]
    pub failures: BTreeMap<String, Failure>,
}

impl Document {
    /// The document of a run that has just been resolved.
    pub fn new(run: RunPlan) -> Self {
        Self {
            run,
            prepared: None,
            stop: None,
            stopped: None,
            snapshots: None,
            start: None,
            running: None,
            standby: None,
            deregistered: None,
            silenced: None,
            registered: None,
            confirmed: None,
            restored: None,
            completed: None,
            pruned: None,
            tags: None,
            closed: None,
            rescue: false,
            told: None,
            failures: BTreeMap::new(),
        }
    }

    /// What `prepare-run` took.
    ///
    /// # Errors
    /// [`ErrorName::Defect`] where a state comes before `PrepareRun`, which the machine does not do.
    pub fn prepared(&self) -> Result<&Prepared, TaskError> {
        let answer = self.prepared.as_ref().map(|answer| &answer.payload);
        answer.ok_or_else(|| TaskError::new(ErrorName::Defect, "the run was not prepared"))
    }

    /// How the run was lost, if the rescuer had to take it over.
    pub fn lost(&self) -> Option<(&str, &Failure)> {
        self.failures.get("TakeOver").map(|failure| ("TakeOver", failure))
    }

    /// The failure that the backup ended in, with its state: the first one of its chain.
    pub fn backup_failure(&self) -> Option<(&str, &Failure)> {
        BACKUP_STATES.iter().find_map(|state| Some((*state, self.failures.get(*state)?)))
    }

    /// What keeps the instance from running again, with its state: the last one of its chain.
    pub fn restart_failure(&self) -> Option<(&str, &Failure)> {
        RESTART_STATES.iter().rev().find_map(|state| Some((*state, self.failures.get(*state)?)))
    }

    /// What keeps alarms from being switched on again, with its state.
    pub fn alarms_failure(&self) -> Option<(&str, &Failure)> {
        self.failures.get("RestoreAlarms").map(|failure| ("RestoreAlarms", failure))
    }

    /// Whether the instance should be running and was not seen to.
    pub fn left_stopped(&self) -> bool {
        self.prepared.as_ref().is_some_and(|answer| answer.payload.restart_owed) && self.confirmed.is_none()
    }

    /// Whether the run may have stopped the instance, or done something to its Auto Scaling group, its load
    /// balancers or its alarms.
    pub fn touched(&self) -> bool {
        let tried = ["EnterStandby", "DeregisterTargets", "SilenceAlarms", "StopInstance"];
        let began = self.standby.is_some()
            || self.deregistered.is_some()
            || self.silenced.is_some()
            || self.stop.is_some()
            || tried.iter().any(|state| self.failures.contains_key(*state));
        // A debt taken over from a dead run stands whatever this run did.
        began || self.prepared.as_ref().is_some_and(|p| p.payload.restart_owed && !p.payload.stop)
    }

    /// How long the instance was down, in whole seconds: from asking it to stop to seeing it run.
    pub fn down_seconds(&self) -> Option<i64> {
        let (stop, running) = (self.stop.as_ref()?, self.running?);
        Some(running.at.duration_since(stop.payload.at).as_secs())
    }

    /// The snapshots that were made, if it came to that.
    pub fn snapshot_ids(&self) -> Vec<String> {
        let created = self.snapshots.iter().flat_map(|answer| &answer.payload.snapshots);
        created.map(|snapshot| snapshot.id.clone()).collect()
    }
}
