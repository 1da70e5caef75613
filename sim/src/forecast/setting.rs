//! What is forecast: policies, the instances that they select, and where those are.

use std::collections::{BTreeMap, BTreeSet};

use stopgap_core::inventory::{Instance, InstanceState, Inventory, Location, Volume};
use stopgap_core::policy::Policy;

use super::Assumptions;

/// How many items a page of EC2's answers has at most.
const PAGE: u64 = 1_000;

/// How many pages so many items need beyond the first.
pub(super) fn pages_beyond_first(items: u64) -> u64 {
    items.div_ceil(PAGE).saturating_sub(1)
}

/// The parts of the question that everything else looks things up in.
pub(super) struct Setting {
    pub(super) policies: Vec<Policy>,
    /// The instances that a policy selects, by id, and all volumes. No snapshots.
    pub(super) inventory: Inventory,
    /// Where an instance stands in `inventory.instances`.
    pub(super) places: BTreeMap<String, usize>,
    /// The accounts and Regions of those instances.
    pub(super) locations: Vec<Location>,
    /// How many pages of instances and of volumes a plan reads beyond the first of each account and Region.
    pub(super) extra_pages: (u64, u64),
    pub(super) assumed: Assumptions,
}

impl Setting {
    pub(super) fn new(policies: Vec<Policy>, inventory: &Inventory, assumed: Assumptions) -> Self {
        let mut instances = inventory.instances.clone();
        let (volumes, unknown) = (inventory.volumes.clone(), inventory.unknown.clone());
        let mut per_place: BTreeMap<Location, (u64, u64)> = BTreeMap::new();
        for instance in &instances {
            let (count, attached) = per_place.entry(instance.location.clone()).or_default();
            *count += 1;
            *attached += instance.devices.len() as u64;
        }
        let beyond =
            |n: fn(&(u64, u64)) -> u64| per_place.values().map(|counts| pages_beyond_first(n(counts))).sum();
        let extra_pages = (beyond(|counts| counts.0), beyond(|counts| counts.1));
        instances.retain(|instance| policies.iter().any(|policy| selects(policy, instance)));
        instances.sort_by(|a, b| a.id.cmp(&b.id));
        // What is on its way when it is described has arrived before the first night.
        for instance in &mut instances {
            match instance.state {
                InstanceState::Pending => instance.state = InstanceState::Running,
                InstanceState::Stopping => instance.state = InstanceState::Stopped,
                _ => {}
            }
        }
        let places = instances.iter().enumerate().map(|(n, i)| (i.id.clone(), n)).collect();
        let locations: BTreeSet<Location> =
            instances.iter().map(|i| i.location.clone()).filter(Location::is_known).collect();
        Self {
            policies,
            inventory: Inventory { instances, volumes, snapshots: Vec::new(), unknown },
            places,
            locations: locations.into_iter().collect(),
            extra_pages,
            assumed,
        }
    }

    /// The volumes by id.
    pub(super) fn volumes(&self) -> BTreeMap<&str, &Volume> {
        self.inventory.volumes.iter().map(|volume| (volume.id.as_str(), volume)).collect()
    }

    /// Whether a policy selects an instance, enabled or not.
    pub(super) fn selects(&self, policy: usize, instance: &Instance) -> bool {
        self.policies.get(policy).is_some_and(|policy| selects(policy, instance))
    }

    pub(super) fn instance(&self, number: usize) -> Option<&Instance> {
        self.inventory.instances.get(number)
    }
}

fn selects(policy: &Policy, instance: &Instance) -> bool {
    policy.targets_place(&instance.location, None) && policy.selects(instance).is_selected()
}
