//! The inline Map state.

use std::borrow::Cow;
use std::rc::Rc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

use super::context::Entered;
use super::execution::{Item, Line};
use super::failure::Failure;
use super::flow;
use super::parallel::{cut, lines};
use crate::asl::model::Map;

/// AWS: an inline Map runs up to 40 iterations at once.
const MAX_CONCURRENCY: usize = 40;

pub(super) async fn run(entered: &mut Entered<'_>, map: &Map, input: &Value) -> Result<Value, Failure> {
    let thread = entered.thread;
    let limit = concurrency(entered, map, input, MAX_CONCURRENCY)?;
    let items = items(entered, map, input)?;
    let details = vec![("length", json!(items.len()))];
    let started = thread.event("MapStateStarted", Some(("mapStateStartedEventDetails", details)))?;
    let name = entered.name;
    let lines = lines(thread, items.len(), |index| Line {
        item: Some(Rc::new(Item { index, value: items[index].clone() })),
        iteration_of: Some(name.to_owned()),
        ..Line::default()
    });
    let mut running = FuturesUnordered::new();
    let mut waiting =
        lines.iter().zip(&items).enumerate().filter(|(_, (line, _))| line.output.borrow().is_none());
    entered.is_open = true;
    let mut last = started;
    loop {
        while running.len() < limit {
            let Some((index, (line, item))) = waiting.next() else { break };
            line.last_event.set(thread.line.last_event.get());
            let details = iteration(name, index);
            thread
                .on(line)
                .event("MapIterationStarted", Some(("mapIterationStartedEventDetails", details)))?;
            // An iteration whose ItemSelector fails has started.
            let input = match select(entered, map, index, item, input) {
                Ok(input) => input,
                Err(failure) => {
                    drop(running);
                    thread.line.last_event.set(line.last_event.get());
                    cut(thread, &lines, line, &failure)?;
                    return Err(failure);
                }
            };
            running.push(async move {
                (index, line, flow::run(thread.on(line), &map.processor, Rc::new(input)).await)
            });
        }
        let Some((index, line, outcome)) = running.next().await else { break };
        thread.line.last_event.set(line.last_event.get());
        match outcome {
            // The next iteration follows on the state that ended this one, the end of the Map on this event.
            Ok(_) => {
                let details = Some(("mapIterationSucceededEventDetails", iteration(name, index)));
                last = thread.side_event("MapIterationSucceeded", details)?;
            }
            Err(failure) => {
                drop(running);
                cut(thread, &lines, line, &failure)?;
                return Err(failure);
            }
        }
    }
    let outputs: Vec<Value> =
        lines.iter().map(|line| line.output.borrow().as_deref().cloned().unwrap_or_default()).collect();
    entered.is_open = false;
    thread.line.last_event.set(last);
    thread.side_event("MapStateSucceeded", None)?;
    Ok(Value::Array(outputs))
}

fn iteration(name: &str, index: usize) -> Vec<(&'static str, Value)> {
    vec![("name", Value::from(name)), ("index", json!(index))]
}

/// The items of the input.
pub(super) fn items(entered: &Entered<'_>, map: &Map, input: &Value) -> Result<Vec<Value>, Failure> {
    let (value, path) = match &map.items_path {
        Some(path) => (entered.read(path, input)?, path.text()),
        None => (input.clone(), "$"),
    };
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(entered.broken(format_args!("Reference path \"{path}\" must point to array."))),
    }
}

/// The input of an iteration: the item, or what `ItemSelector` makes of it and the Map's input.
pub(super) fn select(
    entered: &mut Entered<'_>,
    map: &Map,
    index: usize,
    item: &Value,
    input: &Value,
) -> Result<Value, Failure> {
    let Some(selector) = &map.item_selector else { return Ok(item.clone()) };
    entered.item = Some(json!({"Index": index, "Value": item}));
    let selected = entered.fill(Some(selector), Cow::Borrowed(input));
    entered.item = None;
    selected
}

/// How many at once; 0 means as many as there may be.
pub(super) fn concurrency(
    entered: &Entered<'_>,
    map: &Map,
    input: &Value,
    most: usize,
) -> Result<usize, Failure> {
    let Some(count) = &map.max_concurrency else { return Ok(most) };
    let wanted = entered.map_count(count, "MaxConcurrencyPath", input, |number| {
        entered
            .broken(format_args!("Expected non-negative integer for MaxConcurrency, got '{number}' instead."))
    })?;
    Ok(match usize::try_from(wanted) {
        Ok(0) | Err(_) => most,
        Ok(wanted) => wanted.min(most),
    })
}
