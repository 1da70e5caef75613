//! The world that a scenario happens in.

use std::cell::RefCell;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::{InstanceState, Location, SnapshotState, Tags};
use stopgap_core::policy;
use stopgap_core::ports::{Health, PruneMode, Settings};
use stopgap_core::records::{PlannedUntil, Slots};
use stopgap_core::set_tags;

use super::named::named;
use super::trouble::Plight;
use crate::aws::{Aws, FaultName, GroupSpec, InstanceSpec, World};
use crate::deployment::Deployment;
use crate::machines::Machines;
use crate::stepfunctions::Keep;

named! {
    /// How things are before anything goes wrong. The usual has no name.
    Setting {
        Night = "", "A running member of an Auto Scaling group, whose retention deletes two older backups.";
        CompletedFirst = "completed-first", "The policy keeps the instance down until its snapshots are completed.";
        Suspend = "suspend", "The policy suspends the group's processes instead of Standby.";
        Balanced = "balanced", "An instance outside of Auto Scaling, which the policy takes out of its load balancers.";
        StoppedBefore = "stopped-before", "The instance is stopped, and has to stay so.";
        Skip = "skip", "The policy refuses members of Auto Scaling groups.";
        Busy = "busy", "Another member of the concurrency group is down for as long as the backup may begin.";
        LateFleet = "late-fleet", "The fleet does not run for as long as the backup may begin.";
        ShortPatience = "short-patience", "A run tries to start its instance for twenty minutes only.";
    }
}

/// The policy's id.
pub(super) const POLICY: &str = "nightly";
/// How many complete backups have to stay, whatever the rules say.
pub(super) const FLOOR: usize = 2;
/// The concurrency group, and who else is in it.
const CLUSTER: &str = "tag:Cluster=c1";

/// The deployment with what is in it.
pub(super) struct Stage {
    pub(super) stopgap: Deployment,
    pub(super) setting: Setting,
    /// Whose backup it is.
    pub(super) subjects: Vec<String>,
    pub(super) before: Before,
    /// When people did something.
    pub(super) acted: RefCell<Vec<Timestamp>>,
}

/// What was there before.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// The snapshots that are no backups of the subjects under the policy.
    pub(super) others: Vec<String>,
    /// How many members the group should have in service.
    pub(super) desired: usize,
    /// The alarms that acted.
    pub(super) alarms: Vec<String>,
    /// The targets that load balancers found healthy.
    pub(super) targets: Vec<String>,
}

/// The targets that load balancers find healthy: instance, target group and port.
pub(super) fn serving(aws: &Aws, ids: &[String]) -> Vec<String> {
    let of = |id: &String| {
        let healthy =
            aws.target_health(&home(), id).into_iter().filter(|(_, health)| *health == Health::Healthy);
        healthy.map(|((group, port), _)| format!("{id} {group}:{port}")).collect::<Vec<_>>()
    };
    ids.iter().flat_map(of).collect()
}

/// The alarms that act.
pub(super) fn acting(world: &World) -> Vec<String> {
    let alarms = world.places.values().flat_map(|place| place.alarms.values());
    alarms.filter(|alarm| alarm.acts).map(|alarm| alarm.name.clone()).collect()
}

pub(super) fn home() -> Location {
    Location::new("123456789012", "us-east-1")
}

/// A time of the first night's date.
pub(super) fn at(hour: i8, minute: i8) -> Timestamp {
    let midnight = Timestamp::from_second(1_795_219_200).unwrap_or_default();
    midnight + SignedDuration::from_mins(i64::from(hour) * 60 + i64::from(minute))
}

/// When all is mended that goes wrong in the first night.
pub(super) fn mended_at() -> Timestamp {
    at(3, 0)
}

fn policy_of(setting: Setting) -> Value {
    let mut policy = json!({
        "version": 1,
        "id": POLICY,
        "select": { "any": [{ "tag": { "Backup": ["nightly"] } }] },
        "schedule": { "expression": "cron(0 2 * * ? *)", "start_within": "30m" },
        "retention": { "keep_last": 2, "at_least": FLOOR },
        "concurrency": { "group_by": "tag:Cluster", "max": 1 },
        "alarms": "silence",
    });
    match setting {
        Setting::CompletedFirst => policy["restart"] = json!("snapshot-completed"),
        Setting::Suspend => policy["autoscaling"] = json!("suspend"),
        Setting::Balanced => policy["load_balancers"] = json!("deregister"),
        Setting::Skip => policy["autoscaling"] = json!("skip"),
        _ => {}
    }
    policy
}

/// Builds it, with so many subjects.
pub(super) fn build(
    machines: &Machines,
    setting: Setting,
    seed: u64,
    subjects: usize,
) -> Result<Stage, String> {
    let mut settings = Settings { prune: PruneMode::Delete, ..Settings::new(home()) };
    if setting == Setting::ShortPatience {
        settings.restart_limit = SignedDuration::from_mins(20);
    }
    let stopgap = Deployment::of(machines, at(1, 40), seed, settings, Keep::Outline);
    let aws = &stopgap.aws;
    let policy = policy::parse_value(&policy_of(setting)).map_err(|errors| errors.to_string())?;
    aws.add_policy(&policy);
    // Of what was due before the very first plan nothing can have been missed; this is not that one.
    let planned = json!(PlannedUntil::everywhere(at(1, 30)));
    aws.change(|world| world.table.insert(PlannedUntil::key(), (1, planned)));
    aws.change(|world| {
        world.even = true;
        (world.watch.on, world.watch.noting) = (true, true);
    });
    let ids: Vec<String> = (0..subjects).map(|n| subject(aws, setting, n)).collect();
    for id in &ids {
        aws.add_alarm(&home(), &format!("{id} does not answer"), &[id], true);
        aws.add_alarm(&home(), &format!("{id} is idle"), &[id], false);
    }
    let spare = aws.add_instance(InstanceSpec::new(&home()));
    let neighbour = aws.add_instance(InstanceSpec::new(&home()).state(InstanceState::Stopped));
    if setting == Setting::Balanced {
        let targets: Vec<(&str, u16)> = ids.iter().map(|id| (id.as_str(), 443)).collect();
        aws.add_target_group(&home(), "web", &targets);
        // So that it is asked a few times, not dozens: what goes wrong with one of many questions goes wrong with another.
        aws.change(|world| {
            for group in world.places.values_mut().flat_map(|place| place.target_groups.values_mut()) {
                (group.drains_for, group.checks_take) = (Duration::from_secs(20), Duration::from_secs(10));
            }
        });
    }
    let is_member = !matches!(setting, Setting::StoppedBefore | Setting::Balanced);
    if let Some(first) = ids.first().filter(|_| is_member) {
        aws.add_group(GroupSpec {
            location: home(),
            name: "web".to_owned(),
            minimum: 1,
            members: vec![first.clone(), spare],
            drains_for: Duration::from_secs(20),
        });
    }
    for (id, days) in ids.iter().flat_map(|id| (1..=3).map(move |days| (id, days))) {
        old_backup(aws, id, POLICY, days);
    }
    let backups: Vec<String> =
        aws.look(|world| world.snapshots().map(|snapshot| snapshot.id.clone()).collect());
    // What is none of the policy's business: another policy's backup, one made by hand, a neighbour's.
    if let Some(first) = ids.first() {
        old_backup(aws, first, "weekly", 30);
        aws.add_backup(first, at(0, 0), &Tags::new());
    }
    old_backup(aws, &neighbour, POLICY, 40);
    if setting == Setting::Busy {
        hold_slot(aws);
    }
    let (others, alarms) = aws.look(|world| {
        let snapshots = world.snapshots().map(|snapshot| snapshot.id.clone());
        (snapshots.filter(|id| !backups.contains(id)).collect(), acting(world))
    });
    let targets = serving(aws, &ids);
    Ok(Stage {
        stopgap,
        setting,
        subjects: ids,
        before: Before { others, desired: 2, alarms, targets },
        acted: RefCell::default(),
    })
}

fn subject(aws: &Aws, setting: Setting, n: usize) -> String {
    let spec = InstanceSpec::new(&home())
        .tag("Backup", "nightly")
        .tag("Cluster", if n < 2 { "c1" } else { "c2" })
        .volume(20, &[("Data", "yes")]);
    let stopped = setting == Setting::StoppedBefore || n == 3;
    aws.add_instance(if stopped { spec.state(InstanceState::Stopped) } else { spec })
}

fn old_backup(aws: &Aws, instance_id: &str, policy: &str, days: i64) {
    let volumes = aws.look(|world| world.machine(instance_id).map_or(0, |m| m.instance.devices.len()));
    let made = at(2, 0) - SignedDuration::from_hours(24 * days);
    let tags = Tags::from([
        (set_tags::POLICY.to_owned(), policy.to_owned()),
        (set_tags::INSTANCE.to_owned(), instance_id.to_owned()),
        (set_tags::OCCURRENCE.to_owned(), format!("{policy}/{made}")),
        (set_tags::VOLUMES.to_owned(), volumes.to_string()),
    ]);
    aws.add_backup(instance_id, made, &tags);
}

fn slot() -> stopgap_core::ports::Key {
    Slots::key(&home(), CLUSTER)
}

fn hold_slot(aws: &Aws) {
    let body =
        json!({ "holders": { "someone": "arn:aws:states:us-east-1:123456789012:execution:other:run" } });
    aws.change(|world| world.table.insert(slot(), (1, body)));
}

impl Stage {
    /// Lets the world be unkind.
    pub(super) fn befall(&self, plight: Plight) {
        self.stopgap.aws.change(|world| {
            for id in &self.subjects {
                let Some(machine) = world.machine_mut(id) else { continue };
                match plight {
                    Plight::NoCapacity => drop(machine.faults.insert(FaultName::NoCapacity)),
                    Plight::NoGrant => drop(machine.faults.insert(FaultName::KmsGrantMissing)),
                    Plight::StuckStopping => machine.stop_takes = Duration::from_secs(45 * 60),
                    Plight::SnapshotsFail => drop(machine.faults.insert(FaultName::SnapshotError)),
                    Plight::VolumeFails => drop(machine.faults.insert(FaultName::VolumeError)),
                    Plight::SnapshotLimit => drop(machine.faults.insert(FaultName::SnapshotLimit)),
                    Plight::StopProtected => drop(machine.faults.insert(FaultName::StopProtected)),
                    Plight::TagLimit => {
                        let volumes: Vec<String> =
                            machine.instance.devices.iter().map(|device| device.volume_id.clone()).collect();
                        for place in world.places.values_mut() {
                            for id in &volumes {
                                let Some(volume) = place.volumes.get_mut(id) else { continue };
                                volume.tags.extend((0..49).map(|n| (format!("k{n}"), "v".to_owned())));
                            }
                        }
                    }
                    Plight::BackupLocked => {
                        let oldest = format!("{POLICY}/{}", at(2, 0) - SignedDuration::from_hours(72));
                        for place in world.places.values_mut() {
                            let of_oldest =
                                place.snapshots.values().map(|copy| &copy.snapshot).filter(|snapshot| {
                                    snapshot.tags.get(set_tags::OCCURRENCE) == Some(&oldest)
                                });
                            place.locked = of_oldest.map(|snapshot| snapshot.id.clone()).collect();
                        }
                    }
                }
            }
        });
    }

    /// Mends all that was wrong with the world.
    pub(super) fn mend(&self) {
        self.stopgap.aws.change(|world| {
            world.watch.disarm();
            world.event_faults.clear();
            world.faults.clear();
            for id in &self.subjects {
                if let Some(machine) = world.machine_mut(id) {
                    machine.faults.clear();
                    machine.stop_takes = Duration::from_secs(45);
                }
            }
            for place in world.places.values_mut() {
                place.locked.clear();
                place
                    .volumes
                    .values_mut()
                    .for_each(|volume| volume.tags.retain(|key, _| !key.starts_with('k')));
            }
            if self.setting == Setting::Busy {
                world.table.remove(&slot());
            }
        });
    }

    /// Deletes all older backups but the one that retention deletes first, as a person does.
    pub(super) fn delete_older(&self) {
        self.stopgap.aws.change(|world| {
            for place in world.places.values_mut() {
                let oldest = at(2, 0) - SignedDuration::from_hours(72);
                place.snapshots.retain(|id, copy| {
                    let of_policy = !self.before.others.contains(id) && copy.made < at(0, 0);
                    !of_policy || copy.made <= oldest || copy.snapshot.state != SnapshotState::Completed
                });
            }
        });
    }
}
