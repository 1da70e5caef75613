//! What the functions do. AWS's limits are from "Intrinsic functions for JSONPath states" in its developer guide.

use std::cell::RefCell;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use super::{Function, arrays, text};

pub(super) type Outcome = Result<Value, String>;

/// Calls `function`. The number of arguments was checked when the call was read.
pub(super) fn call(function: Function, arguments: &[Value], random: &RefCell<ChaCha8Rng>) -> Outcome {
    match (function, arguments) {
        (Function::Format, [template, values @ ..]) => text::format(template, values),
        (Function::StringToJson, [text]) => text::to_json(text),
        (Function::JsonToString, [value]) => Ok(Value::String(value.to_string())),
        (Function::Array, items) => Ok(Value::Array(items.to_vec())),
        (Function::ArrayPartition, [array, size]) => arrays::partition(array, size),
        (Function::ArrayContains, [array, item]) => arrays::contains(array, item),
        (Function::ArrayRange, [first, last, step]) => arrays::range(first, last, step),
        (Function::ArrayGetItem, [array, index]) => arrays::item(array, index),
        (Function::ArrayLength, [array]) => Ok(Value::from(arrays::array(array)?.len())),
        (Function::ArrayUnique, [array]) => arrays::unique(array),
        (Function::Base64Encode, [text]) => text::encode(text),
        (Function::Base64Decode, [text]) => text::decode(text),
        (Function::Hash, [data, algorithm]) => text::hash(data, algorithm),
        (Function::JsonMerge, [first, second, deep]) => merge(first, second, deep),
        (Function::MathRandom, [start, end]) => between(start, end, &mut random.borrow_mut()),
        (Function::MathRandom, [start, end, seed]) => {
            let seed = integer(seed, "the seed")?;
            between(start, end, &mut ChaCha8Rng::seed_from_u64(seed.cast_unsigned()))
        }
        (Function::MathAdd, [first, second]) => add(first, second),
        (Function::StringSplit, [text, separators]) => text::split(text, separators),
        (Function::Uuid, []) => {
            let bytes: [u8; 16] = random.borrow_mut().random();
            Ok(Value::String(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()))
        }
        (function, arguments) => Err(format!("{function:?} does not take {} arguments", arguments.len())),
    }
}

/// An integer. The functions on arrays drop what is behind the point, as recorded from AWS.
pub(super) fn integer(value: &Value, what: &str) -> Result<i64, String> {
    whole(value, f64::trunc).ok_or_else(|| format!("{what} has to be an integer, not {value}"))
}

fn whole(value: &Value, round: fn(f64) -> f64) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = round(value.as_f64()?);
        #[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
        (number.abs() < 9e15).then_some(number as i64)
    })
}

/// To the nearest integer, and halfway up, as Java rounds and as recorded from AWS.
fn nearest(number: f64) -> f64 {
    (number + 0.5).floor()
}

/// AWS: the numbers are between -2147483648 and 2147483647, and so has to be the sum.
fn add(first: &Value, second: &Value) -> Outcome {
    let sum = int32(first, "a summand")? + int32(second, "a summand")?;
    int32(&Value::from(sum), "the sum").map(Value::from)
}

fn int32(value: &Value, what: &str) -> Result<i64, String> {
    let number = whole(value, nearest).ok_or_else(|| format!("{what} has to be an integer, not {value}"))?;
    i32::try_from(number)
        .map(i64::from)
        .map_err(|_| format!("{what} has to fit into 32 bits, but is {number}"))
}

/// AWS: the start is inclusive, the end exclusive.
fn between(start: &Value, end: &Value, random: &mut ChaCha8Rng) -> Outcome {
    let (start, end) = (int32(start, "the start")?, int32(end, "the end")?);
    if start >= end {
        return Err(format!("the start ({start}) has to be less than the end ({end})"));
    }
    Ok(Value::from(random.random_range(start..end)))
}

/// AWS: only shallow merging is supported.
fn merge(first: &Value, second: &Value, deep: &Value) -> Outcome {
    let (Value::Object(first), Value::Object(second)) = (first, second) else {
        return Err("the first two arguments have to be objects".into());
    };
    match deep {
        Value::Bool(false) => {}
        Value::Bool(true) => {
            return Err("deep merging is not supported: the third argument has to be false".into());
        }
        _ => return Err("the third argument has to be false".into()),
    }
    let mut merged: Map<String, Value> = first.clone();
    merged.extend(second.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(Value::Object(merged))
}
