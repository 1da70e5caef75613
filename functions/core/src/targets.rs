//! The target groups that an instance is taken out of while it is down, and put back into.
//!
//! Only groups whose targets are instances are known here: an instance that is a target by its IP address is another's
//! matter, and so is a Classic Load Balancer. Members of an Auto Scaling group are left to it: Standby takes them out of the
//! group's load balancers and back.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::ports::{FaultKind, Health, LoadBalancers, Registration, Target, all_pages};

/// How many groups are read at the same time. Elastic Load Balancing does not document its request limits.
const AT_ONCE: usize = 8;

/// A target group that an instance is taken out of, to be put back as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Registered {
    /// The group's ARN.
    pub group: String,
    /// As what.
    #[serde(flatten)]
    pub registration: Registration,
    /// Whether it was healthy, and so has to be again.
    pub healthy: bool,
}

impl Registered {
    /// Whether both are of one group and one port, however healthy.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.group, &self.registration) == (&other.group, &other.registration)
    }
}

/// Where the instance is registered, sorted. Where it is being deregistered already, somebody else is at it; where no load
/// balancer sends requests, there is nobody to be kept from it.
///
/// There is no look-up by target, so all groups of the account and Region are read, one request for each.
pub(crate) async fn registered(
    load_balancers: &dyn LoadBalancers,
    at: &Location,
    instance_id: &str,
) -> Result<Vec<Registered>, TaskError> {
    let groups = all_pages(|page| load_balancers.target_groups(at, page)).await?;
    let read = |group: String| async move {
        let targets = of(load_balancers, at, &group, instance_id).await?;
        let serving = targets.into_iter().flatten().filter(|target| serves(target.health));
        let registered = serving.map(|target| Registered {
            group: group.clone(),
            registration: target.registration,
            healthy: target.health == Health::Healthy,
        });
        Ok::<Vec<Registered>, TaskError>(registered.collect())
    };
    let found: Vec<Vec<Registered>> = stream::iter(groups).map(read).buffered(AT_ONCE).try_collect().await?;
    let mut found: Vec<Registered> = found.into_iter().flatten().collect();
    found.sort();
    Ok(found)
}

/// Whether a load balancer may send requests to a target.
pub(crate) fn serves(health: Health) -> bool {
    matches!(health, Health::Initial | Health::Healthy | Health::Unhealthy | Health::Unchecked)
}

/// What a group has of the instance; `None` where the group is gone.
///
/// What is gone is owed nothing any more, so one answer alone is not believed: it must not be among all groups either.
pub(crate) async fn of(
    load_balancers: &dyn LoadBalancers,
    at: &Location,
    group: &str,
    instance_id: &str,
) -> Result<Option<Vec<Target>>, TaskError> {
    match load_balancers.targets(at, group).await {
        Ok(all) => Ok(Some(all.into_iter().filter(|target| target.instance == instance_id).collect())),
        Err(fault) if fault.kind == FaultKind::NotFound => {
            let groups = all_pages(|page| load_balancers.target_groups(at, page)).await?;
            let name = name_of(group);
            if groups.iter().any(|one| one == group) {
                return Err(pending(format!(
                    "{name} is among the target groups, and answers that it is not there"
                )));
            }
            Ok(None)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// By group, as requests name them.
pub(crate) fn by_group(registered: &[Registered]) -> BTreeMap<&str, Vec<&Registered>> {
    let mut groups: BTreeMap<&str, Vec<&Registered>> = BTreeMap::new();
    for one in registered {
        groups.entry(&one.group).or_default().push(one);
    }
    groups
}

/// Which target groups they are, in words.
pub(crate) fn in_words<'a>(registered: impl IntoIterator<Item = &'a Registered>) -> String {
    let name = |one: &Registered| format!("{}:{}", name_of(&one.group), one.registration.port);
    registered.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The name in `arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef`.
fn name_of(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}

/// Something is not where it should be yet.
pub(crate) fn pending(cause: String) -> TaskError {
    TaskError::new(ErrorName::TargetsPending, cause)
}
