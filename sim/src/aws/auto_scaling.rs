//! The Auto Scaling port, and what a group does by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use stopgap_core::inventory::{InstanceState, Location};
use stopgap_core::ports::{AutoScaling, Fault, FaultKind, LifecycleState, Member, ScalingGroup};

use super::Aws;
use super::budget::Budget;
use super::world::{Group, World};

/// The group of a call that changes it. DescribeAutoScalingGroups leaves out what is not there, and the port calls that
/// missing; every other call is refused for it.
fn group<'w>(
    world: &'w mut World,
    operation: &'static str,
    at: &Location,
    name: &str,
) -> Result<&'w mut Group, Fault> {
    let group = world.places.get_mut(at).and_then(|place| place.groups.get_mut(name));
    let message = format!("ValidationError: there is no group {name}");
    group.ok_or_else(|| Fault::new(operation, FaultKind::Rejected, message))
}

impl Aws {
    /// A member that is in service and does not run is taken for unhealthy, once its grace period is over, or taken first when
    /// the zones are rebalanced: terminated, and replaced.
    pub(super) fn watch_member(&self, at: &Location, instance_id: &str) {
        let (aws, at, id) = (self.clone(), at.clone(), instance_id.to_owned());
        self.clock().clone().spawn(async move {
            let grace = aws.look(|world| {
                let groups = world.places.get(&at).map(|place| &place.groups);
                let minded = groups.and_then(|all| all.values().find_map(|group| group.minded_from.get(&id)));
                let left = minded.map(|from| from.duration_since(aws.clock().now()));
                left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default()
            });
            aws.clock().sleep(grace + aws.between(10_000..=40_000)).await;
            let now = aws.clock().now();
            aws.change(|world| {
                let Some(place) = world.places.get_mut(&at) else { return };
                let Some(machine) = place.machines.get_mut(&id) else { return };
                let watching = place.groups.values_mut().find(|group| {
                    let runs = |process: &&str| !group.suspended.contains(*process);
                    let replaces = ["HealthCheck", "ReplaceUnhealthy"].iter().all(runs);
                    let rebalances = group.uneven && runs(&"AZRebalance");
                    group.members.get(&id) == Some(&LifecycleState::InService) && (replaces || rebalances)
                });
                if let Some(group) = watching.filter(|_| machine.instance.state != InstanceState::Running) {
                    group.members.remove(&id);
                    group.replaced.push(id.clone());
                    machine.enter(now, InstanceState::Terminated, Some("Client.UserInitiatedShutdown"));
                }
            });
        });
    }

    /// Moves a member on by itself, unless it is elsewhere by then.
    fn move_member(
        &self,
        at: &Location,
        name: &str,
        instance_id: &str,
        delay: Duration,
        (from, to): (LifecycleState, LifecycleState),
    ) {
        let (aws, at, name, id) = (self.clone(), at.clone(), name.to_owned(), instance_id.to_owned());
        self.clock().clone().spawn(async move {
            aws.clock().sleep(delay).await;
            let now = aws.clock().now();
            aws.change(|world| {
                let group = world.places.get_mut(&at).and_then(|place| place.groups.get_mut(&name));
                let Some(group) = group.filter(|group| group.members.get(&id) == Some(&from)) else { return };
                group.members.insert(id.clone(), to);
                if to == LifecycleState::InService {
                    let minded_from = now.saturating_add(group.grace).unwrap_or(Timestamp::MAX);
                    group.minded_from.insert(id.clone(), minded_from);
                }
            });
        });
    }
}

#[async_trait(?Send)]
impl AutoScaling for Aws {
    async fn member(&self, at: &Location, instance_id: &str) -> Result<Option<Member>, Fault> {
        self.request("DescribeAutoScalingInstances", at, Budget::AutoScaling).await?;
        Ok(self.look(|world| {
            let mut groups = world.places.get(at).into_iter().flat_map(|place| &place.groups);
            groups.find_map(|(name, group)| {
                let lifecycle = *group.members.get(instance_id)?;
                Some(Member { group: name.clone(), lifecycle })
            })
        }))
    }

    async fn enter_standby(&self, at: &Location, name: &str, instance_id: &str) -> Result<(), Fault> {
        const OPERATION: &str = "EnterStandby";
        self.request(OPERATION, at, Budget::AutoScaling).await?;
        let drains_for = self.change(|world| {
            let group = group(world, OPERATION, at, name)?;
            if group.desired <= group.minimum {
                let message = format!(
                    "ValidationError: {name} cannot go below its minimum of {} with the desired capacity decremented",
                    group.minimum
                );
                return Err(Fault::new(OPERATION, FaultKind::Rejected, message));
            }
            let Some(state) = group.members.get_mut(instance_id).filter(|s| **s == LifecycleState::InService)
            else {
                let message = format!("ValidationError: {instance_id} is not in service in {name}");
                return Err(Fault::new(OPERATION, FaultKind::Rejected, message));
            };
            *state = LifecycleState::EnteringStandby;
            group.desired -= 1;
            Ok(group.drains_for)
        })?;
        let to = (LifecycleState::EnteringStandby, LifecycleState::Standby);
        self.move_member(at, name, instance_id, drains_for, to);
        Ok(())
    }

    async fn exit_standby(&self, at: &Location, name: &str, instance_id: &str) -> Result<(), Fault> {
        const OPERATION: &str = "ExitStandby";
        self.request(OPERATION, at, Budget::AutoScaling).await?;
        let hooks_take = self.change(|world| {
            let group = group(world, OPERATION, at, name)?;
            let Some(state) = group.members.get_mut(instance_id).filter(|s| **s == LifecycleState::Standby)
            else {
                let message = format!("ValidationError: {instance_id} is not in Standby in {name}");
                return Err(Fault::new(OPERATION, FaultKind::Rejected, message));
            };
            *state = LifecycleState::Pending;
            group.desired += 1;
            Ok(group.hooks_take)
        })?;
        let to = (LifecycleState::Pending, LifecycleState::InService);
        self.move_member(at, name, instance_id, hooks_take + self.between(3_000..=8_000), to);
        Ok(())
    }

    async fn group(&self, at: &Location, name: &str) -> Result<ScalingGroup, Fault> {
        const OPERATION: &str = "DescribeAutoScalingGroups";
        self.request(OPERATION, at, Budget::AutoScaling).await?;
        let found = self.look(|world| {
            let group = world.places.get(at).and_then(|place| place.groups.get(name));
            group.map(|group| ScalingGroup {
                minimum: group.minimum,
                desired: group.desired,
                members: group.members.clone(),
                suspended: group.suspended.clone(),
            })
        });
        let message = format!("there is no Auto Scaling group {name}");
        found.ok_or_else(|| Fault::new(OPERATION, FaultKind::NotFound, message))
    }

    async fn suspend_processes(
        &self,
        at: &Location,
        name: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        const OPERATION: &str = "SuspendProcesses";
        self.request(OPERATION, at, Budget::AutoScaling).await?;
        self.change(|world| {
            group(world, OPERATION, at, name)?.suspended.extend(processes.iter().cloned());
            Ok(())
        })
    }

    async fn resume_processes(
        &self,
        at: &Location,
        name: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        const OPERATION: &str = "ResumeProcesses";
        self.request(OPERATION, at, Budget::AutoScaling).await?;
        self.change(|world| {
            group(world, OPERATION, at, name)?.suspended.retain(|process| !processes.contains(process));
            Ok(())
        })
    }
}
