//! Putting instances and groups into the world.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use stopgap_core::inventory::{
    Attachment, Attributes, BlockDevice, Instance, InstanceState, Location, Snapshot, SnapshotState, Tags,
    Volume,
};
use stopgap_core::policy::Policy;
use stopgap_core::ports::{Alarm, LifecycleState, Registration};
use stopgap_core::records::policy_key;

use super::load_balancers::{Standing, TargetGroup};
use super::world::{Copy, Group, Machine};
use super::{Aws, FaultName};

/// An instance to be.
#[derive(Clone, Debug)]
pub struct InstanceSpec {
    /// Where.
    pub location: Location,
    /// Its tags.
    pub tags: Tags,
    /// Its state.
    pub state: InstanceState,
    /// Its volumes, the root first.
    pub volumes: Vec<VolumeSpec>,
    /// What will befall it.
    pub faults: BTreeSet<FaultName>,
    /// What filters can ask about it, such as its `instance-type`.
    pub attributes: Attributes,
    /// The Spot request it is of.
    pub spot_request: Option<String>,
    /// Whether it is enabled for hibernation.
    pub hibernation: bool,
    /// Its public address, if it is not an Elastic IP address.
    pub passing_address: Option<String>,
}

/// A volume to be.
#[derive(Clone, Debug)]
pub struct VolumeSpec {
    /// Its size in GiB.
    pub size_gib: u64,
    /// Its tags.
    pub tags: Tags,
    /// Its type, such as `gp3`.
    pub volume_type: String,
    /// The KMS key it is encrypted with.
    pub kms_key_id: Option<String>,
}

impl VolumeSpec {
    /// A gp3 volume that is not encrypted.
    pub fn new(size_gib: u64, tags: Tags) -> Self {
        Self { size_gib, tags, volume_type: "gp3".to_owned(), kms_key_id: None }
    }
}

/// An Auto Scaling group to be. Its desired capacity is the number of its members.
#[derive(Clone, Debug)]
pub struct GroupSpec {
    /// Where.
    pub location: Location,
    /// Its name.
    pub name: String,
    /// Its minimum.
    pub minimum: usize,
    /// Its members' ids.
    pub members: Vec<String>,
    /// How long a member drains.
    pub drains_for: Duration,
}

impl InstanceSpec {
    /// A running instance with one root volume of 8 GiB.
    pub fn new(location: &Location) -> Self {
        Self {
            location: location.clone(),
            tags: Tags::new(),
            state: InstanceState::Running,
            volumes: vec![VolumeSpec::new(8, Tags::new())],
            faults: BTreeSet::new(),
            attributes: Attributes::default(),
            spot_request: None,
            hibernation: false,
            passing_address: None,
        }
    }

    /// There.
    #[must_use]
    pub fn at(mut self, location: &Location) -> Self {
        self.location = location.clone();
        self
    }

    /// With a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// In this state.
    #[must_use]
    pub fn state(mut self, state: InstanceState) -> Self {
        self.state = state;
        self
    }

    /// With another volume.
    #[must_use]
    pub fn volume(mut self, size_gib: u64, tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.volumes.push(VolumeSpec::new(size_gib, tags));
        self
    }

    /// With what a filter can ask about it, such as its `instance-type`.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.add(name, value);
        self
    }

    /// With something that will befall it.
    #[must_use]
    pub fn fault(mut self, fault: FaultName) -> Self {
        self.faults.insert(fault);
        self
    }
}

/// How long EC2 takes with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// To stop it.
    pub stop: Duration,
    /// To start it.
    pub start: Duration,
    /// To complete its snapshots.
    pub snapshots: Duration,
}

impl Aws {
    /// Puts an instance into the world as it was described, with its volumes; those that `volumes` lacks are taken for
    /// volumes without tags.
    pub fn add_described(&self, instance: &Instance, volumes: &BTreeMap<&str, &Volume>, pace: Pace) {
        self.change(|world| {
            let place = world.places.entry(instance.location.clone()).or_default();
            for device in &instance.devices {
                let bare = || Volume {
                    id: device.volume_id.clone(),
                    size_gib: 0,
                    volume_type: "gp3".to_owned(),
                    kms_key_id: None,
                    tags: Tags::new(),
                    attachments: Vec::new(),
                };
                let volume =
                    volumes.get(device.volume_id.as_str()).map_or_else(bare, |known| (*known).clone());
                place.attach(volume);
            }
            let mut machine = Machine::new(instance.clone(), pace.stop, pace.start);
            machine.snapshots_take = Some(pace.snapshots);
            place.machines.insert(instance.id.clone(), machine);
        });
    }

    /// Puts an instance into the world and answers its id.
    pub fn add_instance(&self, spec: InstanceSpec) -> String {
        let (stop_takes, start_takes) = (self.between(18_000..=75_000), self.between(9_000..=28_000));
        self.change(|world| {
            let id = world.id("i");
            let devices: Vec<BlockDevice> = spec
                .volumes
                .iter()
                .enumerate()
                .map(|(n, _)| BlockDevice {
                    device: device_name(n),
                    volume_id: world.id("vol"),
                    attached_at: Some(Timestamp::UNIX_EPOCH),
                })
                .collect();
            let place = world.places.entry(spec.location.clone()).or_default();
            for (device, volume) in devices.iter().zip(spec.volumes) {
                let attachment = Attachment {
                    instance_id: id.clone(),
                    device: device.device.clone(),
                    attached_at: device.attached_at,
                };
                let volume = Volume {
                    id: device.volume_id.clone(),
                    size_gib: volume.size_gib,
                    volume_type: volume.volume_type,
                    kms_key_id: volume.kms_key_id,
                    tags: volume.tags,
                    attachments: vec![attachment],
                };
                place.attach(volume);
            }
            let instance = Instance {
                id: id.clone(),
                location: spec.location,
                state: spec.state,
                state_reason: None,
                root_device: Some(device_name(0)),
                devices,
                tags: spec.tags,
                attributes: spec.attributes,
                spot_request: spec.spot_request,
                hibernation: spec.hibernation,
                passing_address: spec.passing_address,
            };
            let mut machine = Machine::new(instance, stop_takes, start_takes);
            machine.faults = spec.faults;
            place.machines.insert(id.clone(), machine);
            id
        })
    }

    /// Puts an Auto Scaling group into the world, and the tag of membership on its members.
    pub fn add_group(&self, spec: GroupSpec) {
        self.change(|world| {
            let place = world.places.entry(spec.location).or_default();
            for id in &spec.members {
                if let Some(machine) = place.machines.get_mut(id) {
                    machine.instance.tags.insert("aws:autoscaling:groupName".to_owned(), spec.name.clone());
                }
            }
            let group = Group {
                minimum: spec.minimum,
                desired: spec.members.len(),
                members: spec.members.into_iter().map(|id| (id, LifecycleState::InService)).collect(),
                suspended: BTreeSet::new(),
                drains_for: spec.drains_for,
                hooks_take: Duration::ZERO,
                grace: Duration::ZERO,
                minded_from: BTreeMap::new(),
                uneven: false,
                replaced: Vec::new(),
            };
            place.groups.insert(spec.name, group);
        });
    }

    /// Puts a target group into the world, in which these instances are healthy at these ports. It drains for the 300 s of
    /// AWS's default, and health checks take two minutes and a half.
    pub fn add_target_group(&self, at: &Location, arn: &str, targets: &[(&str, u16)]) {
        let target = |(id, port): &(&str, u16)| {
            let registration = Registration { port: *port, quic_server_id: None };
            (((*id).to_owned(), registration), Standing::Registered(Timestamp::MIN))
        };
        let group = TargetGroup {
            drains_for: Duration::from_secs(300),
            checks_take: Duration::from_secs(150),
            targets: targets.iter().map(target).collect(),
        };
        self.change(|world| {
            world.places.entry(at.clone()).or_default().target_groups.insert(arn.to_owned(), group);
        });
    }

    /// Puts an alarm into the world that watches these instances.
    pub fn add_alarm(&self, at: &Location, name: &str, instances: &[&str], acts: bool) {
        let instances = instances.iter().map(|id| (*id).to_owned()).collect();
        let alarm = Alarm { name: name.to_owned(), acts, instances };
        self.change(|world| {
            world.places.entry(at.clone()).or_default().alarms.insert(name.to_owned(), alarm);
        });
    }

    /// Puts a completed snapshot of each of an instance's volumes into the world, as an earlier run left them.
    pub fn add_backup(&self, instance_id: &str, made: Timestamp, tags: &Tags) {
        self.change(|world| {
            let Some(instance) = world.machine(instance_id).map(|machine| machine.instance.clone()) else {
                return;
            };
            for device in &instance.devices {
                let snapshot = Snapshot {
                    id: world.id("snap"),
                    owner: Some(instance.location.account.clone()),
                    volume_id: device.volume_id.clone(),
                    state: SnapshotState::Completed,
                    started_at: made,
                    size_gib: 8,
                    description: String::new(),
                    tags: tags.clone(),
                };
                let place = world.places.entry(instance.location.clone()).or_default();
                place.keep(Copy { snapshot, made, settled: Some(made) });
            }
        });
    }

    /// Puts the role of a spoke stack into an account.
    pub fn add_role(&self, account: &str, role: &str) {
        self.change(|world| world.roles.insert((account.to_owned(), role.to_owned())));
    }

    /// Stores a policy.
    pub fn add_policy(&self, policy: &Policy) {
        // A policy that was parsed can be written; the table would hold nothing otherwise, and every test of it fail.
        let body = serde_json::to_value(policy).unwrap_or_default();
        self.change(|world| world.table.insert(policy_key(&policy.id), (1, body)));
    }
}

/// `/dev/xvda` for the root, then `/dev/sdf` and on, as EC2 recommends.
fn device_name(n: usize) -> String {
    match n {
        0 => "/dev/xvda".to_owned(),
        n => format!("/dev/sd{}", char::from(b'e' + u8::try_from(n).unwrap_or(0).min(21))),
    }
}
