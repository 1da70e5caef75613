//! Executes a plan: under the instance's lease, each set looked at again, and no more of them than the policy allows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Outcome, Scope, Target};
use crate::error::{ErrorName, TaskError};
use crate::lease::Held;
use crate::measure::{Measure, Measured};
use crate::ports::{Context, PruneMode};

/// How many sets that were not deleted are named at most, and how many of what is put off. A document of the state machine
/// holds 256 KiB.
const NAMED_MAX: usize = 100;

/// The result of a set that is gone.
const DELETED: &str = "deleted";

/// What became of the sets of a policy and instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// When.
    pub at: Timestamp,
    /// How many sets the rules keep.
    pub kept: usize,
    /// How many sets stay because the rules do not apply to them: those that are not complete.
    #[serde(default)]
    pub skipped: usize,
    /// The sets that no rule keeps, oldest first, and what became of each. Of those that were not deleted the first 100.
    pub expired: Vec<Expired>,
    /// How many more could not be deleted.
    #[serde(default)]
    pub more_refused: usize,
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

impl Pruned {
    /// Nothing yet.
    pub fn nothing(at: Timestamp) -> Self {
        Self {
            at,
            kept: 0,
            skipped: 0,
            expired: Vec::new(),
            more_refused: 0,
            deferred: 0,
            deferred_sets: Vec::new(),
        }
    }

    fn defer(&mut self, target: &Target) {
        self.deferred += 1;
        if self.deferred_sets.len() < NAMED_MAX {
            self.deferred_sets.push(target.occurrence.to_string());
        }
    }

    fn tell(&mut self, target: &Target, result: String) {
        self.expired.push(Expired {
            occurrence: target.occurrence.to_string(),
            snapshots: target.snapshots.len(),
            reason: target.reason.clone(),
            result,
        });
    }
}

/// Plans and, where the deployment lets it, deletes.
///
/// What cannot be deleted (an image was made of it, it is locked) is passed over, and holds back nothing that is newer: the
/// lease remembers how far the run has come. Needs `ec2:DescribeSnapshots`, `ec2:DeleteSnapshot` on stopgap's snapshots, and
/// the table. Idempotent: what is gone already counts as deleted, and a set of which only a part is gone is finished.
///
/// # Errors
/// [`ErrorName::OutOfTime`] when the function's time is up before all is deleted; the next try goes on from there.
/// [`ErrorName::LeaseLost`] when another owns the instance now.
pub async fn execute(cx: Context<'_>, scope: &Scope<'_>, held: &mut Held<'_>) -> Result<Pruned, TaskError> {
    let plan = scope.plan().await?;
    let mut pruned = Pruned { kept: plan.kept, skipped: plan.skipped, ..Pruned::nothing(cx.now) };
    // What earlier tries of this run have set about counts too, and what they could not delete is not tried again.
    let mut deletions = held.lease().deletions;
    let come_to = held.lease().pruned_to;
    let (mut seen_to, mut refused) = (0, 0);
    let mut gone = BTreeSet::new();
    for target in &plan.expired {
        if come_to.is_some_and(|come_to| target.occurrence.at < come_to) {
            pruned.more_refused += 1;
            continue;
        }
        if deletions >= scope.policy.retention.delete_at_most {
            pruned.defer(target);
            continue;
        }
        if cx.is_ending() {
            let cause = format!(
                "{seen_to} of {} sets were seen to; the next try goes on from there",
                plan.expired.len()
            );
            return Err(TaskError::new(ErrorName::OutOfTime, cause));
        }
        seen_to += 1;
        if cx.settings.prune == PruneMode::Report {
            deletions += 1;
            pruned.tell(target, "not deleted: this deployment plans and reports only".to_owned());
            continue;
        }
        let outcome = match scope.objection(target, &gone).await? {
            Some(objection) => objection,
            None => {
                let at = target.occurrence.at;
                held.note(|lease| (lease.deletions, lease.pruned_to) = (deletions + 1, Some(at))).await?;
                scope.delete(target, &mut gone).await?
            }
        };
        match outcome {
            Outcome::Deleted => {
                deletions += 1;
                pruned.tell(target, DELETED.to_owned());
            }
            Outcome::Gone => {
                let why = "no longer there: someone has deleted it, or taken its tags off";
                pruned.tell(target, why.to_owned());
            }
            Outcome::Refused(why) => {
                refused += 1;
                if refused > NAMED_MAX {
                    pruned.more_refused += 1;
                } else {
                    pruned.tell(target, format!("not deleted: {why}"));
                }
            }
        }
    }
    Ok(pruned)
}
