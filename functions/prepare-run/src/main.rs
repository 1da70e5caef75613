//! The Lambda function `prepare-run`. Looks whether the run can go ahead, and takes lease, intent and slot.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::prepare_run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("prepare-run", |link| link.ec2().auto_scaling().alarms().keys().executions(), prepare_run::run)
        .await
}
