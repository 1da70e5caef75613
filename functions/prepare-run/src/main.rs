//! The Lambda function `prepare-run`. Looks whether the run can go ahead, and takes lease, intent and slot.

use stopgap_aws::lambda::{Error, Link, serve};
use stopgap_core::tasks::prepare_run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let link = |link: Link| link.ec2().auto_scaling().alarms().load_balancers().keys().executions();
    serve("prepare-run", link, prepare_run::run).await
}
