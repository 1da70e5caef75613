//! What the clients, the functions and moto's own interpreter take for AWS: Lambda invocations go to the function host,
//! everything else to moto.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use crate::faults::{Faults, Victim};
use crate::host::{self, Host};
use crate::http::Server;
use crate::rights::{Calls, caller, operation};

/// The header by which `moto/event_targets.py` marks what an EventBridge rule invokes.
const EVENT: &str = "x-stopgap-event";

/// Headers about one connection, which the next one has its own of; and one that moto's server cannot answer.
const HOP_BY_HOP: [&str; 5] = ["connection", "keep-alive", "transfer-encoding", "expect", "content-length"];

/// Whether the events of EC2 and EBS reach their functions. AWS may lose them: with them off, only the polls are left.
#[derive(Clone, Debug)]
pub struct Events(Arc<AtomicBool>);

impl Events {
    /// Events that are delivered.
    pub fn delivered() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Delivers events from here on, or loses them.
    pub fn deliver(&self, delivered: bool) {
        self.0.store(delivered, Ordering::SeqCst);
    }
}

/// The routes of all of AWS.
pub fn routes(host: Arc<Host>, moto: Server, events: Events, calls: Calls, faults: Faults) -> Router {
    let lambda = host::routes(host).layer(middleware::from_fn_with_state(events, lose_events));
    Router::new().fallback(pass_on).with_state((moto, calls, faults)).merge(lambda)
}

/// Accepts an event and forgets it, when events are to be lost.
async fn lose_events(State(Events(delivered)): State<Events>, request: Request, next: Next) -> Response {
    if request.headers().contains_key(EVENT) && !delivered.load(Ordering::SeqCst) {
        return StatusCode::ACCEPTED.into_response();
    }
    next.run(request).await
}

async fn pass_on(State((moto, calls, faults)): State<(Server, Calls, Faults)>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    remove_hop_by_hop(&mut parts.headers);
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    calls.note(&parts.method, &parts.headers, &body);
    let wrong = caller(&parts.headers).and_then(|(_, service)| {
        let wrong = faults.next(&operation(&parts.headers, &body)?, &body)?;
        Some((wrong, Victim::new(service, &parts.headers)))
    });
    let request = Request::from_parts(parts, Body::from(body));
    match wrong {
        None => ask(&moto, request).await,
        Some((wrong, victim)) => {
            if wrong.has_its_effect() {
                // What it came to is what nobody hears.
                let _ = ask(&moto, request).await;
            }
            wrong.answer(&victim).await
        }
    }
}

/// Asks moto.
async fn ask(moto: &Server, request: Request) -> Response {
    match moto.send(request).await {
        Ok(mut answer) => {
            remove_hop_by_hop(&mut answer.headers);
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, answer.headers, answer.body).into_response()
        }
        Err(why) => (StatusCode::BAD_GATEWAY, why.to_string()).into_response(),
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}
