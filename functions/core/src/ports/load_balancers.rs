//! The target groups of Elastic Load Balancing, as far as an instance that is down on purpose is a target of them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Fault, Page};
use crate::inventory::Location;

/// How a load balancer finds a target (`TargetHealth.State`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It is registered, and the first health checks are under way.
    Initial,
    /// It gets requests.
    Healthy,
    /// Its health checks fail (`unhealthy`, `unhealthy.draining`), or it does not run (`unused`, `Target.InvalidState`).
    Unhealthy,
    /// It gets requests, and nobody knows how it is (`unavailable`): there are no health checks.
    Unchecked,
    /// It is being deregistered: requests in flight are waited for, for the group's deregistration delay at most.
    Draining,
    /// No load balancer sends requests to this group, or to its Availability Zone.
    Unused,
}

/// What a target is registered as, beside its id: with this it is registered again as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Registration {
    /// The port that gets its requests. One instance may be registered with several.
    pub port: u16,
    /// Its server id, in a group of protocol QUIC or TCP_QUIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quic_server_id: Option<String>,
}

/// A target of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The instance.
    pub instance: String,
    /// What it is registered as.
    pub registration: Registration,
    /// How it is found.
    pub health: Health,
}

/// Application, Network and Gateway Load Balancers in any account and Region that a policy targets, by the location's role
/// where it has one.
#[async_trait(?Send)]
pub trait LoadBalancers {
    /// DescribeTargetGroups: a page of the ARNs of the groups whose targets are instances. There is no look-up by target.
    async fn target_groups(&self, at: &Location, page: Option<String>) -> Result<Page<String>, Fault>;

    /// DescribeTargetHealth: all targets of a group, those that are being deregistered too. It comes in one piece.
    async fn targets(&self, at: &Location, group: &str) -> Result<Vec<Target>, Fault>;

    /// RegisterTargets, of one instance. EC2 has to say that it is `running`; what is registered already stays as it is.
    async fn register_targets(
        &self,
        at: &Location,
        group: &str,
        instance_id: &str,
        registrations: &[Registration],
    ) -> Result<(), Fault>;

    /// DeregisterTargets, of one instance. What is not registered is no error.
    async fn deregister_targets(
        &self,
        at: &Location,
        group: &str,
        instance_id: &str,
        registrations: &[Registration],
    ) -> Result<(), Fault>;
}
