//! The Lambda function `prune-orphans`. Deletes the old backups of instances that no run prunes any more.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::prune_orphans;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("prune-orphans", |link| link.ec2().topic(), prune_orphans::run).await
}
