//! Choice states.

use serde_json::{Map, Value, json};

use super::{Around, Block, Grower};

impl Grower {
    /// A Choice, and what it leads to.
    pub(super) fn choice(&mut self, data: &Value, around: Around) -> Block {
        let name = self.name("Choice");
        let (input_path, effective) = self.input_path(data);
        let mut states = Vec::new();
        let rules: Vec<Value> = (0..self.chance.within(1..=3))
            .map(|_| {
                let mut rule = self.rule(&effective, 2);
                rule["Next"] = json!(self.alternative(&effective, around, &mut states));
                rule
            })
            .collect();
        let mut state = json!({ "Type": "Choice", "Choices": rules });
        extend(&mut state, input_path);
        state["Default"] = json!(self.alternative(&effective, around, &mut states));
        states.insert(0, (name, state));
        Block(states)
    }

    fn alternative(&mut self, data: &Value, around: Around, states: &mut Vec<(String, Value)>) -> String {
        let (name, state) = match self.chance.within(0..=7) {
            0 if !around.calm => (self.name("Fail"), self.fail(data)),
            1..=3 => (
                self.name("Pass"),
                json!({ "Type": "Pass", "ResultPath": self.result_path(data), "Result": self.constant(), "Next": "" }),
            ),
            _ => (self.name("Pass"), json!({ "Type": "Pass", "Next": "" })),
        };
        states.push((name.clone(), state));
        name
    }

    /// A rule without its `Next`.
    fn rule(&mut self, data: &Value, depth: usize) -> Value {
        if depth > 0 && self.chance.one_in(4) {
            let mut inner = || self.rule(data, depth - 1);
            let (one, other) = (inner(), inner());
            return match self.chance.within(0..=2) {
                0 => json!({ "And": [one, other] }),
                1 => json!({ "Or": [one, other] }),
                _ => json!({ "Not": one }),
            };
        }
        if self.chance.one_in(6) {
            // What is not there can only be asked for.
            let there = self.path(data, |_| true).map(|(path, _)| path);
            let path = there.filter(|_| self.chance.one_in(2)).unwrap_or("$.not.there".to_owned());
            return json!({ "Variable": path, "IsPresent": self.chance.one_in(2) });
        }
        let Some((path, value)) = self.path(data, |_| true) else {
            return json!({ "Variable": "$", "IsPresent": true });
        };
        if self.chance.one_in(3) {
            let test = self.chance.of(&["IsNull", "IsString", "IsNumeric", "IsBoolean", "IsTimestamp"]);
            return json!({ "Variable": path, test: self.chance.one_in(2) });
        }
        self.comparison(data, &path, &value)
    }

    fn comparison(&mut self, data: &Value, path: &str, value: &Value) -> Value {
        let of_order = ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"];
        let operator = self.chance.of(&of_order.each_ref().map(|operator| *operator));
        let (operator, with): (String, Value) = match value {
            Value::Number(_) => (format!("Numeric{operator}"), json!(self.chance.number())),
            Value::Bool(_) => ("BooleanEquals".to_owned(), json!(self.chance.one_in(2))),
            Value::String(text) if text.ends_with('Z') && self.chance.one_in(2) => {
                let time =
                    self.chance.of(&["2026-11-21T02:00:00Z", "2026-11-20T23:00:00Z", "2027-01-01T00:00:00Z"]);
                (format!("Timestamp{operator}"), json!(time))
            }
            Value::String(_) if self.chance.one_in(3) => (
                "StringMatches".to_owned(),
                json!(self.chance.of(&["*", "a*", "*ing", "*o*", "stopped", "*-1"])),
            ),
            Value::String(_) => (format!("String{operator}"), json!(self.word())),
            _ => return json!({ "Variable": path, "IsPresent": true }),
        };
        let same_type = |other: &Value| std::mem::discriminant(other) == std::mem::discriminant(value);
        if operator.starts_with("Timestamp") || operator == "StringMatches" || !self.chance.one_in(3) {
            return json!({ "Variable": path, operator: with });
        }
        let other = self.path(data, same_type).map_or_else(|| path.to_owned(), |(path, _)| path);
        json!({ "Variable": path, format!("{operator}Path"): other })
    }
}

/// Adds fields to a state.
pub(super) fn extend(state: &mut Value, fields: Map<String, Value>) {
    state.as_object_mut().expect("a state is an object").extend(fields);
}
