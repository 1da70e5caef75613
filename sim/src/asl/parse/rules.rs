//! The `Choices` of a Choice state.

use serde_json::Value;

use super::fields::{Fields, kind};
use crate::asl::choice::{Comparison, Constant, Pattern, Property, Rule, Test, Type};

pub(super) fn choices(fields: &Fields<'_>) -> Option<Vec<(Rule, String)>> {
    if !fields.has("Choices") {
        fields.get("Choices");
        fields.error("Choices", "is missing");
        return None;
    }
    let items = fields.array("Choices")?;
    if items.is_empty() {
        fields.error("Choices", "has to have at least one rule");
    }
    let parsed: Vec<_> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let inner = Fields::of(item, format!("{}[{index}]", fields.path("Choices")), fields.report)?;
            let next = inner.required_text("Next");
            let rule = rule(&inner);
            inner.finish("a choice rule");
            Some((rule?, next?.to_owned()))
        })
        .collect();
    parsed.into_iter().collect()
}

const COMBINATIONS: [&str; 3] = ["And", "Or", "Not"];

fn rule(fields: &Fields<'_>) -> Option<Rule> {
    fields.comment();
    let combinations: Vec<&'static str> = COMBINATIONS.into_iter().filter(|name| fields.has(name)).collect();
    match combinations.as_slice() {
        [] => test(fields),
        [name] => {
            if fields.has("Variable") {
                fields.get("Variable");
                fields.error("Variable", format!("and {name} exclude each other; keep one of the two"));
            }
            combination(fields, name)
        }
        [first, others @ ..] => {
            for name in &combinations {
                fields.get(name);
            }
            fields.error(first, format!("and {} exclude each other; nest them", others.join(", ")));
            None
        }
    }
}

fn combination(fields: &Fields<'_>, name: &'static str) -> Option<Rule> {
    if name == "Not" {
        let inner = Fields::of(fields.get(name)?, fields.path(name), fields.report)?;
        return nested(inner).map(|rule| Rule::Not(Box::new(rule)));
    }
    let items = fields.array(name)?;
    if items.is_empty() {
        fields.error(name, "has to have at least one rule");
    }
    let rules: Vec<Option<Rule>> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let inner = Fields::of(item, format!("{}[{index}]", fields.path(name)), fields.report)?;
            nested(inner)
        })
        .collect();
    let rules = rules.into_iter().collect::<Option<Vec<_>>>()?;
    Some(if name == "And" { Rule::And(rules) } else { Rule::Or(rules) })
}

fn nested(fields: Fields<'_>) -> Option<Rule> {
    if fields.has("Next") {
        fields.get("Next");
        fields.error("Next", "belongs to the outermost rule only");
    }
    let rule = rule(&fields);
    fields.finish("a nested choice rule");
    rule
}

fn test(fields: &Fields<'_>) -> Option<Rule> {
    let variable = if fields.has("Variable") {
        fields.data_path("Variable")
    } else {
        fields.get("Variable");
        if !fields.has("Condition") {
            fields.error("Variable", "is missing");
        }
        None
    };
    let given: Vec<&Operator> = OPERATORS.iter().filter(|operator| fields.has(operator.name)).collect();
    let test = match given.as_slice() {
        [operator] => operand(fields, operator),
        [] => {
            fields.error_here("needs a comparison operator, such as StringEquals or IsPresent");
            None
        }
        [first, others @ ..] => {
            for operator in &given {
                fields.get(operator.name);
            }
            let others: Vec<_> = others.iter().map(|operator| operator.name).collect();
            fields.error(
                first.name,
                format!("and {} exclude each other; combine them with And", others.join(", ")),
            );
            None
        }
    };
    Some(Rule::Test { variable: variable?, test: test? })
}

fn operand(fields: &Fields<'_>, operator: &Operator) -> Option<Test> {
    let value = fields.get(operator.name)?;
    match operator.kind {
        OperatorKind::Fixed(kind_of, comparison) => match Constant::of(kind_of, value) {
            Some(constant) => Some(Test::Compare(comparison, constant)),
            None => {
                let wanted = match kind_of {
                    Type::String => "a text",
                    Type::Numeric => "a number",
                    Type::Boolean => "true or false",
                    Type::Timestamp => "a time such as 2026-03-14T01:59:00Z",
                };
                fields.error(operator.name, format!("has to be {wanted}, not {}", kind(value)));
                None
            }
        },
        OperatorKind::Path(kind, comparison) => {
            fields.data_path(operator.name).map(|path| Test::CompareWith(comparison, kind, path))
        }
        OperatorKind::Is(property) => fields.flag(operator.name).map(|wanted| Test::Is(property, wanted)),
        OperatorKind::Matches => match value {
            Value::String(text) => match Pattern::parse(text) {
                Some(pattern) => Some(Test::Matches(pattern)),
                None => {
                    fields.error(
                        operator.name,
                        "has a backslash that escapes neither * nor \\; write \\\\\\\\ in JSON",
                    );
                    None
                }
            },
            other => {
                fields.error(operator.name, format!("has to be a text, not {}", kind(other)));
                None
            }
        },
    }
}

struct Operator {
    name: &'static str,
    kind: OperatorKind,
}

#[derive(Clone, Copy)]
enum OperatorKind {
    Fixed(Type, Comparison),
    Path(Type, Comparison),
    Is(Property),
    Matches,
}

macro_rules! operators {
    ($($kind:ident: $($name:literal / $path:literal $comparison:ident),*;)*) => {
        const OPERATORS: &[Operator] = &[
            $($(
                Operator { name: $name, kind: OperatorKind::Fixed(Type::$kind, Comparison::$comparison) },
                Operator { name: $path, kind: OperatorKind::Path(Type::$kind, Comparison::$comparison) },
            )*)*
            Operator { name: "StringMatches", kind: OperatorKind::Matches },
            Operator { name: "IsPresent", kind: OperatorKind::Is(Property::Present) },
            Operator { name: "IsNull", kind: OperatorKind::Is(Property::Null) },
            Operator { name: "IsString", kind: OperatorKind::Is(Property::String) },
            Operator { name: "IsNumeric", kind: OperatorKind::Is(Property::Numeric) },
            Operator { name: "IsBoolean", kind: OperatorKind::Is(Property::Boolean) },
            Operator { name: "IsTimestamp", kind: OperatorKind::Is(Property::Timestamp) },
        ];
    };
}

operators! {
    String: "StringEquals" / "StringEqualsPath" Equal, "StringLessThan" / "StringLessThanPath" Less,
        "StringLessThanEquals" / "StringLessThanEqualsPath" LessOrEqual,
        "StringGreaterThan" / "StringGreaterThanPath" Greater,
        "StringGreaterThanEquals" / "StringGreaterThanEqualsPath" GreaterOrEqual;
    Numeric: "NumericEquals" / "NumericEqualsPath" Equal, "NumericLessThan" / "NumericLessThanPath" Less,
        "NumericLessThanEquals" / "NumericLessThanEqualsPath" LessOrEqual,
        "NumericGreaterThan" / "NumericGreaterThanPath" Greater,
        "NumericGreaterThanEquals" / "NumericGreaterThanEqualsPath" GreaterOrEqual;
    Boolean: "BooleanEquals" / "BooleanEqualsPath" Equal;
    Timestamp: "TimestampEquals" / "TimestampEqualsPath" Equal, "TimestampLessThan" / "TimestampLessThanPath" Less,
        "TimestampLessThanEquals" / "TimestampLessThanEqualsPath" LessOrEqual,
        "TimestampGreaterThan" / "TimestampGreaterThanPath" Greater,
        "TimestampGreaterThanEquals" / "TimestampGreaterThanEqualsPath" GreaterOrEqual;
}
