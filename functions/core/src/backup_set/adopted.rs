//! Sets that another tool made.

use std::collections::BTreeMap;

use super::{Assessed, BackupSet, assess};
use crate::ebs_snapper;
use crate::inventory::Snapshot;
use crate::occurrence::Occurrence;
use crate::policy::{PolicyId, Tool};

/// The sets that ebs_snapper's snapshots among `snapshots` make, as sets of `policy`: by instance, each instance's oldest
/// first. Snapshots of which it cannot be told that they are its, and of which instance, are in none.
pub fn adopted<'a>(
    policy: &PolicyId,
    snapshots: impl IntoIterator<Item = &'a Snapshot>,
) -> Vec<BackupSet<'a>> {
    let mut by_instance: BTreeMap<&str, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots {
        if let Some(Ok(instance_id)) = ebs_snapper::instance_of_snapshot(snapshot) {
            by_instance.entry(instance_id).or_default().push(snapshot);
        }
    }
    let mut sets = Vec::new();
    for (instance_id, snapshots) in by_instance {
        for group in ebs_snapper::sets(snapshots) {
            let mut members: Vec<(usize, &Snapshot)> =
                group.members.iter().map(|snapshot| (group.volumes, *snapshot)).collect();
            // A group has one snapshot of each volume, and as many volumes as it says or fewer.
            let Ok(Assessed { volumes, status, surplus, .. }) = assess(&mut members) else { continue };
            let mut surplus: Vec<&str> = surplus.into_iter().map(|snapshot| snapshot.id.as_str()).collect();
            surplus.sort_unstable();
            let mut snapshots = group.members;
            snapshots.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            let occurrence = Occurrence::new(policy.clone(), group.at);
            let adopted = Some(Tool::EbsSnapper);
            sets.push(BackupSet { occurrence, instance_id, volumes, status, snapshots, surplus, adopted });
        }
    }
    sets
}
