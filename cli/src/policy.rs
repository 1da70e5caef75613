//! `stopgap policy`: what can be said of policies without an account, and with one, the policies in its table.

mod export;
mod import;

use std::fs;
use std::io::{self, Read};

use clap::Subcommand;
use serde_json::json;
use stopgap_core::describe;
use stopgap_core::policy::{self, Policy, PolicyErrors, PolicyIssue};

use crate::failure::{BadInput, Failure};
use crate::output::{self, Format};
#[cfg(feature = "aws")]
use crate::{aws::Options, live};

/// The arguments of `stopgap policy`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a policy file and report every mistake in it.
    ///
    /// With --json: `{"policies": [ids], "errors": [{"at", "message"}]}`.
    Check {
        /// The file: one policy, an array, or `{"defaults": {...}, "policies": [...]}`. `-` reads stdin.
        file: String,
        /// Show what each policy would match and do now, beside the ones that are stored; stores nothing.
        #[cfg(feature = "aws")]
        #[arg(long)]
        live: bool,
    },
    /// Print the JSON Schema of a policy file.
    Schema,
    /// Turn what another tool was configured to do into policies.
    #[command(subcommand)]
    Import(import::Command),
    /// Write policies as those of an AWS service that does the same.
    #[command(subcommand)]
    Export(export::Command),
    #[cfg(feature = "aws")]
    #[command(flatten)]
    Stored(live::policies::Command),
}

#[cfg(not(feature = "aws"))]
pub(crate) fn run(args: Args, format: Format) -> Result<(), Failure> {
    match args.command {
        Command::Check { file } => Ok(check(&file, format).map(|_| ())?),
        Command::Schema => Ok(output::print_json(&policy::schema())?),
        Command::Import(command) => import::run(&command, format),
        Command::Export(command) => export::run(&command, format),
    }
}

#[cfg(feature = "aws")]
pub(crate) fn run(args: Args, format: Format, options: &Options) -> Result<(), Failure> {
    match args.command {
        Command::Check { file, live: false } => check(&file, format).map(|_| ()).map_err(Failure::from),
        Command::Check { file, live: true } => {
            let policies = match format {
                Format::Table => check(&file, format)?,
                // One document: the plan.
                Format::Json => load(&file)?,
            };
            options.connected(async |stopgap| live::plan::check(stopgap, &policies, format).await)
        }
        Command::Schema => Ok(output::print_json(&policy::schema())?),
        Command::Import(command) => import::run(&command, format),
        Command::Export(command) => export::run(&command, format),
        Command::Stored(command) => {
            options.connected(async |stopgap| live::policies::run(stopgap, &command, format).await)
        }
    }
}

fn check(file: &str, format: Format) -> Result<Vec<Policy>, BadInput> {
    let parsed = match read(file) {
        Ok(text) => policy::parse(&text).map_err(|PolicyErrors(issues)| issues),
        Err(message) => Err(vec![PolicyIssue { at: String::new(), message }]),
    };
    if format == Format::Json {
        let (mut ids, mut issues) = match &parsed {
            Ok(policies) => (policies.iter().map(|policy| policy.id.as_str()).collect(), Vec::new()),
            Err(issues) => (Vec::new(), issues.iter().collect()),
        };
        ids.sort_unstable();
        issues.sort();
        output::print_json(&json!({ "policies": ids, "errors": issues }))?;
    }
    let policies = parsed.map_err(|issues| located(file, &issues))?;
    if format == Format::Table {
        let ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
        output::print(&format!("ok: {}\n", ids.join(", ")));
    }
    Ok(policies)
}

/// Reads and parses a policy file; `-` is stdin.
pub(crate) fn load(file: &str) -> Result<Vec<Policy>, BadInput> {
    parse(file, &text(file)?)
}

/// A policy file's text; `-` is stdin.
pub(crate) fn text(file: &str) -> Result<String, BadInput> {
    read(file).map_err(|why| BadInput::one(format!("{}: {why}", name(file))))
}

/// The policies in a policy file's text.
pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<Policy>, BadInput> {
    policy::parse(text).map_err(|PolicyErrors(issues)| located(file, &issues))
}

fn located(file: &str, issues: &[PolicyIssue]) -> BadInput {
    BadInput(issues.iter().map(|issue| format!("{}: {issue}", name(file))).collect())
}

pub(crate) fn name(file: &str) -> &str {
    if file == "-" { "stdin" } else { file }
}

/// The file's text, or in words why there is none.
fn read(file: &str) -> Result<String, String> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    let bytes = bytes.map_err(|error| format!("it cannot be read: {error}"))?;
    describe::text(&bytes).map(str::to_owned)
}
