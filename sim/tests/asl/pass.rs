//! Pass, and the input and output processing it shows in its plainest form.

use serde_json::json;

use crate::support::{only, run};

#[test]
fn hands_on_its_input() {
    let outcome = run(&only(json!({"Type": "Pass"})), json!({"a": 1}));
    assert_eq!(outcome.output(), json!({"a": 1}));
    assert_eq!(
        outcome.chain(),
        ["ExecutionStarted 1<-0", "PassStateEntered 2<-0", "PassStateExited 3<-2", "ExecutionSucceeded 4<-3"]
    );
}

#[test]
fn puts_its_result_where_the_result_path_says() {
    let state = json!({"Type": "Pass", "Result": {"x": 0.381}, "ResultPath": "$.coords"});
    assert_eq!(
        run(&only(state), json!({"of": "Home"})).output(),
        json!({"of": "Home", "coords": {"x": 0.381}})
    );
}

#[test]
fn makes_the_objects_a_result_path_leads_through() {
    let state = json!({"Type": "Pass", "Result": 1, "ResultPath": "$.a.b.c"});
    assert_eq!(run(&only(state), json!({"a": {"x": 2}})).output(), json!({"a": {"x": 2, "b": {"c": 1}}}));
}

#[test]
fn replaces_an_element_of_an_array_but_adds_none() {
    let state = |path| only(json!({"Type": "Pass", "Result": 9, "ResultPath": path}));
    assert_eq!(run(&state("$.a[1]"), json!({"a": [1, 2]})).output(), json!({"a": [1, 9]}));
    let outcome = run(&state("$.a[2]"), json!({"a": [1, 2]}));
    assert_eq!(outcome.error().0, "States.ResultPathMatchFailure");
}

#[test]
fn a_result_path_through_a_scalar_does_not_match() {
    let state = json!({"Type": "Pass", "Result": 1, "ResultPath": "$.a.b"});
    let outcome = run(&only(state), json!({"a": "text"}));
    assert_eq!(outcome.error().0, "States.ResultPathMatchFailure");
    assert!(
        outcome
            .error()
            .1
            .starts_with("An error occurred while executing the state 'It' (entered at the event id #2).")
    );
}

#[test]
fn a_null_result_path_drops_the_result_and_a_null_input_path_gives_an_empty_object() {
    let dropped = json!({"Type": "Pass", "Result": 1, "ResultPath": null});
    assert_eq!(run(&only(dropped), json!({"a": 1})).output(), json!({"a": 1}));
    assert_eq!(run(&only(json!({"Type": "Pass", "InputPath": null})), json!({"a": 1})).output(), json!({}));
    assert_eq!(run(&only(json!({"Type": "Pass", "OutputPath": null})), json!({"a": 1})).output(), json!({}));
}

#[test]
fn the_result_path_works_on_the_raw_input_not_on_what_the_input_path_selected() {
    let state = json!({"Type": "Pass", "InputPath": "$.a", "ResultPath": "$.copy"});
    assert_eq!(run(&only(state), json!({"a": 1, "b": 2})).output(), json!({"a": 1, "b": 2, "copy": 1}));
}

#[test]
fn steps_are_taken_in_order_input_parameters_result_output() {
    let state = json!({
        "Type": "Pass", "InputPath": "$.in", "Parameters": {"y.$": "$.x", "z": 2}, "ResultPath": "$.out",
        "OutputPath": "$.out",
    });
    assert_eq!(run(&only(state), json!({"in": {"x": 1}})).output(), json!({"y": 1, "z": 2}));
}

#[test]
fn a_missing_input_path_ends_the_execution_with_states_runtime() {
    let outcome = run(&only(json!({"Type": "Pass", "InputPath": "$.a"})), json!({"b": 1}));
    assert_eq!(
        outcome.error(),
        (
            "States.Runtime",
            "An error occurred while executing the state 'It' (entered at the event id #2). Invalid path '$.a' : No \
             results for path: $['a']"
        )
    );
    assert_eq!(outcome.types(), ["ExecutionStarted", "PassStateEntered", "ExecutionFailed"]);
}

#[test]
fn keeps_the_order_of_fields_and_the_size_of_numbers() {
    let input = json!({"z": 1, "a": 9_007_199_254_740_993_i64, "m": 1.5});
    let outcome = run(&only(json!({"Type": "Pass"})), input);
    assert_eq!(outcome.output().to_string(), r#"{"z":1,"a":9007199254740993,"m":1.5}"#);
}
