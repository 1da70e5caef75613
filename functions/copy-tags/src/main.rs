//! The Lambda function `copy-tags`. Copies the tags of volumes and instance to the snapshots.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::copy_tags;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("copy-tags", |link| link.ec2(), copy_tags::run).await
}
