//! The fleet of the night: tagged, named and grouped instances in two Regions, some stopped, some that will fail.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stopgap_core::inventory::{InstanceState, Location, Tags};
use stopgap_core::set_tags;

use super::{Options, Victim, home};
use crate::aws::{Aws, FaultName, GroupSpec, InstanceSpec, Scope};

/// What goes wrong in every night of at least this many instances.
const USUAL: [FaultName; 3] = [FaultName::NoCapacity, FaultName::KmsGrantMissing, FaultName::SnapshotError];
const USUAL_FROM: usize = 12;

/// How many members a cluster or an Auto Scaling group has.
const GROUP: usize = 4;

/// Where the fleet is: what the policies target.
fn locations() -> [Location; 2] {
    [home(), Location::new(home().account, "eu-west-1")]
}

/// Builds the fleet, and answers who will fail.
pub(super) fn build(aws: &Aws, options: &Options, night: Timestamp) -> Result<Vec<Victim>, String> {
    let mut plain = Vec::new();
    let mut members: Vec<Vec<String>> = vec![Vec::new(), Vec::new()];
    for n in 0..options.instances {
        let region = usize::from(n % 5 >= 3);
        let Some(at) = locations().get(region).cloned() else { continue };
        let id = aws.add_instance(instance(n, &at));
        match n % 20 {
            0..=7 => plain.push(id),
            12..=15 => {
                if let Some(members) = members.get_mut(region) {
                    members.push(id);
                }
            }
            _ => {}
        }
    }
    for (region, members) in members.iter().enumerate() {
        let Some(at) = locations().get(region).cloned() else { continue };
        for (n, members) in members.chunks(GROUP).enumerate() {
            aws.add_group(GroupSpec {
                location: at.clone(),
                name: format!("web-{n}"),
                minimum: members.len() - 1,
                members: members.to_vec(),
                drains_for: Duration::from_secs(45),
            });
        }
    }
    for id in plain.iter().step_by(2) {
        earlier_nights(aws, id, night);
    }
    victims(aws, options, &plain)
}

/// The `n`th instance: what it is depends on `n` alone, so that fleets of all sizes are alike.
fn instance(n: usize, at: &Location) -> InstanceSpec {
    let spec = InstanceSpec::new(at);
    let spec = match n % 20 {
        0..=7 => spec.tag("Backup", "nightly").tag("Name", &format!("db-{n:03}")),
        8 => spec.tag("Backup", "nightly").tag("Env", "sandbox").tag("Name", &format!("sandbox-{n:03}")),
        9..=11 => spec.tag("Name", &format!("legacy-{n:03}")),
        12..=15 => spec.tag("Name", &format!("web-{n:03}")),
        16 => spec.tag("Backup", "nightly").tag("Name", &format!("off-{n:03}")).state(InstanceState::Stopped),
        17 => spec.tag("Backup", "live").tag("Name", &format!("live-{n:03}")),
        _ => spec
            .tag("Backup", "cluster")
            .tag("Cluster", &format!("c{}", n / (20 * GROUP / 2)))
            .tag("Name", &format!("node-{n:03}")),
    };
    let data = (0..n % 4).map(|v| 20 + 40 * u64::try_from((n + v) % 5).unwrap_or(0));
    data.fold(spec.tag("Team", "ops"), |spec, size| spec.volume(size, &[("Data", "yes")]))
}

/// Backups of the three nights before.
fn earlier_nights(aws: &Aws, instance_id: &str, night: Timestamp) {
    let volumes = aws.look(|world| world.machine(instance_id).map_or(0, |m| m.instance.devices.len()));
    for days in 1..=3_i64 {
        let Ok(day) = night.checked_sub(SignedDuration::from_hours(24 * days)) else { continue };
        let date = day.strftime("%Y-%m-%d");
        let tags = Tags::from([
            (set_tags::POLICY.to_owned(), "nightly".to_owned()),
            (set_tags::INSTANCE.to_owned(), instance_id.to_owned()),
            (set_tags::OCCURRENCE.to_owned(), format!("nightly/{date}T02:00:00Z")),
            (set_tags::VOLUMES.to_owned(), volumes.to_string()),
        ]);
        aws.add_backup(instance_id, day, &tags);
    }
}

/// Chooses who will fail: spread over the instances that are nothing special otherwise.
fn victims(aws: &Aws, options: &Options, plain: &[String]) -> Result<Vec<Victim>, String> {
    let asked = options.faults.iter().filter(|fault| fault.scope() == Scope::Instance);
    let usual = if options.instances >= USUAL_FROM { USUAL.as_slice() } else { &[] };
    let faults: Vec<FaultName> = usual.iter().chain(asked).copied().collect();
    if faults.len() > plain.len() {
        return Err(format!(
            "{} instances are too few for {} that fail: ask for more of them with --instances",
            options.instances,
            faults.len()
        ));
    }
    let stride = (plain.len() / faults.len().max(1)).max(1);
    let chosen = plain.iter().skip(usize::try_from(options.seed).unwrap_or(0) % stride).step_by(stride);
    let victims: Vec<Victim> =
        chosen.zip(faults).map(|(id, fault)| Victim { instance_id: id.clone(), fault }).collect();
    for victim in &victims {
        aws.change(|world| {
            if let Some(machine) = world.machine_mut(&victim.instance_id) {
                machine.faults.insert(victim.fault);
            }
        });
    }
    Ok(victims)
}
