//! A function as it is deployed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A function: its program, and the part of its configuration that a host needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name: `stopgap-stop-instance`.
    pub name: String,
    /// Its ARN, without a qualifier.
    pub arn: String,
    /// What is run: the `bootstrap`.
    pub program: PathBuf,
    /// The arguments of the program. None on Lambda; a test's fake function may need some.
    pub arguments: Vec<String>,
    /// The environment that was deployed.
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// Its memory size in MB. Told to the function, not enforced.
    pub memory_mb: u32,
}

impl Function {
    /// The Region in its ARN.
    pub fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }
}

/// The function's name in what the Invoke API takes for one: a name, `name:qualifier`, `account:function:name`, or an ARN,
/// with or without a qualifier.
pub fn function_name(given: &str) -> &str {
    let after_marker = given.split_once(":function:").or_else(|| given.split_once("function:"));
    let name = after_marker.map_or(given, |(_, rest)| rest);
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_function_leads_to_it() {
        for given in [
            "stopgap-wake",
            "stopgap-wake:live",
            "123456789012:function:stopgap-wake",
            "arn:aws:lambda:us-east-1:123456789012:function:stopgap-wake",
            "arn:aws:lambda:us-east-1:123456789012:function:stopgap-wake:$LATEST",
        ] {
            assert_eq!(function_name(given), "stopgap-wake", "{given}");
        }
    }
}
