//! Tasks that do what a script says.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use futures::future::{LocalBoxFuture, pending, ready};
use serde_json::{Value, json};
use stopgap_sim::runtime::Clock;
use stopgap_sim::stepfunctions::{StepFunctions, TaskCall, TaskFailure, TaskRunner};

/// What one call of a task does.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Return(Value),
    Fail(TaskFailure),
}

/// The outcomes by state; each state has at least one.
pub(super) type Tasks = BTreeMap<String, VecDeque<Outcome>>;

/// Reads a script. `states` are the Task states it may name.
pub(super) fn parse(script: &Value, states: &[&str]) -> Result<Tasks, Vec<String>> {
    let Value::Object(script) = script else {
        return Err(vec!["has to be an object with an array of outcomes for each Task state".into()]);
    };
    let mut errors = Vec::new();
    let mut tasks = Tasks::new();
    for (state, outcomes) in script {
        if !states.contains(&state.as_str()) {
            errors.push(format!(
                "{state}: is not a Task state of this definition; those are {}",
                states.join(", ")
            ));
        }
        let Value::Array(outcomes) = outcomes else {
            errors.push(format!("{state}: has to be an array of outcomes"));
            continue;
        };
        if outcomes.is_empty() {
            errors.push(format!("{state}: has to have at least one outcome"));
        }
        let mut list = VecDeque::new();
        for (index, value) in outcomes.iter().enumerate() {
            match outcome(value) {
                Ok(outcome) => list.push_back(outcome),
                Err(error) => errors.push(format!("{state}[{index}]: {error}")),
            }
        }
        tasks.insert(state.clone(), list);
    }
    if errors.is_empty() { Ok(tasks) } else { Err(errors) }
}

fn outcome(value: &Value) -> Result<Outcome, String> {
    const FORM: &str = "has to be {\"return\": ...} or {\"fail\": {\"error\": \"...\", \"cause\": \"...\"}}";
    let object = value.as_object().filter(|object| object.len() == 1).ok_or(FORM)?;
    if let Some(value) = object.get("return") {
        return Ok(Outcome::Return(value.clone()));
    }
    let failure = object.get("fail").and_then(Value::as_object).ok_or(FORM)?;
    if let Some(other) = failure.keys().find(|key| !matches!(key.as_str(), "error" | "cause")) {
        return Err(format!("fail.{other}: is not a field here; the fields are error and cause"));
    }
    let text = |name: &str| match failure.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("fail.{name}: has to be a text")),
    };
    let error = text("error")?.ok_or("fail.error: is missing")?;
    Ok(Outcome::Fail(TaskFailure { error, cause: text("cause")?.unwrap_or_default() }))
}

/// The tasks of one run.
pub(super) struct Script {
    tasks: RefCell<Tasks>,
    clock: Clock,
    service: OnceCell<StepFunctions>,
    missing: RefCell<Option<String>>,
}

impl Script {
    pub(super) fn new(tasks: Tasks, clock: Clock) -> Self {
        Self { tasks: RefCell::new(tasks), clock, service: OnceCell::new(), missing: RefCell::default() }
    }

    /// Says which service task tokens belong to.
    pub(super) fn answer_tokens_of(&self, service: &StepFunctions) {
        // A second service is never given.
        let _ = self.service.set(service.clone());
    }

    /// The first state that was reached without a script.
    pub(super) fn missing(&self) -> Option<String> {
        self.missing.borrow().clone()
    }

    fn next(&self, state: &str) -> Option<Outcome> {
        let mut tasks = self.tasks.borrow_mut();
        let outcomes = tasks.get_mut(state)?;
        if outcomes.len() > 1 { outcomes.pop_front() } else { outcomes.front().cloned() }
    }

    /// Sends the outcome back with the token; the response to the call itself is empty.
    fn call_back(
        &self,
        token: String,
        outcome: Outcome,
    ) -> LocalBoxFuture<'static, Result<Value, TaskFailure>> {
        if let Some(service) = self.service.get().cloned() {
            self.clock.spawn(async move {
                // The token is new, so it cannot be refused.
                let _ = match outcome {
                    Outcome::Return(output) => service.send_task_success(&token, output),
                    Outcome::Fail(failure) => {
                        service.send_task_failure(&token, &failure.error, &failure.cause)
                    }
                };
            });
        }
        Box::pin(ready(Ok(json!({}))))
    }
}

impl TaskRunner for Script {
    fn call(&self, call: TaskCall) -> LocalBoxFuture<'static, Result<Value, TaskFailure>> {
        let Some(outcome) = self.next(&call.state) else {
            self.missing.borrow_mut().get_or_insert(call.state);
            // Nothing catches this one, so the run ends soon.
            return Box::pin(ready(Err(TaskFailure {
                error: "States.Runtime".into(),
                cause: "The task has no script.".into(),
            })));
        };
        let times_out = matches!(&outcome, Outcome::Fail(failure) if failure.error == "States.Timeout");
        match call.task_token {
            // With a TimeoutSeconds the task times out by itself, at its time.
            None if times_out && call.timeout_seconds.is_some() => Box::pin(pending()),
            Some(_) if times_out && call.timeout_seconds.is_some() => Box::pin(ready(Ok(json!({})))),
            Some(token) => self.call_back(token, outcome),
            None => Box::pin(ready(match outcome {
                Outcome::Return(value) => Ok(value),
                Outcome::Fail(failure) => Err(failure),
            })),
        }
    }
}
