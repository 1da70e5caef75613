//! The tasks: one module a Lambda function, named alike all the way (`StopInstance` in the state machine, `stop-instance`
//! as function, `stop_instance` here).
//!
//! Each is `run(ports, cx, input) -> Result<Output, TaskError>`. What they promise in common: **running a task twice does
//! no more than running it once**, since Step Functions retries, EC2 has no client tokens, and people redrive.

mod document;

pub use document::{Answer, At, BACKUP_STATES, Document, Failure, RESTART_STATES, RunPlan, StateInput};

/// Declares the tasks once: modules, names, and how a payload reaches each.
macro_rules! tasks {
    ($($(#[doc = $doc:literal])+ $module:ident = $name:literal,)+) => {
        $($(#[doc = $doc])+ pub mod $module;)+

        /// The names of all functions.
        pub const NAMES: &[&str] = &[$($name,)+];

        /// Runs the task `name` on a payload, as its Lambda function does.
        ///
        /// # Errors
        /// [`ErrorName::InvalidInput`] if there is no such task or the payload is not its input; else what the task says.
        pub async fn dispatch(
            name: &str,
            ports: Ports<'_>,
            cx: Context<'_>,
            payload: Value,
        ) -> Result<Value, TaskError> {
            match name {
                $($name => answer($module::run(ports, cx, parse(payload)?).await?),)+
                _ => Err(TaskError::new(ErrorName::InvalidInput, format!("there is no function `{name}`"))),
            }
        }
    };
}

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ErrorName, TaskError};
use crate::ports::{Context, Ports};

tasks! {
    /// Reads the policies and the inventory, and plans what is due.
    plan_fleet = "plan-fleet",
    /// Turns what an execution was started with into a run.
    resolve_run = "resolve-run",
    /// Looks whether the run can go ahead, and takes lease, intent and slot.
    prepare_run = "prepare-run",
    /// Keeps Auto Scaling from replacing the instance while it is down.
    enter_standby = "enter-standby",
    /// Stops the instance.
    stop_instance = "stop-instance",
    /// Stores a task token, then looks.
    wait = "wait",
    /// Answers waiting tokens when an event says that something changed.
    wake = "wake",
    /// Snapshots the volumes at one point in time.
    create_snapshots = "create-snapshots",
    /// Starts the instance again.
    start_instance = "start-instance",
    /// Gives the instance back to its Auto Scaling group.
    leave_standby = "leave-standby",
    /// Sees the instance running, and closes the intent.
    confirm_running = "confirm-running",
    /// Copies the tags of volumes and instance to the snapshots.
    copy_tags = "copy-tags",
    /// Deletes what retention no longer keeps.
    prune_snapshots = "prune-snapshots",
    /// Releases the lease, records the run, resolves tickets.
    close_run = "close-run",
    /// Opens, updates or resolves a ticket.
    notify = "notify",
}

fn parse<T: DeserializeOwned>(payload: Value) -> Result<T, TaskError> {
    read(payload).map_err(|why| TaskError::new(ErrorName::InvalidInput, why))
}

/// Reads a document, or says where in it what is wrong.
fn read<T: DeserializeOwned>(document: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(document).map_err(|e| match e.path().to_string().as_str() {
        "." => e.inner().to_string(),
        place => format!("`{place}`: {}", e.inner()),
    })
}

fn answer<T: Serialize>(output: T) -> Result<Value, TaskError> {
    serde_json::to_value(output)
        .map_err(|e| TaskError::new(ErrorName::Defect, format!("the answer cannot be written: {e}")))
}
