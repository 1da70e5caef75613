//! The forecast as one HTML page that needs nothing else: no script, no network, light and dark.

use std::fmt::Write;

use stopgap_sim::forecast::{Day, Forecast};

use super::chart::{self, Series, escaped};
use super::rows;
use super::words::{assumed, dollars, grouped, lasting, minute, played, rounded};

const STYLE: &str = include_str!("page.css");

/// How many rows a long table shows.
const ROWS: usize = 400;

pub(crate) fn of(forecast: &Forecast) -> String {
    let title = format!("Forecast of {} days from {} UTC", forecast.days, minute(forecast.from));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>stopgap: {title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    let totals = &forecast.totals;
    let tiles = [
        ("a month, on average", format!("${}", dollars(totals.cost_usd_per_month.total))),
        (
            "a month, with what the end stores",
            format!("${}", dollars(totals.cost_usd_per_month_at_the_end.total)),
        ),
        ("down for a run, at most", lasting(totals.downtime_seconds_per_run.max)),
        ("runs", grouped(totals.runs)),
        ("backups missed", grouped(totals.missed)),
        ("sets kept in the end", grouped(totals.sets_kept)),
        ("GiB stored in the end", rounded(totals.stored_gib)),
        ("state transitions", grouped(totals.state_transitions)),
        ("AWS calls", grouped(totals.aws_calls_in_all)),
    ];
    page += "<dl class=\"tiles\">\n";
    for (what, value) in tiles {
        let _ = writeln!(page, "<div><dd>{value}</dd><dt>{what}</dt></div>");
    }
    page += "</dl>\n";
    let _ = writeln!(page, "<p>{}</p>", escaped(&played(forecast)));
    page += "<ul>\n";
    for note in &forecast.notes {
        let _ = writeln!(page, "<li>{}</li>", escaped(note));
    }
    page += "</ul>\n";
    page += &charts(forecast);
    page += &tables(forecast);
    page + "</body>\n</html>\n"
}

fn charts(forecast: &Forecast) -> String {
    let days = &forecast.per_day;
    let times: Vec<String> = days.iter().map(|day| day.from.strftime("%Y-%m-%d").to_string()).collect();
    let of = |value: fn(&Day) -> f64| days.iter().map(value).collect::<Vec<f64>>();
    let one = |name: &'static str, value: fn(&Day) -> f64| Series { name, values: of(value) };
    let kept: Vec<Series<'_>> = forecast
        .policies
        .iter()
        .map(|policy| {
            let kept = |day: &Day| day.sets_kept_by_policy.get(&policy.id).map_or(0.0, |sets| *sets as f64);
            Series { name: &policy.id, values: days.iter().map(kept).collect() }
        })
        .collect();
    let months: Vec<String> = forecast.months.iter().map(|month| month.month.clone()).collect();
    let cost = |name, value: fn(&stopgap_sim::forecast::Cost) -> f64| Series {
        name,
        values: forecast.months.iter().map(|month| value(&month.cost_usd)).collect(),
    };
    let costs = [
        cost("storage", |cost| cost.storage),
        cost("state transitions", |cost| cost.state_transitions),
        cost("Lambda", |cost| cost.lambda),
        cost("table and schedule", |cost| cost.requests),
    ];
    [
        chart::bars("Cost by calendar month", "$", &months, &costs),
        chart::lines("Stored at the end of each day", "GiB", &times, &[one("stored", |day| day.stored_gib)]),
        chart::lines("Sets kept at the end of each day", "sets", &times, &kept),
        chart::bars(
            "Down on each day, all instances together",
            "min",
            &times,
            &[one("down", |day| day.downtime_seconds / 60.0)],
        ),
        chart::lines(
            "The longest that an instance is down",
            "s",
            &times,
            &[one("down", |day| day.longest_downtime_seconds)],
        ),
        chart::lines(
            "Sets made and deleted on each day",
            "sets",
            &times,
            &[
                one("made", |day| day.sets_made as f64),
                one("deleted", |day| day.sets_deleted as f64),
                one("put off to the next run", |day| day.sets_deferred as f64),
            ],
        ),
        chart::bars(
            "State transitions on each day",
            "transitions",
            &times,
            &[one("transitions", |day| day.state_transitions as f64)],
        ),
    ]
    .concat()
}

fn tables(forecast: &Forecast) -> String {
    let policies = forecast.policies.iter().map(rows::policy);
    let months = forecast.months.iter().map(rows::month);
    let nights = forecast.nights.iter().map(|night| rows::night(night, |occurrences| occurrences.join(" ")));
    let deleted = forecast.deleted.iter().map(rows::deleted);
    let not = forecast.not_backed_up.iter().map(rows::not_backed_up);
    let alone = forecast.left_alone.iter().map(rows::left_alone);
    let instances = forecast.instances.iter().map(|line| {
        vec![
            line.id.clone(),
            line.name.clone().unwrap_or_default(),
            line.location.clone(),
            line.policies.join(" "),
            grouped(line.runs),
            lasting(line.downtime_seconds),
            lasting(line.longest_downtime_seconds),
            grouped(line.sets_kept),
            rounded(line.stored_gib),
            dollars(line.storage_usd_per_month_at_the_end),
        ]
    });
    let assumed = assumed(&forecast.assumptions).into_iter();
    let assumed = assumed.map(|(what, value)| vec![what.to_owned(), value]);
    let prices = forecast.prices.iter();
    let prices = prices.map(|price| vec![price.what.to_owned(), format!("${} per {}", price.usd, price.per)]);
    let priced = format!("List prices of {}, {}", forecast.price_region, forecast.prices_as_of);
    let policy_columns = [
        "policy",
        "instances",
        "runs",
        "missed",
        "down p50",
        "max",
        "together",
        "sets deleted",
        "kept",
        "GiB",
        "$ a month",
    ];
    let night_columns = [
        "tick (UTC)",
        "runs",
        "stopped",
        "first down",
        "all up",
        "over",
        "longest",
        "together",
        "occurrences",
    ];
    let instance_columns = [
        "instance",
        "name",
        "account/Region",
        "policies",
        "runs",
        "down",
        "longest",
        "sets",
        "GiB",
        "storage, $ a month",
    ];
    [
        table("Policies", &policy_columns, policies),
        table(
            "Cost by calendar month, in $",
            &["month", "days", "runs", "GiB at end", "storage", "transitions", "Lambda", "requests", "total"],
            months,
        ),
        table("Selected, but not backed up", &["instance", "policy", "why"], not),
        table("Sets that no run prunes", &["policy", "deleted", "left", "snapshots", "GiB", "why"], alone),
        table("Assumed", &["what", "value"], assumed),
        table(&priced, &["what", "price"], prices),
        format!("<p>Not in the cost: {}.</p>\n", escaped(forecast.cost_leaves_out)),
        table("Ticks with runs", &night_columns, nights),
        table("Deleted", &["day from (UTC)", "sets", "snapshots", "occurrence"], deleted),
        table("Instances", &instance_columns, instances),
    ]
    .concat()
}

fn table(title: &str, columns: &[&str], rows: impl ExactSizeIterator<Item = Vec<String>>) -> String {
    let all = rows.len();
    if all == 0 {
        return String::new();
    }
    let mut text = format!(
        "<details{}>\n<summary>{title} ({})</summary>\n",
        if all <= 24 { " open" } else { "" },
        grouped(all as u64)
    );
    text += "<div class=\"wide\"><table>\n<thead><tr>";
    for column in columns {
        let _ = write!(text, "<th>{column}</th>");
    }
    text += "</tr></thead>\n<tbody>\n";
    for row in rows.take(ROWS) {
        text += "<tr>";
        for cell in &row {
            let _ = write!(text, "<td>{}</td>", escaped(cell));
        }
        text += "</tr>\n";
    }
    text += "</tbody></table></div>\n";
    if all > ROWS {
        let _ = writeln!(text, "<p>… and {} more: --json has all.</p>", grouped((all - ROWS) as u64));
    }
    text + "</details>\n"
}
