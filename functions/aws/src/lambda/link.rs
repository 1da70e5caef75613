//! Linking a function to the services that its task declares.

use stopgap_core::environment::Configuration;

use crate::Aws;

/// A function's ports, being put together. Each method links one service, and with it that service's SDK.
pub struct Link {
    pub(super) aws: Aws,
    pub(super) configuration: Configuration,
}

impl Link {
    pub(super) fn new(aws: Aws, configuration: Configuration) -> Self {
        Self { aws, configuration }
    }

    /// EC2 and EBS.
    #[cfg(feature = "ec2")]
    #[must_use]
    pub fn ec2(mut self) -> Self {
        self.aws = self.aws.ec2(self.configuration.external_id.as_deref());
        self
    }

    /// EC2 Auto Scaling.
    #[cfg(feature = "autoscaling")]
    #[must_use]
    pub fn auto_scaling(mut self) -> Self {
        self.aws = self.aws.auto_scaling(self.configuration.external_id.as_deref());
        self
    }

    /// KMS.
    #[cfg(feature = "kms")]
    #[must_use]
    pub fn keys(mut self) -> Self {
        self.aws = self.aws.keys(self.configuration.external_id.as_deref());
        self
    }

    /// Elastic Load Balancing.
    #[cfg(feature = "elasticloadbalancingv2")]
    #[must_use]
    pub fn load_balancers(mut self) -> Self {
        self.aws = self.aws.load_balancers(self.configuration.external_id.as_deref());
        self
    }

    /// CloudWatch alarms.
    #[cfg(feature = "cloudwatch")]
    #[must_use]
    pub fn alarms(mut self) -> Self {
        self.aws = self.aws.alarms(self.configuration.external_id.as_deref());
        self
    }

    /// The planning bucket.
    #[cfg(feature = "s3")]
    #[must_use]
    pub fn objects(mut self) -> Self {
        self.aws = self.aws.objects(self.configuration.bucket.as_deref().unwrap_or_default());
        self
    }

    /// The ticket topic, and the one for chat applications.
    #[cfg(feature = "sns")]
    #[must_use]
    pub fn topic(mut self) -> Self {
        let Configuration { topic_arn, chat_topic_arn, .. } = &self.configuration;
        self.aws = self.aws.topic(topic_arn.as_deref().unwrap_or_default(), chat_topic_arn.as_deref());
        self
    }

    /// Answers to waiting tasks.
    #[cfg(feature = "sfn")]
    #[must_use]
    pub fn callbacks(mut self) -> Self {
        self.aws = self.aws.callbacks();
        self
    }

    /// The executions of the instance machine.
    #[cfg(feature = "sfn")]
    #[must_use]
    pub fn executions(mut self) -> Self {
        self.aws = self.aws.executions();
        self
    }
}
