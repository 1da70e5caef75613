//! EC2 Auto Scaling, as far as its members must be kept from being replaced while they are down.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::Fault;
use crate::inventory::Location;

/// Where a member of a group is in its life (`LifecycleState`), as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LifecycleState {
    /// Coming into service: launching, or leaving Standby.
    Pending,
    /// Serving; replaced when it stops running.
    InService,
    /// Going into Standby: load balancers drain it first, 300 s by default.
    EnteringStandby,
    /// In the group, but neither serving nor replaced.
    Standby,
    /// Being terminated or detached.
    Leaving,
}

/// An instance as a member of an Auto Scaling group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The group's name.
    pub group: String,
    /// Where the member is in its life.
    pub lifecycle: LifecycleState,
}

/// A group, as far as it matters whether one of its members can be spared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScalingGroup {
    /// Below this the desired capacity cannot go.
    pub minimum: usize,
    /// How many members should serve; those in Standby do not count.
    pub desired: usize,
    /// Where each member is in its life, by instance id.
    pub members: BTreeMap<String, LifecycleState>,
    /// The processes that are suspended.
    pub suspended: BTreeSet<String>,
}

/// Auto Scaling in any account and Region that a policy targets, by the location's role where it has one.
#[async_trait(?Send)]
pub trait AutoScaling {
    /// DescribeAutoScalingInstances for one instance: its membership, if it has one.
    async fn member(&self, at: &Location, instance_id: &str) -> Result<Option<Member>, Fault>;

    /// EnterStandby with the desired capacity decremented. Refused (`Rejected`) when that would go below the group's
    /// minimum.
    async fn enter_standby(&self, at: &Location, group: &str, instance_id: &str) -> Result<(), Fault>;

    /// ExitStandby; the desired capacity rises again.
    async fn exit_standby(&self, at: &Location, group: &str, instance_id: &str) -> Result<(), Fault>;

    /// DescribeAutoScalingGroups for one group.
    async fn group(&self, at: &Location, group: &str) -> Result<ScalingGroup, Fault>;

    /// SuspendProcesses.
    async fn suspend_processes(
        &self,
        at: &Location,
        group: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault>;

    /// ResumeProcesses.
    async fn resume_processes(
        &self,
        at: &Location,
        group: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault>;
}
