//! A state machine's definition, in the template and in words that moto reads.

use std::io;

use serde_json::{Value, json};

use super::Assembly;

/// Puts the definition in the place of its location in S3, and in it what its placeholders stand for: moto ignores
/// `DefinitionSubstitutions`, and its `Fn::Sub` takes `$$` for `$`.
pub(super) fn inline_definition(
    properties: &mut Value,
    assembly: &Assembly,
    mut tell: impl FnMut(&str),
) -> io::Result<()> {
    let Some(fields) = properties.as_object_mut() else { return Ok(()) };
    let Some(location) = fields.remove("DefinitionS3Location") else { return Ok(()) };
    let definition = assembly.asset(location["Key"].as_str().unwrap_or_default())?;
    let mut definition: Value = serde_json::from_str(&definition).map_err(io::Error::other)?;
    tell("the definition was taken from its asset");
    reword(&mut definition, &mut tell);
    let substitutions = fields.remove("DefinitionSubstitutions").unwrap_or_else(|| json!({}));
    let parts = substitute(&definition.to_string(), &substitutions)?;
    fields.insert("DefinitionString".to_owned(), json!({ "Fn::Join": ["", parts] }));
    Ok(())
}

/// The text in parts, each `${Placeholder}` replaced by its expression.
fn substitute(text: &str, substitutions: &Value) -> io::Result<Vec<Value>> {
    let mut pieces = text.split("${");
    let mut parts: Vec<_> = pieces.next().map(|first| json!(first)).into_iter().collect();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').ok_or_else(|| io::Error::other("a `${` is not closed"))?;
        let stands_for = substitutions.get(name).ok_or_else(|| {
            io::Error::other(format!("the stack does not say what the placeholder ${{{name}}} stands for"))
        })?;
        parts.extend([stands_for.clone(), json!(rest)]);
    }
    Ok(parts)
}

/// Rewords what moto's parser refuses although AWS takes it. Neither changes what a machine does here: an express child
/// differs in price and history, and 100 is 100.0.
fn reword(value: &mut Value, tell: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value.as_i64(), value.as_str()) {
                    ("ExecutionType", _, Some("EXPRESS")) => {
                        *value = json!("STANDARD");
                        tell("ExecutionType EXPRESS became STANDARD");
                    }
                    ("ToleratedFailurePercentage", Some(percentage), _) => {
                        let reworded = json!(percentage as f64);
                        tell(&format!("ToleratedFailurePercentage {percentage} became {reworded}"));
                        *value = reworded;
                    }
                    _ => reword(value, tell),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| reword(item, tell)),
        _ => {}
    }
}
