//! Why a command did not do what it was asked, and the exit status that says so.

use std::process::ExitCode;

use stopgap_core::error::{ErrorName, TaskError};
use stopgap_core::ports::Fault;

/// What is wrong with the input: where, and what would be right. One message a line.
#[derive(Debug)]
pub(crate) struct BadInput(pub(crate) Vec<String>);

impl BadInput {
    pub(crate) fn one(message: impl Into<String>) -> Self {
        Self(vec![message.into()])
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The input is wrong.
    BadInput(BadInput),
    /// The operation failed: what, and where that is known what would be right. One message a line.
    Failed(Vec<String>),
}

#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "offline, only inputs can be wrong"))]
impl Failure {
    /// A failed operation.
    pub(crate) fn one(message: impl Into<String>) -> Self {
        Self::Failed(vec![message.into()])
    }
}

impl Failure {
    pub(crate) fn messages(&self) -> &[String] {
        match self {
            Self::BadInput(BadInput(messages)) | Self::Failed(messages) => messages,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::BadInput(_) => ExitCode::from(2),
        }
    }
}

impl From<BadInput> for Failure {
    fn from(input: BadInput) -> Self {
        Self::BadInput(input)
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        match error.name {
            ErrorName::InvalidInput => {
                Self::BadInput(BadInput(error.cause.lines().map(str::to_owned).collect()))
            }
            ErrorName::AccessDenied => Self::one(format!(
                "these credentials may not do that ({}); docs/operator.md lists the rights of each command",
                error.cause
            )),
            ErrorName::ServiceUnavailable | ErrorName::Throttled => {
                Self::one(format!("AWS did not answer as it should ({}); try again", error.cause))
            }
            _ => Self::one(error.cause),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        TaskError::from(fault).into()
    }
}
