//! `prune-snapshots`: deletes the backup sets of this policy and instance that retention no longer keeps.
//!
//! A plan with reasons first, then a small executor ([`crate::pruning`]). Deleting is the one thing that cannot be undone,
//! so the rules are those of the policy as it stands *now*, not of when the run began; and each deletion is noted in the
//! lease beforehand. That note is refused when another run or the rescuer has the instance now, and it caps what one run
//! deletes however often it is tried again.

use super::StateInput;
use crate::error::TaskError;
use crate::lease::Held;
use crate::ports::{Context, Ports};
use crate::pruning::{self, Pruned, Scope};
use crate::{adoption, policies};

/// Plans and, where the deployment lets it, deletes.
///
/// Needs `ec2:DescribeSnapshots`, `ec2:DescribeInstances`, `ec2:DeleteSnapshot` on stopgap's snapshots and those that its
/// policies adopt, and the table. Idempotent.
///
/// # Errors
/// As [`pruning::execute`].
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Pruned, TaskError> {
    let run = &input.document.run;
    let mut held = Held::by_run(ports.table, &input.document).await?;
    let Some(policy) = policies::get(ports.table, &run.policy.id).await? else {
        return Ok(Pruned::nothing(cx.now));
    };
    let (location, instance_id) = (&run.location, run.instance_id.as_str());
    let adopted = adoption::adopted_by(ports, cx, &policy, location, instance_id).await?;
    let scope =
        Scope { ec2: ports.ec2, location, instance_id, policy: &policy, adopted: &adopted, expiry: None };
    pruning::execute(cx, &scope, &mut held).await
}
