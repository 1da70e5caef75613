//! Checks across states: that every target exists, that every state can be reached and that there is an end.

use std::collections::BTreeSet;

use super::list;
use crate::asl::error::{Report, join};
use crate::asl::model::{Graph, Handlers, Kind, State, Transition};

/// Checks one level of states. `names` has every state, also those that could not be read (then `complete` is false).
pub(super) fn check(graph: &Graph, names: &[&str], complete: bool, at: &str, report: &Report) {
    let mut sound = complete;
    for (name, state) in &graph.states {
        for (field, target) in targets(state) {
            if !names.contains(&target) {
                sound = false;
                report.error(
                    format!("{}.{field}", join(at, name)),
                    format!("leads to {target:?}, which is not a state here; the states are {}", list(names)),
                );
            }
        }
    }
    // A state that could not be read, or whose target is misspelt, may lead anywhere.
    if !sound {
        return;
    }
    let reached = reachable(graph);
    for name in names.iter().filter(|name| !reached.contains(*name)) {
        report.error(join(at, name), "cannot be reached: no transition leads to it from StartAt");
    }
    if !graph.states.values().any(is_terminal) {
        report.warn(at, "has no state that ends it: a Succeed, a Fail, or one with \"End\": true");
    }
}

/// AWS: a name is used once in the whole definition, also across branches and maps.
pub(super) fn unique_names(graph: &Graph, report: &Report) {
    fn visit<'a>(graph: &'a Graph, at: &str, seen: &mut BTreeSet<&'a str>, report: &Report) {
        for (name, state) in &graph.states {
            let path = join(at, name);
            if !seen.insert(name) {
                report.error(
                    path.as_str(),
                    "has a name that another state of this definition has; names are unique",
                );
            }
            match &state.kind {
                Kind::Parallel(parallel) => {
                    for (index, branch) in parallel.branches.iter().enumerate() {
                        visit(branch, &format!("{path}.Branches[{index}].States"), seen, report);
                    }
                }
                Kind::Map(map) => {
                    visit(&map.processor, &format!("{path}.ItemProcessor.States"), seen, report)
                }
                _ => {}
            }
        }
    }
    visit(graph, "States", &mut BTreeSet::new(), report);
}

fn reachable(graph: &Graph) -> BTreeSet<&str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![graph.start_at.as_str()];
    while let Some(name) = open.pop() {
        if reached.insert(name)
            && let Some(state) = graph.states.get(name)
        {
            open.extend(targets(state).into_iter().map(|(_, target)| target));
        }
    }
    reached
}

fn is_terminal(state: &State) -> bool {
    match &state.kind {
        Kind::Succeed | Kind::Fail { .. } => true,
        Kind::Choice { .. } => false,
        Kind::Pass { then, .. } | Kind::Wait { then, .. } => *then == Transition::End,
        Kind::Task(task) => task.then == Transition::End,
        Kind::Parallel(parallel) => parallel.then == Transition::End,
        Kind::Map(map) => map.then == Transition::End,
    }
}

/// Where a state can lead, with the field that says so.
fn targets(state: &State) -> Vec<(String, &str)> {
    fn handled<'a>(then: &'a Transition, handlers: Option<&'a Handlers>) -> Vec<(String, &'a str)> {
        let next = match then {
            Transition::Next(next) => Some(("Next".to_owned(), next.as_str())),
            Transition::End => None,
        };
        let caught = handlers.into_iter().flat_map(|handlers| handlers.catch.iter().enumerate());
        next.into_iter()
            .chain(caught.map(|(index, catcher)| (format!("Catch[{index}].Next"), catcher.next.as_str())))
            .collect()
    }
    match &state.kind {
        Kind::Pass { then, .. } | Kind::Wait { then, .. } => handled(then, None),
        Kind::Task(task) => handled(&task.then, Some(&task.errors)),
        Kind::Parallel(parallel) => handled(&parallel.then, Some(&parallel.errors)),
        Kind::Map(map) => handled(&map.then, Some(&map.errors)),
        Kind::Choice { rules, default } => rules
            .iter()
            .enumerate()
            .map(|(index, (_, next))| (format!("Choices[{index}].Next"), next.as_str()))
            .chain(default.as_deref().map(|next| ("Default".to_owned(), next)))
            .collect(),
        Kind::Succeed | Kind::Fail { .. } => Vec::new(),
    }
}
