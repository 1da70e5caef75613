//! A plan of what there is now: policies, inventory and runs read through the ports, and the planner asked. The fleet and
//! the operator's command ask alike, and get the same answer.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::error::TaskError;
use crate::inventory::{Inventory, Location};
use crate::occurrence::Occurrence;
use crate::plan::{self, PastRun, Plan, Question};
use crate::policy::{Policy, PolicyId};
use crate::ports::{Fault, Ports};
use crate::records::{PlannedUntil, Run, RunState, read_all};
use crate::survey::{self, Survey};

/// What is to be planned.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// All policies, enabled or not.
    pub policies: &'a [Policy],
    /// The time to plan for.
    pub at: Timestamp,
    /// Up to when the last plan was made; without it nothing counts as missed.
    pub planned_until: Option<&'a PlannedUntil>,
    /// Where stopgap is deployed.
    pub home: &'a Location,
    /// Plan this policy alone, enabled or not.
    pub only: Option<&'a PolicyId>,
}

/// The plan, and what it was made from.
#[derive(Clone, Debug)]
pub struct Planning {
    /// The accounts and Regions that were asked for.
    pub places: Vec<Location>,
    /// Those that could not be read, with why: the plan knows nothing of them.
    pub unread: BTreeMap<Location, Fault>,
    /// What was read.
    pub inventory: Inventory,
    /// The plan.
    pub plan: Plan,
}

/// Reads what the plan needs, and plans.
///
/// The number of calls depends on the size of accounts in pages, and on the number of policies; never on the number of
/// volumes or instances one by one. Reads only: needs `ec2:Describe*` and the table.
///
/// # Errors
/// What keeps it from reading the table. A place that cannot be read is told in [`Planning::unread`].
pub async fn plan(ports: Ports<'_>, scope: &Scope<'_>) -> Result<Planning, TaskError> {
    let Scope { policies, at, planned_until, home, only } = *scope;
    // Those of the policy that is planned alone, else of all that are enabled.
    let is_asked = |policy: &&Policy| only.map_or(policy.enabled, |only| *only == policy.id);
    let places = survey::places(policies.iter().filter(is_asked), home);
    let survey = survey::inventory(ports.ec2, &places).await;
    let runs = runs(ports, scope).await?;
    let question = Question {
        policies,
        inventory: &survey.inventory,
        runs: &runs,
        at,
        planned_until,
        home: Some(home),
        only,
    };
    let mut plan = plan::plan(&question);
    plan.orphans = plan::orphans::of_inventory(
        policies.iter().filter(is_asked),
        &survey.inventory,
        &survey.copies(),
        at,
        planned_until,
        home,
    );
    let Survey { inventory, unread, .. } = survey;
    // That a policy selects nothing can be said of one whose places were all read.
    let read = |location: &Location| places.contains(location) && !unread.contains_key(location);
    let all_read = |policy: &Policy| policy.locations(home).iter().all(read);
    plan.unmatched.retain(|id| policies.iter().any(|policy| policy.id == *id && all_read(policy)));
    Ok(Planning { places, unread, inventory, plan })
}

/// The runs of every occurrence that may be due or missed now, one query each.
async fn runs(
    ports: Ports<'_>,
    scope: &Scope<'_>,
) -> Result<BTreeMap<(Occurrence, String), PastRun>, TaskError> {
    let mut runs = BTreeMap::new();
    for policy in scope.policies.iter().filter(|policy| policy.enabled) {
        let home = Some(scope.home);
        for occurrence in plan::occurrences_in_question(policy, scope.at, scope.planned_until, home) {
            for (key, stored) in read_all::<Run>(ports.table, &Run::partition(&occurrence)).await? {
                let instance_id = key.sort.rsplit('/').next().unwrap_or_default().to_owned();
                runs.insert((occurrence.clone(), instance_id), past(&stored.record));
            }
        }
    }
    Ok(runs)
}

fn past(run: &Run) -> PastRun {
    match &run.state {
        RunState::Live => PastRun::Live,
        RunState::Complete => PastRun::Complete,
        RunState::Failed { retryable, .. } => {
            PastRun::Failed { attempt: run.attempt, retryable: *retryable, awaits_retry: run.awaits_retry }
        }
        RunState::Missed => PastRun::Missed,
    }
}
