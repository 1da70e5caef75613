//! The Lambda function `deregister-targets`. Takes the instance out of its load balancers.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::deregister_targets;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("deregister-targets", |link| link.load_balancers(), deregister_targets::run).await
}
