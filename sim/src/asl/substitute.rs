//! Definition substitutions: the `${Name}` placeholders that a deployment fills in.

use std::collections::{BTreeMap, BTreeSet};

/// Why a text could not be substituted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubstituteError {
    /// The text names placeholders that have no value.
    #[error("no value is given for ${{{0}}}")]
    Unknown(String),
    /// A value is given that no placeholder asks for: most likely one of the two is misspelt.
    #[error("a value is given for {0}, but the text has no ${{{0}}}")]
    Unused(String),
    /// A `${` has no `}`.
    #[error("a ${{ at byte {0} has no closing brace")]
    Unclosed(usize),
}

/// Replaces every `${Name}` in `text`, as CDK's `definitionSubstitutions` does. Values are put in as they are: they
/// are not escaped for JSON.
///
/// # Errors
/// A placeholder without a value, a value without a placeholder, or a `${` that is not closed.
pub fn substitute(text: &str, values: &BTreeMap<String, String>) -> Result<String, SubstituteError> {
    let mut unused: BTreeSet<&str> = values.keys().map(String::as_str).collect();
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let body = &rest[start + 2..];
        let end = body.find('}').ok_or(SubstituteError::Unclosed(text.len() - rest.len() + start))?;
        let name = &body[..end];
        let value = values.get(name).ok_or_else(|| SubstituteError::Unknown(name.to_owned()))?;
        unused.remove(name);
        result.push_str(&rest[..start]);
        result.push_str(value);
        rest = &body[end + 1..];
    }
    result.push_str(rest);
    match unused.first() {
        Some(name) => Err(SubstituteError::Unused((*name).to_owned())),
        None => Ok(result),
    }
}
