//! The published JSON Schema of a policy file.

use serde_json::{Map, Value, json};

use super::defaults::{BUILT_IN, Default};
use super::target::{ROLE_MAX, ROLE_PREFIX};
use super::types::{Matcher, Policy};

/// The JSON Schema (2020-12) of a policy file: what an editor can check. [`parse`](super::parse) checks more.
///
/// It is derived from [`Policy`] and the table of defaults, and published as `functions/core/policy.schema.json`.
pub fn schema() -> Value {
    let mut policy = schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Policy>()
        .to_value();
    let mut definitions = match policy.get_mut("$defs").map(Value::take) {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    if let Some(fields) = policy.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "$defs" | "$schema"));
    }
    for Default { path, value } in BUILT_IN {
        let value = serde_json::from_str(value).unwrap_or(Value::Null);
        match path.split_once('.') {
            None => make_optional(&mut policy, path, value),
            Some((outer, leaf)) => {
                let name = title_case(outer);
                if let Some(definition) = definitions.get_mut(&name) {
                    make_optional(definition, leaf, value);
                }
                // What has defaults throughout may be left out as a whole.
                if matches!(outer, "volumes" | "tags") {
                    not_required(&mut policy, outer);
                }
            }
        }
    }
    not_required(&mut policy, "concurrency");

    // In a file with defaults, what one policy must say may stand in the defaults instead.
    let mut partial = policy.clone();
    for name in ["select", "schedule", "retention"] {
        not_required(&mut partial, name);
    }
    for outer in ["select", "schedule"] {
        let name = title_case(outer);
        let mut definition = definitions.get(&name).cloned().unwrap_or_default();
        if let Some(fields) = definition.as_object_mut() {
            fields.remove("required");
        }
        definitions.insert(format!("Partial{name}"), definition);
        partial["properties"][outer]["$ref"] = json!(format!("#/$defs/Partial{name}"));
    }
    let mut defaults = partial.clone();
    if let Some(fields) = defaults.as_object_mut() {
        fields.remove("required");
        fields.insert(
            "description".to_owned(),
            json!("What the policies of this file are where they do not say."),
        );
    }
    if let Some(fields) = defaults["properties"].as_object_mut() {
        fields.remove("id");
    }
    definitions.insert("Policy".to_owned(), policy);
    definitions.insert("PolicyWithDefaults".to_owned(), partial);
    definitions.insert("Defaults".to_owned(), defaults);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stopgap policies",
        "description": "One policy, an array of policies, or policies with defaults.",
        "anyOf": [
            { "$ref": "#/$defs/Policy" },
            { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/Policy" } },
            {
                "type": "object",
                "properties": {
                    "defaults": { "$ref": "#/$defs/Defaults" },
                    "policies": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/PolicyWithDefaults" } }
                },
                "required": ["policies"],
                "additionalProperties": false
            }
        ],
        "$defs": definitions
    })
}

/// The schema of `version`.
pub(super) fn version(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "const": 1 })
}

/// The schema of an account's id.
pub(super) fn account(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{12}$" })
}

/// The schema of at least one Region.
pub(super) fn regions(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array", "minItems": 1, "uniqueItems": true,
        "items": { "type": "string", "pattern": "^[a-z]{2,}(-[a-z]{2,})+-[0-9]{1,2}$" }
    })
}

/// The schema of the name of a role that stopgap may assume.
pub(super) fn role(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let pattern = format!("^{ROLE_PREFIX}[A-Za-z0-9+=,.@_-]*$");
    schemars::json_schema!({ "type": "string", "pattern": pattern, "maxLength": ROLE_MAX })
}

/// The schema of an instance id.
pub(super) fn instance_id(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "pattern": "^i-" })
}

/// The schema of at least one matcher.
pub(super) fn matchers(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "array", "minItems": 1, "items": generator.subschema_for::<Matcher>() })
}

/// The type that a field of [`Policy`] has.
fn title_case(field: &str) -> String {
    match field {
        "volumes" => "VolumeSelect".to_owned(),
        "tags" => "Tagging".to_owned(),
        other => other.get(..1).unwrap_or_default().to_uppercase() + other.get(1..).unwrap_or_default(),
    }
}

fn make_optional(object: &mut Value, name: &str, default: Value) {
    not_required(object, name);
    if let Some(field) = object.pointer_mut(&format!("/properties/{name}")).and_then(Value::as_object_mut) {
        field.insert("default".to_owned(), default);
    }
}

fn not_required(object: &mut Value, name: &str) {
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| field != name);
    }
}
