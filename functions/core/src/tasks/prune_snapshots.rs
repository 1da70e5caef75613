//! `prune-snapshots`: deletes the backup sets of this policy and instance that retention no longer keeps.
//!
//! A plan with reasons first, then a small executor ([`crate::pruning`]). Deleting is the one thing that cannot be undone,
//! so the rules are those of the policy as it stands *now*, not of when the run began; and each deletion is noted in the
//! lease beforehand. That note is refused when another run or the rescuer has the instance now, and it caps what one run
//! deletes however often it is tried again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, StateInput};
use crate::error::{ErrorName, TaskError};
use crate::measure::{Measure, Measured};
use crate::ports::{Context, Expect, Ports, PruneMode, Written};
use crate::pruning::{Outcome, Scope};
use crate::records::{Lease, Stored, put};
use crate::{adoption, lease, policies, slots};

/// How many sets that cannot be deleted a run tries at most; and how many of what is put off it names. A document of the
/// state machine holds 256 KiB.
const NAMED_MAX: usize = 100;

/// The result of a set that is gone.
const DELETED: &str = "deleted";

/// What `prune-snapshots` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// When.
    pub at: Timestamp,
    /// How many sets the rules keep.
    pub kept: usize,
    /// How many sets stay because the rules do not apply to them: those that are not complete.
    #[serde(default)]
    pub skipped: usize,
    /// The sets that no rule keeps, oldest first, and what became of each.
    pub expired: Vec<Expired>,
    /// How many more there are, left to the next run: they are not kept.
    pub deferred: usize,
    /// The occurrences of those, oldest first; at most 100.
    #[serde(default)]
    pub deferred_sets: Vec<String>,
}

/// A set that no rule keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// The set's occurrence.
    pub occurrence: String,
    /// How many snapshots it has.
    pub snapshots: usize,
    /// Why it is to go.
    #[serde(default)]
    pub reason: String,
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
/// Needs `ec2:DescribeSnapshots`, `ec2:DescribeInstances`, `ec2:DeleteSnapshot` on stopgap's snapshots and those that its
/// policies adopt, and the table. Idempotent: what is gone
/// already counts as deleted, and a set of which only a part is gone is finished.
///
/// # Errors
/// [`ErrorName::OutOfTime`] when the function's time is up before all is deleted; the machine tries again, which goes on
/// from there. [`ErrorName::LeaseLost`] when another run owns the instance now.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Pruned, TaskError> {
    let mut held = lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let mut pruned = Pruned {
        at: cx.now,
        kept: 0,
        skipped: 0,
        expired: Vec::new(),
        deferred: 0,
        deferred_sets: Vec::new(),
    };
    let Some(policy) = policies::get(ports.table, &run.policy.id).await? else { return Ok(pruned) };
    let (location, instance_id) = (&run.location, run.instance_id.as_str());
    let adopted = adoption::adopted_by(ports, cx, &policy, location, instance_id).await?;
    let scope = Scope { ec2: ports.ec2, location, instance_id, policy: &policy, adopted: &adopted };
    let plan = scope.plan().await?;
    (pruned.kept, pruned.skipped) = (plan.kept, plan.skipped);

    // What earlier tries of this run have set about counts too.
    let mut deletions = held.record.deletions;
    let mut refused = 0;
    let mut gone = BTreeSet::new();
    for target in &plan.expired {
        if deletions >= policy.retention.delete_at_most || refused >= NAMED_MAX {
            pruned.deferred += 1;
            if pruned.deferred_sets.len() < NAMED_MAX {
                pruned.deferred_sets.push(target.occurrence.to_string());
            }
            continue;
        }
        if cx.is_ending() {
            let (done, all) = (pruned.expired.len(), plan.expired.len());
            let cause = format!("{done} of {all} sets were seen to; the next try goes on from there");
            return Err(TaskError::new(ErrorName::OutOfTime, cause));
        }
        let result = match cx.settings.prune {
            PruneMode::Report => {
                deletions += 1;
                "not deleted: this deployment plans and reports only".to_owned()
            }
            PruneMode::Delete => {
                let outcome = match scope.objection(target, &gone).await? {
                    Some(objection) => objection,
                    None => {
                        held = note(ports, &input.document, &held, deletions + 1).await?;
                        scope.delete(target, &mut gone).await?
                    }
                };
                match outcome {
                    Outcome::Deleted => {
                        deletions += 1;
                        DELETED.to_owned()
                    }
                    Outcome::Gone => {
                        "no longer there: someone has deleted it, or taken its tags off".to_owned()
                    }
                    Outcome::Refused(why) => {
                        refused += 1;
                        format!("not deleted: {why}")
                    }
                }
            }
        };
        pruned.expired.push(Expired {
            occurrence: target.occurrence.to_string(),
            snapshots: target.snapshots.len(),
            reason: target.reason.clone(),
            result,
        });
    }
    Ok(pruned)
}

/// Notes in the lease that the run sets about its `deletions`th set.
async fn note(
    ports: Ports<'_>,
    document: &Document,
    held: &Stored<Lease>,
    deletions: u32,
) -> Result<Stored<Lease>, TaskError> {
    let record = Lease { deletions, ..held.record.clone() };
    let key = Lease::key(&document.run.location, &document.run.instance_id);
    match ports.table.write(vec![put(key, Expect::Version(held.version), &record)?]).await? {
        Written::Done => Ok(Stored { version: held.version + 1, record }),
        Written::Refused => {
            // Another's now, or our own write, of which the answer was lost.
            lease::held(ports.table, document).await?;
            Err(slots::contended())
        }
    }
}
