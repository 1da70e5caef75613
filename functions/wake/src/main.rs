//! The Lambda function `wake`. Answers waiting tokens when an event says that something changed.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde_json::Value;
use stopgap_aws::lambda::{Error, serve};
use stopgap_core::ports::{Context, Ports};
use stopgap_core::tasks::wake::{self, Event};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let run = async |ports: Ports<'_>, cx: Context<'_>, event: EventBridgeEvent<Value>| {
        wake::run(ports, cx, Event { detail: event.detail }).await
    };
    serve("wake", |link| link.ec2().callbacks(), run).await
}
