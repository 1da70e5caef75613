//! The Lambda function `enter-standby`. Keeps Auto Scaling from replacing the instance while it is down.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::enter_standby;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("enter-standby", |link| link.auto_scaling(), enter_standby::run).await
}
