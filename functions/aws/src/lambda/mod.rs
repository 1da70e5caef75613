//! What every function shares: its configuration, its ports, its logs and metrics, and the way its errors are told.
//!
//! A function is a shim: it names its task and links the services that the task declares.
//!
//! ```text
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     serve("stop-instance", |link| link.ec2(), stop_instance::run).await
//! }
//! ```

mod about;
mod link;
mod log;
mod metrics;

pub use lambda_runtime::Error;
pub use link::Link;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stopgap_core::environment::Configuration;
use stopgap_core::error::TaskError;
use stopgap_core::measure::Measured;
use stopgap_core::ports::{Context, Ports};
use stopgap_core::tasks;
use tracing::Instrument;

use crate::{Aws, sdk};

/// Runs the function `name` until Lambda ends the process.
///
/// An error of the task becomes Lambda's `errorType` under the name that the state machine matches, and its cause the
/// `errorMessage`.
///
/// # Errors
/// What is wrong with the environment, before the first invocation; Lambda tells it as an error of the initialisation.
pub async fn serve<I, O>(
    name: &'static str,
    link: impl FnOnce(Link) -> Link,
    run: impl AsyncFn(Ports<'_>, Context<'_>, I) -> Result<O, TaskError>,
) -> Result<(), Error>
where
    I: DeserializeOwned,
    O: Serialize + Measured,
{
    let variables: BTreeMap<String, String> = std::env::vars().collect();
    let configuration = match Configuration::read(&variables, tasks::uses(name)) {
        Ok(configuration) => configuration,
        Err(error) => {
            log::init("info");
            tracing::error!(function = name, "{error}");
            return Err(error.into());
        }
    };
    log::init(&configuration.log_level);
    let home = configuration.settings.home.clone();
    let aws = Aws::new(sdk::loader().load().await, home, &configuration.table);
    let link = link(Link::new(aws, configuration));
    lambda_runtime::run(service_fn(|event| invoke(name, &link, &run, event))).await
}

async fn invoke<I, O>(
    name: &'static str,
    link: &Link,
    run: &impl AsyncFn(Ports<'_>, Context<'_>, I) -> Result<O, TaskError>,
    event: LambdaEvent<Value>,
) -> Result<O, Diagnostic>
where
    I: DeserializeOwned,
    O: Serialize + Measured,
{
    let about = about::of(&event.payload);
    let span = tracing::info_span!(
        "invocation",
        function = name,
        request_id = event.context.request_id,
        trace_id = event.context.xray_trace_id,
        execution = about.execution,
        instance = about.instance,
        occurrence = about.occurrence,
    );
    let began = now();
    let deadline = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
    let deadline = Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX);
    let remaining = || deadline.duration_since(now());
    let cx = Context { now: began, remaining: &remaining, settings: &link.configuration.settings };
    async {
        tracing::debug!("began");
        let answer = match tasks::parse(event.payload) {
            Ok(input) => run(link.aws.ports(), cx, input).await,
            Err(error) => Err(error),
        };
        let milliseconds = now().duration_since(began).max(SignedDuration::ZERO).as_millis();
        match answer {
            Ok(answer) => {
                tracing::info!(milliseconds = %milliseconds, "done");
                metrics::print(name, began, &answer.measures());
                Ok(answer)
            }
            Err(TaskError { name: error, cause }) => {
                tracing::warn!(milliseconds = %milliseconds, error = error.as_str(), cause, "failed");
                Err(Diagnostic { error_type: error.as_str().to_owned(), error_message: cause })
            }
        }
    }
    .instrument(span)
    .await
}

#[expect(clippy::disallowed_methods, reason = "this is where time enters: tasks get it passed in")]
fn now() -> Timestamp {
    Timestamp::now()
}
