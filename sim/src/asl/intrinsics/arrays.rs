//! The functions on arrays.

use serde_json::Value;

use super::functions::{Outcome, integer};

/// AWS: a range has up to 1000 items.
const MAX_RANGE: i64 = 1000;

pub(super) fn array(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("the first argument has to be an array, not {value}"))
}

pub(super) fn partition(items: &Value, size: &Value) -> Outcome {
    let size = integer(size, "the chunk size")?;
    let size = usize::try_from(size)
        .ok()
        .filter(|size| *size > 0)
        .ok_or_else(|| format!("the chunk size has to be positive, not {size}"))?;
    Ok(array(items)?.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect())
}

pub(super) fn contains(items: &Value, item: &Value) -> Outcome {
    Ok(Value::Bool(array(items)?.iter().any(|candidate| same(candidate, item))))
}

/// The first and the last are inclusive; the step may be negative but not 0.
pub(super) fn range(first: &Value, last: &Value, step: &Value) -> Outcome {
    let (first, last) = (integer(first, "the first value")?, integer(last, "the last value")?);
    let step = integer(step, "the step")?;
    if step == 0 {
        return Err("the step must not be 0".into());
    }
    let steps = (i128::from(last) - i128::from(first)) / i128::from(step);
    if steps >= i128::from(MAX_RANGE) {
        return Err(format!("a range has up to {MAX_RANGE} items, not {}", steps + 1));
    }
    let is_empty = if step > 0 { first > last } else { first < last };
    let count = if is_empty { 0 } else { i64::try_from(steps).unwrap_or(0) + 1 };
    Ok((0..count).map(|n| Value::from(first + n * step)).collect())
}

pub(super) fn item(items: &Value, index: &Value) -> Outcome {
    let items = array(items)?;
    let index = integer(index, "the index")?;
    usize::try_from(index)
        .ok()
        .and_then(|index| items.get(index))
        .cloned()
        .ok_or_else(|| format!("the index {index} is outside of an array of {} items", items.len()))
}

pub(super) fn unique(items: &Value) -> Outcome {
    let mut kept: Vec<&Value> = Vec::new();
    for item in array(items)? {
        if !kept.iter().any(|seen| same(seen, item)) {
            kept.push(item);
        }
    }
    Ok(kept.into_iter().cloned().collect())
}

/// Equality of JSON: 1 and 1.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter().all(|(key, value)| y.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
