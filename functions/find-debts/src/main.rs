//! The Lambda function `find-debts`. Finds the runs that ended without having given their instance back.

use stopgap_aws::lambda::{Error, serve};
use stopgap_core::tasks::find_debts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("find-debts", |link| link.executions().topic(), find_debts::run).await
}
