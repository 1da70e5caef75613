//! Reading a value field by field, noting every mistake instead of stopping at the first.
//!
//! serde stops at the first error and knows one source; a policy has up to three (itself, its file's defaults, the
//! built-in ones) and its author wants to hear of all mistakes at once.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use super::document::field;
use crate::suggest::closest;

/// One mistake in a policy file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PolicyIssue {
    /// Where: a path such as `policies[2].schedule.expression`; empty for the whole file.
    pub at: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl PolicyIssue {
    pub(super) fn new(at: &str, message: impl Into<String>) -> Self {
        Self { at: at.to_owned(), message: message.into() }
    }
}

impl fmt::Display for PolicyIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.at, self.message)
        }
    }
}

/// Every mistake in a policy file, one a line; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyErrors(pub Vec<PolicyIssue>);

/// The mistakes found so far.
pub(super) type Issues = RefCell<Vec<PolicyIssue>>;

/// Where a value stands in a source. It is put into words only when there is a mistake to note: a policy is read with every
/// state's input.
#[derive(Clone)]
enum Place<'a> {
    Root(&'a str),
    Field(Rc<Place<'a>>, &'a str),
    Item(Rc<Place<'a>>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(path) => f.write_str(path),
            Self::Field(object, name) => f.write_str(&field(&object.to_string(), name)),
            Self::Item(array, index) => write!(f, "{array}[{index}]"),
        }
    }
}

/// What one source says of a value, and where it says so; the built-in defaults stand nowhere.
#[derive(Clone)]
struct Layer<'a> {
    value: &'a Value,
    place: Option<Rc<Place<'a>>>,
}

/// A value as its sources give it, the most particular first. Objects are the union of the sources'; anything else is
/// the first one's.
#[derive(Clone)]
pub(super) struct Node<'a> {
    layers: Vec<Layer<'a>>,
    /// Where it stands in the most particular source, or would stand.
    place: Rc<Place<'a>>,
    issues: &'a Issues,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Value, path: &'a str, issues: &'a Issues) -> Self {
        Self::at(value, Rc::new(Place::Root(path)), issues)
    }

    fn at(value: &'a Value, place: Rc<Place<'a>>, issues: &'a Issues) -> Self {
        Self { layers: vec![Layer { value, place: Some(Rc::clone(&place)) }], place, issues }
    }

    /// The same with the file's defaults, which stand at `path`, for what it does not say.
    pub(super) fn or(mut self, value: &'a Value, path: &'a str) -> Self {
        self.layers.push(Layer { value, place: Some(Rc::new(Place::Root(path))) });
        self
    }

    /// The same with the built-in defaults for what no source says.
    pub(super) fn or_built_in(mut self, value: &'a Value) -> Self {
        self.layers.push(Layer { value, place: None });
        self
    }

    fn value(&self) -> &'a Value {
        self.layers.first().map_or(&Value::Null, |layer| layer.value)
    }

    /// Where the value stands that counts.
    fn place(&self) -> &Rc<Place<'a>> {
        self.layers.first().and_then(|layer| layer.place.as_ref()).unwrap_or(&self.place)
    }

    /// The same in words.
    pub(super) fn path(&self) -> String {
        self.place().to_string()
    }

    /// Whether a source says it, and not only the built-in defaults.
    pub(super) fn is_given(&self) -> bool {
        self.layers.iter().any(|layer| layer.place.is_some())
    }

    /// Notes a mistake here, once.
    pub(super) fn wrong(&self, message: impl Into<String>) {
        let issue = PolicyIssue::new(&self.path(), message);
        let mut issues = self.issues.borrow_mut();
        if !issues.contains(&issue) {
            issues.push(issue);
        }
    }

    /// Notes that this is of the wrong type.
    fn expected<T>(&self, what: &str) -> Option<T> {
        let value = self.value();
        let found = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
            Value::String(text) => format!("the text `{text}`"),
            Value::Array(_) => "an array".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        };
        self.wrong(format!("this is {found}, but it takes {what}"));
        None
    }

    /// An object with no other keys than `known`.
    pub(super) fn object(self, known: &[&str]) -> Option<Object<'a>> {
        let object = self.map("an object")?;
        for layer in &object.0.layers {
            let Some(place) = &layer.place else { continue };
            let keys = layer.value.as_object().into_iter().flat_map(|fields| fields.keys());
            for key in keys.filter(|key| !known.contains(&key.as_str())) {
                let hint = match closest(key, known.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("it takes {}", list(known)),
                };
                let place = Rc::new(Place::Field(Rc::clone(place), key));
                Node::at(&Value::Null, place, object.0.issues)
                    .wrong(format!("there is no field `{key}` here; {hint}"));
            }
        }
        Some(object)
    }

    /// An object with any keys.
    pub(super) fn map(mut self, what: &str) -> Option<Object<'a>> {
        if !self.value().is_object() {
            return self.expected(what);
        }
        self.layers.retain(|layer| layer.value.is_object());
        Some(Object(self))
    }

    /// The items of an array.
    pub(super) fn items(&self, what: &str) -> Option<Vec<Node<'a>>> {
        let Some(items) = self.value().as_array() else {
            return self.expected(what);
        };
        let place = |index| Rc::new(Place::Item(Rc::clone(self.place()), index));
        let node = |(index, value)| Node::at(value, place(index), self.issues);
        Some(items.iter().enumerate().map(node).collect())
    }

    /// A text.
    pub(super) fn text(&self, what: &str) -> Option<&'a str> {
        match self.value().as_str() {
            Some(text) => Some(text),
            None => self.expected(what),
        }
    }

    /// A text that says a `T`.
    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(&self, what: &str) -> Option<T> {
        self.text(what)?.parse().map_err(|error: T::Err| self.wrong(error.to_string())).ok()
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value().as_bool() {
            Some(value) => Some(value),
            None => self.expected("`true` or `false`"),
        }
    }

    /// A whole number from `min` on.
    pub(super) fn number(&self, min: u32, what: &str) -> Option<u32> {
        match self.value().as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n >= min) {
            Some(value) => Some(value),
            None => self.expected(what),
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let names = || list(&words.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let Some(text) = self.as_str() else {
            return self.expected(&format!("one of {}", names()));
        };
        let found = words.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            self.wrong(format!("`{text}` is none of {}", names()));
        }
        found
    }

    /// The text, if it is one.
    pub(super) fn as_str(&self) -> Option<&'a str> {
        self.value().as_str()
    }
}

/// An object of one or more sources.
pub(super) struct Object<'a>(Node<'a>);

impl<'a> Object<'a> {
    /// The object as a node, to note a mistake of the whole.
    pub(super) fn node(&self) -> &Node<'a> {
        &self.0
    }

    /// The field `name`, if a source has it. `null` hides what the file's defaults say of it.
    pub(super) fn get(&self, name: &'a str) -> Option<Node<'a>> {
        let mut layers: Vec<Layer<'a>> = Vec::new();
        let mut hidden = false;
        for layer in &self.0.layers {
            match layer.value.get(name) {
                None => {}
                Some(_) if hidden && layer.place.is_some() => {}
                Some(Value::Null) => hidden = true,
                Some(value) => {
                    let place = |object: &Rc<Place<'a>>| Rc::new(Place::Field(Rc::clone(object), name));
                    layers.push(Layer { value, place: layer.place.as_ref().map(place) });
                }
            }
        }
        let place = Rc::new(Place::Field(Rc::clone(&self.0.place), name));
        (!layers.is_empty()).then_some(Node { layers, place, issues: self.0.issues })
    }

    /// The field `name`, which must be there.
    pub(super) fn need(&self, name: &'a str, what: &str) -> Option<Node<'a>> {
        let found = self.get(name);
        if found.is_none() {
            self.0.wrong(format!("`{name}` is missing; it takes {what}"));
        }
        found
    }

    /// All fields, each with its name.
    pub(super) fn fields(&self) -> Vec<(String, Node<'a>)> {
        let mut names: Vec<&'a String> = Vec::new();
        for key in self.0.layers.iter().filter_map(|layer| layer.value.as_object()).flat_map(|map| map.keys())
        {
            if !names.contains(&key) {
                names.push(key);
            }
        }
        names.into_iter().filter_map(|name| Some((name.clone(), self.get(name)?))).collect()
    }
}

/// "`a`, `b` or `c`".
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
