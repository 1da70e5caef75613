//! `notify`: opens, updates or resolves a ticket. The state machine says which kind; this puts it into words.

use serde::{Deserialize, Serialize};

use super::{Document, Failure};
use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::measure::{Measure, Measured};
use crate::occurrence::Occurrence;
use crate::policy::PolicyId;
use crate::ports::{Context, Ports};
use crate::records::{Lease, Run, RunState, put, read, unchanged};
use crate::ticket::{self, Action, Kind, Matter, Report};
use crate::timeline;

/// What a state hands to `notify`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// What kind of ticket.
    pub kind: Kind,
    /// Open (or update), or resolve.
    pub action: Action,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
}

/// What a ticket is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A run of the instance machine.
    Document(Box<Document>),
    /// Occurrences that no run served, or whose run could not be started; or backups that no run prunes.
    Unserved(Unserved),
    /// The fleet, in one place or as a whole.
    Fleet(Fleet),
}

impl Input {
    /// What the fleet found missed, and tells for the first time.
    fn missed(&self) -> Option<Unserved> {
        match &self.about {
            About::Unserved(unserved) if self.kind == Kind::BackupMissed && self.action == Action::Open => {
                Some(unserved.clone())
            }
            _ => None,
        }
    }
}

impl About {
    /// The run that tells of itself.
    fn execution(&self) -> Option<&str> {
        match self {
            Self::Document(document) => Some(&document.run.execution),
            Self::Unserved(_) | Self::Fleet(_) => None,
        }
    }
}

/// Occurrences of one policy on one instance that were not served, or whose run is lost; none if it is about pruning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unserved {
    /// The instance.
    pub instance_id: String,
    /// Where it is.
    pub location: Location,
    /// The policy.
    pub policy: PolicyId,
    /// Which occurrences, oldest first.
    pub occurrences: Vec<Occurrence>,
    /// Why, where an error tells.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// Trouble of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// The fleet's execution.
    pub execution: String,
    /// Where; everywhere if it is not given.
    #[serde(default)]
    pub location: Option<Location>,
    /// What failed.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// What `notify` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notified {
    /// The ticket.
    pub dedup_key: String,
}

impl Measured for Notified {
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::count("TicketsTold", 1)]
    }
}

/// Opens (or updates) or resolves the ticket. Idempotent: the same report twice is one message.
///
/// A run that does not hold its instance any more does not tell of it as left stopped: whoever gave it back meanwhile has closed
/// its ticket, and nobody would close another.
///
/// What the fleet tells as missed is recorded with the occurrences' runs afterwards: that keeps the next plan from finding it.
///
/// Needs the table and `sns:Publish`.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: Input) -> Result<Notified, TaskError> {
    let owner = input.about.execution().map(str::to_owned);
    let missed = input.missed();
    let (matter, report) = match input.about {
        About::Document(document) => of_run(input.kind, &document),
        About::Unserved(unserved) => of_unserved(input.kind, unserved),
        About::Fleet(fleet) => of_fleet(input.kind, fleet),
    };
    let dedup_key = matter.dedup_key();
    if input.action != Action::Resolve && matter.kind == Kind::LeftStopped {
        // Who has been told that its lease is lost need not look.
        let lost = report.error == ErrorName::LeaseLost.as_str();
        if lost || !is_held(ports, &matter, owner.as_deref()).await {
            return Ok(Notified { dedup_key });
        }
    }
    match input.action {
        Action::Open | Action::Update => ticket::open(ports, cx.now, matter, report).await?,
        Action::Resolve => ticket::resolve(ports, cx.now, &matter, report).await?,
    }
    if let Some(missed) = missed {
        // The ticket is out, and that outweighs its record: what cannot be recorded is found again by the next plan. Its
        // report publishes nothing, or an update where a part of the occurrences was recorded.
        let _ = note(ports, cx, &missed).await;
    }
    Ok(Notified { dedup_key })
}

/// Records what has been told as missed, so that no plan finds it again. What a run has recorded meanwhile stays.
async fn note(ports: Ports<'_>, cx: Context<'_>, missed: &Unserved) -> Result<(), TaskError> {
    for occurrence in &missed.occurrences {
        let key = Run::key(occurrence, &missed.location, &missed.instance_id);
        let stored = read::<Run>(ports.table, &key).await?;
        let told = match stored.as_ref().map(|stored| &stored.record) {
            None => Run {
                state: RunState::Missed,
                execution: String::new(),
                attempt: 0,
                began_at: cx.now,
                closed_at: Some(cx.now),
                awaits_retry: false,
                snapshots: Vec::new(),
                down_seconds: None,
            },
            Some(run) if run.awaits_retry => Run { awaits_retry: false, ..run.clone() },
            Some(_) => continue,
        };
        ports.table.write(vec![put(key, unchanged(&stored), &told)?]).await?;
    }
    Ok(())
}

/// Whether the instance is still in the hands of whoever tells of it: of the run itself, or of anyone where no run tells. What
/// cannot be read may be.
async fn is_held(ports: Ports<'_>, matter: &Matter, owner: Option<&str>) -> bool {
    let (Some(location), Some(instance_id)) = (&matter.location, &matter.instance_id) else { return true };
    match read::<Lease>(ports.table, &Lease::key(location, instance_id)).await {
        Ok(lease) => lease.is_some_and(|lease| owner.is_none_or(|owner| lease.record.owner == owner)),
        Err(_) => true,
    }
}

fn of_run(kind: Kind, document: &Document) -> (Matter, Report) {
    let run = &document.run;
    let matter = Matter::of_instance(kind, &run.location, &run.instance_id, &run.policy.id);
    let failure = match kind {
        Kind::LeftStopped => document.restart_failure().or_else(|| document.lost()),
        Kind::AlarmsSilenced => document.alarms_failure(),
        Kind::TagsIncomplete => document.failures.get("CopyTags").map(|failure| ("CopyTags", failure)),
        Kind::PruneFailed => {
            document.failures.get("PruneSnapshots").map(|failure| ("PruneSnapshots", failure))
        }
        Kind::BackupFailed
        | Kind::BackupMissed
        | Kind::BackupRefused
        | Kind::PlanFailed
        | Kind::RescueFailed => document.backup_failure(),
    };
    let (error, cause) = match failure {
        Some((_, failure)) => (failure.error.clone(), failure.in_words()),
        None => without_failure(kind, document),
    };
    let report = Report {
        occurrences: vec![run.occurrence.clone()],
        failed_state: failure.map(|(state, _)| state.to_owned()),
        error,
        cause,
        done: done(kind, document),
        execution: Some(run.execution.clone()),
        timeline: timeline::of(document),
    };
    (matter, report)
}

/// Error and cause of what is told without having failed.
fn without_failure(kind: Kind, document: &Document) -> (String, String) {
    match kind {
        Kind::TagsIncomplete => {
            let tags = document.tags.iter().map(|answer| &answer.payload);
            let count: usize = tags.clone().map(|tags| tags.dropped_count).sum();
            let dropped = tags.flat_map(|tags| &tags.dropped);
            let named = dropped.map(|(id, keys)| format!("{id} has no room for {}", keys.join(", ")));
            let named = named.collect::<Vec<_>>().join("; ");
            (ErrorName::LimitExceeded.to_string(), format!("{count} tags did not fit: {named}"))
        }
        Kind::BackupRefused => {
            let reasons = document.prepared.iter().flat_map(|answer| answer.payload.reasons.clone());
            (ErrorName::Refused.to_string(), reasons.collect::<Vec<_>>().join("; "))
        }
        _ => (String::new(), String::new()),
    }
}

fn done(kind: Kind, document: &Document) -> String {
    let instance = match (&document.confirmed, document.touched()) {
        (Some(confirmed), _) => format!("The instance runs again since {}.", confirmed.payload.at),
        (None, true) => "The instance is not known to run again yet.".to_owned(),
        (None, false) => "The instance was not touched.".to_owned(),
    };
    match kind {
        Kind::LeftStopped if document.confirmed.is_some() => instance,
        Kind::LeftStopped if !document.left_stopped() => "There is nothing left to start.".to_owned(),
        Kind::LeftStopped => {
            let deadline = document.prepared.as_ref().map(|answer| answer.payload.deadline);
            let until = deadline.map_or_else(String::new, |deadline| format!(" until {deadline}"));
            format!("stopgap goes on trying to start it{until}.")
        }
        Kind::TagsIncomplete | Kind::PruneFailed => "The backup is complete.".to_owned(),
        Kind::AlarmsSilenced
        | Kind::BackupFailed
        | Kind::BackupMissed
        | Kind::BackupRefused
        | Kind::PlanFailed
        | Kind::RescueFailed => instance,
    }
}

fn of_unserved(kind: Kind, unserved: Unserved) -> (Matter, Report) {
    let matter = Matter::of_instance(kind, &unserved.location, &unserved.instance_id, &unserved.policy);
    let (error, cause) = match &unserved.failure {
        Some(failure) => (failure.error.clone(), failure.in_words()),
        None => {
            let count = match unserved.occurrences.len() {
                1 => "an occurrence was".to_owned(),
                count => format!("{count} occurrences were"),
            };
            let cause = format!("{count} not begun within the policy's start_within");
            (ErrorName::StartWindowPassed.to_string(), cause)
        }
    };
    let (failed_state, done) = match kind {
        Kind::PruneFailed => (
            Some("PruneOrphans"),
            "No run prunes these backups: the instance is gone, or its policy does not select it. The fleet tries again at \
             the policy's next occurrence.",
        ),
        Kind::LeftStopped => (
            Some("TakeOver"),
            "The instance is without a run, and the rescuer could not take it over. It looks again within five minutes.",
        ),
        _ => (None, "The instance was not touched."),
    };
    let report = Report {
        occurrences: unserved.occurrences,
        failed_state: failed_state.map(str::to_owned),
        error,
        cause,
        done: done.to_owned(),
        execution: None,
        timeline: Vec::new(),
    };
    (matter, report)
}

fn of_fleet(kind: Kind, fleet: Fleet) -> (Matter, Report) {
    let matter = Matter { kind, location: fleet.location, instance_id: None, policy: None };
    let failure = fleet.failure.unwrap_or(Failure { error: String::new(), cause: String::new() });
    let (state, done) = match kind {
        Kind::RescueFailed => ("FindDebts", "The next look is in five minutes."),
        _ => ("PlanFleet", "Other accounts and Regions were planned; the next tick tries again."),
    };
    let report = Report {
        occurrences: Vec::new(),
        failed_state: Some(state.to_owned()),
        cause: failure.in_words(),
        error: failure.error,
        done: done.to_owned(),
        execution: Some(fleet.execution),
        timeline: Vec::new(),
    };
    (matter, report)
}
