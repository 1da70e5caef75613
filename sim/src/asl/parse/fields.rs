//! Reading the fields of one object, and remembering which were asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::asl::error::{Report, join};
use crate::asl::model::{Count, PathOrNull, ResultPath};
use crate::asl::paths::{Path, PathSyntaxError, ReferencePath};
use crate::asl::template::Template;

/// Fields of the JSONata query language, or of workflow variables, which this engine does not run.
const NOT_JSONPATH: &[(&str, &str)] = &[
    ("Arguments", "JSONata; in JSONPath it is Parameters"),
    ("Output", "JSONata; in JSONPath it is ResultSelector, ResultPath and OutputPath"),
    ("Condition", "JSONata; in JSONPath it is Variable with a comparison operator"),
    ("Items", "JSONata; in JSONPath it is ItemsPath"),
    ("Assign", "workflow variables, which this engine does not run; pass the value on in the data"),
];

/// The fields of an object, at a place in the definition.
pub(super) struct Fields<'a> {
    pub(super) at: String,
    object: &'a Map<String, Value>,
    pub(super) report: &'a Report,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Fields<'a> {
    /// The fields of `value`, which has to be an object.
    pub(super) fn of(value: &'a Value, at: impl Into<String>, report: &'a Report) -> Option<Self> {
        let at = at.into();
        match value {
            Value::Object(object) => Some(Self { at, object, report, known: RefCell::default() }),
            other => {
                report.error(at, format!("has to be an object, not {}", kind(other)));
                None
            }
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        join(&self.at, name)
    }

    pub(super) fn error(&self, name: &str, message: impl Into<String>) {
        self.report.error(self.path(name), message);
    }

    /// Something about the object itself.
    pub(super) fn error_here(&self, message: impl Into<String>) {
        self.report.error(self.at.clone(), message);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    pub(super) fn get(&self, name: &'static str) -> Option<&'a Value> {
        self.known.borrow_mut().insert(name);
        self.object.get(name)
    }

    /// Reports every field that was not asked for. `what` is what the object is, for the message.
    pub(super) fn finish(self, what: &str) {
        let known = self.known.borrow();
        for key in self.object.keys().filter(|key| !known.contains(key.as_str())) {
            if let Some((_, why)) = NOT_JSONPATH.iter().find(|(name, _)| name == key) {
                self.error(key, format!("belongs to {why}"));
                continue;
            }
            let names: Vec<_> = known.iter().copied().collect();
            self.error(key, format!("is not a field of {what}; the fields are {}", names.join(", ")));
        }
    }

    /// `Comment` and the like: text that does nothing.
    pub(super) fn comment(&self) {
        self.text("Comment");
    }

    pub(super) fn text(&self, name: &'static str) -> Option<&'a str> {
        match self.get(name)? {
            Value::String(text) => Some(text),
            other => {
                self.error(name, format!("has to be a text, not {}", kind(other)));
                None
            }
        }
    }

    pub(super) fn required_text(&self, name: &'static str) -> Option<&'a str> {
        if !self.has(name) {
            self.get(name);
            self.error(name, "is missing");
            return None;
        }
        match self.text(name)? {
            "" => {
                self.error(name, "must not be empty");
                None
            }
            text => Some(text),
        }
    }

    pub(super) fn flag(&self, name: &'static str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(flag) => Some(*flag),
            other => {
                self.error(name, format!("has to be true or false, not {}", kind(other)));
                None
            }
        }
    }

    pub(super) fn array(&self, name: &'static str) -> Option<&'a Vec<Value>> {
        match self.get(name)? {
            Value::Array(items) => Some(items),
            other => {
                self.error(name, format!("has to be an array, not {}", kind(other)));
                None
            }
        }
    }

    /// An integer of at least `least` and at most `most`.
    pub(super) fn integer(&self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        let value = self.get(name)?;
        match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.error(
                    name,
                    format!("has to be an integer between {least} and {most}, not {}", kind(value)),
                );
                None
            }
        }
    }

    /// `name` or `namePath`, of which only one may be given.
    pub(super) fn count(
        &self,
        name: &'static str,
        path: &'static str,
        least: u64,
        most: u64,
    ) -> Option<Count> {
        let fixed = self.integer(name, least, most).map(Count::Fixed);
        let read = self.data_path(path).map(Count::Path);
        if self.has(name) && self.has(path) {
            self.error(name, format!("and {path} exclude each other; keep one of the two"));
        }
        fixed.or(read)
    }

    /// A path.
    pub(super) fn data_path(&self, name: &'static str) -> Option<Path> {
        let text = self.text(name)?;
        self.parsed(name, text, Path::parse(text))
    }

    /// `InputPath`, `OutputPath`.
    pub(super) fn path_or_null(&self, name: &'static str) -> Option<PathOrNull> {
        match self.get(name)? {
            Value::Null => Some(PathOrNull::Null),
            Value::String(_) => self.data_path(name).map(PathOrNull::Path),
            other => {
                self.error(name, format!("has to be a path or null, not {}", kind(other)));
                None
            }
        }
    }

    /// `ResultPath`.
    pub(super) fn result_path(&self) -> ResultPath {
        match self.get("ResultPath") {
            None => ResultPath::Replace,
            Some(Value::Null) => ResultPath::Discard,
            Some(Value::String(text)) if text == "$" => ResultPath::Replace,
            Some(Value::String(text)) => self
                .parsed("ResultPath", text, ReferencePath::parse(text))
                .map_or(ResultPath::Replace, ResultPath::At),
            Some(other) => {
                self.error("ResultPath", format!("has to be a reference path or null, not {}", kind(other)));
                ResultPath::Replace
            }
        }
    }

    pub(super) fn parsed<T>(&self, name: &str, text: &str, outcome: Result<T, PathSyntaxError>) -> Option<T> {
        outcome.map_err(|error| self.error(name, format!("{text:?} {error}"))).ok()
    }

    /// A payload template, which has to be an object.
    pub(super) fn template(&self, name: &'static str) -> Option<Template> {
        match self.get(name)? {
            value @ Value::Object(_) => Template::parse(value, &self.path(name), self.report),
            other => {
                self.error(name, format!("has to be an object (a payload template), not {}", kind(other)));
                None
            }
        }
    }
}

/// What a value is, for messages.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.chars().count() <= 40 => format!("{text:?}"),
        Value::String(_) => "a text".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}
