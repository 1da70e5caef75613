//! `states:startExecution`.

use serde_json::{Value, json};
use stopgap_sim::stepfunctions::{Settings, Status};

use crate::support::{Lab, only, parse};

const CHILD: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:child";

fn lab(suffix: &str, child: &Value) -> Lab {
    let state = json!({"Type": "Task", "Resource": format!("arn:aws:states:::states:startExecution{suffix}"),
                       "Parameters": {"StateMachineArn": CHILD, "Name": "c1", "Input.$": "$"}});
    let lab = Lab::new(&only(state), &[]);
    lab.sfn.create_state_machine("child", parse(child));
    lab
}

fn wait() -> Value {
    json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}})
}

#[test]
fn a_request_does_not_wait_for_the_child() {
    let lab = lab("", &wait());
    let outcome = lab.run(json!({"a": 1}));
    let arn = "arn:aws:states:us-east-1:123456789012:execution:child:c1";
    assert_eq!(outcome.output()["ExecutionArn"], json!(arn));
    assert_eq!(outcome.seconds(), 0);
    let child = lab.sfn.describe_execution(arn).unwrap();
    assert_eq!((child.status, &*child.input), (Status::Succeeded, &json!({"a": 1})));
}

#[test]
fn sync_returns_how_the_child_ended_as_text_or_as_json() {
    let outcome = lab(".sync:2", &wait()).run(json!({"a": 1}));
    assert_eq!(outcome.seconds(), 60);
    assert_eq!(outcome.output()["Status"], json!("SUCCEEDED"));
    assert_eq!(outcome.output()["Output"], json!({"a": 1}));
    assert_eq!(outcome.types()[2..6], ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]);
    assert_eq!(lab(".sync", &wait()).run(json!({"a": 1})).output()["Output"], json!("{\"a\":1}"));
}

#[test]
fn a_child_that_fails_fails_the_task_with_its_description_as_the_cause() {
    let fail = json!({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Boom", "Cause": "why"}}});
    let outcome = lab(".sync:2", &fail).run(json!({}));
    assert_eq!(outcome.error().0, "States.TaskFailed");
    let cause: Value = serde_json::from_str(outcome.error().1).unwrap();
    assert_eq!(
        (&cause["Status"], &cause["Error"], &cause["Cause"]),
        (&json!("FAILED"), &json!("Boom"), &json!("why"))
    );
}

#[test]
fn stopping_the_parent_or_its_time_out_stops_the_child_it_waits_for() {
    let lab = lab(".sync:2", &wait());
    let arn = lab.start(json!({}));
    lab.runtime.run_until("2026-01-01T00:00:10Z".parse().unwrap());
    lab.sfn.stop_execution(&arn, Some("Enough"), Some("by hand"));
    let statuses: Vec<Status> = lab.sfn.executions().iter().map(|execution| execution.status).collect();
    assert_eq!(statuses, [Status::Aborted, Status::Aborted]);
    let cause = lab.sfn.executions()[1].cause.clone().unwrap();
    assert_eq!(
        cause,
        format!(
            "The Task state in AWS Step Functions execution [{arn}] which was managing this resource was aborted"
        )
    );
    lab.runtime.run();
    assert_eq!(lab.outcome(&arn).execution.error.as_deref(), Some("Enough"));
}

#[test]
fn a_name_that_is_taken_is_an_error_that_can_be_caught() {
    let definition = |next: Value| {
        let mut state = json!({"Type": "Task", "Resource": "arn:aws:states:::states:startExecution",
            "Parameters": {"StateMachineArn": CHILD, "Name": "same", "Input": {"n.$": "$$.State.Name"}}});
        state.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
        state
    };
    let definition = json!({"StartAt": "First", "States": {
        "First": definition(json!({"Next": "Second"})),
        "Second": definition(json!({"End": true,
            "Catch": [{"ErrorEquals": ["StepFunctions.ExecutionAlreadyExistsException"], "Next": "Known"}]})),
        "Known": {"Type": "Pass", "Result": "known", "End": true}}});
    let lab = Lab::new(&definition, &[]);
    lab.sfn.create_state_machine("child", parse(&wait()));
    assert_eq!(lab.run(json!({})).output(), json!("known"));
}

#[test]
fn an_unknown_machine_is_named() {
    let state = json!({"Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "Parameters": {"StateMachineArn": "arn:x"}});
    let outcome = Lab::new(&only(state), &[]).run(json!({}));
    assert_eq!(outcome.error().0, "StepFunctions.StateMachineDoesNotExistException");
    assert!(outcome.error().1.contains("arn:x"));
}

#[test]
fn the_runner_gets_the_call_when_it_is_asked_for() {
    let state = json!({"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": {"n": 1}});
    let settings = Settings { delegate_nested: true, ..Settings::default() };
    let lab = Lab::with(&only(state), &[], settings);
    assert_eq!(lab.run(json!({})).output(), json!({"n": 1}));
    assert_eq!(lab.script.calls.borrow()[0].resource, "arn:aws:states:::states:startExecution.sync:2");
}
