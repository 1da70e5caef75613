//! The functions on texts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::functions::Outcome;

/// AWS: `Base64Encode`, `Base64Decode` and `Hash` take up to 10,000 characters.
const MAX_CHARACTERS: usize = 10_000;

fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("{what} has to be a text, not {value}"))
}

fn short_text<'a>(value: &'a Value, what: &str) -> Result<&'a str, String> {
    let text = text(value, what)?;
    match text.chars().count() {
        0..=MAX_CHARACTERS => Ok(text),
        length => Err(format!("{what} has {length} characters; up to {MAX_CHARACTERS} are allowed")),
    }
}

/// Puts the values into the template's `{}`. `\{`, `\}` and `\\` stand for the character itself.
pub(super) fn format(template: &Value, values: &[Value]) -> Outcome {
    let template = text(template, "the template")?;
    let mut result = String::with_capacity(template.len());
    let mut values_left = values.iter();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('{' | '}' | '\\' | '\'')) => result.push(c),
                Some(c) => result.extend(['\\', c]),
                None => result.push('\\'),
            },
            '{' if chars.next_if_eq(&'}').is_some() => match values_left.next() {
                Some(value) => show(value, &mut result),
                None => return Err(format!("the template has more {{}} than the {} values", values.len())),
            },
            '{' | '}' => {
                return Err(format!("the template has a lone {c}; write \\{c} for the character itself"));
            }
            c => result.push(c),
        }
    }
    match values_left.len() {
        0 => Ok(Value::String(result)),
        left => Err(format!("the template has {left} {{}} fewer than the {} values", values.len())),
    }
}

/// As Java shows a value, which is what was recorded from AWS: a text bare, an object as `{a=1, b=[x, null]}`.
fn show(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                show(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (key, field)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                out.push_str(key);
                out.push('=');
                show(field, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

pub(super) fn to_json(value: &Value) -> Outcome {
    serde_json::from_str(text(value, "the argument")?)
        .map_err(|error| format!("the text is not JSON: {error}"))
}

pub(super) fn encode(value: &Value) -> Outcome {
    Ok(Value::String(STANDARD.encode(short_text(value, "the argument")?)))
}

pub(super) fn decode(value: &Value) -> Outcome {
    let bytes = STANDARD
        .decode(short_text(value, "the argument")?)
        .map_err(|error| format!("the text is not Base64: {error}"))?;
    // As Java does it: what is not UTF-8 becomes U+FFFD.
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

pub(super) fn hash(data: &Value, algorithm: &Value) -> Outcome {
    let owned;
    let data = match data {
        Value::String(_) => short_text(data, "the data")?,
        other => {
            owned = Value::String(other.to_string());
            short_text(&owned, "the data")?
        }
    };
    let digest = match text(algorithm, "the algorithm")? {
        "MD5" => hex(&Md5::digest(data)),
        "SHA-1" => hex(&Sha1::digest(data)),
        "SHA-256" => hex(&Sha256::digest(data)),
        "SHA-384" => hex(&Sha384::digest(data)),
        "SHA-512" => hex(&Sha512::digest(data)),
        other => return Err(format!("{other} is not one of MD5, SHA-1, SHA-256, SHA-384 and SHA-512")),
    };
    Ok(Value::String(digest))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Each character of `separators` separates; AWS leaves out the empty parts.
pub(super) fn split(value: &Value, separators: &Value) -> Outcome {
    let value = text(value, "the first argument")?;
    let separators: Vec<char> = text(separators, "the separator")?.chars().collect();
    Ok(value.split(separators.as_slice()).filter(|part| !part.is_empty()).map(Value::from).collect())
}
