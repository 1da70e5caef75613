//! The Invoke API: `POST /2015-03-31/functions/{name or ARN}/invocations`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::{Function, Host, function_name};

/// Lambda's limit on the payload of a synchronous invocation.
const PAYLOAD_MAX: usize = 6 * 1024 * 1024;

/// The routes of the Invoke API.
pub fn routes(host: Arc<Host>) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .layer(DefaultBodyLimit::max(PAYLOAD_MAX))
        .with_state(host)
}

async fn invoke(
    State(host): State<Arc<Host>>,
    Path(given): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request_id = host.request_id();
    let event = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
    let mut answer = match host.function(function_name(&given)) {
        None => not_found(&given),
        Some(_) if serde_json::from_slice::<Value>(&event).is_err() => not_json(),
        Some(function) => match invocation_type(&headers) {
            "DryRun" => StatusCode::NO_CONTENT.into_response(),
            "Event" => asynchronous(host, function, request_id.clone(), event),
            _ => synchronous(&host, &function, &request_id, event).await,
        },
    };
    if let Ok(id) = request_id.parse() {
        answer.headers_mut().insert("x-amzn-requestid", id);
    }
    answer
}

fn invocation_type(headers: &HeaderMap) -> &str {
    headers.get("x-amz-invocation-type").and_then(|value| value.to_str().ok()).unwrap_or("RequestResponse")
}

/// Answers when the function has. Its errors are answers, too: the status is 200.
async fn synchronous(host: &Host, function: &Function, request_id: &str, event: Bytes) -> Response {
    let outcome = host.invoke(function, request_id, event).await;
    let is_error = outcome.is_error();
    let mut answer = ([("x-amz-executed-version", "$LATEST")], outcome.payload(request_id)).into_response();
    let headers = answer.headers_mut();
    headers.insert("content-type", axum::http::HeaderValue::from_static("application/json"));
    if is_error {
        headers.insert("x-amz-function-error", axum::http::HeaderValue::from_static("Unhandled"));
    }
    answer
}

/// Answers at once; what becomes of the invocation is in the function's log.
fn asynchronous(host: Arc<Host>, function: Function, request_id: String, event: Bytes) -> Response {
    tokio::spawn(async move { host.invoke(&function, &request_id, event).await });
    StatusCode::ACCEPTED.into_response()
}

fn not_found(given: &str) -> Response {
    let message = format!("Function not found: {given}");
    problem(StatusCode::NOT_FOUND, "ResourceNotFoundException", &message)
}

fn not_json() -> Response {
    let message = "Could not parse request body into json";
    problem(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
}

fn problem(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = Json(json!({ "Type": "User", "Message": message }));
    (status, [("x-amzn-errortype", kind)], body).into_response()
}
