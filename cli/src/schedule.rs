//! `stopgap schedule`: when a schedule expression occurs next, and what it means in words, offline.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::json;
use stopgap_core::schedule::{Expression, Zone};

use crate::failure::BadInput;
use crate::output::{self, Format};
use crate::plan;

/// The most times that are printed: what is more than a hundred thousand is a mistake.
const COUNT_MAX: i64 = 100_000;

/// Print when a schedule expression occurs next, and say in words what it means.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// `cron(...)`, `rate(...)` or `at(...)`, as EventBridge Scheduler writes them and policies take them.
    #[arg(value_name = "EXPR")]
    expression: Expression,
    /// The IANA time zone to read it in, such as America/Chicago.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: Zone,
    /// The time to begin with, such as 2026-11-21T02:00:00Z: an occurrence just then counts. Now, if it is not given.
    #[arg(long, value_name = "RFC3339", value_parser = plan::time)]
    from: Option<Timestamp>,
    /// How many times to print, 1 to 100000; there are fewer where the expression ends.
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(i64).range(1..=COUNT_MAX))]
    count: i64,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), BadInput> {
    let Args { expression, timezone, .. } = args;
    #[expect(clippy::disallowed_methods, reason = "a person asks now")]
    let from = args.from.unwrap_or_else(Timestamp::now);
    let count = usize::try_from(args.count).unwrap_or(usize::MAX);
    let times: Vec<Timestamp> = expression.from(timezone, from).take(count).collect();
    let description = expression.describe(timezone);
    match format {
        Format::Json => {
            let times: Vec<String> = times.iter().map(|&t| local(timezone, t)).collect();
            output::print_json(&json!({ "times": times, "description": description }))?;
        }
        Format::Table => output::print_to(|out| {
            writeln!(out, "{description}.\n")?;
            for &t in &times {
                let weekday = timezone.rules().to_datetime(t).strftime("%a");
                writeln!(out, " {}  {weekday}", local(timezone, t))?;
            }
            match times.len() {
                0 => writeln!(out, " no time from {} on", local(timezone, from)),
                n if n < count => writeln!(out, " and none after that"),
                _ => Ok(()),
            }
        }),
    }
    Ok(())
}

/// In RFC 3339, with the offset that clocks in `zone` have then.
fn local(zone: &Zone, t: Timestamp) -> String {
    // RFC 3339 has no seconds in an offset. Of the zones since 1970 one had some: Africa/Monrovia, until 1972.
    let seconds = zone.rules().to_offset(t).seconds();
    let whole = Offset::from_seconds(seconds - seconds % 60).unwrap_or(Offset::UTC);
    t.display_with_offset(whole).to_string()
}
