//! `register-targets`: puts an instance back into its load balancers after it was started. Idempotent, and polled: it raises
//! [`ErrorName::TargetsPending`] until it is *seen* healthy.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::error::TaskError;
use crate::lease;
use crate::measure::Measured;
use crate::ports::{Context, Health, Ports, Registration, Target};
use crate::records::{Intent, read};
use crate::targets::{self, Registered};

/// What `register-targets` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reregistered {
    /// When it was seen to serve in all of them.
    pub at: Timestamp,
}

impl Measured for Reregistered {}

/// Registers what the intent names, with the same ports; the intent itself is closed by `confirm-running`. What was healthy
/// before has to be again; what was not is registered, and no more is asked of it. A target group that somebody has deleted is
/// owed to nobody.
///
/// Needs `elasticloadbalancing:DescribeTargetHealth`, `RegisterTargets` and the table.
///
/// # Errors
/// [`ErrorName::TargetsPending`](crate::error::ErrorName::TargetsPending) until it is seen.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Reregistered, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let (at, id, load_balancers) = (&run.location, &run.instance_id, ports.load_balancers);
    let intent = read::<Intent>(ports.table, &Intent::key(at, id)).await?;
    let owed = intent.map(|stored| stored.record.targets).unwrap_or_default();
    let mut waited_for = Vec::new();
    for (group, registered) in targets::by_group(&owed) {
        let Some(seen) = targets::of(load_balancers, at, group, id).await? else { continue };
        let missing: Vec<Registration> = registered
            .iter()
            .filter(|one| is_missing(&seen, one))
            .map(|one| one.registration.clone())
            .collect();
        if !missing.is_empty() {
            load_balancers.register_targets(at, group, id, &missing).await?;
        }
        waited_for
            .extend(registered.into_iter().filter(|one| is_missing(&seen, one) || !is_well(&seen, one)));
    }
    if waited_for.is_empty() {
        return Ok(Reregistered { at: cx.now });
    }
    Err(targets::pending(format!("{id} does not serve again yet: {}", targets::in_words(waited_for))))
}

fn health(seen: &[Target], one: &Registered) -> Option<Health> {
    seen.iter().find(|target| target.registration == one.registration).map(|target| target.health)
}

fn is_missing(seen: &[Target], one: &Registered) -> bool {
    matches!(health(seen, one), None | Some(Health::Draining))
}

fn is_well(seen: &[Target], one: &Registered) -> bool {
    !one.healthy || matches!(health(seen, one), Some(Health::Healthy | Health::Unchecked | Health::Unused))
}
