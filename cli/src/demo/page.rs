//! The page of a night: a line a run, the tickets, a summary.

use std::fmt::Write;

use jiff::SignedDuration;
use owo_colors::OwoColorize;
use stopgap_core::ticket::{Severity, Status};
use stopgap_sim::aws::Down;
use stopgap_sim::night::{Outcome, Report, RunLine, Spread, Summary, TicketLine};

/// How many runs are shown; of a larger fleet, those that did not go well come first.
const LINES: usize = 60;

/// How wide the time bar of the longest time down is.
const BAR: i64 = 24;

pub(crate) fn of(report: &Report) -> String {
    let mut page = String::new();
    let summary = &report.summary;
    // Writing to a string does not fail.
    let _ = writeln!(
        page,
        "One simulated night: {} instances in us-east-1 and eu-west-1, seed {}.\n\
         Every state and every task is the real one; AWS and the clock are not.\n",
        summary.instances, summary.seed
    );
    page += &runs(&report.runs);
    page += &tickets(&summary.tickets);
    page += &numbers(summary);
    page
}

fn runs(runs: &[RunLine]) -> String {
    let mut page = format!(
        "Runs ({})   {} stopping  {} copying  {} starting\n",
        runs.len(),
        "▒".blue(),
        "█".yellow(),
        "░".green()
    );
    let longest = runs.iter().filter_map(|run| run.down?.length()).max().unwrap_or_default().as_secs().max(1);
    let (well, ill): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.outcome == Outcome::Completed);
    let mut shown: Vec<&RunLine> = ill.into_iter().chain(well).take(LINES).collect();
    shown.sort_by_key(|run| (run.started, &run.name, &run.instance_id));
    let name = shown.iter().map(|run| run.name.len()).max().unwrap_or(0);
    let policy = shown.iter().map(|run| run.policy.len()).max().unwrap_or(0);
    for run in &shown {
        let _ = writeln!(
            page,
            "  {} {:name$}  {:policy$}  {} {}  {}",
            run.started.strftime("%H:%M:%S"),
            run.name,
            run.policy,
            bar(run.down, longest),
            times(run),
            outcome(run.outcome),
        );
    }
    if runs.len() > shown.len() {
        let _ = writeln!(page, "  … and {} more, all completed", runs.len() - shown.len());
    }
    page + "\n"
}

fn bar(down: Option<Down>, longest: i64) -> String {
    let cells = |duration: SignedDuration| {
        let cells = (duration.as_secs() * BAR + longest / 2) / longest;
        usize::try_from(cells.clamp(1, BAR)).unwrap_or(1)
    };
    let Some((stopping, copying, starting)) = down.and_then(phases) else {
        return format!(
            "{:width$}",
            down.map_or("", |_| "▒▒▒ …"),
            width = usize::try_from(BAR).unwrap_or(24) + 2
        );
    };
    let (a, b, c) = (cells(stopping), cells(copying), cells(starting));
    let rest = (usize::try_from(BAR).unwrap_or(24) + 2).saturating_sub(a + b + c);
    format!("{}{}{}{}", "▒".repeat(a).blue(), "█".repeat(b).yellow(), "░".repeat(c).green(), " ".repeat(rest))
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

fn times(run: &RunLine) -> String {
    let text = match (run.down, run.down.and_then(phases)) {
        (None, _) => "not stopped".to_owned(),
        (Some(_), None) => "down".to_owned(),
        (Some(down), Some((stopping, copying, starting))) => {
            let total = down.length().unwrap_or_default().as_secs();
            let [a, b, c] = [stopping, copying, starting].map(|phase| phase.as_secs());
            format!("{a:>3} + {b:>2} + {c:>2} s, down {total:>3} s")
        }
    };
    format!("{text:<27}")
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Completed => "completed".green().to_string(),
        Outcome::AlreadyDone => "already done".to_owned(),
        Outcome::InProgress => "made by another run".to_owned(),
        Outcome::Skipped => "refused".yellow().to_string(),
        Outcome::Running => "goes on".yellow().to_string(),
        Outcome::Failed => "failed, instance as before".red().to_string(),
        Outcome::Missed => "missed".red().to_string(),
        Outcome::LeftStopped => "LEFT STOPPED, still trying".red().bold().to_string(),
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
            Status::Resolved => "resolved, opened at",
        };
        let _ = writeln!(
            page,
            "  {severity} {:<14} {}  {status} {}\n           {}",
            ticket.kind.as_str(),
            ticket.instance_id.as_deref().unwrap_or("fleet"),
            ticket.opened_at.strftime("%H:%M:%S UTC"),
            ticket.cause,
        );
    }
    if tickets.is_empty() {
        page += "  none\n";
    }
    page + "\n"
}

fn numbers(summary: &Summary) -> String {
    let outcomes: Vec<String> = summary
        .runs
        .iter()
        .map(|(outcome, n)| {
            let name = serde_json::to_value(outcome).ok();
            format!("{n} {}", name.as_ref().and_then(|name| name.as_str()).unwrap_or_default())
        })
        .collect();
    let spread = |spread: Spread| format!("p50 {} s, p99 {} s, max {} s", spread.p50, spread.p99, spread.max);
    let left = summary.left_stopped_without_ticket;
    let left = if left == 0 { left.green().to_string() } else { left.red().bold().to_string() };
    let calls: u64 = summary.aws_calls.values().sum();
    let failing: Vec<String> =
        summary.expected_failures.iter().map(|e| format!("{} ({})", e.instance_id, e.fault)).collect();
    let failing = if failing.is_empty() { "none".to_owned() } else { failing.join(", ") };
    let hours = summary.virtual_seconds / 3_600;
    let minutes = summary.virtual_seconds / 60 % 60;
    format!(
        "Summary\n  \
           selected        {} of {} instances\n  \
           runs            {}\n  \
           snapshots made  {}\n  \
           down            {}\n  \
           beyond EC2's    {}   (down longer than EC2 takes to stop and start)\n  \
           left stopped without a ticket: {left}\n  \
           made to fail    {failing}\n  \
           AWS calls       {calls}; state transitions {}; {hours} h {minutes} min of virtual time\n",
        summary.selected,
        summary.instances,
        outcomes.join(", "),
        summary.snapshots,
        spread(summary.downtime_seconds),
        spread(summary.overhead_seconds),
        summary.state_transitions,
    )
}
