//! `find-debts`: the rescuer's look. Finds the runs that ended without having given their instance back: aborted, timed out,
//! or ended where nothing could catch it.
//!
//! Leases, intents and running executions are read in bulk, however many runs are under way. What is found is looked at
//! again, one by one, by `take-over`: a list may lag, and nothing is done on its word.
//!
//! Tickets that nobody could send when they were due are owed, too: they are sent in passing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::measure::{Measure, Measured};
use crate::occurrence::Occurrence;
use crate::plan::admission::START_EVERY;
use crate::policy::PolicyId;
use crate::ports::{Context, Executions, Ports, all_pages};
use crate::records::{Intent, Lease, read_all};
use crate::ticket::{self, Kind, Matter, Report};

/// How many rescues one look begins at most; the rest is left to the next, five minutes later. As many as StartInstances
/// allows in that time, and a document of the machine holds 256 KiB.
const FOUND_MAX: usize = 400;
/// A lease this young may belong to an execution that ListExecutions does not show yet.
const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// What the machine hands to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The execution's input.
    pub request: Value,
    /// When the execution started (`$$.Execution.StartTime`).
    pub started: Timestamp,
}

/// The input of a rescuer that looks.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    /// Only what this execution left, by its ARN; without it, all.
    execution: Option<String>,
}

/// An instance that may be owed a restart, and a lease that may have to be released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// The instance.
    pub instance_id: String,
    /// Where it is.
    pub location: Location,
    /// What the lost run was for.
    pub occurrence: Occurrence,
    /// The policy of that.
    pub policy: PolicyId,
}

/// A debt, as an execution of its own is started for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescue {
    /// The execution's name.
    pub name: String,
    /// What it is about.
    pub debt: Debt,
    /// When it may begin: starts have a budget.
    pub start_at: Timestamp,
}

/// What `find-debts` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// When.
    pub at: Timestamp,
    /// What is to be looked at, the longest owed first.
    pub debts: Vec<Rescue>,
    /// How many more there are, left to the next look.
    pub left: usize,
}

impl Measured for Found {
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::count("SweepsMade", 1), Measure::count("DebtsFound", self.debts.len() + self.left)]
    }
}

/// Looks.
///
/// Needs `states:ListExecutions`, `sns:Publish` (for its own ticket, and for those in the outbox) and the table. Changes
/// nothing else.
///
/// # Errors
/// [`ErrorName::InvalidInput`]; what keeps it from reading the table or the executions.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: Input) -> Result<Found, TaskError> {
    let request: Request = super::read(input.request).map_err(|why| {
        let right = "it takes execution (an ARN), and {} looks at all";
        TaskError::new(ErrorName::InvalidInput, format!("the execution's input is wrong: {why}; {right}"))
    })?;
    let mut owed = owed(ports, cx, request.execution.as_deref()).await?;
    owed.sort_by(|(since, a), (other, b)| (since, &a.instance_id).cmp(&(other, &b.instance_id)));
    let left = owed.len().saturating_sub(FOUND_MAX);
    owed.truncate(FOUND_MAX);

    let mut next: BTreeMap<Location, Timestamp> = BTreeMap::new();
    let stamp = input.started.strftime("%Y%m%dT%H%M%SZ");
    let rescue = |(_, debt): (Timestamp, Debt)| {
        let start_at = next.entry(debt.location.clone()).or_insert(cx.now);
        let rescue = Rescue { name: format!("{}_{stamp}", debt.instance_id), start_at: *start_at, debt };
        *start_at = start_at.saturating_add(START_EVERY).unwrap_or(Timestamp::MAX);
        rescue
    };
    let debts = owed.into_iter().map(rescue).collect();
    if request.execution.is_none() {
        resolve(ports, cx.now).await?;
        // What keeps a ticket from being sent keeps no instance down. The next look tries again.
        let _ = ticket::send_outbox(ports, cx).await;
    }
    Ok(Found { at: cx.now, debts, left })
}

/// What may be owed, and since when: by leases whose execution does not run, and by intents whose deadline has passed.
async fn owed(
    ports: Ports<'_>,
    cx: Context<'_>,
    of: Option<&str>,
) -> Result<Vec<(Timestamp, Debt)>, TaskError> {
    let leases = read_all::<Lease>(ports.table, Lease::PARTITION).await?;
    let intents = read_all::<Intent>(ports.table, Intent::PARTITION).await?;
    let deadlines: BTreeMap<String, Timestamp> =
        intents.into_iter().map(|(key, intent)| (key.sort, intent.record.deadline)).collect();
    let running = match of {
        // That execution has ended, says its event.
        Some(_) => BTreeSet::new(),
        None => {
            running(ports.executions, leases.iter().map(|(_, lease)| lease.record.owner.as_str())).await?
        }
    };
    let is_owed = |sort: &str, lease: &Lease| match of {
        Some(execution) => lease.owner == execution,
        None => {
            let late = deadlines.get(sort).is_some_and(|deadline| *deadline < cx.now);
            let lost = !running.contains(&lease.owner) && cx.now.duration_since(lease.taken_at) > GRACE;
            late || lost
        }
    };
    let owed = leases.into_iter().filter(|(key, lease)| is_owed(&key.sort, &lease.record));
    Ok(owed
        .map(|(_, lease)| {
            let Lease { instance_id, location, occurrence, taken_at, .. } = lease.record;
            (taken_at, Debt { instance_id, location, policy: occurrence.policy.clone(), occurrence })
        })
        .collect())
}

/// The running executions of the machines that these executions are of.
async fn running(
    executions: &dyn Executions,
    owners: impl Iterator<Item = &str>,
) -> Result<BTreeSet<String>, TaskError> {
    let machines: BTreeSet<String> = owners.filter_map(machine_of).collect();
    let mut running = BTreeSet::new();
    for machine in machines {
        running.extend(all_pages(|page| executions.running(&machine, page)).await?);
    }
    Ok(running)
}

/// The ARN of an execution's machine: `arn:…:execution:MACHINE:NAME` is one of `arn:…:stateMachine:MACHINE`.
fn machine_of(execution: &str) -> Option<String> {
    let (machine, _) = execution.rsplit_once(':')?;
    Some(machine.replacen(":execution:", ":stateMachine:", 1))
}

/// Resolves the ticket of looks that failed before.
async fn resolve(ports: Ports<'_>, now: Timestamp) -> Result<(), TaskError> {
    let matter = Matter { kind: Kind::RescueFailed, location: None, instance_id: None, policy: None };
    let report = Report {
        occurrences: Vec::new(),
        failed_state: None,
        error: String::new(),
        cause: String::new(),
        done: format!("The look of {now} went well."),
        execution: None,
        timeline: Vec::new(),
    };
    ticket::resolve(ports, now, &matter, report).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_names_its_machine() {
        let execution =
            "arn:aws-cn:states:cn-north-1:111122223333:execution:stopgap-instance:i-1_20261121T020000Z";
        let machine = "arn:aws-cn:states:cn-north-1:111122223333:stateMachine:stopgap-instance";
        assert_eq!(machine_of(execution).as_deref(), Some(machine));
        assert_eq!(machine_of("nonsense"), None);
    }
}
