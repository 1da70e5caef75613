//! The Lambda function `plan-fleet`. Reads the policies and the inventory, and plans what is due.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::plan_fleet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("plan-fleet", |link| link.ec2().objects().topic(), plan_fleet::run).await
}
