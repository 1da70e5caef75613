//! Payload templates.

use serde_json::json;

use crate::support::{parameters, parse};

#[test]
fn computes_fields_at_any_depth_and_takes_the_rest_as_it_stands() {
    let template = json!({
        "flagged": true,
        "parts": {"first.$": "$.vals[0]", "last3.$": "$.vals[3:]"},
        "list": [{"x.$": "$.flagged"}, "$.flagged", 1],
    });
    let outcome = parameters(template, json!({"flagged": 7, "vals": [0, 10, 20, 30, 40, 50]}));
    assert_eq!(
        outcome.output(),
        json!({
            "flagged": true,
            "parts": {"first": 0, "last3": [30, 40, 50]},
            "list": [{"x": 7}, "$.flagged", 1],
        })
    );
}

#[test]
fn a_path_that_leads_nowhere_ends_the_execution_in_the_words_of_aws() {
    let outcome = parameters(json!({"address.$": "$.application.address"}), json!({"flagged": false}));
    assert_eq!(
        outcome.error(),
        (
            "States.Runtime",
            "An error occurred while executing the state 'It' (entered at the event id #2). The JSONPath \
             '$.application.address' specified for the field 'address.$' could not be found in the input \
             '{\"flagged\":false}'"
        )
    );
}

#[test]
fn an_index_behind_the_end_of_an_array_is_null_but_only_there() {
    let input = json!({"a": [1], "o": {}});
    assert_eq!(parameters(json!({"x.$": "$.a[5]"}), input.clone()).output(), json!({"x": null}));
    for path in ["$.a[5].b", "$.o[0]", "$.nope[0]", "States.Array($.a[5])"] {
        assert_eq!(parameters(json!({"x.$": path}), input.clone()).error().0, "States.Runtime", "{path}");
    }
}

#[test]
fn a_path_in_a_field_that_lacks_the_suffix_is_text_but_is_warned_about() {
    let definition = json!({"StartAt": "It", "States": {"It": {
        "Type": "Pass", "Parameters": {"a": "$.b", "c": "costs $5", "d": "States.UUID()"}, "End": true}}});
    let warnings: Vec<String> = parse(&definition).warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("States.It.Parameters.a: "), "{warnings:?}");
    assert_eq!(parameters(json!({"a": "$.b"}), json!({})).output(), json!({"a": "$.b"}));
}
