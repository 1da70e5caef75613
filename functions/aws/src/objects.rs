//! The planning bucket on S3.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;
use stopgap_core::ports::{Fault, Objects};

use crate::classify::fault;

/// The bucket.
pub(crate) struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    pub(crate) fn new(sdk: &SdkConfig, name: &str) -> Self {
        // A bucket in the path is right everywhere, and needs no name that resolves.
        let config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(sdk.endpoint_url().is_some());
        Self { client: Client::from_conf(config.build()), name: name.to_owned() }
    }
}

#[async_trait(?Send)]
impl Objects for Bucket {
    async fn put_json(&self, key: &str, document: &Value) -> Result<String, Fault> {
        let body = ByteStream::from(document.to_string().into_bytes());
        let put = self.client.put_object().bucket(&self.name).key(key).content_type("application/json");
        put.body(body).send().await.map_err(|error| fault("PutObject", error))?;
        Ok(self.name.clone())
    }
}
