//! A scenario: a deployment with one Region, and short ways to ask what became of a run.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::{InstanceState, Location, Snapshot};
use stopgap_core::policy;
use stopgap_core::pruning::Pruned;
use stopgap_core::set_tags;
use stopgap_core::ticket;
use stopgap_sim::aws::{GroupSpec, InstanceSpec};
use stopgap_sim::deployment::Deployment;
use stopgap_sim::stepfunctions::{Execution, Keep};

/// Where the scenarios happen.
pub fn home() -> Location {
    Location::new("123456789012", "us-east-1")
}

/// When they begin: five minutes before the policies of [`nightly`] are due.
///
/// # Panics
/// Never: the time is a constant.
pub fn evening() -> Timestamp {
    "2026-11-21T01:55:00Z".parse().expect("a time")
}

/// A policy that backs up `Backup=nightly` at 02:00 UTC, with `changes` merged in.
pub fn nightly(changes: Value) -> Value {
    let mut policy = json!({
        "version": 1,
        "id": "nightly",
        "select": { "any": [{ "tag": { "Backup": ["nightly"] } }] },
        "schedule": { "expression": "cron(0 2 * * ? *)" },
        "retention": { "keep_last": 3, "at_least": 1 },
    });
    if let (Some(policy), Value::Object(changes)) = (policy.as_object_mut(), changes) {
        policy.extend(changes);
    }
    policy
}

/// A scenario under way.
pub struct Scene {
    /// The deployment.
    pub stopgap: Deployment,
}

impl Scene {
    /// An empty world with these policies.
    ///
    /// # Panics
    /// If a policy or a state machine file is broken: then there is nothing to test.
    pub fn new(seed: u64, policies: &[Value]) -> Self {
        let stopgap = Deployment::new(evening(), seed, home(), Keep::Everything);
        let stopgap = stopgap.expect("the shipped machines are sound");
        for value in policies {
            stopgap.aws.add_policy(&policy::parse_value(value).expect("the scenario's policy is sound"));
        }
        Self { stopgap }
    }

    /// A world with the policy [`nightly`].
    pub fn nightly(seed: u64) -> Self {
        Self::new(seed, &[nightly(json!({}))])
    }

    /// Puts an instance with the tag that `nightly` selects into the world.
    pub fn add(&self, change: impl FnOnce(InstanceSpec) -> InstanceSpec) -> String {
        let spec = InstanceSpec::new(&home()).tag("Backup", "nightly").volume(20, &[("Data", "yes")]);
        self.stopgap.aws.add_instance(change(spec))
    }

    /// Puts a complete backup of the policy `nightly` into the world, as a run of that time left it.
    pub fn add_set(&self, instance_id: &str, at: Timestamp) {
        let volumes = self.stopgap.aws.look(|world| {
            world.machine(instance_id).map_or(0, |machine| machine.instance.devices.len()).to_string()
        });
        let occurrence = format!("nightly/{at}");
        let tags = [
            (set_tags::POLICY, "nightly"),
            (set_tags::INSTANCE, instance_id),
            (set_tags::OCCURRENCE, &occurrence),
            (set_tags::VOLUMES, &volumes),
        ];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.stopgap.aws.add_backup(instance_id, at, &tags.into());
    }

    /// Starts a run by hand, and lets time pass until nothing happens any more (or a week is over).
    pub fn run(&self, input: Value) -> Execution {
        let arn = self.start(input);
        self.pass(SignedDuration::from_hours(7 * 24));
        self.execution(&arn)
    }

    /// Starts a run by hand.
    ///
    /// # Panics
    /// If Step Functions refuses it.
    pub fn start(&self, input: Value) -> String {
        self.stopgap.run_instance(input).expect("the machine is there")
    }

    /// An execution as it stands.
    ///
    /// # Panics
    /// If there is none of that ARN.
    pub fn execution(&self, arn: &str) -> Execution {
        self.stopgap.step_functions.describe_execution(arn).expect("the execution is there")
    }

    /// Lets the fleet run through the night, until 08:00.
    pub fn night(&self) {
        let morning = "2026-11-21T08:00:00Z".parse().unwrap_or_default();
        self.stopgap.schedule("2026-11-21T02:00:00Z".parse().unwrap_or_default(), morning);
        self.stopgap.runtime.run_until(morning);
    }

    /// Lets time pass.
    pub fn pass(&self, time: SignedDuration) {
        let clock = self.stopgap.runtime.clock();
        self.stopgap.runtime.run_until(clock.now().saturating_add(time).unwrap_or(Timestamp::MAX));
    }

    /// The runs of the instance machine.
    pub fn runs(&self) -> Vec<Execution> {
        let all = self.stopgap.step_functions.executions();
        all.into_iter().filter(|execution| execution.machine_arn == self.stopgap.instance).collect()
    }

    /// Takes the right to call an operation away.
    pub fn deny(&self, operation: &'static str) {
        self.stopgap.aws.change(|world| world.denied.insert(operation));
    }

    /// What a run's `PrepareRun` answered as its reasons.
    ///
    /// # Panics
    /// If it did not come to that.
    pub fn reasons(&self, execution: &Execution) -> Vec<String> {
        let document = self.output_of(execution, "PrepareRun");
        serde_json::from_value(document["prepared"]["Payload"]["reasons"].clone()).expect("reasons are texts")
    }

    /// The document as a state left it.
    fn output_of(&self, execution: &Execution, state: &str) -> Value {
        let events = self.stopgap.step_functions.history(&execution.arn);
        let exited = events.iter().find(|event| {
            event.event_type == "TaskStateExited"
                && event.detail("name").and_then(Value::as_str) == Some(state)
        });
        let output = exited.and_then(|event| event.detail("output")?.as_str());
        let output = output.unwrap_or_else(|| panic!("it left the state {state}"));
        serde_json::from_str(output).expect("outputs are JSON")
    }

    /// An instance's state.
    pub fn state(&self, instance_id: &str) -> Option<InstanceState> {
        self.stopgap.aws.look(|world| Some(world.machine(instance_id)?.instance.state))
    }

    /// All snapshots.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.stopgap.aws.look(|world| world.snapshots().cloned().collect())
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: &str) -> u64 {
        self.stopgap.aws.look(|world| world.calls.get(operation).copied().unwrap_or(0))
    }

    /// The tickets' messages, oldest first: kind, action, instance.
    pub fn messages(&self) -> Vec<(String, String, String)> {
        self.stopgap.aws.look(|world| {
            let text = |document: &Value, key: &str| document[key].as_str().unwrap_or_default().to_owned();
            let message = |(_, notice): &(Timestamp, stopgap_core::ports::Notice)| {
                let document = &notice.document;
                (text(document, "kind"), text(document, "action"), text(document, "instance"))
            };
            world.published.iter().map(message).collect()
        })
    }

    /// The kinds of the tickets that are open.
    pub fn open_tickets(&self) -> Vec<String> {
        self.stopgap.aws.look(|world| {
            let tickets = world.table.iter().filter(|(key, _)| key.partition == ticket::Record::PARTITION);
            let open = tickets.filter(|(_, (_, body))| body["status"] == "open");
            open.map(|(_, (_, body))| body["matter"]["kind"].as_str().unwrap_or_default().to_owned())
                .collect()
        })
    }

    /// What the table holds of leases, intents and slots: nothing, when every run is closed.
    pub fn held(&self) -> Vec<String> {
        self.stopgap.aws.look(|world| {
            let held =
                world.table.keys().filter(|key| ["leases", "intents", "slots"].contains(&&*key.partition));
            held.map(|key| format!("{} {}", key.partition, key.sort)).collect()
        })
    }

    /// Puts a group named `web` of these members into the world, which can shrink to `minimum`; its load balancer drains a
    /// member for so many seconds.
    pub fn group(&self, minimum: usize, members: &[&String], drains_for: u64) {
        self.stopgap.aws.add_group(GroupSpec {
            location: home(),
            name: "web".to_owned(),
            minimum,
            members: members.iter().copied().cloned().collect(),
            drains_for: Duration::from_secs(drains_for),
        });
    }

    /// What the run's pruning answered.
    ///
    /// # Panics
    /// If it did not come to that.
    pub fn pruned(&self, execution: &Execution) -> Pruned {
        let document = self.output_of(execution, "PruneSnapshots");
        serde_json::from_value(document["pruned"]["Payload"].clone()).expect("it answers what it says")
    }

    /// The names of the states that an execution entered, in order.
    pub fn states(&self, arn: &str) -> Vec<String> {
        let events = self.stopgap.step_functions.history(arn);
        let entered = events.iter().filter(|event| event.event_type.ends_with("StateEntered"));
        entered.filter_map(|event| Some(event.detail("name")?.as_str()?.to_owned())).collect()
    }
}
