//! The Lambda functions: the real task code, invoked the way Step Functions and EventBridge do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{Either, LocalBoxFuture, select};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::ports::Context;
use stopgap_core::tasks;

use super::Aws;
use super::faults::FaultName;
use super::injection::Injected;
use super::watch::Caller;
use crate::stepfunctions::{TaskCall, TaskFailure, TaskRunner};

/// How long a function may run: what the deployment sets. The states wait a little longer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The planner's, which reads whole accounts.
const PLANNER_TIMEOUT: Duration = Duration::from_secs(840);

/// Runs Task states on the functions of a simulated AWS.
pub struct Host {
    aws: Aws,
}

impl Host {
    /// A host of this world.
    pub fn new(aws: Aws) -> Self {
        Self { aws }
    }
}

impl TaskRunner for Host {
    fn call(&self, mut call: TaskCall) -> LocalBoxFuture<'static, Result<Value, TaskFailure>> {
        let aws = self.aws.clone();
        async move {
            let text = |name: &str| call.parameters.get(name).and_then(Value::as_str);
            let function = text("FunctionName").filter(|_| call.resource.contains("lambda:invoke"));
            let Some(function) = function.map(str::to_owned) else {
                return Err(failure("States.Runtime", format!("{} is not simulated", call.resource)));
            };
            let payload = call.parameters.get_mut("Payload").map(Value::take).unwrap_or_default();
            let caller = Caller::state(&call.execution_arn, &call.state);
            let answer = aws.invoke(&function, caller, payload).await?;
            let mut response = json!({ "ExecutedVersion": "$LATEST", "Payload": null, "StatusCode": 200 });
            // Put in, as the macro would copy it.
            response["Payload"] = answer;
            Ok(response)
        }
        .boxed_local()
    }
}

fn failure(error: &str, message: String) -> TaskFailure {
    // What Step Functions makes of a function's error: the response's document as text.
    let cause = json!({ "errorMessage": message, "errorType": error }).to_string();
    TaskFailure { error: error.to_owned(), cause }
}

impl Aws {
    /// Notes what Lambda bills.
    fn bill(&self, function: &str, took: SignedDuration) {
        let Some(name) = tasks::NAMES.iter().find(|name| **name == function) else { return };
        let milliseconds = u64::try_from(took.as_nanos().max(0)).unwrap_or(u64::MAX).div_ceil(1_000_000);
        self.change(|world| {
            let billed = world.billed.entry(name).or_default();
            billed.requests += 1;
            billed.milliseconds += milliseconds;
        });
    }

    /// Invokes a function, with Lambda's own errors where it crashes or takes too long.
    pub(super) async fn invoke(
        &self,
        function: &str,
        caller: Caller,
        payload: Value,
    ) -> Result<Value, TaskFailure> {
        self.change(|world| *world.calls.entry("Invoke").or_default() += 1);
        self.clock().sleep(self.between(8..=25)).await;
        let crashes = self.has(FaultName::FunctionsCrash) && self.happens(0.05);
        let before_effect = crashes && self.happens(0.5);
        let exited = || failure("Runtime.ExitError", format!("{function}: Runtime exited with error"));
        if before_effect {
            return Err(exited());
        }
        let limit = if function == "plan-fleet" { PLANNER_TIMEOUT } else { TIMEOUT };
        let now = self.clock().now();
        let until = now.saturating_add(limit).unwrap_or(Timestamp::MAX);
        let remaining = || until.duration_since(self.clock().now());
        let cx = Context { now, remaining: &remaining, settings: self.settings() };
        let injected = Injected::new(self, caller);
        let mut task = pin!(tasks::dispatch(function, injected.ports(), cx, payload));
        // A crash ends the function in the middle of its task.
        let task = pin!(poll_fn(|context| match task.as_mut().poll(context) {
            Poll::Pending if injected.has_crashed() => Poll::Ready(None),
            polled => polled.map(Some),
        }));
        let late = pin!(self.clock().sleep(limit));
        let ended = select(task, late).await;
        self.bill(function, self.clock().now().duration_since(now));
        match ended {
            Either::Left((None, _)) => Err(exited()),
            Either::Left(_) if crashes => Err(exited()),
            Either::Left((Some(Ok(answer)), _)) => Ok(answer),
            Either::Left((Some(Err(error)), _)) => Err(failure(error.name.as_str(), error.cause)),
            Either::Right(_) => {
                let seconds = limit.as_secs_f64();
                Err(failure(
                    "Sandbox.Timedout",
                    format!("{function}: Task timed out after {seconds:.2} seconds"),
                ))
            }
        }
    }
}
