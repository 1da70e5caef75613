//! `stopgap demo`: one night over a simulated fleet.

mod page;

use std::io::{IsTerminal, stderr};

use clap::Parser;
use indicatif::ProgressBar;
use serde_json::json;
use stopgap_sim::aws::{FaultName, Scope};
use stopgap_sim::night::{Night, Options, Progress};

use crate::output::{self, Format};
use crate::{BadInput, progress};

/// Simulate one night over a fleet: the real state machines and the real task code on a simulated AWS.
#[derive(Parser)]
pub(crate) struct Args {
    /// How many instances there are, over two Regions.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    instances: u32,
    /// Where all chance comes from: the same seed, the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What goes wrong besides the three failures that every night of 12 instances and more has; repeatable. `--fault list`
    /// prints the names.
    #[arg(long, value_name = "NAME")]
    fault: Vec<String>,
}

pub(crate) fn run(args: Args, format: Format) -> Result<(), BadInput> {
    if args.fault.iter().any(|name| name == "list") {
        return list(format);
    }
    let parsed: Vec<Result<FaultName, String>> = args.fault.iter().map(|name| name.parse()).collect();
    let wrong: Vec<String> =
        parsed.iter().filter_map(|fault| fault.as_ref().err()).map(|why| format!("--fault: {why}")).collect();
    if !wrong.is_empty() {
        return Err(BadInput(wrong));
    }
    let options = Options {
        instances: usize::try_from(args.instances).unwrap_or(usize::MAX),
        seed: args.seed,
        faults: parsed.into_iter().flatten().collect(),
    };
    let night = Night::new(options).map_err(BadInput::one)?;
    let bar = Bar::new();
    let report = night.run(|progress| bar.show(progress));
    bar.finish();
    if format == Format::Json {
        return output::print_json(&report.summary);
    }
    output::print(&page::of(&report));
    Ok(())
}

/// The faults: a line each, the name first.
fn list(format: Format) -> Result<(), BadInput> {
    let befalls = |fault: &FaultName| match fault.scope() {
        Scope::Instance => "one instance",
        Scope::Everything => "everything",
    };
    if format == Format::Json {
        let fault = |fault: &FaultName| json!({"name": fault.as_str(), "befalls": befalls(fault), "description": fault.description()});
        return output::print_json(&FaultName::ALL.iter().map(fault).collect::<Vec<_>>());
    }
    let width = FaultName::ALL.iter().map(|fault| fault.as_str().len()).max().unwrap_or(0);
    let line = |fault: &FaultName| {
        format!("{:width$}  {:12}  {}\n", fault.as_str(), befalls(fault), fault.description())
    };
    output::print(&FaultName::ALL.iter().map(line).collect::<String>());
    Ok(())
}

/// Progress: a bar on a terminal, a line now and then elsewhere. On stderr, so that stdout has the result alone.
struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    fn new() -> Self {
        let bar = stderr().is_terminal().then(|| progress::bar("{wide_msg}"));
        bar.iter().for_each(|bar| bar.set_length(1_000));
        Self { bar }
    }

    fn show(&self, progress: Progress) {
        let time = progress.now.strftime("%H:%M UTC");
        let Progress { begun, ended, down, messages, .. } = progress;
        let says =
            format!("{time}  {begun} runs begun, {ended} ended, {down} down, {messages} ticket messages");
        match &self.bar {
            Some(bar) => {
                bar.set_position(progress.permille);
                bar.set_message(says);
            }
            None if progress.now.as_second() % 3_600 == 0 => eprintln!("{says}"),
            None => {}
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
