//! Input and output processing.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Value, json};

use super::context::Entered;
use super::failure::Failure;
use crate::asl::model::{Io, PathOrNull, ResultPath, Text};
use crate::asl::paths::Path;
use crate::asl::template::{Template, TemplateError};

impl Entered<'_> {
    /// `InputPath` or `OutputPath` applied to `data`.
    pub(super) fn select<'v>(
        &self,
        path: Option<&PathOrNull>,
        data: &'v Value,
    ) -> Result<Cow<'v, Value>, Failure> {
        match path {
            None => Ok(Cow::Borrowed(data)),
            Some(PathOrNull::Null) => Ok(Cow::Owned(json!({}))),
            Some(PathOrNull::Path(path)) => self.read(path, data).map(Cow::Owned),
        }
    }

    /// What `path` selects from `data`.
    pub(super) fn read(&self, path: &Path, data: &Value) -> Result<Value, Failure> {
        self.with_env(data, path.reads(), |env| path.get(env.scope))
            .map_err(|error| self.broken(format_args!("Invalid path '{}' : {error}", path.text())))
    }

    /// A template filled from `data`; `data` itself without one.
    pub(super) fn fill(&self, template: Option<&Template>, data: Cow<'_, Value>) -> Result<Value, Failure> {
        let Some(template) = template else { return Ok(data.into_owned()) };
        if let Template::Literal(value) = template {
            return Ok(value.clone());
        }
        self.with_env(&data, template.reads(), |env| template.evaluate(env)).map_err(|error| {
            let name = match error {
                TemplateError::NotFound { .. } | TemplateError::ArgumentNotFound { .. } => "States.Runtime",
                TemplateError::Intrinsic { .. } => "States.IntrinsicFailure",
            };
            self.failure(name, error)
        })
    }

    /// `ResultPath`: `result` put into the raw `input` of the state.
    pub(super) fn place(
        &self,
        path: &ResultPath,
        input: &Rc<Value>,
        result: Value,
    ) -> Result<Rc<Value>, Failure> {
        match path {
            ResultPath::Replace => Ok(Rc::new(result)),
            ResultPath::Discard => Ok(Rc::clone(input)),
            ResultPath::At(path) => path.put(Value::clone(input), result).map(Rc::new).map_err(|_| {
                self.failure(
                    "States.ResultPathMatchFailure",
                    format_args!("Unable to apply ReferencePath {} to input {input}", path.text()),
                )
            }),
        }
    }

    /// `ResultSelector`, `ResultPath` and `OutputPath`: from a raw result to the output of the state.
    pub(super) fn finish(&self, io: &Io, input: &Rc<Value>, result: Value) -> Result<Rc<Value>, Failure> {
        let result = self.fill(io.result_selector.as_ref(), Cow::Owned(result))?;
        let output = self.place(&io.result_path, input, result)?;
        Ok(shared(self.select(io.output_path.as_ref(), &output)?, &output))
    }

    /// `Error` or `Cause` of a Fail state, or the text their path leads to.
    pub(super) fn text(&self, text: Option<&Text>, data: &Value) -> Result<Option<String>, Failure> {
        match text {
            None => Ok(None),
            Some(Text::Fixed(text)) => Ok(Some(text.clone())),
            Some(Text::Computed(template)) => match self.fill(Some(template), Cow::Borrowed(data))? {
                Value::String(text) => Ok(Some(text)),
                other => Err(self.broken(format_args!("The value has to be a text, but is {other}"))),
            },
        }
    }
}

/// What was selected of `whole`: itself, where it was all of it.
pub(super) fn shared(selected: Cow<'_, Value>, whole: &Rc<Value>) -> Rc<Value> {
    match selected {
        Cow::Borrowed(value) if std::ptr::eq(value, &raw const **whole) => Rc::clone(whole),
        selected => Rc::new(selected.into_owned()),
    }
}
