//! An execution, and the lines of control in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value;

use super::history::History;
use crate::asl::StateMachine;
use crate::runtime::JobHandle;

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Under way.
    Running,
    /// It came to its end.
    Succeeded,
    /// An error was not caught.
    Failed,
    /// It took longer than its `TimeoutSeconds`.
    TimedOut,
    /// It was stopped.
    Aborted,
}

impl Status {
    /// AWS's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// Whether an execution is a Standard one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionKind {
    /// Up to a year, billed by transition.
    Standard,
    /// Up to five minutes: a child of a Distributed Map. No events on EventBridge, no redrive.
    Express,
}

/// What `DescribeExecution` tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The machine it runs.
    pub machine_arn: String,
    /// Standard or express.
    pub kind: ExecutionKind,
    /// The Map Run it is a child of.
    pub map_run_arn: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// What it was started with.
    pub input: Rc<Value>,
    /// What came out, if it succeeded.
    pub output: Option<Rc<Value>>,
    /// The error that ended it.
    pub error: Option<String>,
    /// Its cause.
    pub cause: Option<String>,
    /// When it was started.
    pub started: Timestamp,
    /// When it ended.
    pub stopped: Option<Timestamp>,
    /// How often it was redriven.
    pub redrive_count: u64,
}

/// An execution, from the inside.
pub(super) struct Run {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) machine_arn: String,
    pub(super) machine_name: String,
    pub(super) machine: Rc<StateMachine>,
    pub(super) kind: ExecutionKind,
    pub(super) map_run_arn: Option<String>,
    pub(super) input: Rc<Value>,
    pub(super) started: Timestamp,
    pub(super) redrive_count: Cell<u64>,
    pub(super) end: RefCell<End>,
    pub(super) history: History,
    /// The line of control it began with; after a failure it says where to go on.
    pub(super) line: Rc<Line>,
    pub(super) job: RefCell<Option<JobHandle>>,
    /// Woken when it ends.
    pub(super) waiting: RefCell<Vec<std::task::Waker>>,
}

/// How an execution ended, or that it did not.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) status: Status,
    pub(super) output: Option<Rc<Value>>,
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) stopped: Option<Timestamp>,
}

impl End {
    pub(super) const RUNNING: Self =
        Self { status: Status::Running, output: None, error: None, cause: None, stopped: None };
}

impl Run {
    pub(super) fn status(&self) -> Status {
        self.end.borrow().status
    }

    pub(super) fn describe(&self) -> Execution {
        let end = self.end.borrow().clone();
        Execution {
            arn: self.arn.clone(),
            name: self.name.clone(),
            machine_arn: self.machine_arn.clone(),
            kind: self.kind,
            map_run_arn: self.map_run_arn.clone(),
            status: end.status,
            input: Rc::clone(&self.input),
            output: end.output,
            error: end.error,
            cause: end.cause,
            started: self.started,
            stopped: end.stopped,
            redrive_count: self.redrive_count.get(),
        }
    }
}

/// A line of control: the execution itself, a branch of a Parallel, or an iteration of a Map. It goes from state to
/// state, has its own chain of events, and knows where it is, so that it can be aborted and redriven.
#[derive(Default)]
pub(super) struct Line {
    /// The event before the next one.
    pub(super) last_event: Cell<u64>,
    /// The state it is in, or failed in.
    pub(super) at: RefCell<Option<At>>,
    /// What it came to.
    pub(super) output: RefCell<Option<Rc<Value>>>,
    /// The branches or iterations of the state it is in.
    pub(super) lines: RefCell<Vec<Rc<Line>>>,
    /// `$$.Map.Item`.
    pub(super) item: Option<Rc<Item>>,
    /// If it is the place of a child of a Map Run: the ARN of the last one that ran there.
    pub(super) child: RefCell<Option<String>>,
    /// If it is an iteration: the name of the Map.
    pub(super) iteration_of: Option<String>,
}

/// A state a line of control is in.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) state: String,
    pub(super) kind: &'static str,
    pub(super) input: Rc<Value>,
}

/// An item of a Map.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) index: usize,
    pub(super) value: Value,
}
