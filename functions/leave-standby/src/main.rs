//! The Lambda function `leave-standby`. Gives the instance back to its Auto Scaling group.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::leave_standby;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("leave-standby", |link| link.auto_scaling(), leave_standby::run).await
}
