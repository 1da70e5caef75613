//! Executions of the state machines.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::Value;

use super::Scene;

/// How often an execution is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often at most: enough for a machine that is busy with other things, and an end to a test that hangs.
const LOOKS: u32 = 1_500;

/// An execution that has ended.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// How it ended.
    pub status: ExecutionStatus,
    /// What it answered.
    pub output: Value,
    /// What it failed with.
    pub error: String,
    /// Why.
    pub cause: String,
}

impl Execution {
    /// Whether it ended well.
    pub fn succeeded(&self) -> bool {
        self.status == ExecutionStatus::Succeeded
    }
}

impl Scene<'_> {
    /// Starts the instance machine by hand and waits for its end.
    pub async fn run(&self, input: &Value) -> Execution {
        let machine = self.stopgap.instance_machine.clone();
        self.end_of(&self.start(&machine, input).await).await
    }

    /// Starts the fleet machine, and waits for its end and for that of the instance executions that it started.
    pub async fn run_fleet(&self, input: &Value) -> (Execution, Vec<Execution>) {
        let before = self.instance_executions().await;
        let machine = self.stopgap.fleet_machine.clone();
        let fleet = self.end_of(&self.start(&machine, input).await).await;
        let mut started = Vec::new();
        for arn in self.instance_executions().await {
            if !before.contains(&arn) {
                started.push(self.end_of(&arn).await);
            }
        }
        (fleet, started)
    }

    /// Starts an execution; answers its ARN.
    ///
    /// # Panics
    /// When Step Functions refuses it.
    pub async fn start(&self, machine: &str, input: &Value) -> String {
        let start = self.aws.step_functions.start_execution().state_machine_arn(machine);
        let started = start.input(input.to_string()).send().await.expect("the execution starts");
        started.execution_arn
    }

    /// Waits for the end of an execution.
    ///
    /// # Panics
    /// When it does not end in minutes, or cannot be read.
    pub async fn end_of(&self, arn: &str) -> Execution {
        for _ in 0..LOOKS {
            let describe = self.aws.step_functions.describe_execution().execution_arn(arn);
            let found = describe.send().await.expect("the execution is there");
            if found.status != ExecutionStatus::Running {
                let output = found.output().and_then(|output| serde_json::from_str(output).ok());
                return Execution {
                    arn: arn.to_owned(),
                    output: output.unwrap_or_default(),
                    error: found.error().unwrap_or_default().to_owned(),
                    cause: found.cause().unwrap_or_default().to_owned(),
                    status: found.status,
                };
            }
            tokio::time::sleep(LOOK).await;
        }
        let events = self.states(arn).await;
        panic!("{arn} does not end; its last events: {:?}", &events[events.len().saturating_sub(10)..]);
    }

    /// The ARNs of the instance executions of this scene's policy.
    ///
    /// # Panics
    /// When they cannot be listed.
    pub async fn instance_executions(&self) -> Vec<String> {
        let list =
            self.aws.step_functions.list_executions().state_machine_arn(&self.stopgap.instance_machine);
        let found = list.send().await.expect("executions can be listed").executions;
        let mut ours = Vec::new();
        for execution in found {
            let describe =
                self.aws.step_functions.describe_execution().execution_arn(&execution.execution_arn);
            let input = describe.send().await.expect("the execution is there").input.unwrap_or_default();
            if input.contains(&format!("\"{}\"", self.name)) {
                ours.push(execution.execution_arn);
            }
        }
        ours
    }

    /// The ARNs of the rescuer's executions for an instance.
    ///
    /// # Panics
    /// When they cannot be listed.
    pub async fn rescues(&self, instance_id: &str) -> Vec<String> {
        let list = self.aws.step_functions.list_executions().state_machine_arn(&self.stopgap.rescue_machine);
        let found = list.send().await.expect("executions can be listed").executions;
        let ours = found.into_iter().filter(|execution| execution.name.starts_with(instance_id));
        ours.map(|execution| execution.execution_arn).collect()
    }

    /// The types of an execution's events with the states' names, in order: `TaskStateEntered StopInstance`.
    ///
    /// # Panics
    /// When the history cannot be read.
    pub async fn states(&self, arn: &str) -> Vec<String> {
        let history = self.aws.step_functions.get_execution_history().execution_arn(arn);
        let events = history.send().await.expect("the history can be read").events;
        let name = |event: &aws_sdk_sfn::types::HistoryEvent| {
            let entered = event.state_entered_event_details().map(|details| details.name().to_owned());
            format!("{} {}", event.r#type.as_str(), entered.unwrap_or_default()).trim().to_owned()
        };
        events.iter().map(name).collect()
    }
}
