//! A service that a function was not built with.
//!
//! Each task declares what it uses ([`crate::tasks::uses`]); everything else answers with a fault that says so. The
//! deployed functions link no more than that, and the simulation holds every task to its declaration.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::Value;

use super::{
    Alarm, Alarms, AutoScaling, Callbacks, CreateSnapshots, CreatedSnapshot, Ec2, Execution, Executions,
    Fault, FaultKind, InstanceStorage, KeyState, Keys, LoadBalancers, Member, Modification, Notice, Objects,
    Page, Registration, ScalingGroup, ScheduledEvent, SnapshotQuery, SpotRequest, Started, StateChange,
    Target, Topic, Which,
};
use crate::error::TaskError;
use crate::inventory::{Instance, Location, Snapshot, Tags, Volume};

/// Answers every request with [`FaultKind::Malformed`]: a mistake of ours, told as `Defect`.
#[derive(Clone, Copy, Debug)]
pub struct Absent;

fn absent<T>(operation: &'static str) -> Result<T, Fault> {
    let message = "this function does not declare that it uses the service (stopgap_core::tasks)";
    Err(Fault::new(operation, FaultKind::Malformed, message))
}

#[async_trait(?Send)]
impl Ec2 for Absent {
    async fn describe_instances(
        &self,
        _: &Location,
        _: &Which,
        _: Option<String>,
    ) -> Result<Page<Instance>, Fault> {
        absent("DescribeInstances")
    }

    async fn describe_volumes(
        &self,
        _: &Location,
        _: &Which,
        _: Option<String>,
    ) -> Result<Page<Volume>, Fault> {
        absent("DescribeVolumes")
    }

    async fn describe_snapshots(
        &self,
        _: &Location,
        _: &SnapshotQuery,
        _: Option<String>,
    ) -> Result<Page<Snapshot>, Fault> {
        absent("DescribeSnapshots")
    }

    async fn is_stop_protected(&self, _: &Location, _: &str) -> Result<bool, Fault> {
        absent("DescribeInstanceAttribute")
    }

    async fn scheduled_events(&self, _: &Location, _: &[String]) -> Result<Vec<ScheduledEvent>, Fault> {
        absent("DescribeInstanceStatus")
    }

    async fn modifications(
        &self,
        _: &Location,
        _: &[String],
        _: Option<String>,
    ) -> Result<Page<Modification>, Fault> {
        absent("DescribeVolumesModifications")
    }

    async fn instance_storage(
        &self,
        _: &Location,
        _: &[String],
        _: Option<String>,
    ) -> Result<Page<InstanceStorage>, Fault> {
        absent("DescribeInstanceTypes")
    }

    async fn spot_requests(
        &self,
        _: &Location,
        _: &[String],
        _: Option<String>,
    ) -> Result<Page<SpotRequest>, Fault> {
        absent("DescribeSpotInstanceRequests")
    }

    async fn stop_instance(&self, _: &Location, _: &str) -> Result<StateChange, Fault> {
        absent("StopInstances")
    }

    async fn start_instance(&self, _: &Location, _: &str) -> Result<StateChange, Fault> {
        absent("StartInstances")
    }

    async fn create_snapshots(
        &self,
        _: &Location,
        _: &CreateSnapshots,
    ) -> Result<Vec<CreatedSnapshot>, Fault> {
        absent("CreateSnapshots")
    }

    async fn tag_snapshots(&self, _: &Location, _: &[String], _: &Tags) -> Result<(), Fault> {
        absent("CreateTags")
    }

    async fn delete_snapshot(&self, _: &Location, _: &str) -> Result<(), Fault> {
        absent("DeleteSnapshot")
    }
}

#[async_trait(?Send)]
impl Keys for Absent {
    async fn key_state(&self, _: &Location, _: &str) -> Result<KeyState, Fault> {
        absent("DescribeKey")
    }
}

#[async_trait(?Send)]
impl AutoScaling for Absent {
    async fn member(&self, _: &Location, _: &str) -> Result<Option<Member>, Fault> {
        absent("DescribeAutoScalingInstances")
    }

    async fn enter_standby(&self, _: &Location, _: &str, _: &str) -> Result<(), Fault> {
        absent("EnterStandby")
    }

    async fn exit_standby(&self, _: &Location, _: &str, _: &str) -> Result<(), Fault> {
        absent("ExitStandby")
    }

    async fn group(&self, _: &Location, _: &str) -> Result<ScalingGroup, Fault> {
        absent("DescribeAutoScalingGroups")
    }

    async fn suspend_processes(&self, _: &Location, _: &str, _: &BTreeSet<String>) -> Result<(), Fault> {
        absent("SuspendProcesses")
    }

    async fn resume_processes(&self, _: &Location, _: &str, _: &BTreeSet<String>) -> Result<(), Fault> {
        absent("ResumeProcesses")
    }
}

#[async_trait(?Send)]
impl Alarms for Absent {
    async fn describe_alarms(&self, _: &Location, _: Option<String>) -> Result<Page<Alarm>, Fault> {
        absent("DescribeAlarms")
    }

    async fn named_alarms(&self, _: &Location, _: &[String]) -> Result<Vec<Alarm>, Fault> {
        absent("DescribeAlarms")
    }

    async fn disable_alarm_actions(&self, _: &Location, _: &[String]) -> Result<(), Fault> {
        absent("DisableAlarmActions")
    }

    async fn enable_alarm_actions(&self, _: &Location, _: &[String]) -> Result<(), Fault> {
        absent("EnableAlarmActions")
    }
}

#[async_trait(?Send)]
impl LoadBalancers for Absent {
    async fn target_groups(&self, _: &Location, _: Option<String>) -> Result<Page<String>, Fault> {
        absent("DescribeTargetGroups")
    }

    async fn targets(&self, _: &Location, _: &str) -> Result<Vec<Target>, Fault> {
        absent("DescribeTargetHealth")
    }

    async fn register_targets(
        &self,
        _: &Location,
        _: &str,
        _: &str,
        _: &[Registration],
    ) -> Result<(), Fault> {
        absent("RegisterTargets")
    }

    async fn deregister_targets(
        &self,
        _: &Location,
        _: &str,
        _: &str,
        _: &[Registration],
    ) -> Result<(), Fault> {
        absent("DeregisterTargets")
    }
}

#[async_trait(?Send)]
impl Objects for Absent {
    async fn put_json(&self, _: &str, _: &Value) -> Result<String, Fault> {
        absent("PutObject")
    }
}

#[async_trait(?Send)]
impl Topic for Absent {
    async fn publish(&self, _: &Notice) -> Result<(), Fault> {
        absent("Publish")
    }

    async fn tell_chat(&self, _: &Notice) -> Result<(), Fault> {
        absent("Publish")
    }
}

#[async_trait(?Send)]
impl Callbacks for Absent {
    async fn succeed(&self, _: &str, _: Value) -> Result<(), Fault> {
        absent("SendTaskSuccess")
    }

    async fn fail(&self, _: &str, _: &TaskError) -> Result<(), Fault> {
        absent("SendTaskFailure")
    }
}

#[async_trait(?Send)]
impl Executions for Absent {
    async fn running(&self, _: &str, _: Option<String>) -> Result<Page<String>, Fault> {
        absent("ListExecutions")
    }

    async fn execution(&self, _: &str) -> Result<Option<Execution>, Fault> {
        absent("DescribeExecution")
    }

    async fn newest_state(&self, _: &str) -> Result<Option<String>, Fault> {
        absent("GetExecutionHistory")
    }

    async fn start(&self, _: &str, _: &str, _: &Value) -> Result<Started, Fault> {
        absent("StartExecution")
    }
}
