//! The operator's command.
//!
//! Exit status: 0 done, 1 the operation failed, 2 bad input. Errors go to stderr, one a line, as `error: ...`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use output::Output;

mod asl;
#[cfg(feature = "aws")]
mod aws;
mod demo;
mod failure;
mod faults;
// Built for its tests without the SDK too: what it asks of AWS goes through the ports.
#[cfg(any(feature = "aws", test))]
mod live;
mod output;
mod plan;
mod policy;
mod progress;
mod retention;
mod schedule;
mod simulate;

use failure::{BadInput, Failure};

/// Reading a large inventory asks for memory millions of times; the system's allocator takes a fifth of the time for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Backups of EC2 instances that must be stopped to be copied safely.
#[derive(Parser)]
#[command(name = "stopgap", version)]
struct Cli {
    #[command(flatten)]
    output: Output,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    aws: aws::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check, draw or run any state machine written in Amazon States Language.
    Asl(asl::Args),
    /// Simulate one night over a fleet, with the real state machines and the real task code.
    Demo(demo::Args),
    /// Let everything go wrong that can, and say whether the promises hold.
    Faults(faults::Args),
    /// Say what is due, what is not and why, what matches nothing, and where policies overlap.
    Plan(plan::Args),
    /// Check policies, or print their JSON Schema.
    #[cfg_attr(
        feature = "aws",
        command(about = "List, show, store, delete or check policies, or print their JSON Schema")
    )]
    Policy(policy::Args),
    /// Say which backup sets a policy keeps of snapshots that were saved, which it would delete, and why.
    Retention(retention::Args),
    /// Say when a schedule expression occurs next, and what it means in words.
    Schedule(schedule::Args),
    /// Run the calendar forward: what runs when, downtime, what is deleted and kept, and what it costs.
    Simulate(simulate::Args),
    /// Back up an instance, or all that a policy selects, now.
    #[cfg(feature = "aws")]
    Run(live::run::Args),
    /// Say how things stand: newest backups, next runs, what is under way, open tickets.
    #[cfg(feature = "aws")]
    Status(live::status::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = cli.output.format();
    let outcome = match cli.command {
        Command::Asl(args) => asl::run(args, format).map_err(Failure::from),
        Command::Demo(args) => demo::run(args, format).map_err(Failure::from),
        Command::Faults(args) => faults::run(&args, format),
        Command::Retention(args) => retention::run(&args, format).map_err(Failure::from),
        Command::Schedule(args) => schedule::run(&args, format).map_err(Failure::from),
        Command::Simulate(args) => simulate::run(&args, format),
        #[cfg(not(feature = "aws"))]
        Command::Plan(args) => plan::run(&args, format).map_err(Failure::from),
        #[cfg(not(feature = "aws"))]
        Command::Policy(args) => policy::run(args, format),
        #[cfg(feature = "aws")]
        Command::Plan(args) => plan::run(&args, format, &cli.aws),
        #[cfg(feature = "aws")]
        Command::Policy(args) => policy::run(args, format, &cli.aws),
        #[cfg(feature = "aws")]
        Command::Run(args) => cli.aws.connected(async |stopgap| live::run::run(stopgap, &args, format).await),
        #[cfg(feature = "aws")]
        Command::Status(args) => {
            cli.aws.connected(async |stopgap| live::status::run(stopgap, &args, format).await)
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for message in failure.messages() {
                // What is wrong with an input quotes it, and an input may hold anything.
                eprintln!("error: {}", output::plain(message));
            }
            failure.exit_code()
        }
    }
}
