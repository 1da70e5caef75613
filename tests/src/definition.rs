//! The state machine files as they are written: what tests of their text look at. What runs them is the engine.

use std::collections::BTreeSet;

use serde_json::Value;
use stopgap_core::tasks;
use stopgap_sim::machines::{self, state_name};

/// A state machine file.
pub struct Definition {
    /// Where it is in the repository.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
    document: Value,
}

/// A state, at any depth.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its fields.
    pub body: &'a Value,
}

impl Definition {
    /// `statemachine/fleet.asl.json`.
    pub fn fleet() -> Self {
        Self::read("statemachine/fleet.asl.json", machines::FLEET)
    }

    /// `statemachine/instance.asl.json`.
    pub fn instance() -> Self {
        Self::read("statemachine/instance.asl.json", machines::INSTANCE)
    }

    /// `statemachine/rescue.asl.json`.
    pub fn rescue() -> Self {
        Self::read("statemachine/rescue.asl.json", machines::RESCUE)
    }

    /// All that are shipped.
    pub fn all() -> [Self; 3] {
        [Self::fleet(), Self::instance(), Self::rescue()]
    }

    fn read(path: &'static str, text: &'static str) -> Self {
        Self { path, text, document: serde_json::from_str(text).expect("the file is JSON") }
    }

    /// All states, in the order of the file, those inside of a Map after it.
    pub fn states(&self) -> Vec<State<'_>> {
        let mut states = Vec::new();
        collect(&self.document, &mut states);
        states
    }

    /// The Task states.
    pub fn tasks(&self) -> Vec<State<'_>> {
        self.states().into_iter().filter(|state| state.is("Task")).collect()
    }

    /// The state of a name.
    ///
    /// # Panics
    /// If there is none.
    pub fn state(&self, name: &str) -> State<'_> {
        let found = self.states().into_iter().find(|state| state.name == name);
        found.unwrap_or_else(|| panic!("{} has no state {name}", self.path))
    }

    /// The line on which a state begins.
    ///
    /// # Panics
    /// If there is no such state.
    pub fn line(&self, name: &str) -> usize {
        let start = format!("\"{name}\": {{");
        let line = self.text.lines().position(|line| line.trim_start() == start);
        line.unwrap_or_else(|| panic!("{} has no state {name}", self.path)) + 1
    }

    /// The names in its `${...}` placeholders.
    pub fn placeholders(&self) -> BTreeSet<&str> {
        self.text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
    }

    /// The values of a field, wherever it stands.
    pub fn values_of(&self, field: &str) -> Vec<&Value> {
        let mut found = Vec::new();
        find(&self.document, field, &mut found);
        found
    }
}

impl<'a> State<'a> {
    /// Whether its `Type` is this.
    pub fn is(self, kind: &str) -> bool {
        self.body["Type"] == kind
    }

    /// The function that it invokes, by its own name: `stop-instance`.
    pub fn function(self) -> Option<&'static str> {
        let placeholder = self.body["Parameters"]["FunctionName"].as_str()?;
        let name = placeholder.strip_prefix("${")?.strip_suffix('}')?;
        tasks::NAMES.iter().copied().find(|function| state_name(function) == name)
    }

    /// Its retriers.
    pub fn retries(self) -> &'a [Value] {
        self.body["Retry"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Its catchers.
    pub fn catches(self) -> &'a [Value] {
        self.body["Catch"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Where it leads when nothing fails.
    pub fn successors(self) -> Vec<&'a str> {
        let choices = self.body["Choices"].as_array().into_iter().flatten().map(|choice| &choice["Next"]);
        choices.chain([&self.body["Next"], &self.body["Default"]]).filter_map(Value::as_str).collect()
    }

    /// Whether the execution ends here.
    pub fn is_end(self) -> bool {
        self.successors().is_empty()
    }
}

/// The error names of a retrier or catcher.
pub fn errors(handler: &Value) -> Vec<&str> {
    handler["ErrorEquals"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The state that a catcher leads to.
pub fn target(catch: &Value) -> &str {
    catch["Next"].as_str().unwrap_or_default()
}

fn collect<'a>(graph: &'a Value, states: &mut Vec<State<'a>>) {
    for (name, body) in graph["States"].as_object().into_iter().flatten() {
        states.push(State { name, body });
        collect(&body["ItemProcessor"], states);
    }
}

fn find<'a>(value: &'a Value, field: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == field {
                    found.push(value);
                }
                find(value, field, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| find(value, field, found)),
        _ => {}
    }
}
