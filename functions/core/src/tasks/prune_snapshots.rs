//! `prune-snapshots`: deletes the backup sets of this policy and instance that retention no longer keeps.
//!
//! A plan with reasons first, then a small executor. Deleting is the one thing that cannot be undone, so the rules are
//! those of the policy as it stands *now*, not of when the run began; what has changed since is never older.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::backup_set;
use crate::error::{ErrorName, TaskError};
use crate::inventory::{Location, Snapshot};
use crate::measure::{Measure, Measured};
use crate::ports::{Context, Ec2, FaultKind, Ports, PruneMode, SnapshotQuery, all_pages};
use crate::retention::{self, Action};
use crate::{lease, policies};

/// How many sets one run deletes at most; the rest is left to the next.
pub const SETS_MAX: usize = 50;

/// The result of a set that is gone.
const DELETED: &str = "deleted";

/// What `prune-snapshots` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// When.
    pub at: Timestamp,
    /// How many sets stay.
    pub kept: usize,
    /// The sets that no rule keeps, oldest first, and what became of each; at most [`SETS_MAX`].
    pub expired: Vec<Expired>,
    /// How many more there are, left to the next run.
    pub deferred: usize,
}

/// A set that no rule keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// The set's occurrence.
    pub occurrence: String,
    /// How many snapshots it has.
    pub snapshots: usize,
    /// What became of it: `deleted`, or why it was not.
    pub result: String,
}

impl Measured for Pruned {
    fn measures(&self) -> Vec<Measure> {
        let deleted = self.expired.iter().filter(|expired| expired.result == DELETED).count();
        vec![Measure::count("SetsDeleted", deleted), Measure::count("SetsExpired", self.expired.len())]
    }
}

/// Plans and, where the deployment lets it, deletes.
///
/// Needs `ec2:DescribeSnapshots`, `ec2:DeleteSnapshot` on stopgap's snapshots, and the table. Idempotent: what is gone
/// already counts as deleted.
///
/// # Errors
/// [`ErrorName::OutOfTime`] when the function's time is up before all is deleted; the machine tries again, which goes on
/// from there.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Pruned, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let Some(policy) = policies::get(ports.table, &run.policy.id).await? else {
        return Ok(Pruned { at: cx.now, kept: 0, expired: Vec::new(), deferred: 0 });
    };
    let query = SnapshotQuery::OfInstance(run.instance_id.clone());
    let snapshots = all_pages(|page| ports.ec2.describe_snapshots(&run.location, &query, page)).await?;
    let mut sets = backup_set::group(&snapshots).sets;
    sets.retain(|set| *set.policy() == policy.id && set.instance_id == run.instance_id);
    let decisions = retention::plan(&policy.retention, &policy.schedule.timezone, &sets);

    let mut expired = Vec::new();
    let to_delete: Vec<_> = decisions.iter().filter(|decision| decision.action == Action::Delete).collect();
    for decision in to_delete.iter().take(SETS_MAX) {
        if cx.is_ending() {
            let (done, all) = (expired.len(), to_delete.len());
            let cause = format!("{done} of {all} sets were seen to; the next try goes on from there");
            return Err(TaskError::new(ErrorName::OutOfTime, cause));
        }
        let result = match cx.settings.prune {
            PruneMode::Report => "not deleted: this deployment plans and reports only".to_owned(),
            PruneMode::Delete => delete(ports.ec2, &run.location, &decision.set.snapshots).await?,
        };
        expired.push(Expired {
            occurrence: decision.set.occurrence.to_string(),
            snapshots: decision.set.snapshots.len(),
            result,
        });
    }
    let (kept, deferred) = (decisions.len() - to_delete.len(), to_delete.len() - expired.len());
    Ok(Pruned { at: cx.now, kept, expired, deferred })
}

/// Deletes the snapshots of a set one by one, as EC2 asks.
async fn delete(ec2: &dyn Ec2, at: &Location, snapshots: &[&Snapshot]) -> Result<String, TaskError> {
    for snapshot in snapshots {
        match ec2.delete_snapshot(at, &snapshot.id).await {
            Ok(()) => {}
            Err(fault) if fault.kind == FaultKind::NotFound => {}
            // An image was made of it, or it is locked: it belongs to someone else now.
            Err(fault) if fault.kind == FaultKind::Conflict => return Ok(format!("not deleted: {fault}")),
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(DELETED.to_owned())
}
