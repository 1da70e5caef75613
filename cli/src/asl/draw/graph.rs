//! What of a definition is drawn: states in the order of the file, and the ways between them.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::words;

/// States and ways: a whole machine, or the inside of a Map or a branch of a Parallel.
pub(super) struct Graph {
    start_at: String,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

/// A state.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_map: bool,
}

impl Node {
    /// Whether it ends the execution.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.kind, Kind::Succeed | Kind::Fail)
    }
}

/// What a state looks like.
pub(super) enum Kind {
    Task,
    /// A Task that waits for someone else to answer its token.
    Callback,
    Wait,
    Choice,
    Pass,
    Succeed,
    Fail,
    /// A Map or Parallel, with what is in it.
    Inside(Vec<Graph>),
}

/// A way from one state to another.
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) way: Way,
    /// What is chosen, or which errors; empty where there is nothing to say.
    pub(super) label: String,
}

/// Why it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The state is done.
    Next,
    /// A rule holds, or none does.
    Choice,
    /// The state failed.
    Error,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawGraph {
    start_at: String,
    /// In the order of the file.
    states: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawState {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    resource: String,
    next: Option<String>,
    #[serde(default)]
    choices: Vec<Value>,
    default: Option<String>,
    #[serde(default)]
    catch: Vec<RawCatch>,
    #[serde(alias = "Iterator")]
    item_processor: Option<RawGraph>,
    #[serde(default)]
    branches: Vec<RawGraph>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawCatch {
    error_equals: Vec<String>,
    next: String,
}

impl Graph {
    /// Reads a definition that the engine has found sound.
    pub(super) fn read(definition: &Value) -> Result<Self, serde_json::Error> {
        Self::of(RawGraph::deserialize(definition)?)
    }

    fn of(raw: RawGraph) -> Result<Self, serde_json::Error> {
        let mut graph = Self { start_at: raw.start_at, nodes: Vec::new(), edges: Vec::new() };
        for (name, state) in raw.states {
            let state = RawState::deserialize(state)?;
            graph.ways(&name, &state);
            let is_map = state.kind == "Map";
            graph.nodes.push(Node { name, is_map, kind: kind(state)? });
        }
        Ok(graph)
    }

    fn ways(&mut self, from: &str, state: &RawState) {
        if let Some(next) = &state.next {
            self.way(from, next, Way::Next, String::new());
        }
        for choice in &state.choices {
            let to = choice["Next"].as_str().unwrap_or_default();
            self.way(from, to, Way::Choice, words::of_rule(choice));
        }
        if let Some(default) = &state.default {
            self.way(from, default, Way::Choice, "otherwise".to_owned());
        }
        for catch in &state.catch {
            if state.next.as_ref() != Some(&catch.next) {
                self.way(from, &catch.next, Way::Error, words::of_errors(&catch.error_equals));
            }
        }
    }

    /// Adds a way, or another reason to take one that is there.
    fn way(&mut self, from: &str, to: &str, way: Way, label: String) {
        let same = |edge: &&mut Edge| (edge.from.as_str(), edge.to.as_str(), edge.way) == (from, to, way);
        match self.edges.iter_mut().find(same) {
            // Any error is all that can be said.
            Some(edge) if edge.label.is_empty() || label.is_empty() => edge.label.clear(),
            Some(edge) => edge.label = format!("{} or {label}", edge.label),
            None => self.edges.push(Edge { from: from.to_owned(), to: to.to_owned(), way, label }),
        }
    }

    /// The states that nothing but an error leads to, directly or on the way.
    pub(super) fn rescues(&self) -> Vec<String> {
        let mut reached = vec![self.start_at.as_str()];
        let mut next = 0;
        while let Some(from) = reached.get(next).copied() {
            next += 1;
            for edge in self.edges.iter().filter(|edge| edge.from == from && edge.way != Way::Error) {
                if !reached.contains(&edge.to.as_str()) {
                    reached.push(&edge.to);
                }
            }
        }
        let names = self.nodes.iter().map(|node| node.name.clone());
        names.filter(|name| !reached.contains(&name.as_str())).collect()
    }
}

fn kind(state: RawState) -> Result<Kind, serde_json::Error> {
    Ok(match state.kind.as_str() {
        "Task" if state.resource.ends_with(".waitForTaskToken") => Kind::Callback,
        "Task" => Kind::Task,
        "Wait" => Kind::Wait,
        "Choice" => Kind::Choice,
        "Succeed" => Kind::Succeed,
        "Fail" => Kind::Fail,
        "Map" | "Parallel" => {
            let inside = state.item_processor.into_iter().chain(state.branches);
            Kind::Inside(inside.map(Graph::of).collect::<Result<_, _>>()?)
        }
        _ => Kind::Pass,
    })
}
