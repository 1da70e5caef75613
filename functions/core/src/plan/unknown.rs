//! What the inventory does not know, and should.

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::inventory::{Instance, Inventory, Unknown};
use crate::select::VolumeSelection;

/// What is missing whatever policies select: places of instances, and instances that only volumes speak of.
pub(super) fn of_inventory(inventory: &Inventory) -> BTreeSet<Unknown> {
    let mut unknown: BTreeSet<Unknown> = inventory.unknown.iter().cloned().collect();
    let alive = inventory.instances.iter().filter(|instance| !instance.state.is_gone());
    for instance in alive.filter(|instance| !instance.location.is_known()) {
        let missing = if instance.location.account.is_empty() { "owner" } else { "Region" };
        let why = format!("its {missing} is not recorded, so it cannot be planned");
        unknown.insert(Unknown::new("instance", &instance.id, Some(&instance.id), why));
    }
    // An instance whose record made no sense has been reported with a better reason.
    let mut recorded: BTreeSet<&str> =
        inventory.instances.iter().map(|instance| instance.id.as_str()).collect();
    recorded.extend(inventory.unknown.iter().filter_map(|unknown| unknown.instance_id.as_deref()));
    let mut spoken_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for volume in &inventory.volumes {
        for attachment in volume.attachments.iter().filter(|a| !recorded.contains(a.instance_id.as_str())) {
            spoken_of.entry(&attachment.instance_id).or_default().insert(&volume.id);
        }
    }
    for (instance, volumes) in spoken_of {
        let volumes = volumes.into_iter().collect::<Vec<_>>().join(", ");
        let why = format!("there is no record of it, so no policy can select it; attached to it: {volumes}");
        unknown.insert(Unknown::new("instance", instance, Some(instance), why));
    }
    unknown
}

/// What is missing of a selected instance's volumes: records, and agreement on what is attached.
pub(super) fn of_selected(
    instance: &Instance,
    selection: &VolumeSelection,
    known: &Known<'_>,
) -> Vec<Unknown> {
    let id = Some(instance.id.as_str());
    let missing = selection.unknown.iter().map(|volume| {
        let why = "there is no record of it; the instance names it, so it is backed up, whatever its tags";
        Unknown::new("volume", volume, id, why)
    });
    let unconfirmed = selection.ids.iter().filter_map(|named| {
        let attachments = &known.volumes.get(named.as_str())?.attachments;
        if attachments.iter().any(|attachment| attachment.instance_id == instance.id) {
            return None;
        }
        let others: Vec<&str> =
            attachments.iter().map(|attachment| attachment.instance_id.as_str()).collect();
        let others = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
        let why = format!("the instance names it, but by its own record it is attached to {others}");
        Some(Unknown::new("attachment", named, id, why))
    });
    let attached = known.attached.get(instance.id.as_str()).into_iter().flatten();
    let names = |volume: &str| instance.devices.iter().any(|device| device.volume_id == volume);
    let unnamed = attached.filter(|volume| !names(volume)).map(|volume| {
        let why = "by its own record it is attached to the instance, which does not name it; it is missing from the plan";
        Unknown::new("attachment", volume, id, why)
    });
    missing.chain(unconfirmed).chain(unnamed).collect()
}
