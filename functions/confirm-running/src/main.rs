//! The Lambda function `confirm-running`. Sees the instance running, and closes the intent.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::confirm_running;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("confirm-running", |link| link.ec2(), confirm_running::run).await
}
