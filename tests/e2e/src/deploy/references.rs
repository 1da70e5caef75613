//! References to what moto does not make.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What stands for a resource that is not made.
#[derive(Clone, Debug)]
pub(super) enum Stand {
    /// Another resource, or what stands for that: a `Ref` or `Fn::GetAtt`.
    For(Value),
    /// Nothing: its id, so that an output or a policy can still be made.
    Nothing,
}

/// Replaces every reference to what is not made, wherever it is. A `Ref` that becomes one to a function is its ARN, which
/// the `Ref` of a function is not.
pub(super) fn replace(value: &mut Value, stands: &BTreeMap<String, Stand>, functions: &[String]) {
    if let Some(id) = target(value) {
        match stands.get(&id) {
            Some(Stand::For(other)) => {
                *value = resolve(other, stands, functions);
                return;
            }
            Some(Stand::Nothing) => {
                *value = json!(format!("left-out:{id}"));
                return;
            }
            None => {}
        }
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "DependsOn" {
                    forget(value, stands);
                }
                replace(value, stands, functions);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, stands, functions)),
        _ => {}
    }
}

/// The id that a `Ref` or `Fn::GetAtt` leads to.
fn target(value: &Value) -> Option<String> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let id = match (fields.get("Ref"), fields.get("Fn::GetAtt")) {
        (Some(Value::String(id)), _) => id,
        (_, Some(Value::Array(parts))) => parts.first()?.as_str()?,
        _ => return None,
    };
    Some(id.to_owned())
}

fn resolve(reference: &Value, stands: &BTreeMap<String, Stand>, functions: &[String]) -> Value {
    let Some(id) = target(reference) else { return reference.clone() };
    match stands.get(&id) {
        Some(Stand::For(other)) => resolve(other, stands, functions),
        Some(Stand::Nothing) => json!(format!("left-out:{id}")),
        None if functions.contains(&id) => json!({ "Fn::GetAtt": [id, "Arn"] }),
        None => reference.clone(),
    }
}

/// Takes what is not made out of a `DependsOn`.
fn forget(depends_on: &mut Value, stands: &BTreeMap<String, Stand>) {
    let is_made = |id: &Value| id.as_str().is_none_or(|id| !stands.contains_key(id));
    match depends_on {
        Value::Array(ids) => ids.retain(is_made),
        one if !is_made(one) => *one = json!([]),
        _ => {}
    }
}
