//! Step Functions, S3 and SNS, as far as the tasks call them themselves.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;

use super::{Fault, Page};
use crate::error::TaskError;

/// Answers to tasks that wait for a token.
#[async_trait(?Send)]
pub trait Callbacks {
    /// SendTaskSuccess. A stale token (timed out, answered before) is no error: the answer came too late to matter.
    async fn succeed(&self, token: &str, output: Value) -> Result<(), Fault>;

    /// SendTaskFailure; stale tokens as above.
    async fn fail(&self, token: &str, error: &TaskError) -> Result<(), Fault>;
}

/// How an execution stands (`ExecutionStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionStatus {
    /// It goes on.
    Running,
    /// It ended in a Succeed state, or in one that is the end.
    Succeeded,
    /// It ended in a Fail state, or in an error that nothing caught.
    Failed,
    /// It took longer than its machine allows.
    TimedOut,
    /// Someone stopped it.
    Aborted,
}

/// An execution, as DescribeExecution shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// How it stands.
    pub status: ExecutionStatus,
    /// The name of the error that it ended in.
    pub error: Option<String>,
    /// The error's cause.
    pub cause: Option<String>,
}

/// What StartExecution did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// The execution runs, by its ARN. It may have been there already, with the same input.
    Running(String),
    /// There has been one of that name, with another input or ended.
    NameTaken,
}

/// The executions of the machines.
#[async_trait(?Send)]
pub trait Executions {
    /// ListExecutions of a machine with the status RUNNING: a page of their ARNs, up to 1,000. It is eventually consistent:
    /// one that has just begun may be missing, and one that has just ended may be there.
    async fn running(&self, machine_arn: &str, page: Option<String>) -> Result<Page<String>, Fault>;

    /// DescribeExecution. One that does not exist (any more) is none.
    async fn execution(&self, execution_arn: &str) -> Result<Option<Execution>, Fault>;

    /// GetExecutionHistory, from its end: the name of the state that was entered last, if that is among the newest events.
    /// An execution that does not exist (any more) is [`FaultKind::NotFound`](super::FaultKind::NotFound).
    async fn newest_state(&self, execution_arn: &str) -> Result<Option<String>, Fault>;

    /// StartExecution of a machine, by its ARN or that of an alias. Repeating it changes nothing: the name decides.
    async fn start(&self, machine_arn: &str, name: &str, input: &Value) -> Result<Started, Fault>;

    /// DescribeExecution: whether it is running. One that does not exist (any more) is not.
    async fn is_running(&self, execution_arn: &str) -> Result<bool, Fault> {
        let execution = self.execution(execution_arn).await?;
        Ok(execution.is_some_and(|execution| execution.status == ExecutionStatus::Running))
    }
}

/// The planning bucket.
#[async_trait(?Send)]
pub trait Objects {
    /// PutObject of a JSON document under `key`; answers the bucket's name.
    async fn put_json(&self, key: &str, document: &Value) -> Result<String, Fault>;
}

/// A message for the ticket topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The subject of an e-mail: at most 100 printable ASCII characters.
    pub subject: String,
    /// What machines read.
    pub document: Value,
    /// What a person reads in an e-mail.
    pub text: String,
    /// Message attributes, for filter policies.
    pub attributes: BTreeMap<&'static str, String>,
    /// The same for chat applications: a custom notification of Amazon Q Developer.
    pub chat: Value,
}

/// The ticket topic, and the one for chat applications.
#[async_trait(?Send)]
pub trait Topic {
    /// SNS Publish with `MessageStructure=json`.
    async fn publish(&self, notice: &Notice) -> Result<(), Fault>;

    /// SNS Publish to the topic of the chat applications, which show nothing but their own format. Where there is no such
    /// topic, nothing is to be done, and that goes well.
    async fn tell_chat(&self, notice: &Notice) -> Result<(), Fault>;
}
