//! The ticket topic on SNS.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::json;
use stopgap_core::ports::{Fault, FaultKind, Notice, Topic};

use crate::classify::fault;

/// The topic.
pub(crate) struct SnsTopic {
    client: Client,
    arn: String,
}

impl SnsTopic {
    pub(crate) fn new(sdk: &SdkConfig, arn: &str) -> Self {
        Self { client: Client::new(sdk), arn: arn.to_owned() }
    }
}

#[async_trait(?Send)]
impl Topic for SnsTopic {
    /// `MessageStructure=json`: the document to machines, the text to people.
    async fn publish(&self, notice: &Notice) -> Result<(), Fault> {
        const OPERATION: &str = "Publish";
        let bodies = json!({
            "default": notice.document.to_string(),
            "email": notice.text,
            "sms": notice.subject,
        });
        let mut publish = self
            .client
            .publish()
            .topic_arn(&self.arn)
            .subject(&notice.subject)
            .message_structure("json")
            .message(bodies.to_string());
        for (name, value) in &notice.attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let value =
                value.map_err(|error| Fault::new(OPERATION, FaultKind::Rejected, error.to_string()))?;
            publish = publish.message_attributes(*name, value);
        }
        publish.send().await.map_err(|error| fault(OPERATION, error))?;
        Ok(())
    }
}
