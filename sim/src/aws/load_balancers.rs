//! The load balancers port: target groups that drain, and check the health of who comes back.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use stopgap_core::inventory::{InstanceState, Location};
use stopgap_core::ports::{Fault, FaultKind, Health, LoadBalancers, Page, Registration, Target};

use super::Aws;
use super::budget::Budget;
use super::world::Place;

/// A target group of instances.
#[derive(Clone, Debug)]
pub struct TargetGroup {
    /// Its deregistration delay, all of which it needs: someone always keeps a connection open.
    pub drains_for: Duration,
    /// How long it takes until enough health checks of a new target have succeeded.
    pub checks_take: Duration,
    /// Who is registered, by instance and as what.
    pub targets: BTreeMap<(String, Registration), Standing>,
}

/// How a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is registered, since then.
    Registered(Timestamp),
    /// It is being deregistered, until then.
    Draining(Timestamp),
}

impl TargetGroup {
    fn health(&self, standing: Standing, runs: bool, now: Timestamp) -> Option<Health> {
        match standing {
            Standing::Draining(until) => (now < until).then_some(Health::Draining),
            // `unused`, `Target.InvalidState`.
            Standing::Registered(_) if !runs => Some(Health::Unhealthy),
            Standing::Registered(since) if now < after(since, self.checks_take) => Some(Health::Initial),
            Standing::Registered(_) => Some(Health::Healthy),
        }
    }
}

fn after(time: Timestamp, passed: Duration) -> Timestamp {
    time.saturating_add(passed).unwrap_or(Timestamp::MAX)
}

fn runs(place: &Place, instance_id: &str) -> bool {
    place.machines.get(instance_id).is_some_and(|machine| machine.instance.state == InstanceState::Running)
}

fn unknown(operation: &'static str, group: &str) -> Fault {
    Fault::new(operation, FaultKind::NotFound, format!("TargetGroupNotFound: {group}"))
}

impl Aws {
    /// How an instance's targets are found, by group and port.
    pub fn target_health(&self, at: &Location, instance_id: &str) -> BTreeMap<(String, u16), Health> {
        let now = self.clock().now();
        self.look(|world| {
            let mut found = BTreeMap::new();
            let Some(place) = world.places.get(at) else { return found };
            for (name, group) in &place.target_groups {
                for ((id, registration), standing) in &group.targets {
                    let health = group.health(*standing, runs(place, id), now);
                    if let Some(health) = health.filter(|_| id == instance_id) {
                        found.insert((name.clone(), registration.port), health);
                    }
                }
            }
            found
        })
    }
}

#[async_trait(?Send)]
impl LoadBalancers for Aws {
    async fn target_groups(&self, at: &Location, page: Option<String>) -> Result<Page<String>, Fault> {
        /// As many as Elastic Load Balancing answers at once.
        const PAGE: usize = 400;
        self.request("DescribeTargetGroups", at, Budget::LoadBalancing).await?;
        Ok(self.look(|world| {
            let all = world.places.get(at).into_iter().flat_map(|place| place.target_groups.keys());
            let from = page.and_then(|token| token.parse::<usize>().ok()).unwrap_or(0);
            let mut rest = all.skip(from).cloned();
            let items: Vec<String> = rest.by_ref().take(PAGE).collect();
            let next = rest.next().map(|_| (from + PAGE).to_string());
            Page { items, next }
        }))
    }

    async fn targets(&self, at: &Location, name: &str) -> Result<Vec<Target>, Fault> {
        const OPERATION: &str = "DescribeTargetHealth";
        self.request(OPERATION, at, Budget::LoadBalancing).await?;
        let now = self.clock().now();
        self.look(|world| {
            let place = world.places.get(at).ok_or_else(|| unknown(OPERATION, name))?;
            let group = place.target_groups.get(name).ok_or_else(|| unknown(OPERATION, name))?;
            let target = |((id, registration), standing): (&(String, Registration), &Standing)| {
                let health = group.health(*standing, runs(place, id), now)?;
                Some(Target { instance: id.clone(), registration: registration.clone(), health })
            };
            Ok(group.targets.iter().filter_map(target).collect())
        })
    }

    async fn register_targets(
        &self,
        at: &Location,
        name: &str,
        instance_id: &str,
        registrations: &[Registration],
    ) -> Result<(), Fault> {
        const OPERATION: &str = "RegisterTargets";
        self.request(OPERATION, at, Budget::LoadBalancing).await?;
        let now = self.clock().now();
        self.change(|world| {
            let place = world.places.get_mut(at).ok_or_else(|| unknown(OPERATION, name))?;
            let runs = runs(place, instance_id);
            let group = place.target_groups.get_mut(name).ok_or_else(|| unknown(OPERATION, name))?;
            if !runs {
                let message = format!("InvalidTarget: {instance_id} is not running");
                return Err(Fault::new(OPERATION, FaultKind::Rejected, message));
            }
            for registration in registrations {
                let target = group.targets.entry((instance_id.to_owned(), registration.clone()));
                let standing = target.or_insert(Standing::Registered(now));
                if matches!(standing, Standing::Draining(_)) {
                    *standing = Standing::Registered(now);
                }
            }
            Ok(())
        })
    }

    async fn deregister_targets(
        &self,
        at: &Location,
        name: &str,
        instance_id: &str,
        registrations: &[Registration],
    ) -> Result<(), Fault> {
        const OPERATION: &str = "DeregisterTargets";
        self.request(OPERATION, at, Budget::LoadBalancing).await?;
        let now = self.clock().now();
        self.change(|world| {
            let group = world.places.get_mut(at).and_then(|place| place.target_groups.get_mut(name));
            let group = group.ok_or_else(|| unknown(OPERATION, name))?;
            for registration in registrations {
                let target = group.targets.get_mut(&(instance_id.to_owned(), registration.clone()));
                if let Some(standing @ Standing::Registered(_)) = target {
                    *standing = Standing::Draining(after(now, group.drains_for));
                }
            }
            Ok(())
        })
    }
}
