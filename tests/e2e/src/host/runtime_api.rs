//! The Runtime API: what a function's process asks for work, and tells what became of it. Each process has its own,
//! under the address in its `AWS_LAMBDA_RUNTIME_API`.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Function, Outcome, lock};
use crate::clock;

/// Not Lambda's: what ends the process, as if it had crashed by itself.
pub(super) const CRASH: &str = "/crash";

/// One invocation, as its process is told of it.
#[derive(Clone, Debug)]
pub(super) struct Invocation {
    request_id: String,
    function_arn: String,
    deadline: Timestamp,
    event: Bytes,
}

impl Invocation {
    /// An invocation that begins now.
    pub(super) fn new(function: &Function, request_id: &str, event: Bytes) -> Self {
        Self {
            request_id: request_id.to_owned(),
            function_arn: function.arn.clone(),
            deadline: clock::now().saturating_add(function.timeout).unwrap_or(Timestamp::MAX),
            event,
        }
    }
}

/// The host's end of a process's Runtime API.
pub(super) struct Line {
    /// Gives the process its next invocation.
    pub(super) invocations: mpsc::Sender<Invocation>,
    /// What the process tells of its invocations, and of its own start.
    pub(super) outcomes: mpsc::Receiver<Outcome>,
}

/// The process's end.
struct Slot {
    next: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    /// The request that the process has and has not answered.
    current: Mutex<Option<String>>,
    outcomes: mpsc::Sender<Outcome>,
}

/// The routes of one process's Runtime API, and the host's end of it.
pub(super) fn runtime_api() -> (Router, Line) {
    let (invocations, next) = mpsc::channel(1);
    let (answers, outcomes) = mpsc::channel(4);
    let slot = Slot { next: next.into(), current: Mutex::default(), outcomes: answers };
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next_invocation))
        .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .route(CRASH, post(crash))
        .with_state(Arc::new(slot));
    (routes, Line { invocations, outcomes })
}

/// Waits for the next invocation.
async fn next_invocation(State(slot): State<Arc<Slot>>) -> Response {
    let Some(invocation) = slot.next.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    *lock(&slot.current) = Some(invocation.request_id.clone());
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", invocation.request_id.clone()),
        ("lambda-runtime-deadline-ms", invocation.deadline.as_millisecond().to_string()),
        ("lambda-runtime-invoked-function-arn", invocation.function_arn),
        ("lambda-runtime-trace-id", trace_id(&invocation.request_id, invocation.deadline)),
    ];
    (headers, invocation.event).into_response()
}

async fn response(slot: State<Arc<Slot>>, id: Path<String>, body: Bytes) -> Response {
    finish(slot, id, Outcome::Answered(body)).await
}

async fn error(slot: State<Arc<Slot>>, id: Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    finish(slot, id, Outcome::Failed(error_document(&headers, body))).await
}

async fn init_error(State(slot): State<Arc<Slot>>, headers: HeaderMap, body: Bytes) -> Response {
    accepted(slot.outcomes.send(Outcome::InitFailed(error_document(&headers, body))).await)
}

async fn crash(State(slot): State<Arc<Slot>>) -> Response {
    accepted(slot.outcomes.send(Outcome::Exited("signal: killed".to_owned())).await)
}

async fn finish(State(slot): State<Arc<Slot>>, Path(id): Path<String>, outcome: Outcome) -> Response {
    let is_current = lock(&slot.current).take_if(|current| *current == id).is_some();
    if !is_current {
        let problem = json!({ "errorType": "InvalidRequestID", "errorMessage": "Invalid request ID" });
        return (StatusCode::BAD_REQUEST, Json(problem)).into_response();
    }
    accepted(slot.outcomes.send(outcome).await)
}

/// The error document, or one with the type from the header where the body is none.
fn error_document(headers: &HeaderMap, body: Bytes) -> Bytes {
    if serde_json::from_slice::<Value>(&body).is_ok() {
        return body;
    }
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    json!({ "errorType": kind.unwrap_or("Runtime.Unknown"), "errorMessage": "" }).to_string().into()
}

fn accepted<E>(sent: Result<(), E>) -> Response {
    match sent {
        Ok(()) => (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response(),
        Err(_) => StatusCode::GONE.into_response(),
    }
}

/// An X-Ray trace header that is not sampled, so that nobody looks for a daemon.
fn trace_id(request_id: &str, deadline: Timestamp) -> String {
    let digits: String = request_id.chars().filter(char::is_ascii_hexdigit).take(24).collect();
    format!("Root=1-{:08x}-{digits:0>24};Parent={digits:.16};Sampled=0", deadline.as_second())
}
