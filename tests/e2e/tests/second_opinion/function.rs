//! The function that every Task calls. It has no state, so that it does the same for both.

use serde_json::{Value, json};

/// Fails with `error` and `cause` while `attempt` is less than `fails`, and answers `answer` from then on.
pub(crate) fn call(event: &Value) -> Result<Value, Value> {
    let number = |name: &str| event[name].as_u64().unwrap_or(0);
    if number("attempt") < number("fails") {
        return Err(json!({ "errorType": event["error"], "errorMessage": event["cause"] }));
    }
    Ok(event["answer"].clone())
}
