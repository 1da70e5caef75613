//! Payload templates: `Parameters`, `ResultSelector`, `ItemSelector` and the like. Fields whose names end in `.$` are
//! computed, everything else is taken as it stands.

use serde_json::{Map, Value};

use super::error::{Report, join};
use super::intrinsics::{self, Call, Env};
use super::paths::{Path, PathSyntaxError, Reads};

/// A payload template.
#[derive(Debug, Clone)]
pub enum Template {
    /// Taken as it stands.
    Literal(Value),
    /// An object with something computed in it, by field, in order.
    Object(Vec<(String, Template)>),
    /// An array with something computed in it.
    Array(Vec<Template>),
    /// What a path selects.
    Path {
        /// The name of the field, with its `.$`, for the error.
        field: String,
        /// The path.
        path: Path,
    },
    /// What an intrinsic function returns.
    Intrinsic(Call),
}

/// Why a template could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A path leads nowhere.
    #[error(
        "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{input}'"
    )]
    NotFound {
        /// The path.
        path: String,
        /// The field it is for.
        field: String,
        /// What it was applied to.
        input: String,
    },
    /// A path that an intrinsic function is given leads nowhere.
    #[error(
        "The function '{call}' had the following error: The JsonPath argument for the field '{path}' could not be \
         found in the input '{input}'"
    )]
    ArgumentNotFound {
        /// The call as written.
        call: String,
        /// The path.
        path: String,
        /// What it was applied to.
        input: String,
    },
    /// An intrinsic function failed.
    #[error(
        "The function '{call}' had the following error: Invalid arguments in States.{function}: {reason}"
    )]
    Intrinsic {
        /// The call as written.
        call: String,
        /// The function that failed: `call`, or one inside of it.
        function: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl Template {
    /// Reads a template from a definition; faults go to `report`.
    pub(super) fn parse(value: &Value, at: &str, report: &Report) -> Option<Self> {
        match value {
            Value::Object(object) => Self::parse_object(object, at, report),
            Value::Array(items) => {
                let items: Vec<Option<Self>> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| Self::parse(item, &format!("{at}[{index}]"), report))
                    .collect();
                let items: Vec<Self> = items.into_iter().collect::<Option<_>>()?;
                Some(if items.iter().all(|item| matches!(item, Self::Literal(_))) {
                    Self::Literal(value.clone())
                } else {
                    Self::Array(items)
                })
            }
            other => Some(Self::Literal(other.clone())),
        }
    }

    fn parse_object(object: &Map<String, Value>, at: &str, report: &Report) -> Option<Self> {
        let mut fields = Some(Vec::with_capacity(object.len()));
        for (key, value) in object {
            let path = join(at, key);
            let field = match key.strip_suffix(".$") {
                Some(name) => {
                    if object.contains_key(name) {
                        report
                            .error(path.as_str(), format!("and {name} are both given; keep one of the two"));
                    }
                    Self::parse_computed(key, value, &path, report)
                        .map(|template| (name.to_owned(), template))
                }
                None => {
                    if value.as_str().is_some_and(looks_computed) {
                        report.warn(
                            path.as_str(),
                            format!("looks like a path or an intrinsic function, but is passed on as text; name it {key}.$"),
                        );
                    }
                    Self::parse(value, &path, report).map(|template| (key.clone(), template))
                }
            };
            fields = fields.zip(field).map(|(mut fields, field)| {
                fields.push(field);
                fields
            });
        }
        let fields = fields?;
        Some(if fields.iter().all(|(_, template)| matches!(template, Self::Literal(_))) {
            Self::Literal(Value::Object(object.clone()))
        } else {
            Self::Object(fields)
        })
    }

    fn parse_computed(field: &str, value: &Value, at: &str, report: &Report) -> Option<Self> {
        let Value::String(text) = value else {
            report.error(
                at,
                "has a name ending in .$, so its value has to be a path or an intrinsic function, as text",
            );
            return None;
        };
        match Self::computed(field, text) {
            Ok(template) => Some(template),
            Err(error) => {
                report.error(at, format!("{text:?} {error}"));
                None
            }
        }
    }

    /// What the text of a field ending in `.$` says: a path, or a call of an intrinsic function.
    pub(super) fn computed(field: &str, text: &str) -> Result<Self, PathSyntaxError> {
        if text.starts_with('$') {
            Ok(Self::Path { field: field.to_owned(), path: Path::parse(text)? })
        } else if text.starts_with("States.") {
            Ok(Self::Intrinsic(intrinsics::parse(text)?))
        } else {
            Err(PathSyntaxError(
                "is neither a path, which begins with $, nor an intrinsic function, which begins with States.".into(),
            ))
        }
    }

    /// What the paths in it read of the context object.
    pub fn reads(&self) -> Reads {
        match self {
            Self::Literal(_) => Reads::Nothing,
            Self::Object(fields) => {
                fields.iter().map(|(_, template)| template.reads()).max().unwrap_or_default()
            }
            Self::Array(items) => items.iter().map(Self::reads).max().unwrap_or_default(),
            Self::Path { path, .. } => path.reads(),
            Self::Intrinsic(call) => call.reads(),
        }
    }

    /// The value of the template.
    ///
    /// # Errors
    /// A path that leads nowhere, or an intrinsic function that fails.
    pub fn evaluate(&self, env: &Env<'_>) -> Result<Value, TemplateError> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, template)| Ok((name.clone(), template.evaluate(env)?)))
                    .collect::<Result<_, TemplateError>>()?,
            ),
            Self::Array(items) => {
                Value::Array(items.iter().map(|item| item.evaluate(env)).collect::<Result<_, _>>()?)
            }
            Self::Path { field, path } => match path.get(env.scope) {
                Ok(value) => value,
                // As recorded from AWS: an index behind the end of an array is null, here and only here.
                Err(error) if error.is_past_the_end() => Value::Null,
                Err(_) => {
                    return Err(TemplateError::NotFound {
                        path: path.text().to_owned(),
                        field: field.clone(),
                        input: env.scope.root(path).to_string(),
                    });
                }
            },
            Self::Intrinsic(call) => call.evaluate(env)?,
        })
    }
}

fn looks_computed(text: &str) -> bool {
    (text == "$" || text.starts_with("$.") || text.starts_with("$$.")) && Path::parse(text).is_ok()
        || text.starts_with("States.") && intrinsics::parse(text).is_ok()
}
