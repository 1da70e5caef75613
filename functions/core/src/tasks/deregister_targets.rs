//! `deregister-targets`: takes an instance out of its load balancers before it is stopped. Idempotent, and polled: it raises
//! [`ErrorName::TargetsPending`] until no request is in flight any more.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::error::TaskError;
use crate::lease;
use crate::measure::Measured;
use crate::ports::{Context, Health, Ports, Registration};
use crate::records::{Intent, read};
use crate::targets;

/// What `deregister-targets` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deregistered {
    /// When it was seen out of all of them.
    pub at: Timestamp,
}

impl Measured for Deregistered {}

/// Deregisters what `prepare-run` wrote into the intent, and nothing else: what is written there is registered again, by
/// whoever holds the lease then. A target group that somebody has deleted is no matter.
///
/// Needs `elasticloadbalancing:DescribeTargetHealth`, `DeregisterTargets` and the table.
///
/// # Errors
/// [`ErrorName::TargetsPending`](crate::error::ErrorName::TargetsPending) while a group drains it: for as long as requests are
/// in flight, and for the group's deregistration delay at most (300 s by default, an hour at most).
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Deregistered, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let (at, id, load_balancers) = (&run.location, &run.instance_id, ports.load_balancers);
    let intent = read::<Intent>(ports.table, &Intent::key(at, id)).await?;
    let owed = intent.map(|stored| stored.record.targets).unwrap_or_default();
    let mut in_flight = Vec::new();
    for (group, registered) in targets::by_group(&owed) {
        let Some(seen) = targets::of(load_balancers, at, group, id).await? else { continue };
        let ours = |target: &&crate::ports::Target| {
            registered.iter().any(|one| one.registration == target.registration)
        };
        let serving: Vec<Registration> = seen
            .iter()
            .filter(ours)
            .filter(|target| targets::serves(target.health))
            .map(|target| target.registration.clone())
            .collect();
        if !serving.is_empty() {
            load_balancers.deregister_targets(at, group, id, &serving).await?;
        }
        if seen.iter().filter(ours).any(|target| target.health != Health::Unused) {
            in_flight.extend(registered);
        }
    }
    if in_flight.is_empty() {
        return Ok(Deregistered { at: cx.now });
    }
    Err(targets::pending(format!("{id} is not drained yet: {}", targets::in_words(in_flight))))
}
