//! Catch.

use serde_json::{Value, json};

use crate::support::{Answer, Lab, Outcome, fails};

fn run(task: Value, answers: &[Answer]) -> Outcome {
    let mut state = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true});
    for (key, value) in task.as_object().unwrap() {
        state[key] = value.clone();
    }
    let definition = json!({"StartAt": "It", "States": {
        "It": state, "Caught": {"Type": "Pass", "End": true}, "Other": {"Type": "Pass", "Result": "other", "End": true}}});
    let mut definition = definition;
    if !state_names(&definition, "Other") {
        definition["States"].as_object_mut().unwrap().remove("Other");
    }
    Lab::new(&definition, &[("It", answers)]).run(json!({"x": 1}))
}

fn state_names(definition: &Value, name: &str) -> bool {
    definition["States"]["It"].to_string().contains(&format!("\"Next\":\"{name}\""))
}

#[test]
fn the_error_output_replaces_the_input_by_default() {
    let outcome =
        run(json!({"Catch": [{"ErrorEquals": ["Boom"], "Next": "Caught"}]}), &[fails("Boom", "why")]);
    assert_eq!(outcome.output(), json!({"Error": "Boom", "Cause": "why"}));
    assert_eq!(outcome.types()[4..7], ["TaskFailed", "TaskStateExited", "PassStateEntered"]);
}

#[test]
fn a_result_path_keeps_the_input_and_the_output_path_does_not_apply() {
    let task = json!({"OutputPath": "$.nope", "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]});
    assert_eq!(
        run(task, &[fails("Boom", "why")]).output(),
        json!({"x": 1, "error": {"Error": "Boom", "Cause": "why"}})
    );
    let task = json!({"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "Caught"}]});
    assert_eq!(run(task, &[fails("Boom", "why")]).output(), json!({"x": 1}));
}

#[test]
fn the_first_catcher_that_matches_decides_and_none_lets_the_error_through() {
    let catch = json!({"Catch": [{"ErrorEquals": ["A"], "Next": "Caught"}, {"ErrorEquals": ["B", "C"], "Next": "Other"}]});
    assert_eq!(run(catch.clone(), &[fails("C", "")]).output(), json!("other"));
    assert_eq!(run(catch.clone(), &[fails("A", "")]).output()["Error"], json!("A"));
    assert_eq!(run(catch, &[fails("D", "")]).error().0, "D");
}

#[test]
fn retries_come_first() {
    let task = json!({"Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 2}],
                      "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]});
    let outcome = run(task, &[fails("Boom", "1"), fails("Boom", "2"), fails("Boom", "3")]);
    assert_eq!(outcome.output()["Cause"], json!("3"));
    assert_eq!(outcome.seconds(), 3);
}

#[test]
fn wildcards_do_not_catch_what_is_terminal() {
    for name in ["States.ALL", "States.TaskFailed"] {
        let catch = json!({"Catch": [{"ErrorEquals": [name], "Next": "Caught"}]});
        assert_eq!(
            run(catch.clone(), &[fails("States.DataLimitExceeded", "")]).error().0,
            "States.DataLimitExceeded"
        );
        assert_eq!(run(catch.clone(), &[fails("States.Runtime", "")]).error().0, "States.Runtime");
        assert_eq!(run(catch, &[fails("Lambda.Unknown", "")]).output()["Error"], json!("Lambda.Unknown"));
    }
    let catch = json!({"Catch": [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Caught"}]});
    assert_eq!(
        run(catch, &[fails("States.DataLimitExceeded", "")]).output()["Error"],
        json!("States.DataLimitExceeded")
    );
    let catch = json!({"Catch": [{"ErrorEquals": ["States.Runtime"], "Next": "Caught"}]});
    assert_eq!(run(catch, &[fails("States.Runtime", "")]).error().0, "States.Runtime");
}

#[test]
fn a_failing_intrinsic_function_can_be_caught() {
    let task = json!({"Parameters": {"a.$": "States.ArrayGetItem(States.Array(), 0)"},
                      "Catch": [{"ErrorEquals": ["States.IntrinsicFailure"], "Next": "Caught"}]});
    assert_eq!(run(task, &[]).output()["Error"], json!("States.IntrinsicFailure"));
}
