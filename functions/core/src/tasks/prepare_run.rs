//! `prepare-run`: looks whether the run can go ahead, and takes what it needs in one transaction: the *lease* on the
//! instance, the *intent* that it must run again, and the *slot* of its concurrency group.
//!
//! Nothing has been touched before; after it, every way out goes through `close-run`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RunPlan, StateInput};
use crate::backup_set::{self, BackupSet, SetStatus};
use crate::error::{ErrorName, TaskError};
use crate::inventory::{Instance, InstanceState};
use crate::measure::Measured;
use crate::policy::{AlarmActions, Consistency, LoadBalancing, Restart};
use crate::ports::{Context, Ports, SnapshotQuery, Written, all_pages};
use crate::preflight::{Report, Subject};
use crate::records::{Intent, Lease, Run, RunState, Shield, Stored, instance_key, put, read, unchanged};
use crate::targets::{self, Registered};
use crate::volumes;
use crate::waiting::describe;
use crate::{alarms, scaling, slots};

/// What `prepare-run` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// How to go on.
    pub outcome: Outcome,
    /// Whether the instance must be stopped.
    pub stop: bool,
    /// Whether the instance must run in the end: it was running, or a run before us owed it.
    pub restart_owed: bool,
    /// Whether [`Prepared::shield`] is there, for the machine to choose by.
    pub shielded: bool,
    /// How Auto Scaling is kept from replacing it.
    pub shield: Option<Shield>,
    /// Whether the intent names target groups: to be taken out of before a stop, and to be put back into in any case.
    pub deregistered: bool,
    /// Whether the intent names alarms: to be switched off before a stop, and to be switched on again in any case.
    pub silenced: bool,
    /// The lease's fence.
    pub fence: u64,
    /// When lease, intent and slot were taken.
    pub at: Timestamp,
    /// Until when the run tries to start the instance.
    pub deadline: Timestamp,
    /// The volumes that the backup will contain, by what is known now.
    pub volumes: Vec<String>,
    /// What a person should know: why it is refused, or what is notable.
    pub reasons: Vec<String>,
}

/// How a run goes on after `prepare-run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The lease is ours: go on.
    Ready,
    /// The occurrence has a complete set.
    AlreadyDone,
    /// Another live run makes this backup.
    InProgress,
    /// It was only asked what would be done.
    DryRun,
    /// It must not be done; a ticket says why.
    Refused,
}

impl Measured for Prepared {}

/// Prepares the run.
///
/// Needs `ec2:Describe*`, `kms:DescribeKey`, `autoscaling:Describe*`, `cloudwatch:DescribeAlarms`,
/// `elasticloadbalancing:Describe*`, `states:DescribeExecution`
/// and the table. Idempotent: what this execution holds already is taken again as it is.
///
/// # Errors
/// [`ErrorName::LeaseBusy`], [`ErrorName::SlotBusy`] and [`ErrorName::InTransition`] are retried by the machine until
/// [`ErrorName::StartWindowPassed`].
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Prepared, TaskError> {
    let run = &input.document.run;
    let prepared = prepare(ports, cx, run).await;
    if run.dry_run { told(cx, prepared) } else { prepared }
}

/// What a dry run makes of it: what a real one would wait for, miss or be refused for is told, at once.
fn told(cx: Context<'_>, prepared: Result<Prepared, TaskError>) -> Result<Prepared, TaskError> {
    match prepared {
        Ok(prepared) if prepared.outcome == Outcome::Refused => {
            Ok(Prepared { outcome: Outcome::DryRun, ..prepared })
        }
        Err(TaskError { name, cause })
            if matches!(
                name,
                ErrorName::LeaseBusy | ErrorName::InTransition | ErrorName::StartWindowPassed
            ) =>
        {
            Ok(outcome_only(cx, Outcome::DryRun, vec![format!("{name}: {cause}")]))
        }
        prepared => prepared,
    }
}

async fn prepare(ports: Ports<'_>, cx: Context<'_>, run: &RunPlan) -> Result<Prepared, TaskError> {
    if cx.now > run.start_until {
        let cause = format!("{} could not begin until {}", run.occurrence, run.start_until);
        return Err(TaskError::new(ErrorName::StartWindowPassed, cause));
    }
    let instance = describe(ports.ec2, &run.location, &run.instance_id).await?;
    let record = read::<Run>(ports.table, &run_key(run)).await?;
    let copying = match served(ports, run, record.as_ref()).await? {
        Served::Yes(outcome) => return Ok(outcome_only(cx, outcome, Vec::new())),
        Served::BeingCopied => true,
        Served::No => false,
    };
    let held = Held::read(ports, run, record).await?;
    // Who takes a debt over has an instance to start, and finds these snapshots by the time of the create.
    if copying && held.debt().is_none() {
        let cause =
            format!("the snapshots of {} that an earlier run began are still being copied", run.occurrence);
        return Err(TaskError::new(ErrorName::InTransition, cause));
    }
    let stopped = match instance.state {
        InstanceState::Running => false,
        InstanceState::Stopped => true,
        // What this very run began before it was interrupted is no reason to wait.
        InstanceState::Stopping if held.debt().is_some() => false,
        state => {
            let name = if state.is_gone() { ErrorName::InstanceGone } else { ErrorName::InTransition };
            return Err(TaskError::new(name, format!("{} is {state}", instance.id)));
        }
    };
    let (attached, volumes) = volumes::attached(ports.ec2, run, &instance).await?;
    let stop = !stopped && run.policy.consistency == Consistency::Stop;
    let shield = match held.debt() {
        Some(debt) => Ok(debt.shield.clone()),
        None => scaling::shield(ports.auto_scaling, run, &instance, stop).await?,
    };
    let shield = match shield {
        Ok(shield) => shield,
        Err(reason) => return Ok(outcome_only(cx, Outcome::Refused, vec![reason])),
    };
    if volumes.ids.is_empty() {
        let reason = format!("{} has no volume that policy {} would copy", instance.id, run.policy.id);
        return Ok(outcome_only(cx, Outcome::Refused, vec![reason]));
    }

    let report = if held.is_begun(run, stop) {
        Report::default()
    } else {
        let (policy, instance, selection) = (&run.policy, &instance, volumes.clone());
        let subject =
            Subject { policy, instance, volumes: attached.iter().collect(), selection, stops: stop };
        subject.preflight(ports, &run.location, cx.now).await?
    };
    let refusals = report.refusals();
    if !refusals.is_empty() {
        return Ok(outcome_only(cx, Outcome::Refused, refusals));
    }
    let restart_owed = stop || held.debt().is_some();
    let alarms = silenced(ports, run, &instance, stop, &held).await?;
    let mut reasons = held.notes.clone();
    reasons.extend(report.notes());
    reasons.extend(alarms::in_words(&alarms));
    let targets = match targets(ports, run, &instance, stop, &held).await? {
        Ok(targets) => targets,
        Err(note) => {
            reasons.push(note.to_owned());
            Vec::new()
        }
    };
    if !targets.is_empty() {
        reasons.push(format!(
            "it is out of its load balancers while it is down: {}",
            targets::in_words(&targets)
        ));
    }
    let prepared = Prepared {
        outcome: Outcome::Ready,
        stop,
        restart_owed,
        shielded: restart_owed && shield.is_some(),
        shield: shield.filter(|_| restart_owed),
        deregistered: !targets.is_empty(),
        silenced: !alarms.is_empty(),
        fence: held.fence,
        at: cx.now,
        deadline: deadline(cx, run),
        volumes: volumes.ids,
        reasons,
    };
    if run.dry_run {
        return Ok(Prepared { outcome: Outcome::DryRun, ..prepared });
    }
    take(ports, cx, run, &instance, held, Besides { alarms, targets }, prepared).await
}

/// Whether an occurrence needs anything from a run.
enum Served {
    /// It does.
    No,
    /// There is a snapshot of each volume, and they may all be completed soon.
    BeingCopied,
    /// It does not: it is done, or another live run is at it.
    Yes(Outcome),
}

/// What the run's record says of the occurrence; and the snapshots' tags, so that a lost table does not mean a second backup.
async fn served(ports: Ports<'_>, run: &RunPlan, record: Option<&Stored<Run>>) -> Result<Served, TaskError> {
    match record.map(|stored| &stored.record) {
        Some(Run { state: RunState::Complete, .. }) => return Ok(Served::Yes(Outcome::AlreadyDone)),
        Some(Run { state: RunState::Live, execution, .. })
            if *execution != run.execution && ports.executions.is_running(execution).await? =>
        {
            return Ok(Served::Yes(Outcome::InProgress));
        }
        _ => {}
    }
    let query = SnapshotQuery::OfInstance(run.instance_id.clone());
    let snapshots = all_pages(|page| ports.ec2.describe_snapshots(&run.location, &query, page)).await?;
    let sets = backup_set::group(&snapshots).sets;
    let of_run = |set: &&BackupSet| set.occurrence == run.occurrence && set.instance_id == run.instance_id;
    Ok(match sets.iter().find(of_run).map(|set| set.status) {
        Some(SetStatus::Complete) => Served::Yes(Outcome::AlreadyDone),
        Some(SetStatus::Pending) => Served::BeingCopied,
        _ => Served::No,
    })
}

/// What the table says of the instance now, and what taking it over would mean.
struct Held {
    lease: Option<Stored<Lease>>,
    intent: Option<Stored<Intent>>,
    run: Option<Stored<Run>>,
    fence: u64,
    notes: Vec<String>,
}

impl Held {
    /// Reads lease and intent; the run's record was read before.
    ///
    /// An owner that runs keeps its lease. One that does not (aborted, timed out, or closed without having been able to
    /// start the instance) is taken over, and its debt with it.
    async fn read(ports: Ports<'_>, run: &RunPlan, record: Option<Stored<Run>>) -> Result<Self, TaskError> {
        let lease = read::<Lease>(ports.table, &Lease::key(&run.location, &run.instance_id)).await?;
        let intent = read::<Intent>(ports.table, &Intent::key(&run.location, &run.instance_id)).await?;
        let mut notes = Vec::new();
        let fence = match lease.as_ref().map(|stored| &stored.record) {
            None => 1,
            Some(lease) if lease.owner == run.execution => lease.fence,
            Some(lease) if ports.executions.is_running(&lease.owner).await? => {
                let cause = format!("{} makes {} of {}", lease.owner, lease.occurrence, run.instance_id);
                return Err(TaskError::new(ErrorName::LeaseBusy, cause));
            }
            Some(lease) => {
                notes.push(format!("took the lease over from {}, which no longer runs", lease.owner));
                lease.fence + 1
            }
        };
        Ok(Self { lease, intent, run: record, fence, notes })
    }

    /// The debt of a restart, if there is one.
    fn debt(&self) -> Option<&Intent> {
        self.intent.as_ref().map(|stored| &stored.record).filter(|intent| !intent.restarted)
    }

    /// Whether a restart is owed already, so that a refusal would come too late: this very run promised it, or there is
    /// nothing left to stop.
    fn is_begun(&self, run: &RunPlan, stop: bool) -> bool {
        self.debt().is_some_and(|debt| !stop || debt.owner == run.execution)
    }
}

/// The alarms that are owed in the end: those that a run before us switched off, and those that this one will.
async fn silenced(
    ports: Ports<'_>,
    run: &RunPlan,
    instance: &Instance,
    stop: bool,
    held: &Held,
) -> Result<Vec<String>, TaskError> {
    let mut names = held.intent.as_ref().map(|stored| stored.record.alarms.clone()).unwrap_or_default();
    if stop && run.policy.alarms == AlarmActions::Silence {
        names.extend(alarms::acting(ports.alarms, &run.location, &instance.id).await?);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The target groups that are owed in the end: those that a run before us took it out of, and those that this one will; or
/// `Ok(Err(why))` where the policy asks for it in vain: Standby takes a member out of the group's load balancers, and back.
async fn targets(
    ports: Ports<'_>,
    run: &RunPlan,
    instance: &Instance,
    stop: bool,
    held: &Held,
) -> Result<Result<Vec<Registered>, &'static str>, TaskError> {
    let mut targets = held.debt().map(|debt| debt.targets.clone()).unwrap_or_default();
    if stop && run.policy.load_balancers == LoadBalancing::Deregister {
        if instance.auto_scaling_group().is_none() {
            for found in targets::registered(ports.load_balancers, &run.location, &instance.id).await? {
                if !targets.iter().any(|owed| owed.is_same(&found)) {
                    targets.push(found);
                }
            }
            targets.sort();
        } else if targets.is_empty() {
            return Ok(Err("its load balancers are left to its Auto Scaling group"));
        }
    }
    Ok(Ok(targets))
}

/// What is owed besides the restart.
struct Besides {
    alarms: Vec<String>,
    targets: Vec<Registered>,
}

/// Takes lease, run record, and where something is owed intent and slot, all or nothing.
async fn take(
    ports: Ports<'_>,
    cx: Context<'_>,
    run: &RunPlan,
    instance: &Instance,
    held: Held,
    besides: Besides,
    prepared: Prepared,
) -> Result<Prepared, TaskError> {
    let lost = held.lease.as_ref().map(|stored| &stored.record);
    let lease = Lease {
        owner: run.execution.clone(),
        instance_id: run.instance_id.clone(),
        location: run.location.clone(),
        fence: prepared.fence,
        occurrence: run.occurrence.clone(),
        taken_at: cx.now,
        // A create that a lost run tried for this occurrence may still be on its way.
        create_tried_at: lost
            .filter(|lease| lease.occurrence == run.occurrence)
            .and_then(|l| l.create_tried_at),
        deletions: 0,
        pruned_to: None,
    };
    // Our own lease stays as it is: it may know of a create that was tried.
    let ours = lost.filter(|lease| lease.owner == run.execution);
    let lease = ours.cloned().unwrap_or(lease);
    let began = Run {
        state: RunState::Live,
        execution: run.execution.clone(),
        attempt: run.attempt,
        began_at: cx.now,
        closed_at: None,
        snapshots: Vec::new(),
        awaits_retry: false,
        down_seconds: None,
    };
    let mut writes = vec![
        put(Lease::key(&run.location, &run.instance_id), unchanged(&held.lease), &lease)?,
        put(run_key(run), unchanged(&held.run), &began)?,
    ];
    if prepared.restart_owed || !besides.alarms.is_empty() {
        let slot = match held.debt() {
            // A debt that was taken over has its slot already.
            Some(debt) => debt.group.clone().map(|group| (group, u32::MAX)),
            None if !prepared.restart_owed => None,
            None => slot(run, instance, prepared.shield.as_ref()),
        };
        let intent = Intent {
            owner: run.execution.clone(),
            fence: prepared.fence,
            instance_id: run.instance_id.clone(),
            location: run.location.clone(),
            occurrence: run.occurrence.clone(),
            since: cx.now,
            deadline: prepared.deadline,
            shield: prepared.shield.clone(),
            group: slot.as_ref().map(|(group, _)| group.clone()),
            alarms: besides.alarms,
            targets: besides.targets,
            restarted: !prepared.restart_owed,
        };
        writes.push(put(Intent::key(&run.location, &run.instance_id), unchanged(&held.intent), &intent)?);
        if let Some((group, max)) = slot {
            let holder = instance_key(&run.location, &run.instance_id);
            writes.push(slots::take(ports.table, &run.location, &group, max, &holder, &run.execution).await?);
        }
    }
    match ports.table.write(writes).await? {
        Written::Done => Ok(prepared),
        Written::Refused => {
            let cause = format!("another run took {} or a slot at this moment", run.instance_id);
            Err(TaskError::new(ErrorName::LeaseBusy, cause))
        }
    }
}

/// Until when the run has to have started the instance. Where the policy keeps it down until its snapshots are completed,
/// that time comes on top: the rescuer would start it in the middle of what it is down for.
fn deadline(cx: Context<'_>, run: &RunPlan) -> Timestamp {
    let limits = match run.policy.restart {
        Restart::SnapshotStarted => cx.settings.restart_limit,
        Restart::SnapshotCompleted => cx.settings.completion_limit.saturating_add(cx.settings.restart_limit),
    };
    cx.now.saturating_add(limits).unwrap_or(Timestamp::MAX)
}

/// The concurrency group whose slot is needed, and how many it has.
///
/// Two members of one Auto Scaling group must not suspend its processes at once: the first to finish would resume them
/// under the second. So `suspend` takes the group one by one, whatever the policy's own limit.
fn slot(run: &RunPlan, instance: &Instance, shield: Option<&Shield>) -> Option<(String, u32)> {
    if let Some(Shield::Suspend { group, .. }) = shield {
        return Some((format!("asg={group}"), 1));
    }
    let concurrency = run.policy.concurrency.as_ref()?;
    Some((concurrency.group_by.group_of(instance)?, concurrency.max))
}

fn run_key(run: &RunPlan) -> crate::ports::Key {
    Run::key(&run.occurrence, &run.location, &run.instance_id)
}

fn outcome_only(cx: Context<'_>, outcome: Outcome, reasons: Vec<String>) -> Prepared {
    Prepared {
        outcome,
        stop: false,
        restart_owed: false,
        shielded: false,
        shield: None,
        deregistered: false,
        silenced: false,
        fence: 0,
        at: cx.now,
        deadline: cx.now,
        volumes: Vec::new(),
        reasons,
    }
}
