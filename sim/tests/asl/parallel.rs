//! Parallel.

use serde_json::{Value, json};

use crate::support::{Answer, Lab, Outcome, fails, returns};

fn branch(name: &str) -> Value {
    json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}})
}

fn run(fields: Value, answers: &[(&str, &[Answer])]) -> Outcome {
    lab(fields, answers).run(json!({"x": 1}))
}

fn lab(fields: Value, answers: &[(&str, &[Answer])]) -> Lab {
    let mut state = json!({"Type": "Parallel", "Branches": [branch("A"), branch("B")], "End": true});
    let mut states = json!({});
    for (key, value) in fields.as_object().unwrap() {
        state[key] = value.clone();
    }
    if fields.get("Catch").is_some() {
        states["Caught"] = json!({"Type": "Pass", "End": true});
    }
    states["It"] = state;
    Lab::new(&json!({"StartAt": "It", "States": states}), answers)
}

#[test]
fn gives_every_branch_the_input_and_returns_their_outputs_in_order() {
    let outcome =
        run(json!({}), &[("A", &[returns(json!("a")).after(9)]), ("B", &[returns(json!("b")).after(3)])]);
    assert_eq!(outcome.output(), json!(["a", "b"]));
    assert_eq!(outcome.seconds(), 9);
    let echo = run(json!({"Parameters": {"y.$": "$.x"}}), &[]);
    assert_eq!(echo.output(), json!([{"y": 1}, {"y": 1}]));
}

#[test]
fn each_branch_has_a_chain_of_events_of_its_own() {
    let outcome = lab(json!({}), &[]).run(json!({}));
    assert_eq!(
        outcome.chain(),
        [
            "ExecutionStarted 1<-0",
            "ParallelStateEntered 2<-0",
            "ParallelStateStarted 3<-2",
            "TaskStateEntered 4<-3",
            "TaskScheduled 5<-4",
            "TaskStarted 6<-5",
            "TaskStateEntered 7<-3",
            "TaskScheduled 8<-7",
            "TaskStarted 9<-8",
            "TaskSucceeded 10<-6",
            "TaskStateExited 11<-10",
            "TaskSucceeded 12<-9",
            "TaskStateExited 13<-12",
            "ParallelStateSucceeded 14<-13",
            "ParallelStateExited 15<-13",
            "ExecutionSucceeded 16<-15",
        ]
    );
}

#[test]
fn one_failing_branch_ends_the_others_and_the_state_with_its_error() {
    let outcome =
        run(json!({}), &[("A", &[fails("Boom", "why").after(3)]), ("B", &[returns(json!("b")).after(9)])]);
    assert_eq!(outcome.error(), ("Boom", "why"));
    assert_eq!(outcome.seconds(), 3);
    assert_eq!(
        outcome.types()[9..],
        ["TaskFailed", "TaskStateAborted", "TaskStateAborted", "ParallelStateFailed", "ExecutionFailed"]
    );
}

#[test]
fn a_failing_branch_can_be_caught_by_its_error_or_as_a_failed_branch() {
    for name in ["Boom", "States.BranchFailed", "States.TaskFailed", "States.ALL"] {
        let catch = json!({"Catch": [{"ErrorEquals": [name], "Next": "Caught"}]});
        let outcome = run(catch, &[("A", &[fails("Boom", "why")])]);
        assert_eq!(outcome.output(), json!({"Error": "Boom", "Cause": "why"}), "{name}");
    }
}

#[test]
fn a_retry_runs_all_branches_again_and_only_the_last_failure_is_an_event() {
    let retry = json!({"Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 1}]});
    let lab = lab(retry, &[("A", &[fails("Boom", "")])]);
    let outcome = lab.run(json!({}));
    let count = |kind| outcome.types().iter().filter(|found| **found == kind).count();
    assert_eq!((count("ParallelStateStarted"), count("ParallelStateFailed")), (2, 1));
    assert_eq!(lab.script.calls.borrow().len(), 4);
}

#[test]
fn a_fail_state_in_a_branch_fails_the_whole() {
    let fail = json!({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Own", "Cause": "c"}}});
    let wait = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 10, "End": true}}});
    let outcome = run(json!({"Branches": [wait, fail]}), &[]);
    assert_eq!(outcome.error(), ("Own", "c"));
    assert_eq!(outcome.types()[5..], ["WaitStateAborted", "ParallelStateFailed", "ExecutionFailed"]);
}

#[test]
fn selects_and_places_the_array() {
    let fields = json!({"ResultSelector": {"first.$": "$[0].x"}, "ResultPath": "$.r"});
    assert_eq!(run(fields, &[]).output(), json!({"x": 1, "r": {"first": 1}}));
}

#[test]
fn the_state_that_failed_is_aborted_too_if_it_is_a_task() {
    let one =
        json!({"Branches": [branch("A")], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]});
    assert_eq!(
        run(one, &[("A", &[fails("Boom", "why")])]).chain()[6..10],
        ["TaskFailed 7<-6", "TaskStateAborted 8<-7", "ParallelStateFailed 9<-7", "ParallelStateExited 10<-9"]
    );
}

#[test]
fn a_states_runtime_in_a_branch_ends_the_execution_without_further_ado() {
    let broken = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"m.$": "$.nope"}, "End": true}}});
    let outcome = run(json!({"Branches": [broken]}), &[]);
    assert_eq!(
        outcome.chain(),
        [
            "ExecutionStarted 1<-0",
            "ParallelStateEntered 2<-0",
            "ParallelStateStarted 3<-2",
            "PassStateEntered 4<-3",
            "ExecutionFailed 5<-4",
        ]
    );
    assert_eq!(outcome.error().0, "States.Runtime");
}

#[test]
fn a_result_selector_that_fails_does_so_after_the_branches_succeeded() {
    let branch = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let outcome = run(json!({"Branches": [branch], "ResultSelector": {"m.$": "$.nope"}}), &[]);
    assert_eq!(outcome.chain()[5..], ["ParallelStateSucceeded 6<-5", "ExecutionFailed 7<-6"]);
}

#[test]
fn a_failing_branch_stops_the_execution_another_one_waits_for() {
    let child = "arn:aws:states:us-east-1:123456789012:stateMachine:child";
    let nest = json!({"StartAt": "N", "States": {"N": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": {"StateMachineArn": child, "Name": "c"}}}});
    let fail = json!({"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 5, "Next": "F"}, "F": {"Type": "Fail", "Error": "Boom"}}});
    let lab = lab(json!({"Branches": [nest, fail]}), &[]);
    let long = json!({"StartAt": "L", "States": {"L": {"Type": "Wait", "Seconds": 60, "End": true}}});
    lab.sfn.create_state_machine("child", crate::support::parse(&long));
    assert_eq!(lab.run(json!({})).error().0, "Boom");
    let child =
        lab.sfn.describe_execution("arn:aws:states:us-east-1:123456789012:execution:child:c").unwrap();
    assert_eq!(child.status.as_str(), "ABORTED");
    assert_eq!(child.stopped.unwrap().duration_since(child.started).as_secs(), 5);
}
