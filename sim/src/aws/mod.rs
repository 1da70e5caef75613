//! A simulated AWS behind the ports of `stopgap-core`: EC2 with its manners, one table, a topic, and the functions.
//!
//! Time to stop and start, pending snapshots, token buckets, pages, reads that lag, Auto Scaling that replaces what is not
//! running, events that come late, twice or never, functions that crash before or after their effect. All of it on the
//! virtual clock, and all chance from one seed.

mod alarms;
mod auto_scaling;
mod budget;
mod build;
mod ec2;
mod events;
mod faults;
mod functions;
mod injection;
mod load_balancers;
mod preflight;
mod sabotage;
mod table;
mod watch;
mod workflow;
mod world;

pub use build::{GroupSpec, InstanceSpec, Pace, VolumeSpec};
pub(crate) use events::RUN_ENDED;
pub use events::{Delivery, EventFault};
pub use faults::{FaultName, Scope};
pub use functions::Host;
pub use load_balancers::{Standing, TargetGroup};
pub use sabotage::Sabotage;
pub use watch::{Called, Deleted, Injection, Site, Watch, Wrong};
pub(crate) use watch::{TABLE, TOPIC, place_of};
pub use world::{Billed, Down, Group, Machine, Place, World};

use std::cell::{OnceCell, RefCell};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use stopgap_core::inventory::Location;
use stopgap_core::ports::{Fault, FaultKind, Ports, Settings};

use crate::runtime::Clock;
use crate::stepfunctions::{StepFunctions, WeakStepFunctions};
use budget::Budget;

/// How often a port asks again when a budget is empty, and how long it waits at most in between: some ten seconds in
/// all. Short waits, since what asks for a start has an instance that is down.
const RETRIES: u32 = 8;
const BACKOFF_MAX: Duration = Duration::from_millis(1_500);

/// The simulated AWS. A handle: clones are the same world.
#[derive(Clone)]
pub struct Aws {
    inner: Rc<Inner>,
}

struct Inner {
    clock: Clock,
    settings: Settings,
    world: RefCell<World>,
    chance: RefCell<ChaCha8Rng>,
    step_functions: OnceCell<WeakStepFunctions>,
}

impl Aws {
    /// An empty world.
    pub fn new(clock: Clock, seed: u64, settings: Settings) -> Self {
        let chance = RefCell::new(ChaCha8Rng::seed_from_u64(seed));
        let world = RefCell::new(World::default());
        Self { inner: Rc::new(Inner { clock, settings, world, chance, step_functions: OnceCell::new() }) }
    }

    /// Joins it with the Step Functions whose tasks it runs. Once. It does not keep them alive: they keep it.
    pub fn join(&self, step_functions: &StepFunctions) {
        // A second one would be a mistake of the caller's that changes nothing here.
        let _ = self.inner.step_functions.set(step_functions.downgrade());
    }

    fn step_functions(&self) -> Option<StepFunctions> {
        self.inner.step_functions.get()?.upgrade()
    }

    /// All ports.
    pub fn ports(&self) -> Ports<'_> {
        Ports::of(self)
    }

    /// What the simulated deployment sets.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Looks at the world.
    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.inner.world.borrow())
    }

    /// Changes the world by hand, as a person with the console would.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.inner.world.borrow_mut())
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// A duration by chance, in milliseconds; the middle where the world is even.
    fn between(&self, milliseconds: RangeInclusive<u64>) -> Duration {
        if self.look(|world| world.even) {
            return Duration::from_millis((milliseconds.start() + milliseconds.end()) / 2);
        }
        Duration::from_millis(self.inner.chance.borrow_mut().random_range(milliseconds))
    }

    /// Whether something of this probability happens now.
    fn happens(&self, probability: f64) -> bool {
        self.inner.chance.borrow_mut().random_bool(probability)
    }

    fn has(&self, fault: FaultName) -> bool {
        self.look(|world| world.faults.contains(&fault))
    }

    /// Gets into the account, as STS lets an SDK: with its own credentials at home, else by the location's role. Roles that
    /// were assumed are kept by SDKs, so only what is refused costs a request here.
    async fn assume(&self, operation: &'static str, at: &Location) -> Result<(), Fault> {
        let role = at.role.clone().unwrap_or_default();
        let way_in = (at.account.clone(), role);
        if at.account == self.settings().home.account || self.look(|world| world.roles.contains(&way_in)) {
            return Ok(());
        }
        self.quick_request("AssumeRole").await;
        let (account, role) = way_in;
        let message = format!(
            "AccessDenied: not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{account}:role/{role}"
        );
        Err(Fault::new(operation, FaultKind::AccessDenied, message))
    }

    /// One request to AWS: it is counted, takes its time, and draws on its budget, waiting and trying again like an SDK in
    /// adaptive mode when that is empty.
    async fn request(&self, operation: &'static str, at: &Location, budget: Budget) -> Result<(), Fault> {
        self.assume(operation, at).await?;
        for attempt in 0..RETRIES {
            self.change(|world| *world.calls.entry(operation).or_default() += 1);
            self.clock().sleep(self.between(30..=90)).await;
            let now = self.clock().now();
            let scarce = self.has(FaultName::Throttled);
            if self.change(|world| world.bucket(at, operation, budget, scarce).take(now)) {
                return self.allowed(operation);
            }
            let backoff = self.between(200..=600) * 2_u32.pow(attempt);
            self.clock().sleep(backoff.min(BACKOFF_MAX)).await;
        }
        Err(Fault::new(operation, FaultKind::Throttled, "RequestLimitExceeded: Request limit exceeded."))
    }

    /// Whether stopgap's roles may call an operation.
    fn allowed(&self, operation: &'static str) -> Result<(), Fault> {
        if self.look(|world| world.denied.contains(operation)) {
            let message = format!("UnauthorizedOperation: You are not authorized to perform {operation}");
            return Err(Fault::new(operation, FaultKind::AccessDenied, message));
        }
        Ok(())
    }

    /// One request to a service whose limits are out of reach here.
    async fn quick_request(&self, operation: &'static str) {
        self.change(|world| *world.calls.entry(operation).or_default() += 1);
        self.clock().sleep(self.between(4..=15)).await;
    }

    /// How far a read lags behind the writes.
    fn read_lag(&self) -> Duration {
        if self.has(FaultName::ReadsLag) { self.between(1_000..=8_000) } else { self.between(0..=300) }
    }
}
