//! `close-run`: the last task of every run that was prepared. Records what became of it, releases the lease, and resolves
//! the tickets that it mended. Idempotent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Document, Failure, RunPlan, StateInput};
use crate::error::{ErrorName, TaskError};
use crate::measure::{Measure, Measured};
use crate::ports::{Context, Expect, Ports, Write, Written};
use crate::records::{Intent, Lease, Run, RunState, Stored, instance_key, put, read, unchanged};
use crate::slots;
use crate::ticket::{self, Kind, Matter, Report};
use crate::timeline;

/// What `close-run` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Whether the backup is complete and the instance as it was before.
    pub ok: bool,
    /// When.
    pub at: Timestamp,
    /// The error that the execution ends with, if it is not ok.
    pub error: String,
    /// Its cause.
    pub cause: String,
    /// How long the instance was down, in seconds.
    pub down_seconds: Option<i64>,
}

impl Measured for Closed {
    fn measures(&self) -> Vec<Measure> {
        let outcome = if self.ok { "BackupsCompleted" } else { "BackupsNotCompleted" };
        let down = self.down_seconds.map(|seconds| Measure::seconds("DownSeconds", seconds));
        [Measure::count(outcome, 1)].into_iter().chain(down).collect()
    }
}

/// Closes the run.
///
/// Needs the table and `sns:Publish`. An intent that is still open keeps lease and slot where they are: they belong to
/// the rescuer then, and no other run may stop the instance meanwhile. So does one that owes no more than alarms: the next run,
/// or the rescuer, takes it over.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Closed, TaskError> {
    let document = &input.document;
    let (state, error, cause) = verdict(document);
    let complete = state == RunState::Complete;
    // Before anything is released: what cannot be told now is told by whoever takes the lease over.
    resolve(ports, cx, document, complete).await?;

    let mut writes: Vec<Write> = record(ports, cx, document, state).await?.into_iter().collect();
    writes.extend(release(ports, document).await?);
    if !writes.is_empty() && ports.table.write(writes).await? == Written::Refused {
        return Err(slots::contended());
    }
    Ok(Closed { ok: error.is_empty(), at: cx.now, error, cause, down_seconds: document.down_seconds() })
}

/// How the run is to be recorded, and the error the execution ends with; empty when all is well.
fn verdict(document: &Document) -> (RunState, String, String) {
    let run = &document.run;
    if document.completed.is_some() {
        let (error, cause) = if document.left_stopped() {
            let (_, failure) = document.restart_failure().unzip();
            let cause = failure.map(Failure::in_words).unwrap_or_default();
            let cause =
                format!("the backup is complete, but {} does not run again: {cause}", run.instance_id);
            (ErrorName::StartFailed.to_string(), cause)
        } else if let Some((_, failure)) = document.alarms_failure() {
            let cause = failure.in_words();
            let cause =
                format!("the backup is complete, but alarms of {} stay silenced: {cause}", run.instance_id);
            (failure.error.clone(), cause)
        } else {
            (String::new(), String::new())
        };
        return (RunState::Complete, error, cause);
    }
    if let Some((_, failure)) = document.backup_failure() {
        if failure.error == ErrorName::StartWindowPassed.as_str() {
            return (RunState::Missed, failure.error.clone(), failure.in_words());
        }
        let retryable = failure.error.parse().is_ok_and(ErrorName::is_retryable);
        let state = RunState::Failed { error: failure.error.clone(), retryable };
        return (state, failure.error.clone(), failure.in_words());
    }
    let reasons = document.prepared.iter().flat_map(|answer| answer.payload.reasons.clone());
    let error = ErrorName::Refused.to_string();
    let cause = reasons.collect::<Vec<_>>().join("; ");
    (RunState::Failed { error: error.clone(), retryable: false }, error, cause)
}

/// Whether nobody was told that the backup failed, because the planner is to take it up again.
fn awaits_retry(document: &Document, state: &RunState) -> bool {
    document.rescue && document.told.is_none() && matches!(state, RunState::Failed { .. })
}

/// The write of the run's record, unless the record is another execution's.
async fn record(
    ports: Ports<'_>,
    cx: Context<'_>,
    document: &Document,
    state: RunState,
) -> Result<Option<Write>, TaskError> {
    let run = &document.run;
    let key = Run::key(&run.occurrence, &run.location, &run.instance_id);
    let stored = read::<Run>(ports.table, &key).await?;
    let old = stored.as_ref().map(|stored| &stored.record);
    let foreign = |old: &Run| {
        old.execution != run.execution && matches!(old.state, RunState::Live | RunState::Complete)
    };
    // A run that had recorded its own end before it was taken over keeps it.
    let ended = |old: &Run| document.rescue && old.execution != run.execution;
    // What the fleet's pruning left behind is a lease without a run.
    let no_run = document.rescue && old.is_none();
    if no_run || old.is_some_and(|old| foreign(old) || ended(old)) {
        return Ok(None);
    }
    let began_at = old.filter(|old| old.execution == run.execution).map_or(cx.now, |old| old.began_at);
    let closed = Run {
        awaits_retry: awaits_retry(document, &state),
        state,
        execution: run.execution.clone(),
        attempt: run.attempt,
        began_at,
        closed_at: Some(cx.now),
        snapshots: document.snapshot_ids(),
        down_seconds: document.down_seconds(),
    };
    put(key, unchanged(&stored), &closed).map(Some)
}

/// The writes that release what the run holds.
async fn release(ports: Ports<'_>, document: &Document) -> Result<Vec<Write>, TaskError> {
    let run = &document.run;
    let key = Lease::key(&run.location, &run.instance_id);
    let lease = read::<Lease>(ports.table, &key).await?;
    if lease.as_ref().is_none_or(|stored| stored.record.owner != run.execution) {
        return Ok(Vec::new());
    }
    let mut writes = vec![Write::Delete { key, expect: unchanged(&lease) }];
    let key = Intent::key(&run.location, &run.instance_id);
    if let Some(intent) = read::<Intent>(ports.table, &key).await? {
        if document.touched() || !intent.record.alarms.is_empty() {
            return Ok(Vec::new());
        }
        // Prepared and then not begun: nothing was stopped, so nothing is owed.
        writes.extend(forget(ports, run, key, &intent).await?);
    }
    Ok(writes)
}

async fn forget(
    ports: Ports<'_>,
    run: &RunPlan,
    key: crate::ports::Key,
    intent: &Stored<Intent>,
) -> Result<Vec<Write>, TaskError> {
    let mut writes = vec![Write::Delete { key, expect: Expect::Version(intent.version) }];
    if let Some(group) = &intent.record.group {
        let holder = instance_key(&run.location, &run.instance_id);
        writes.extend(slots::give_back(ports.table, &run.location, group, &holder).await?);
    }
    Ok(writes)
}

/// Resolves the tickets of matters that this run mended, whichever run opened them.
async fn resolve(
    ports: Ports<'_>,
    cx: Context<'_>,
    document: &Document,
    complete: bool,
) -> Result<(), TaskError> {
    let run = &document.run;
    let failed = |state: &str| document.failures.contains_key(state);
    let mended = [
        (Kind::BackupFailed, complete),
        (Kind::BackupMissed, complete),
        (Kind::BackupRefused, complete),
        (
            Kind::LeftStopped,
            !document.left_stopped() && (complete || document.rescue || document.confirmed.is_some()),
        ),
        (Kind::AlarmsSilenced, document.restored.is_some()),
        (Kind::TagsIncomplete, document.tags.as_ref().is_some_and(|answer| answer.payload.all)),
        (Kind::PruneFailed, document.pruned.is_some() && !failed("PruneSnapshots")),
    ];
    let done = match (document.rescue && !complete, &document.confirmed) {
        (false, _) => format!("{} went well", run.occurrence),
        (true, Some(confirmed)) => format!("The instance runs again since {}.", confirmed.payload.at),
        (true, None) => "There is nothing left to start.".to_owned(),
    };
    for (kind, _) in mended.into_iter().filter(|(_, mended)| *mended) {
        let matter = Matter::of_instance(kind, &run.location, &run.instance_id, &run.policy.id);
        let report = Report {
            occurrences: vec![run.occurrence.clone()],
            failed_state: None,
            error: String::new(),
            cause: String::new(),
            done: done.clone(),
            execution: Some(run.execution.clone()),
            timeline: timeline::of(document),
        };
        ticket::resolve(ports, cx.now, &matter, report).await?;
    }
    Ok(())
}
