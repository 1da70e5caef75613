//! Pass, Wait, Task, Succeed and Fail states, and the fields that several types have.

use serde_json::{Map, Value, json};

use super::choice::extend;
use super::{Around, Block, Grower};

impl Grower {
    /// Some states, for data that they may or may not suit.
    pub(super) fn block(&mut self, data: &Value, around: Around) -> Block {
        match self.chance.within(0..=15) {
            0..=2 => self.pass(data),
            3 => self.wait(data),
            4..=6 => self.choice(data, around),
            7..=10 => self.task(data, around),
            11..=12 if around.depth > 0 => self.parallel(data, around),
            13..=14 if around.depth > 0 => self.map(data, around),
            15 if around.may_fail && self.chance.one_in(2) => {
                Block(vec![(self.name("Fail"), self.fail(data))])
            }
            _ => self.pass(data),
        }
    }

    /// What a graph ends with that has nothing else.
    pub(super) fn end(&mut self) -> Block {
        Block(vec![(self.name("Succeed"), json!({ "Type": "Succeed" }))])
    }

    pub(super) fn fail(&mut self, data: &Value) -> Value {
        let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        match (self.chance.within(0..=2), self.path(data, text)) {
            (0, Some((path, _))) => json!({ "Type": "Fail", "Error": "Broken", "CausePath": path }),
            (1, _) => json!({ "Type": "Fail", "Error": "Broken" }),
            _ => json!({ "Type": "Fail", "Error": self.error(), "Cause": "as asked" }),
        }
    }

    pub(super) fn pass(&mut self, data: &Value) -> Block {
        let (fields, effective) = self.input_path(data);
        let mut state = json!({ "Type": "Pass", "Next": "" });
        extend(&mut state, fields);
        match self.chance.within(0..=3) {
            0 => state["Result"] = self.constant(),
            1 => {}
            _ => state["Parameters"] = self.template(&effective),
        }
        if self.chance.one_in(2) {
            state["ResultPath"] = self.result_path(data);
        }
        Block(vec![(self.name("Pass"), state)])
    }

    fn wait(&mut self, data: &Value) -> Block {
        let (fields, effective) = self.input_path(data);
        let mut state = json!({ "Type": "Wait", "Next": "" });
        extend(&mut state, fields);
        let is_short = |value: &Value| value.as_u64().is_some_and(|seconds| seconds <= 20);
        match (self.chance.within(0..=3), self.path(&effective, is_short)) {
            (0, _) => state["Timestamp"] = json!("2020-01-01T00:00:00Z"),
            (1, _) => state["Seconds"] = json!(0),
            (2, Some((path, _))) => state["SecondsPath"] = json!(path),
            _ => state["Seconds"] = json!(self.chance.within(1..=20)),
        }
        Block(vec![(self.name("Wait"), state)])
    }

    fn task(&mut self, data: &Value, around: Around) -> Block {
        let (fields, effective) = self.input_path(data);
        let mut payload =
            json!({ "attempt.$": "$$.State.RetryCount", "error": self.error(), "cause": "as asked" });
        let (field, answer, known) = self.answer(&effective);
        payload[field] = answer;
        let count = self.path(&effective, |value| value.as_u64().is_some_and(|count| count <= 3));
        match count {
            _ if around.calm => {}
            Some((path, _)) if self.chance.one_in(3) => payload["fails.$"] = json!(path),
            _ if self.chance.one_in(2) => payload["fails"] = json!(self.chance.within(1..=3)),
            _ => {}
        }
        let mut state = json!({
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": { "FunctionName": "function", "Payload": payload },
            "Next": "",
        });
        extend(&mut state, fields);
        // Always: the rest of the answer is not the same for both.
        state["ResultSelector"] = match known {
            Value::Object(_) if self.chance.one_in(2) => self.selector(&json!({ "Payload": known })),
            _ => json!({ "answer.$": "$.Payload" }),
        };
        if self.chance.one_in(2) {
            state["ResultPath"] = self.result_path(data);
        }
        let mut states = vec![(self.name("Task"), state)];
        self.handle(&mut states, data);
        Block(states)
    }

    /// A template over the payload of an answer, not over all of the answer.
    fn selector(&mut self, answer: &Value) -> Value {
        let selector = self.template(answer);
        let text = selector.to_string();
        let is_of_all = ["\"$\"", "($)", "($,", " $)", " $,"].iter().any(|whole| text.contains(whole));
        if is_of_all { json!({ "answer.$": "$.Payload" }) } else { selector }
    }

    /// What the function is to answer: a field of its payload, and what that comes to.
    fn answer(&mut self, data: &Value) -> (&'static str, Value, Value) {
        match self.path(data, |_| true) {
            Some((path, value)) if self.chance.one_in(2) => ("answer.$", json!(path), value),
            _ => {
                let answer = self.constant();
                ("answer", answer.clone(), answer)
            }
        }
    }

    fn error(&mut self) -> &'static str {
        self.chance.of(&["Broken", "Throttled", "NotStopped"])
    }

    /// Adds `Retry` and `Catch` to the first of the states, and what errors lead to after it.
    pub(super) fn handle(&mut self, states: &mut Vec<(String, Value)>, data: &Value) {
        if self.chance.one_in(2) {
            let mut retriers = Vec::new();
            for errors in self.errors() {
                retriers.push(json!({
                    "ErrorEquals": errors,
                    "IntervalSeconds": self.chance.within(1..=5),
                    "MaxAttempts": self.chance.within(0..=3),
                    "BackoffRate": self.chance.within(1..=2),
                }));
            }
            states[0].1["Retry"] = json!(retriers);
        }
        if self.chance.one_in(2) {
            let mut catchers = Vec::new();
            for errors in self.errors() {
                let handler = self.name("Caught");
                let mut catcher = json!({ "ErrorEquals": errors, "Next": handler });
                if self.chance.one_in(2) {
                    catcher["ResultPath"] = self.result_path(data);
                }
                catchers.push(catcher);
                states.push((handler, json!({ "Type": "Pass", "Next": "" })));
            }
            states[0].1["Catch"] = json!(catchers);
        }
    }

    /// What one or two handlers are for; `States.ALL` stands last, and once.
    fn errors(&mut self) -> Vec<Vec<&'static str>> {
        let first = self.some_errors();
        if first == ["States.ALL"] || self.chance.one_in(2) {
            vec![first]
        } else {
            vec![first, self.some_errors()]
        }
    }

    fn some_errors(&mut self) -> Vec<&'static str> {
        match self.chance.within(0..=4) {
            0 => vec!["States.ALL"],
            1 => vec!["States.TaskFailed"],
            2 => vec!["Broken", "Throttled"],
            _ => vec![self.error()],
        }
    }

    /// An `InputPath`, or none, and what it leaves of the data.
    pub(super) fn input_path(&mut self, data: &Value) -> (Map<String, Value>, Value) {
        let (path, effective) = match self.chance.within(0..=9) {
            0 => (Value::Null, json!({})),
            1..=3 => match self.path(data, Value::is_object) {
                Some((path, value)) => (json!(path), value),
                None => return (Map::new(), data.clone()),
            },
            _ => return (Map::new(), data.clone()),
        };
        (Map::from_iter([("InputPath".to_owned(), path)]), effective)
    }

    /// A `ResultPath` for data: into it only where it is an object.
    pub(super) fn result_path(&mut self, data: &Value) -> Value {
        match self.chance.within(0..=6) {
            0 => Value::Null,
            1 => json!("$"),
            2 if data["inner"].is_object() => json!("$.inner.result"),
            3 if data["inner"].is_object() => json!("$.inner"),
            _ if data.is_object() => json!(self.chance.of(&["$.result", "$.number", "$.new.result"])),
            _ => json!("$"),
        }
    }
}
