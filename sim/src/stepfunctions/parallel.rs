//! The Parallel state, and what ends the rest when one branch or iteration fails.

use std::rc::Rc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

use super::context::{Entered, Thread};
use super::execution::Line;
use super::failure::Failure;
use super::flow;
use crate::asl::model::Parallel;

pub(super) async fn run(
    entered: &mut Entered<'_>,
    parallel: &Parallel,
    input: Value,
) -> Result<Value, Failure> {
    let (thread, input) = (entered.thread, Rc::new(input));
    let started = thread.event("ParallelStateStarted", None)?;
    entered.is_open = true;
    let lines = lines(thread, parallel.branches.len(), |_| Line {
        item: thread.line.item.clone(),
        ..Line::default()
    });
    let mut running = FuturesUnordered::new();
    for (branch, line) in parallel.branches.iter().zip(&lines) {
        line.last_event.set(started);
        if line.output.borrow().is_none() {
            let input = Rc::clone(&input);
            running.push(async move { (line, flow::run(thread.on(line), branch, input).await) });
        }
    }
    while let Some((line, outcome)) = running.next().await {
        thread.line.last_event.set(line.last_event.get());
        if let Err(failure) = outcome {
            drop(running);
            cut(thread, &lines, line, &failure)?;
            return Err(failure);
        }
    }
    let outputs: Vec<Value> =
        lines.iter().map(|line| line.output.borrow().as_deref().cloned().unwrap_or_default()).collect();
    entered.is_open = false;
    thread.side_event("ParallelStateSucceeded", None)?;
    Ok(Value::Array(outputs))
}

/// The lines of the state `thread` is in: those it left off with, if it is redriven, or new ones.
pub(super) fn lines(thread: Thread<'_>, count: usize, make: impl Fn(usize) -> Line) -> Vec<Rc<Line>> {
    let mut lines = thread.line.lines.borrow_mut();
    if lines.len() != count {
        *lines = (0..count).map(|index| Rc::new(make(index))).collect();
    }
    lines.clone()
}

/// Records how the lines of a state end when one of them has failed: in their order, each iteration as failed or
/// aborted, and each Task or Wait that was under way as aborted; the failed Task too. All follow on the last event of
/// the line that failed.
///
/// AWS records nothing of it for `States.Runtime`, which ends the whole execution at once.
pub(super) fn cut(
    thread: Thread<'_>,
    lines: &[Rc<Line>],
    failed: &Rc<Line>,
    failure: &Failure,
) -> Result<(), Failure> {
    if failure.is_runtime() {
        return Ok(());
    }
    for line in lines {
        // What has failed may have done so before it entered a state: in its ItemSelector.
        let (at, has_failed) = (line.at.borrow().as_ref().map(|at| at.kind), Rc::ptr_eq(line, failed));
        if at.is_none() && !has_failed {
            continue;
        }
        if let (Some(name), Some(item)) = (&line.iteration_of, &line.item) {
            let (event, key) = if has_failed {
                ("MapIterationFailed", "mapIterationFailedEventDetails")
            } else {
                ("MapIterationAborted", "mapIterationAbortedEventDetails")
            };
            let details = vec![("name", Value::from(name.as_str())), ("index", json!(item.index))];
            thread.side_event(event, Some((key, details)))?;
        }
        if has_failed {
            if at == Some("Task") {
                thread.side_event("TaskStateAborted", None)?;
            }
        } else if let Some(kind) = at {
            abort(thread, line, kind)?;
        }
    }
    Ok(())
}

/// Only these states can be found under way; the others take no time.
fn abort(thread: Thread<'_>, line: &Line, kind: &str) -> Result<(), Failure> {
    for inner in line.lines.borrow().iter() {
        let at = inner.at.borrow().clone();
        if let Some(at) = at {
            abort(thread, inner, at.kind)?;
        }
    }
    if matches!(kind, "Task" | "Wait" | "Parallel" | "Map") {
        thread.side_event(format!("{kind}StateAborted"), None)?;
    }
    Ok(())
}
