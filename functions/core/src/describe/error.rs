//! What is wrong with a file that should be the AWS CLI's output.

use serde::Deserialize;
use serde_json::Value;

/// Why a file is not the output that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct DescribeError {
    /// The file.
    pub file: String,
    /// Where in it, what is wrong, and what would be right.
    pub why: String,
}

/// Which output a file should be: the command and the array at its top.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub(super) command: &'static str,
    pub(super) array: &'static str,
}

pub(super) const INSTANCES: Output = Output { command: "describe-instances", array: "Reservations" };
pub(super) const VOLUMES: Output = Output { command: "describe-volumes", array: "Volumes" };
pub(super) const SNAPSHOTS: Output =
    Output { command: "describe-snapshots --owner-ids self", array: "Snapshots" };

/// Reads `bytes` as a `T`, whose array at the top `array` takes out.
pub(super) fn read<'a, T: Deserialize<'a>, A>(
    file: &str,
    bytes: &'a [u8],
    output: Output,
    array: impl Fn(&mut T) -> Option<A>,
) -> Result<(T, A), DescribeError> {
    let text = text(bytes).map_err(|why| error(file, output, why))?;
    if text.trim().is_empty() {
        return Err(error(file, output, "it is empty".to_owned()));
    }
    // serde takes an array for an object, item by item; the AWS CLI never writes one so.
    if text.trim_start().starts_with('[') {
        return Err(error(file, output, shape(text, output)));
    }
    match serde_json::from_str::<T>(text) {
        Ok(mut whole) => match array(&mut whole) {
            Some(array) => Ok((whole, array)),
            None => Err(error(file, output, shape(text, output))),
        },
        Err(failure) => {
            // Read again, more slowly, to know where.
            let mut deserializer = serde_json::Deserializer::from_str(text);
            let why = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
                Err(at) if failure.is_data() && at.path().iter().next().is_some() => {
                    format!("{}: {}", at.path(), at.inner())
                }
                _ if failure.to_string().starts_with("duplicate field") => failure.to_string(),
                _ if failure.is_data() => shape(text, output),
                _ if failure.is_eof() => format!("it ends too early: {failure}"),
                _ => format!("it is not JSON: {failure}"),
            };
            Err(error(file, output, why))
        }
    }
}

fn error(file: &str, output: Output, why: String) -> DescribeError {
    let Output { command, .. } = output;
    let why = format!("{why}; save the output of `aws ec2 {command} --output json` in it, without --query");
    DescribeError { file: file.to_owned(), why }
}

/// The text of a file, without the byte order mark that editors on Windows put in front.
///
/// # Errors
/// In words: that it is not UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("it is UTF-16, as Windows PowerShell's `>` writes it, and not UTF-8".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// What the file is instead.
fn shape(text: &str, output: Output) -> String {
    let Output { array, .. } = output;
    let found = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => {
            let other =
                [INSTANCES, VOLUMES, SNAPSHOTS].into_iter().find(|other| fields.contains_key(other.array));
            match (fields.get(array), other) {
                (Some(found), _) if found.is_null() => return format!("{array}: it is null, not an array"),
                (Some(_), _) => return format!("{array}: it is not an array"),
                (None, Some(other)) => return format!("it is the output of `aws ec2 {}`", other.command),
                (None, None) => return format!("it has no `{array}`"),
            }
        }
        Ok(Value::Array(_)) => "an array",
        Ok(Value::Null) => "null",
        Ok(Value::Bool(_) | Value::Number(_)) => "a single value",
        Ok(Value::String(_)) => "a text",
        Err(error) => return format!("it is not JSON: {error}"),
    };
    format!("it is {found}, not an object with `{array}`")
}
