//! From JSON to the types of [`model`](super::model), reporting every fault on the way.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{Report, join};
use super::model::Graph;
use fields::{Fields, kind};

mod fields;
mod graph;
mod handlers;
mod map;
mod resource;
mod rules;
mod state;
mod writer;

/// AWS: 99999999 is the most that any number of seconds can be.
const MAX_SECONDS: u64 = 99_999_999;

/// Reads a whole definition: its states and its `TimeoutSeconds`. What comes back is complete if `report` is empty.
pub(super) fn state_machine(value: &Value, report: &Report) -> Option<(Graph, Option<u64>)> {
    let fields = Fields::of(value, "", report)?;
    fields.comment();
    if let Some(version) = fields.text("Version")
        && version != "1.0"
    {
        fields.error("Version", format!("has to be \"1.0\", not {version:?}"));
    }
    query_language(&fields);
    let timeout = fields.integer("TimeoutSeconds", 1, MAX_SECONDS);
    let graph = states(&fields);
    if let Some(graph) = &graph {
        graph::unique_names(graph, report);
    }
    fields.finish("a state machine");
    Some((graph?, timeout))
}

/// Reads `StartAt` and `States` and checks that they hold together.
fn states(fields: &Fields<'_>) -> Option<Graph> {
    let start_at = fields.required_text("StartAt");
    let Some(value) = fields.get("States") else {
        fields.error("States", "is missing");
        return None;
    };
    let Value::Object(object) = value else {
        fields.error("States", format!("has to be an object with the states by name, not {}", kind(value)));
        return None;
    };
    if object.is_empty() {
        fields.error("States", "has to have at least one state");
        return None;
    }
    let at = fields.path("States");
    let mut complete = true;
    let mut parsed = BTreeMap::new();
    for (name, value) in object {
        let path = join(&at, name);
        match name.chars().count() {
            1..=80 => {}
            0 => fields.report.error(path.as_str(), "needs a name: the empty text is none"),
            length => fields
                .report
                .error(path.as_str(), format!("has a name of {length} characters; up to 80 are allowed")),
        }
        match state::state(value, &path, fields.report) {
            Some(state) => {
                parsed.insert(name.clone(), state);
            }
            None => complete = false,
        }
    }
    let names: Vec<&str> = object.keys().map(String::as_str).collect();
    if let Some(start) = start_at
        && !object.contains_key(start)
    {
        fields.error(
            "StartAt",
            format!("names {start:?}, which is not a state here; the states are {}", list(&names)),
        );
        return None;
    }
    let graph = Graph { start_at: start_at?.to_owned(), states: parsed };
    graph::check(&graph, &names, complete, &at, fields.report);
    complete.then_some(graph)
}

/// Only JSONPath is run.
fn query_language(fields: &Fields<'_>) {
    match fields.text("QueryLanguage") {
        None | Some("JSONPath") => {}
        Some("JSONata") => {
            fields.error("QueryLanguage", "is JSONata, which this engine does not run; write it in JSONPath")
        }
        Some(other) => fields.error("QueryLanguage", format!("has to be \"JSONPath\", not {other:?}")),
    }
}

fn list(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    match names.len() {
        0..=SHOWN => names.join(", "),
        more => format!("{} and {} more", names[..SHOWN].join(", "), more - SHOWN),
    }
}
