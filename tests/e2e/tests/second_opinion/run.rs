//! What an execution came to, and how two of them are compared.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::generate::Machine;
use crate::lines::{Line, Lines, lines};

/// An event of an execution's history.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: u64,
    /// The event that it follows on.
    pub(crate) previous: u64,
    /// Its type, such as `TaskStateEntered`.
    pub(crate) kind: String,
    /// The state that it names.
    pub(crate) name: Option<String>,
    /// The iteration that it names.
    pub(crate) index: Option<u64>,
    /// What a state was entered with, or left with.
    pub(crate) data: Option<Value>,
}

/// An execution that has ended.
pub(crate) struct Run {
    pub(crate) status: String,
    pub(crate) output: Option<Value>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) events: Vec<Event>,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, output, error, cause, events } = self;
        write!(f, "{status}, output {output:?}, error {error:?}, cause {cause:?}")?;
        for Event { id, previous, kind, name, index, data } in events {
            let name = name.as_deref().unwrap_or_default();
            let index = index.map(|index| format!("[{index}]")).unwrap_or_default();
            let data = data.as_ref().map(Value::to_string).unwrap_or_default();
            write!(f, "\n  {id:3} <- {previous:3} {kind} {name}{index} {data}")?;
        }
        Ok(())
    }
}

/// In what the two differ, if they do.
pub(crate) fn disagreement(machine: &Machine, ours: &Run, theirs: &Run) -> Option<String> {
    if ours.status != theirs.status {
        return Some(format!("the status is {} or {}", ours.status, theirs.status));
    }
    if ours.output != theirs.output {
        return Some(format!("the output is {:?} or {:?}", ours.output, theirs.output));
    }
    if ours.error != theirs.error {
        return Some(format!("the error is {:?} or {:?}", ours.error, theirs.error));
    }
    // The words to errors of Step Functions itself are not documented.
    let is_of_a_task = ours.error.as_ref().is_some_and(|error| !error.starts_with("States."));
    if is_of_a_task && ours.cause != theirs.cause {
        return Some(format!("the cause is {:?} or {:?}", ours.cause, theirs.cause));
    }
    let (ours, theirs) = (lines(machine, &ours.events), lines(machine, &theirs.events));
    differing_line(&ours, &theirs)
}

fn differing_line(ours: &Lines, theirs: &Lines) -> Option<String> {
    let all: BTreeSet<&Line> = ours.steps.keys().chain(theirs.steps.keys()).collect();
    // How far the siblings of what failed had come by then is a matter of time.
    for line in all.into_iter().filter(|line| !ours.is_cut_short(line)) {
        let (a, b) = (ours.steps.get(line), theirs.steps.get(line));
        if a != b {
            let (a, b) = (a.map_or(&[][..], Vec::as_slice), b.map_or(&[][..], Vec::as_slice));
            let at = a.iter().zip(b).take_while(|(a, b)| a == b).count();
            return Some(format!("in {line:?}, step {at} is {:?} or {:?}", a.get(at), b.get(at)));
        }
    }
    None
}
