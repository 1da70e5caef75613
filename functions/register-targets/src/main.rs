//! The Lambda function `register-targets`. Puts the instance back into its load balancers.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::register_targets;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("register-targets", |link| link.load_balancers(), register_targets::run).await
}
