//! The events of an execution by line: the execution itself, a branch of a Parallel, an iteration of a Map.
//!
//! A line's events follow on each other, while those of several lines mix as time has it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::generate::Machine;
use crate::run::Event;

/// Which line: the Parallel and Map states around it, from the outside, each with the branch or iteration.
pub(crate) type Line = Vec<(String, usize)>;

/// What happened in a line, one after the other: what, and with which data.
pub(crate) type Steps = Vec<(String, Option<Value>)>;

/// An execution by line.
pub(crate) struct Lines {
    pub(crate) steps: BTreeMap<Line, Steps>,
    /// The lines that failed and took their siblings with them.
    failed: Vec<Line>,
}

impl Lines {
    /// Whether a line ended when a sibling of it, or of a line around it, failed.
    pub(crate) fn is_cut_short(&self, line: &Line) -> bool {
        self.failed.iter().any(|failed| {
            let (last, around) = failed.split_last().expect("what fails is in something");
            line.len() > around.len()
                && line.starts_with(around)
                && line[around.len()].0 == last.0
                && line[around.len()].1 != last.1
        })
    }
}

/// Where states are: the Parallel and Map states around each, with the branch where that is known.
type Places = BTreeMap<String, Vec<(String, Option<usize>)>>;

fn places(graph: &Value, around: &[(String, Option<usize>)], found: &mut Places) {
    for (name, state) in graph["States"].as_object().into_iter().flatten() {
        found.insert(name.clone(), around.to_vec());
        let inside = |index| [around, &[(name.clone(), index)]].concat();
        for (branch, graph) in state["Branches"].as_array().into_iter().flatten().enumerate() {
            places(graph, &inside(Some(branch)), found);
        }
        places(&state["ItemProcessor"], &inside(None), found);
    }
}

/// The line of a place, as seen from a line in or around it: only that knows the iteration.
fn line_at(place: &[(String, Option<usize>)], from: &Line) -> Line {
    let iteration =
        |name: &String| from.iter().find(|(around, _)| around == name).map_or(usize::MAX, |found| found.1);
    place.iter().map(|(name, index)| (name.clone(), index.unwrap_or_else(|| iteration(name)))).collect()
}

/// Sorts events into their lines.
pub(crate) fn lines(machine: &Machine, events: &[Event]) -> Lines {
    let mut known = Places::new();
    places(&machine.definition, &[], &mut known);
    let by_id: BTreeMap<u64, &Event> = events.iter().map(|event| (event.id, event)).collect();
    let (mut line_of, mut found) = (BTreeMap::new(), Lines { steps: BTreeMap::new(), failed: Vec::new() });
    for event in events {
        let from: Line = line_of.get(&event.previous).cloned().unwrap_or_default();
        let place = event.name.as_ref().and_then(|name| known.get(name));
        let line = match (place, event.index) {
            (Some(place), None) => line_at(place, &from),
            (Some(place), Some(index)) => {
                let inside = (event.name.clone().unwrap_or_default(), usize::try_from(index).unwrap());
                [line_at(place, &from), vec![inside]].concat()
            }
            (None, _) if event.kind.starts_with("Execution") => Line::new(),
            (None, _) if is_outside(event, by_id.get(&event.previous).copied()) => {
                if event.kind.ends_with("StateFailed") {
                    found.failed.push(from.clone());
                }
                from[..from.len().saturating_sub(1)].to_vec()
            }
            (None, _) => from,
        };
        line_of.insert(event.id, line.clone());
        // moto writes none of them.
        if event.kind.ends_with("Aborted") {
            continue;
        }
        let name = event.name.as_deref().unwrap_or_default();
        let step = (format!("{} {name}", event.kind).trim().to_owned(), event.data.clone());
        found.steps.entry(line).or_default().push(step);
    }
    found
}

/// Whether an event is of the line around the one before it: a Parallel or Map that ends, or begins its next attempt.
fn is_outside(event: &Event, previous: Option<&Event>) -> bool {
    let previous = previous.map_or("", |previous| previous.kind.as_str());
    // Without branches or iterations there is no line inside. moto alone writes `EvaluationFailed` for a JSONPath.
    let is_empty = [
        "ParallelStateEntered",
        "ParallelStateStarted",
        "MapStateEntered",
        "MapStateStarted",
        "EvaluationFailed",
    ]
    .contains(&previous);
    let kind = event.kind.as_str();
    let is_of_all = kind.starts_with("ParallelState") || kind.starts_with("MapState");
    is_of_all && ["Started", "Succeeded", "Failed"].iter().any(|end| kind.ends_with(end)) && !is_empty
}
