//! Starting, stopping and watching executions.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use stopgap_sim::stepfunctions::{StartError, Status};

use crate::support::{Lab, only};

fn waiting() -> Lab {
    Lab::new(&only(json!({"Type": "Wait", "Seconds": 60})), &[])
}

#[test]
fn the_same_name_and_input_is_the_same_execution_while_it_runs() {
    let lab = waiting();
    let start = |input: Value| lab.sfn.start_execution(&lab.machine, Some("n"), input);
    let first = start(json!({"a": 1})).unwrap();
    assert_eq!(start(json!({"a": 1})), Ok(first.clone()));
    assert_eq!(start(json!({"a": 2})), Err(StartError::ExecutionAlreadyExists(first.clone())));
    lab.runtime.run();
    assert_eq!(start(json!({"a": 1})), Err(StartError::ExecutionAlreadyExists(first)));
    assert_eq!(lab.sfn.executions().len(), 1);
}

#[test]
fn names_are_up_to_80_letters_digits_dashes_and_underscores() {
    let lab = waiting();
    for name in ["", "a b", "ä", &"x".repeat(81), "a/b"] {
        let outcome = lab.sfn.start_execution(&lab.machine, Some(name), json!({}));
        assert_eq!(outcome, Err(StartError::InvalidName(name.to_owned())));
    }
    assert!(lab.sfn.start_execution(&lab.machine, Some(&"x".repeat(80)), json!({})).is_ok());
}

#[test]
fn without_a_name_each_execution_gets_its_own() {
    let lab = waiting();
    let start = || lab.sfn.start_execution(&lab.machine, None, json!({})).unwrap();
    assert_ne!(start(), start());
}

#[test]
fn an_unknown_machine_and_a_long_input_are_refused() {
    let lab = waiting();
    assert!(matches!(
        lab.sfn.start_execution("arn:none", None, json!({})),
        Err(StartError::StateMachineDoesNotExist(arn)) if arn == "arn:none"
    ));
    let long = json!("x".repeat(262_144));
    assert_eq!(lab.sfn.start_execution(&lab.machine, None, long), Err(StartError::InputTooLarge(262_146)));
}

#[test]
fn a_stopped_execution_is_aborted_where_it_stands() {
    let lab = waiting();
    let arn = lab.start(json!({}));
    lab.runtime.run_until("2026-01-01T00:00:10Z".parse().unwrap());
    lab.sfn.stop_execution(&arn, Some("Stop"), Some("because"));
    lab.runtime.run();
    let outcome = lab.outcome(&arn);
    assert_eq!(outcome.execution.status, Status::Aborted);
    assert_eq!(outcome.seconds(), 10);
    assert_eq!(outcome.types(), ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"]);
    assert_eq!(outcome.event("ExecutionAborted").detail("cause"), Some(&json!("because")));
    assert_eq!(outcome.event("ExecutionAborted").previous_event_id, 0);
    lab.sfn.stop_execution(&arn, None, None);
    assert_eq!(lab.outcome(&arn).events.len(), 3);
}

#[test]
fn listeners_hear_of_every_change_and_may_use_the_service() {
    let lab = waiting();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let (log, service) = (Rc::clone(&heard), lab.sfn.clone());
    lab.sfn.subscribe(move |execution| {
        let known = service.describe_execution(&execution.arn).is_some();
        log.borrow_mut().push(format!("{} {} {known}", execution.name, execution.status.as_str()));
    });
    lab.run(json!({}));
    assert_eq!(*heard.borrow(), ["test RUNNING true", "test SUCCEEDED true"]);
}

#[test]
fn transitions_are_states_entered() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Wait", "Seconds": 1, "Next": "C"}, "C": {"Type": "Succeed"}}});
    let lab = Lab::new(&definition, &[]);
    lab.run(json!({}));
    assert_eq!(lab.sfn.transitions(), 3);
}

#[test]
fn an_execution_without_an_end_is_over_after_a_year() {
    let task = json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"});
    let outcome = Lab::new(&only(task), &[]).run(json!({}));
    assert_eq!(outcome.execution.status, Status::TimedOut);
    assert_eq!(outcome.seconds(), 365 * 24 * 3600);
}
