//! The operator's command.
//!
//! Exit status: 0 done, 1 the operation failed, 2 bad input. Errors go to stderr, one a line, as `error: ...`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod asl;
mod demo;
mod output;
mod plan;
mod policy;

/// Backups of EC2 instances that must be stopped to be copied safely.
#[derive(Parser)]
#[command(name = "stopgap", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check, draw or run any state machine written in Amazon States Language.
    Asl(asl::Args),
    /// Simulate one night over a fleet, with the real state machines and the real task code.
    Demo(demo::Args),
    /// Say offline what is due, what is not and why, what matches nothing, and where policies overlap.
    Plan(plan::Args),
    /// Check policies, or print their JSON Schema.
    Policy(policy::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Asl(args) => asl::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Policy(args) => policy::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(BadInput(messages)) => {
            for message in messages {
                // What is wrong with an input quotes it, and an input may hold anything.
                eprintln!("error: {}", output::plain(&message));
            }
            ExitCode::from(2)
        }
    }
}

/// What is wrong with the input: where, and what would be right. One message a line.
#[derive(Debug)]
struct BadInput(Vec<String>);

impl BadInput {
    fn one(message: impl Into<String>) -> Self {
        Self(vec![message.into()])
    }
}
