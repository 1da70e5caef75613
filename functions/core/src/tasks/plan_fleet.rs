//! `plan-fleet`: reads policies, inventory and runs in bulk, asks the planner what is due, and writes one item per run to
//! S3 for the fleet machine to dispatch.
//!
//! The number of calls depends on the size of accounts in pages, and on the number of policies; never on the number of
//! volumes or instances one by one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Failure;
use super::notify::{Fleet, Unserved};
use super::prune_orphans;
use super::resolve_run::Request;
use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::measure::{Measure, Measured};
use crate::plan::{Due, Plan};
use crate::planning::{self, Planning, Scope};
use crate::policies;
use crate::policy::PolicyId;
use crate::ports::{Context, Expect, Fault, Ports};
use crate::records::{PlannedUntil, put, read};
use crate::ticket::{self, Kind, Matter, Report};

/// What the state hands over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The execution's input, as it is (`$`).
    pub request: Value,
    /// The execution's ARN (`$$.Execution.Id`).
    pub execution: String,
    /// When it was started (`$$.Execution.StartTime`).
    pub started: Timestamp,
}

/// The input of an execution of the fleet machine. All of it is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FleetRequest {
    /// The time to plan for; the execution's start time if it is not given. More than an hour ahead only with `dry_run`.
    #[serde(default)]
    at: Option<Timestamp>,
    /// Plan this policy alone.
    #[serde(default)]
    policy: Option<PolicyId>,
    /// Write the plan, and start nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What `plan-fleet` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The time that was planned for.
    pub at: Timestamp,
    /// Whether nothing is to be started.
    pub dry_run: bool,
    /// The bucket that has the items; empty without items.
    pub bucket: String,
    /// The object in it.
    pub key: String,
    /// How many items there are.
    pub items: usize,
    /// How many runs are due.
    pub due: usize,
    /// How many policies have backups to prune of an instance that no run prunes, each instance counted by itself.
    #[serde(default)]
    pub orphans: usize,
    /// How many selected instances are not due.
    pub not_due: usize,
    /// On how many instances occurrences were missed.
    pub missed: usize,
    /// The accounts and Regions that could not be read.
    pub unplanned: Vec<Location>,
    /// The policies that select nothing.
    pub unmatched: Vec<PolicyId>,
}

/// One item: what a child of the Distributed Map does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Item {
    /// Start an execution of the instance machine.
    Start {
        /// Its name.
        name: String,
        /// Its input.
        input: Request,
    },
    /// Open a ticket for what nothing served in time.
    Missed {
        /// What.
        unserved: Unserved,
    },
    /// Prune the backups of an instance that no run prunes.
    Prune {
        /// Which.
        orphan: prune_orphans::Request,
    },
    /// Open a ticket for an account and Region that could not be read.
    Unplanned {
        /// Where and why.
        fleet: Fleet,
    },
}

/// How far `at` may be ahead of the execution's start: clocks differ a little. A plan of a later time would begin what is
/// not due yet, and move the watermark past what nobody has served.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(1);

impl Measured for Planned {
    fn measures(&self) -> Vec<Measure> {
        let plans = usize::from(!self.dry_run);
        vec![
            Measure::count("PlansMade", plans),
            Measure::count("InstancesDue", self.due),
            Measure::count("OccurrencesMissed", self.missed),
            Measure::count("LocationsUnread", self.unplanned.len()),
        ]
    }
}

/// Plans.
///
/// Needs `ec2:Describe*`, `s3:PutObject`, `sns:Publish` (to resolve its own tickets) and the table. Idempotent: the same
/// tick planned twice asks for the same executions by the same names.
///
/// # Errors
/// [`ErrorName::InvalidInput`]; what keeps it from reading policies or runs. An account and Region that cannot be read
/// costs a ticket, not the others' backups.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: Input) -> Result<Planned, TaskError> {
    let request = request(input.request)?;
    let at = request.at.unwrap_or(input.started);
    if !request.dry_run && at.duration_since(input.started) > AHEAD_MAX {
        let cause = format!(
            "`at` {at} is more than {AHEAD_MAX:#} after {}: only a plan with dry_run may look ahead",
            input.started
        );
        return Err(TaskError::new(ErrorName::InvalidInput, cause));
    }
    let policies = policies::all(ports.table).await?;
    if let Some(id) = request.policy.as_ref().filter(|id| policies.iter().all(|policy| policy.id != **id)) {
        let known = policies.iter().map(|policy| policy.id.as_str()).collect::<Vec<_>>().join(", ");
        let cause = format!("there is no policy `{id}`; there are {known}");
        return Err(TaskError::new(ErrorName::PolicyNotFound, cause));
    }
    // A plan of one policy, or of a time of someone's choosing, says nothing about what the fleet has served.
    let whole = request.policy.is_none() && !request.dry_run;
    let watermark = read::<PlannedUntil>(ports.table, &PlannedUntil::key()).await?;
    let mark = watermark.map(|stored| stored.record).filter(|_| whole);

    let home = &cx.settings.home;
    let scope =
        Scope { policies: &policies, at, planned_until: mark.as_ref(), home, only: request.policy.as_ref() };
    let Planning { places, unread, plan, .. } = planning::plan(ports, &scope).await?;
    let items = items(&plan, &unread, at, &input.execution);
    let (bucket, key) = if items.is_empty() {
        (String::new(), String::new())
    } else {
        let name = input.execution.rsplit(':').next().unwrap_or_default();
        let key = format!("plans/{at}/{name}.json");
        let document = serde_json::to_value(&items)
            .map_err(|e| TaskError::new(ErrorName::Defect, format!("the plan cannot be written: {e}")))?;
        (ports.objects.put_json(&key, &document).await?, key)
    };
    if whole {
        let missed = plan.missed.iter().map(|missed| &missed.location).collect();
        settle(ports, cx.now, at, mark, &places, &unread, &missed).await?;
    }
    Ok(Planned {
        at,
        dry_run: request.dry_run,
        bucket,
        key,
        items: items.len(),
        due: plan.due.len(),
        orphans: plan.orphans.len(),
        not_due: plan.not_due.len(),
        missed: plan.missed.len(),
        unplanned: unread.into_keys().collect(),
        unmatched: plan.unmatched,
    })
}

fn request(request: Value) -> Result<FleetRequest, TaskError> {
    super::read(request).map_err(|why| {
        let right = "it may take at (RFC 3339), policy and dry_run, and {} is enough";
        TaskError::new(ErrorName::InvalidInput, format!("the execution's input is wrong: {why}; {right}"))
    })
}

fn items(plan: &Plan, unread: &BTreeMap<Location, Fault>, at: Timestamp, execution: &str) -> Vec<Item> {
    let missed = plan.missed.iter().map(|missed| Item::Missed {
        unserved: Unserved {
            instance_id: missed.instance_id.clone(),
            location: missed.location.clone(),
            policy: missed.policy.clone(),
            occurrences: missed.occurrences.clone(),
            failure: None,
        },
    });
    let unplanned = unread.iter().map(|(location, fault)| {
        let error = TaskError::from(fault.clone());
        let failure = Failure { error: error.name.to_string(), cause: error.cause };
        let location = Some(location.clone());
        Item::Unplanned { fleet: Fleet { execution: execution.to_owned(), location, failure: Some(failure) } }
    });
    let orphans = plan.orphans.iter().map(|orphan| Item::Prune {
        orphan: prune_orphans::Request {
            instance_id: orphan.instance_id.clone(),
            location: orphan.location.clone(),
            policy: orphan.policy.clone(),
            why: orphan.why,
            at,
            execution: execution.to_owned(),
        },
    });
    // What is urgent comes first.
    plan.due.iter().map(start).chain(missed).chain(unplanned).chain(orphans).collect()
}

fn start(due: &Due) -> Item {
    Item::Start {
        name: due.occurrence.execution_name(&due.instance_id, due.attempt),
        input: Request {
            instance_id: due.instance_id.clone(),
            policy: Some(due.policy.clone()),
            occurrence: Some(due.occurrence.clone()),
            account: Some(due.location.account.clone()),
            region: Some(due.location.region.clone()),
            start_at: Some(due.start_at),
            attempt: due.attempt,
            dry_run: false,
        },
    }
}

/// Resolves the tickets of plans that failed before, and then moves the watermark: what was missed is found by the plan
/// that moves it, so it must not have moved when that plan has to be repeated.
///
/// The watermark of a place that cannot be read stays where it is: what is missed there must be found when it can. So does
/// that of a place where something was missed, until a plan finds all of it recorded as told.
async fn settle(
    ports: Ports<'_>,
    now: Timestamp,
    at: Timestamp,
    old: Option<PlannedUntil>,
    places: &[Location],
    unread: &BTreeMap<Location, Fault>,
    missed: &BTreeSet<&Location>,
) -> Result<(), TaskError> {
    let read = places.iter().filter(|place| !unread.contains_key(place));
    for place in read {
        resolve(ports, now, Some(place), format!("The plan of {at} went well.")).await?;
    }
    let behind = old.iter().flat_map(|old| &old.behind).map(|behind| &behind.location);
    for place in behind.filter(|place| !places.contains(place)) {
        resolve(ports, now, Some(place), "No policy targets it any more.".to_owned()).await?;
    }
    resolve(ports, now, None, format!("The plan of {at} went well.")).await?;
    if old.as_ref().is_none_or(|old| old.at < at) {
        let mark = PlannedUntil::after(old.as_ref(), at, &unread.keys().collect(), missed);
        ports.table.write(vec![put(PlannedUntil::key(), Expect::Any, &mark)?]).await?;
    }
    Ok(())
}

async fn resolve(
    ports: Ports<'_>,
    now: Timestamp,
    location: Option<&Location>,
    done: String,
) -> Result<(), TaskError> {
    let matter =
        Matter { kind: Kind::PlanFailed, location: location.cloned(), instance_id: None, policy: None };
    let report = Report {
        occurrences: Vec::new(),
        failed_state: None,
        error: String::new(),
        cause: String::new(),
        done,
        execution: None,
        timeline: Vec::new(),
    };
    ticket::resolve(ports, now, &matter, report).await
}
