//! Executions of a state machine.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stopgap_core::ports::{Execution, ExecutionStatus, FaultKind, Started, all_pages};

use crate::world::{eventually, kind};
use crate::{World, contracts};

contracts! {
    an_execution_nobody_knows_is_none_and_is_not_running,
    an_execution_runs_until_it_ends,
    the_running_executions_of_a_machine_are_those_that_have_not_ended,
    an_execution_that_fails_tells_its_error_and_cause,
    an_execution_that_was_stopped_is_aborted,
    an_execution_that_takes_too_long_is_timed_out,
    the_newest_state_is_the_one_that_was_entered_last,
    the_newest_state_of_an_execution_nobody_knows_is_not_found,
    starting_again_with_the_same_input_is_the_same_execution,
    starting_again_with_another_input_finds_the_name_taken,
    starting_again_after_the_end_finds_the_name_taken,
    starting_a_machine_nobody_knows_is_not_found,
}

/// Longer than any test runs, and yet shorter than a year.
const LONG: u64 = 1_000_000;

/// One state after the other, for a long time in the last.
fn lasting() -> Value {
    json!({
        "StartAt": "First",
        "States": {
            "First": { "Type": "Pass", "Next": "Last" },
            "Last": { "Type": "Wait", "Seconds": LONG, "End": true },
        },
    })
}

pub(crate) async fn start(world: &dyn World, definition: &Value, input: &Value) -> (String, String) {
    let machine = world.add_machine(definition).await;
    match world.ports().executions.start(&machine, "one", input).await {
        Ok(Started::Running(execution)) => (machine, execution),
        other => panic!("{other:?}"),
    }
}

/// An execution once it has ended.
pub(crate) async fn ended(world: &dyn World, arn: &str) -> Execution {
    eventually(world, "the end of the execution", async || {
        let found = world.ports().executions.execution(arn).await.unwrap().expect("it was started");
        (found.status != ExecutionStatus::Running).then_some(found)
    })
    .await
}

async fn unknown(world: &dyn World) -> String {
    let (_, arn) = start(world, &lasting(), &json!({})).await;
    format!("{arn}-of-nobody")
}

async fn an_execution_nobody_knows_is_none_and_is_not_running(world: &dyn World) {
    let arn = unknown(world).await;
    assert_eq!(world.ports().executions.execution(&arn).await, Ok(None));
    assert_eq!(world.ports().executions.is_running(&arn).await, Ok(false));
}

async fn an_execution_runs_until_it_ends(world: &dyn World) {
    let (_, lasting) = start(world, &lasting(), &json!({})).await;
    assert_eq!(world.ports().executions.is_running(&lasting).await, Ok(true));
    let short = json!({ "StartAt": "Only", "States": { "Only": { "Type": "Succeed" } } });
    let (_, short) = start(world, &short, &json!({ "n": 1 })).await;
    let execution = ended(world, &short).await;
    assert_eq!(execution, Execution { status: ExecutionStatus::Succeeded, error: None, cause: None });
    assert_eq!(world.ports().executions.is_running(&short).await, Ok(false));
    assert_eq!(world.output(&short).await, json!({ "n": 1 }));
}

async fn the_running_executions_of_a_machine_are_those_that_have_not_ended(world: &dyn World) {
    let (machine, first) = start(world, &lasting(), &json!({})).await;
    let executions = world.ports().executions;
    let Ok(Started::Running(second)) = executions.start(&machine, "two", &json!({})).await else {
        panic!("the second starts");
    };
    start(world, &lasting(), &json!({})).await;
    let running = async || {
        let found = all_pages(|page| executions.running(&machine, page)).await.unwrap();
        found.into_iter().collect::<BTreeSet<_>>()
    };
    assert_eq!(running().await, BTreeSet::from([first.clone(), second.clone()]));
    world.stop_execution(&first).await;
    ended(world, &first).await;
    assert_eq!(running().await, BTreeSet::from([second]));
}

async fn an_execution_that_fails_tells_its_error_and_cause(world: &dyn World) {
    let fail = json!({ "Type": "Fail", "Error": "NotStopped", "Cause": "i-1 is running" });
    let (_, arn) = start(world, &json!({ "StartAt": "Only", "States": { "Only": fail } }), &json!({})).await;
    let execution = ended(world, &arn).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    assert_eq!(execution.error.as_deref(), Some("NotStopped"));
    assert_eq!(execution.cause.as_deref(), Some("i-1 is running"));
}

async fn an_execution_that_was_stopped_is_aborted(world: &dyn World) {
    let (_, arn) = start(world, &lasting(), &json!({})).await;
    world.stop_execution(&arn).await;
    assert_eq!(ended(world, &arn).await.status, ExecutionStatus::Aborted);
}

async fn an_execution_that_takes_too_long_is_timed_out(world: &dyn World) {
    let mut definition = lasting();
    definition["TimeoutSeconds"] = json!(1);
    let (_, arn) = start(world, &definition, &json!({})).await;
    assert_eq!(ended(world, &arn).await.status, ExecutionStatus::TimedOut);
}

async fn the_newest_state_is_the_one_that_was_entered_last(world: &dyn World) {
    let (_, arn) = start(world, &lasting(), &json!({})).await;
    eventually(world, "the last state", async || {
        let newest = world.ports().executions.newest_state(&arn).await.unwrap();
        (newest.as_deref() == Some("Last")).then_some(())
    })
    .await;
}

async fn the_newest_state_of_an_execution_nobody_knows_is_not_found(world: &dyn World) {
    let arn = unknown(world).await;
    let answer = world.ports().executions.newest_state(&arn).await;
    assert_eq!(kind(answer), Err(FaultKind::NotFound));
}

async fn starting_again_with_the_same_input_is_the_same_execution(world: &dyn World) {
    let input = json!({ "instance_id": "i-1" });
    let (machine, arn) = start(world, &lasting(), &input).await;
    let again = world.ports().executions.start(&machine, "one", &input).await;
    assert_eq!(again, Ok(Started::Running(arn)));
}

async fn starting_again_with_another_input_finds_the_name_taken(world: &dyn World) {
    let (machine, _) = start(world, &lasting(), &json!({ "instance_id": "i-1" })).await;
    let again = world.ports().executions.start(&machine, "one", &json!({ "instance_id": "i-2" })).await;
    assert_eq!(again, Ok(Started::NameTaken));
    let other = world.ports().executions.start(&machine, "other", &json!({ "instance_id": "i-2" })).await;
    assert!(matches!(other, Ok(Started::Running(_))), "{other:?}");
}

async fn starting_again_after_the_end_finds_the_name_taken(world: &dyn World) {
    let short = json!({ "StartAt": "Only", "States": { "Only": { "Type": "Succeed" } } });
    let (machine, arn) = start(world, &short, &json!({})).await;
    ended(world, &arn).await;
    let again = world.ports().executions.start(&machine, "one", &json!({})).await;
    assert_eq!(again, Ok(Started::NameTaken));
}

async fn starting_a_machine_nobody_knows_is_not_found(world: &dyn World) {
    let machine = world.add_machine(&lasting()).await;
    let answer = world.ports().executions.start(&format!("{machine}-of-nobody"), "one", &json!({})).await;
    assert_eq!(kind(answer), Err(FaultKind::NotFound));
}
