//! Step Functions: a registry of state machines, and their executions on virtual time.
//!
//! What AWS documents is followed to the letter; where its documentation is silent, recorded histories are. The names,
//! details and order of events are those of `GetExecutionHistory`.
//!
//! Where sources differ, or where one may wonder:
//!
//! | Fact | Source |
//! |---|---|
//! | A Choice without a match and a Default fails with `States.NoChoiceMatched`; the cause is the recorded one | documentation; executions reported by others have `States.Runtime` |
//! | `States.ALL` does not match `States.DataLimitExceeded` | documentation; a recording of 2024 has it caught |
//! | `States.Runtime` ends the execution, whatever catches it | documentation |
//! | An intrinsic function that fails is a `States.IntrinsicFailure`; the cause is the recorded one | documentation; executions reported by others have `States.Runtime` |
//! | A path that leads nowhere, in `Parameters` too, is a `States.Runtime` | recordings |
//! | An index behind the end of an array is null in a payload template | recording |
//! | A missed heartbeat is recorded as `States.Timeout`; `States.HeartbeatTimeout` in Retry and Catch matches it | recording; documentation |
//! | Siblings of what failed end in their order, all after its last event; nothing is recorded after `States.Runtime` | recordings |
//! | `ExecutionAborted` and `ExecutionTimedOut` follow on event 0; only the latter names `States.Timeout` | recordings |
//! | A distributed Map is left from its `MapRunStarted` | recordings since the end of 2024; earlier ones have `MapRunSucceeded` |
//! | `$$.State.RetryCount` is there in Task, Parallel and Map | recordings |
//! | `MathAdd` and `MathRandom` round to the nearest integer, halves up; the array functions drop the fraction | recordings |
//! | `States.Format` shows objects and arrays as Java does: `{a=1, b=[x, null]}` | recordings |
//! | `MaxConcurrencyPath` is read before the items, what is tolerated after `MapStateStarted` | recordings |

use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::Value;

use crate::asl::StateMachine;
use crate::runtime::Clock;

mod context;
mod data;
mod distributed;
mod execution;
mod failure;
mod flow;
mod history;
mod inline_map;
mod items;
mod nested;
mod numbers;
mod parallel;
mod results;
mod retry;
mod service;
mod task;
mod tokens;
mod work;

pub use execution::{Execution, ExecutionKind, Status};
pub use history::{HistoryEvent, Keep};
pub use items::ObjectStore;
pub use service::{RedriveError, StartError};
pub use tokens::TokenError;

/// One call that a Task state makes.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCall {
    /// The execution that calls.
    pub execution_arn: String,
    /// The Task state.
    pub state: String,
    /// `Resource` as the definition has it, with its `.sync`, `.sync:2` or `.waitForTaskToken`.
    pub resource: String,
    /// The state's input after `InputPath` and `Parameters`.
    pub parameters: Value,
    /// With `.waitForTaskToken`: what the answer has to name.
    pub task_token: Option<String>,
    /// How long the state waits for an end, in seconds.
    pub timeout_seconds: Option<u64>,
}

/// A call failed. An `error` of `States.Timeout` or `States.HeartbeatTimeout` makes it a task that timed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFailure {
    /// The name that `ErrorEquals` is compared to.
    pub error: String,
    /// What a person reads.
    pub cause: String,
}

/// What Task states call.
pub trait TaskRunner {
    /// Makes the call. The answer is the integration's raw result: for `lambda:invoke` the whole response with its
    /// `Payload`, for `.sync:2` the description of what was run. With `.waitForTaskToken` it is the response to the call,
    /// and the task goes on until somebody sends the token back, which may be before this returns.
    ///
    /// A task that times out does not cancel the call: the future is driven on, and its late answer is ignored.
    fn call(&self, call: TaskCall) -> LocalBoxFuture<'static, Result<Value, TaskFailure>>;
}

/// What the service is set up with.
#[derive(Clone)]
pub struct Settings {
    /// Where names, tokens, jitter, `States.UUID` and `States.MathRandom` come from.
    pub seed: u64,
    /// The account in ARNs.
    pub account: String,
    /// The Region in ARNs.
    pub region: String,
    /// `$$.Execution.RoleArn`.
    pub role_arn: String,
    /// What `ItemReader` reads from.
    pub objects: Option<Rc<dyn ObjectStore>>,
    /// Send `states:startExecution` to the runner, like any other resource, instead of the machines registered here.
    pub delegate_nested: bool,
    /// How much of each execution's history is kept.
    pub keep: Keep,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            account: "123456789012".into(),
            region: "us-east-1".into(),
            role_arn: "arn:aws:iam::123456789012:role/StepFunctions".into(),
            objects: None,
            delegate_nested: false,
            keep: Keep::Everything,
        }
    }
}

/// The service. A handle: clones are the same service.
///
/// The service keeps its [`TaskRunner`]; a runner that keeps the service in turn keeps both alive for good, unless it keeps
/// it as [`WeakStepFunctions`].
#[derive(Clone)]
pub struct StepFunctions {
    service: Rc<service::Service>,
}

/// A handle that does not keep the service alive.
#[derive(Clone)]
pub struct WeakStepFunctions {
    service: Weak<service::Service>,
}

impl WeakStepFunctions {
    /// The service, if anyone keeps it alive.
    pub fn upgrade(&self) -> Option<StepFunctions> {
        Some(StepFunctions { service: self.service.upgrade()? })
    }
}

impl StepFunctions {
    /// A service without machines.
    pub fn new(clock: Clock, runner: Rc<dyn TaskRunner>, settings: Settings) -> Self {
        Self { service: Rc::new(service::Service::new(clock, runner, settings)) }
    }

    /// A handle that does not keep the service alive.
    pub fn downgrade(&self) -> WeakStepFunctions {
        WeakStepFunctions { service: Rc::downgrade(&self.service) }
    }

    /// Forgets all listeners, and with them what they keep alive.
    pub fn unsubscribe_all(&self) {
        let gone = (self.service.listeners.take(), self.service.entry_listeners.take());
        drop(gone);
    }

    /// Registers a machine and returns its ARN. A machine of the same name is replaced, for executions to come.
    pub fn create_state_machine(&self, name: &str, definition: impl Into<Rc<StateMachine>>) -> String {
        self.service.create_state_machine(name, definition.into())
    }

    /// Starts an execution and returns its ARN. It takes its first step when the runtime runs.
    ///
    /// AWS: with the name and the input of an execution that is running, this returns that execution; without a name,
    /// it makes one.
    ///
    /// # Errors
    /// No such machine, a name that is not 1 to 80 of `[0-9A-Za-z_-]`, a name that is taken, or more than 256 KiB of input.
    pub fn start_execution(
        &self,
        machine_arn: &str,
        name: Option<&str>,
        input: Value,
    ) -> Result<String, StartError> {
        self.service.start(machine_arn, name, input)
    }

    /// Ends an execution, and the executions it waits for, as `ABORTED`. Nothing happens if it is not running.
    pub fn stop_execution(&self, arn: &str, error: Option<&str>, cause: Option<&str>) {
        self.service.stop(arn, error, cause);
    }

    /// Ends an execution as `TIMED_OUT`, as its `TimeoutSeconds` would. Nothing happens if it is not running.
    pub fn time_out_execution(&self, arn: &str) {
        self.service.time_out(arn);
    }

    /// Goes on where an execution failed, was stopped or timed out, with the same input and definition.
    ///
    /// # Errors
    /// No such execution, one that is running or succeeded, an express one, or one that ended more than 14 days ago.
    pub fn redrive_execution(&self, arn: &str) -> Result<(), RedriveError> {
        self.service.redrive(arn)
    }

    /// An execution as it is now.
    pub fn describe_execution(&self, arn: &str) -> Option<Execution> {
        self.service.find(arn).map(|execution| execution.describe())
    }

    /// The events of an execution, in order; none if there is no such execution.
    pub fn history(&self, arn: &str) -> Vec<HistoryEvent> {
        self.service.find(arn).map(|execution| execution.history.events()).unwrap_or_default()
    }

    /// All executions, in the order in which they were started.
    pub fn executions(&self) -> Vec<Execution> {
        self.service.all().iter().map(|execution| execution.describe()).collect()
    }

    /// The ARNs of a machine's executions that are running, in the order in which they were started.
    pub fn running(&self, machine_arn: &str) -> Vec<String> {
        let all = self.service.all();
        let running =
            all.iter().filter(|run| run.machine_arn == machine_arn && run.status() == Status::Running);
        running.map(|run| run.arn.clone()).collect()
    }

    /// Whether no execution is running.
    pub fn is_idle(&self) -> bool {
        self.service.is_idle()
    }

    /// Ends the task that waits for `token` with `output`.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn send_task_success(&self, token: &str, output: Value) -> Result<(), TokenError> {
        self.service.tokens.answer(token, Ok(output))
    }

    /// Fails the task that waits for `token`.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn send_task_failure(&self, token: &str, error: &str, cause: &str) -> Result<(), TokenError> {
        self.service.tokens.answer(token, Err(TaskFailure { error: error.into(), cause: cause.into() }))
    }

    /// Starts the `HeartbeatSeconds` of the task that waits for `token` again.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn send_task_heartbeat(&self, token: &str) -> Result<(), TokenError> {
        self.service.tokens.heartbeat(token, self.service.clock.now())
    }

    /// State transitions of Standard executions so far, as AWS bills them: states entered, plus retries.
    pub fn transitions(&self) -> u64 {
        self.service.transitions.get()
    }

    /// Calls `listener` whenever a Standard execution changes its status, as EventBridge's "Step Functions Execution
    /// Status Change" does.
    pub fn subscribe(&self, listener: impl Fn(&Execution) + 'static) {
        self.service.listeners.borrow_mut().push(Rc::new(listener));
    }

    /// Calls `listener` with the machine's name, the execution's ARN and the state whenever an execution, Standard or express,
    /// enters a state.
    pub fn subscribe_to_states(&self, listener: impl Fn(&str, &str, &str) + 'static) {
        self.service.entry_listeners.borrow_mut().push(Rc::new(listener));
    }

    /// The registered machines: ARN by name.
    pub fn state_machines(&self) -> BTreeMap<String, String> {
        self.service.state_machines()
    }
}

/// A time as Step Functions writes it.
fn iso(time: Timestamp) -> String {
    format!("{time:.3}")
}
