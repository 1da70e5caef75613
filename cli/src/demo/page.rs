//! The page of a night: a line a run, the tickets, a summary. No line of it is wider than [`output::WIDTH`](crate::output::WIDTH).

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use owo_colors::OwoColorize;
use stopgap_core::ticket::{Severity, Status};
use stopgap_sim::aws::Down;
use stopgap_sim::night::{Outcome, Report, RunLine, Spread, Summary, TicketLine};

use crate::output::{count, wrapped};

/// How many runs are shown; of a larger fleet, those that did not go well come first.
const LINES: usize = 60;

/// How wide the time bar of the longest time down is; each of its three parts is at least one wide.
const BAR: usize = 16;

/// How wide the times beside the bar are.
const TIMES: usize = 29;

pub(crate) fn of(report: &Report) -> String {
    let summary = &report.summary;
    let head = format!(
        "One simulated night: {} in us-east-1 and eu-west-1, seed {}.\n\
         The state machines and the tasks are the real ones; AWS and the clock are simulated.\n\n",
        count(summary.instances, "instance"),
        summary.seed
    );
    [head, runs(&report.runs), tickets(&summary.tickets), numbers(summary)].concat()
}

fn runs(runs: &[RunLine]) -> String {
    let mut page = format!(
        "Runs ({})   {} stopping  {} snapshotting  {} starting\n",
        runs.len(),
        "▒".blue(),
        "█".yellow(),
        "░".green()
    );
    let longest = runs.iter().filter_map(|run| run.down?.length()).max().unwrap_or_default();
    let (well, ill): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.outcome == Outcome::Completed);
    let hidden = (ill.len().saturating_sub(LINES), runs.len().saturating_sub(LINES));
    let mut shown: Vec<&RunLine> = ill.into_iter().chain(well).take(LINES).collect();
    shown.sort_by_key(|run| (began(run), &run.name, &run.instance_id));
    let widest = |of: fn(&RunLine) -> &str, least: usize| {
        shown.iter().map(|run| of(run).chars().count()).max().unwrap_or(0).max(least)
    };
    let (name, policy) = (widest(|run| &run.name, 8), widest(|run| &run.policy, 6));
    if !shown.is_empty() {
        let (bar, times) = (BAR + 2, TIMES);
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "  {:8}  {:name$}  {:policy$}  {:bar$}  {:times$}  OUTCOME",
            "UTC", "INSTANCE", "POLICY", "DOWN", "SECONDS DOWN"
        );
    }
    for run in &shown {
        let _ = writeln!(
            page,
            "  {}  {:name$}  {:policy$}  {}  {:TIMES$}  {}",
            began(run).strftime("%H:%M:%S"),
            run.name,
            run.policy,
            bar(run.down, longest),
            times(run.down),
            outcome(run),
        );
    }
    match hidden {
        (_, 0) => {}
        (0, more) => page += &format!("  … and {more} more, all completed\n"),
        (ill, more) => page += &format!("  … and {more} more, {ill} of them not completed\n"),
    }
    page + "\n"
}

/// When the instance went down for the run, or, if it did not, from when the run might begin.
fn began(run: &RunLine) -> Timestamp {
    run.down.map_or(run.started, |down| down.from)
}

fn bar(down: Option<Down>, longest: SignedDuration) -> String {
    let width = BAR + 2;
    let Some(down) = down else { return " ".repeat(width) };
    let Some((stopping, snapshotting, starting)) = phases(down) else {
        return format!("{:width$}", "▒▒▒ …").blue().to_string();
    };
    let cells = |duration: SignedDuration| {
        let share = duration.as_secs_f64() / longest.as_secs_f64().max(1.0) * BAR as f64;
        (1..BAR).find(|cells| share < *cells as f64 + 0.5).unwrap_or(BAR)
    };
    let (a, b, c) = (cells(stopping), cells(snapshotting), cells(starting));
    let rest = " ".repeat(width.saturating_sub(a + b + c));
    format!("{}{}{}{rest}", "▒".repeat(a).blue(), "█".repeat(b).yellow(), "░".repeat(c).green())
}

/// Stopping, stopped, starting.
fn phases(down: Down) -> Option<(SignedDuration, SignedDuration, SignedDuration)> {
    let (stopped, starting, until) = (down.stopped?, down.starting?, down.until?);
    Some((
        stopped.duration_since(down.from),
        starting.duration_since(stopped),
        until.duration_since(starting),
    ))
}

/// The three parts of the time down and their sum, in seconds with one decimal; the parts add up to it.
fn times(down: Option<Down>) -> String {
    let Some(down) = down else { return "not stopped".to_owned() };
    let (Some(stopped), Some(starting), Some(until)) = (down.stopped, down.starting, down.until) else {
        return format!("since {}", down.from.strftime("%H:%M:%S"));
    };
    let tenths = |time: Timestamp| (time.duration_since(down.from).as_millis() + 50) / 100;
    let (a, b, c) = (tenths(stopped), tenths(starting), tenths(until));
    let seconds = |tenths: i128| format!("{}.{}", tenths / 10, tenths % 10);
    format!("{:>5} + {:>5} + {:>4} = {:>6}", seconds(a), seconds(b - a), seconds(c - b), seconds(c))
}

fn outcome(run: &RunLine) -> String {
    let attempt = if run.attempt > 1 { format!(", attempt {}", run.attempt) } else { String::new() };
    let text = match (run.outcome, run.down.is_some()) {
        (Outcome::Completed, _) => format!("completed{attempt}"),
        (Outcome::AlreadyDone, _) => "already done".to_owned(),
        (Outcome::InProgress, _) => "made by another run".to_owned(),
        (Outcome::Skipped, _) => "refused".to_owned(),
        (Outcome::Running, _) => "goes on".to_owned(),
        (Outcome::Failed, true) => format!("failed, restarted{attempt}"),
        (Outcome::Failed, false) => format!("failed{attempt}"),
        (Outcome::Missed, _) => "missed".to_owned(),
        (Outcome::LeftStopped, _) => "LEFT STOPPED, retrying".to_owned(),
    };
    match run.outcome {
        Outcome::Completed => text.green().to_string(),
        Outcome::AlreadyDone | Outcome::InProgress => text,
        Outcome::Skipped | Outcome::Running => text.yellow().to_string(),
        Outcome::Failed | Outcome::Missed => text.red().to_string(),
        Outcome::LeftStopped => text.red().bold().to_string(),
    }
}

fn tickets(tickets: &[TicketLine]) -> String {
    let mut page = format!("Tickets ({})\n", tickets.len());
    for ticket in tickets {
        let severity = ticket.severity.as_str().to_uppercase();
        let severity = match ticket.severity {
            Severity::Critical => format!("{severity:<8}").red().bold().to_string(),
            Severity::Error => format!("{severity:<8}").red().to_string(),
            Severity::Warning => format!("{severity:<8}").yellow().to_string(),
        };
        let status = match ticket.status {
            Status::Open => "open since",
            Status::Resolved => "resolved; opened at",
        };
        let about = match &ticket.instance_id {
            Some(id) => who(&ticket.name, id),
            None => "the fleet".to_owned(),
        };
        let opened = ticket.opened_at.strftime("%H:%M:%S UTC");
        let _ = writeln!(page, "  {severity}  {:<14}  {about}, {status} {opened}", ticket.kind.as_str());
        page += &wrapped(12, ticket.cause.split_whitespace());
    }
    if tickets.is_empty() {
        page += "  none\n";
    }
    page + "\n"
}

/// An instance by its name, if it has one, and its id.
fn who(name: &str, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { format!("{name} ({id})") }
}

fn numbers(summary: &Summary) -> String {
    const LABEL: usize = 24;
    let mut page = "Summary\n".to_owned();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(page, "  {label:LABEL$}  {value}");
    };
    let spread = |spread: Spread| {
        if spread == Spread::default() {
            return "nothing was stopped and started".to_owned();
        }
        format!("p50 {:5.1} s   p99 {:5.1} s   max {:5.1} s", spread.p50, spread.p99, spread.max)
    };
    let outcomes: Vec<String> = summary
        .runs
        .iter()
        .map(|(outcome, n)| {
            let name = serde_json::to_value(outcome).ok();
            format!("{n} {}", name.as_ref().and_then(|name| name.as_str()).unwrap_or_default())
        })
        .collect();
    line("instances selected", &format!("{} of {}", summary.selected, summary.instances));
    line("runs", &if outcomes.is_empty() { "none".to_owned() } else { outcomes.join(", ") });
    line("snapshots made", &summary.snapshots.to_string());
    line("down, and up again", &spread(summary.downtime_seconds));
    line("… beyond EC2's own time", &spread(summary.overhead_seconds));
    let left = summary.left_stopped_without_ticket;
    let left = if left == 0 { left.green().to_string() } else { left.red().bold().to_string() };
    line("left stopped, no ticket", &left);
    line("AWS calls", &summary.aws_calls.values().sum::<u64>().to_string());
    line("state transitions", &summary.state_transitions.to_string());
    let (hours, minutes) = (summary.virtual_seconds / 3_600, summary.virtual_seconds / 60 % 60);
    line("virtual time", &format!("{hours} h {minutes} min"));
    let failing: Vec<String> = summary
        .expected_failures
        .iter()
        .map(|e| format!("{}: {}", who(&e.name, &e.instance_id), e.fault))
        .collect();
    if failing.is_empty() {
        line("made to fail", "none");
    }
    for (n, failing) in failing.iter().enumerate() {
        line(if n == 0 { "made to fail" } else { "" }, failing);
    }
    page
}
