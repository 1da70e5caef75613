//! State machines that grow from a seed, state by state.
//!
//! What grows is tried on the engine at once: so the data at each state is known, and its paths lead somewhere most of
//! the time. That the engine may be wrong about it does no harm, since moto is asked in the end. Thrown away is what ends
//! in an error of Step Functions itself (see [`faults`](crate::faults)).
//!
//! Of the branches of a Parallel and of the iterations of a Map at most one fails: which of two failed first would be a
//! matter of time. For that, what grows inside an iteration is `calm`: no failure in it depends on the item, but in the
//! iteration itself.

mod blocks;
mod chance;
mod choice;
mod composite;
mod functions;
mod template;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::engine;
use crate::run::Run;
use chance::Chance;

/// A state machine with an input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) definition: Value,
    pub(crate) input: Value,
}

impl Machine {
    /// The machine of a seed: always the same.
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut grower = Grower { chance: Chance::new(seed), named: 0 };
        let input = grower.input();
        let around = Around { depth: 2, may_fail: true, calm: false };
        let definition = grower.part(&input, 2..=6, around).graph;
        Self { name: format!("machine-{seed}"), definition, input }
    }
}

/// What something grows in.
#[derive(Clone, Copy)]
struct Around {
    /// How many Parallels and Maps may still be inside each other.
    depth: usize,
    /// Whether it may end in an error.
    may_fail: bool,
    /// Whether nothing in it may fail at all.
    calm: bool,
}

/// A graph that has grown.
struct Part {
    graph: Value,
    /// Whether it ends in an error, with the input it has grown for.
    fails: bool,
}

/// States that belong together, the first one first. One that leads on has an empty `Next`.
struct Block(Vec<(String, Value)>);

struct Grower {
    chance: Chance,
    named: usize,
}

/// What a graph comes to.
enum Trial {
    Output(Value),
    Fails,
    /// Not what we want to know.
    Useless,
}

fn run(graph: &Value, input: &Value) -> Run {
    engine::run(&Machine { name: "trial".to_owned(), definition: graph.clone(), input: input.clone() })
}

fn try_out(graph: &Value, input: &Value) -> Trial {
    let run = run(graph, input);
    match (run.output, run.error) {
        (Some(output), _) => Trial::Output(output),
        (None, Some(error)) if !error.starts_with("States.") => Trial::Fails,
        _ => Trial::Useless,
    }
}

/// What a single state makes of an input.
fn output_of(state: Value, input: &Value) -> Option<Value> {
    match try_out(&json!({ "StartAt": "Only", "States": { "Only": state } }), input) {
        Trial::Output(output) => Some(output),
        Trial::Fails | Trial::Useless => None,
    }
}

/// The blocks as one graph, each leading on to the next.
fn graph(blocks: &[&Block]) -> Value {
    let mut states = Map::new();
    for (n, Block(block)) in blocks.iter().enumerate() {
        for (name, state) in block {
            let mut state = state.clone();
            if state["Next"] == "" {
                let fields = state.as_object_mut().unwrap();
                match blocks.get(n + 1) {
                    Some(Block(next)) => fields.insert("Next".to_owned(), json!(next[0].0)),
                    None => fields.remove("Next").and(fields.insert("End".to_owned(), json!(true))),
                };
            }
            states.insert(name.clone(), state);
        }
    }
    json!({ "StartAt": blocks[0].0[0].0, "States": states })
}

impl Grower {
    /// A name that no other state has.
    fn name(&mut self, of: &str) -> String {
        self.named += 1;
        format!("{of}{}", self.named)
    }

    /// A graph of some blocks for an input.
    fn part(&mut self, input: &Value, blocks: std::ops::RangeInclusive<usize>, around: Around) -> Part {
        let mut grown: Vec<Block> = Vec::new();
        let mut data = input.clone();
        for _ in 0..self.chance.within(blocks) {
            let Some((block, trial)) = self.next_block(&grown, input, &data, around) else { continue };
            grown.push(block);
            match trial {
                Trial::Output(output) => data = output,
                Trial::Fails | Trial::Useless => {
                    return Part { graph: graph(&grown.iter().collect::<Vec<_>>()), fails: true };
                }
            }
        }
        if grown.is_empty() || self.chance.one_in(6) {
            grown.push(self.end());
        }
        Part { graph: graph(&grown.iter().collect::<Vec<_>>()), fails: false }
    }

    /// Another block, after those there are, that comes to something.
    fn next_block(
        &mut self,
        grown: &[Block],
        input: &Value,
        data: &Value,
        around: Around,
    ) -> Option<(Block, Trial)> {
        for _ in 0..5 {
            let block = self.block(data, around);
            let with =
                |block: &Block| try_out(&graph(&grown.iter().chain([block]).collect::<Vec<_>>()), input);
            match with(&block) {
                Trial::Output(output) => {
                    if let Some(narrowed) = self.narrow(&block, &output)
                        && let Trial::Output(output) = with(&narrowed)
                    {
                        return Some((narrowed, Trial::Output(output)));
                    }
                    return Some((block, Trial::Output(output)));
                }
                Trial::Fails if around.may_fail => return Some((block, Trial::Fails)),
                Trial::Fails | Trial::Useless => {}
            }
        }
        None
    }

    /// The same block with an `OutputPath` in its first state, now and then.
    fn narrow(&mut self, block: &Block, output: &Value) -> Option<Block> {
        if block.0[0].1["Type"] == "Fail" || !self.chance.one_in(5) {
            return None;
        }
        let path = match self.chance.within(0..=7) {
            0 => Value::Null,
            1 => json!("$"),
            // Mostly something to go on with.
            2..=6 => json!(self.path(output, Value::is_object)?.0),
            _ => json!(self.path(output, |_| true)?.0),
        };
        let mut states = block.0.clone();
        states[0].1["OutputPath"] = path;
        Some(Block(states))
    }
}
