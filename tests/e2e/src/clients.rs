//! The SDK's clients for a cloud, in an account of one's choice.

use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_sts::config::Credentials;
use stopgap_aws::sdk;

use crate::cloud::{ACCOUNT, REGION};

/// Clients of the services that a tester needs.
#[derive(Clone, Debug)]
pub struct Clients {
    /// What they were made from.
    pub config: SdkConfig,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Step Functions.
    pub step_functions: aws_sdk_sfn::Client,
}

impl Clients {
    /// Clients in the hub's account. They belong to the Tokio runtime that is running.
    pub async fn at_home(endpoint: &str) -> Self {
        Self::new(endpoint, Credentials::new("TESTER", "none", None, None, "stopgap-e2e")).await
    }

    /// Clients in `account`, through a role of no special name, which moto takes to be there.
    ///
    /// # Panics
    /// When moto does not let anyone in.
    pub async fn in_account(endpoint: &str, account: &str) -> Self {
        let home = Self::at_home(endpoint).await;
        if account == ACCOUNT {
            return home;
        }
        let role = format!("arn:aws:iam::{account}:role/tester");
        let assume = aws_sdk_sts::Client::new(&home.config).assume_role();
        let answer = assume.role_arn(role).role_session_name("tester").send().await.expect("moto lets us in");
        let given = answer.credentials().expect("STS answers with credentials");
        let token = Some(given.session_token().to_owned());
        let (id, secret) = (given.access_key_id(), given.secret_access_key());
        Self::new(endpoint, Credentials::new(id, secret, token, None, "stopgap-e2e")).await
    }

    async fn new(endpoint: &str, credentials: Credentials) -> Self {
        let loader = sdk::loader().endpoint_url(endpoint).region(Region::new(REGION));
        // A tester has time: that a machine is busy is no reason for a test to fail.
        let loader = loader.timeout_config(TimeoutConfig::disabled());
        let config = loader.credentials_provider(credentials).load().await;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            step_functions: aws_sdk_sfn::Client::new(&config),
            config,
        }
    }
}
