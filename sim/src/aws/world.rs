//! The state of the simulated world.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use stopgap_core::inventory::{Instance, InstanceState, Location, Snapshot, SnapshotState, Volume};
use stopgap_core::ports::{
    Alarm, InstanceStorage, Key, KeyState, LifecycleState, Modification, Notice, ScheduledEvent,
};
use stopgap_core::{backup_set, set_tags};

use super::budget::{Bucket, Budget};
use super::events::EventFault;
use super::faults::FaultName;
use super::load_balancers::TargetGroup;
use super::sabotage::Sabotage;
use super::watch::Watch;

/// All there is.
#[derive(Default)]
pub struct World {
    /// Accounts and Regions.
    pub places: BTreeMap<Location, Place>,
    /// The roles that let stopgap into other accounts than its own, each with its account. Without one, all that is asked
    /// there is refused.
    pub roles: BTreeSet<(String, String)>,
    /// The table: version and body by key.
    pub table: BTreeMap<Key, (u64, Value)>,
    /// The planning bucket.
    pub objects: BTreeMap<String, Value>,
    /// What was published, oldest first.
    pub published: Vec<(Timestamp, Notice)>,
    /// What chat applications were told, where they have a topic.
    pub chat: Option<Vec<(Timestamp, Value)>>,
    /// How often each operation of AWS was called.
    pub calls: BTreeMap<&'static str, u64>,
    /// What befalls everything.
    pub faults: BTreeSet<FaultName>,
    /// The operations that stopgap's roles may not call.
    pub denied: BTreeSet<&'static str>,
    /// The watch over the functions' calls, and what is to go wrong with them.
    pub watch: Watch,
    /// The events that go astray.
    pub event_faults: Vec<EventFault>,
    /// What is broken about stopgap itself, on purpose.
    pub sabotage: Option<Sabotage>,
    /// Every duration is the middle of its range and nothing is left to chance: the usual rather than one of the possible.
    pub even: bool,
    /// What Lambda bills, by function.
    pub billed: BTreeMap<&'static str, Billed>,
    /// How many items were written to the table, in transactions that went through or not.
    pub items_written: u64,
    buckets: BTreeMap<(Location, &'static str), Bucket>,
    ids: u64,
}

/// What Lambda bills of a function: how often it was invoked, and how long it ran in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Billed {
    /// How often.
    pub requests: u64,
    /// How long, each invocation rounded up to a millisecond.
    pub milliseconds: u64,
}

/// An account's Region.
#[derive(Default)]
pub struct Place {
    /// Instances by id.
    pub machines: BTreeMap<String, Machine>,
    /// Volumes by id.
    pub volumes: BTreeMap<String, Volume>,
    /// Snapshots by id.
    pub snapshots: BTreeMap<String, Copy>,
    /// The ids of the snapshots that images are made of. EC2 deletes none of them.
    pub images: BTreeSet<String>,
    /// The ids of the snapshots that are locked. EC2 deletes none of these either.
    pub locked: BTreeSet<String>,
    /// Auto Scaling groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Target groups by ARN.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// CloudWatch's metric alarms by name.
    pub alarms: BTreeMap<String, Alarm>,
    /// The states of KMS keys, by id.
    pub keys: BTreeMap<String, KeyState>,
    /// Events that EC2 has scheduled.
    pub events: Vec<ScheduledEvent>,
    /// Modifications of volumes that are not over.
    pub modifications: Vec<Modification>,
    /// Instance types that have instance-store volumes.
    pub storage: Vec<InstanceStorage>,
    /// Spot requests: whether they are one-time.
    pub spot_requests: BTreeMap<String, bool>,
    /// The ids of the snapshots that are pending, by volume.
    pending: BTreeMap<String, BTreeSet<String>>,
    /// The ids of snapshots by their tag `stopgap:instance`, as EC2 answers a filter without reading them all.
    by_instance: BTreeMap<String, BTreeSet<String>>,
}

impl Place {
    /// Puts a volume here, and the key that it is encrypted with, enabled, if that is not known yet.
    pub(super) fn attach(&mut self, volume: Volume) {
        if let Some(key) = &volume.kms_key_id {
            self.keys.entry(key.clone()).or_insert_with(|| KeyState("Enabled".to_owned()));
        }
        self.volumes.insert(volume.id.clone(), volume);
    }

    /// Puts a snapshot here.
    pub(super) fn keep(&mut self, copy: Copy) {
        let id = copy.snapshot.id.clone();
        if let Some(instance) = copy.snapshot.tags.get(set_tags::INSTANCE) {
            self.by_instance.entry(instance.clone()).or_default().insert(id.clone());
        }
        if copy.settled.is_none() {
            self.pending.entry(copy.snapshot.volume_id.clone()).or_default().insert(id.clone());
        }
        self.snapshots.insert(id, copy);
    }

    /// A snapshot leaves `pending`.
    pub(super) fn settle(&mut self, id: &str, state: SnapshotState, now: Timestamp) {
        let Some(copy) = self.snapshots.get_mut(id) else { return };
        copy.snapshot.state = state;
        copy.settled = Some(now);
        if let Some(pending) = self.pending.get_mut(&copy.snapshot.volume_id) {
            pending.remove(id);
        }
    }

    /// The pending snapshots of a volume.
    pub(super) fn pending_of(&self, volume_id: &str) -> impl Iterator<Item = &Copy> {
        self.pending.get(volume_id).into_iter().flatten().filter_map(|id| self.snapshots.get(id))
    }

    /// The times of the complete sets of the policy and instance that a snapshot is of, its own among them, oldest first.
    pub(super) fn complete_beside(&self, snapshot_id: &str) -> Vec<Timestamp> {
        let Some(copy) = self.snapshots.get(snapshot_id) else { return Vec::new() };
        let tags = &copy.snapshot.tags;
        let (Some(instance), Some(policy)) = (tags.get(set_tags::INSTANCE), tags.get(set_tags::POLICY))
        else {
            return Vec::new();
        };
        let sets = backup_set::group(self.of_instance(instance).map(|copy| &copy.snapshot)).sets;
        let complete = sets.iter().filter(|set| set.is_complete() && set.policy().as_str() == policy);
        complete.map(|set| set.at()).collect()
    }

    /// The snapshots tagged as of this instance.
    pub(super) fn of_instance(&self, instance_id: &str) -> impl Iterator<Item = &Copy> {
        let ids = self.by_instance.get(instance_id).into_iter().flatten();
        ids.filter_map(|id| self.snapshots.get(id))
    }
}

/// An instance, and what the world knows of it beyond what EC2 tells.
pub struct Machine {
    /// What EC2 tells.
    pub instance: Instance,
    /// What befalls it.
    pub faults: BTreeSet<FaultName>,
    /// How long it takes to stop.
    pub stop_takes: Duration,
    /// How long it takes to start.
    pub start_takes: Duration,
    /// How long its snapshots take to complete; by chance and size if it is not given.
    pub snapshots_take: Option<Duration>,
    /// Its states so far, for reads that lag.
    pub past: Vec<(Timestamp, InstanceState, Option<String>)>,
    /// When it was down, and how much of it was EC2's own doing.
    pub downs: Vec<Down>,
}

/// A time that an instance was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down {
    /// When it began to stop.
    pub from: Timestamp,
    /// When it was stopped.
    pub stopped: Option<Timestamp>,
    /// When it began to start, the last time.
    pub starting: Option<Timestamp>,
    /// When it ran again.
    pub until: Option<Timestamp>,
}

impl Down {
    /// How long it was down, once it runs again.
    pub fn length(&self) -> Option<SignedDuration> {
        Some(self.until?.duration_since(self.from))
    }

    /// How much of that was EC2's own stopping and starting.
    pub fn of_ec2(&self) -> Option<SignedDuration> {
        Some(self.stopped?.duration_since(self.from) + self.until?.duration_since(self.starting?))
    }

    /// How much longer it was down than EC2 takes to stop and start it.
    pub fn overhead(&self) -> Option<SignedDuration> {
        Some(self.length()? - self.of_ec2()?)
    }
}

impl Machine {
    /// A machine that has been in its state since before time began.
    pub(super) fn new(instance: Instance, stop_takes: Duration, start_takes: Duration) -> Self {
        let past = vec![(Timestamp::MIN, instance.state, None)];
        Self {
            instance,
            faults: BTreeSet::new(),
            stop_takes,
            start_takes,
            snapshots_take: None,
            past,
            downs: Vec::new(),
        }
    }

    /// Enters a state.
    pub(crate) fn enter(&mut self, now: Timestamp, state: InstanceState, reason: Option<&str>) {
        self.instance.state = state;
        self.instance.state_reason = reason.map(str::to_owned);
        self.past.push((now, state, self.instance.state_reason.clone()));
        match state {
            InstanceState::Stopping => {
                self.downs.push(Down { from: now, stopped: None, starting: None, until: None });
            }
            InstanceState::Stopped => self.down(|down| down.stopped = down.stopped.or(Some(now))),
            InstanceState::Pending => self.down(|down| down.starting = Some(now)),
            InstanceState::Running => self.down(|down| down.until = Some(now)),
            InstanceState::ShuttingDown | InstanceState::Terminated => {}
        }
    }

    fn down(&mut self, change: impl FnOnce(&mut Down)) {
        if let Some(down) = self.downs.last_mut().filter(|down| down.until.is_none()) {
            change(down);
        }
    }

    /// The instance as a read at `then` shows it.
    pub(super) fn seen(&self, then: Timestamp) -> Instance {
        let past = self.past.iter().rev().find(|(since, _, _)| *since <= then);
        let (state, state_reason) = past.map_or((self.instance.state, None), |(_, s, why)| (*s, why.clone()));
        Instance { state, state_reason, ..self.instance.clone() }
    }
}

/// A snapshot, and when its state changed.
pub struct Copy {
    /// What EC2 tells in the end.
    pub snapshot: Snapshot,
    /// When it was made; reads that lag do not show it before.
    pub made: Timestamp,
    /// When it left `pending`.
    pub settled: Option<Timestamp>,
}

impl Copy {
    /// The snapshot as a read at `then` shows it, if it does.
    pub(super) fn seen(&self, then: Timestamp) -> Option<Snapshot> {
        let pending = self.settled.is_none_or(|settled| settled > then);
        let state = if pending { SnapshotState::Pending } else { self.snapshot.state };
        (self.made <= then).then(|| Snapshot { state, ..self.snapshot.clone() })
    }
}

/// An Auto Scaling group.
pub struct Group {
    /// Below this the desired capacity cannot go.
    pub minimum: usize,
    /// How many members should serve.
    pub desired: usize,
    /// The members.
    pub members: BTreeMap<String, LifecycleState>,
    /// Suspended processes.
    pub suspended: BTreeSet<String>,
    /// How long load balancers drain a member.
    pub drains_for: Duration,
    /// How long launch lifecycle hooks hold a member up that comes back from Standby.
    pub hooks_take: Duration,
    /// How long the group does not mind the health of a member that has come (back) into service.
    pub grace: Duration,
    /// Until when it does not mind, by member.
    pub minded_from: BTreeMap<String, Timestamp>,
    /// Whether its Availability Zones are uneven, so that AZRebalance is about to terminate a member, one that is down first.
    pub uneven: bool,
    /// The members that were replaced.
    pub replaced: Vec<String>,
}

impl World {
    /// The bucket of an operation.
    pub(super) fn bucket(
        &mut self,
        at: &Location,
        operation: &'static str,
        budget: Budget,
        scarce: bool,
    ) -> &mut Bucket {
        self.buckets.entry((at.clone(), operation)).or_insert_with(|| Bucket::new(budget, scarce))
    }

    /// A new id with this prefix, as long as EC2's.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        // Spread, so that the order of ids tells nothing.
        let spread = self.ids.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{prefix}-0{spread:016x}")
    }

    /// An instance, wherever it is.
    pub fn machine(&self, instance_id: &str) -> Option<&Machine> {
        self.places.values().find_map(|place| place.machines.get(instance_id))
    }

    /// An instance, wherever it is.
    pub fn machine_mut(&mut self, instance_id: &str) -> Option<&mut Machine> {
        self.places.values_mut().find_map(|place| place.machines.get_mut(instance_id))
    }

    /// All instances.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.places.values().flat_map(|place| place.machines.values())
    }

    /// All snapshots.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.places.values().flat_map(|place| place.snapshots.values()).map(|copy| &copy.snapshot)
    }
}
