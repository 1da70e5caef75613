//! The ports to Step Functions, S3 and SNS.

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use serde_json::Value;
use stopgap_core::error::TaskError;
use stopgap_core::ports::{
    Callbacks, Execution, ExecutionStatus, Executions, Fault, FaultKind, Notice, Objects, Page, Started,
    Topic,
};

use super::Aws;
use crate::stepfunctions::{ObjectStore, StartError, Status, TaskFailure};

/// The planning bucket's name.
const BUCKET: &str = "stopgap-plans";
/// How many characters SNS takes for a subject.
const SUBJECT: usize = 100;

#[async_trait(?Send)]
impl Callbacks for Aws {
    async fn succeed(&self, token: &str, output: Value) -> Result<(), Fault> {
        self.quick_request("SendTaskSuccess").await;
        if let Some(step_functions) = self.step_functions() {
            // A stale token came too late to matter: see the port.
            let _ = step_functions.send_task_success(token, output);
        }
        Ok(())
    }

    async fn fail(&self, token: &str, error: &TaskError) -> Result<(), Fault> {
        self.quick_request("SendTaskFailure").await;
        if let Some(step_functions) = self.step_functions() {
            let _ = step_functions.send_task_failure(token, error.name.as_str(), &error.cause);
        }
        Ok(())
    }
}

#[async_trait(?Send)]
impl Executions for Aws {
    async fn running(&self, machine_arn: &str, _: Option<String>) -> Result<Page<String>, Fault> {
        self.quick_request("ListExecutions").await;
        let step_functions = self.step_functions();
        let running = step_functions.map(|step_functions| step_functions.running(machine_arn));
        Ok(Page { items: running.unwrap_or_default(), next: None })
    }

    async fn execution(&self, execution_arn: &str) -> Result<Option<Execution>, Fault> {
        self.quick_request("DescribeExecution").await;
        let found = self.step_functions().and_then(|sf| sf.describe_execution(execution_arn));
        Ok(found.map(|found| Execution {
            status: match found.status {
                Status::Running => ExecutionStatus::Running,
                Status::Succeeded => ExecutionStatus::Succeeded,
                Status::Failed => ExecutionStatus::Failed,
                Status::TimedOut => ExecutionStatus::TimedOut,
                Status::Aborted => ExecutionStatus::Aborted,
            },
            error: found.error,
            cause: found.cause,
        }))
    }

    async fn newest_state(&self, execution_arn: &str) -> Result<Option<String>, Fault> {
        self.quick_request("GetExecutionHistory").await;
        let events = self.step_functions().map(|sf| sf.history(execution_arn)).unwrap_or_default();
        if events.is_empty() {
            let message = format!("ExecutionDoesNotExist: Execution Does Not Exist: '{execution_arn}'");
            return Err(Fault::new("GetExecutionHistory", FaultKind::NotFound, message));
        }
        let entered = events.iter().rev().find(|event| event.event_type.ends_with("StateEntered"));
        Ok(entered.and_then(|event| Some(event.detail("name")?.as_str()?.to_owned())))
    }

    async fn start(&self, machine_arn: &str, name: &str, input: &Value) -> Result<Started, Fault> {
        const OPERATION: &str = "StartExecution";
        self.quick_request(OPERATION).await;
        let Some(step_functions) = self.step_functions() else {
            return Err(Fault::new(OPERATION, FaultKind::Unavailable, "there is no Step Functions here"));
        };
        match step_functions.start_execution(machine_arn, Some(name), input.clone()) {
            Ok(arn) => Ok(Started::Running(arn)),
            Err(StartError::ExecutionAlreadyExists(_)) => Ok(Started::NameTaken),
            Err(error @ StartError::StateMachineDoesNotExist(_)) => {
                Err(Fault::new(OPERATION, FaultKind::NotFound, error.to_string()))
            }
            Err(error) => Err(Fault::new(OPERATION, FaultKind::Rejected, error.to_string())),
        }
    }
}

#[async_trait(?Send)]
impl Objects for Aws {
    async fn put_json(&self, key: &str, document: &Value) -> Result<String, Fault> {
        self.quick_request("PutObject").await;
        self.change(|world| world.objects.insert(key.to_owned(), document.clone()));
        Ok(BUCKET.to_owned())
    }
}

#[async_trait(?Send)]
impl Topic for Aws {
    async fn publish(&self, notice: &Notice) -> Result<(), Fault> {
        const OPERATION: &str = "Publish";
        self.quick_request(OPERATION).await;
        let subject = &notice.subject;
        if subject.is_empty() || subject.chars().count() > SUBJECT || subject.contains(char::is_control) {
            let message = format!("InvalidParameter: Invalid parameter: Subject: {subject}");
            return Err(Fault::new(OPERATION, FaultKind::Rejected, message));
        }
        let now = self.clock().now();
        self.change(|world| world.published.push((now, notice.clone())));
        Ok(())
    }

    async fn tell_chat(&self, notice: &Notice) -> Result<(), Fault> {
        if self.look(|world| world.chat.is_none()) {
            return Ok(());
        }
        self.quick_request("Publish").await;
        let now = self.clock().now();
        self.change(|world| world.chat.iter_mut().for_each(|chat| chat.push((now, notice.chat.clone()))));
        Ok(())
    }
}

impl ObjectStore for Aws {
    fn get(&self, bucket: &str, key: &str) -> LocalBoxFuture<'static, Result<Vec<u8>, TaskFailure>> {
        let found = self.look(|world| world.objects.get(key).map(Value::to_string));
        let missing = TaskFailure {
            error: "S3.NoSuchKeyException".to_owned(),
            cause: format!("there is no object {key} in {bucket}"),
        };
        let aws = self.clone();
        async move {
            aws.quick_request("GetObject").await;
            found.map(String::into_bytes).ok_or(missing)
        }
        .boxed_local()
    }

    fn list(&self, bucket: &str, _: &str) -> LocalBoxFuture<'static, Result<Vec<Value>, TaskFailure>> {
        let cause = format!("the machines list no objects of {bucket}");
        async { Err(TaskFailure { error: "S3.S3Exception".to_owned(), cause }) }.boxed_local()
    }
}
