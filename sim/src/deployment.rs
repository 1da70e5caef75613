//! stopgap, deployed into a simulated AWS: all machines, all functions, and the schedule.

use std::rc::Rc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::Location;
use stopgap_core::ports::{PruneMode, Settings};

use crate::asl::StateMachine;
use crate::aws::{Aws, FaultName, Host, RUN_ENDED};
use crate::machines::Machines;
use crate::runtime::Runtime;
use crate::stepfunctions::{self, Keep, StartError, Status, StepFunctions};

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
    /// The rescue machine's ARN.
    pub rescue: String,
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // What listens keeps the world and the service alive, and the service what listens: none of them would be freed.
        self.step_functions.unsubscribe_all();
    }
}

impl Deployment {
    /// Deploys into an empty world, at `home`. `keep` says how much of each execution's history is kept.
    ///
    /// # Errors
    /// What is wrong with a state machine file.
    pub fn new(start: Timestamp, seed: u64, home: Location, keep: Keep) -> Result<Self, String> {
        let settings = Settings { prune: PruneMode::Delete, ..Settings::new(home) };
        Ok(Self::of(&Machines::shipped()?, start, seed, settings, keep))
    }

    /// Deploys these machines with these settings into an empty world.
    pub fn of(machines: &Machines, start: Timestamp, seed: u64, settings: Settings, keep: Keep) -> Self {
        let runtime = Runtime::new(start);
        let aws = Aws::new(runtime.clock(), seed, settings);
        let host = Rc::new(Host::new(aws.clone()));
        let objects = Some(Rc::new(aws.clone()) as Rc<dyn stepfunctions::ObjectStore>);
        let settings = stepfunctions::Settings { seed, objects, keep, ..Default::default() };
        let step_functions = StepFunctions::new(runtime.clock(), host, settings);
        aws.join(&step_functions);
        let create =
            |name, machine: &Rc<StateMachine>| step_functions.create_state_machine(name, Rc::clone(machine));
        let (fleet, instance) = (create("fleet", &machines.fleet), create("instance", &machines.instance));
        let rescue = create("rescue", &machines.rescue);
        Self { runtime, aws, step_functions, fleet, instance, rescue }
    }

    /// Starts the rescuer every five minutes from `first` until `last`, and when a run ends otherwise than well, as
    /// EventBridge does.
    pub fn rescue(&self, first: Timestamp, last: Timestamp) {
        self.rescue_every(first, last);
        let clock = self.runtime.clock();
        let (aws, step_functions) = (self.aws.clone(), self.step_functions.clone());
        let (instance, rescue) = (self.instance.clone(), self.rescue.clone());
        self.step_functions.subscribe(move |execution| {
            let ended = matches!(execution.status, Status::Failed | Status::TimedOut | Status::Aborted);
            let lost = || aws.look(|world| world.faults.contains(&FaultName::EventsLost));
            if !ended || execution.machine_arn != instance || lost() {
                return;
            }
            let (later, overtaken) = aws.route(RUN_ENDED, &json!({ "execution": execution.arn }));
            let inputs = later.into_iter().map(|more| (json!({ "execution": execution.arn }), more));
            for (input, more) in inputs.chain(overtaken.map(|input| (input, Duration::from_secs(2)))) {
                let (clock, step_functions, rescue) = (clock.clone(), step_functions.clone(), rescue.clone());
                clock.clone().spawn(async move {
                    clock.sleep(Duration::from_secs(1) + more).await;
                    let _ = step_functions.start_execution(&rescue, None, input);
                });
            }
        });
    }

    /// Starts the rescuer every five minutes from `first` until `last`, and at no other time.
    pub fn rescue_every(&self, first: Timestamp, last: Timestamp) {
        let (step_functions, rescue) = (self.step_functions.clone(), self.rescue.clone());
        self.every(SignedDuration::from_mins(5), first, last, move |_| {
            let _ = step_functions.start_execution(&rescue, None, json!({}));
        });
    }

    /// Does something at `first`, and again after each `period` until `last`.
    fn every(
        &self,
        period: SignedDuration,
        first: Timestamp,
        last: Timestamp,
        act: impl Fn(Timestamp) + 'static,
    ) {
        let clock = self.runtime.clock();
        self.runtime.clock().spawn(async move {
            let mut at = first;
            while at <= last {
                clock.sleep_until(at).await;
                act(at);
                at = at.saturating_add(period).unwrap_or(Timestamp::MAX);
            }
        });
    }

    /// Starts the fleet every quarter of an hour from `first` until `last`, as EventBridge Scheduler does.
    pub fn schedule(&self, first: Timestamp, last: Timestamp) {
        let (step_functions, fleet) = (self.step_functions.clone(), self.fleet.clone());
        self.every(SignedDuration::from_mins(15), first, last, move |at| {
            // Scheduler gives the execution no name of ours; a start that fails is tried again by the next tick.
            let _ = step_functions.start_execution(&fleet, None, json!({ "at": at }));
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
