//! One fault at one call: every port call of the functions is counted, and the one that is asked for goes wrong.

use std::collections::BTreeSet;
use std::future::{Future, pending};

use async_trait::async_trait;
use serde_json::Value;
use stopgap_core::error::TaskError;
use stopgap_core::inventory::{Instance, Location, Snapshot, Tags, Volume};
use stopgap_core::ports::{
    AutoScaling, Callbacks, CreateSnapshots, CreatedSnapshot, Ec2, Execution, Executions, Fault, FaultKind,
    InstanceStorage, Item, Key, KeyState, Keys, Member, Modification, Notice, Objects, Page, Ports,
    ScheduledEvent, SnapshotQuery, SpotRequest, Started, StateChange, Table, Topic, Which, Write, Written,
};

use super::Aws;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// It is refused in this way, and has no effect.
    Refused(FaultKind),
    /// It has its effect, and no answer comes.
    Unanswered,
    /// The function hangs before the call until Lambda ends it.
    HangsBefore,
    /// The function hangs after the call has had its effect.
    HangsAfter,
}

/// Which call goes wrong, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injection {
    /// How many calls go well before.
    pub after: u64,
    /// How many in a row go wrong then.
    pub times: u64,
    /// How.
    pub wrong: Wrong,
}

/// The ports of a world, with the injection that it asks for.
pub(super) struct Injected<'a>(pub(super) &'a Aws);

impl Injected<'_> {
    pub(super) fn ports(&self) -> Ports<'_> {
        Ports::of(self)
    }

    async fn around<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let wrong = self.0.change(|world| {
            let number = world.port_calls.len() as u64;
            world.port_calls.push(operation);
            let injection = world.injection?;
            (injection.after..injection.after + injection.times).contains(&number).then_some(injection.wrong)
        });
        match wrong {
            None => call.await,
            Some(Wrong::Refused(kind)) => Err(Fault::new(operation, kind, "injected")),
            Some(Wrong::Unanswered) => {
                // What the call came to is what nobody hears.
                let _ = call.await;
                Err(Fault::new(operation, FaultKind::Unanswered, "injected: no answer"))
            }
            Some(Wrong::HangsBefore) => pending().await,
            Some(Wrong::HangsAfter) => {
                let _ = call.await;
                pending().await
            }
        }
    }
}

#[async_trait(?Send)]
impl Ec2 for Injected<'_> {
    async fn describe_instances(
        &self,
        at: &Location,
        which: &Which,
        page: Option<String>,
    ) -> Result<Page<Instance>, Fault> {
        self.around("DescribeInstances", self.0.describe_instances(at, which, page)).await
    }

    async fn describe_volumes(
        &self,
        at: &Location,
        which: &Which,
        page: Option<String>,
    ) -> Result<Page<Volume>, Fault> {
        self.around("DescribeVolumes", self.0.describe_volumes(at, which, page)).await
    }

    async fn describe_snapshots(
        &self,
        at: &Location,
        query: &SnapshotQuery,
        page: Option<String>,
    ) -> Result<Page<Snapshot>, Fault> {
        self.around("DescribeSnapshots", self.0.describe_snapshots(at, query, page)).await
    }

    async fn is_stop_protected(&self, at: &Location, id: &str) -> Result<bool, Fault> {
        self.around("DescribeInstanceAttribute", self.0.is_stop_protected(at, id)).await
    }

    async fn scheduled_events(&self, at: &Location, ids: &[String]) -> Result<Vec<ScheduledEvent>, Fault> {
        self.around("DescribeInstanceStatus", self.0.scheduled_events(at, ids)).await
    }

    async fn modifications(
        &self,
        at: &Location,
        ids: &[String],
        page: Option<String>,
    ) -> Result<Page<Modification>, Fault> {
        self.around("DescribeVolumesModifications", self.0.modifications(at, ids, page)).await
    }

    async fn instance_storage(
        &self,
        at: &Location,
        types: &[String],
        page: Option<String>,
    ) -> Result<Page<InstanceStorage>, Fault> {
        self.around("DescribeInstanceTypes", self.0.instance_storage(at, types, page)).await
    }

    async fn spot_requests(
        &self,
        at: &Location,
        ids: &[String],
        page: Option<String>,
    ) -> Result<Page<SpotRequest>, Fault> {
        self.around("DescribeSpotInstanceRequests", self.0.spot_requests(at, ids, page)).await
    }

    async fn stop_instance(&self, at: &Location, id: &str) -> Result<StateChange, Fault> {
        self.around("StopInstances", self.0.stop_instance(at, id)).await
    }

    async fn start_instance(&self, at: &Location, id: &str) -> Result<StateChange, Fault> {
        self.around("StartInstances", self.0.start_instance(at, id)).await
    }

    async fn create_snapshots(
        &self,
        at: &Location,
        request: &CreateSnapshots,
    ) -> Result<Vec<CreatedSnapshot>, Fault> {
        self.around("CreateSnapshots", self.0.create_snapshots(at, request)).await
    }

    async fn tag_snapshots(&self, at: &Location, ids: &[String], tags: &Tags) -> Result<(), Fault> {
        self.around("CreateTags", self.0.tag_snapshots(at, ids, tags)).await
    }

    async fn delete_snapshot(&self, at: &Location, id: &str) -> Result<(), Fault> {
        self.around("DeleteSnapshot", self.0.delete_snapshot(at, id)).await
    }
}

#[async_trait(?Send)]
impl Keys for Injected<'_> {
    async fn key_state(&self, at: &Location, key_id: &str) -> Result<KeyState, Fault> {
        self.around("DescribeKey", self.0.key_state(at, key_id)).await
    }
}

#[async_trait(?Send)]
impl AutoScaling for Injected<'_> {
    async fn member(&self, at: &Location, id: &str) -> Result<Option<Member>, Fault> {
        self.around("DescribeAutoScalingInstances", self.0.member(at, id)).await
    }

    async fn enter_standby(&self, at: &Location, group: &str, id: &str) -> Result<(), Fault> {
        self.around("EnterStandby", self.0.enter_standby(at, group, id)).await
    }

    async fn exit_standby(&self, at: &Location, group: &str, id: &str) -> Result<(), Fault> {
        self.around("ExitStandby", self.0.exit_standby(at, group, id)).await
    }

    async fn suspended_processes(&self, at: &Location, group: &str) -> Result<BTreeSet<String>, Fault> {
        self.around("DescribeAutoScalingGroups", self.0.suspended_processes(at, group)).await
    }

    async fn suspend_processes(
        &self,
        at: &Location,
        group: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        self.around("SuspendProcesses", self.0.suspend_processes(at, group, processes)).await
    }

    async fn resume_processes(
        &self,
        at: &Location,
        group: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        self.around("ResumeProcesses", self.0.resume_processes(at, group, processes)).await
    }
}

#[async_trait(?Send)]
impl Table for Injected<'_> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.around("GetItem", self.0.get(key)).await
    }

    async fn query(&self, partition: &str, page: Option<String>) -> Result<Page<Item>, Fault> {
        self.around("Query", self.0.query(partition, page)).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Written, Fault> {
        self.around("TransactWriteItems", self.0.write(writes)).await
    }
}

#[async_trait(?Send)]
impl Objects for Injected<'_> {
    async fn put_json(&self, key: &str, document: &Value) -> Result<String, Fault> {
        self.around("PutObject", self.0.put_json(key, document)).await
    }
}

#[async_trait(?Send)]
impl Topic for Injected<'_> {
    async fn publish(&self, notice: &Notice) -> Result<(), Fault> {
        self.around("Publish", self.0.publish(notice)).await
    }

    async fn tell_chat(&self, notice: &Notice) -> Result<(), Fault> {
        if self.0.look(|world| world.chat.is_none()) {
            return Ok(());
        }
        self.around("Publish", self.0.tell_chat(notice)).await
    }
}

#[async_trait(?Send)]
impl Callbacks for Injected<'_> {
    async fn succeed(&self, token: &str, output: Value) -> Result<(), Fault> {
        self.around("SendTaskSuccess", self.0.succeed(token, output)).await
    }

    async fn fail(&self, token: &str, error: &TaskError) -> Result<(), Fault> {
        self.around("SendTaskFailure", self.0.fail(token, error)).await
    }
}

#[async_trait(?Send)]
impl Executions for Injected<'_> {
    async fn running(&self, machine_arn: &str, page: Option<String>) -> Result<Page<String>, Fault> {
        self.around("ListExecutions", self.0.running(machine_arn, page)).await
    }

    async fn execution(&self, execution_arn: &str) -> Result<Option<Execution>, Fault> {
        self.around("DescribeExecution", self.0.execution(execution_arn)).await
    }

    async fn newest_state(&self, execution_arn: &str) -> Result<Option<String>, Fault> {
        self.around("GetExecutionHistory", self.0.newest_state(execution_arn)).await
    }

    async fn start(&self, machine_arn: &str, name: &str, input: &Value) -> Result<Started, Fault> {
        self.around("StartExecution", self.0.start(machine_arn, name, input)).await
    }
}
