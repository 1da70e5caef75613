//! What machines grow.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Machine;
use crate::{MACHINES, SEED};

#[test]
fn a_seed_always_grows_the_same_machine() {
    for seed in [1, 2, 1_000_000] {
        assert_eq!(Machine::from_seed(seed), Machine::from_seed(seed));
    }
    assert_ne!(Machine::from_seed(1).definition, Machine::from_seed(2).definition);
}

/// Everything that the test is to be about.
const EVERYTHING: &str = "
    Pass Wait Choice Task Parallel Map Succeed Fail
    InputPath OutputPath ResultPath ResultSelector Parameters Result Retry Catch
    Seconds SecondsPath Timestamp Error Cause CausePath ItemsPath ItemSelector MaxConcurrency
    And Or Not IsPresent IsNull IsString IsNumeric IsBoolean IsTimestamp BooleanEquals StringMatches
    StringLessThan StringGreaterThanEquals NumericEquals NumericGreaterThan NumericLessThanEquals
    States.ALL States.TaskFailed
    States.Format States.JsonToString States.StringToJson States.Array States.ArrayPartition States.ArrayContains
    States.ArrayRange States.ArrayGetItem States.ArrayLength States.ArrayUnique States.Base64Encode
    States.Base64Decode States.Hash States.JsonMerge States.MathAdd States.StringSplit
";

fn words(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(name.clone());
                words(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        Value::String(text) => {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
            found.extend(text.split(|c| !is_part(c)).map(str::to_owned));
        }
        _ => {}
    }
}

/// What none of the machines has in it.
fn missing(seeds: std::ops::Range<u64>) -> Vec<&'static str> {
    let mut found = BTreeSet::new();
    for seed in seeds {
        words(&Machine::from_seed(seed).definition, &mut found);
    }
    EVERYTHING.split_whitespace().filter(|word| !found.contains(*word)).collect()
}

#[test]
fn the_machines_of_a_test_have_everything_in_them() {
    assert_eq!(missing(SEED..SEED + MACHINES), [""; 0]);
}
