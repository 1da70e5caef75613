//! `stopgap simulate`: the calendar run forward over what the AWS CLI saved, offline.

mod chart;
mod html;
mod page;
mod rows;
mod words;

use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::time::Duration;

use indicatif::ProgressBar;
use jiff::Timestamp;
use stopgap_core::span::Span;
use stopgap_sim::forecast::{Assumptions, DAYS_MAX, Progress, Question, forecast};

use crate::failure::{BadInput, Failure};
use crate::output::{self, Format};
use crate::{plan, policy, progress};

/// Run the calendar forward: what runs when, how long instances are down, what is deleted and kept, and what it costs.
///
/// Offline, from saved descriptions. Each kind of run is played once, on the engine with the shipped state machines and the
/// real tasks; plans and retention are the real ones, tick by tick. Nothing fails in a forecast. docs/forecast.md says how
/// it is made and what --json prints.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The policies: one, an array, or `{"defaults": {...}, "policies": [...]}`. `-` reads stdin.
    #[arg(long, value_name = "FILE")]
    policies: String,
    /// A folder with `instances.json`, `volumes.json` and `snapshots.json`: the output of
    /// `aws ec2 describe-instances`, `describe-volumes` and `describe-snapshots --owner-ids self`. The sets among the
    /// snapshots are what retention begins with.
    #[arg(long, value_name = "DIR")]
    inventory: PathBuf,
    /// How many days, each of 24 hours from --from on.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
    days: u32,
    /// When it begins, such as 2026-11-21T00:00:00Z; now if it is left out.
    #[arg(long, value_name = "RFC3339", value_parser = plan::time)]
    from: Option<Timestamp>,
    /// Write a page with charts, too: one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE.html")]
    page: Option<PathBuf>,
    /// How much of a volume's data changes in a day, in percent.
    #[arg(long, value_name = "PERCENT_PER_DAY", default_value_t = 3.0, value_parser = percent)]
    change_rate: f64,
    /// How much of a volume's size is data, in percent: the first snapshot of each volume stores that.
    #[arg(long, value_name = "PERCENT", default_value_t = 60.0, value_parser = percent)]
    fill: f64,
    /// The size of a volume of which the folder does not tell.
    #[arg(long, value_name = "GIB", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=65_536))]
    volume_size: u64,
    /// How long EC2 takes to stop an instance, such as 45s; 46.5 seconds if it is left out.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    stop_takes: Option<Duration>,
    /// How long EC2 takes from a start to `running`; 18.5 seconds if it is left out.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    start_takes: Option<Duration>,
    /// How long snapshots take to complete; 5 minutes if it is left out.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    snapshots_take: Option<Duration>,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok().filter(|n| (0.0..=100.0).contains(n));
    number.ok_or_else(|| "write a percentage from 0 to 100, such as 3 or 0.5".to_owned())
}

/// A day at most: a run has five in all.
fn duration(text: &str) -> Result<Duration, String> {
    let span: Span = text.parse().map_err(|error: stopgap_core::span::SpanError| error.to_string())?;
    let exact = span.exact().and_then(|exact| Duration::try_from(exact).ok());
    exact.filter(|d| *d <= Duration::from_secs(86_400)).ok_or_else(|| "it must be 24h or less".to_owned())
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let (inventory, policies) = match (plan::load_whole(&args.inventory), policy::load(&args.policies)) {
        (Ok(inventory), Ok(policies)) => (inventory, policies),
        // The mistakes of both, so that one run tells them all.
        (inventory, policies) => {
            let of_inventory = inventory.err().map_or_else(Vec::new, |BadInput(messages)| messages);
            let of_policies = policies.err().map_or_else(Vec::new, |BadInput(messages)| messages);
            return Err(BadInput([of_inventory, of_policies].concat()).into());
        }
    };
    let usual = Assumptions::default();
    let question = Question {
        policies,
        inventory,
        from: args.from.unwrap_or_else(now),
        days: args.days,
        assumptions: Assumptions {
            stop: args.stop_takes.unwrap_or(usual.stop),
            start: args.start_takes.unwrap_or(usual.start),
            snapshots: args.snapshots_take.unwrap_or(usual.snapshots),
            fill_percent: args.fill,
            change_percent_per_day: args.change_rate,
            unknown_volume_gib: args.volume_size,
            ..usual
        },
    };
    let bar = stderr().is_terminal().then(|| progress::bar("{wide_msg}"));
    let told = forecast(question, |progress| {
        if let Some(bar) = &bar {
            show(bar, progress);
        }
    });
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let forecast = told.map_err(BadInput::one)?;
    if let Some(file) = &args.page {
        fs::write(file, html::of(&forecast))
            .map_err(|error| Failure::one(format!("{}: {error}", file.display())))?;
    }
    if format == Format::Json {
        return Ok(output::print_json(&forecast)?);
    }
    output::print(&page::of(&forecast));
    Ok(())
}

/// This second, by the clock of whoever asks.
#[expect(clippy::disallowed_methods, reason = "the command line is where the clock is read")]
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(u64::from(progress.of));
    bar.set_position(u64::from(progress.days));
    bar.set_message(format!(
        "day {} of {}, {} runs played",
        progress.days, progress.of, progress.runs_played
    ));
}
