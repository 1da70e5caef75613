//! Parallel and Map states.

use serde_json::{Value, json};

use super::choice::extend;
use super::{Around, Block, Grower, Part, Trial, output_of, try_out};

impl Grower {
    pub(super) fn parallel(&mut self, data: &Value, around: Around) -> Block {
        let (mut fields, mut effective) = self.input_path(data);
        if self.chance.one_in(3) {
            let parameters = self.template(&effective);
            let state = json!({ "Type": "Pass", "Parameters": parameters, "End": true });
            if let Some(filled) = output_of(state, &effective) {
                fields.insert("Parameters".to_owned(), parameters);
                effective = filled;
            }
        }
        let count = self.chance.within(1..=3);
        let mut inside = self.inside(count, around);
        let mut branches = Vec::new();
        for _ in 0..count {
            let Part { graph, fails } = self.part(&effective, 1..=3, inside);
            inside.may_fail &= !fails;
            branches.push(graph);
        }
        let mut state = json!({ "Type": "Parallel", "Branches": branches, "Next": "" });
        extend(&mut state, fields);
        self.finish("Parallel", state, data)
    }

    /// What grows in one of `count` branches. Where one may fail, nothing deeper grows in its siblings: moto lets them run
    /// on, and the more there is in them, the less can be told what belongs to whom.
    fn inside(&mut self, count: usize, around: Around) -> Around {
        let is_shallow = count > 1 && self.chance.one_in(2);
        let depth = if is_shallow { 0 } else { around.depth - 1 };
        Around { depth, may_fail: !around.calm && (is_shallow || count == 1), calm: around.calm }
    }

    pub(super) fn map(&mut self, data: &Value, around: Around) -> Block {
        let (mut fields, effective) = self.input_path(data);
        let is_short = |value: &Value| value.as_array().is_some_and(|items| items.len() <= 4);
        let Some((path, _)) = self.path(&effective, is_short) else { return self.pass(data) };
        fields.insert("ItemsPath".to_owned(), json!(path));
        if self.chance.one_in(2) {
            let word = self.path(&effective, |_| true).map_or("$".to_owned(), |(path, _)| path);
            let selector = json!({ "item.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index", "around.$": word, "own": 1 });
            fields.insert("ItemSelector".to_owned(), selector);
        }
        if self.chance.one_in(2) {
            fields.insert("MaxConcurrency".to_owned(), json!(self.chance.within(0..=3)));
        }
        let mut state = json!({ "Type": "Map", "End": true });
        extend(&mut state, fields);
        state["ItemProcessor"] =
            json!({ "StartAt": "Item", "States": { "Item": { "Type": "Pass", "End": true } } });
        let Some(Value::Array(items)) = output_of(state.clone(), data) else { return self.pass(data) };
        state["ItemProcessor"] = self.processor(&items, around);
        let fields = state.as_object_mut().expect("a state is an object");
        fields.remove("End");
        fields.insert("Next".to_owned(), json!(""));
        self.finish("Map", state, data)
    }

    /// A graph for items, of which it fails for one at most.
    fn processor(&mut self, items: &[Value], around: Around) -> Value {
        for _ in 0..3 {
            let sample =
                items.get(self.chance.within(0..=items.len().max(1) - 1)).cloned().unwrap_or_default();
            let Part { graph, .. } = self.iteration(&sample, around);
            let trials: Vec<Trial> = items.iter().map(|item| try_out(&graph, item)).collect();
            let failing = trials.iter().filter(|trial| matches!(trial, Trial::Fails)).count();
            let is_useless = trials.iter().any(|trial| matches!(trial, Trial::Useless));
            if !is_useless && failing <= usize::from(!around.calm) {
                return graph;
            }
        }
        let name = self.name("Item");
        json!({ "StartAt": name, "States": { name: { "Type": "Pass", "End": true } } })
    }

    /// What grows in an iteration: calm where it goes deeper.
    fn iteration(&mut self, sample: &Value, around: Around) -> Part {
        let is_deep = self.chance.one_in(3);
        let (depth, calm) = if is_deep { (around.depth - 1, true) } else { (0, around.calm) };
        self.part(sample, 1..=3, Around { depth, may_fail: !calm, calm })
    }

    fn finish(&mut self, kind: &str, mut state: Value, data: &Value) -> Block {
        if self.chance.one_in(3) {
            state["ResultSelector"] = json!({ "count.$": "States.ArrayLength($)", "all.$": "$" });
        }
        if self.chance.one_in(2) {
            state["ResultPath"] = self.result_path(data);
        }
        let mut states = vec![(self.name(kind), state)];
        self.handle(&mut states, data);
        Block(states)
    }
}
