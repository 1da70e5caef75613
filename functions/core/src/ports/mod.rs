//! The ports: all that the tasks ask of the world. `stopgap-aws` answers over the AWS SDK, `stopgap-sim` from memory.
//!
//! Each is narrow and speaks our types. A port does not decide: it makes one request (or one page of it), retries
//! what an SDK retries, and classifies what went wrong.

mod absent;
mod alarms;
mod auto_scaling;
mod ec2;
mod fault;
mod load_balancers;
mod preflight;
mod table;
mod workflow;

pub use absent::Absent;
pub use alarms::{ALARMS_AT_ONCE, Alarm, Alarms};
pub use auto_scaling::{AutoScaling, LifecycleState, Member, ScalingGroup};
pub use ec2::{
    ASKED_AT_ONCE, CreateSnapshots, CreatedSnapshot, Ec2, Page, SnapshotQuery, StateChange, Which, all_pages,
};
pub use fault::{Fault, FaultKind};
pub use load_balancers::{Health, LoadBalancers, Registration, Target};
pub use preflight::{InstanceStorage, KeyState, Keys, Modification, ScheduledEvent, SpotRequest};
pub use table::{Expect, Item, Key, Table, Write, Written};
pub use workflow::{Callbacks, Execution, ExecutionStatus, Executions, Notice, Objects, Started, Topic};

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::inventory::Location;

/// What a task may reach. Every task takes all of it and uses what its doc comment names; the rights of the deployed
/// functions are cut to that.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// EC2 and EBS.
    pub ec2: &'a dyn Ec2,
    /// EC2 Auto Scaling.
    pub auto_scaling: &'a dyn AutoScaling,
    /// CloudWatch alarms.
    pub alarms: &'a dyn Alarms,
    /// Elastic Load Balancing.
    pub load_balancers: &'a dyn LoadBalancers,
    /// KMS.
    pub keys: &'a dyn Keys,
    /// The one table.
    pub table: &'a dyn Table,
    /// The planning bucket.
    pub objects: &'a dyn Objects,
    /// The ticket topic.
    pub topic: &'a dyn Topic,
    /// Answers to waiting tasks.
    pub callbacks: &'a dyn Callbacks,
    /// The executions of the instance machine.
    pub executions: &'a dyn Executions,
}

impl<'a> Ports<'a> {
    /// All ports of one thing that has them all.
    pub fn of<T>(all: &'a T) -> Self
    where
        T: Ec2
            + AutoScaling
            + Alarms
            + LoadBalancers
            + Keys
            + Table
            + Objects
            + Topic
            + Callbacks
            + Executions,
    {
        Self {
            ec2: all,
            auto_scaling: all,
            alarms: all,
            load_balancers: all,
            keys: all,
            table: all,
            objects: all,
            topic: all,
            callbacks: all,
            executions: all,
        }
    }
}

/// A service behind a port. The table is not among them: every function has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// EC2 and EBS, in any account.
    Ec2,
    /// EC2 Auto Scaling, in any account.
    AutoScaling,
    /// CloudWatch alarms, in any account.
    Alarms,
    /// Target groups of load balancers, in any account.
    LoadBalancers,
    /// KMS, in any account.
    Keys,
    /// The planning bucket.
    Objects,
    /// The ticket topic.
    Topic,
    /// Answers to waiting tasks.
    Callbacks,
    /// The executions of the instance machine.
    Executions,
}

impl<'a> Ports<'a> {
    /// These ports, with [`Absent`] for every service that is not named.
    pub fn only(self, services: &[Service]) -> Self {
        let has = |service| services.contains(&service);
        Self {
            table: self.table,
            ec2: if has(Service::Ec2) { self.ec2 } else { &Absent },
            auto_scaling: if has(Service::AutoScaling) { self.auto_scaling } else { &Absent },
            alarms: if has(Service::Alarms) { self.alarms } else { &Absent },
            load_balancers: if has(Service::LoadBalancers) { self.load_balancers } else { &Absent },
            keys: if has(Service::Keys) { self.keys } else { &Absent },
            objects: if has(Service::Objects) { self.objects } else { &Absent },
            topic: if has(Service::Topic) { self.topic } else { &Absent },
            callbacks: if has(Service::Callbacks) { self.callbacks } else { &Absent },
            executions: if has(Service::Executions) { self.executions } else { &Absent },
        }
    }
}

/// How long a call of the table or of the topic takes at most, with all its retries. Both answer in hundredths of a second. Who
/// has something to tell waits no longer for either: a ticket is recorded, published and marked well within a function's 60 s
/// even where the table hangs.
pub const TELLS_WITHIN: Duration = Duration::from_secs(8);

/// How much of an invocation's time must be left to begin another piece of work: what one request may take with its
/// retries.
const PIECE: SignedDuration = SignedDuration::from_secs(30);

/// What a task is told about its own invocation, besides its input.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The time now. Tasks read no clock.
    pub now: Timestamp,
    /// How much time the invocation has left.
    pub remaining: &'a dyn Fn() -> SignedDuration,
    /// What the deployment sets.
    pub settings: &'a Settings,
}

impl Context<'_> {
    /// Whether there is no time for another piece of work: what a task with many pieces asks between two of them.
    pub fn is_ending(&self) -> bool {
        (self.remaining)() < PIECE
    }
}

/// What a deployment sets, from the environment of the functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where stopgap itself is deployed: where policies without targets select, and the account that needs no role.
    pub home: Location,
    /// How long EC2's reads may lag behind its writes: a create that was not answered is looked for as long before
    /// it is repeated.
    pub read_lag: SignedDuration,
    /// How long an instance may take to stop before its run gives up and starts it again.
    pub stop_limit: SignedDuration,
    /// How long an instance may take from StartInstances to `running`.
    pub run_limit: SignedDuration,
    /// How long snapshots may take to complete. Tens of hours are normal for a first snapshot of a large volume.
    pub completion_limit: SignedDuration,
    /// How long a run goes on trying to start an instance that will not start.
    pub restart_limit: SignedDuration,
    /// Whether pruning deletes, or only plans and reports.
    pub prune: PruneMode,
}

impl Settings {
    /// The defaults, deployed there.
    pub fn new(home: Location) -> Self {
        Self {
            home,
            read_lag: SignedDuration::from_secs(30),
            stop_limit: SignedDuration::from_mins(20),
            run_limit: SignedDuration::from_mins(10),
            completion_limit: SignedDuration::from_hours(48),
            restart_limit: SignedDuration::from_hours(24),
            prune: PruneMode::Report,
        }
    }
}

/// What pruning does with what retention no longer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneMode {
    /// Plans and reports; deletes nothing.
    Report,
    /// Deletes.
    Delete,
}
