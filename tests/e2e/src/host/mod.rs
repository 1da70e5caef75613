//! A Lambda host: the Invoke API in front, the Runtime API behind, and a process for each invocation that runs at the
//! same time, as on Lambda.
//!
//! What it keeps of Lambda's manners is what Step Functions and a caller can see: function errors are answers with the
//! status 200 and `X-Amz-Function-Error`; a function that takes too long is killed (`Sandbox.Timedout`), one that dies is
//! `Runtime.ExitError`, one that cannot start says so in `/init/error`; a process is used again when it is idle, and never
//! for two invocations at once. Departures: the function's timeout covers the start of its process too, and an
//! asynchronous invocation that fails is not repeated.

mod function;
mod invoke_api;
mod outcome;
mod runtime_api;
mod sandbox;
#[cfg(test)]
mod tests;

pub use function::{Function, function_name};
pub use invoke_api::routes;
pub use outcome::Outcome;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::Request;

use runtime_api::Invocation;
use sandbox::Sandbox;

use crate::http::Server;

/// What the functions run in.
pub struct Host {
    functions: Mutex<BTreeMap<String, Function>>,
    idle: Mutex<BTreeMap<String, Vec<Sandbox>>>,
    logs: PathBuf,
    requests: AtomicU64,
}

impl Host {
    /// A host without functions, which writes what they print to `<logs>/<function>.log`.
    pub fn new(logs: &Path) -> Self {
        Self {
            functions: Mutex::default(),
            idle: Mutex::default(),
            logs: logs.to_owned(),
            requests: AtomicU64::new(0),
        }
    }

    /// Adds a function, or replaces it. Idle processes of the one before are ended.
    pub fn deploy(&self, function: Function) {
        lock(&self.idle).remove(&function.name);
        lock(&self.functions).insert(function.name.clone(), function);
    }

    /// The function of a name.
    pub fn function(&self, name: &str) -> Option<Function> {
        lock(&self.functions).get(name).cloned()
    }

    /// A new request id, in the form of a UUID. Unique within the host.
    pub fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-0000-4000-8000-{number:012x}", std::process::id())
    }

    /// Runs one invocation in an idle process of the function, or in a new one.
    pub async fn invoke(&self, function: &Function, request_id: &str, event: Bytes) -> Outcome {
        let mut sandbox = match self.idle_sandbox(&function.name) {
            Some(sandbox) => sandbox,
            None => match Sandbox::start(function, &self.logs).await {
                Ok(sandbox) => sandbox,
                Err(why) => return Outcome::not_started(&why),
            },
        };
        let invocation = Invocation::new(function, request_id, event);
        let outcome = sandbox.run(invocation, function.timeout).await;
        if outcome.process_lives() {
            lock(&self.idle).entry(function.name.clone()).or_default().push(sandbox);
        }
        outcome
    }

    fn idle_sandbox(&self, name: &str) -> Option<Sandbox> {
        let mut idle = lock(&self.idle);
        let sandboxes = idle.get_mut(name)?;
        while let Some(mut sandbox) = sandboxes.pop() {
            if sandbox.is_alive() {
                return Some(sandbox);
            }
        }
        None
    }
}

/// Ends the process that signs its requests with this session token, as if it had crashed.
pub(crate) async fn crash(session_token: &str) -> std::io::Result<()> {
    let request = Request::post(runtime_api::CRASH).body(Body::empty()).map_err(std::io::Error::other)?;
    Server::at(session_token).send(request).await.map(drop)
}

/// Locks what no holder leaves half changed, so that a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
