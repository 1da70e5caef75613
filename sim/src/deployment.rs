//! stopgap, deployed into a simulated AWS: both machines, all functions, and the schedule.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::Location;
use stopgap_core::ports::{PruneMode, Settings};

use crate::aws::{Aws, Host};
use crate::machines;
use crate::runtime::Runtime;
use crate::stepfunctions::{self, Keep, StartError, StepFunctions};

/// A deployment on a clock of its own.
pub struct Deployment {
    /// The clock, and what runs on it.
    pub runtime: Runtime,
    /// The world.
    pub aws: Aws,
    /// The state machines and their executions.
    pub step_functions: StepFunctions,
    /// The fleet machine's ARN.
    pub fleet: String,
    /// The instance machine's ARN.
    pub instance: String,
}

impl Deployment {
    /// Deploys into an empty world, at `home`. `keep` says how much of each execution's history is kept.
    ///
    /// # Errors
    /// What is wrong with a state machine file.
    pub fn new(start: Timestamp, seed: u64, home: Location, keep: Keep) -> Result<Self, String> {
        let runtime = Runtime::new(start);
        let settings = Settings { prune: PruneMode::Delete, ..Settings::new(home) };
        let aws = Aws::new(runtime.clock(), seed, settings);
        let host = Rc::new(Host::new(aws.clone()));
        let objects = Some(Rc::new(aws.clone()) as Rc<dyn stepfunctions::ObjectStore>);
        let settings = stepfunctions::Settings { seed, objects, keep, ..Default::default() };
        let step_functions = StepFunctions::new(runtime.clock(), host, settings);
        aws.join(step_functions.clone());
        let instance =
            step_functions.create_state_machine("instance", machines::resolve(machines::INSTANCE, &[])?);
        let fleet = machines::resolve(machines::FLEET, &[("InstanceMachine", &instance)])?;
        let fleet = step_functions.create_state_machine("fleet", fleet);
        Ok(Self { runtime, aws, step_functions, fleet, instance })
    }

    /// Starts the fleet every quarter of an hour from `first` until `last`, as EventBridge Scheduler does.
    pub fn schedule(&self, first: Timestamp, last: Timestamp) {
        let (clock, step_functions, fleet) =
            (self.runtime.clock(), self.step_functions.clone(), self.fleet.clone());
        self.runtime.clock().spawn(async move {
            let mut at = first;
            while at <= last {
                clock.sleep_until(at).await;
                // Scheduler gives the execution no name of ours; a start that fails is tried again by the next tick.
                let _ = step_functions.start_execution(&fleet, None, json!({ "at": at }));
                at = at.saturating_add(SignedDuration::from_mins(15)).unwrap_or(Timestamp::MAX);
            }
        });
    }

    /// Starts an execution of the instance machine, as a person does, and answers its ARN.
    ///
    /// # Errors
    /// What Step Functions says.
    pub fn run_instance(&self, input: Value) -> Result<String, StartError> {
        self.step_functions.start_execution(&self.instance, None, input)
    }
}
