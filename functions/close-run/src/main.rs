//! The Lambda function `close-run`. Releases the lease, records the run, resolves tickets.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::close_run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("close-run", |link| link.topic(), close_run::run).await
}
