//! `.waitForTaskToken`, heartbeats, and tokens that come too late.

use std::time::Duration;

use serde_json::{Value, json};
use stopgap_sim::stepfunctions::TokenError;

use crate::support::{Answer, Lab, fails, only, returns};

fn lab(fields: Value, answers: &[Answer]) -> Lab {
    let mut state = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                           "Parameters": {"Payload": {"token.$": "$$.Task.Token"}}});
    for (key, value) in fields.as_object().unwrap() {
        state[key] = value.clone();
    }
    Lab::new(&only(state), &[("It", answers)])
}

impl Lab {
    fn at(&self, seconds: u64) -> &Self {
        self.runtime.run_until(crate::support::start_time() + Duration::from_secs(seconds));
        self
    }

    fn token(&self, call: usize) -> String {
        let call = self.script.calls.borrow()[call].clone();
        assert_eq!(call.parameters["Payload"]["token"], json!(call.task_token));
        call.task_token.unwrap()
    }
}

#[test]
fn goes_on_when_the_token_comes_back() {
    let lab = lab(json!({}), &[returns(json!({"StatusCode": 200}))]);
    let arn = lab.start(json!({}));
    lab.at(30).sfn.send_task_success(&lab.token(0), json!("answer")).unwrap();
    lab.runtime.run();
    let outcome = lab.outcome(&arn);
    assert_eq!(outcome.output(), json!("answer"));
    assert_eq!(outcome.seconds(), 30);
    assert_eq!(
        outcome.types()[2..7],
        ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited"]
    );
    assert_eq!(outcome.event("TaskScheduled").detail("resource"), Some(&json!("invoke.waitForTaskToken")));
}

#[test]
fn fails_when_the_token_comes_back_with_a_failure_or_the_call_itself_fails() {
    let callback = lab(json!({}), &[returns(json!({}))]);
    let arn = callback.start(json!({}));
    callback.at(1).sfn.send_task_failure(&callback.token(0), "Boom", "why").unwrap();
    callback.runtime.run();
    assert_eq!(callback.outcome(&arn).error(), ("Boom", "why"));
    let outcome = lab(json!({}), &[fails("Lambda.Unknown", "x")]).run(json!({}));
    assert_eq!(outcome.error(), ("Lambda.Unknown", "x"));
}

#[test]
fn takes_an_answer_that_comes_before_the_call_returns() {
    let lab = lab(json!({}), &[returns(json!({})).after(60)]);
    let arn = lab.start(json!({}));
    lab.at(10).sfn.send_task_success(&lab.token(0), json!("early")).unwrap();
    lab.runtime.run();
    assert_eq!(lab.outcome(&arn).output(), json!("early"));
    assert_eq!(lab.outcome(&arn).seconds(), 10);
}

#[test]
fn a_second_or_late_answer_is_refused_and_so_is_what_is_no_token() {
    let lab = lab(json!({"TimeoutSeconds": 20}), &[returns(json!({}))]);
    lab.start(json!({}));
    let token = lab.at(1).token(0);
    lab.sfn.send_task_success(&token, json!(1)).unwrap();
    assert_eq!(lab.sfn.send_task_success(&token, json!(2)), Err(TokenError::TaskTimedOut));
    assert_eq!(lab.sfn.send_task_heartbeat(&token), Err(TokenError::TaskTimedOut));
    assert_eq!(lab.sfn.send_task_success("nonsense", json!(2)), Err(TokenError::InvalidToken));
    lab.runtime.run();
    assert_eq!(lab.sfn.send_task_failure(&token, "E", ""), Err(TokenError::TaskTimedOut));
}

#[test]
fn a_retry_gives_out_a_new_token_and_the_old_one_is_dead() {
    let retry =
        json!({"TimeoutSeconds": 20, "Retry": [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 5}]});
    let lab = lab(retry, &[returns(json!({}))]);
    let arn = lab.start(json!({}));
    lab.at(30);
    let (old, new) = (lab.token(0), lab.token(1));
    assert_ne!(old, new);
    assert_eq!(lab.sfn.send_task_success(&old, json!("old")), Err(TokenError::TaskTimedOut));
    lab.sfn.send_task_success(&new, json!("new")).unwrap();
    lab.runtime.run();
    assert_eq!(lab.outcome(&arn).output(), json!("new"));
}

#[test]
fn heartbeats_keep_a_task_alive_until_its_timeout() {
    let lab = lab(json!({"TimeoutSeconds": 25, "HeartbeatSeconds": 10}), &[returns(json!({}))]);
    let arn = lab.start(json!({}));
    for seconds in [8, 16, 24] {
        lab.at(seconds).sfn.send_task_heartbeat(&lab.token(0)).unwrap();
    }
    lab.runtime.run();
    assert_eq!(lab.outcome(&arn).seconds(), 25);
    assert_eq!(lab.outcome(&arn).error().0, "States.Timeout");
}

#[test]
fn a_missed_heartbeat_is_reported_as_a_timeout_and_matched_by_both_names() {
    let outcome =
        lab(json!({"TimeoutSeconds": 600, "HeartbeatSeconds": 5}), &[returns(json!({}))]).run(json!({}));
    assert_eq!(outcome.error().0, "States.Timeout");
    assert_eq!(outcome.seconds(), 5);
    assert_eq!(outcome.event("TaskScheduled").detail("heartbeatInSeconds"), Some(&json!(5)));
    assert!(outcome.types().contains(&"TaskTimedOut"));
    for name in ["States.HeartbeatTimeout", "States.Timeout"] {
        let retry =
            json!({"HeartbeatSecondsPath": "$.beat", "Retry": [{"ErrorEquals": [name], "MaxAttempts": 1}]});
        let lab = lab(retry, &[returns(json!({}))]);
        lab.run(json!({"beat": 5}));
        assert_eq!(lab.script.calls.borrow().len(), 2, "{name}");
    }
}

#[test]
fn a_timeout_is_not_a_missed_heartbeat() {
    let retry = json!({"TimeoutSeconds": 5, "Retry": [{"ErrorEquals": ["States.HeartbeatTimeout"]}]});
    let lab = lab(retry, &[returns(json!({}))]);
    lab.run(json!({}));
    assert_eq!(lab.script.calls.borrow().len(), 1);
}

#[test]
fn a_stopped_execution_leaves_no_token_that_could_be_answered() {
    let lab = lab(json!({}), &[returns(json!({})).after(100)]);
    let arn = lab.start(json!({}));
    let token = lab.at(1).token(0);
    lab.sfn.stop_execution(&arn, None, None);
    assert_eq!(lab.sfn.send_task_success(&token, json!(1)), Err(TokenError::TaskTimedOut));
}

#[test]
fn there_is_no_token_in_a_task_that_does_not_wait_for_one() {
    let state = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"t.$": "$$.Task.Token"}});
    assert_eq!(Lab::new(&only(state), &[]).run(json!({})).error().0, "States.Runtime");
}
