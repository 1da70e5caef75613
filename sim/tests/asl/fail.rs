//! Fail and Succeed.

use serde_json::{Value, json};

use crate::support::{only, run};

fn fail(fields: Value) -> crate::support::Outcome {
    let mut state = fields;
    state["Type"] = json!("Fail");
    run(&only(state), json!({"error": "FromInput", "cause": "because", "n": 1}))
}

#[test]
fn ends_with_the_given_error_and_has_no_exit() {
    let outcome = fail(json!({"Error": "ErrorA", "Cause": "Kaiju attack"}));
    assert_eq!(outcome.error(), ("ErrorA", "Kaiju attack"));
    assert_eq!(outcome.types(), ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]);
    assert_eq!(outcome.event("ExecutionFailed").detail("cause"), Some(&json!("Kaiju attack")));
}

#[test]
fn reads_error_and_cause_from_the_input_or_makes_them() {
    let outcome = fail(json!({"ErrorPath": "$.error", "CausePath": "States.Format('It was {}.', $.cause)"}));
    assert_eq!(outcome.error(), ("FromInput", "It was because."));
    assert_eq!(fail(json!({"ErrorPath": "$.n"})).error().0, "States.Runtime");
    assert_eq!(fail(json!({"CausePath": "$.nope"})).error().0, "States.Runtime");
}

#[test]
fn succeed_selects_its_output() {
    let outcome = run(
        &only(json!({"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"})),
        json!({"a": {"b": 1}}),
    );
    assert_eq!(outcome.output(), json!(1));
    assert_eq!(
        outcome.types(),
        ["ExecutionStarted", "SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded"]
    );
}

#[test]
fn error_and_cause_may_both_be_missing() {
    let outcome = fail(json!({}));
    assert_eq!((outcome.execution.error, outcome.execution.cause), (None, None));
}
