//! `stopgap policy`: what can be said of policies without an account.

use std::fs;
use std::io::{self, Read};

use clap::Subcommand;
use serde_json::json;
use stopgap_core::describe;
use stopgap_core::policy::{self, Policy, PolicyErrors, PolicyIssue};

use crate::{BadInput, output};

/// Check policies, or print their JSON Schema.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a policy file and report every mistake in it.
    Check {
        /// The file: one policy, an array, or `{"defaults": {...}, "policies": [...]}`. `-` reads stdin.
        file: String,
        /// Print `{"policies": [ids], "errors": [{"at", "message"}]}` instead.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of a policy file.
    Schema,
}

pub(crate) fn run(args: Args) -> Result<(), BadInput> {
    match args.command {
        Command::Check { file, json } => check(&file, json),
        Command::Schema => output::print_json(&policy::schema()),
    }
}

fn check(file: &str, json: bool) -> Result<(), BadInput> {
    let parsed = match read(file) {
        Ok(text) => policy::parse(&text).map_err(|PolicyErrors(issues)| issues),
        Err(message) => Err(vec![PolicyIssue { at: String::new(), message }]),
    };
    if json {
        let (mut ids, mut issues) = match &parsed {
            Ok(policies) => (policies.iter().map(|policy| policy.id.as_str()).collect(), Vec::new()),
            Err(issues) => (Vec::new(), issues.iter().collect()),
        };
        ids.sort_unstable();
        issues.sort();
        output::print_json(&json!({ "policies": ids, "errors": issues }))?;
    }
    let policies = parsed.map_err(|issues| located(file, &issues))?;
    if !json {
        let ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
        output::print(&format!("ok: {}\n", ids.join(", ")));
    }
    Ok(())
}

/// Reads and parses a policy file; `-` is stdin.
pub(crate) fn load(file: &str) -> Result<Vec<Policy>, BadInput> {
    let text = read(file).map_err(|why| BadInput::one(format!("{}: {why}", name(file))))?;
    policy::parse(&text).map_err(|PolicyErrors(issues)| located(file, &issues))
}

fn located(file: &str, issues: &[PolicyIssue]) -> BadInput {
    BadInput(issues.iter().map(|issue| format!("{}: {issue}", name(file))).collect())
}

fn name(file: &str) -> &str {
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
