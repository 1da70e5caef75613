//! Answers to waiting tasks, and the executions of the instance machine, on Step Functions.

use std::error::Error;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use aws_sdk_sfn::types;
use serde_json::Value;
use stopgap_core::error::TaskError;
use stopgap_core::ports::{
    Callbacks, Execution, ExecutionStatus, Executions, Fault, FaultKind, Page, Started,
};

use crate::classify::fault;

/// Step Functions takes causes of up to 32,768 characters.
const CAUSE: usize = 32_768;
/// How many executions a page of ListExecutions has at most.
const PAGE: i32 = 1000;
/// How many events to look back for the newest state: a Task has some five, and as many for each retry.
const NEWEST_EVENTS: i32 = 100;

/// Step Functions.
pub(crate) struct StepFunctions {
    client: Client,
}

impl StepFunctions {
    pub(crate) fn new(sdk: &SdkConfig) -> Self {
        Self { client: Client::new(sdk) }
    }
}

/// Timed out, answered before, or never of this machine: the answer came too late to matter.
const STALE: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];

/// What became of an answer; that nobody waits for it any more is no error.
fn answered<T, E>(operation: &'static str, sent: Result<T, SdkError<E>>) -> Result<(), Fault>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match sent {
        Ok(_) => Ok(()),
        Err(error) if error.code().is_some_and(|code| STALE.contains(&code)) => Ok(()),
        Err(error) => Err(fault(operation, error)),
    }
}

#[async_trait(?Send)]
impl Callbacks for StepFunctions {
    async fn succeed(&self, token: &str, output: Value) -> Result<(), Fault> {
        let send = self.client.send_task_success().task_token(token).output(output.to_string());
        answered("SendTaskSuccess", send.send().await)
    }

    async fn fail(&self, token: &str, error: &TaskError) -> Result<(), Fault> {
        let cause: String = error.cause.chars().take(CAUSE).collect();
        let send = self.client.send_task_failure().task_token(token).error(error.name.as_str()).cause(cause);
        answered("SendTaskFailure", send.send().await)
    }
}

#[async_trait(?Send)]
impl Executions for StepFunctions {
    async fn running(&self, machine_arn: &str, page: Option<String>) -> Result<Page<String>, Fault> {
        let list = self
            .client
            .list_executions()
            .state_machine_arn(machine_arn)
            .status_filter(types::ExecutionStatus::Running)
            .max_results(PAGE)
            .set_next_token(page);
        let answer = list.send().await.map_err(|error| fault("ListExecutions", error))?;
        let items = answer.executions.into_iter().map(|execution| execution.execution_arn).collect();
        Ok(Page { items, next: answer.next_token })
    }

    async fn execution(&self, execution_arn: &str) -> Result<Option<Execution>, Fault> {
        const OPERATION: &str = "DescribeExecution";
        let found = match self.client.describe_execution().execution_arn(execution_arn).send().await {
            Ok(found) => found,
            Err(error) => {
                return match fault(OPERATION, error) {
                    missing if missing.kind == FaultKind::NotFound => Ok(None),
                    fault => Err(fault),
                };
            }
        };
        let status = match found.status() {
            types::ExecutionStatus::Running | types::ExecutionStatus::PendingRedrive => {
                ExecutionStatus::Running
            }
            types::ExecutionStatus::Succeeded => ExecutionStatus::Succeeded,
            types::ExecutionStatus::Failed => ExecutionStatus::Failed,
            types::ExecutionStatus::TimedOut => ExecutionStatus::TimedOut,
            types::ExecutionStatus::Aborted => ExecutionStatus::Aborted,
            other => {
                let message = format!("{execution_arn} has the unknown status `{}`", other.as_str());
                return Err(Fault::new(OPERATION, FaultKind::Malformed, message));
            }
        };
        Ok(Some(Execution { status, error: found.error, cause: found.cause }))
    }

    async fn newest_state(&self, execution_arn: &str) -> Result<Option<String>, Fault> {
        let request = self
            .client
            .get_execution_history()
            .execution_arn(execution_arn)
            .reverse_order(true)
            .max_results(NEWEST_EVENTS)
            .include_execution_data(false);
        let answer = request.send().await.map_err(|error| fault("GetExecutionHistory", error))?;
        let entered = answer.events().iter().filter(|event| event.state_entered_event_details().is_some());
        // By their numbers, and not by their order: moto answers in the other one.
        let newest = entered.max_by_key(|event| event.id());
        let details = newest.and_then(|event| event.state_entered_event_details());
        Ok(details.map(|details| details.name().to_owned()))
    }

    async fn start(&self, machine_arn: &str, name: &str, input: &Value) -> Result<Started, Fault> {
        let start =
            self.client.start_execution().state_machine_arn(machine_arn).name(name).input(input.to_string());
        match start.send().await {
            Ok(started) => Ok(Started::Running(started.execution_arn)),
            Err(error)
                if error.as_service_error().is_some_and(StartExecutionError::is_execution_already_exists) =>
            {
                Ok(Started::NameTaken)
            }
            Err(error) => Err(fault("StartExecution", error)),
        }
    }
}
