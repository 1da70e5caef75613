//! The Task state.

use std::borrow::Cow;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use jiff::Timestamp;
use rand::RngExt;
use serde_json::{Value, json};

use super::context::{Entered, is_too_long, too_large};
use super::failure::Failure;
use super::history::{Details, input as input_details, output as output_details};
use super::nested;
use super::work::{Event, Work};
use super::{TaskCall, TaskFailure};
use crate::asl::model::{Io, Task};

/// How a resource is called, which decides on the names of the events.
enum Flavour<'a> {
    /// `arn:aws:states:::service:api`, with the pattern after the dot.
    Integration { service: String, api: &'a str, pattern: Pattern },
    /// The ARN of a Lambda function.
    Function,
    /// The ARN of an activity.
    Activity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pattern {
    Request,
    Sync,
    Callback,
}

impl<'a> Flavour<'a> {
    fn of(resource: &'a str) -> Self {
        let parts: Vec<&str> = resource.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "states", "", "", rest] => {
                let (service, api) = rest.rsplit_once(':').unwrap_or((rest, ""));
                // The version of `.sync:2` is not the API's name.
                let (service, api) = match service.rsplit_once(':') {
                    Some((inner, before)) if before.ends_with(".sync") => (inner, &rest[inner.len() + 1..]),
                    _ => (service, api),
                };
                let pattern = match api.split_once('.').map(|(_, suffix)| suffix) {
                    Some("waitForTaskToken") => Pattern::Callback,
                    Some(_) => Pattern::Sync,
                    None => Pattern::Request,
                };
                Self::Integration { service: service.to_owned(), api, pattern }
            }
            ["arn", _, "states", _, _, rest] if rest.starts_with("activity:") => Self::Activity,
            _ => Self::Function,
        }
    }

    fn pattern(&self) -> Pattern {
        match self {
            Self::Integration { pattern, .. } => *pattern,
            Self::Function | Self::Activity => Pattern::Request,
        }
    }

    /// What AWS names as the origin of a result that is too long.
    fn name(&self, resource: &str) -> String {
        match self {
            Self::Integration { service, .. } => service.clone(),
            Self::Function | Self::Activity => resource.to_owned(),
        }
    }

    /// The type of an event and the name of the field with its details.
    fn event(&self, what: &str) -> (String, &'static str) {
        let (prefix, keys) = match self {
            Self::Integration { .. } => ("Task", &KEYS[0]),
            Self::Function => ("LambdaFunction", &KEYS[1]),
            Self::Activity => ("Activity", &KEYS[2]),
        };
        let key = match what {
            "Scheduled" => keys[0],
            "Started" => keys[1],
            "Submitted" => keys[2],
            "Succeeded" => keys[3],
            "Failed" => keys[4],
            _ => keys[5],
        };
        (format!("{prefix}{what}"), key)
    }
}

const KEYS: [[&str; 6]; 3] = [
    [
        "taskScheduledEventDetails",
        "taskStartedEventDetails",
        "taskSubmittedEventDetails",
        "taskSucceededEventDetails",
        "taskFailedEventDetails",
        "taskTimedOutEventDetails",
    ],
    [
        "lambdaFunctionScheduledEventDetails",
        "lambdaFunctionStartedEventDetails",
        "",
        "lambdaFunctionSucceededEventDetails",
        "lambdaFunctionFailedEventDetails",
        "lambdaFunctionTimedOutEventDetails",
    ],
    [
        "activityScheduledEventDetails",
        "activityStartedEventDetails",
        "",
        "activitySucceededEventDetails",
        "activityFailedEventDetails",
        "activityTimedOutEventDetails",
    ],
];

/// One attempt at a task.
struct Attempt<'e, 'a> {
    entered: &'e Entered<'a>,
    task: &'e Task,
    flavour: Flavour<'e>,
    timeout: Option<u64>,
    heartbeat: Option<u64>,
    /// The response to the call is not the end: that comes later.
    two_steps: bool,
    /// A `states:startExecution` that this service answers.
    nested: bool,
}

/// Makes the call and waits for its end. `input` is the state's input after `InputPath`.
pub(super) async fn run(
    entered: &mut Entered<'_>,
    task: &Task,
    io: &Io,
    input: Cow<'_, Value>,
) -> Result<Value, Failure> {
    let flavour = Flavour::of(&task.resource);
    let read = |count: &Option<_>, field| {
        count.as_ref().map(|count| entered.number(count, field, 1, &input)).transpose()
    };
    let timeout = read(&task.timeout, "TimeoutSecondsPath")?;
    let heartbeat = read(&task.heartbeat, "HeartbeatSecondsPath")?;
    let service = Rc::clone(entered.thread.service);
    let work = Rc::new(Work::new(entered.thread.now()));
    entered.token = (flavour.pattern() == Pattern::Callback)
        .then(|| service.tokens.issue(&work, service.random.borrow_mut().random()));
    let credentials = match &task.credentials {
        Some(credentials) => Some(entered.fill(Some(credentials), Cow::Borrowed(&input))?),
        None => None,
    };
    let parameters = entered.fill(io.parameters.as_ref(), input)?;
    let text = entered.payload(&parameters)?;
    let nested = nested::is_start(&task.resource) && !service.settings.delegate_nested;
    let two_steps = match flavour.pattern() {
        Pattern::Request => false,
        Pattern::Sync => nested,
        Pattern::Callback => true,
    };
    // Also when the execution is stopped, or another branch fails: nobody may answer a task that has gone.
    let _closing = Closing(&work);
    let attempt = Attempt { entered, task, flavour, timeout, heartbeat, two_steps, nested };
    attempt.scheduled(text, credentials.as_ref())?;
    let _child = attempt.start(parameters, &work)?;
    let outcome = attempt.finish(&work).await;
    work.close();
    attempt.record(outcome)
}

/// Takes no more callbacks from when it is dropped.
struct Closing<'a>(&'a Work);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Attempt<'_, '_> {
    fn event(&self, what: &str, fields: Vec<(&'static str, Value)>) -> Result<u64, Failure> {
        let (event, key) = self.flavour.event(what);
        let mut all = Vec::new();
        if let Flavour::Integration { service, api, .. } = &self.flavour {
            all.push(("resourceType", Value::from(service.as_str())));
            all.push(("resource", Value::from(*api)));
        }
        all.extend(fields);
        let details: Details = if all.is_empty() { None } else { Some((key, all)) };
        self.entered.thread.event(event, details)
    }

    fn scheduled(&self, input: String, credentials: Option<&Value>) -> Result<(), Failure> {
        let mut fields = match &self.flavour {
            Flavour::Integration { .. } => vec![
                ("region", Value::from(self.entered.thread.service.settings.region.as_str())),
                ("parameters", Value::String(input)),
            ],
            Flavour::Function | Flavour::Activity => {
                let mut fields = vec![("resource", Value::from(self.task.resource.as_str()))];
                fields.extend(input_details(input));
                fields
            }
        };
        fields.extend(self.timeout.map(|seconds| ("timeoutInSeconds", json!(seconds))));
        if !matches!(self.flavour, Flavour::Function) {
            fields.extend(self.heartbeat.map(|seconds| ("heartbeatInSeconds", json!(seconds))));
        }
        if let Some(role) = credentials.and_then(|credentials| credentials.get("RoleArn")) {
            fields.push(("taskCredentials", json!({"roleArn": role})));
        }
        self.event("Scheduled", fields).map(drop)
    }

    /// Starts the call as a job of its own, which goes on when the task has timed out. An execution that is waited for
    /// is stopped when what comes back is dropped.
    fn start(&self, parameters: Value, work: &Rc<Work>) -> Result<Option<nested::Child>, Failure> {
        self.event("Started", Vec::new())?;
        let thread = self.entered.thread;
        let call = TaskCall {
            execution_arn: thread.run.arn.clone(),
            state: self.entered.name.to_owned(),
            resource: self.task.resource.clone(),
            parameters,
            task_token: self.entered.token.clone(),
            timeout_seconds: self.timeout,
        };
        if self.nested {
            return Ok(nested::start(thread, &call, work));
        }
        let answer = thread.service.runner.call(call);
        let work = Rc::clone(work);
        thread.service.clock.spawn(async move {
            let answer = answer.await;
            work.returned(answer);
        });
        Ok(None)
    }

    /// Waits for the answer, the time-out, or a heartbeat that does not come.
    async fn finish(&self, work: &Work) -> Result<Value, Failure> {
        let clock = &self.entered.thread.service.clock;
        let deadline = self.timeout.map(|seconds| after(clock.now(), seconds));
        loop {
            let beat = self.heartbeat_due(work);
            let next = match [deadline, beat].into_iter().flatten().min() {
                None => work.next().await,
                Some(until) => match select(pin!(work.next()), pin!(clock.sleep_until(until))).await {
                    Either::Left((next, _)) => next,
                    Either::Right(_) => {
                        let now = clock.now();
                        if deadline.is_some_and(|deadline| deadline <= now) {
                            return Err(Failure::timeout());
                        }
                        // A heartbeat may have come in since the timer was set.
                        if self.heartbeat_due(work).is_some_and(|due| due <= now) {
                            return Err(Failure::heartbeat());
                        }
                        continue;
                    }
                },
            };
            match next {
                Event::Called(Ok(response)) if self.two_steps => self.submitted(&response)?,
                Event::Called(answer) | Event::CalledBack(answer) => return self.checked(answer),
            }
        }
    }

    fn text(&self, value: &Value) -> String {
        self.entered.thread.run.history.text(value)
    }

    fn heartbeat_due(&self, work: &Work) -> Option<Timestamp> {
        self.heartbeat.map(|seconds| after(work.last_beat(), seconds))
    }

    fn submitted(&self, response: &Value) -> Result<(), Failure> {
        self.event("Submitted", output_details(self.text(response)).into()).map(drop)
    }

    fn checked(&self, answer: Result<Value, TaskFailure>) -> Result<Value, Failure> {
        let value = answer.map_err(Failure::from)?;
        if is_too_long(&value) {
            return Err(too_large(&self.flavour.name(&self.task.resource)));
        }
        Ok(value)
    }

    /// Records how the attempt ended.
    fn record(&self, outcome: Result<Value, Failure>) -> Result<Value, Failure> {
        match &outcome {
            Ok(value) => {
                if self.flavour.pattern() == Pattern::Sync && !self.two_steps {
                    self.submitted(value)?;
                }
                self.event("Succeeded", output_details(self.text(value)).into())?;
            }
            Err(failure) => {
                // A job that fails or takes too long was submitted; any other error is one of the call that submits it.
                if self.flavour.pattern() == Pattern::Sync
                    && !self.two_steps
                    && (failure.is_timeout() || failure.error == "States.TaskFailed")
                {
                    self.submitted(&json!({}))?;
                }
                let what = if failure.is_timeout() { "TimedOut" } else { "Failed" };
                self.event(what, failure.details())?;
            }
        }
        outcome
    }
}

fn after(time: Timestamp, seconds: u64) -> Timestamp {
    time.checked_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}
