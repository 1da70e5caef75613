//! The ticket topic on SNS, and the one for chat applications.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::operation::publish::builders::PublishFluentBuilder;
use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::json;
use stopgap_core::ports::{Fault, FaultKind, Notice, Topic};

use crate::classify::fault;
use crate::sdk::telling;

const OPERATION: &str = "Publish";

/// The topics.
pub(crate) struct SnsTopic {
    client: Client,
    arn: String,
    chat_arn: Option<String>,
}

impl SnsTopic {
    /// `chat_arn`: the topic for chat applications, where there is one.
    pub(crate) fn new(sdk: &SdkConfig, arn: &str, chat_arn: Option<&str>) -> Self {
        Self {
            client: Client::new(&telling(sdk)),
            arn: arn.to_owned(),
            chat_arn: chat_arn.map(str::to_owned),
        }
    }

    async fn send(
        &self,
        request: PublishFluentBuilder,
        attributes: &BTreeMap<&'static str, String>,
    ) -> Result<(), Fault> {
        let mut request = request;
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let value =
                value.map_err(|error| Fault::new(OPERATION, FaultKind::Rejected, error.to_string()))?;
            request = request.message_attributes(*name, value);
        }
        request.send().await.map_err(|error| fault(OPERATION, error))?;
        Ok(())
    }
}

#[async_trait(?Send)]
impl Topic for SnsTopic {
    /// `MessageStructure=json`: the document to machines, the text to people.
    async fn publish(&self, notice: &Notice) -> Result<(), Fault> {
        let bodies = json!({
            "default": notice.document.to_string(),
            "email": notice.text,
            "sms": notice.subject,
        });
        let request = self.client.publish().topic_arn(&self.arn).subject(&notice.subject);
        let request = request.message_structure("json").message(bodies.to_string());
        self.send(request, &notice.attributes).await
    }

    async fn tell_chat(&self, notice: &Notice) -> Result<(), Fault> {
        let Some(arn) = &self.chat_arn else { return Ok(()) };
        let request = self.client.publish().topic_arn(arn).message(notice.chat.to_string());
        let told = self.send(request, &notice.attributes).await;
        if let Err(fault) = &told {
            // The ticket is out, and the task goes on: nobody else says this.
            tracing::warn!(%fault, "chat applications could not be told");
        }
        told
    }
}
