//! `states:startExecution`, answered by this service itself.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::context::Thread;
use super::execution::{Execution, Status};
use super::service::{Service, StartError};
use super::work::Work;
use super::{TaskCall, TaskFailure};

/// An execution that a `.sync` task waits for. AWS stops it when the task that waits is stopped or times out, so that
/// is what dropping this does.
pub(super) struct Child {
    service: Rc<Service>,
    arn: String,
    parent: String,
}

impl Drop for Child {
    fn drop(&mut self) {
        let cause = format!(
            "The Task state in AWS Step Functions execution [{}] which was managing this resource was aborted",
            self.parent
        );
        self.service.stop(&self.arn, None, Some(&cause));
    }
}

/// Whether a resource starts an execution.
pub(super) fn is_start(resource: &str) -> bool {
    let mut parts = resource.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.nth(1) == Some("states")
        && parts
            .nth(2)
            .is_some_and(|rest| rest == "states:startExecution" || rest.starts_with("states:startExecution."))
}

/// Starts the execution and answers `work`: with the response, and for `.sync` later with how it ended.
pub(super) fn start(thread: Thread<'_>, call: &TaskCall, work: &Rc<Work>) -> Option<Child> {
    let service = thread.service;
    let (arn, started) = match begin(service, &call.parameters) {
        Ok(begun) => begun,
        Err(failure) => {
            work.returned(Err(failure));
            return None;
        }
    };
    work.returned(Ok(json!({"ExecutionArn": arn, "StartDate": started})));
    let pattern = call.resource.rsplit_once("startExecution").map_or("", |(_, pattern)| pattern);
    if !pattern.starts_with(".sync") {
        return None;
    }
    let as_json = pattern == ".sync:2";
    let (waiter, child, work) = (Rc::clone(service), arn.clone(), Rc::clone(work));
    service.clock.spawn(async move {
        let Some(end) = waiter.ended(&child).await else { return };
        let description = describe(&end, as_json);
        work.call_back(if end.status == Status::Succeeded {
            Ok(description)
        } else {
            Err(TaskFailure { error: "States.TaskFailed".into(), cause: description.to_string() })
        });
    });
    Some(Child { service: Rc::clone(service), arn, parent: call.execution_arn.clone() })
}

fn begin(service: &Rc<Service>, parameters: &Value) -> Result<(String, i64), TaskFailure> {
    let invalid = |message: &str| TaskFailure {
        error: "StepFunctions.ValidationException".into(),
        cause: message.into(),
    };
    let machine = parameters
        .get("StateMachineArn")
        .and_then(Value::as_str)
        .ok_or_else(|| invalid("StateMachineArn is missing, or not a text"))?;
    let name = match parameters.get("Name") {
        None => None,
        Some(Value::String(name)) => Some(name.as_str()),
        Some(_) => return Err(invalid("Name is not a text")),
    };
    // AWS takes the input as JSON or as a text that holds JSON.
    let input = match parameters.get("Input") {
        None => Value::Object(Map::new()),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| TaskFailure {
            error: "StepFunctions.InvalidExecutionInputException".into(),
            cause: format!("Invalid State Machine Execution Input: '{text}' is not valid JSON"),
        })?,
        Some(other) => other.clone(),
    };
    let arn = service.start(machine, name, input).map_err(|error| TaskFailure {
        error: match error {
            StartError::StateMachineDoesNotExist(_) => "StepFunctions.StateMachineDoesNotExistException",
            StartError::ExecutionAlreadyExists(_) => "StepFunctions.ExecutionAlreadyExistsException",
            StartError::InvalidName(_) => "StepFunctions.InvalidNameException",
            StartError::InputTooLarge(_) => "StepFunctions.InvalidExecutionInputException",
        }
        .into(),
        cause: format!("{error} (Service: AWSStepFunctions; Status Code: 400)"),
    })?;
    let started = service.find(&arn).map_or(0, |run| run.started.as_millisecond());
    Ok((arn, started))
}

/// What `DescribeExecution` answers, with input and output as JSON (`.sync:2`) or as text (`.sync`).
fn describe(execution: &Execution, as_json: bool) -> Value {
    let payload = |value: &Value| if as_json { value.clone() } else { Value::String(value.to_string()) };
    let mut description = json!({
        "ExecutionArn": execution.arn,
        "Input": payload(&execution.input),
        "InputDetails": {"Included": true},
        "Name": execution.name,
        "RedriveCount": execution.redrive_count,
        "StartDate": execution.started.as_millisecond(),
        "StateMachineArn": execution.machine_arn,
        "Status": execution.status.as_str(),
    });
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            description[name] = value;
        }
    };
    add("StopDate", execution.stopped.map(|time| json!(time.as_millisecond())));
    add("Output", execution.output.as_deref().map(payload));
    add("OutputDetails", execution.output.as_ref().map(|_| json!({"Included": true})));
    add("Error", execution.error.as_deref().map(Value::from));
    add("Cause", execution.cause.as_deref().map(Value::from));
    description
}
