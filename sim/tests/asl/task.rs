//! Task: calls, their events, and time-outs.

use serde_json::{Value, json};
use stopgap_sim::stepfunctions::Status;

use crate::support::{Answer, Lab, Outcome, fails, only, returns};

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

fn task(resource: &str, fields: Value) -> Value {
    let mut state = json!({"Type": "Task", "Resource": resource});
    if let (Value::Object(state), Value::Object(fields)) = (&mut state, fields) {
        state.extend(fields);
    }
    only(state)
}

fn run(definition: &Value, answer: Answer) -> Outcome {
    Lab::new(definition, &[("It", &[answer])]).run(json!({"x": 1}))
}

#[test]
fn an_integration_has_task_events_with_its_service_and_api() {
    let definition =
        task(INVOKE, json!({"Parameters": {"FunctionName": "f", "Payload.$": "$"}, "TimeoutSeconds": 5}));
    let outcome = run(&definition, returns(json!({"Payload": {"y": 2}, "StatusCode": 200})));
    assert_eq!(outcome.output(), json!({"Payload": {"y": 2}, "StatusCode": 200}));
    assert_eq!(
        outcome.chain(),
        [
            "ExecutionStarted 1<-0",
            "TaskStateEntered 2<-0",
            "TaskScheduled 3<-2",
            "TaskStarted 4<-3",
            "TaskSucceeded 5<-4",
            "TaskStateExited 6<-5",
            "ExecutionSucceeded 7<-6"
        ]
    );
    assert_eq!(
        outcome.event("TaskScheduled").to_json()["taskScheduledEventDetails"],
        json!({"resourceType": "lambda", "resource": "invoke", "region": "us-east-1",
               "parameters": "{\"FunctionName\":\"f\",\"Payload\":{\"x\":1}}", "timeoutInSeconds": 5})
    );
    assert_eq!(
        outcome.event("TaskStateEntered").to_json(),
        json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "TaskStateEntered", "id": 2, "previousEventId": 0,
               "stateEnteredEventDetails": {"name": "It", "input": "{\"x\":1}", "inputDetails": {"truncated": false}}})
    );
}

#[test]
fn an_sdk_integration_and_a_sync_one_name_their_parts() {
    for (resource, service, api) in [
        ("arn:aws:states:::aws-sdk:dynamodb:getItem", "aws-sdk:dynamodb", "getItem"),
        ("arn:aws:states:::ecs:runTask.sync", "ecs", "runTask.sync"),
        (
            "arn:aws:states:::elasticmapreduce:createCluster.sync:2",
            "elasticmapreduce",
            "createCluster.sync:2",
        ),
        ("arn:aws-cn:states:::sns:publish", "sns", "publish"),
    ] {
        let outcome = run(&task(resource, json!({})), returns(json!(1)));
        let scheduled = outcome.event("TaskScheduled");
        assert_eq!(scheduled.detail("resourceType"), Some(&json!(service)), "{resource}");
        assert_eq!(scheduled.detail("resource"), Some(&json!(api)), "{resource}");
        assert_eq!(outcome.types().contains(&"TaskSubmitted"), api.contains(".sync"), "{resource}");
    }
}

#[test]
fn a_function_arn_has_lambda_function_events() {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:F";
    let outcome = run(&task(function, json!({})), returns(json!("done")));
    assert_eq!(
        outcome.types()[2..5],
        ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]
    );
    assert_eq!(outcome.event("LambdaFunctionScheduled").detail("resource"), Some(&json!(function)));
    let outcome = run(&task(function, json!({})), fails("Boom", "why"));
    assert_eq!(outcome.types()[4..], ["LambdaFunctionFailed", "ExecutionFailed"]);
    let outcome = run(&task(function, json!({"TimeoutSeconds": 1})), returns(json!(1)).after(2));
    assert_eq!(outcome.types()[4..], ["LambdaFunctionTimedOut", "ExecutionFailed"]);
}

#[test]
fn an_activity_has_activity_events() {
    let outcome =
        run(&task("arn:aws:states:us-east-1:123456789012:activity:A", json!({})), returns(json!("done")));
    assert_eq!(outcome.types()[2..5], ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]);
}

#[test]
fn a_failure_that_nobody_handles_ends_the_execution_with_it() {
    let outcome = run(&task(INVOKE, json!({})), fails("Boom", "why"));
    assert_eq!(outcome.error(), ("Boom", "why"));
    assert_eq!(outcome.types()[4..], ["TaskFailed", "ExecutionFailed"]);
    assert_eq!(
        outcome.event("TaskFailed").to_json()["taskFailedEventDetails"],
        json!({"resourceType": "lambda", "resource": "invoke", "error": "Boom", "cause": "why"})
    );
}

#[test]
fn a_task_that_takes_too_long_fails_with_states_timeout_and_no_cause() {
    let definition = task(INVOKE, json!({"TimeoutSeconds": 5}));
    let outcome = run(&definition, returns(json!(1)).after(6));
    assert_eq!(outcome.execution.error.as_deref(), Some("States.Timeout"));
    assert_eq!(outcome.execution.cause, None);
    assert_eq!(outcome.seconds(), 5);
    assert_eq!(outcome.types()[4..], ["TaskTimedOut", "ExecutionFailed"]);
    assert_eq!(run(&definition, returns(json!(1)).after(4)).output(), json!(1));
}

#[test]
fn a_timeout_can_be_read_from_the_input_and_has_to_be_positive() {
    let lab = |seconds: Value| {
        let definition = task(INVOKE, json!({"TimeoutSecondsPath": "$.t"}));
        Lab::new(&definition, &[("It", &[returns(json!(1)).after(100)])]).run(json!({"t": seconds}))
    };
    assert_eq!(lab(json!(7)).seconds(), 7);
    assert_eq!(lab(json!(7)).error().0, "States.Timeout");
    for bad in [json!(0), json!("7"), json!(null)] {
        assert_eq!(lab(bad).error().0, "States.Runtime");
    }
}

#[test]
fn a_timeout_does_not_cancel_the_call_and_its_late_answer_is_ignored() {
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Task", "Resource": INVOKE, "TimeoutSeconds": 5,
               "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Later"}], "End": true},
        "Later": {"Type": "Wait", "Seconds": 100, "End": true}}});
    let lab = Lab::new(&definition, &[("It", &[returns(json!("late")).after(50)])]);
    let outcome = lab.run(json!({}));
    assert_eq!(outcome.output(), json!({"Error": "States.Timeout", "Cause": ""}));
    assert_eq!(outcome.seconds(), 105);
    assert_eq!(lab.script.calls.borrow().len(), 1);
    assert_eq!(lab.script.finished.get(), 1);
}

#[test]
fn an_answer_named_after_a_timeout_is_a_timeout() {
    let outcome = run(&task(INVOKE, json!({})), fails("States.Timeout", ""));
    assert_eq!(outcome.types()[4..], ["TaskTimedOut", "ExecutionFailed"]);
}

#[test]
fn the_result_is_selected_and_placed() {
    let definition = task(
        INVOKE,
        json!({
        "ResultSelector": {"code.$": "$.StatusCode"}, "ResultPath": "$.call", "OutputPath": "$.call.code"}),
    );
    assert_eq!(run(&definition, returns(json!({"StatusCode": 200, "Payload": 1}))).output(), json!(200));
}

#[test]
fn an_execution_ends_when_its_own_time_is_over() {
    let mut definition = task(INVOKE, json!({}));
    definition["TimeoutSeconds"] = json!(30);
    let outcome = run(&definition, returns(json!(1)).after(60));
    assert_eq!(outcome.execution.status, Status::TimedOut);
    assert_eq!(outcome.seconds(), 30);
    assert_eq!(outcome.types().last(), Some(&"ExecutionTimedOut"));
    assert_eq!((outcome.execution.error.as_deref(), outcome.execution.cause.as_deref()), (None, None));
    let event = outcome.event("ExecutionTimedOut");
    assert_eq!((event.previous_event_id, event.detail("error")), (0, Some(&json!("States.Timeout"))));
}

#[test]
fn the_role_of_a_task_is_recorded() {
    let role = json!({"Credentials": {"RoleArn.$": "$.role"}});
    let input = json!({"role": "arn:aws:iam::123456789012:role/spoke"});
    for resource in [INVOKE, "arn:aws:lambda:us-east-1:123456789012:function:f"] {
        let outcome =
            Lab::new(&task(resource, role.clone()), &[("It", &[returns(json!(1))])]).run(input.clone());
        let scheduled = &outcome.events[2];
        assert_eq!(
            scheduled.detail("taskCredentials"),
            Some(&json!({"roleArn": input["role"]})),
            "{resource}"
        );
    }
}

#[test]
fn a_missed_heartbeat_that_a_task_reports_is_recorded_as_a_timeout() {
    let outcome = run(&task(INVOKE, json!({})), fails("States.HeartbeatTimeout", ""));
    assert_eq!(outcome.error(), ("States.Timeout", ""));
    assert_eq!(outcome.types()[4..], ["TaskTimedOut", "ExecutionFailed"]);
}

#[test]
fn a_job_that_fails_was_submitted_unless_the_call_that_submits_it_failed() {
    let job = task("arn:aws:states:::ecs:runTask.sync", json!({"TimeoutSeconds": 10}));
    for (answer, events) in [
        (fails("States.TaskFailed", "{}"), vec!["TaskSubmitted", "TaskFailed", "ExecutionFailed"]),
        (returns(json!({})).after(60), vec!["TaskSubmitted", "TaskTimedOut", "ExecutionFailed"]),
        (fails("ECS.AmazonECSException", "no capacity"), vec!["TaskFailed", "ExecutionFailed"]),
    ] {
        assert_eq!(run(&job, answer).types()[4..], events);
    }
}
