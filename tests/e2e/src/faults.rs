//! What goes wrong between the functions and AWS: a call that is asked for is answered as AWS answers in trouble, or not at
//! all. moto throttles nobody and never fails, so the router does.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::host;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is throttled.
    Throttled,
    /// The caller may not do it.
    AccessDenied,
    /// The service fails.
    InternalError,
    /// The connection ends before anything was done.
    LostBefore,
    /// It has its effect, and the connection ends before the answer.
    LostAfter,
    /// What comes back is no answer of AWS's.
    Malformed,
    /// It has its effect, and the answer comes later than any client waits.
    Slow,
    /// The function crashes before anything was done.
    CrashBefore,
    /// It has its effect, and the function crashes before it hears the answer.
    CrashAfter,
}

/// A fault that is to come.
#[derive(Clone, Debug)]
struct Planned {
    operation: &'static str,
    about: String,
    times: u32,
    wrong: Wrong,
}

/// The faults that are to come. They befall the functions alone.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Planned>>>);

impl Faults {
    /// Lets the next `times` requests of an operation go wrong that name `about`, such as an instance's id.
    pub fn plan(&self, operation: &'static str, about: &str, times: u32, wrong: Wrong) {
        let planned = Planned { operation, about: about.to_owned(), times, wrong };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(planned);
    }

    /// How many of the requests that are to go wrong have not come.
    pub fn left(&self, about: &str) -> u32 {
        let planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        planned.iter().filter(|fault| fault.about == about).map(|fault| fault.times).sum()
    }

    /// What goes wrong with this request of a function's.
    pub(crate) fn next(&self, operation: &str, body: &[u8]) -> Option<Wrong> {
        let body = String::from_utf8_lossy(body);
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let meant = |fault: &&mut Planned| {
            fault.times > 0 && fault.operation == operation && body.contains(&fault.about)
        };
        let fault = planned.iter_mut().find(meant)?;
        fault.times -= 1;
        Some(fault.wrong)
    }
}

/// Whose call goes wrong.
pub(crate) struct Victim {
    service: String,
    session_token: String,
}

impl Victim {
    /// Who asks `service`.
    pub(crate) fn new(service: &str, headers: &HeaderMap) -> Self {
        let token = headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
        Self { service: service.to_owned(), session_token: token.unwrap_or_default().to_owned() }
    }
}

/// How AWS says it, by the protocol of the service. EC2 and SNS answer in XML, DynamoDB in JSON.
struct Words {
    status: u16,
    ec2: &'static str,
    sns: &'static str,
    dynamodb: &'static str,
}

impl Wrong {
    /// Whether the request is passed on all the same.
    pub(crate) fn has_its_effect(self) -> bool {
        matches!(self, Self::LostAfter | Self::Slow | Self::CrashAfter)
    }

    /// What the caller gets.
    ///
    /// # Panics
    /// To end the connection without a word: the task that serves it ends, and nothing is printed.
    pub(crate) async fn answer(self, victim: &Victim) -> Response {
        let words = match self {
            Self::Throttled => Words {
                status: 503,
                ec2: "RequestLimitExceeded",
                sns: "Throttling",
                dynamodb: "ThrottlingException",
            },
            Self::AccessDenied => Words {
                status: 403,
                ec2: "UnauthorizedOperation",
                sns: "AuthorizationError",
                dynamodb: "AccessDeniedException",
            },
            Self::InternalError => Words {
                status: 500,
                ec2: "InternalError",
                sns: "InternalFailure",
                dynamodb: "InternalServerError",
            },
            Self::LostBefore | Self::LostAfter => resume_unwind(Box::new("the connection ends")),
            Self::Malformed => return (StatusCode::OK, "<html>It works!</html>").into_response(),
            Self::Slow => {
                tokio::time::sleep(LONGER_THAN_ANY_CLIENT_WAITS).await;
                return StatusCode::GATEWAY_TIMEOUT.into_response();
            }
            Self::CrashBefore | Self::CrashAfter => {
                // Without a crash it gets an answer that no test expects.
                return match host::crash(&victim.session_token).await {
                    Ok(()) => std::future::pending().await,
                    Err(why) => (StatusCode::BAD_GATEWAY, why.to_string()).into_response(),
                };
            }
        };
        said(&victim.service, &words)
    }
}

/// Longer than the SDK waits for one try of a request: 10 s.
const LONGER_THAN_ANY_CLIENT_WAITS: Duration = Duration::from_secs(12);

fn said(service: &str, words: &Words) -> Response {
    let Words { status, ec2, sns, dynamodb } = words;
    let message = "injected";
    let (status, body) = match service {
        "ec2" => (
            *status,
            format!(
                "<Response><Errors><Error><Code>{ec2}</Code><Message>{message}</Message></Error></Errors>\
                 <RequestID>1</RequestID></Response>"
            ),
        ),
        "sns" => (
            *status,
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{sns}</Code><Message>{message}</Message></Error>\
                 <RequestId>1</RequestId></ErrorResponse>"
            ),
        ),
        // What is no failure of its own is status 400 with DynamoDB.
        _ => (
            if *status == 500 { 500 } else { 400 },
            format!(
                "{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{dynamodb}\",\"message\":\"{message}\"}}"
            ),
        ),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_befalls_the_operation_on_what_it_is_about_so_often_and_no_more() {
        let faults = Faults::default();
        faults.plan("StopInstances", "i-1", 2, Wrong::Throttled);
        let ask = |operation: &str, body: &str| faults.next(operation, body.as_bytes());
        assert_eq!(ask("StopInstances", "Action=StopInstances&InstanceId.1=i-2"), None);
        assert_eq!(ask("StartInstances", "Action=StartInstances&InstanceId.1=i-1"), None);
        for left in [1, 0] {
            assert_eq!(ask("StopInstances", "InstanceId.1=i-1"), Some(Wrong::Throttled));
            assert_eq!(faults.left("i-1"), left);
        }
        assert_eq!(ask("StopInstances", "InstanceId.1=i-1"), None);
    }
}
