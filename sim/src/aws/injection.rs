//! The ports as functions have them: each call watched, and gone wrong where that is asked for.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use stopgap_core::error::TaskError;
use stopgap_core::inventory::{Instance, Location, Snapshot, Tags, Volume};
use stopgap_core::ports::{
    Alarm, Alarms, AutoScaling, Callbacks, CreateSnapshots, CreatedSnapshot, Ec2, Execution, Executions,
    Fault, FaultKind, InstanceStorage, Item, Key, KeyState, Keys, LoadBalancers, Member, Modification,
    Notice, Objects, Page, Ports, Registration, ScalingGroup, ScheduledEvent, SnapshotQuery, SpotRequest,
    Started, StateChange, TELLS_WITHIN, Table, Target, Topic, Which, Write, Written,
};

use super::Aws;
use super::watch::{Caller, TABLE, TOPIC, Wrong};

/// How long a request waits for its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The ports of a world as one invocation has them: watched, and going wrong where that is asked for.
pub(super) struct Injected<'a> {
    aws: &'a Aws,
    caller: Caller,
    crashed: Cell<bool>,
}

impl<'a> Injected<'a> {
    pub(super) fn new(aws: &'a Aws, caller: Caller) -> Self {
        Self { aws, caller, crashed: Cell::new(false) }
    }

    pub(super) fn ports(&self) -> Ports<'_> {
        Ports::of(self)
    }

    /// Whether the function has crashed in a call.
    pub(super) fn has_crashed(&self) -> bool {
        self.crashed.get()
    }

    async fn around<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let now = self.aws.clock().now();
        let Some(wrong) = self.aws.change(|world| world.watch.call(&self.caller, operation, now)) else {
            return call.await;
        };
        let fails = |kind, why: &str| Err(Fault::new(operation, kind, format!("injected: {why}")));
        match wrong {
            Wrong::Refused(kind) => return fails(kind, "refused"),
            Wrong::Lost => {
                self.aws.clock().sleep(ANSWER_WITHIN).await;
                return fails(FaultKind::Unanswered, "no answer");
            }
            Wrong::CrashesBefore | Wrong::HangsBefore => {}
            // What the call came to is what nobody hears.
            Wrong::Unanswered | Wrong::Garbled | Wrong::CrashesAfter | Wrong::HangsAfter => {
                let _ = call.await;
            }
        }
        match wrong {
            Wrong::Garbled => return fails(FaultKind::Malformed, "the answer cannot be read"),
            Wrong::Unanswered => {
                self.aws.clock().sleep(ANSWER_WITHIN).await;
                return fails(FaultKind::Unanswered, "no answer");
            }
            // The clients of the table and the topic wait no longer.
            Wrong::HangsBefore | Wrong::HangsAfter
                if TABLE.contains(&operation) || TOPIC.contains(&operation) =>
            {
                self.aws.clock().sleep(TELLS_WITHIN).await;
                return fails(FaultKind::Unanswered, "no answer");
            }
            Wrong::CrashesBefore | Wrong::CrashesAfter => self.crashed.set(true),
            _ => {}
        }
        pending().await
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
        self.around("DescribeInstances", self.aws.describe_instances(at, which, page)).await
    }

    async fn describe_volumes(
        &self,
        at: &Location,
        which: &Which,
        page: Option<String>,
    ) -> Result<Page<Volume>, Fault> {
        self.around("DescribeVolumes", self.aws.describe_volumes(at, which, page)).await
    }

    async fn describe_snapshots(
        &self,
        at: &Location,
        query: &SnapshotQuery,
        page: Option<String>,
    ) -> Result<Page<Snapshot>, Fault> {
        let mut found =
            self.around("DescribeSnapshots", self.aws.describe_snapshots(at, query, page)).await?;
        found.items = self.aws.sabotaged_snapshots(&self.caller, query, found.items);
        Ok(found)
    }

    async fn is_stop_protected(&self, at: &Location, id: &str) -> Result<bool, Fault> {
        self.around("DescribeInstanceAttribute", self.aws.is_stop_protected(at, id)).await
    }

    async fn scheduled_events(&self, at: &Location, ids: &[String]) -> Result<Vec<ScheduledEvent>, Fault> {
        self.around("DescribeInstanceStatus", self.aws.scheduled_events(at, ids)).await
    }

    async fn modifications(
        &self,
        at: &Location,
        ids: &[String],
        page: Option<String>,
    ) -> Result<Page<Modification>, Fault> {
        self.around("DescribeVolumesModifications", self.aws.modifications(at, ids, page)).await
    }

    async fn instance_storage(
        &self,
        at: &Location,
        types: &[String],
        page: Option<String>,
    ) -> Result<Page<InstanceStorage>, Fault> {
        self.around("DescribeInstanceTypes", self.aws.instance_storage(at, types, page)).await
    }

    async fn spot_requests(
        &self,
        at: &Location,
        ids: &[String],
        page: Option<String>,
    ) -> Result<Page<SpotRequest>, Fault> {
        self.around("DescribeSpotInstanceRequests", self.aws.spot_requests(at, ids, page)).await
    }

    async fn stop_instance(&self, at: &Location, id: &str) -> Result<StateChange, Fault> {
        self.around("StopInstances", self.aws.stop_instance(at, id)).await
    }

    async fn start_instance(&self, at: &Location, id: &str) -> Result<StateChange, Fault> {
        self.around("StartInstances", self.aws.start_instance(at, id)).await
    }

    async fn create_snapshots(
        &self,
        at: &Location,
        request: &CreateSnapshots,
    ) -> Result<Vec<CreatedSnapshot>, Fault> {
        self.around("CreateSnapshots", self.aws.create_snapshots(at, request)).await
    }

    async fn tag_snapshots(&self, at: &Location, ids: &[String], tags: &Tags) -> Result<(), Fault> {
        self.around("CreateTags", self.aws.tag_snapshots(at, ids, tags)).await
    }

    async fn delete_snapshot(&self, at: &Location, id: &str) -> Result<(), Fault> {
        self.around("DeleteSnapshot", self.aws.delete_snapshot(at, id)).await
    }
}

#[async_trait(?Send)]
impl Keys for Injected<'_> {
    async fn key_state(&self, at: &Location, key_id: &str) -> Result<KeyState, Fault> {
        self.around("DescribeKey", self.aws.key_state(at, key_id)).await
    }
}

#[async_trait(?Send)]
impl AutoScaling for Injected<'_> {
    async fn member(&self, at: &Location, id: &str) -> Result<Option<Member>, Fault> {
        self.around("DescribeAutoScalingInstances", self.aws.member(at, id)).await
    }

    async fn enter_standby(&self, at: &Location, group: &str, id: &str) -> Result<(), Fault> {
        self.around("EnterStandby", self.aws.enter_standby(at, group, id)).await
    }

    async fn exit_standby(&self, at: &Location, group: &str, id: &str) -> Result<(), Fault> {
        self.around("ExitStandby", self.aws.exit_standby(at, group, id)).await
    }

    async fn group(&self, at: &Location, group: &str) -> Result<ScalingGroup, Fault> {
        self.around("DescribeAutoScalingGroups", self.aws.group(at, group)).await
    }

    async fn suspend_processes(
        &self,
        at: &Location,
        group: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        self.around("SuspendProcesses", self.aws.suspend_processes(at, group, processes)).await
    }

    async fn resume_processes(
        &self,
        at: &Location,
        group: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        self.around("ResumeProcesses", self.aws.resume_processes(at, group, processes)).await
    }
}

#[async_trait(?Send)]
impl Alarms for Injected<'_> {
    async fn describe_alarms(&self, at: &Location, page: Option<String>) -> Result<Page<Alarm>, Fault> {
        self.around("DescribeAlarms", self.aws.describe_alarms(at, page)).await
    }

    async fn named_alarms(&self, at: &Location, names: &[String]) -> Result<Vec<Alarm>, Fault> {
        self.around("DescribeAlarms", self.aws.named_alarms(at, names)).await
    }

    async fn disable_alarm_actions(&self, at: &Location, names: &[String]) -> Result<(), Fault> {
        self.around("DisableAlarmActions", self.aws.disable_alarm_actions(at, names)).await
    }

    async fn enable_alarm_actions(&self, at: &Location, names: &[String]) -> Result<(), Fault> {
        self.around("EnableAlarmActions", self.aws.enable_alarm_actions(at, names)).await
    }
}

#[async_trait(?Send)]
impl LoadBalancers for Injected<'_> {
    async fn target_groups(&self, at: &Location, page: Option<String>) -> Result<Page<String>, Fault> {
        self.around("DescribeTargetGroups", self.aws.target_groups(at, page)).await
    }

    async fn targets(&self, at: &Location, group: &str) -> Result<Vec<Target>, Fault> {
        self.around("DescribeTargetHealth", self.aws.targets(at, group)).await
    }

    async fn register_targets(
        &self,
        at: &Location,
        group: &str,
        id: &str,
        registrations: &[Registration],
    ) -> Result<(), Fault> {
        self.around("RegisterTargets", self.aws.register_targets(at, group, id, registrations)).await
    }

    async fn deregister_targets(
        &self,
        at: &Location,
        group: &str,
        id: &str,
        registrations: &[Registration],
    ) -> Result<(), Fault> {
        self.around("DeregisterTargets", self.aws.deregister_targets(at, group, id, registrations)).await
    }
}

#[async_trait(?Send)]
impl Table for Injected<'_> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        let item = self.around("GetItem", self.aws.get(key)).await?;
        Ok(self.aws.sabotaged_item(&self.caller, key, item))
    }

    async fn query(&self, partition: &str, page: Option<String>) -> Result<Page<Item>, Fault> {
        self.around("Query", self.aws.query(partition, page)).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Written, Fault> {
        let writes = self.aws.sabotaged_writes(writes);
        self.around("TransactWriteItems", self.aws.write(writes)).await
    }
}

#[async_trait(?Send)]
impl Objects for Injected<'_> {
    async fn put_json(&self, key: &str, document: &Value) -> Result<String, Fault> {
        self.around("PutObject", self.aws.put_json(key, document)).await
    }
}

#[async_trait(?Send)]
impl Topic for Injected<'_> {
    async fn publish(&self, notice: &Notice) -> Result<(), Fault> {
        self.around("Publish", self.aws.publish(notice)).await
    }

    async fn tell_chat(&self, notice: &Notice) -> Result<(), Fault> {
        if self.aws.look(|world| world.chat.is_none()) {
            return Ok(());
        }
        self.around("Publish", self.aws.tell_chat(notice)).await
    }
}

#[async_trait(?Send)]
impl Callbacks for Injected<'_> {
    async fn succeed(&self, token: &str, output: Value) -> Result<(), Fault> {
        self.around("SendTaskSuccess", self.aws.succeed(token, output)).await
    }

    async fn fail(&self, token: &str, error: &TaskError) -> Result<(), Fault> {
        self.around("SendTaskFailure", self.aws.fail(token, error)).await
    }
}

#[async_trait(?Send)]
impl Executions for Injected<'_> {
    async fn running(&self, machine_arn: &str, page: Option<String>) -> Result<Page<String>, Fault> {
        self.around("ListExecutions", self.aws.running(machine_arn, page)).await
    }

    async fn execution(&self, execution_arn: &str) -> Result<Option<Execution>, Fault> {
        self.around("DescribeExecution", self.aws.execution(execution_arn)).await
    }

    async fn newest_state(&self, execution_arn: &str) -> Result<Option<String>, Fault> {
        self.around("GetExecutionHistory", self.aws.newest_state(execution_arn)).await
    }

    async fn start(&self, machine_arn: &str, name: &str, input: &Value) -> Result<Started, Fault> {
        self.around("StartExecution", self.aws.start(machine_arn, name, input)).await
    }
}
