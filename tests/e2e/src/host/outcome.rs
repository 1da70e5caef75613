//! What became of an invocation.

use std::process::ExitStatus;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::json;

/// What became of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function answered.
    Answered(Bytes),
    /// The function reported an error: its document, as it was posted.
    Failed(Bytes),
    /// The function could not start: the document that it posted to `/init/error`.
    InitFailed(Bytes),
    /// It took longer than it may, and was killed.
    TimedOut(Duration),
    /// Its process ended meanwhile; in Lambda's words, how.
    Exited(String),
}

impl Outcome {
    /// The end of a process in the words of Lambda's `Runtime.ExitError`.
    pub(super) fn exited(status: std::io::Result<ExitStatus>) -> Self {
        Self::Exited(match status.map(|status| (status.code(), status.to_string())) {
            Ok((Some(code), _)) => format!("exit status {code}"),
            Ok((None, signal)) => signal,
            Err(why) => why.to_string(),
        })
    }

    /// A program that cannot be run.
    pub(super) fn not_started(why: &std::io::Error) -> Self {
        let document = json!({ "errorType": "Runtime.InvalidEntrypoint", "errorMessage": why.to_string() });
        Self::InitFailed(document.to_string().into())
    }

    /// Whether it is a function error: what the header `X-Amz-Function-Error` tells.
    pub fn is_error(&self) -> bool {
        !matches!(self, Self::Answered(_))
    }

    /// Whether the process can take another invocation.
    pub(super) fn process_lives(&self) -> bool {
        matches!(self, Self::Answered(_) | Self::Failed(_))
    }

    /// The payload that the caller gets.
    pub fn payload(self, request_id: &str) -> Bytes {
        let (error, message) = match self {
            Self::Answered(body) | Self::Failed(body) | Self::InitFailed(body) => return body,
            Self::TimedOut(limit) => {
                ("Sandbox.Timedout", format!("Task timed out after {:.2} seconds", limit.as_secs_f64()))
            }
            Self::Exited(how) => ("Runtime.ExitError", format!("Runtime exited with error: {how}")),
        };
        let message = format!("RequestId: {request_id} Error: {message}");
        json!({ "errorType": error, "errorMessage": message }).to_string().into()
    }
}
