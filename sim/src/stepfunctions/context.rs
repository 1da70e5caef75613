//! What a state needs to run, and the context object it can read.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::execution::{Line, Run};
use super::failure::{Failure, MAX_PAYLOAD};
use super::history::Details;
use super::iso;
use super::service::Service;
use crate::asl::intrinsics::Env;
use crate::asl::paths::{Reads, Scope};

/// A line of control of an execution.
#[derive(Clone, Copy)]
pub(super) struct Thread<'a> {
    pub(super) service: &'a Rc<Service>,
    pub(super) run: &'a Rc<Run>,
    pub(super) line: &'a Rc<Line>,
}

impl<'a> Thread<'a> {
    /// The same execution, on another line.
    pub(super) fn on<'b>(&self, line: &'b Rc<Line>) -> Thread<'b>
    where
        'a: 'b,
    {
        Thread { service: self.service, run: self.run, line }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.service.clock.now()
    }

    /// Adds an event to this line.
    pub(super) fn event(&self, event_type: impl Into<String>, details: Details) -> Result<u64, Failure> {
        let id = self.side_event(event_type, details)?;
        self.line.last_event.set(id);
        Ok(id)
    }

    /// Adds an event that the next one of this line does not follow on, as AWS has it for the events about branches
    /// and iterations.
    pub(super) fn side_event(&self, event_type: impl Into<String>, details: Details) -> Result<u64, Failure> {
        self.run.history.add(self.now(), self.line.last_event.get(), event_type.into(), details)
    }
}

/// A state that was entered.
pub(super) struct Entered<'a> {
    pub(super) thread: Thread<'a>,
    pub(super) name: &'a str,
    pub(super) event: u64,
    pub(super) at: Timestamp,
    /// Only of states that can be retried.
    pub(super) retry_count: Option<u64>,
    pub(super) token: Option<String>,
    /// The item that `ItemSelector` is for.
    pub(super) item: Option<Value>,
    /// Its branches or iterations have started and have not all succeeded: a failure closes it with an event.
    pub(super) is_open: bool,
}

impl Entered<'_> {
    /// The context object, with as much as is read of it.
    fn context(&self, reads: Reads) -> Value {
        if reads == Reads::Nothing {
            return Value::Null;
        }
        let run = self.thread.run;
        let input = if reads == Reads::All { Value::clone(&run.input) } else { Value::Null };
        let mut context = json!({
            "Execution": {
                "Id": run.arn,
                "Input": input,
                "Name": run.name,
                "RoleArn": self.thread.service.settings.role_arn,
                "StartTime": iso(run.started),
                "RedriveCount": run.redrive_count.get(),
            },
            "StateMachine": {"Id": run.machine_arn, "Name": run.machine_name},
            "State": {"Name": self.name, "EnteredTime": iso(self.at)},
        });
        if let Some(count) = self.retry_count {
            context["State"]["RetryCount"] = json!(count);
        }
        if let Some(token) = &self.token {
            context["Task"] = json!({"Token": token});
        }
        if let Some(item) = &self.item {
            context["Map"] = json!({"Item": item});
        } else if let Some(item) = &self.thread.line.item {
            context["Map"] = json!({"Item": {"Index": item.index, "Value": item.value}});
        }
        context
    }

    /// Runs `f`, which reads so much of the context object, with what paths and intrinsic functions see.
    pub(super) fn with_env<T>(&self, data: &Value, reads: Reads, f: impl FnOnce(&Env<'_>) -> T) -> T {
        let context = self.context(reads);
        f(&Env { scope: Scope { data, context: &context }, random: &self.thread.service.random })
    }

    /// A failure of the state itself, in AWS's words.
    pub(super) fn failure(&self, error: &str, cause: impl std::fmt::Display) -> Failure {
        Failure::new(
            error,
            format!(
                "An error occurred while executing the state '{}' (entered at the event id #{}). {cause}",
                self.name, self.event
            ),
        )
    }

    /// A `States.Runtime`, which nothing can catch.
    pub(super) fn broken(&self, cause: impl std::fmt::Display) -> Failure {
        self.failure("States.Runtime", cause)
    }

    /// `value` as text for the history, unless it is too long or nests too deeply.
    pub(super) fn payload(&self, value: &Value) -> Result<String, Failure> {
        if is_too_long(value) {
            return Err(too_large(self.name));
        }
        if is_deeper(value, MAX_DEPTH) {
            return Err(self.broken(format_args!("The data is nested more than {MAX_DEPTH} levels deep.")));
        }
        Ok(self.thread.run.history.text(value))
    }
}

/// Values are walked recursively, so their depth has to be limited by something other than the stack. A state can wrap
/// its input only so often before it gets here.
const MAX_DEPTH: usize = 500;

/// Whether `value` nests more than `levels` deep.
fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|item| is_deeper(item, levels - 1)),
        Value::Object(fields) => levels == 0 || fields.values().any(|value| is_deeper(value, levels - 1)),
        _ => false,
    }
}

/// Whether `value` is longer as text than AWS takes. To write it down takes long, so that is done only where it could be.
pub(super) fn is_too_long(value: &Value) -> bool {
    length_at_most(value) > MAX_PAYLOAD && value.to_string().len() > MAX_PAYLOAD
}

/// What `value` is at most as long as: a byte of a text takes six where it is written `\u0000`, and a number up to 25.
fn length_at_most(value: &Value) -> usize {
    let text = |text: &str| text.len() * 6 + 2;
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 25,
        Value::String(string) => text(string),
        Value::Array(items) => items.iter().map(|item| length_at_most(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| text(key) + length_at_most(value) + 2).sum::<usize>() + 2
        }
    }
}

/// More than 256 KiB came out of a state or task.
pub(super) fn too_large(of: &str) -> Failure {
    Failure::new(
        "States.DataLimitExceeded",
        format!(
            "The state/task '{of}' returned a result with a size exceeding the maximum number of bytes service limit."
        ),
    )
}
