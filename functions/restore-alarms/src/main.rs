//! The Lambda function `restore-alarms`. Switches on again what was switched off.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::restore_alarms;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("restore-alarms", |link| link.alarms(), restore_alarms::run).await
}
