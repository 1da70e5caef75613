//! Data, paths into it, and payload templates.

use serde_json::{Map, Value, json};

use super::Grower;

const WORDS: &[&str] = &["", "a", "stopped", "running", "two words", "a,b,,c", "2026-11-21T02:00:00Z", "x-1"];

/// The paths to everything in some data, with what is there. No index but at the end of a path: see
/// [`faults`](crate::faults).
fn paths(data: &Value) -> Vec<(String, Value)> {
    let mut found = vec![("$".to_owned(), data.clone())];
    collect("$", data, &mut found);
    found
}

fn collect(prefix: &str, data: &Value, found: &mut Vec<(String, Value)>) {
    for (key, value) in data.as_object().into_iter().flatten() {
        let path = format!("{prefix}.{key}");
        found.push((path.clone(), value.clone()));
        for (n, item) in value.as_array().into_iter().flatten().enumerate() {
            found.push((format!("{path}[{n}]"), item.clone()));
        }
        collect(&path, value, found);
    }
}

impl Grower {
    /// An input: of everything something.
    pub(super) fn input(&mut self) -> Value {
        let items = (0..self.chance.within(1..=4))
            .map(|n| json!({ "id": n, "word": self.word(), "fails": usize::from(self.chance.one_in(4)) }));
        let items: Vec<Value> = items.collect();
        json!({
            "number": self.chance.number(),
            "word": self.word(),
            "flag": self.chance.one_in(2),
            "none": null,
            "at": "2026-11-21T02:00:00Z",
            "numbers": (0..self.chance.within(0..=5)).map(|_| self.chance.number()).collect::<Vec<_>>(),
            "items": items,
            "inner": { "number": self.chance.number(), "word": self.word(), "deep": { "flag": self.chance.one_in(2) } },
        })
    }

    pub(super) fn word(&mut self) -> &'static str {
        self.chance.of(WORDS)
    }

    /// A path to something of a kind, if there is any.
    pub(super) fn path(
        &mut self,
        data: &Value,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Option<(String, Value)> {
        let mut found = paths(data);
        found.retain(|(_, value)| is_wanted(value));
        (!found.is_empty()).then(|| found.swap_remove(self.chance.within(0..=found.len() - 1)))
    }

    /// Some JSON.
    pub(super) fn constant(&mut self) -> Value {
        match self.chance.within(0..=6) {
            0 => json!(self.chance.count()),
            1 => json!(self.word()),
            2 => json!(self.chance.one_in(2)),
            3 => Value::Null,
            4 => json!([self.chance.count(), self.chance.count()]),
            5 => json!({ "number": self.chance.count(), "word": self.word() }),
            _ => json!([{ "word": self.word() }, { "word": self.word() }]),
        }
    }

    /// A payload template over some data.
    pub(super) fn template(&mut self, data: &Value) -> Value {
        let mut fields = Map::new();
        for n in 0..self.chance.within(1..=4) {
            let (name, value) = self.field(data);
            fields.insert(format!("k{n}{name}"), value);
        }
        Value::Object(fields)
    }

    /// The end of a field's name, and its value.
    fn field(&mut self, data: &Value) -> (&'static str, Value) {
        let (path, _) = self.path(data, |_| true).expect("there is always `$`");
        match self.chance.within(0..=9) {
            0..=1 => ("", self.constant()),
            2..=3 => (".$", json!(path)),
            4..=7 => (".$", json!(self.function(data, 2).unwrap_or(path))),
            8 => {
                let of_execution = ["$$.State.Name", "$$.Execution.Input", "$$.Execution.Input.inner.word"];
                (".$", json!(self.chance.of(&of_execution)))
            }
            _ => ("", json!({ "inner.$": path, "list": [1, "two"] })),
        }
    }
}
