//! `stopgap policy`: what can be said of policies without an account.

use std::fs;
use std::io::{self, Read};

use clap::Subcommand;
use serde_json::json;
use stopgap_core::policy::{self, Policy, PolicyErrors};

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
        Command::Schema => {
            output::print(&format!("{:#}\n", policy::schema()));
            Ok(())
        }
    }
}

fn check(file: &str, json: bool) -> Result<(), BadInput> {
    let parsed = policy::parse(&read(file)?);
    if json {
        let (mut ids, issues) = match &parsed {
            Ok(policies) => (policies.iter().map(|policy| policy.id.as_str()).collect(), &[][..]),
            Err(PolicyErrors(issues)) => (Vec::new(), issues.as_slice()),
        };
        ids.sort_unstable();
        output::print(&format!("{:#}\n", json!({ "policies": ids, "errors": issues })));
    }
    let policies = parsed.map_err(|errors| located(file, &errors))?;
    if !json {
        let ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
        output::print(&format!("ok: {}\n", ids.join(", ")));
    }
    Ok(())
}

/// Reads and parses a policy file; `-` is stdin.
pub(crate) fn load(file: &str) -> Result<Vec<Policy>, BadInput> {
    policy::parse(&read(file)?).map_err(|errors| located(file, &errors))
}

fn located(file: &str, PolicyErrors(issues): &PolicyErrors) -> BadInput {
    BadInput(issues.iter().map(|issue| format!("{}: {issue}", name(file))).collect())
}

fn name(file: &str) -> &str {
    if file == "-" { "stdin" } else { file }
}

fn read(file: &str) -> Result<String, BadInput> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    let bytes = bytes.map_err(|error| BadInput::one(format!("{}: {error}", name(file))))?;
    String::from_utf8(bytes)
        .map_err(|error| BadInput::one(format!("{}: it is not UTF-8: {error}", name(file))))
}
