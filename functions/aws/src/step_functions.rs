//! Answers to waiting tasks, and the executions of the instance machine, on Step Functions.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::send_task_failure::SendTaskFailureError;
use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::Value;
use stopgap_core::error::TaskError;
use stopgap_core::ports::{Callbacks, Executions, Fault, FaultKind};

use crate::classify::fault;

/// Step Functions takes causes of up to 32,768 characters.
const CAUSE: usize = 32_768;

/// Step Functions.
pub(crate) struct StepFunctions {
    client: Client,
}

impl StepFunctions {
    pub(crate) fn new(sdk: &SdkConfig) -> Self {
        Self { client: Client::new(sdk) }
    }
}

#[async_trait(?Send)]
impl Callbacks for StepFunctions {
    async fn succeed(&self, token: &str, output: Value) -> Result<(), Fault> {
        let send = self.client.send_task_success().task_token(token).output(output.to_string());
        match send.send().await {
            Ok(_) => Ok(()),
            // Timed out, answered before, or never of this machine: too late to matter.
            Err(error)
                if error.as_service_error().is_some_and(|error| {
                    matches!(
                        error,
                        SendTaskSuccessError::TaskTimedOut(_)
                            | SendTaskSuccessError::TaskDoesNotExist(_)
                            | SendTaskSuccessError::InvalidToken(_)
                    )
                }) =>
            {
                Ok(())
            }
            Err(error) => Err(fault("SendTaskSuccess", error)),
        }
    }

    async fn fail(&self, token: &str, error: &TaskError) -> Result<(), Fault> {
        let cause: String = error.cause.chars().take(CAUSE).collect();
        let send = self.client.send_task_failure().task_token(token).error(error.name.as_str()).cause(cause);
        match send.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|error| {
                    matches!(
                        error,
                        SendTaskFailureError::TaskTimedOut(_)
                            | SendTaskFailureError::TaskDoesNotExist(_)
                            | SendTaskFailureError::InvalidToken(_)
                    )
                }) =>
            {
                Ok(())
            }
            Err(error) => Err(fault("SendTaskFailure", error)),
        }
    }
}

#[async_trait(?Send)]
impl Executions for StepFunctions {
    async fn is_running(&self, execution_arn: &str) -> Result<bool, Fault> {
        match self.client.describe_execution().execution_arn(execution_arn).send().await {
            Ok(execution) => Ok(execution.status == ExecutionStatus::Running),
            Err(error) => match fault("DescribeExecution", error) {
                missing if missing.kind == FaultKind::NotFound => Ok(false),
                fault => Err(fault),
            },
        }
    }
}
