//! The Lambda function `silence-alarms`. Switches the actions of the instance's alarms off while it is down.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::silence_alarms;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("silence-alarms", |link| link.alarms(), silence_alarms::run).await
}
