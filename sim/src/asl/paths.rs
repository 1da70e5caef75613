//! Paths: what `$.a.b`, `$.items[*].id` and `$$.Execution.Name` select.
//!
//! AWS evaluates paths with Jayway JsonPath. Where that differs from RFC 9535, this module follows Jayway:
//! - a *definite* path (names and indexes only) gives the one value, and is an error when there is none;
//! - any other path gives an array, which may be empty; but the definite part it begins with has to be there;
//! - names after a dot may contain anything but `.`, `[`, `(`, `)`, `*`, `,`, quotes and blanks, so `$.my-key` is fine;
//! - a function such as `length()` may come last, and filters may use `in`, `nin` and `=~`.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

mod jayway;
mod tokens;

use tokens::Token;

/// A path that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PathSyntaxError(pub String);

/// A path led nowhere. The message is Jayway's, which AWS quotes in its causes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathNotFound {
    message: String,
    past_the_end: bool,
}

impl PathNotFound {
    fn new(message: String) -> Self {
        Self { message, past_the_end: false }
    }

    /// Whether it asked for an element of an array that has fewer, as the last thing it asked for.
    pub fn is_past_the_end(&self) -> bool {
        self.past_the_end
    }
}

/// What paths are applied to: a state's data (`$`) and the context object (`$$`).
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The root of `$`.
    pub data: &'a Value,
    /// The root of `$$`.
    pub context: &'a Value,
}

impl<'a> Scope<'a> {
    /// What `path` is applied to.
    pub fn root(&self, path: &Path) -> &'a Value {
        if path.of_context { self.context } else { self.data }
    }
}

/// What is read of the context object, which is made only when it is read. It holds a copy of the execution's input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// Nothing of it.
    #[default]
    Nothing,
    /// Names and times that are always in it; the execution's input is not needed, not even to say what is there instead.
    Plain,
    /// Anything.
    All,
}

/// A step that leads to at most one value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    /// Negative counts from the end.
    Index(i64),
}

/// A path into a state's data (`$...`) or into the context object (`$$...`).
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    text: String,
    of_context: bool,
    steps: Vec<Step>,
    /// The path as a whole, if some step may select several values; `steps` has those before it.
    all: Option<Box<JsonPath>>,
    /// What is made of that in the end.
    function: Option<jayway::Function>,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// Text that does not begin with `$`, or that is not a JSONPath.
    pub fn parse(text: &str) -> Result<Self, PathSyntaxError> {
        let body = text.strip_prefix('$').ok_or_else(|| PathSyntaxError("a path begins with $".into()))?;
        let (of_context, body) = body.strip_prefix('$').map_or((false, body), |body| (true, body));
        let tokens = tokens::tokenize(body)?;
        let mut steps = Vec::new();
        // The whole path, because a filter may refer to the root.
        let mut query = String::from("$");
        let mut is_definite = true;
        let mut function = None;
        for token in tokens {
            token.write_rfc(&mut query);
            match token {
                Token::Function(last) => function = Some(last),
                Token::Name(name) if is_definite => steps.push(Step::Name(name)),
                Token::Index(index) if is_definite => steps.push(Step::Index(index)),
                _ => is_definite = false,
            }
        }
        let all = if is_definite {
            None
        } else {
            let parsed = JsonPath::parse(&query)
                .map_err(|error| PathSyntaxError(format!("is not a JSONPath: {}", error.message())))?;
            Some(Box::new(parsed))
        };
        Ok(Self { text: text.to_owned(), of_context, steps, all, function })
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it reads of the context object.
    pub fn reads(&self) -> Reads {
        if !self.of_context {
            return Reads::Nothing;
        }
        let [Step::Name(of), Step::Name(what)] = self.steps.as_slice() else { return Reads::All };
        match (of.as_str(), what.as_str()) {
            // A filter may refer to the root.
            _ if self.all.is_some() => Reads::All,
            ("Execution", "Id" | "Name" | "RoleArn" | "StartTime" | "RedriveCount")
            | ("StateMachine", "Id" | "Name")
            | ("State", "Name" | "EnteredTime") => Reads::Plain,
            _ => Reads::All,
        }
    }

    /// Whether it selects at most one value.
    pub fn is_definite(&self) -> bool {
        self.all.is_none() || self.function.is_some()
    }

    /// What the path selects: the value of a definite path, an array of values otherwise.
    ///
    /// # Errors
    /// [`PathNotFound`] when a definite path, or the definite part of another, leads nowhere.
    pub fn get(&self, scope: Scope<'_>) -> Result<Value, PathNotFound> {
        let root = scope.root(self);
        let node = self.walk(root)?;
        let selected = match &self.all {
            None => Cow::Borrowed(node),
            Some(query) => {
                Cow::Owned(Value::Array(query.query(root).iter().map(|node| (*node).clone()).collect()))
            }
        };
        Ok(match &self.function {
            None => selected.into_owned(),
            Some(function) => function.apply(&selected, self.all.is_some()),
        })
    }

    fn walk<'a>(&self, root: &'a Value) -> Result<&'a Value, PathNotFound> {
        let mut node = root;
        for (depth, step) in self.steps.iter().enumerate() {
            node = step.get(node).ok_or_else(|| self.not_found(node, depth))?;
        }
        Ok(node)
    }

    fn not_found(&self, node: &Value, depth: usize) -> PathNotFound {
        let is_last = depth + 1 == self.steps.len() && self.all.is_none() && self.function.is_none();
        let upto = Steps(&self.steps[..=depth]);
        let past_the_end = is_last && matches!((&self.steps[depth], node), (Step::Index(_), Value::Array(_)));
        let message = match (&self.steps[depth], node) {
            (Step::Name(_), Value::Object(_)) if is_last => format!("No results for path: {upto}"),
            (Step::Name(_), Value::Object(_)) => format!("Missing property in path {upto}"),
            (Step::Name(name), other) => format!(
                "Expected to find an object with property ['{name}'] in path {} but found '{}'. This is not a json \
                 object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.",
                Steps(&self.steps[..depth]),
                jackson_name(other),
            ),
            (Step::Index(_), _) => format!("No results for path: {upto}"),
        };
        PathNotFound { message, past_the_end }
    }
}

impl Step {
    fn get<'a>(&self, node: &'a Value) -> Option<&'a Value> {
        match (self, node) {
            (Self::Name(name), Value::Object(object)) => object.get(name),
            (Self::Index(index), Value::Array(items)) => items.get(position(*index, items.len())?),
            _ => None,
        }
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

fn jackson_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "com.fasterxml.jackson.databind.node.BooleanNode",
        Value::Number(number) if number.is_f64() => "com.fasterxml.jackson.databind.node.DoubleNode",
        Value::Number(_) => "com.fasterxml.jackson.databind.node.IntNode",
        Value::String(_) => "com.fasterxml.jackson.databind.node.TextNode",
        Value::Array(_) => "com.fasterxml.jackson.databind.node.ArrayNode",
        Value::Object(_) => "com.fasterxml.jackson.databind.node.ObjectNode",
    }
}

struct Steps<'a>(&'a [Step]);

impl fmt::Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in self.0 {
            match step {
                Step::Name(name) => write!(f, "['{name}']")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A path to one place, at which a value can be put: what `ResultPath` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencePath {
    text: String,
    steps: Vec<Step>,
}

impl ReferencePath {
    /// Reads a reference path: a path into the data (not the context), with names and non-negative indexes only.
    ///
    /// # Errors
    /// Text that is no path, or one that can select more than one place.
    pub fn parse(text: &str) -> Result<Self, PathSyntaxError> {
        let path = Path::parse(text)?;
        if path.of_context {
            return Err(PathSyntaxError(
                "has to be a place in the data: the context object ($$) cannot be written".into(),
            ));
        }
        if path.all.is_some()
            || path.function.is_some()
            || path.steps.iter().any(|step| matches!(step, Step::Index(index) if *index < 0))
        {
            return Err(PathSyntaxError(
                "has to be a reference path, which names one place: no wildcards, slices, filters, functions, .. or \
                 negative indexes"
                    .into(),
            ));
        }
        Ok(Self { text: path.text, steps: path.steps })
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `target` with `value` at this path; objects are made on the way where nothing is.
    ///
    /// # Errors
    /// The path leads through something that is neither an object nor nothing, or to an array element that is not
    /// there (`States.ResultPathMatchFailure`).
    pub fn put(&self, mut target: Value, value: Value) -> Result<Value, PathNotFound> {
        let mut node = &mut target;
        for step in &self.steps {
            node = match (step, node) {
                (Step::Name(name), Value::Object(object)) => {
                    object.entry(name.as_str()).or_insert_with(|| Value::Object(Map::new()))
                }
                (Step::Index(index), Value::Array(items)) => usize::try_from(*index)
                    .ok()
                    .and_then(|index| items.get_mut(index))
                    .ok_or_else(|| PathNotFound::new(self.text.clone()))?,
                _ => return Err(PathNotFound::new(self.text.clone())),
            };
        }
        *node = value;
        Ok(target)
    }
}
