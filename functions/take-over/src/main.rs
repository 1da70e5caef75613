//! The Lambda function `take-over`. Takes an instance over from a run that is lost.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::take_over;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("take-over", |link| link.ec2().executions(), take_over::run).await
}
