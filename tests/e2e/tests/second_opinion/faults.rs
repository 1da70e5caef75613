//! What moto's interpreter does wrong, each with a machine that shows it. No machine is generated that would meet it.
//!
//! Two more are left out of the comparison itself ([`lines`](crate::lines)): moto writes no `…Aborted` for what is cut
//! short when its sibling fails, and lets it run on meanwhile. What stands in the way of other features (distributed Maps,
//! heartbeats, redrive) is not what these machines are about.

use serde_json::{Value, json};

use crate::generate::Machine;
use crate::{engine, moto, run};

/// A fault of moto's, in a single state.
struct Fault {
    /// What AWS documents, and moto does not do.
    why: &'static str,
    state: Value,
    input: Value,
    /// What comes out on AWS.
    output: Value,
}

fn parameters(why: &'static str, x: &str, input: Value, output: Value) -> Fault {
    Fault {
        why,
        state: json!({ "Type": "Pass", "Parameters": { "x.$": x }, "End": true }),
        input,
        output: json!({ "x": output }),
    }
}

/// The faults of moto 5.2.5.
fn faults() -> Vec<Fault> {
    vec![
        parameters(
            "An index that is not at the end of a path leads to one value. moto makes a list of it.",
            "$.items[0].id",
            json!({ "items": [{ "id": 1 }, { "id": 2 }] }),
            json!(1),
        ),
        parameters(
            "In a payload template, an index behind the end of an array is null. moto fails with States.Runtime.",
            "$.items[0]",
            json!({ "items": [] }),
            Value::Null,
        ),
        parameters(
            "A quote in a string of an intrinsic function is escaped by a backslash. moto ends the string there.",
            r"States.Format('it\'s {}', $.word)",
            json!({ "word": "so" }),
            json!("it's so"),
        ),
        parameters(
            "States.ArrayRange takes any increment but zero. moto refuses negative ones.",
            "States.ArrayRange(3, 1, -1)",
            json!({}),
            json!([3, 2, 1]),
        ),
        parameters(
            "States.ArrayUnique takes arrays of anything. moto hashes the items, and cannot hash objects.",
            "States.ArrayUnique($)",
            json!([{ "a": 1 }, { "a": 1 }, {}]),
            json!([{ "a": 1 }, {}]),
        ),
        parameters(
            "States.ArrayContains tells false from 0 and true from 1. Python, and so moto, does not.",
            "States.ArrayContains($.numbers, $.flag)",
            json!({ "numbers": [0], "flag": false }),
            json!(false),
        ),
        parameters(
            "States.ArrayUnique tells false from 0 and true from 1. Python, and so moto, does not.",
            "States.ArrayUnique($)",
            json!([0, false]),
            json!([0, false]),
        ),
        Fault {
            why: "A negative number in a payload template is what it is. moto makes a floating point number of it.",
            state: json!({ "Type": "Pass", "Parameters": { "x": -1 }, "End": true }),
            input: json!({}),
            output: json!({ "x": -1 }),
        },
        Fault {
            why: "StringMatches knows no wildcard but `*`. moto takes `?` for one.",
            state: json!({
                "Type": "Map",
                "ItemProcessor": {
                    "StartAt": "Ask",
                    "States": {
                        "Ask": {
                            "Type": "Choice",
                            "Choices": [{ "Variable": "$", "StringMatches": "a?", "Next": "Yes" }],
                            "Default": "No",
                        },
                        "Yes": { "Type": "Pass", "Result": "yes", "End": true },
                        "No": { "Type": "Pass", "Result": "no", "End": true },
                    },
                },
                "End": true,
            }),
            input: json!(["a?", "ab"]),
            output: json!(["yes", "no"]),
        },
    ]
}

#[test]
fn moto_still_has_each_of_its_faults_and_the_engine_has_none() {
    moto::with(async |moto| {
        for (n, Fault { why, state, input, output }) in faults().into_iter().enumerate() {
            let definition = json!({ "StartAt": "Only", "States": { "Only": state } });
            let machine = Machine { name: format!("fault-{n}"), definition, input };
            let ours = engine::run(&machine);
            assert_eq!(ours.output, Some(output), "{why} {ours}");
            let theirs = moto.run(&machine).await;
            let is_mended = run::disagreement(&machine, &ours, &theirs).is_none();
            assert!(!is_mended, "moto has mended this; let machines be generated with it: {why}");
        }
    });
}
