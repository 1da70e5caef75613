//! What ends a state badly, and which `ErrorEquals` names it answers to.

use serde_json::{Value, json};

use super::TaskFailure;

/// AWS: 256 KiB of UTF-8 for the input and output of a state, a task and an execution.
pub(super) const MAX_PAYLOAD: usize = 262_144;

/// An error with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: String,
    pub(super) cause: Option<String>,
    /// A second name that `ErrorEquals` may use.
    also: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: error.into(), cause: Some(cause.into()), also: None }
    }

    /// AWS gives a time-out no cause.
    pub(super) fn timeout() -> Self {
        Self { error: "States.Timeout".into(), cause: None, also: None }
    }

    /// AWS reports a missed heartbeat as `States.Timeout`, but `States.HeartbeatTimeout` matches it too.
    pub(super) fn heartbeat() -> Self {
        Self { also: Some("States.HeartbeatTimeout"), ..Self::timeout() }
    }

    /// What failed in a branch is what the Parallel state reports; `States.BranchFailed` matches it too.
    pub(super) fn in_branch(self) -> Self {
        Self { also: self.also.or(Some("States.BranchFailed")), ..self }
    }

    /// AWS: it always fails the execution, whatever is there to catch it.
    pub(super) fn is_runtime(&self) -> bool {
        self.error == "States.Runtime"
    }

    pub(super) fn is_timeout(&self) -> bool {
        self.error == "States.Timeout"
    }

    /// Whether a retrier or catcher with these names applies.
    ///
    /// AWS: `States.Runtime` always fails the execution. `States.DataLimitExceeded` is matched by its own name only.
    /// `States.TaskFailed` matches everything but time-outs.
    pub(super) fn matches(&self, names: &[String]) -> bool {
        if self.is_runtime() {
            return false;
        }
        names.iter().any(|name| match name.as_str() {
            "States.ALL" => self.error != "States.DataLimitExceeded",
            "States.TaskFailed" => self.error != "States.DataLimitExceeded" && !self.is_timeout(),
            // A heartbeat that is missed is a time-out as well.
            "States.Timeout" => self.is_timeout(),
            name => name == self.error || self.also == Some(name),
        })
    }

    /// The error output that a catcher hands on.
    pub(super) fn output(&self) -> Value {
        json!({"Error": self.error, "Cause": self.cause.as_deref().unwrap_or_default()})
    }

    /// The name, if it has one: a Fail state need not give any.
    pub(super) fn name(&self) -> Option<&str> {
        Some(self.error.as_str()).filter(|name| !name.is_empty())
    }

    /// The fields of the details of a failure event.
    pub(super) fn details(&self) -> Vec<(&'static str, Value)> {
        let error = self.name().map(|error| ("error", Value::from(error)));
        let cause = self.cause.as_deref().map(|cause| ("cause", Value::from(cause)));
        error.into_iter().chain(cause).collect()
    }
}

impl From<TaskFailure> for Failure {
    fn from(failure: TaskFailure) -> Self {
        let cause = if failure.cause.is_empty() { None } else { Some(failure.cause) };
        match failure.error.as_str() {
            "States.HeartbeatTimeout" => Self { cause, ..Self::heartbeat() },
            _ => Self { error: failure.error, cause, also: None },
        }
    }
}
