//! The load balancers port.

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealth, TargetHealthDescription, TargetHealthReasonEnum, TargetHealthStateEnum,
    TargetTypeEnum,
};
use stopgap_core::inventory::Location;
use stopgap_core::ports::{Fault, FaultKind, Health, LoadBalancers, Page, Registration, Target};

use crate::classify::fault;
use crate::places::Places;

/// How many groups Elastic Load Balancing answers at once.
const PAGE: i32 = 400;
const DESCRIBE_HEALTH: &str = "DescribeTargetHealth";

/// Elastic Load Balancing in every account and Region that is served.
pub(crate) struct SdkLoadBalancers {
    places: Places<Client>,
}

impl SdkLoadBalancers {
    pub(crate) fn new(places: Places<Client>) -> Self {
        Self { places }
    }

    async fn at(&self, at: &Location) -> Client {
        self.places.client(at, Client::new).await
    }
}

fn target(found: &TargetHealthDescription) -> Result<Target, Fault> {
    let unreadable = || {
        Fault::new(
            DESCRIBE_HEALTH,
            FaultKind::Malformed,
            format!("a target without id, port or state: {found:?}"),
        )
    };
    let (target, health) = found.target().zip(found.target_health()).ok_or_else(unreadable)?;
    let port = target.port().and_then(|port| u16::try_from(port).ok());
    Ok(Target {
        instance: target.id().ok_or_else(unreadable)?.to_owned(),
        registration: Registration {
            port: port.ok_or_else(unreadable)?,
            quic_server_id: target.quic_server_id().map(str::to_owned),
        },
        health: of(health).ok_or_else(unreadable)?,
    })
}

fn of(health: &TargetHealth) -> Option<Health> {
    match health.state()? {
        TargetHealthStateEnum::Initial => Some(Health::Initial),
        TargetHealthStateEnum::Healthy => Some(Health::Healthy),
        TargetHealthStateEnum::Unhealthy | TargetHealthStateEnum::UnhealthyDraining => {
            Some(Health::Unhealthy)
        }
        TargetHealthStateEnum::Unavailable => Some(Health::Unchecked),
        TargetHealthStateEnum::Draining => Some(Health::Draining),
        TargetHealthStateEnum::Unused if health.reason() == Some(&TargetHealthReasonEnum::InvalidState) => {
            Some(Health::Unhealthy)
        }
        TargetHealthStateEnum::Unused => Some(Health::Unused),
        _ => None,
    }
}

fn targets(instance_id: &str, registrations: &[Registration]) -> Option<Vec<TargetDescription>> {
    let target = |registration: &Registration| {
        let target = TargetDescription::builder().id(instance_id).port(registration.port.into());
        target.set_quic_server_id(registration.quic_server_id.clone()).build()
    };
    Some(registrations.iter().map(target).collect())
}

#[async_trait(?Send)]
impl LoadBalancers for SdkLoadBalancers {
    async fn target_groups(&self, at: &Location, page: Option<String>) -> Result<Page<String>, Fault> {
        let request = self.at(at).await.describe_target_groups().page_size(PAGE).set_marker(page);
        let answer = request.send().await.map_err(|error| fault("DescribeTargetGroups", error))?;
        let of_instances = answer
            .target_groups()
            .iter()
            .filter(|group| group.target_type() == Some(&TargetTypeEnum::Instance));
        let items = of_instances.filter_map(|group| group.target_group_arn().map(str::to_owned)).collect();
        Ok(Page { items, next: answer.next_marker.filter(|marker| !marker.is_empty()) })
    }

    async fn targets(&self, at: &Location, group: &str) -> Result<Vec<Target>, Fault> {
        let request = self.at(at).await.describe_target_health().target_group_arn(group);
        let answer = request.send().await.map_err(|error| fault(DESCRIBE_HEALTH, error))?;
        answer.target_health_descriptions().iter().map(target).collect()
    }

    async fn register_targets(
        &self,
        at: &Location,
        group: &str,
        instance_id: &str,
        registrations: &[Registration],
    ) -> Result<(), Fault> {
        let request = self.at(at).await.register_targets().target_group_arn(group);
        let request = request.set_targets(targets(instance_id, registrations));
        request.send().await.map_err(|error| fault("RegisterTargets", error))?;
        Ok(())
    }

    async fn deregister_targets(
        &self,
        at: &Location,
        group: &str,
        instance_id: &str,
        registrations: &[Registration],
    ) -> Result<(), Fault> {
        let request = self.at(at).await.deregister_targets().target_group_arn(group);
        let request = request.set_targets(targets(instance_id, registrations));
        request.send().await.map_err(|error| fault("DeregisterTargets", error))?;
        Ok(())
    }
}
