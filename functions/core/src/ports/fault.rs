//! What a port answers when it cannot do what it was asked.

use std::fmt;

/// What kind of failure it is: all that a task may decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// A request limit (`RequestLimitExceeded`, `Throttling`, `SnapshotCreationPerVolumeRateExceeded`).
    Throttled,
    /// The service failed or could not be reached (`InternalError`, `Unavailable`). Most likely nothing was done.
    Unavailable,
    /// The call was sent and not answered: it may or may not have had its effect.
    Unanswered,
    /// `UnauthorizedOperation`, `AccessDenied`.
    AccessDenied,
    /// The named resource does not exist (`Invalid….NotFound`).
    NotFound,
    /// The resource is in the wrong state (`IncorrectInstanceState`, `IncorrectState`, `InvalidSnapshot.InUse`).
    Conflict,
    /// A quota (`SnapshotLimitExceeded`, `PendingSnapshotLimitExceeded`, `ConcurrentSnapshotLimitExceeded`,
    /// `TagLimitExceeded`).
    LimitExceeded,
    /// `InsufficientInstanceCapacity`.
    NoCapacity,
    /// Any other refusal (`UnsupportedOperation`, `OperationNotPermitted`, a validation error).
    Rejected,
    /// The answer could not be read.
    Malformed,
}

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The request, by its API name, such as `StopInstances`.
    pub operation: &'static str,
    /// What kind of failure it is.
    pub kind: FaultKind,
    /// The service's own code and message, for people.
    pub message: String,
}

impl Fault {
    /// A failure of `operation`.
    pub fn new(operation: &'static str, kind: FaultKind, message: impl Into<String>) -> Self {
        Self { operation, kind, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)
    }
}
