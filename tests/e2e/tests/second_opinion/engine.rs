//! The first opinion: the engine's.

use std::rc::Rc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use stopgap_sim::asl::StateMachine;
use stopgap_sim::runtime::Runtime;
use stopgap_sim::stepfunctions::{HistoryEvent, Settings, StepFunctions, TaskCall, TaskFailure, TaskRunner};

use crate::function;
use crate::generate::Machine;
use crate::run::{Event, Run};

struct Functions;

impl TaskRunner for Functions {
    fn call(&self, call: TaskCall) -> LocalBoxFuture<'static, Result<Value, TaskFailure>> {
        assert_eq!(call.resource, "arn:aws:states:::lambda:invoke");
        let answer = match function::call(&call.parameters["Payload"]) {
            Ok(answer) => Ok(json!({ "ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200 })),
            Err(document) => {
                let error = document["errorType"].as_str().unwrap_or_default().to_owned();
                Err(TaskFailure { error, cause: document.to_string() })
            }
        };
        async { answer }.boxed_local()
    }
}

/// Runs a machine to its end.
pub(crate) fn run(machine: &Machine) -> Run {
    let runtime = Runtime::new(Timestamp::from_second(1_800_000_000).unwrap());
    let step_functions = StepFunctions::new(runtime.clock(), Rc::new(Functions), Settings::default());
    let definition = machine.definition.to_string();
    let parsed = StateMachine::parse(&definition).unwrap_or_else(|errors| panic!("{errors:?}\n{definition}"));
    let arn = step_functions.create_state_machine("machine", parsed);
    let arn = step_functions.start_execution(&arn, None, machine.input.clone()).unwrap();
    runtime.run();
    let execution = step_functions.describe_execution(&arn).unwrap();
    Run {
        status: execution.status.as_str().to_owned(),
        output: execution.output.as_deref().cloned(),
        error: execution.error,
        cause: execution.cause,
        events: step_functions.history(&arn).iter().map(event).collect(),
    }
}

fn event(event: &HistoryEvent) -> Event {
    let text = |field: &str| event.detail(field).and_then(Value::as_str);
    let data = text("input").or_else(|| text("output"));
    let is_state = event.event_type.ends_with("StateEntered") || event.event_type.ends_with("StateExited");
    Event {
        id: event.id,
        previous: event.previous_event_id,
        kind: event.event_type.clone(),
        name: text("name").map(str::to_owned),
        index: event.detail("index").and_then(Value::as_u64),
        data: data.filter(|_| is_state).map(|data| serde_json::from_str(data).unwrap()),
    }
}
