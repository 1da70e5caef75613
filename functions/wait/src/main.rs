//! The Lambda function `wait`. Stores a task token, then looks.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::wait;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("wait", |link| link.ec2().callbacks(), wait::run).await
}
