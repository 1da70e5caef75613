//! The rules of a Choice state.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::paths::{Path, Reads, Scope};

/// A rule: one comparison, or a combination of rules.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// All of them.
    And(Vec<Rule>),
    /// One of them.
    Or(Vec<Rule>),
    /// Not this.
    Not(Box<Rule>),
    /// A test of the value at a path.
    Test {
        /// `Variable`.
        variable: Path,
        /// The operator and its operand.
        test: Test,
    },
}

/// A comparison operator with its operand.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `StringEquals` to `TimestampGreaterThanEquals`.
    Compare(Comparison, Constant),
    /// The same with `Path` at the end.
    CompareWith(Comparison, Type, Path),
    /// `StringMatches`.
    Matches(Pattern),
    /// `IsNull` to `IsTimestamp`.
    Is(Property, bool),
}

/// How two values of one type compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `Equals`
    Equal,
    /// `LessThan`
    Less,
    /// `LessThanEquals`
    LessOrEqual,
    /// `GreaterThan`
    Greater,
    /// `GreaterThanEquals`
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What an operator compares. Values of another type never match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text, by its UTF-16 code units, as Java does.
    String,
    /// Numbers.
    Numeric,
    /// `true` and `false`, for equality only.
    Boolean,
    /// Text that is a time.
    Timestamp,
}

/// A value of a type that operators compare.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Text.
    String(String),
    /// A number.
    Numeric(Number),
    /// `true` or `false`.
    Boolean(bool),
    /// A time.
    Timestamp(Timestamp),
}

impl Constant {
    /// `value` as a `kind`; `None` if it is none.
    pub fn of(kind: Type, value: &Value) -> Option<Self> {
        Some(match (kind, value) {
            (Type::String, Value::String(text)) => Self::String(text.clone()),
            (Type::Numeric, Value::Number(number)) => Self::Numeric(number.clone()),
            (Type::Boolean, Value::Bool(flag)) => Self::Boolean(*flag),
            (Type::Timestamp, Value::String(text)) => Self::Timestamp(timestamp(text)?),
            _ => return None,
        })
    }

    /// How `value` compares to this; `None` if it is of another type.
    fn compare(&self, value: &Value) -> Option<Ordering> {
        match (self, value) {
            (Self::String(own), Value::String(text)) => Some(text.encode_utf16().cmp(own.encode_utf16())),
            (Self::Numeric(own), Value::Number(number)) => match (number.as_i64(), own.as_i64()) {
                (Some(number), Some(own)) => Some(number.cmp(&own)),
                _ => number.as_f64()?.partial_cmp(&own.as_f64()?),
            },
            (Self::Boolean(own), Value::Bool(flag)) => Some(flag.cmp(own)),
            (Self::Timestamp(own), Value::String(text)) => Some(timestamp(text)?.cmp(own)),
            _ => None,
        }
    }
}

/// What the `Is` operators ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// `IsPresent`: the path leads somewhere. The only operator that a missing value does not fail.
    Present,
    /// `IsNull`
    Null,
    /// `IsString`
    String,
    /// `IsNumeric`
    Numeric,
    /// `IsBoolean`
    Boolean,
    /// `IsTimestamp`
    Timestamp,
}

/// The path of a rule led nowhere, which fails the execution with `States.Runtime`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid path '{0}': The choice state's condition path references an invalid value.")]
pub struct MissingVariable(pub String);

impl Rule {
    /// What the paths in it read of the context object.
    pub fn reads(&self) -> Reads {
        match self {
            Self::And(rules) | Self::Or(rules) => rules.iter().map(Self::reads).max().unwrap_or_default(),
            Self::Not(rule) => rule.reads(),
            Self::Test { variable, test: Test::CompareWith(_, _, path) } => {
                variable.reads().max(path.reads())
            }
            Self::Test { variable, .. } => variable.reads(),
        }
    }

    /// Whether the rule matches. Rules are tried from left to right and no further than needed.
    ///
    /// # Errors
    /// A path that leads nowhere, except under `IsPresent`.
    pub fn matches(&self, scope: Scope<'_>) -> Result<bool, MissingVariable> {
        match self {
            Self::And(rules) => {
                for rule in rules {
                    if !rule.matches(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(rules) => {
                for rule in rules {
                    if rule.matches(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(rule) => Ok(!rule.matches(scope)?),
            Self::Test { variable, test } => test.holds(variable, scope),
        }
    }
}

impl Test {
    fn holds(&self, variable: &Path, scope: Scope<'_>) -> Result<bool, MissingVariable> {
        let read = |path: &Path| path.get(scope).map_err(|_| MissingVariable(path.text().to_owned()));
        if let Self::Is(Property::Present, wanted) = self {
            return Ok(read(variable).is_ok() == *wanted);
        }
        let value = read(variable)?;
        Ok(match self {
            Self::Compare(comparison, constant) => {
                constant.compare(&value).is_some_and(|ordering| comparison.holds(ordering))
            }
            Self::CompareWith(comparison, kind, path) => Constant::of(*kind, &read(path)?)
                .and_then(|constant| constant.compare(&value))
                .is_some_and(|ordering| comparison.holds(ordering)),
            Self::Matches(pattern) => value.as_str().is_some_and(|text| pattern.matches(text)),
            Self::Is(property, wanted) => property.holds(&value) == *wanted,
        })
    }
}

impl Property {
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Present => true,
            Self::Null => value.is_null(),
            Self::String => value.is_string(),
            Self::Numeric => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Timestamp => value.as_str().is_some_and(|text| timestamp(text).is_some()),
        }
    }
}

/// The pattern of `StringMatches`: `*` stands for any text; `\*` and `\\` for the character itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Option<char>>);

impl Pattern {
    /// Reads a pattern; `None` if it ends in a lone backslash or escapes anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => None,
                '\\' => Some(chars.next().filter(|c| matches!(c, '*' | '\\'))?),
                c => Some(c),
            });
        }
        Some(Self(parts))
    }

    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut part) = (0, 0);
        // Where to try again: after the last star, which then takes one character more.
        let mut star: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(part) {
                Some(None) => {
                    star = Some((part, at));
                    part += 1;
                }
                Some(Some(c)) if *c == text[at] => {
                    part += 1;
                    at += 1;
                }
                _ => match star {
                    Some((star_part, star_at)) => {
                        star = Some((star_part, star_at + 1));
                        part = star_part + 1;
                        at = star_at + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[part..].iter().all(Option::is_none)
    }
}

/// A time in the profile of RFC 3339 that the language asks for: an upper-case `T` between date and time, seconds,
/// and an offset or an upper-case `Z`.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let bytes = text.as_bytes();
    let (head, tail) = bytes.split_at_checked(shape.len())?;
    let fits = head.iter().zip(shape).all(|(byte, kind)| match kind {
        b'd' => byte.is_ascii_digit(),
        kind => byte == kind,
    });
    let tail_fits = tail.iter().all(|byte| byte.is_ascii_digit() || b".Z+-:".contains(byte));
    if fits && tail_fits { text.parse().ok() } else { None }
}
