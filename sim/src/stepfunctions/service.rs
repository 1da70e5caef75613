//! The service from the inside: machines, executions, and how they start and end.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, select};
use jiff::SignedDuration;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::context::{Thread, is_too_long};
use super::execution::{End, Execution, ExecutionKind, Run, Status};
use super::history::{Details, History, input as input_details, output as output_details};
use super::tokens::Tokens;
use super::{Settings, TaskRunner, flow};
use crate::asl::StateMachine;
use crate::runtime::Clock;

/// AWS: a Standard execution may take a year, an express one five minutes.
const STANDARD_SECONDS: u64 = 365 * 24 * 3600;
const EXPRESS_SECONDS: u64 = 300;
/// AWS: executions can be redriven for 14 days, if their history has room for it.
const REDRIVABLE_EVENTS: u64 = 24_999;
const REDRIVABLE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Why an execution was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// There is no machine with this ARN.
    #[error("StateMachineDoesNotExist: there is no state machine {0}")]
    StateMachineDoesNotExist(String),
    /// An execution of this name has ended, or runs with another input.
    #[error("ExecutionAlreadyExists: {0}")]
    ExecutionAlreadyExists(String),
    /// A name has 1 to 80 of `[0-9A-Za-z_-]`.
    #[error("InvalidName: {0:?} is not 1 to 80 characters of 0-9, A-Z, a-z, - and _")]
    InvalidName(String),
    /// The input is longer than 256 KiB.
    #[error("InvalidExecutionInput: the input has {0} bytes; up to 262144 are allowed")]
    InputTooLarge(usize),
}

/// Why an execution was not redriven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedriveError {
    /// There is no such execution.
    #[error("ExecutionDoesNotExist: {0}")]
    ExecutionDoesNotExist(String),
    /// It is running, succeeded, ended too long ago, or is an express execution.
    #[error("ExecutionNotRedrivable: {0}")]
    NotRedrivable(&'static str),
}

type Listener = Rc<dyn Fn(&Execution)>;
/// Hears of the machine's name, the execution's ARN and the state.
type EntryListener = Rc<dyn Fn(&str, &str, &str)>;

pub(super) struct Service {
    pub(super) clock: Clock,
    pub(super) runner: Rc<dyn TaskRunner>,
    pub(super) settings: Settings,
    pub(super) random: RefCell<ChaCha8Rng>,
    pub(super) tokens: Tokens,
    pub(super) transitions: Cell<u64>,
    pub(super) listeners: RefCell<Vec<Listener>>,
    pub(super) entry_listeners: RefCell<Vec<EntryListener>>,
    machines: RefCell<BTreeMap<String, Rc<StateMachine>>>,
    runs: RefCell<BTreeMap<String, Rc<Run>>>,
    /// The same, in the order in which they were started.
    order: RefCell<Vec<Rc<Run>>>,
}

/// What an execution is started as.
pub(super) struct Start {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) machine_arn: String,
    pub(super) machine_name: String,
    pub(super) machine: Rc<StateMachine>,
    pub(super) kind: ExecutionKind,
    pub(super) map_run_arn: Option<String>,
    pub(super) input: Value,
}

impl Service {
    pub(super) fn new(clock: Clock, runner: Rc<dyn TaskRunner>, settings: Settings) -> Self {
        Self {
            clock,
            runner,
            random: RefCell::new(ChaCha8Rng::seed_from_u64(settings.seed)),
            settings,
            tokens: Tokens::default(),
            transitions: Cell::new(0),
            listeners: RefCell::default(),
            entry_listeners: RefCell::default(),
            machines: RefCell::default(),
            runs: RefCell::default(),
            order: RefCell::default(),
        }
    }

    pub(super) fn arn(&self, rest: &str) -> String {
        format!("arn:aws:states:{}:{}:{rest}", self.settings.region, self.settings.account)
    }

    pub(super) fn create_state_machine(&self, name: &str, definition: Rc<StateMachine>) -> String {
        let arn = self.arn(&format!("stateMachine:{name}"));
        self.machines.borrow_mut().insert(arn.clone(), definition);
        arn
    }

    pub(super) fn state_machines(&self) -> BTreeMap<String, String> {
        self.machines.borrow().keys().map(|arn| (machine_name(arn).to_owned(), arn.clone())).collect()
    }

    pub(super) fn find(&self, arn: &str) -> Option<Rc<Run>> {
        self.runs.borrow().get(arn).cloned()
    }

    pub(super) fn all(&self) -> Vec<Rc<Run>> {
        self.order.borrow().clone()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.order.borrow().iter().all(|run| run.status() != Status::Running)
    }

    pub(super) fn count_transition(&self, run: &Run) {
        if run.kind == ExecutionKind::Standard {
            self.transitions.set(self.transitions.get() + 1);
        }
    }

    /// A random UUID.
    pub(super) fn uuid(&self) -> String {
        let bytes: [u8; 16] = self.random.borrow_mut().random();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    pub(super) fn start(
        self: &Rc<Self>,
        machine_arn: &str,
        name: Option<&str>,
        input: Value,
    ) -> Result<String, StartError> {
        let machine = self.machines.borrow().get(machine_arn).cloned();
        let machine = machine.ok_or_else(|| StartError::StateMachineDoesNotExist(machine_arn.to_owned()))?;
        let name = name.map_or_else(|| self.uuid(), str::to_owned);
        let is_name_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=80).contains(&name.chars().count()) || !name.chars().all(is_name_char) {
            return Err(StartError::InvalidName(name));
        }
        if is_too_long(&input) {
            return Err(StartError::InputTooLarge(input.to_string().len()));
        }
        let machine_name = machine_name(machine_arn).to_owned();
        let arn = self.arn(&format!("execution:{machine_name}:{name}"));
        if let Some(run) = self.find(&arn) {
            let is_same = run.status() == Status::Running && *run.input == input;
            return if is_same { Ok(arn) } else { Err(StartError::ExecutionAlreadyExists(arn)) };
        }
        self.launch(Start {
            arn: arn.clone(),
            name,
            machine_arn: machine_arn.to_owned(),
            machine_name,
            machine,
            kind: ExecutionKind::Standard,
            map_run_arn: None,
            input,
        });
        Ok(arn)
    }

    pub(super) fn launch(self: &Rc<Self>, start: Start) -> Rc<Run> {
        let run = Rc::new(Run {
            arn: start.arn,
            name: start.name,
            machine_arn: start.machine_arn,
            machine_name: start.machine_name,
            machine: start.machine,
            kind: start.kind,
            map_run_arn: start.map_run_arn,
            input: Rc::new(start.input),
            started: self.clock.now(),
            redrive_count: Cell::new(0),
            end: RefCell::new(End::RUNNING),
            history: History::new(self.settings.keep),
            line: Rc::default(),
            job: RefCell::default(),
            waiting: RefCell::default(),
        });
        self.runs.borrow_mut().insert(run.arn.clone(), Rc::clone(&run));
        self.order.borrow_mut().push(Rc::clone(&run));
        let mut details = input_details(run.history.text(&run.input)).to_vec();
        details.push(("roleArn", Value::from(self.settings.role_arn.as_str())));
        self.mark(&run, "ExecutionStarted", 0, Some(("executionStartedEventDetails", details)));
        // AWS: the first state's events follow on 0, not on ExecutionStarted.
        self.spawn(&run);
        self.announce(&run);
        run
    }

    fn spawn(self: &Rc<Self>, run: &Rc<Run>) {
        let (service, inside) = (Rc::clone(self), Rc::clone(run));
        let job = self.clock.spawn(async move { service.drive(&inside).await });
        *run.job.borrow_mut() = Some(job);
    }

    /// Runs an execution to its end.
    async fn drive(self: Rc<Self>, run: &Rc<Run>) {
        let most = match run.kind {
            ExecutionKind::Standard => STANDARD_SECONDS,
            ExecutionKind::Express => EXPRESS_SECONDS,
        };
        let seconds = run.machine.timeout_seconds.unwrap_or(most).min(most);
        let outcome = {
            let thread = Thread { service: &self, run, line: &run.line };
            let flow = flow::run(thread, &run.machine.graph, Rc::clone(&run.input));
            match select(flow, pin!(self.clock.sleep(Duration::from_secs(seconds)))).await {
                Either::Left((outcome, _)) => Some(outcome),
                Either::Right(_) => None,
            }
        };
        let previous = run.line.last_event.get();
        match outcome {
            Some(Ok(output)) => {
                let details = output_details(run.history.text(&output)).to_vec();
                let details = Some(("executionSucceededEventDetails", details));
                self.mark(run, "ExecutionSucceeded", previous, details);
                self.end(run, Status::Succeeded, Some(output), None, None);
            }
            Some(Err(failure)) => {
                // Such a failure is the last thing that happened, on whichever line.
                let previous = if failure.is_runtime() { run.history.last_id() } else { previous };
                let details = Some(("executionFailedEventDetails", failure.details()));
                self.mark(run, "ExecutionFailed", previous, details);
                let error = failure.name().map(str::to_owned);
                self.end(run, Status::Failed, None, error, failure.cause);
            }
            // AWS: only the event names the error, not the description, and it follows on no other.
            None => self.timed_out(run),
        }
    }

    fn timed_out(&self, run: &Run) {
        let details = vec![("error", Value::from("States.Timeout"))];
        self.mark(run, "ExecutionTimedOut", 0, Some(("executionTimedOutEventDetails", details)));
        self.end(run, Status::TimedOut, None, None, None);
    }

    pub(super) fn time_out(&self, arn: &str) {
        let Some(run) = self.find(arn).filter(|run| run.status() == Status::Running) else { return };
        self.timed_out(&run);
        let job = run.job.borrow_mut().take();
        if let Some(job) = job {
            job.abort();
        }
    }

    /// Tells that an execution has entered a state.
    pub(super) fn entered(&self, run: &Run, state: &str) {
        let listeners = self.entry_listeners.borrow().clone();
        for listener in listeners {
            listener(&run.machine_name, &run.arn, state);
        }
    }

    pub(super) fn stop(&self, arn: &str, error: Option<&str>, cause: Option<&str>) {
        let Some(run) = self.find(arn).filter(|run| run.status() == Status::Running) else { return };
        let details = [("error", error), ("cause", cause)];
        let details =
            details.into_iter().filter_map(|(name, text)| Some((name, Value::from(text?)))).collect();
        // AWS: it follows on no other event.
        self.mark(&run, "ExecutionAborted", 0, Some(("executionAbortedEventDetails", details)));
        self.end(&run, Status::Aborted, None, error.map(str::to_owned), cause.map(str::to_owned));
        // Last, because it ends what the execution waits for, and may end the job this runs on.
        let job = run.job.borrow_mut().take();
        if let Some(job) = job {
            job.abort();
        }
    }

    pub(super) fn redrive(self: &Rc<Self>, arn: &str) -> Result<(), RedriveError> {
        let run = self.find(arn).ok_or_else(|| RedriveError::ExecutionDoesNotExist(arn.to_owned()))?;
        let refuse = |why| Err(RedriveError::NotRedrivable(why));
        match run.status() {
            Status::Running => return refuse("the execution is running"),
            Status::Succeeded => return refuse("the execution succeeded"),
            Status::Failed | Status::TimedOut | Status::Aborted => {}
        }
        if run.kind == ExecutionKind::Express {
            return refuse("the execution is an express one");
        }
        let stopped = run.end.borrow().stopped.unwrap_or(run.started);
        if self.clock.now().duration_since(stopped) > REDRIVABLE {
            return refuse("the execution ended more than 14 days ago");
        }
        if run.history.last_id() >= REDRIVABLE_EVENTS {
            return refuse("the history of the execution is full");
        }
        *run.end.borrow_mut() = End::RUNNING;
        let count = run.redrive_count.get() + 1;
        run.redrive_count.set(count);
        let details = Some(("executionRedrivenEventDetails", vec![("redriveCount", json!(count))]));
        let id = self.mark(&run, "ExecutionRedriven", run.history.last_id(), details);
        run.line.last_event.set(id);
        self.spawn(&run);
        self.announce(&run);
        Ok(())
    }

    /// Adds an event about the execution as a whole.
    fn mark(&self, run: &Run, event_type: &str, previous: u64, details: Details) -> u64 {
        run.history.add_last(self.clock.now(), previous, event_type.to_owned(), details)
    }

    fn end(
        &self,
        run: &Run,
        status: Status,
        output: Option<Rc<Value>>,
        error: Option<String>,
        cause: Option<String>,
    ) {
        *run.end.borrow_mut() = End { status, output, error, cause, stopped: Some(self.clock.now()) };
        let waiting = std::mem::take(&mut *run.waiting.borrow_mut());
        for waker in waiting {
            waker.wake();
        }
        self.announce(run);
    }

    fn announce(&self, run: &Run) {
        if run.kind == ExecutionKind::Express {
            return;
        }
        let execution = run.describe();
        let listeners = self.listeners.borrow().clone();
        for listener in listeners {
            listener(&execution);
        }
    }

    /// Waits for an execution to end; `None` if there is no such execution.
    pub(super) async fn ended(&self, arn: &str) -> Option<Execution> {
        let run = self.find(arn)?;
        poll_fn(|context| {
            if run.status() != Status::Running {
                return Poll::Ready(());
            }
            run.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
        Some(run.describe())
    }
}

fn machine_name(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(_, name)| name)
}
