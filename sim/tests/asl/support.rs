//! Runs one machine on scripted tasks.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use stopgap_sim::asl::StateMachine;
use stopgap_sim::runtime::{Clock, Runtime};
use stopgap_sim::stepfunctions::{
    Execution, HistoryEvent, Settings, Status, StepFunctions, TaskCall, TaskFailure, TaskRunner,
};

/// What a scripted task does.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) after: Duration,
    pub(crate) result: Result<Value, TaskFailure>,
}

pub(crate) fn returns(value: Value) -> Answer {
    Answer { after: Duration::ZERO, result: Ok(value) }
}

pub(crate) fn fails(error: &str, cause: &str) -> Answer {
    Answer { after: Duration::ZERO, result: Err(TaskFailure { error: error.into(), cause: cause.into() }) }
}

impl Answer {
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { after: Duration::from_secs(seconds), ..self }
    }
}

/// Answers each Task state from its script, in order, the last answer repeating; without a script, with its input.
pub(crate) struct Script {
    clock: Clock,
    answers: RefCell<BTreeMap<String, VecDeque<Answer>>>,
    pub(crate) calls: RefCell<Vec<TaskCall>>,
    /// How many calls have come to their end.
    pub(crate) finished: Rc<Cell<usize>>,
}

impl TaskRunner for Script {
    fn call(&self, call: TaskCall) -> LocalBoxFuture<'static, Result<Value, TaskFailure>> {
        let answer = match self.answers.borrow_mut().get_mut(&call.state) {
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some(answers) => answers.front().unwrap().clone(),
            None => returns(call.parameters.clone()),
        };
        self.calls.borrow_mut().push(call);
        let (clock, finished) = (self.clock.clone(), Rc::clone(&self.finished));
        Box::pin(async move {
            clock.sleep(answer.after).await;
            finished.set(finished.get() + 1);
            answer.result
        })
    }
}

/// A service with one machine, `machine`.
pub(crate) struct Lab {
    pub(crate) runtime: Runtime,
    pub(crate) script: Rc<Script>,
    pub(crate) sfn: StepFunctions,
    pub(crate) machine: String,
}

pub(crate) fn start_time() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

impl Lab {
    pub(crate) fn new(definition: &Value, answers: &[(&str, &[Answer])]) -> Self {
        Self::with(definition, answers, Settings::default())
    }

    pub(crate) fn with(definition: &Value, answers: &[(&str, &[Answer])], settings: Settings) -> Self {
        let runtime = Runtime::new(start_time());
        let answers = answers
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), answers.iter().cloned().collect()))
            .collect();
        let script = Rc::new(Script {
            clock: runtime.clock(),
            answers: RefCell::new(answers),
            calls: RefCell::default(),
            finished: Rc::default(),
        });
        let sfn = StepFunctions::new(runtime.clock(), Rc::clone(&script) as Rc<dyn TaskRunner>, settings);
        let machine = sfn.create_state_machine("machine", parse(definition));
        Self { runtime, script, sfn, machine }
    }

    pub(crate) fn start(&self, input: Value) -> String {
        self.sfn.start_execution(&self.machine, Some("test"), input).unwrap()
    }

    pub(crate) fn run(&self, input: Value) -> Outcome {
        let arn = self.start(input);
        self.runtime.run();
        self.outcome(&arn)
    }

    pub(crate) fn outcome(&self, arn: &str) -> Outcome {
        Outcome { execution: self.sfn.describe_execution(arn).unwrap(), events: self.sfn.history(arn) }
    }
}

pub(crate) fn parse(definition: &Value) -> StateMachine {
    StateMachine::parse(&definition.to_string()).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

pub(crate) struct Outcome {
    pub(crate) execution: Execution,
    pub(crate) events: Vec<HistoryEvent>,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn output(&self) -> Value {
        assert_eq!(
            self.execution.status,
            Status::Succeeded,
            "{:?} {:?}",
            self.execution.error,
            self.execution.cause
        );
        self.execution.output.as_deref().cloned().unwrap()
    }

    #[track_caller]
    pub(crate) fn error(&self) -> (&str, &str) {
        assert_eq!(self.execution.status, Status::Failed, "{:?}", self.execution.output);
        (
            self.execution.error.as_deref().unwrap_or_default(),
            self.execution.cause.as_deref().unwrap_or_default(),
        )
    }

    pub(crate) fn types(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.event_type.as_str()).collect()
    }

    /// `type id<-previous` of each event.
    pub(crate) fn chain(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|event| format!("{} {}<-{}", event.event_type, event.id, event.previous_event_id))
            .collect()
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.execution.stopped.unwrap().duration_since(self.execution.started).as_secs()
    }

    #[track_caller]
    pub(crate) fn event(&self, event_type: &str) -> &HistoryEvent {
        self.events
            .iter()
            .find(|event| event.event_type == event_type)
            .unwrap_or_else(|| panic!("{:?}", self.types()))
    }
}

/// Runs a machine whose tasks need no script.
pub(crate) fn run(definition: &Value, input: Value) -> Outcome {
    Lab::new(definition, &[]).run(input)
}

/// A machine of one state, `It`.
pub(crate) fn only(state: Value) -> Value {
    let mut state = state;
    if state["Type"] != "Succeed" && state["Type"] != "Fail" && state["Type"] != "Choice" {
        state["End"] = json!(true);
    }
    json!({"StartAt": "It", "States": {"It": state}})
}

/// The output of a Pass state with these `Parameters`.
pub(crate) fn parameters(parameters: Value, input: Value) -> Outcome {
    run(&only(json!({"Type": "Pass", "Parameters": parameters})), input)
}
