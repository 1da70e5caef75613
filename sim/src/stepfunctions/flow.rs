//! From state to state.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use serde_json::Value;

use super::context::{Entered, Thread};
use super::data::shared;
use super::execution::At;
use super::failure::Failure;
use super::history::{input as input_details, output as output_details};
use super::numbers::plain;
use super::retry::{Attempts, catch};
use super::{distributed, inline_map, parallel, task};
use crate::asl::choice::{MissingVariable, timestamp};
use crate::asl::model::{Graph, Handlers, Kind, State, Transition, Wait};

/// Where a state leads.
enum Step<'a> {
    Next(&'a str, Rc<Value>),
    End(Rc<Value>),
}

/// Runs a graph on a line of control, from its start or, when the line is redriven, from where it failed.
pub(super) fn run<'a>(
    thread: Thread<'a>,
    graph: &'a Graph,
    input: Rc<Value>,
) -> LocalBoxFuture<'a, Result<Rc<Value>, Failure>> {
    Box::pin(async move {
        let resumed = thread.line.at.borrow().clone();
        let mut redriven = resumed.is_some();
        let (mut name, mut input) = match resumed {
            Some(at) => (at.state, at.input),
            None => (graph.start_at.clone(), input),
        };
        loop {
            // Every target was checked when the definition was read.
            let Some(state) = graph.states.get(&name) else {
                return Err(Failure::new("States.Runtime", format!("There is no state '{name}'.")));
            };
            let at = At { state: name.clone(), kind: state.kind.name(), input: Rc::clone(&input) };
            *thread.line.at.borrow_mut() = Some(at);
            if !redriven {
                thread.line.lines.borrow_mut().clear();
            }
            redriven = false;
            match step(thread, &name, state, input).await? {
                Step::Next(next, output) => {
                    name = next.to_owned();
                    input = output;
                }
                Step::End(output) => {
                    *thread.line.at.borrow_mut() = None;
                    *thread.line.output.borrow_mut() = Some(Rc::clone(&output));
                    return Ok(output);
                }
            }
        }
    })
}

async fn step<'a>(
    thread: Thread<'a>,
    name: &'a str,
    state: &'a State,
    input: Rc<Value>,
) -> Result<Step<'a>, Failure> {
    let kind = state.kind.name();
    let mut details = vec![("name", Value::from(name))];
    details.extend(input_details(thread.run.history.text(&input)));
    let event = thread.event(format!("{kind}StateEntered"), Some(("stateEnteredEventDetails", details)))?;
    thread.service.count_transition(thread.run);
    thread.service.entered(thread.run, name);
    let mut entered = Entered {
        thread,
        name,
        event,
        at: thread.now(),
        retry_count: matches!(state.kind, Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_)).then_some(0),
        token: None,
        item: None,
        is_open: false,
    };
    let (output, then) = match &state.kind {
        Kind::Task(task) => handled(&mut entered, state, &task.errors, &task.then, &input).await?,
        Kind::Parallel(parallel) => {
            handled(&mut entered, state, &parallel.errors, &parallel.then, &input).await?
        }
        Kind::Map(map) => handled(&mut entered, state, &map.errors, &map.then, &input).await?,
        Kind::Fail { error, cause } => {
            return Err(
                match (entered.text(error.as_ref(), &input)?, entered.text(cause.as_ref(), &input)?) {
                    (error, Some(cause)) => Failure::new(error.unwrap_or_default(), cause),
                    (error, None) => {
                        super::TaskFailure { error: error.unwrap_or_default(), cause: String::new() }.into()
                    }
                },
            );
        }
        _ => simple(&entered, state, &input).await?,
    };
    let text = entered.payload(&output)?;
    let mut details = vec![("name", Value::from(name))];
    details.extend(output_details(text));
    thread.event(format!("{kind}StateExited"), Some(("stateExitedEventDetails", details)))?;
    Ok(match then {
        Some(next) => Step::Next(next, output),
        None => Step::End(output),
    })
}

fn target(then: &Transition) -> Option<&str> {
    match then {
        Transition::Next(next) => Some(next),
        Transition::End => None,
    }
}

/// The states that cannot be retried: Pass, Choice, Wait and Succeed.
async fn simple<'a>(
    entered: &Entered<'_>,
    state: &'a State,
    input: &Rc<Value>,
) -> Result<(Rc<Value>, Option<&'a str>), Failure> {
    let effective = entered.select(state.io.input_path.as_ref(), input)?;
    let output_path = state.io.output_path.as_ref();
    match &state.kind {
        Kind::Pass { result, then } => {
            let effective = entered.fill(state.io.parameters.as_ref(), effective)?;
            let result = result.clone().unwrap_or(effective);
            Ok((entered.finish(&state.io, input, result)?, target(then)))
        }
        Kind::Choice { rules, default } => {
            let reads = rules.iter().map(|(rule, _)| rule.reads()).max().unwrap_or_default();
            let matched = entered.with_env(&effective, reads, |env| {
                for (rule, target) in rules {
                    if rule.matches(env.scope)? {
                        return Ok(Some(target.as_str()));
                    }
                }
                Ok(default.as_deref())
            });
            let next = matched.map_err(|error: MissingVariable| entered.broken(error))?;
            let next = next.ok_or_else(|| {
                entered.failure(
                    "States.NoChoiceMatched",
                    "Failed to transition out of the state. The state does not point to a next state.",
                )
            })?;
            Ok((shared(entered.select(output_path, &effective)?, input), Some(next)))
        }
        Kind::Wait { wait, then } => {
            let clock = &entered.thread.service.clock;
            match wait {
                Wait::Seconds(count) => {
                    let seconds = entered.seconds(count, &effective)?;
                    clock.sleep(std::time::Duration::from_secs(seconds)).await;
                }
                Wait::Timestamp(until) => clock.sleep_until(*until).await,
                Wait::TimestampPath(path) => {
                    let value = entered.read(path, &effective)?;
                    let until = value.as_str().and_then(timestamp).ok_or_else(|| {
                        entered.broken(format_args!(
                            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time \
                             format string: {} == {}",
                            path.text(),
                            plain(&value)
                        ))
                    })?;
                    clock.sleep_until(until).await;
                }
            }
            Ok((shared(entered.select(output_path, &effective)?, input), target(then)))
        }
        _ => Ok((shared(entered.select(output_path, &effective)?, input), None)),
    }
}

/// The states that can be retried and whose errors can be caught: Task, Parallel and Map.
async fn handled<'a>(
    entered: &mut Entered<'a>,
    state: &'a State,
    handlers: &'a Handlers,
    then: &'a Transition,
    input: &Rc<Value>,
) -> Result<(Rc<Value>, Option<&'a str>), Failure> {
    let mut attempts = Attempts::new(handlers);
    loop {
        let failure = match attempt(entered, state, input).await {
            Ok(output) => return Ok((output, target(then))),
            Err(failure) => failure,
        };
        if let Some(delay) = attempts.delay(&failure, entered) {
            entered.thread.service.clock.sleep(delay).await;
            entered.retry_count = entered.retry_count.map(|count| count + 1);
            entered.thread.service.count_transition(entered.thread.run);
            // A new attempt runs all branches or iterations again.
            entered.thread.line.lines.borrow_mut().clear();
            continue;
        }
        // AWS: only a failure that is not retried is an event.
        if std::mem::take(&mut entered.is_open) && !failure.is_runtime() {
            entered.thread.event(format!("{}StateFailed", state.kind.name()), None)?;
        }
        return match catch(handlers, &failure, entered, input) {
            Some(caught) => caught.map(|(catcher, output)| (output, Some(catcher.next.as_str()))),
            None => Err(failure),
        };
    }
}

async fn attempt<'a>(
    entered: &mut Entered<'a>,
    state: &'a State,
    input: &Rc<Value>,
) -> Result<Rc<Value>, Failure> {
    let effective = entered.select(state.io.input_path.as_ref(), input)?;
    let result = match &state.kind {
        Kind::Task(task) => task::run(entered, task, &state.io, effective).await?,
        Kind::Parallel(parallel) => {
            let effective = entered.fill(state.io.parameters.as_ref(), effective)?;
            entered.payload(&effective)?;
            parallel::run(entered, parallel, effective).await.map_err(Failure::in_branch)?
        }
        Kind::Map(map) => match &map.distributed {
            None => inline_map::run(entered, map, &effective).await?,
            Some(distributed) => distributed::run(entered, map, distributed, &effective).await?,
        },
        _ => effective.into_owned(),
    };
    entered.finish(&state.io, input, result)
}
