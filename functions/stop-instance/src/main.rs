//! The Lambda function `stop-instance`. Stops the instance.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::stop_instance;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("stop-instance", |link| link.ec2(), stop_instance::run).await
}
