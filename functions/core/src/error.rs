//! The one vocabulary of errors: what a function reports, and what `Retry` and `Catch` in `statemachine/` name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ports::{Fault, FaultKind};

/// Declares [`ErrorName`] once: each name with what it means.
macro_rules! error_names {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The name of an error, as Lambda's `errorType` carries it and as `ErrorEquals` matches it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ErrorName {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ErrorName {
            /// Every name there is. A test holds the state machine files against it.
            pub const ALL: &'static [ErrorName] = &[$(ErrorName::$name,)+];

            /// The name as text.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(ErrorName::$name => stringify!($name),)+
                }
            }
        }
    };
}

error_names! {
    // Of what was asked.
    /// The input is not one: a field is missing, unknown or of the wrong form.
    InvalidInput,
    /// There is no policy of that id, or none selects the instance.
    PolicyNotFound,
    /// Several policies select the instance, and none was chosen.
    PolicyAmbiguous,
    /// The instance does not exist, or is terminated.
    InstanceGone,

    // Of admission.
    /// Another run owns the instance.
    LeaseBusy,
    /// As many members of the concurrency group are down as may be.
    SlotBusy,
    /// The instance is on its way from one state to another.
    InTransition,
    /// The occurrence could not be begun within the policy's `start_within`.
    StartWindowPassed,

    /// The run was not begun: the instance might not come back, or cannot be backed up. Told in a ticket, never raised.
    Refused,

    // Of a run.
    /// The instance belongs to another run now (or to the rescuer): touch nothing.
    LeaseLost,
    /// Nobody could be told that there is no backup: the topic or the table cannot be reached.
    NotTold,
    /// The run's execution was aborted, timed out or ended where nothing could catch it.
    RunLost,
    /// The instance is not `stopped`, so a snapshot would not be safe.
    NotStopped,
    /// The instance is not `running` yet.
    NotRunning,
    /// The instance has not reached (or left) Standby yet.
    StandbyPending,
    /// Auto Scaling will not let the instance into Standby.
    StandbyRefused,
    /// A load balancer still waits for requests in flight, or does not find the instance healthy yet.
    TargetsPending,
    /// The start was accepted, and the instance fell back to `stopped`.
    StartFailed,
    /// EC2 has no capacity for the instance.
    CapacityUnavailable,
    /// An earlier create was not answered, and what it made may not be visible yet.
    CreateUnsettled,
    /// A snapshot ended in `error`.
    SnapshotFailed,
    /// Waiting took longer than it may.
    DeadlinePassed,
    /// The function's time is up before its work is done: what is done stays done, and the next try goes on.
    OutOfTime,

    // Of AWS, as the ports classify it.
    /// A request limit; it passes.
    Throttled,
    /// An internal error, an unreachable service or an unanswered call; it passes.
    ServiceUnavailable,
    /// The role may not do it.
    AccessDenied,
    /// What the call names does not exist.
    NotFound,
    /// The resource is in a state that does not allow it.
    Conflict,
    /// A quota that does not pass by itself.
    LimitExceeded,
    /// Any other refusal.
    Rejected,
    /// An answer that makes no sense, or a broken assumption of our own.
    Defect,
}

impl ErrorName {
    /// Whether the planner may start the same occurrence again (at most twice, within `start_within`): what failed
    /// was of the moment, not of the instance or the policy.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::ServiceUnavailable
                | Self::CapacityUnavailable
                | Self::NotStopped
                | Self::SnapshotFailed
                | Self::CreateUnsettled
                | Self::InTransition
                | Self::RunLost
        )
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ErrorName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text).ok_or(())
    }
}

/// Why a task failed: a name for machines and a cause for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {cause}")]
pub struct TaskError {
    /// What `Retry` and `Catch` match.
    pub name: ErrorName,
    /// What happened, in plain words.
    pub cause: String,
}

impl TaskError {
    /// An error of this name.
    pub fn new(name: ErrorName, cause: impl Into<String>) -> Self {
        Self { name, cause: cause.into() }
    }
}

impl From<Fault> for TaskError {
    fn from(fault: Fault) -> Self {
        let name = match fault.kind {
            FaultKind::Throttled => ErrorName::Throttled,
            FaultKind::Unavailable | FaultKind::Unanswered => ErrorName::ServiceUnavailable,
            FaultKind::AccessDenied => ErrorName::AccessDenied,
            FaultKind::NotFound => ErrorName::NotFound,
            FaultKind::Conflict => ErrorName::Conflict,
            FaultKind::LimitExceeded => ErrorName::LimitExceeded,
            FaultKind::NoCapacity => ErrorName::CapacityUnavailable,
            FaultKind::Rejected => ErrorName::Rejected,
            FaultKind::Malformed => ErrorName::Defect,
        };
        Self::new(name, fault.to_string())
    }
}

/// AWS's own error names that the state machines may match, beside ours. `States.Runtime` and
/// `States.DataLimitExceeded` are left out on purpose: `States.ALL` does not catch them, so nothing may pretend to.
pub const AWS_ERROR_NAMES: &[&str] = &[
    "States.ALL",
    "States.ItemReaderFailed",
    "States.Timeout",
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "StepFunctions.ExecutionAlreadyExistsException",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_itself() {
        for name in ErrorName::ALL {
            assert_eq!(name.as_str().parse(), Ok(*name));
        }
    }

    #[test]
    fn an_unanswered_call_counts_as_an_unavailable_service() {
        let fault = Fault::new("StopInstances", FaultKind::Unanswered, "no answer within 5 s");
        let error = TaskError::from(fault);
        assert_eq!(error.name, ErrorName::ServiceUnavailable);
        assert!(error.cause.contains("StopInstances"), "{}", error.cause);
    }
}
