//! What all kept snapshots store, volume by volume. Snapshots of one volume share their blocks, whichever policies they are
//! of, so that they are looked at together.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::series::Kept;
use super::setting::Setting;
use super::storage::stored_share;

/// The volumes of each instance, those that the same policies copy together.
pub(super) struct Store {
    bundles: Vec<Vec<Bundle>>,
    /// The ids of volumes whose size is not known.
    pub(super) unknown_sizes: BTreeSet<String>,
}

/// Volumes of one instance that the same policies copy.
struct Bundle {
    policies: Vec<usize>,
    gib: u64,
}

/// How much is stored, in GiB.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    pub(super) in_all: f64,
    /// What several policies share is split by the number of their sets.
    pub(super) by_policy: Vec<f64>,
    pub(super) by_instance: Vec<f64>,
}

impl Store {
    pub(super) fn new(setting: &Setting) -> Self {
        let volumes = setting.volumes();
        let mut unknown_sizes = BTreeSet::new();
        let mut of_instance = |instance: &stopgap_core::inventory::Instance| {
            let mut copied: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (n, policy) in setting.policies.iter().enumerate() {
                if setting.selects(n, instance) {
                    for id in policy.volumes.applied_to(instance, &volumes).ids {
                        copied.entry(id).or_default().push(n);
                    }
                }
            }
            let mut bundles: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
            for (id, policies) in copied {
                let size = volumes.get(id.as_str()).map(|volume| volume.size_gib).filter(|gib| *gib > 0);
                *bundles.entry(policies).or_default() += size.unwrap_or(setting.assumed.unknown_volume_gib);
                if size.is_none() {
                    unknown_sizes.insert(id);
                }
            }
            bundles.into_iter().map(|(policies, gib)| Bundle { policies, gib }).collect()
        };
        let bundles = setting.inventory.instances.iter().map(&mut of_instance).collect();
        Self { bundles, unknown_sizes }
    }

    /// What is stored of the sets that each policy keeps, by its place.
    pub(super) fn stored(&self, setting: &Setting, kept: &[&Kept<'_>]) -> Stored {
        // A history is known by its policy and its number there.
        type Histories = Vec<(usize, usize)>;
        let histories: Vec<BTreeMap<usize, usize>> = kept.iter().map(|kept| kept.history_of()).collect();
        let mut shares: BTreeMap<Histories, f64> = BTreeMap::new();
        let mut stored = Stored { in_all: 0.0, by_policy: vec![0.0; kept.len()], by_instance: Vec::new() };
        for (instance, bundles) in self.bundles.iter().enumerate() {
            let mut of_instance = 0.0;
            for bundle in bundles {
                let own = |n: &usize| Some((*n, *histories.get(*n)?.get(&instance)?));
                let key: Histories = bundle.policies.iter().filter_map(own).collect();
                let times = |(policy, history): &(usize, usize)| {
                    kept.get(*policy).map(|kept| kept.times(*history)).unwrap_or_default()
                };
                let share = match shares.get(&key) {
                    Some(share) => *share,
                    None => {
                        let all: BTreeSet<Timestamp> = key.iter().flat_map(times).collect();
                        let share = stored_share(all, &setting.assumed);
                        shares.insert(key.clone(), share);
                        share
                    }
                };
                let gib = bundle.gib as f64 * share;
                of_instance += gib;
                let sets = |one: &(usize, usize)| kept.get(one.0).map_or(0, |kept| kept.sets_in(one.1));
                let all: usize = key.iter().map(sets).sum();
                for one in &key {
                    if let Some(slot) = stored.by_policy.get_mut(one.0) {
                        *slot += gib * sets(one) as f64 / all.max(1) as f64;
                    }
                }
            }
            stored.in_all += of_instance;
            stored.by_instance.push(of_instance);
        }
        stored
    }
}
