//! The Lambda function `prune-snapshots`. Deletes what retention no longer keeps.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::prune_snapshots;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("prune-snapshots", |link| link.ec2(), prune_snapshots::run).await
}
