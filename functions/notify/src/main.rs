//! The Lambda function `notify`. Opens, updates or resolves a ticket.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::notify;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("notify", |link| link.topic(), notify::run).await
}
