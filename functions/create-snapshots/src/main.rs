//! The Lambda function `create-snapshots`. Snapshots the volumes at one point in time.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::create_snapshots;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("create-snapshots", |link| link.ec2(), create_snapshots::run).await
}
