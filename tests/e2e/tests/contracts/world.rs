//! What a contract needs of a world besides the ports: to set the scene, and to see what became of it.

use async_trait::async_trait;
use serde_json::Value;
use stopgap_core::inventory::Location;
use stopgap_core::ports::{Fault, FaultKind, Ports};

/// A world behind the ports. Every contract has one of its own: its own table, bucket, topic and machines. Instances,
/// snapshots and groups may be there that belong to others.
#[async_trait(?Send)]
pub(crate) trait World {
    /// What is put to the test.
    fn ports(&self) -> Ports<'_>;

    /// Where stopgap is at home.
    fn here(&self) -> Location;

    /// How many instances or snapshots a page holds.
    fn page(&self) -> usize;

    /// How many items, with how many bytes each, are more than a page of the table holds: DynamoDB's ends with 1 MB.
    fn more_than_a_page(&self) -> (usize, usize);

    /// Lets a while pass, in which instances and snapshots change their states by themselves.
    async fn wait(&self);

    /// A running instance with a root volume of 8 GiB and as many data volumes. It is tagged `Name: precious`, its volumes
    /// `Data: precious`.
    async fn add_instance(&self, at: &Location, data_volumes: usize) -> String;

    /// An instance that is terminated.
    async fn add_terminated_instance(&self) -> String;

    /// Turns on an instance's stop protection.
    async fn protect_from_stop(&self, instance_id: &str);

    /// A KMS key: its ARN.
    async fn add_key(&self) -> String;

    /// Disables a KMS key.
    async fn disable_key(&self, key: &str);

    /// Makes an image of an instance, and answers the id of a snapshot that it is made of.
    async fn add_image(&self, instance_id: &str) -> String;

    /// An Auto Scaling group with as many members in service: its name, and their ids.
    async fn add_group(&self, minimum: usize, members: usize) -> (String, Vec<String>);

    /// An alarm that acts, and watches these instances: one by its metric, several by metric math.
    async fn add_alarm(&self, instances: &[&str]) -> String;

    /// A target group whose targets are instances: its ARN.
    async fn add_target_group(&self) -> String;

    /// An account that lets stopgap in, by the role in the location.
    async fn spoke(&self) -> Location;

    /// Registers a state machine and answers its ARN.
    async fn add_machine(&self, definition: &Value) -> String;

    /// Where a state machine can send the token of a task, as a `QueueUrl` of `sqs:sendMessage`.
    fn mailbox(&self) -> String;

    /// The token that was sent there, once it is.
    async fn token(&self) -> String;

    /// Stops an execution, as a person does.
    async fn stop_execution(&self, execution_arn: &str);

    /// What an execution came to.
    async fn output(&self, execution_arn: &str) -> Value;

    /// What is in the planning bucket under a key.
    async fn object(&self, key: &str) -> Option<Value>;

    /// The documents that reached a subscriber who asked for the attribute `severity` to be `critical`, in order.
    async fn critical_tickets(&self) -> Vec<Value>;

    /// What chat applications were told, in order.
    async fn chat(&self) -> Vec<Value>;
}

/// How often to look for what will be: in a simulated world as many seconds, with moto as many twentieths of one.
const LOOKS: usize = 2_400;

/// Looks until there is what is looked for. Reads of EC2 are eventually consistent, and states take their time.
pub(crate) async fn eventually<T>(
    world: &dyn World,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look().await {
            return found;
        }
        world.wait().await;
    }
    panic!("never seen: {what}");
}

/// An answer with no more of a fault than its kind: all that a task may decide by.
pub(crate) fn kind<T>(answer: Result<T, Fault>) -> Result<T, FaultKind> {
    answer.map_err(|fault| {
        // For whoever reads why a contract was broken.
        eprintln!("{fault}");
        fault.kind
    })
}
