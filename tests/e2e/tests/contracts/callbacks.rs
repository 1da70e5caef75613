//! Answers to tasks that wait for a token.

use serde_json::{Value, json};
use stopgap_core::error::{ErrorName, TaskError};
use stopgap_core::ports::ExecutionStatus;

use crate::executions::{ended, start};
use crate::{World, contracts};

contracts! {
    an_answer_ends_the_task_with_its_output,
    a_failure_fails_the_task_with_its_name_and_cause,
    answering_again_is_no_error_and_changes_nothing,
    answering_a_token_nobody_knows_is_no_error,
    answering_what_was_stopped_is_no_error,
}

/// A machine whose only task sends its token away and waits.
async fn waiting(world: &dyn World) -> (String, String) {
    let parameters = json!({ "QueueUrl": world.mailbox(), "MessageBody.$": "$$.Task.Token" });
    let task = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": parameters,
        "TimeoutSeconds": 1_000_000,
        "ResultPath": "$.answer",
        "End": true,
    });
    let definition = json!({ "StartAt": "Task", "States": { "Task": task } });
    let (_, arn) = start(world, &definition, &json!({ "asked": true })).await;
    let token = world.token().await;
    assert_eq!(world.ports().executions.is_running(&arn).await, Ok(true));
    (arn, token)
}

fn failure() -> TaskError {
    TaskError::new(ErrorName::SnapshotFailed, "snap-1 is in error")
}

async fn came_to(world: &dyn World, arn: &str) -> Value {
    assert_eq!(ended(world, arn).await.status, ExecutionStatus::Succeeded);
    world.output(arn).await
}

async fn an_answer_ends_the_task_with_its_output(world: &dyn World) {
    let (arn, token) = waiting(world).await;
    let answer = json!({ "state": "completed", "text": "Größe \u{1f980}" });
    assert_eq!(world.ports().callbacks.succeed(&token, answer.clone()).await, Ok(()));
    assert_eq!(came_to(world, &arn).await, json!({ "asked": true, "answer": answer }));
}

async fn a_failure_fails_the_task_with_its_name_and_cause(world: &dyn World) {
    let (arn, token) = waiting(world).await;
    assert_eq!(world.ports().callbacks.fail(&token, &failure()).await, Ok(()));
    let execution = ended(world, &arn).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    assert_eq!(execution.error.as_deref(), Some("SnapshotFailed"));
    assert_eq!(execution.cause.as_deref(), Some("snap-1 is in error"));
}

async fn answering_again_is_no_error_and_changes_nothing(world: &dyn World) {
    let (arn, token) = waiting(world).await;
    assert_eq!(world.ports().callbacks.succeed(&token, json!(1)).await, Ok(()));
    assert_eq!(world.ports().callbacks.succeed(&token, json!(2)).await, Ok(()));
    assert_eq!(world.ports().callbacks.fail(&token, &failure()).await, Ok(()));
    assert_eq!(came_to(world, &arn).await["answer"], json!(1));
    assert_eq!(world.ports().callbacks.succeed(&token, json!(3)).await, Ok(()));
}

async fn answering_a_token_nobody_knows_is_no_error(world: &dyn World) {
    assert_eq!(world.ports().callbacks.succeed("a-token-of-nobody", json!({})).await, Ok(()));
    assert_eq!(world.ports().callbacks.fail("a-token-of-nobody", &failure()).await, Ok(()));
}

async fn answering_what_was_stopped_is_no_error(world: &dyn World) {
    let (arn, token) = waiting(world).await;
    world.stop_execution(&arn).await;
    assert_eq!(world.ports().callbacks.succeed(&token, json!({})).await, Ok(()));
    assert_eq!(ended(world, &arn).await.status, ExecutionStatus::Aborted);
}
