//! The EC2 port.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use stopgap_core::ebs_snapper;
use stopgap_core::inventory::{Instance, InstanceState, Location, Snapshot, SnapshotState, Tags, Volume};
use stopgap_core::ports::{
    CreateSnapshots, CreatedSnapshot, Ec2, Fault, FaultKind, InstanceStorage, Modification, Page,
    ScheduledEvent, SnapshotQuery, SpotRequest, StateChange, Which,
};
use stopgap_core::set_tags::{self, TAGS_MAX};

use super::budget::Budget;
use super::faults::FaultName;
use super::preflight::{never_stops, opens, pending_allowed};
use super::world::{Copy, Place};
use super::{Aws, Deleted, events};

/// EC2 pages hold up to 1,000 items.
const PAGE: usize = 1_000;
/// How many data volumes CreateSnapshots leaves out at most.
const EXCLUDED: usize = 40;
/// How many volumes it takes at most.
const VOLUMES: usize = 128;

fn rejected(operation: &'static str, kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault::new(operation, kind, message)
}

fn no_instance(operation: &'static str, id: &str) -> Fault {
    let message = format!("InvalidInstanceID.NotFound: The instance ID '{id}' does not exist");
    rejected(operation, FaultKind::NotFound, message)
}

fn no_snapshot(operation: &'static str, id: &str) -> Fault {
    let message = format!("InvalidSnapshot.NotFound: The snapshot '{id}' does not exist.");
    rejected(operation, FaultKind::NotFound, message)
}

/// Whether EC2 takes these tags for a resource that has others.
fn takes_tags(operation: &'static str, add: &Tags, has: &Tags) -> Result<(), Fault> {
    if add.keys().any(|key| key.starts_with("aws:")) {
        let message = "InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use";
        return Err(rejected(operation, FaultKind::Rejected, message));
    }
    let keys: BTreeSet<&String> = add.keys().chain(has.keys()).collect();
    if keys.len() > TAGS_MAX {
        let message = format!("TagLimitExceeded: a resource has at most {TAGS_MAX} tags, not {}", keys.len());
        return Err(rejected(operation, FaultKind::LimitExceeded, message));
    }
    Ok(())
}

/// One page of `all`, whose token is the number of items before it.
fn page<T>(all: Vec<T>, page: Option<String>) -> Page<T> {
    let from = page.and_then(|token| token.parse::<usize>().ok()).unwrap_or(0);
    let next = (all.len() > from + PAGE).then(|| (from + PAGE).to_string());
    Page { items: all.into_iter().skip(from).take(PAGE).collect(), next }
}

impl Aws {
    fn at_place<T>(&self, at: &Location, look: impl FnOnce(&mut Place) -> T) -> T {
        self.change(|world| look(world.places.entry(at.clone()).or_default()))
    }

    fn then(&self) -> Timestamp {
        let now = self.clock().now();
        now.checked_sub(self.read_lag()).unwrap_or(now)
    }

    /// Reads `all` or some, with a fault for an id that is not there: EC2 fails the whole call for one.
    async fn read<T>(
        &self,
        operation: &'static str,
        at: &Location,
        which: &Which,
        read: impl Fn(&Place, Option<&str>, Timestamp) -> Vec<T>,
        missing: &str,
    ) -> Result<Vec<T>, Fault> {
        if matches!(which, Which::Ids(ids) if ids.is_empty()) {
            return Ok(Vec::new());
        }
        self.request(operation, at, Budget::Describe).await?;
        let then = self.then();
        self.at_place(at, |place| match which {
            Which::All => Ok(read(place, None, then)),
            Which::Ids(ids) => {
                let mut found = Vec::new();
                for id in ids {
                    let one = read(place, Some(id), then);
                    if one.is_empty() {
                        let message = format!("{missing}: '{id}' does not exist");
                        return Err(rejected(operation, FaultKind::NotFound, message));
                    }
                    found.extend(one);
                }
                Ok(found)
            }
        })
    }

    /// What happens to an instance by itself, some time after `delay`, unless it has changed its state since.
    fn later(
        &self,
        at: &Location,
        id: &str,
        delay: Duration,
        from: InstanceState,
        to: InstanceState,
        reason: Option<&'static str>,
    ) {
        let (aws, at, id) = (self.clone(), at.clone(), id.to_owned());
        self.clock().clone().spawn(async move {
            aws.clock().sleep(delay).await;
            let now = aws.clock().now();
            let entered = aws.at_place(&at, |place| {
                let machine = place.machines.get_mut(&id).filter(|machine| machine.instance.state == from);
                machine.map(|machine| machine.enter(now, to, reason)).is_some()
            });
            if entered {
                aws.emit(events::state_change(&id, to));
            }
        });
    }
}

#[async_trait(?Send)]
impl Ec2 for Aws {
    async fn describe_instances(
        &self,
        at: &Location,
        which: &Which,
        token: Option<String>,
    ) -> Result<Page<Instance>, Fault> {
        let read = |place: &Place, id: Option<&str>, then: Timestamp| match id {
            Some(id) => place.machines.get(id).into_iter().map(|machine| machine.seen(then)).collect(),
            None => place.machines.values().map(|machine| machine.seen(then)).collect(),
        };
        let all = self.read("DescribeInstances", at, which, read, "InvalidInstanceID.NotFound").await?;
        Ok(page(all, token))
    }

    async fn describe_volumes(
        &self,
        at: &Location,
        which: &Which,
        token: Option<String>,
    ) -> Result<Page<Volume>, Fault> {
        let read = |place: &Place, id: Option<&str>, _: Timestamp| match id {
            Some(id) => place.volumes.get(id).into_iter().cloned().collect(),
            None => place.volumes.values().cloned().collect::<Vec<_>>(),
        };
        let all = self.read("DescribeVolumes", at, which, read, "InvalidVolume.NotFound").await?;
        Ok(page(all, token))
    }

    async fn describe_snapshots(
        &self,
        at: &Location,
        query: &SnapshotQuery,
        token: Option<String>,
    ) -> Result<Page<Snapshot>, Fault> {
        let which = match query {
            SnapshotQuery::Ours
            | SnapshotQuery::OfInstance(_)
            | SnapshotQuery::EbsSnapper
            | SnapshotQuery::EbsSnapperOf(_)
            | SnapshotQuery::PendingOf(_) => Which::All,
            SnapshotQuery::Ids(ids) => Which::Ids(ids.clone()),
        };
        let read = |place: &Place, id: Option<&str>, then: Timestamp| -> Vec<Snapshot> {
            match (id, query) {
                (Some(id), _) => {
                    place.snapshots.get(id).and_then(|copy| copy.seen(then)).into_iter().collect()
                }
                (None, SnapshotQuery::OfInstance(id)) => {
                    place.of_instance(id).filter_map(|copy| copy.seen(then)).collect()
                }
                (None, SnapshotQuery::EbsSnapper | SnapshotQuery::EbsSnapperOf(_)) => {
                    // As EC2's filters do: nothing is read of the day, or of the rest of the description.
                    let described = |text: &str| match query {
                        SnapshotQuery::EbsSnapperOf(id) => text.starts_with(&ebs_snapper::description(id)),
                        _ => text.starts_with("Created from i-") && text.contains(" by EbsSnapper("),
                    };
                    let theirs = |copy: &&Copy| {
                        copy.snapshot.tags.contains_key(ebs_snapper::DELETE_ON)
                            && described(&copy.snapshot.description)
                    };
                    place.snapshots.values().filter(theirs).filter_map(|copy| copy.seen(then)).collect()
                }
                (None, SnapshotQuery::PendingOf(volumes)) => {
                    let pending = volumes.iter().flat_map(|volume| place.pending_of(volume));
                    pending.filter_map(|copy| copy.seen(then)).collect()
                }
                (None, _) => {
                    let ours = |copy: &&Copy| copy.snapshot.tags.contains_key(set_tags::OCCURRENCE);
                    place.snapshots.values().filter(ours).filter_map(|copy| copy.seen(then)).collect()
                }
            }
        };
        let all = self.read("DescribeSnapshots", at, &which, read, "InvalidSnapshot.NotFound").await?;
        Ok(page(all, token))
    }

    async fn is_stop_protected(&self, at: &Location, instance_id: &str) -> Result<bool, Fault> {
        self.stop_protection(at, instance_id).await
    }

    async fn scheduled_events(&self, at: &Location, ids: &[String]) -> Result<Vec<ScheduledEvent>, Fault> {
        self.events_of(at, ids).await
    }

    async fn modifications(
        &self,
        at: &Location,
        volume_ids: &[String],
        _: Option<String>,
    ) -> Result<Page<Modification>, Fault> {
        self.modifications_of(at, volume_ids).await
    }

    async fn instance_storage(
        &self,
        at: &Location,
        instance_types: &[String],
        _: Option<String>,
    ) -> Result<Page<InstanceStorage>, Fault> {
        self.storage_of(at, instance_types).await
    }

    async fn spot_requests(
        &self,
        at: &Location,
        request_ids: &[String],
        _: Option<String>,
    ) -> Result<Page<SpotRequest>, Fault> {
        self.spot_requests_of(at, request_ids).await
    }

    async fn stop_instance(&self, at: &Location, instance_id: &str) -> Result<StateChange, Fault> {
        const OPERATION: &str = "StopInstances";
        self.request(OPERATION, at, Budget::Stop).await?;
        let now = self.clock().now();
        let (from, takes) = self.at_place(at, |place| {
            let refused = place.machines.get(instance_id).and_then(|machine| never_stops(machine, place));
            if let Some(fault) = refused {
                return Err(fault);
            }
            let machine = place.machines.get_mut(instance_id);
            let machine = machine.ok_or_else(|| no_instance(OPERATION, instance_id))?;
            let from = machine.instance.state;
            if from.is_gone() || from == InstanceState::Pending {
                let message = format!("IncorrectInstanceState: '{instance_id}' is {from}");
                return Err(rejected(OPERATION, FaultKind::Conflict, message));
            }
            if from == InstanceState::Running {
                machine.enter(now, InstanceState::Stopping, Some("Client.UserInitiatedShutdown"));
            }
            Ok((from, machine.stop_takes))
        })?;
        if from == InstanceState::Running {
            self.emit(events::state_change(instance_id, InstanceState::Stopping));
            self.watch_member(at, instance_id);
            self.later(at, instance_id, takes, InstanceState::Stopping, InstanceState::Stopped, None);
        }
        let to = if from == InstanceState::Running { InstanceState::Stopping } else { from };
        Ok(StateChange { from, to })
    }

    async fn start_instance(&self, at: &Location, instance_id: &str) -> Result<StateChange, Fault> {
        const OPERATION: &str = "StartInstances";
        self.request(OPERATION, at, Budget::Start).await?;
        let now = self.clock().now();
        let (from, takes, no_grant) = self.at_place(at, |place| {
            let locked = place.machines.get(instance_id).is_some_and(|machine| !opens(machine, place));
            let machine = place.machines.get_mut(instance_id);
            let machine = machine.ok_or_else(|| no_instance(OPERATION, instance_id))?;
            let from = machine.instance.state;
            if from.is_gone() || from == InstanceState::Stopping {
                let message = format!("IncorrectInstanceState: '{instance_id}' is {from}");
                return Err(rejected(OPERATION, FaultKind::Conflict, message));
            }
            if from == InstanceState::Stopped {
                if machine.faults.contains(&FaultName::NoCapacity) {
                    let message =
                        "InsufficientInstanceCapacity: Insufficient capacity in this Availability Zone.";
                    return Err(rejected(OPERATION, FaultKind::NoCapacity, message));
                }
                machine.enter(now, InstanceState::Pending, None);
            }
            Ok((from, machine.start_takes, locked || machine.faults.contains(&FaultName::KmsGrantMissing)))
        })?;
        if from == InstanceState::Stopped {
            self.emit(events::state_change(instance_id, InstanceState::Pending));
            if no_grant {
                let (soon, why) = (self.between(3_000..=9_000), Some("Client.InternalError"));
                self.later(at, instance_id, soon, InstanceState::Pending, InstanceState::Stopped, why);
            } else {
                self.later(at, instance_id, takes, InstanceState::Pending, InstanceState::Running, None);
            }
        }
        let to = if from == InstanceState::Stopped { InstanceState::Pending } else { from };
        Ok(StateChange { from, to })
    }

    async fn create_snapshots(
        &self,
        at: &Location,
        request: &CreateSnapshots,
    ) -> Result<Vec<CreatedSnapshot>, Fault> {
        const OPERATION: &str = "CreateSnapshots";
        self.request(OPERATION, at, Budget::Snapshot).await?;
        takes_tags(OPERATION, &request.tags, &Tags::new())?;
        let now = self.clock().now();
        let faults = self.look(|world| {
            world.machine(&request.instance_id).map(|machine| machine.faults.clone()).unwrap_or_default()
        });
        if faults.contains(&FaultName::SnapshotLimit) {
            let message = "SnapshotLimitExceeded: Your account has reached its limit of snapshots.";
            return Err(rejected(OPERATION, FaultKind::LimitExceeded, message));
        }
        let made = self.change(|world| make_snapshots(world, at, request, now))?;
        let takes = self.look(|world| world.machine(&request.instance_id)?.snapshots_take);
        let fails =
            match (faults.contains(&FaultName::SnapshotError), faults.contains(&FaultName::VolumeError)) {
                (true, _) => made.len(),
                (false, true) => 1,
                (false, false) => 0,
            };
        self.settle(at, &made, takes, fails);
        if self.has(FaultName::CreateUnanswered) && self.happens(1.0 / 3.0) {
            self.clock().sleep(Duration::from_secs(5)).await;
            return Err(rejected(OPERATION, FaultKind::Unanswered, "no answer within 5 s"));
        }
        Ok(made)
    }

    async fn tag_snapshots(&self, at: &Location, snapshot_ids: &[String], add: &Tags) -> Result<(), Fault> {
        const OPERATION: &str = "CreateTags";
        if snapshot_ids.is_empty() || add.is_empty() {
            return Ok(());
        }
        self.request(OPERATION, at, Budget::CreateTags).await?;
        self.at_place(at, |place| {
            // All of them or none.
            for id in snapshot_ids {
                let copy = place.snapshots.get(id).ok_or_else(|| no_snapshot(OPERATION, id))?;
                takes_tags(OPERATION, add, &copy.snapshot.tags)?;
            }
            for id in snapshot_ids {
                if let Some(copy) = place.snapshots.get_mut(id) {
                    copy.snapshot.tags.extend(add.clone());
                }
            }
            Ok(())
        })
    }

    async fn delete_snapshot(&self, at: &Location, snapshot_id: &str) -> Result<(), Fault> {
        const OPERATION: &str = "DeleteSnapshot";
        self.request(OPERATION, at, Budget::Snapshot).await?;
        self.at_place(at, |place| {
            if place.images.contains(snapshot_id) {
                let message = format!("InvalidSnapshot.InUse: '{snapshot_id}' is in use by an image");
                return Err(rejected(OPERATION, FaultKind::Conflict, message));
            }
            if place.locked.contains(snapshot_id) {
                let message = format!("SnapshotLocked: '{snapshot_id}' is locked");
                return Err(rejected(OPERATION, FaultKind::Conflict, message));
            }
            Ok(())
        })?;
        self.change(|world| {
            let place = world.places.entry(at.clone()).or_default();
            let complete = if world.watch.on { place.complete_beside(snapshot_id) } else { Vec::new() };
            let copy =
                place.snapshots.remove(snapshot_id).ok_or_else(|| no_snapshot(OPERATION, snapshot_id))?;
            if world.watch.on {
                world.watch.deleted.push(Deleted { snapshot: copy.snapshot, complete });
            }
            Ok(())
        })
    }
}

fn make_snapshots(
    world: &mut super::World,
    at: &Location,
    request: &CreateSnapshots,
    now: Timestamp,
) -> Result<Vec<CreatedSnapshot>, Fault> {
    let place = world.places.get(at);
    let machine = place.and_then(|place| place.machines.get(&request.instance_id));
    let instance = machine
        .map(|m| m.instance.clone())
        .ok_or_else(|| no_instance("CreateSnapshots", &request.instance_id))?;
    if request.exclude_volumes.iter().any(|volume_id| instance.is_root(volume_id)) {
        let message = "InvalidParameterValue: the root volume cannot be excluded as a data volume";
        return Err(rejected("CreateSnapshots", FaultKind::Rejected, message));
    }
    if request.exclude_volumes.len() > EXCLUDED {
        let message = format!("InvalidParameterValue: at most {EXCLUDED} data volumes can be excluded");
        return Err(rejected("CreateSnapshots", FaultKind::Rejected, message));
    }
    let left_out = |volume_id: &String| {
        request.exclude_volumes.contains(volume_id) || request.exclude_root && instance.is_root(volume_id)
    };
    let taken: Vec<&String> =
        instance.devices.iter().map(|device| &device.volume_id).filter(|id| !left_out(id)).collect();
    if taken.len() > VOLUMES {
        let message = format!("InvalidParameterValue: at most {VOLUMES} volumes can be copied at one time");
        return Err(rejected("CreateSnapshots", FaultKind::Rejected, message));
    }
    let full = taken.iter().find(|volume_id| {
        let kind = place
            .and_then(|place| place.volumes.get(**volume_id))
            .map_or("gp3", |volume| &volume.volume_type);
        place.is_some_and(|place| place.pending_of(volume_id).count() >= pending_allowed(kind))
    });
    if let Some(volume_id) = full {
        let message = format!(
            "ConcurrentSnapshotLimitExceeded: as many snapshots of {volume_id} are pending as may be"
        );
        return Err(rejected("CreateSnapshots", FaultKind::LimitExceeded, message));
    }
    // EC2 keeps whole seconds.
    let started_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let mut made = Vec::new();
    for volume_id in taken {
        let id = world.id("snap");
        let Some(place) = world.places.get_mut(at) else { continue };
        let size_gib = place.volumes.get(volume_id).map_or(0, |volume| volume.size_gib);
        let snapshot = Snapshot {
            id: id.clone(),
            owner: Some(at.account.clone()),
            volume_id: volume_id.clone(),
            state: SnapshotState::Pending,
            started_at,
            size_gib,
            description: request.description.clone(),
            tags: request.tags.clone(),
        };
        place.keep(Copy { snapshot, made: now, settled: None });
        made.push(CreatedSnapshot { id, volume_id: volume_id.clone(), started_at });
    }
    Ok(made)
}

impl Aws {
    /// Lets the snapshots of one call complete but for the last `fails` of them; then one event tells of it. EC2 says that
    /// all of a call fail together.
    fn settle(&self, at: &Location, made: &[CreatedSnapshot], takes: Option<Duration>, fails: usize) {
        let ids: Vec<String> = made.iter().map(|snapshot| snapshot.id.clone()).collect();
        let largest = self.at_place(at, |place| {
            let sizes =
                ids.iter().filter_map(|id| place.snapshots.get(id)).map(|copy| copy.snapshot.size_gib);
            sizes.max().unwrap_or(0)
        });
        // An incremental copy: a minute or two, and some seconds a GiB.
        let takes = takes.unwrap_or_else(|| {
            self.between(60_000..=150_000) + self.between(1_000..=4_000) * u32::try_from(largest).unwrap_or(1)
        });
        let (aws, at) = (self.clone(), at.clone());
        self.clock().clone().spawn(async move {
            aws.clock().sleep(takes).await;
            let now = aws.clock().now();
            let well = ids.len() - fails;
            aws.at_place(&at, |place| {
                for (n, id) in ids.iter().enumerate() {
                    let state = if n < well { SnapshotState::Completed } else { SnapshotState::Error };
                    place.settle(id, state, now);
                }
            });
            aws.emit(events::snapshots(&at, &ids, fails == 0));
        });
    }
}
