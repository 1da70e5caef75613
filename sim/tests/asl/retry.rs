//! Retry.

use serde_json::{Value, json};

use crate::support::{Answer, Lab, Outcome, fails, only, returns};

fn lab(retry: Value, answers: &[Answer]) -> Lab {
    let state = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Retry": retry,
                       "Parameters": {"count.$": "$$.State.RetryCount"}});
    Lab::new(&only(state), &[("It", answers)])
}

fn run(retry: Value, answers: &[Answer]) -> Outcome {
    lab(retry, answers).run(json!({}))
}

/// Seconds from the start at which each attempt was scheduled.
fn attempts(outcome: &Outcome) -> Vec<f64> {
    let start = outcome.events[0].timestamp;
    let scheduled = outcome.events.iter().filter(|event| event.event_type == "TaskScheduled");
    scheduled.map(|event| event.timestamp.duration_since(start).as_secs_f64()).collect()
}

#[test]
fn tries_three_times_more_after_1_2_and_4_seconds_by_default() {
    let outcome = run(json!([{"ErrorEquals": ["Boom"]}]), &[fails("Boom", "x")]);
    assert_eq!(outcome.error(), ("Boom", "x"));
    assert_eq!(attempts(&outcome), [0.0, 1.0, 3.0, 7.0]);
    assert_eq!(outcome.types().iter().filter(|kind| **kind == "TaskStateEntered").count(), 1);
}

#[test]
fn stops_trying_when_it_works_and_tells_the_task_how_often_it_tried() {
    let lab = lab(
        json!([{"ErrorEquals": ["Boom"]}]),
        &[fails("Boom", ""), fails("Boom", ""), returns(json!("ok"))],
    );
    assert_eq!(lab.run(json!({})).output(), json!("ok"));
    let counts: Vec<Value> =
        lab.script.calls.borrow().iter().map(|call| call.parameters["count"].clone()).collect();
    assert_eq!(counts, [0, 1, 2]);
    assert_eq!(lab.sfn.transitions(), 3);
}

#[test]
fn backs_off_up_to_the_maximum_delay() {
    let retry = json!([{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3, "MaxAttempts": 4, "BackoffRate": 1.5,
                        "MaxDelaySeconds": 5}]);
    assert_eq!(attempts(&run(retry, &[fails("Boom", "")])), [0.0, 3.0, 7.5, 12.5, 17.5]);
}

#[test]
fn full_jitter_waits_for_less_and_depends_on_the_seed_only() {
    let retry = json!([{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "JitterStrategy": "FULL"}]);
    let first = attempts(&run(retry.clone(), &[fails("Boom", "")]));
    assert_eq!(first, attempts(&run(retry, &[fails("Boom", "")])));
    let waits: Vec<f64> = first.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[0] < 100.0 && waits[1] < 200.0 && waits[2] < 400.0, "{waits:?}");
    assert_ne!(waits, [100.0, 200.0, 400.0]);
}

#[test]
fn zero_attempts_mean_never() {
    let retry = json!([{"ErrorEquals": ["Boom"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}]);
    let outcome = run(retry.clone(), &[fails("Boom", "")]);
    assert_eq!(attempts(&outcome), [0.0]);
    assert_eq!(attempts(&run(retry, &[fails("Other", ""), returns(json!(1))])), [0.0, 1.0]);
}

#[test]
fn each_retrier_counts_for_itself() {
    let retry = json!([{"ErrorEquals": ["A"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1},
                       {"ErrorEquals": ["B"], "IntervalSeconds": 10, "MaxAttempts": 1}]);
    let outcome = run(retry, &[fails("A", ""), fails("B", ""), fails("A", ""), fails("A", "last")]);
    assert_eq!(outcome.error(), ("A", "last"));
    assert_eq!(attempts(&outcome), [0.0, 1.0, 11.0, 12.0]);
}

#[test]
fn task_failed_matches_everything_but_timeouts() {
    let retry = json!([{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1}]);
    assert_eq!(attempts(&run(retry.clone(), &[fails("Anything", "")])).len(), 2);
    assert_eq!(attempts(&run(retry, &[fails("States.Timeout", "")])).len(), 1);
    let retry = json!([{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}]);
    assert_eq!(attempts(&run(retry, &[fails("States.Timeout", "")])).len(), 2);
}

#[test]
fn names_are_compared_as_they_are() {
    let retry = json!([{"ErrorEquals": ["boom", "Boo"], "MaxAttempts": 1}]);
    assert_eq!(attempts(&run(retry, &[fails("Boom", "")])).len(), 1);
}

#[test]
fn a_states_runtime_is_never_retried() {
    let state = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"a.$": "$.nope"},
                       "Retry": [{"ErrorEquals": ["States.ALL"]}]});
    let outcome = Lab::new(&only(state), &[]).run(json!({}));
    assert_eq!(outcome.error().0, "States.Runtime");
    assert_eq!(outcome.types(), ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]);
}
