//! What a forecast says. Everything is sorted; durations are in seconds, costs in dollars, storage in GiB.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Assumptions;
use super::cost::{Cost, Price};
use crate::night::Spread;

/// The answer, as `--json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Forecast {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends: so many times 24 hours later.
    pub until: Timestamp,
    /// How many days it has.
    pub days: u32,
    /// The Region whose list prices are used, wherever the instances are.
    pub price_region: &'static str,
    /// When the prices were looked up.
    pub prices_as_of: &'static str,
    /// The prices.
    pub prices: Vec<Price>,
    /// What the cost leaves out.
    pub cost_leaves_out: &'static str,
    /// What is assumed.
    pub assumptions: Assumptions,
    /// How much of it was played on the engine.
    pub engine: Engine,
    /// The numbers of all days together.
    pub totals: Totals,
    /// By calendar month, in UTC; the first and the last may be parts of one.
    pub months: Vec<Month>,
    /// By day; each begins 24 hours after the one before.
    pub per_day: Vec<Day>,
    /// By policy.
    pub policies: Vec<PolicyLine>,
    /// By instance that a policy selects.
    pub instances: Vec<InstanceLine>,
    /// The ticks of the fleet at which runs begin.
    pub nights: Vec<Night>,
    /// What is deleted: by day, policy and occurrence.
    pub deleted: Vec<Deleted>,
    /// What is kept in the end: of each policy, the instances that have the same sets.
    pub kept: Vec<KeptSets>,
    /// Sets of the inventory that no run prunes, by policy and reason: what the fleet deletes of them, and what is left.
    pub left_alone: Vec<LeftAlone>,
    /// What a policy selects and does not back up, with why.
    pub not_backed_up: Vec<NotBackedUp>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// How much was played on the engine, and how much repeats it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Engine {
    /// Ticks of the fleet in all.
    pub ticks: u64,
    /// … at which a policy is asked.
    pub ticks_with_work: u64,
    /// … of these, the different ones: core's planner planned each.
    pub ticks_planned: u64,
    /// Runs in all.
    pub runs: u64,
    /// Bundles of runs that were played, each of a kind: runs that wait for each other are in one bundle.
    pub bundles_played: u64,
    /// The runs in them.
    pub runs_played: u64,
}

/// The numbers of all days together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// How many instances a policy selects.
    pub instances: usize,
    /// Runs that were begun.
    pub runs: u64,
    /// … that made a complete set.
    pub runs_completed: u64,
    /// … that did not, and not for lack of time.
    pub runs_failed: u64,
    /// Occurrences that were missed, of each instance.
    pub missed: u64,
    /// The time that all instances were down, together.
    pub downtime_seconds: f64,
    /// How long a run has its instance down.
    pub downtime_seconds_per_run: Spread,
    /// Sets.
    pub sets_made: u64,
    /// Snapshots.
    pub snapshots_made: u64,
    /// Sets that retention deleted.
    pub sets_deleted: u64,
    /// Their snapshots.
    pub snapshots_deleted: u64,
    /// Sets in the end.
    pub sets_kept: u64,
    /// Their snapshots.
    pub snapshots_kept: u64,
    /// What they store.
    pub stored_gib: f64,
    /// State transitions of the Standard machines.
    pub state_transitions: u64,
    /// Invocations of functions.
    pub lambda_requests: u64,
    /// Their time, weighed with their memory.
    pub lambda_gb_seconds: f64,
    /// Calls of AWS by operation.
    pub aws_calls: BTreeMap<String, u64>,
    /// All of them.
    pub aws_calls_in_all: u64,
    /// What it costs.
    pub cost_usd: Cost,
    /// What it costs in an average month of these days (365/12 days).
    pub cost_usd_per_month: Cost,
    /// What an average month would cost from the last day on if nothing grew any more.
    pub cost_usd_per_month_at_the_end: Cost,
}

/// A calendar month.
#[derive(Clone, Debug, Serialize)]
pub struct Month {
    /// Such as `2026-11`.
    pub month: String,
    /// How many of its days are in the forecast: those that begin in it.
    pub days: u32,
    /// Runs.
    pub runs: u64,
    /// What is stored at its end.
    pub stored_gib: f64,
    /// What those days cost.
    pub cost_usd: Cost,
}

/// A day.
#[derive(Clone, Debug, Serialize)]
pub struct Day {
    /// When it begins.
    pub from: Timestamp,
    /// Runs that were begun.
    pub runs: u64,
    /// … that made no complete set, and not for lack of time.
    pub runs_failed: u64,
    /// Occurrences that were missed, of each instance.
    pub missed: u64,
    /// The time that all instances were down, together.
    pub downtime_seconds: f64,
    /// The longest that one was.
    pub longest_downtime_seconds: f64,
    /// Sets.
    pub sets_made: u64,
    /// Sets that retention deleted.
    pub sets_deleted: u64,
    /// Sets that no rule keeps and that were left to the next run.
    pub sets_deferred: u64,
    /// Sets at its end.
    pub sets_kept: u64,
    /// … by policy.
    pub sets_kept_by_policy: BTreeMap<String, u64>,
    /// What all sets store at its end.
    pub stored_gib: f64,
    /// State transitions.
    pub state_transitions: u64,
    /// Invocations of functions.
    pub lambda_requests: u64,
    /// Calls of AWS.
    pub aws_calls: u64,
    /// What it costs.
    pub cost_usd: Cost,
}

/// A tick of the fleet at which runs begin.
#[derive(Clone, Debug, Serialize)]
pub struct Night {
    /// The tick.
    pub at: Timestamp,
    /// The occurrences that are served.
    pub occurrences: Vec<String>,
    /// How many runs there are.
    pub runs: u64,
    /// … that could not begin in time.
    pub runs_missed: u64,
    /// How many instances are stopped for them.
    pub stopped: u64,
    /// The first that goes down; null where none does.
    pub first_down_at: Option<Timestamp>,
    /// The last that is up again.
    pub all_up_at: Option<Timestamp>,
    /// When the last run is over: snapshots complete, tags copied, sets pruned.
    pub over_at: Timestamp,
    /// The time that all instances were down, together.
    pub downtime_seconds: f64,
    /// The longest that one was.
    pub longest_downtime_seconds: f64,
}

/// A policy.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyLine {
    /// Its id.
    pub id: String,
    /// Whether it is enabled; nothing of a disabled one is due.
    pub enabled: bool,
    /// Its first occurrence in these days or after them.
    pub first_occurrence: Option<Timestamp>,
    /// How many instances it selects.
    pub instances: u64,
    /// Runs.
    pub runs: u64,
    /// … that made a complete set.
    pub runs_completed: u64,
    /// Occurrences that were missed, of each instance.
    pub missed: u64,
    /// The time that its instances were down for it, together.
    pub downtime_seconds: f64,
    /// How long a run has its instance down.
    pub downtime_seconds_per_run: Spread,
    /// Sets that retention deleted.
    pub sets_deleted: u64,
    /// Sets in the end.
    pub sets_kept: u64,
    /// What they store.
    pub stored_gib: f64,
    /// What its storage and its runs cost in an average month of these days; the fleet's ticks are not in it.
    pub cost_usd_per_month: Cost,
}

/// An instance.
#[derive(Clone, Debug, Serialize)]
pub struct InstanceLine {
    /// Its id.
    pub id: String,
    /// Its tag `Name`.
    pub name: Option<String>,
    /// Its account and Region.
    pub location: String,
    /// The policies that select it.
    pub policies: Vec<String>,
    /// Runs.
    pub runs: u64,
    /// How long it was down.
    pub downtime_seconds: f64,
    /// How long it was down at most for one run.
    pub longest_downtime_seconds: f64,
    /// Sets in the end.
    pub sets_kept: u64,
    /// What they store.
    pub stored_gib: f64,
    /// What storing that costs in an average month.
    pub storage_usd_per_month_at_the_end: f64,
}

/// Sets that are deleted on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// When the day begins.
    pub day: Timestamp,
    /// The occurrence.
    pub occurrence: String,
    /// Of how many instances.
    pub sets: u64,
    /// How many snapshots they have.
    pub snapshots: u64,
}

/// Sets that are kept in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptSets {
    /// The policy.
    pub policy: String,
    /// The times of the sets, oldest first.
    pub times: Vec<Timestamp>,
    /// The instances that have just these.
    pub instances: Vec<String>,
}

/// Sets of the inventory that no run prunes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeftAlone {
    /// The policy, by their tags.
    pub policy: String,
    /// Why no run comes by.
    pub why: &'static str,
    /// How many of them the fleet deletes in these days.
    pub sets_deleted: u64,
    /// How many there are in the end.
    pub sets: u64,
    /// How many snapshots those have.
    pub snapshots: u64,
    /// What they store.
    pub stored_gib: f64,
}

/// An instance that a policy selects and does not back up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotBackedUp {
    /// The instance.
    pub instance_id: String,
    /// The policy.
    pub policy: String,
    /// Why.
    pub reasons: Vec<String>,
}
