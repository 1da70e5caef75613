//! The second opinion: moto's interpreter.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use stopgap_e2e::clients::Clients;
use stopgap_e2e::cloud::ACCOUNT;
use stopgap_e2e::faults::Faults;
use stopgap_e2e::host::Host;
use stopgap_e2e::moto::{Moto, Pace};
use stopgap_e2e::rights::Calls;
use stopgap_e2e::router::{self, Events};
use stopgap_e2e::{paths, tools};

use crate::function;
use crate::generate::Machine;
use crate::run::{Event, Run};

/// Waits and retries take no time: a million seconds pass in one.
const TIME_SCALE: f64 = 1_000_000.0;
/// How often to look whether an execution has ended, and how many times.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: usize = 6_000;

/// A running moto.
pub(crate) struct Interpreter {
    clients: Clients,
    _moto: Moto,
    _logs: tempfile::TempDir,
}

/// Starts moto for as long as `use_it` takes.
pub(crate) fn with<T>(use_it: impl AsyncFnOnce(&Interpreter) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let interpreter = Interpreter::start().await.unwrap_or_else(|why| panic!("{why}"));
        use_it(&interpreter).await
    })
}

impl Interpreter {
    async fn start() -> std::io::Result<Self> {
        let python = tools::moto(&paths::target().join("tools"))?;
        let logs = tempfile::tempdir()?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let moto = Moto::start(
            &python,
            port,
            Pace { time_scale: TIME_SCALE, ..Pace::default() },
            &logs.path().join("moto.log"),
        )
        .await?;
        let host = Arc::new(Host::new(logs.path()));
        let (calls, faults) = (Calls::default(), Faults::default());
        let routes = router::routes(host, moto.server.clone(), Events::delivered(), calls, faults);
        let routes = routes.layer(middleware::from_fn(call_function));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            clients: Clients::at_home(&format!("http://127.0.0.1:{port}")).await,
            _moto: moto,
            _logs: logs,
        })
    }

    /// Runs a machine to its end.
    pub(crate) async fn run(&self, machine: &Machine) -> Run {
        let step_functions = &self.clients.step_functions;
        let create = step_functions.create_state_machine().name(&machine.name);
        let create = create.definition(machine.definition.to_string());
        let created = create.role_arn(format!("arn:aws:iam::{ACCOUNT}:role/any")).send().await;
        let arn = created.unwrap_or_else(|e| panic!("{e:?}\n{:#}", machine.definition)).state_machine_arn;
        let start = step_functions.start_execution().state_machine_arn(arn).input(machine.input.to_string());
        let arn = start.send().await.unwrap().execution_arn;
        for _ in 0..LOOKS {
            let found = step_functions.describe_execution().execution_arn(&arn).send().await.unwrap();
            if found.status != ExecutionStatus::Running {
                let history =
                    step_functions.get_execution_history().execution_arn(&arn).send().await.unwrap();
                return Run {
                    status: found.status.as_str().to_owned(),
                    output: output(&history.events),
                    error: found.error,
                    cause: found.cause,
                    events: history.events.iter().map(event).collect(),
                };
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("moto does not come to an end: {:#}\ninput: {}", machine.definition, machine.input);
    }
}

/// Answers invocations of the function; everything else is moto's.
async fn call_function(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/2015-03-31/functions/") {
        return next.run(request).await;
    }
    let body = to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (failed, answer) = match function::call(&event) {
        Ok(answer) => (false, answer),
        Err(document) => (true, document),
    };
    let mut answer = (StatusCode::OK, Body::from(answer.to_string())).into_response();
    let headers = answer.headers_mut();
    headers.insert("x-amz-executed-version", "$LATEST".parse().unwrap());
    headers.insert("x-amzn-requestid", "a-request".parse().unwrap());
    if failed {
        headers.insert("x-amz-function-error", "Unhandled".parse().unwrap());
    }
    answer
}

/// What an execution came to, from its last event: the description has a text as it is, and not as JSON.
fn output(events: &[HistoryEvent]) -> Option<Value> {
    let details = events.iter().find_map(|event| event.execution_succeeded_event_details());
    details.and_then(|details| details.output()).map(|text| serde_json::from_str(text).unwrap())
}

fn event(event: &HistoryEvent) -> Event {
    let entered = event.state_entered_event_details().map(|details| (details.name(), details.input()));
    let exited = event.state_exited_event_details().map(|details| (details.name(), details.output()));
    let state = entered.or(exited);
    let iteration = [
        event.map_iteration_started_event_details(),
        event.map_iteration_succeeded_event_details(),
        event.map_iteration_failed_event_details(),
        event.map_iteration_aborted_event_details(),
    ];
    let iteration = iteration.into_iter().flatten().next();
    let name = state.map(|(name, _)| name).or_else(|| iteration.and_then(|details| details.name()));
    Event {
        id: u64::try_from(event.id()).unwrap(),
        previous: u64::try_from(event.previous_event_id()).unwrap(),
        kind: event.r#type().as_str().to_owned(),
        name: name.map(str::to_owned),
        index: iteration.map(|details| u64::try_from(details.index()).unwrap()),
        data: state.and_then(|(_, data)| data).map(|data| serde_json::from_str(data).unwrap()),
    }
}
