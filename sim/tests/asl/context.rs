//! The context object.

use serde_json::json;

use crate::support::{Lab, only, parameters};

#[test]
fn tells_of_execution_machine_and_state() {
    let outcome = parameters(json!({"all.$": "$$"}), json!({"x": 1}));
    let context = &outcome.output()["all"];
    let execution = "arn:aws:states:us-east-1:123456789012:execution:machine:test";
    assert_eq!(
        *context,
        json!({
            "Execution": {
                "Id": execution, "Input": {"x": 1}, "Name": "test",
                "RoleArn": "arn:aws:iam::123456789012:role/StepFunctions",
                "StartTime": "2026-01-01T00:00:00.000Z", "RedriveCount": 0,
            },
            "StateMachine": {"Id": "arn:aws:states:us-east-1:123456789012:stateMachine:machine", "Name": "machine"},
            "State": {"Name": "It", "EnteredTime": "2026-01-01T00:00:00.000Z"},
        })
    );
    assert_eq!(outcome.execution.arn, execution);
}

#[test]
fn a_path_that_leads_nowhere_is_told_with_all_that_is_there() {
    let template = json!({"id.$": "$$.Execution.Id", "input.$": "$$.Execution.Input.x"});
    assert_eq!(parameters(template, json!({"x": 1})).output()["input"], 1);
    for path in ["$$.Execution.Nothing", "$$.Nothing.Id", "$$.Execution.Id.Nothing"] {
        let outcome = parameters(json!({"nothing.$": path}), json!({"x": 1}));
        let (error, cause) = outcome.error();
        assert_eq!(error, "States.Runtime");
        assert!(cause.contains(r#""Input":{"x":1}"#), "{cause}");
    }
}

#[test]
fn only_states_that_can_be_retried_have_a_retry_count() {
    let state = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"n.$": "$$.State.RetryCount"}});
    assert_eq!(Lab::new(&only(state), &[]).run(json!({})).output(), json!({"n": 0}));
    assert_eq!(parameters(json!({"n.$": "$$.State.RetryCount"}), json!({})).error().0, "States.Runtime");
}

#[test]
fn the_entered_time_is_that_of_the_state_and_the_start_time_that_of_the_execution() {
    let definition = json!({"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 61, "Next": "P"},
        "P": {"Type": "Pass", "End": true,
              "Parameters": {"entered.$": "$$.State.EnteredTime", "started.$": "$$.Execution.StartTime"}}}});
    let output = Lab::new(&definition, &[]).run(json!({})).output();
    assert_eq!(output, json!({"entered": "2026-01-01T00:01:01.000Z", "started": "2026-01-01T00:00:00.000Z"}));
}

#[test]
fn choice_and_paths_can_read_it() {
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Choice", "Choices": [{"Variable": "$$.Execution.Name", "StringEquals": "test", "Next": "P"}]},
        "P": {"Type": "Pass", "InputPath": "$$.Execution.Input", "End": true}}});
    assert_eq!(Lab::new(&definition, &[]).run(json!({"x": 1})).output(), json!({"x": 1}));
}

#[test]
fn there_is_no_item_outside_of_a_map() {
    let outcome = Lab::new(&only(json!({"Type": "Pass", "Parameters": {"a.$": "$$.Map.Item.Index"}})), &[])
        .run(json!({}));
    assert_eq!(outcome.error().0, "States.Runtime");
}
