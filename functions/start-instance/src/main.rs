//! The Lambda function `start-instance`. Starts the instance again.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::start_instance;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("start-instance", |link| link.ec2(), start_instance::run).await
}
