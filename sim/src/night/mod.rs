//! One night over a fleet: the demo, and a first look at everything together.

mod fleet;
mod report;

pub use report::{Outcome, Report, RunLine, Spread, Summary, TicketLine};

use std::cell::Cell;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use stopgap_core::inventory::{InstanceState, Location};
use stopgap_core::policy::{self, Policy};

use crate::aws::{FaultName, Scope};
use crate::deployment::Deployment;
use crate::stepfunctions::{Keep, Status};

/// The policies of the night, as a file that `stopgap policy check` takes.
pub const POLICIES: &str = include_str!("policies.json");

/// How the night is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many instances there are, over two Regions.
    pub instances: usize,
    /// Where all chance comes from.
    pub seed: u64,
    /// What goes wrong besides the usual: see [`FaultName`].
    pub faults: Vec<FaultName>,
}

/// An instance that cannot be backed up or started, on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Victim {
    /// The instance.
    pub instance_id: String,
    /// What befalls it.
    pub fault: FaultName,
}

/// How far the night is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The virtual time.
    pub now: Timestamp,
    /// How much of the night is over, from 0 to 1, in thousandths.
    pub permille: u64,
    /// How many runs have been begun.
    pub begun: usize,
    /// How many have ended.
    pub ended: usize,
    /// How many instances are down at this moment.
    pub down: usize,
    /// How many messages of tickets were sent.
    pub messages: usize,
}

/// A night.
pub struct Night {
    stopgap: Deployment,
    options: Options,
    victims: Vec<Victim>,
    /// How many runs have been begun, and how many have ended.
    runs: Rc<Cell<(usize, usize)>>,
    first: Timestamp,
    last: Timestamp,
}

impl Night {
    /// Sets the fleet up.
    ///
    /// # Errors
    /// In words: what cannot be simulated.
    pub fn new(options: Options) -> Result<Self, String> {
        let time = |text: &str| text.parse::<Timestamp>().map_err(|e| e.to_string());
        let (first, last) = (time("2026-11-21T01:45:00Z")?, time("2026-11-21T08:00:00Z")?);
        let stopgap = Deployment::new(first, options.seed, home(), Keep::Outline)?;
        for policy in policies()? {
            stopgap.aws.add_policy(&policy);
        }
        let victims = fleet::build(&stopgap.aws, &options, first)?;
        let everywhere = options.faults.iter().filter(|fault| fault.scope() == Scope::Everything);
        stopgap.aws.change(|world| world.faults.extend(everywhere.copied()));
        let runs = Rc::new(Cell::new((0, 0)));
        let (count, machine) = (Rc::clone(&runs), stopgap.instance.clone());
        stopgap.step_functions.subscribe(move |execution| {
            if execution.machine_arn == machine {
                let (begun, ended) = count.get();
                let running = usize::from(execution.status == Status::Running);
                count.set((begun + running, ended + 1 - running));
            }
        });
        Ok(Self { stopgap, options, victims, runs, first, last })
    }

    /// Runs it, telling now and then how far it is.
    pub fn run(self, mut progress: impl FnMut(Progress)) -> Report {
        // Scheduler's first tick finds nothing due, and sets the mark from which on nothing may be missed.
        self.stopgap.schedule(self.first, self.last);
        self.stopgap.rescue(self.first, self.last);
        let step = SignedDuration::from_secs(30);
        let mut now = self.first;
        while now < self.last {
            now = now.saturating_add(step).map_or(self.last, |next| next.min(self.last));
            self.stopgap.runtime.run_until(now);
            progress(self.progress(now));
        }
        report::of(&self)
    }

    fn progress(&self, now: Timestamp) -> Progress {
        let share = now.duration_since(self.first).as_millis() * 1_000
            / self.last.duration_since(self.first).as_millis().max(1);
        let (begun, ended) = self.runs.get();
        self.stopgap.aws.look(|world| Progress {
            now,
            permille: u64::try_from(share).unwrap_or(0).min(1_000),
            begun,
            ended,
            down: world
                .machines()
                .filter(|m| m.downs.last().is_some_and(|down| down.until.is_none()))
                .count(),
            messages: world.published.len(),
        })
    }
}

/// The policies of the night.
fn policies() -> Result<Vec<Policy>, String> {
    policy::parse(POLICIES).map_err(|errors| errors.to_string())
}

/// Whether an instance ran before the night, by what the fleet is made of.
fn ran_before(machine: &crate::aws::Machine) -> bool {
    machine.past.first().is_some_and(|(_, state, _)| *state == InstanceState::Running)
}

/// Where stopgap is deployed.
fn home() -> Location {
    Location::new("123456789012", "us-east-1")
}
