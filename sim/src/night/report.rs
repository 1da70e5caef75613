//! What a night came to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use stopgap_core::error::ErrorName;
use stopgap_core::inventory::InstanceState;
use stopgap_core::ticket;

use super::{Night, policies, ran_before};
use crate::aws::Down;
use crate::stepfunctions::{Execution, Status};

/// Everything a person or a program may want to know.
#[derive(Clone, Debug)]
pub struct Report {
    /// The runs, in the order in which they were begun.
    pub runs: Vec<RunLine>,
    /// The numbers.
    pub summary: Summary,
}

/// A run.
#[derive(Clone, Debug)]
pub struct RunLine {
    /// When it was begun.
    pub started: Timestamp,
    /// The instance.
    pub instance_id: String,
    /// Its tag `Name`.
    pub name: String,
    /// The policy.
    pub policy: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The time that the instance was down for it.
    pub down: Option<Down>,
    /// Why it failed.
    pub cause: String,
}

/// How a run ended, or stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The backup is complete, the instance as before.
    Completed,
    /// The occurrence had a complete backup already.
    AlreadyDone,
    /// Another run made it.
    InProgress,
    /// It was refused, with a ticket.
    Skipped,
    /// There is no backup; the instance is as before.
    Failed,
    /// It could not begin in time.
    Missed,
    /// The instance does not run again yet; the run goes on trying.
    LeftStopped,
    /// It goes on.
    Running,
}

/// The numbers, as `--json` prints them. Durations are in seconds.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Where all chance came from.
    pub seed: u64,
    /// How many instances there were.
    pub instances: usize,
    /// How many of them a policy selected.
    pub selected: usize,
    /// How many runs ended how.
    pub runs: BTreeMap<Outcome, usize>,
    /// How many snapshots were made.
    pub snapshots: usize,
    /// The tickets, by dedup key.
    pub tickets: Vec<TicketLine>,
    /// Instances that ran before, do not run now, and have no open critical ticket. The promise is 0.
    pub left_stopped_without_ticket: usize,
    /// Who was made to fail.
    pub expected_failures: Vec<ExpectedFailure>,
    /// How long instances were down.
    pub downtime_seconds: Spread,
    /// How much longer that was than EC2 takes to stop and start them.
    pub overhead_seconds: Spread,
    /// How often each operation of AWS was called.
    pub aws_calls: BTreeMap<&'static str, u64>,
    /// State transitions of the Standard machines, as AWS bills them.
    pub state_transitions: u64,
    /// How long the night was.
    pub virtual_seconds: i64,
}

/// A ticket.
#[derive(Clone, Debug, Serialize)]
pub struct TicketLine {
    /// What kind of trouble.
    pub kind: ticket::Kind,
    /// How urgent.
    pub severity: ticket::Severity,
    /// The instance, if it is about one.
    pub instance_id: Option<String>,
    /// What makes it one ticket.
    pub dedup_key: String,
    /// Whether it is open.
    pub status: ticket::Status,
    /// When it was opened.
    #[serde(skip)]
    pub opened_at: Timestamp,
    /// Why.
    #[serde(skip)]
    pub cause: String,
}

/// An instance that was made to fail.
#[derive(Clone, Debug, Serialize)]
pub struct ExpectedFailure {
    /// The instance.
    pub instance_id: String,
    /// How.
    pub fault: &'static str,
}

/// How a measure is spread. All 0 where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Half of all are at most this.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// None is more than this.
    pub max: f64,
}

impl Spread {
    /// Of these durations, by nearest rank, in seconds with one decimal.
    pub fn of(durations: impl IntoIterator<Item = SignedDuration>) -> Self {
        let mut sorted: Vec<i128> = durations.into_iter().map(|duration| duration.as_millis()).collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
            let tenths = sorted.get(rank).map_or(0, |milliseconds| (milliseconds + 50) / 100);
            f64::from(i32::try_from(tenths).unwrap_or(i32::MAX)) / 10.0
        };
        Self { p50: at(50), p99: at(99), max: at(100) }
    }
}

pub(super) fn of(night: &Night) -> Report {
    let tickets = tickets(night);
    let runs = runs(night, &tickets);
    let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
    for run in &runs {
        *outcomes.entry(run.outcome).or_default() += 1;
    }
    let selectors = policies().unwrap_or_default();
    let summary = night.stopgap.aws.look(|world| {
        let downs: Vec<Down> = world.machines().flat_map(|machine| machine.downs.iter().copied()).collect();
        let selected = world
            .machines()
            .filter(|machine| selectors.iter().any(|policy| policy.selects(&machine.instance).is_selected()));
        let open: BTreeSet<&str> = tickets
            .iter()
            .filter(|t| t.kind == ticket::Kind::LeftStopped && t.status == ticket::Status::Open)
            .filter_map(|ticket| ticket.instance_id.as_deref())
            .collect();
        let left_stopped = world.machines().filter(|machine| {
            let down = machine.instance.state != InstanceState::Running;
            ran_before(machine) && down && !open.contains(machine.instance.id.as_str())
        });
        Summary {
            seed: night.options.seed,
            instances: night.options.instances,
            selected: selected.count(),
            runs: outcomes,
            snapshots: world.snapshots().filter(|snapshot| snapshot.started_at >= night.first).count(),
            left_stopped_without_ticket: left_stopped.count(),
            expected_failures: expected(night),
            downtime_seconds: Spread::of(downs.iter().filter_map(Down::length)),
            overhead_seconds: Spread::of(downs.iter().filter_map(Down::overhead)),
            aws_calls: world.calls.clone(),
            state_transitions: night.stopgap.step_functions.transitions(),
            virtual_seconds: night.last.duration_since(night.first).as_secs(),
            tickets,
        }
    });
    Report { runs, summary }
}

fn expected(night: &Night) -> Vec<ExpectedFailure> {
    let mut expected: Vec<ExpectedFailure> = night
        .victims
        .iter()
        .map(|victim| ExpectedFailure {
            instance_id: victim.instance_id.clone(),
            fault: victim.fault.as_str(),
        })
        .collect();
    expected.sort_by(|a, b| (&a.instance_id, a.fault).cmp(&(&b.instance_id, b.fault)));
    expected
}

fn tickets(night: &Night) -> Vec<TicketLine> {
    night.stopgap.aws.look(|world| {
        let records = world.table.iter().filter(|(key, _)| key.partition == ticket::Record::PARTITION);
        let line = |body: &Value| {
            let record: ticket::Record = serde_json::from_value(body.clone()).ok()?;
            Some(TicketLine {
                kind: record.matter.kind,
                severity: record.matter.kind.severity(),
                instance_id: record.matter.instance_id.clone(),
                dedup_key: record.matter.dedup_key(),
                status: record.status,
                opened_at: record.opened_at,
                cause: record.report.cause,
            })
        };
        records.filter_map(|(_, (_, body))| line(body)).collect()
    })
}

fn runs(night: &Night, tickets: &[TicketLine]) -> Vec<RunLine> {
    let mut lines: Vec<RunLine> = night
        .stopgap
        .step_functions
        .executions()
        .iter()
        .filter(|execution| execution.machine_arn == night.stopgap.instance)
        .map(|execution| run(night, execution, tickets))
        .collect();
    lines.sort_by(|a, b| (a.started, &a.name, &a.instance_id).cmp(&(b.started, &b.name, &b.instance_id)));
    lines
}

fn run(night: &Night, execution: &Execution, tickets: &[TicketLine]) -> RunLine {
    let text = |key: &str| execution.input[key].as_str().unwrap_or_default().to_owned();
    let instance_id = text("instance_id");
    let started = execution.input["start_at"].as_str().and_then(|at| at.parse().ok());
    let ended = execution.stopped.unwrap_or(night.last);
    let started = started.unwrap_or(execution.started);
    let (name, down) = night.stopgap.aws.look(|world| {
        let machine = world.machine(&instance_id);
        let name = machine.and_then(|machine| machine.instance.name()).unwrap_or_default().to_owned();
        let mut downs = machine.into_iter().flat_map(|machine| &machine.downs);
        (name, downs.find(|down| started <= down.from && down.from <= ended).copied())
    });
    RunLine {
        started,
        name,
        policy: text("policy"),
        outcome: outcome(execution, &instance_id, tickets),
        down,
        cause: execution.cause.clone().unwrap_or_default(),
        instance_id,
    }
}

fn outcome(execution: &Execution, instance_id: &str, tickets: &[TicketLine]) -> Outcome {
    let is_left_stopped = |ticket: &TicketLine| {
        ticket.kind == ticket::Kind::LeftStopped
            && ticket.status == ticket::Status::Open
            && ticket.instance_id.as_deref() == Some(instance_id)
    };
    let output = execution.output.as_ref();
    match execution.status {
        Status::Running if tickets.iter().any(is_left_stopped) => Outcome::LeftStopped,
        Status::Running => Outcome::Running,
        Status::Succeeded => match output.map(|output| &output["closed"]["Payload"]["ok"]) {
            Some(Value::Bool(true)) => Outcome::Completed,
            Some(Value::Bool(false)) => Outcome::Skipped,
            _ => match output.and_then(|output| output["prepared"]["Payload"]["outcome"].as_str()) {
                Some("in-progress") => Outcome::InProgress,
                _ => Outcome::AlreadyDone,
            },
        },
        _ if execution.error.as_deref() == Some(ErrorName::StartWindowPassed.as_str()) => Outcome::Missed,
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_by_nearest_rank() {
        let spread = Spread::of((1..=200).map(SignedDuration::from_secs));
        assert_eq!(spread, Spread { p50: 100.0, p99: 198.0, max: 200.0 });
        assert_eq!(Spread::of([]), Spread::default());
        assert_eq!(Spread::of([SignedDuration::from_millis(1_250)]), Spread { p50: 1.3, p99: 1.3, max: 1.3 });
    }
}
