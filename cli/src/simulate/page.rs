//! The forecast as text.

use std::fmt::Write;

use stopgap_sim::forecast::Forecast;

use super::rows;
use super::words::{assumed, dollars, grouped, lasting, minute, played, rounded};
use crate::output::{self, count, section, wrapped};

/// How many lines a long table shows; the rest is in `--json` and on the page.
const LINES: usize = 14;

pub(crate) fn of(forecast: &Forecast) -> String {
    let head = format!(
        "Forecast of {} from {} (UTC): {}, {} that a policy selects.\n\n",
        count(usize::try_from(forecast.days).unwrap_or(0), "day"),
        minute(forecast.from),
        match forecast.policies.len() {
            1 => "1 policy".to_owned(),
            n => format!("{n} policies"),
        },
        count(forecast.totals.instances, "instance"),
    );
    [
        head,
        policies(forecast),
        nights(forecast),
        deleted(forecast),
        not_backed_up(forecast),
        left_alone(forecast),
        months(forecast),
        summary(forecast),
        notes(forecast),
    ]
    .concat()
}

fn policies(forecast: &Forecast) -> String {
    let columns = [
        "POLICY",
        "INSTANCES",
        "RUNS",
        "MISSED",
        "DOWN p50",
        "MAX",
        "TOGETHER",
        "DELETED",
        "KEPT",
        "GIB",
        "$/MONTH",
    ];
    section("Policies", &columns, forecast.policies.iter().map(rows::policy).collect())
}

fn nights(forecast: &Forecast) -> String {
    let columns =
        ["AT (UTC)", "RUNS", "STOPPED", "FIRST DOWN", "ALL UP", "OVER", "LONGEST", "TOGETHER", "POLICIES"];
    let all = &forecast.nights;
    let rows = all.iter().take(LINES).map(|night| rows::night(night, names)).collect();
    cut("Ticks with runs", &columns, rows, all.len())
}

/// The policies of occurrences.
fn names(occurrences: &[String]) -> String {
    let names = occurrences.iter().map(|occurrence| occurrence.split('/').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(" ")
}

fn deleted(forecast: &Forecast) -> String {
    let all = &forecast.deleted;
    let rows = all.iter().take(LINES).map(rows::deleted).collect();
    cut("Deleted", &["DAY FROM (UTC)", "SETS", "SNAPSHOTS", "OCCURRENCE"], rows, all.len())
}

fn not_backed_up(forecast: &Forecast) -> String {
    let all = &forecast.not_backed_up;
    let rows = all.iter().take(LINES).map(rows::not_backed_up).collect();
    cut("Selected, but not backed up", &["INSTANCE", "POLICY", "WHY"], rows, all.len())
}

fn left_alone(forecast: &Forecast) -> String {
    let rows = forecast.left_alone.iter().map(rows::left_alone).collect();
    section("Sets that no run prunes", &["POLICY", "DELETED", "LEFT", "SNAPSHOTS", "GIB", "WHY"], rows)
}

fn months(forecast: &Forecast) -> String {
    let columns = [
        "MONTH",
        "DAYS",
        "RUNS",
        "GIB AT END",
        "STORAGE $",
        "TRANSITIONS $",
        "LAMBDA $",
        "REQUESTS $",
        "TOTAL $",
    ];
    section("Cost by calendar month", &columns, forecast.months.iter().map(rows::month).collect())
}

/// A table that may be longer than what is shown.
fn cut(title: &str, columns: &[&str], rows: Vec<Vec<String>>, all: usize) -> String {
    let shown = rows.len();
    let text = section(title, columns, rows);
    if all <= shown {
        return text;
    }
    let title = (format!("{title} ({shown})"), format!("{title} ({})", grouped(all as u64)));
    let text = text.replacen(&title.0, &title.1, 1);
    format!("{}\n … and {} more: --json has all\n\n", text.trim_end(), grouped((all - shown) as u64))
}

/// How wide the labels of the summary are.
const LABEL: usize = 28;

/// A value with its label before it.
fn labelled(label: &str, value: &str) -> String {
    let mut lines = wrapped(LABEL + 4, value.split_whitespace());
    lines.replace_range(..LABEL + 4, &format!("  {label:LABEL$}  "));
    lines
}

fn summary(forecast: &Forecast) -> String {
    let totals = &forecast.totals;
    let mut page = "Summary\n".to_owned();
    let mut line = |label: &str, value: &str| page += &labelled(label, value);
    let cost = totals.cost_usd_per_month;
    let down = totals.downtime_seconds_per_run;
    line(
        "runs",
        &format!(
            "{} ({} completed, {} failed); {} backups missed",
            grouped(totals.runs),
            grouped(totals.runs_completed),
            grouped(totals.runs_failed),
            grouped(totals.missed)
        ),
    );
    line(
        "down for a run",
        &format!("p50 {}, p99 {}, max {}", lasting(down.p50), lasting(down.p99), lasting(down.max)),
    );
    line("down, all together", &lasting(totals.downtime_seconds));
    line(
        "sets",
        &format!(
            "{} made, {} deleted, {} kept in the end",
            grouped(totals.sets_made),
            grouped(totals.sets_deleted),
            grouped(totals.sets_kept)
        ),
    );
    line(
        "snapshots",
        &format!(
            "{} made, {} deleted, {} kept in the end, which store {} GiB",
            grouped(totals.snapshots_made),
            grouped(totals.snapshots_deleted),
            grouped(totals.snapshots_kept),
            rounded(totals.stored_gib)
        ),
    );
    line("AWS calls", &grouped(totals.aws_calls_in_all));
    line("state transitions", &grouped(totals.state_transitions));
    let gb_seconds = rounded(totals.lambda_gb_seconds);
    line("Lambda", &format!("{} requests, {gb_seconds} GB-seconds", grouped(totals.lambda_requests)));
    line(
        "cost, in an average month",
        &format!(
            "${} (storage {}, state transitions {}, Lambda {}, table and schedule {})",
            dollars(cost.total),
            dollars(cost.storage),
            dollars(cost.state_transitions),
            dollars(cost.lambda),
            dollars(cost.requests)
        ),
    );
    line("… with what the end stores", &format!("${}", dollars(totals.cost_usd_per_month_at_the_end.total)));
    page += "\nAssumed\n";
    for (label, value) in assumed(&forecast.assumptions) {
        page += &labelled(label, &value);
    }
    let _ = writeln!(page, "\nList prices of {}, {}", forecast.price_region, forecast.prices_as_of);
    for price in &forecast.prices {
        let _ = writeln!(page, "  {:LABEL$}  ${} per {}", price.what, price.usd, price.per);
    }
    page += &wrapped(2, format!("Not in it: {}.", forecast.cost_leaves_out).split_whitespace());
    page + "\n"
}

fn notes(forecast: &Forecast) -> String {
    let mut page = "Notes\n".to_owned();
    for note in forecast.notes.iter().chain([&played(forecast)]) {
        let mut lines = wrapped(4, output::plain(note).split_whitespace());
        lines.replace_range(..4, "  - ");
        page += &lines;
    }
    page
}
