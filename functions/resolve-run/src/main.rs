//! The Lambda function `resolve-run`. Turns what an execution was started with into a run.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::resolve_run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("resolve-run", |link| link.ec2(), resolve_run::run).await
}
