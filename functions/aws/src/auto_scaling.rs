//! The Auto Scaling port.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::Instance;
use stopgap_core::inventory::Location;
use stopgap_core::ports::{AutoScaling, Fault, FaultKind, LifecycleState, Member, ScalingGroup};

use crate::classify::fault;
use crate::places::Places;

/// Auto Scaling in every account and Region that is served.
pub(crate) struct SdkAutoScaling {
    places: Places<Client>,
}

impl SdkAutoScaling {
    pub(crate) fn new(places: Places<Client>) -> Self {
        Self { places }
    }

    async fn at(&self, at: &Location) -> Client {
        self.places.client(at, Client::new).await
    }
}

/// What a lifecycle state means here. Hooks add a part after a colon: `Pending:Wait`.
fn lifecycle(name: &str) -> Option<LifecycleState> {
    match name.split(':').next().unwrap_or_default() {
        "Pending" => Some(LifecycleState::Pending),
        "InService" => Some(LifecycleState::InService),
        "EnteringStandby" => Some(LifecycleState::EnteringStandby),
        "Standby" => Some(LifecycleState::Standby),
        "Quarantined" | "Terminating" | "Terminated" | "Detaching" | "Detached" | "Warmed" => {
            Some(LifecycleState::Leaving)
        }
        _ => None,
    }
}

#[async_trait(?Send)]
impl AutoScaling for SdkAutoScaling {
    async fn member(&self, at: &Location, instance_id: &str) -> Result<Option<Member>, Fault> {
        const OPERATION: &str = "DescribeAutoScalingInstances";
        let request = self.at(at).await.describe_auto_scaling_instances().instance_ids(instance_id);
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        let found =
            answer.auto_scaling_instances().iter().find(|found| found.instance_id() == Some(instance_id));
        let Some(found) = found else { return Ok(None) };
        let (group, state) = (found.auto_scaling_group_name(), found.lifecycle_state().unwrap_or_default());
        match (group, lifecycle(state)) {
            (Some(group), Some(lifecycle)) => Ok(Some(Member { group: group.to_owned(), lifecycle })),
            _ => {
                let message =
                    format!("{instance_id} is a member without a group or in the unknown state `{state}`");
                Err(Fault::new(OPERATION, FaultKind::Malformed, message))
            }
        }
    }

    async fn enter_standby(&self, at: &Location, group: &str, instance_id: &str) -> Result<(), Fault> {
        let request =
            self.at(at).await.enter_standby().auto_scaling_group_name(group).instance_ids(instance_id);
        let request = request.should_decrement_desired_capacity(true);
        request.send().await.map_err(|error| fault("EnterStandby", error))?;
        Ok(())
    }

    async fn exit_standby(&self, at: &Location, group: &str, instance_id: &str) -> Result<(), Fault> {
        let request =
            self.at(at).await.exit_standby().auto_scaling_group_name(group).instance_ids(instance_id);
        request.send().await.map_err(|error| fault("ExitStandby", error))?;
        Ok(())
    }

    async fn group(&self, at: &Location, group: &str) -> Result<ScalingGroup, Fault> {
        const OPERATION: &str = "DescribeAutoScalingGroups";
        let request = self.at(at).await.describe_auto_scaling_groups().auto_scaling_group_names(group);
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        let found =
            answer.auto_scaling_groups().iter().find(|found| found.auto_scaling_group_name() == Some(group));
        let found = found.ok_or_else(|| {
            Fault::new(OPERATION, FaultKind::NotFound, format!("there is no Auto Scaling group {group}"))
        })?;
        let names = found.suspended_processes().iter().filter_map(|process| process.process_name());
        let capacity = |number: Option<i32>| number.and_then(|number| usize::try_from(number).ok());
        let (minimum, desired) = (capacity(found.min_size()), capacity(found.desired_capacity()));
        let member = |member: &Instance| {
            let state = lifecycle(member.lifecycle_state()?.as_str())?;
            Some((member.instance_id()?.to_owned(), state))
        };
        let members = found.instances().iter().map(member).collect::<Option<BTreeMap<_, _>>>();
        let (Some(minimum), Some(desired), Some(members)) = (minimum, desired, members) else {
            let message = format!("{group} has no capacity, or a member in an unknown state");
            return Err(Fault::new(OPERATION, FaultKind::Malformed, message));
        };
        let suspended = names.map(str::to_owned).collect();
        Ok(ScalingGroup { minimum, desired, members, suspended })
    }

    async fn suspend_processes(
        &self,
        at: &Location,
        group: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        // Without names Auto Scaling takes all of them.
        if processes.is_empty() {
            return Ok(());
        }
        let request = self.at(at).await.suspend_processes().auto_scaling_group_name(group);
        let request = request.set_scaling_processes(Some(processes.iter().cloned().collect()));
        request.send().await.map_err(|error| fault("SuspendProcesses", error))?;
        Ok(())
    }

    async fn resume_processes(
        &self,
        at: &Location,
        group: &str,
        processes: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        if processes.is_empty() {
            return Ok(());
        }
        let request = self.at(at).await.resume_processes().auto_scaling_group_name(group);
        let request = request.set_scaling_processes(Some(processes.iter().cloned().collect()));
        request.send().await.map_err(|error| fault("ResumeProcesses", error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_going_or_gone_is_leaving() {
        for name in ["Terminating", "Terminating:Wait", "Terminated", "Detaching", "Quarantined"] {
            assert_eq!(lifecycle(name), Some(LifecycleState::Leaving), "{name}");
        }
        assert_eq!(lifecycle("Pending:Proceed"), Some(LifecycleState::Pending));
        assert_eq!(lifecycle("Standby"), Some(LifecycleState::Standby));
        assert_eq!(lifecycle("Somewhere"), None);
    }
}
