//! Step Functions, S3 and SNS, as far as the tasks call them themselves.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use super::Fault;
use crate::error::TaskError;

/// Answers to tasks that wait for a token.
#[async_trait(?Send)]
pub trait Callbacks {
    /// SendTaskSuccess. A stale token (timed out, answered before) is no error: the answer came too late to matter.
    async fn succeed(&self, token: &str, output: Value) -> Result<(), Fault>;

    /// SendTaskFailure; stale tokens as above.
    async fn fail(&self, token: &str, error: &TaskError) -> Result<(), Fault>;
}

/// The executions of the instance machine.
#[async_trait(?Send)]
pub trait Executions {
    /// DescribeExecution: whether it is running. One that does not exist (any more) is not.
    async fn is_running(&self, execution_arn: &str) -> Result<bool, Fault>;
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
}

/// The ticket topic.
#[async_trait(?Send)]
pub trait Topic {
    /// SNS Publish with `MessageStructure=json`.
    async fn publish(&self, notice: &Notice) -> Result<(), Fault>;
}
