//! `take-over`: the rescuer takes an instance over from a run that is lost: lease, debt and run become its own, with a higher
//! fence, *before* anything is done. Whatever the lost run had still on its way finds the lease gone.
//!
//! It never takes anything from a run in good order, and taking over twice is taking over once.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::find_debts::Debt;
use super::prepare_run::{Outcome, Prepared};
use super::{Failure, RunPlan};
use crate::error::{ErrorName, TaskError};
use crate::inventory::{Instance, InstanceState, Location};
use crate::measure::Measured;
use crate::plan::RETRIES_MAX;
use crate::policies;
use crate::policy::Policy;
use crate::ports::{Context, ExecutionStatus, Executions, Ports, Write, Written};
use crate::records::{Intent, Lease, Run, RunState, Stored, put, read, unchanged};
use crate::waiting::describe;

/// How long it may take until the planner sees what a run has recorded: a function's time, and tries again.
const RECORDED_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// What the machine hands to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// What may be owed.
    pub debt: Debt,
    /// The rescuer's execution, by its ARN (`$$.Execution.Id`).
    pub execution: String,
}

/// How the instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// Nothing is owed (any more), or its run is in good order after all.
    Nothing,
    /// It is owed a restart, and is down.
    Down,
    /// It is owed a restart, and runs: what is left is to confirm it.
    Running,
    /// It was owed a restart, and is gone: what is left are the processes of its group, alarms, and the lease.
    Gone,
    /// No restart is owed (any more): what is left are alarms, and the lease.
    Leased,
}

/// What `take-over` answers: a document for the states that give the instance back, and how to go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// How the instance stands.
    pub stands: Stands,
    /// Until when nobody needs to be told that the lost run's backup failed, since the planner tries the occurrence again by
    /// itself, and tells if that comes to nothing; the time of the take-over if it does not.
    pub retried_until: Timestamp,
    /// The lost run, as far as the way back needs it.
    pub run: Option<RunPlan>,
    /// What was taken.
    pub prepared: Option<Prepared>,
    /// How the run was lost, under `TakeOver`; empty if it had recorded its own end.
    pub failures: BTreeMap<String, Failure>,
}

impl Measured for Taken {}

/// Takes over.
///
/// Needs `ec2:DescribeInstances`, `states:DescribeExecution`, `states:GetExecutionHistory` and the table. Idempotent: what
/// this execution holds already is answered again.
///
/// # Errors
/// [`ErrorName::LeaseBusy`] when someone else wrote the lease at this moment: asked again, it shows what they did.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: Input) -> Result<Taken, TaskError> {
    let Debt { instance_id, location, .. } = &input.debt;
    let lease = read::<Lease>(ports.table, &Lease::key(location, instance_id)).await?;
    let intent = read::<Intent>(ports.table, &Intent::key(location, instance_id)).await?;
    let Some(held) = &lease else { return Ok(nothing(cx.now)) };
    let mine = held.record.owner == input.execution;
    let late = intent.as_ref().is_some_and(|intent| intent.record.deadline < cx.now);
    if !mine && !late && ports.executions.is_running(&held.record.owner).await? {
        return Ok(nothing(cx.now));
    }
    let stands = match &intent {
        // Nothing is owed, so the instance need not be seen: nor is its account's refusal a matter of an instance left stopped.
        None => Stands::Leased,
        Some(intent) if intent.record.restarted => Stands::Leased,
        Some(_) => match seen(ports, location, instance_id).await {
            Ok(instance) if instance.state == InstanceState::Running => Stands::Running,
            Ok(instance) if !instance.state.is_gone() => Stands::Down,
            Ok(_) => Stands::Gone,
            Err(error) if error.name == ErrorName::InstanceGone => Stands::Gone,
            Err(error) => return Err(error),
        },
    };
    let lost = Lost { ports, cx, execution: &input.execution, lease: held, intent: &intent };
    lost.take(stands, mine).await
}

/// The instance. EC2's reads lag, so that one that does not find it proves nothing: whoever believes it strikes off a debt and
/// leaves the instance stopped for good.
async fn seen(ports: Ports<'_>, at: &Location, instance_id: &str) -> Result<Instance, TaskError> {
    match describe(ports.ec2, at, instance_id).await {
        Err(error) if error.name == ErrorName::InstanceGone => describe(ports.ec2, at, instance_id).await,
        seen => seen,
    }
}

fn nothing(now: Timestamp) -> Taken {
    let (run, prepared, failures) = (None, None, BTreeMap::new());
    Taken { stands: Stands::Nothing, retried_until: now, run, prepared, failures }
}

/// A run that is lost, and who takes it over.
struct Lost<'a> {
    ports: Ports<'a>,
    cx: Context<'a>,
    execution: &'a str,
    lease: &'a Stored<Lease>,
    intent: &'a Option<Stored<Intent>>,
}

impl Lost<'_> {
    async fn take(&self, stands: Stands, mine: bool) -> Result<Taken, TaskError> {
        let Lease { instance_id, location, occurrence, .. } = &self.lease.record;
        let fence = if mine { self.lease.record.fence } else { self.lease.record.fence + 1 };
        let deadline = self.cx.now.saturating_add(self.cx.settings.restart_limit).unwrap_or(Timestamp::MAX);
        let key = Run::key(occurrence, location, instance_id);
        let record = read::<Run>(self.ports.table, &key).await?;
        let policy = policies::get(self.ports.table, &occurrence.policy).await?;
        let attempt = record.as_ref().map_or(0, |stored| stored.record.attempt);
        // It has not recorded its own end: then it is for us to finish it, or to record that.
        let live = record.as_ref().filter(|stored| {
            stored.record.state == RunState::Live && stored.record.execution == self.lease.record.owner
        });
        let failure = match live {
            Some(_) if mine => Some(self.known()),
            Some(_) => Some(self.failure().await?),
            None => None,
        };
        if !mine {
            let mut writes = self.own(fence, deadline)?;
            if let Some(stored) = live {
                let run = Run { execution: self.execution.to_owned(), ..stored.record.clone() };
                writes.push(put(key, unchanged(&record), &run)?);
            }
            if self.ports.table.write(writes).await? == Written::Refused {
                let cause = format!("someone else wrote the lease of {instance_id} at this moment");
                return Err(TaskError::new(ErrorName::LeaseBusy, cause));
            }
        }
        // Only of an instance left stopped there is a ticket already.
        let untold = stands == Stands::Down && failure.is_some();
        let retried_until = policy.as_ref().filter(|_| untold).and_then(|p| self.retried_until(p, attempt));
        let policy = policy.map_or_else(|| self.without_policy(), Ok)?;
        let owed = matches!(stands, Stands::Down | Stands::Running);
        let intent = self.intent.as_ref().map(|intent| &intent.record);
        // What is suspended stays so for the whole group, whatever became of this member.
        let shield =
            intent.and_then(|intent| intent.shield.clone()).filter(|_| owed || stands == Stands::Gone);
        let silenced = intent.is_some_and(|intent| !intent.alarms.is_empty());
        Ok(Taken {
            stands,
            retried_until: retried_until.unwrap_or(self.cx.now),
            run: Some(RunPlan {
                instance_id: instance_id.clone(),
                location: location.clone(),
                policy,
                occurrence: occurrence.clone(),
                attempt,
                execution: self.execution.to_owned(),
                start_at: self.cx.now,
                start_until: self.cx.now,
                dry_run: false,
            }),
            prepared: Some(Prepared {
                outcome: Outcome::Ready,
                stop: false,
                restart_owed: owed,
                shielded: shield.is_some(),
                shield,
                deregistered: owed && intent.is_some_and(|intent| !intent.targets.is_empty()),
                silenced,
                fence,
                at: self.cx.now,
                deadline,
                volumes: Vec::new(),
                reasons: Vec::new(),
            }),
            failures: failure.map(|failure| ("TakeOver".to_owned(), failure)).into_iter().collect(),
        })
    }

    /// Lease and debt, as ours.
    fn own(&self, fence: u64, deadline: Timestamp) -> Result<Vec<Write>, TaskError> {
        let lease = &self.lease.record;
        let owner = self.execution.to_owned();
        let ours = Lease { owner: owner.clone(), fence, taken_at: self.cx.now, ..lease.clone() };
        let key = Lease::key(&lease.location, &lease.instance_id);
        let mut writes = vec![put(key, crate::ports::Expect::Version(self.lease.version), &ours)?];
        if let Some(intent) = self.intent {
            let ours = Intent { owner, fence, deadline, ..intent.record.clone() };
            let key = Intent::key(&lease.location, &lease.instance_id);
            writes.push(put(key, unchanged(self.intent), &ours)?);
        }
        Ok(writes)
    }

    /// How the run was lost, in words.
    async fn failure(&self) -> Result<Failure, TaskError> {
        let owner = &self.lease.record.owner;
        let execution = self.ports.executions.execution(owner).await?;
        let state = newest_state(self.ports.executions, owner).await;
        let ended = match execution.map(|execution| execution.status) {
            None => "is not there any more",
            Some(ExecutionStatus::Running) => "did not give the instance back in time",
            Some(ExecutionStatus::Succeeded) => "ended without having closed",
            Some(ExecutionStatus::Failed) => "failed where nothing could catch it",
            Some(ExecutionStatus::TimedOut) => "timed out",
            Some(ExecutionStatus::Aborted) => "was aborted",
        };
        let place = state.map(|state| format!(" in {state}")).unwrap_or_default();
        Ok(Failure { error: ErrorName::RunLost.to_string(), cause: format!("{owner} {ended}{place}") })
    }

    /// The same, where a first try has taken over already.
    fn known(&self) -> Failure {
        let cause = format!("the run of {} ended without having closed", self.lease.record.occurrence);
        Failure { error: ErrorName::RunLost.to_string(), cause }
    }

    /// Until when the planner can be counted on to take the occurrence up again, if it does.
    fn retried_until(&self, policy: &Policy, attempt: u8) -> Option<Timestamp> {
        let at = self.lease.record.occurrence.at;
        let again = policy.enabled
            && attempt < RETRIES_MAX
            && policy.schedule.latest(self.cx.now) == Some(at)
            && policy.schedule.missed_at(at) > self.cx.now;
        policy.schedule.missed_at(at).checked_sub(RECORDED_WITHIN).ok().filter(|_| again)
    }

    /// A policy in place of one that has been deleted: the way back needs no more of it than its id.
    fn without_policy(&self) -> Result<Policy, TaskError> {
        let Lease { instance_id, occurrence, .. } = &self.lease.record;
        let document = serde_json::json!({
            "id": occurrence.policy,
            "enabled": false,
            "select": { "any": [{ "instance": instance_id }] },
            "schedule": { "expression": "at(1970-01-01T00:00:00)" },
            "retention": { "keep_last": "all" },
        });
        let mut policies = crate::policy::parse(&document.to_string())
            .map_err(|errors| TaskError::new(ErrorName::Defect, errors.to_string()))?;
        policies.pop().ok_or_else(|| TaskError::new(ErrorName::Defect, "there is no policy in its place"))
    }
}

/// The state that the execution was in; words for people, so that not knowing it is no error.
async fn newest_state(executions: &dyn Executions, execution: &str) -> Option<String> {
    executions.newest_state(execution).await.ok().flatten()
}
