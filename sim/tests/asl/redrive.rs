//! Redrive.

use serde_json::json;
use stopgap_sim::stepfunctions::{RedriveError, Status};

use crate::support::{Lab, fails, only, returns};

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

#[test]
fn goes_on_at_the_failed_state_with_its_input_and_keeps_the_history() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": INVOKE, "ResultPath": "$.a", "Next": "B"},
        "B": {"Type": "Task", "Resource": INVOKE, "Parameters": {"in.$": "$", "redrives.$": "$$.Execution.RedriveCount"}, "End": true}}});
    let lab = Lab::new(
        &definition,
        &[("A", &[returns(json!(1))]), ("B", &[fails("Boom", ""), returns(json!("ok"))])],
    );
    let failed = lab.run(json!({"x": 1}));
    assert_eq!(failed.error().0, "Boom");
    let arn = failed.execution.arn;
    lab.sfn.redrive_execution(&arn).unwrap();
    lab.runtime.run();
    let outcome = lab.outcome(&arn);
    assert_eq!(outcome.output(), json!("ok"));
    assert_eq!(outcome.execution.redrive_count, 1);
    let calls = lab.script.calls.borrow();
    let names: Vec<&str> = calls.iter().map(|call| call.state.as_str()).collect();
    assert_eq!(names, ["A", "B", "B"]);
    assert_eq!(calls[2].parameters, json!({"in": {"x": 1, "a": 1}, "redrives": 1}));
    let at = outcome.types().iter().position(|kind| *kind == "ExecutionRedriven").unwrap();
    assert_eq!(outcome.types()[at - 1], "ExecutionFailed");
    assert_eq!(outcome.events[at].previous_event_id, at as u64);
}

#[test]
fn retries_are_counted_anew() {
    let state =
        json!({"Type": "Task", "Resource": INVOKE, "Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 1}]});
    let lab = Lab::new(&only(state), &[("It", &[fails("Boom", "")])]);
    let arn = lab.run(json!({})).execution.arn;
    lab.sfn.redrive_execution(&arn).unwrap();
    lab.runtime.run();
    assert_eq!(lab.script.calls.borrow().len(), 4);
}

#[test]
fn only_the_branches_and_iterations_that_did_not_succeed_run_again() {
    let work = |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": INVOKE, "End": true}}});
    let parallel = json!({"Type": "Parallel", "Branches": [work("A"), work("B"), work("C")]});
    let answers: [(&str, &[_]); 3] = [
        ("A", &[returns(json!("a"))]),
        ("B", &[fails("Boom", "").after(5), returns(json!("b"))]),
        ("C", &[returns(json!("c")).after(60)]),
    ];
    let lab = Lab::new(&only(parallel), &answers);
    let arn = lab.run(json!({})).execution.arn;
    lab.sfn.redrive_execution(&arn).unwrap();
    lab.runtime.run();
    assert_eq!(lab.outcome(&arn).output(), json!(["a", "b", "c"]));
    let calls: Vec<String> = lab.script.calls.borrow().iter().map(|call| call.state.clone()).collect();
    assert_eq!(calls, ["A", "B", "C", "B", "C"]);

    let map = json!({"Type": "Map", "ItemProcessor": work("M")});
    let lab =
        Lab::new(&only(map), &[("M", &[returns(json!(1)), fails("Boom", "").after(1), returns(json!(2))])]);
    let arn = lab.run(json!([7, 8])).execution.arn;
    lab.sfn.redrive_execution(&arn).unwrap();
    lab.runtime.run();
    assert_eq!(lab.outcome(&arn).output(), json!([1, 2]));
    assert_eq!(lab.script.calls.borrow().last().unwrap().parameters, json!(8));
}

#[test]
fn a_timed_out_execution_gets_its_time_again() {
    let mut definition = only(json!({"Type": "Task", "Resource": INVOKE}));
    definition["TimeoutSeconds"] = json!(30);
    let lab = Lab::new(&definition, &[("It", &[returns(json!(1)).after(60), returns(json!(2)).after(20)])]);
    let outcome = lab.run(json!({}));
    assert_eq!(outcome.execution.status, Status::TimedOut);
    lab.sfn.redrive_execution(&outcome.execution.arn).unwrap();
    lab.runtime.run();
    assert_eq!(lab.outcome(&outcome.execution.arn).output(), json!(2));
}

#[test]
fn what_succeeded_runs_or_ended_long_ago_is_not_redriven() {
    let lab = Lab::new(&only(json!({"Type": "Wait", "Seconds": 5})), &[]);
    let arn = lab.start(json!({}));
    assert!(matches!(lab.sfn.redrive_execution(&arn), Err(RedriveError::NotRedrivable(_))));
    lab.runtime.run();
    assert!(matches!(lab.sfn.redrive_execution(&arn), Err(RedriveError::NotRedrivable(_))));
    assert!(matches!(lab.sfn.redrive_execution("arn:none"), Err(RedriveError::ExecutionDoesNotExist(_))));

    let lab = Lab::new(&only(json!({"Type": "Fail"})), &[]);
    let arn = lab.run(json!({})).execution.arn;
    lab.runtime.run_until("2026-01-15T00:00:00Z".parse().unwrap());
    assert!(lab.sfn.redrive_execution(&arn).is_ok());
    lab.runtime.run_until("2026-01-29T00:00:01Z".parse().unwrap());
    assert!(matches!(lab.sfn.redrive_execution(&arn), Err(RedriveError::NotRedrivable(_))));
}
