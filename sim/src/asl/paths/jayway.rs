//! What Jayway's paths have beyond RFC 9535: functions and several names at the end, and the filter operators `in`,
//! `nin` and `=~`.

use serde_json::Value;

/// What the end of a path makes of what the path before it selects: `$.items.length()`, `$.item['a', 'b']`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Function {
    /// The object with these fields only.
    Pick(Vec<String>),
    Length,
    Keys,
    First,
    Last,
    Sum,
    Min,
    Max,
    Avg,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "length" | "size" => Self::Length,
            "keys" => Self::Keys,
            "first" => Self::First,
            "last" => Self::Last,
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "avg" => Self::Avg,
            _ => return None,
        })
    }

    /// The result for what the path before it selects, which may be several values; null where it does not apply.
    pub(super) fn apply(&self, value: &Value, several: bool) -> Value {
        match (self, value) {
            (Self::Pick(_), Value::Array(items)) if several => {
                items.iter().map(|item| self.apply(item, false)).collect()
            }
            (Self::Pick(names), Value::Object(fields)) => {
                let picked = names.iter().filter_map(|name| Some((name.clone(), fields.get(name)?.clone())));
                Value::Object(picked.collect())
            }
            (Self::Length, Value::Array(items)) => Value::from(items.len()),
            (Self::Length, Value::Object(fields)) => Value::from(fields.len()),
            (Self::Keys, Value::Object(fields)) => fields.keys().map(String::as_str).collect(),
            (Self::First, Value::Array(items)) => items.first().cloned().unwrap_or_default(),
            (Self::Last, Value::Array(items)) => items.last().cloned().unwrap_or_default(),
            (_, Value::Array(items)) => self.aggregate(items).map_or(Value::Null, Value::from),
            _ => Value::Null,
        }
    }

    /// Jayway computes in doubles.
    fn aggregate(&self, items: &[Value]) -> Option<f64> {
        let numbers: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
        let sum = numbers.iter().sum::<f64>();
        match self {
            Self::Sum => Some(sum),
            Self::Min => numbers.into_iter().reduce(f64::min),
            Self::Max => numbers.into_iter().reduce(f64::max),
            #[allow(clippy::cast_precision_loss, reason = "arrays are far shorter than 2^52")]
            Self::Avg if !numbers.is_empty() => Some(sum / numbers.len() as f64),
            _ => None,
        }
    }
}

/// A filter in the spelling of RFC 9535: `@.a in ['x', 'y']` becomes comparisons, `@.a =~ /x.*/` a call of `match`.
pub(super) fn filter(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(at) = operator(rest) {
        let (left, right) = rest.split_at(at);
        let start = operand_start(left);
        out.push_str(&left[..start]);
        let operand = left[start..].trim();
        let Some((translated, after)) = translate(operand, right) else { break };
        out.push_str(&translated);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where the next of the operators is, outside of quotes.
fn operator(text: &str) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(at, c)| {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            _ => {
                let (before, here) = text.split_at(at);
                let is_word = before.ends_with([' ', ']', ')']) && list_operator(here).is_some();
                return (here.starts_with("=~") || is_word).then_some(at);
            }
        }
        None
    })
}

/// `in [...` or `nin [...`: whether it is negated, and what follows the word.
fn list_operator(text: &str) -> Option<(bool, &str)> {
    let (negated, rest) = match text.strip_prefix("nin") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("in")?),
    };
    let list = rest.trim_start();
    list.starts_with('[').then_some((negated, list))
}

/// Where the operand on the left begins: after the parenthesis or the logical operator before it.
fn operand_start(left: &str) -> usize {
    left.rfind(['(', '&', '|', '?']).map_or(0, |at| at + 1)
}

fn translate<'a>(operand: &str, right: &'a str) -> Option<(String, &'a str)> {
    if let Some(pattern) = right.strip_prefix("=~") {
        let body = pattern.trim_start().strip_prefix('/')?;
        let end = body.find('/')?;
        let (regex, after) = (&body[..end], &body[end + 1..]);
        let (flags, after) = match after.strip_prefix('i') {
            Some(after) => ("(?i)", after),
            None => ("", after),
        };
        let escaped = regex.replace('\\', "\\\\").replace('\'', "\\'");
        return Some((format!("match({operand}, '{flags}{escaped}')"), after));
    }
    let (negated, list) = list_operator(right)?;
    let end = list.find(']')?;
    let items = list[1..end].split(',').map(str::trim).filter(|item| !item.is_empty());
    let tests: Vec<String> = items.map(|item| format!("{operand} == {item}")).collect();
    let any = if tests.is_empty() { "1 == 2".to_owned() } else { tests.join(" || ") };
    Some((format!("{}({any})", if negated { "!" } else { "" }), &list[end + 1..]))
}
