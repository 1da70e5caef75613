//! `cargo e2e`: stopgap on moto, for a self-check or to be tried by hand.

use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};
use stopgap_e2e::clients::Clients;
use stopgap_e2e::moto::Pace;
use stopgap_e2e::platform::Platform;
use stopgap_e2e::self_check;
use stopgap_e2e::ticket_queue::TicketQueue;
use tokio::signal::unix::{SignalKind, signal};

/// Starts moto, deploys stopgap to it, and runs one backup to see that all is well.
///
/// Needs Python 3 and Node. Everything it installs is under `target/`.
#[derive(Debug, Parser)]
#[command(name = "cargo e2e", bin_name = "cargo e2e")]
struct Arguments {
    /// Stay up until interrupted, for anyone to try with the AWS CLI. Prints where everything is, as one JSON document.
    #[arg(long)]
    keep: bool,
    /// How many times faster than the clock the state machines wait, retry and poll.
    #[arg(long, default_value_t = Pace::default().time_scale)]
    time_scale: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("e2e: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), String> {
    let pace = Pace { time_scale: arguments.time_scale, ..Pace::default() };
    let name = if arguments.keep { "keep" } else { "self-check" };
    // Until it stands, a signal ends this as it ends any program; moto notices by itself.
    let stopgap = Platform::start(name, pace).await.map_err(|why| why.to_string())?;
    tokio::select! {
        // Everything that was started ends with `stopgap`.
        done = be_used(&stopgap, arguments.keep) => done,
        () = interrupted() => Ok(()),
    }
}

async fn be_used(stopgap: &Platform, keep: bool) -> Result<(), String> {
    let aws = Clients::at_home(&stopgap.cloud.endpoint).await;
    if !keep {
        return self_check::run(stopgap).await;
    }
    // Every ticket, here; a ticketing system says which it wants.
    let filter = json!({ "severity": ["warning", "error", "critical"] });
    let queue = TicketQueue::subscribe(&aws, &stopgap.topic, "tickets", &filter).await;
    println!("{:#}", with_queue(stopgap.document(), &queue));
    eprintln!("e2e: up until interrupted (ctrl-c)");
    std::future::pending().await
}

fn with_queue(mut document: Value, queue: &TicketQueue) -> Value {
    document["ticket_queue"] = json!(queue.url);
    document
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() {
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
}
