//! The tasks: one module a Lambda function, named alike all the way (`StopInstance` in the state machine, `stop-instance`
//! as function, `stop_instance` here).
//!
//! Each is `run(ports, cx, input) -> Result<Output, TaskError>`. What they promise in common: **running a task twice does
//! no more than running it once**, since Step Functions retries, EC2 has no client tokens, and people redrive.

mod document;

pub use document::{Answer, At, BACKUP_STATES, Document, Failure, RESTART_STATES, RunPlan, StateInput};

/// Declares the tasks once: modules, names, which services each uses besides the table, and how a payload reaches it.
macro_rules! tasks {
    ($($(#[doc = $doc:literal])+ $module:ident = $name:literal uses [$($service:ident),*],)+) => {
        $($(#[doc = $doc])+ pub mod $module;)+

        /// The names of all functions.
        pub const NAMES: &[&str] = &[$($name,)+];

        /// The services that the function `name` uses besides the table: what it links, and what its role may reach.
        pub fn uses(name: &str) -> &'static [Service] {
            match name {
                $($name => &[$(Service::$service),*],)+
                _ => &[],
            }
        }

        /// Runs the task `name` on a payload, as its Lambda function does, with no port but those it declares.
        ///
        /// # Errors
        /// [`ErrorName::InvalidInput`] if there is no such task or the payload is not its input; else what the task says.
        pub async fn dispatch(
            name: &str,
            ports: Ports<'_>,
            cx: Context<'_>,
            payload: Value,
        ) -> Result<Value, TaskError> {
            let ports = ports.only(uses(name));
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
use crate::ports::{Context, Ports, Service};

tasks! {
    /// Reads the policies and the inventory, and plans what is due.
    plan_fleet = "plan-fleet" uses [Ec2, Objects, Topic],
    /// Turns what an execution was started with into a run.
    resolve_run = "resolve-run" uses [Ec2],
    /// Looks whether the run can go ahead, and takes lease, intent and slot.
    prepare_run = "prepare-run" uses [Ec2, AutoScaling, Alarms, LoadBalancers, Keys, Executions],
    /// Keeps Auto Scaling from replacing the instance while it is down.
    enter_standby = "enter-standby" uses [AutoScaling],
    /// Takes the instance out of its load balancers.
    deregister_targets = "deregister-targets" uses [LoadBalancers],
    /// Switches the actions of the instance's alarms off while it is down.
    silence_alarms = "silence-alarms" uses [Alarms],
    /// Stops the instance.
    stop_instance = "stop-instance" uses [Ec2],
    /// Stores a task token, then looks.
    wait = "wait" uses [Ec2, Callbacks],
    /// Answers waiting tokens when an event says that something changed.
    wake = "wake" uses [Ec2, Callbacks],
    /// Snapshots the volumes at one point in time.
    create_snapshots = "create-snapshots" uses [Ec2],
    /// Starts the instance again.
    start_instance = "start-instance" uses [Ec2],
    /// Gives the instance back to its Auto Scaling group.
    leave_standby = "leave-standby" uses [AutoScaling],
    /// Puts the instance back into its load balancers.
    register_targets = "register-targets" uses [LoadBalancers],
    /// Sees the instance running, and closes the intent.
    confirm_running = "confirm-running" uses [Ec2],
    /// Switches on again what was switched off.
    restore_alarms = "restore-alarms" uses [Alarms],
    /// Copies the tags of volumes and instance to the snapshots.
    copy_tags = "copy-tags" uses [Ec2],
    /// Deletes what retention no longer keeps.
    prune_snapshots = "prune-snapshots" uses [Ec2],
    /// Deletes the old backups of instances that no run prunes any more.
    prune_orphans = "prune-orphans" uses [Ec2, Topic],
    /// Releases the lease, records the run, resolves tickets.
    close_run = "close-run" uses [Topic],
    /// Finds the runs that ended without having given their instance back.
    find_debts = "find-debts" uses [Executions, Topic],
    /// Takes an instance over from a run that is lost.
    take_over = "take-over" uses [Ec2, Executions],
    /// Opens, updates or resolves a ticket.
    notify = "notify" uses [Topic],
}

/// Reads a function's payload.
///
/// # Errors
/// [`ErrorName::InvalidInput`], saying where in it what is wrong.
pub fn parse<T: DeserializeOwned>(payload: Value) -> Result<T, TaskError> {
    read(payload).map_err(|why| TaskError::new(ErrorName::InvalidInput, why))
}

/// Reads a document, or says where in it what is wrong. The way to a place is kept track of only once something is: that takes
/// as long as the reading itself.
fn read<T: DeserializeOwned>(document: Value) -> Result<T, String> {
    if let Ok(read) = T::deserialize(&document) {
        return Ok(read);
    }
    serde_path_to_error::deserialize(document).map_err(|e| match e.path().to_string().as_str() {
        "." => e.inner().to_string(),
        place => format!("`{place}`: {}", e.inner()),
    })
}

fn answer<T: Serialize>(output: T) -> Result<Value, TaskError> {
    serde_json::to_value(output)
        .map_err(|e| TaskError::new(ErrorName::Defect, format!("the answer cannot be written: {e}")))
}
