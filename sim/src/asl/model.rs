//! The types a definition is read into.

use std::collections::BTreeMap;

use serde_json::Value;

use super::choice::Rule;
use super::error::{DefinitionError, Report};
use super::paths::{Path, ReferencePath};
use super::template::Template;
use super::{json, parse};

/// A checked definition: every state it names exists, every path and intrinsic in it can be read.
#[derive(Debug, Clone)]
pub struct StateMachine {
    /// What runs.
    pub graph: Graph,
    /// How long an execution may take, in seconds.
    pub timeout_seconds: Option<u64>,
    warnings: Vec<DefinitionError>,
}

impl StateMachine {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// All faults that were found, in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<DefinitionError>> {
        let report = Report::default();
        let parsed = json::read(text, &report).and_then(|value| parse::state_machine(&value, &report));
        match (parsed, report.into_parts()) {
            (Some((graph, timeout_seconds)), (errors, warnings)) if errors.is_empty() => {
                Ok(Self { graph, timeout_seconds, warnings })
            }
            (_, (errors, _)) => Err(errors),
        }
    }

    /// What AWS accepts but is hardly meant, such as a path in a field whose name lacks the `.$`.
    pub fn warnings(&self) -> &[DefinitionError] {
        &self.warnings
    }

    /// A machine that is the inside of a Distributed Map.
    pub(crate) fn of_graph(graph: Graph) -> Self {
        Self { graph, timeout_seconds: None, warnings: Vec::new() }
    }

    /// The names of all states that have a script of their own: Task states, at any depth, in order of name.
    pub fn task_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.graph.for_each(&mut |name, state| {
            if matches!(state.kind, Kind::Task(_)) {
                names.push(name);
            }
        });
        names.sort_unstable();
        names
    }
}

/// States that lead to one another: the whole machine, a branch of a Parallel, or the inside of a Map.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Where it starts.
    pub start_at: String,
    /// The states by name.
    pub states: BTreeMap<String, State>,
}

impl Graph {
    fn for_each<'a>(&'a self, visit: &mut impl FnMut(&'a str, &'a State)) {
        for (name, state) in &self.states {
            visit(name, state);
            match &state.kind {
                Kind::Parallel(parallel) => {
                    parallel.branches.iter().for_each(|branch| branch.for_each(visit))
                }
                Kind::Map(map) => map.processor.for_each(visit),
                _ => {}
            }
        }
    }
}

/// A state: what it does, and how data flows through it.
#[derive(Debug, Clone)]
pub struct State {
    /// What it does.
    pub kind: Kind,
    /// Its input and output processing; fields its type does not have are at their defaults.
    pub io: Io,
}

/// The types of state.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Hands on its input, or a fixed result.
    Pass {
        /// The fixed result.
        result: Option<Value>,
        /// What follows.
        then: Transition,
    },
    /// Calls something.
    Task(Box<Task>),
    /// Goes on at the first rule that matches.
    Choice {
        /// The rules, in order, each with the state it leads to.
        rules: Vec<(Rule, String)>,
        /// Where to go when no rule matches.
        default: Option<String>,
    },
    /// Waits.
    Wait {
        /// For how long.
        wait: Wait,
        /// What follows.
        then: Transition,
    },
    /// Ends well.
    Succeed,
    /// Ends with an error.
    Fail {
        /// The error's name.
        error: Option<Text>,
        /// What a person reads.
        cause: Option<Text>,
    },
    /// Runs branches side by side.
    Parallel(Box<Parallel>),
    /// Runs the same states for each item.
    Map(Box<Map>),
}

impl Kind {
    /// The value of `Type`, with which the names of its events begin.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "Pass",
            Self::Task(_) => "Task",
            Self::Choice { .. } => "Choice",
            Self::Wait { .. } => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail { .. } => "Fail",
            Self::Parallel(_) => "Parallel",
            Self::Map(_) => "Map",
        }
    }
}

/// What follows a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Another state.
    Next(String),
    /// Nothing: the graph ends here.
    End,
}

/// Input and output processing, in the order in which it is done.
#[derive(Debug, Clone, Default)]
pub struct Io {
    /// `None` takes the input whole.
    pub input_path: Option<PathOrNull>,
    /// The shape of what is worked on.
    pub parameters: Option<Template>,
    /// The shape of what comes back.
    pub result_selector: Option<Template>,
    /// Where the result goes.
    pub result_path: ResultPath,
    /// `None` hands everything on.
    pub output_path: Option<PathOrNull>,
}

/// `InputPath` and `OutputPath`.
#[derive(Debug, Clone)]
pub enum PathOrNull {
    /// What the path selects.
    Path(Path),
    /// `null`: an empty object.
    Null,
}

/// `ResultPath`.
#[derive(Debug, Clone, Default)]
pub enum ResultPath {
    /// `$`: the result replaces the input.
    #[default]
    Replace,
    /// A place in the input.
    At(ReferencePath),
    /// `null`: the result is dropped and the input goes on.
    Discard,
}

/// A number that is given or read from the data.
#[derive(Debug, Clone)]
pub enum Count {
    /// Given.
    Fixed(u64),
    /// Read where the path leads.
    Path(Path),
}

/// A share that is given or read from the data.
#[derive(Debug, Clone)]
pub enum Percentage {
    /// Given: 0 to 100, also a fraction.
    Fixed(f64),
    /// Read where the path leads.
    Path(Path),
}

/// A text that is given, read from the data, or made by an intrinsic function.
#[derive(Debug, Clone)]
pub enum Text {
    /// Given.
    Fixed(String),
    /// Read or made.
    Computed(Template),
}

/// A Task state.
#[derive(Debug, Clone)]
pub struct Task {
    /// What it calls.
    pub resource: String,
    /// Seconds until `States.Timeout`.
    pub timeout: Option<Count>,
    /// Seconds without a heartbeat until the same.
    pub heartbeat: Option<Count>,
    /// `Credentials`, evaluated and recorded as `RoleArn` but otherwise unused.
    pub credentials: Option<Template>,
    /// What to do about errors.
    pub errors: Handlers,
    /// What follows.
    pub then: Transition,
}

/// `Retry` and `Catch`.
#[derive(Debug, Clone, Default)]
pub struct Handlers {
    /// The retriers, in order.
    pub retry: Vec<Retrier>,
    /// The catchers, in order.
    pub catch: Vec<Catcher>,
}

/// A retrier.
#[derive(Debug, Clone)]
pub struct Retrier {
    /// The names it applies to.
    pub errors: Vec<String>,
    /// Seconds before the first retry.
    pub interval_seconds: u64,
    /// How many retries; 0 for none.
    pub max_attempts: u64,
    /// By how much the interval grows with each retry.
    pub backoff_rate: f64,
    /// The longest interval, in seconds.
    pub max_delay_seconds: Option<u64>,
    /// Whether the interval is drawn from between 0 and itself (`JitterStrategy: FULL`).
    pub full_jitter: bool,
}

/// A catcher.
#[derive(Debug, Clone)]
pub struct Catcher {
    /// The names it applies to.
    pub errors: Vec<String>,
    /// Where the error output goes.
    pub result_path: ResultPath,
    /// The state it leads to.
    pub next: String,
}

/// How a Wait state knows its end.
#[derive(Debug, Clone)]
pub enum Wait {
    /// Seconds.
    Seconds(Count),
    /// A time.
    Timestamp(jiff::Timestamp),
    /// A time, as text in the data.
    TimestampPath(Path),
}

/// A Parallel state.
#[derive(Debug, Clone)]
pub struct Parallel {
    /// The branches, in order.
    pub branches: Vec<Graph>,
    /// What to do about errors.
    pub errors: Handlers,
    /// What follows.
    pub then: Transition,
}

/// A Map state.
#[derive(Debug, Clone)]
pub struct Map {
    /// The states that run for each item.
    pub processor: Graph,
    /// Where the items come from, when not from the input.
    pub reader: Option<Reader>,
    /// Where in the effective input the items are.
    pub items_path: Option<Path>,
    /// The shape of each iteration's input.
    pub item_selector: Option<Template>,
    /// How many at once; 0 for as many as possible.
    pub max_concurrency: Option<Count>,
    /// What a Distributed Map has beyond that; `None` for an inline one.
    pub distributed: Option<Distributed>,
    /// What to do about errors.
    pub errors: Handlers,
    /// What follows.
    pub then: Transition,
}

/// What only a Distributed Map has.
#[derive(Debug, Clone, Default)]
pub struct Distributed {
    /// Whether the children are express executions.
    pub express: bool,
    /// The name of the Map Run in ARNs.
    pub label: Option<String>,
    /// How many items may fail.
    pub tolerated_count: Option<Count>,
    /// How many in a hundred may fail.
    pub tolerated_percentage: Option<Percentage>,
    /// How items are put together.
    pub batcher: Option<Batcher>,
    /// What becomes of the results.
    pub writer: Option<Writer>,
}

/// An `ItemReader`.
#[derive(Debug, Clone)]
pub struct Reader {
    /// What is read.
    pub source: Source,
    /// Bucket and key, or bucket and prefix.
    pub parameters: Template,
    /// Where in the object the items are (`ItemsPointer`).
    pub pointer: Option<String>,
    /// No more items than this; 0 for all.
    pub max_items: Option<Count>,
}

/// What an `ItemReader` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An object that holds a JSON array.
    Json,
    /// An object with one JSON value a line.
    JsonLines,
    /// An object with delimited values.
    Csv {
        /// The delimiter.
        delimiter: u8,
        /// The names of the columns; `None` if the first line has them.
        headers: Option<Vec<String>>,
    },
    /// The list of objects under a prefix.
    Objects,
}

/// A `ResultWriter`.
#[derive(Debug, Clone)]
pub struct Writer {
    /// Bucket and prefix of an export; `None` hands the results on.
    pub destination: Option<Template>,
    /// The shape of the results.
    pub transformation: Transformation,
}

/// `WriterConfig.Transformation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transformation {
    /// What describes each child, with its output.
    None,
    /// The output of each child.
    Compact,
    /// The same, with arrays put into one.
    Flatten,
}

/// An `ItemBatcher`.
#[derive(Debug, Clone)]
pub struct Batcher {
    /// Added to each batch.
    pub input: Option<Template>,
    /// No more items in a batch than this.
    pub max_items: Option<Count>,
    /// No more bytes in a batch than this.
    pub max_bytes: Option<Count>,
}
