//! The backups that no run prunes any more, in what the AWS CLI saved; and a table of them.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use stopgap_core::describe::catalogue::{Catalogue, Name};
use stopgap_core::inventory::{Instance, Inventory, Location};
use stopgap_core::plan::orphans::{Orphan, Why, attached, is_time, of_series, why};
use stopgap_core::policy::Policy;

use crate::output::section;
use crate::retention::sets::each_series;

/// The orphans among recorded snapshots, by instance and policy. Of recordings that say that there is more than was saved
/// nothing follows, nor of an instance whose record made no sense, or that
/// a volume is attached to: it is there.
pub(super) fn of_recordings(
    policies: &[Policy],
    inventory: &Inventory,
    catalogue: &Catalogue,
    at: Timestamp,
) -> Vec<Orphan> {
    if catalogue.more || inventory.unknown.iter().any(|unknown| unknown.kind == "page") {
        return Vec::new();
    }
    let instances: BTreeMap<&str, &Instance> =
        inventory.instances.iter().map(|instance| (instance.id.as_str(), instance)).collect();
    let attached = attached(inventory);
    let unreadable = |id: &str| {
        let mut unknown = inventory.unknown.iter();
        unknown.any(|unknown| unknown.id == id || unknown.instance_id.as_deref() == Some(id))
    };
    let policies: BTreeMap<&str, &Policy> = policies
        .iter()
        .filter(|policy| is_time(policy, at, None))
        .map(|policy| (policy.id.as_str(), policy))
        .collect();
    let judge = |policy: &str, id: &str| {
        let (policy, instance) = (policies.get(policy)?, instances.get(id).copied());
        let known = instance.is_some() || !(attached.contains(id) || unreadable(id));
        why(policy, instance, None).filter(|_| known).map(|why| (*policy, why, instance))
    };
    let mut judged: HashMap<(Name, Name), bool, foldhash::fast::RandomState> = HashMap::default();
    let wanted = |policy, instance| {
        let judge = || judge(catalogue.name(policy), catalogue.name(instance)).is_some();
        *judged.entry((policy, instance)).or_insert_with(judge)
    };
    let mut orphans = Vec::new();
    each_series(catalogue, wanted, |policy, id, facts| {
        let Some((policy, why, instance)) = judge(policy, id) else { return };
        // A snapshot's recording does not say its Region.
        let location = instance.map_or_else(|| Location::new("", ""), |instance| instance.location.clone());
        orphans.extend(of_series(policy, why, id, location, facts, at));
    });
    orphans.sort_by(|a, b| (&a.instance_id, &a.policy).cmp(&(&b.instance_id, &b.policy)));
    orphans
}

/// A table of the sets to delete.
pub(super) fn table(orphans: &[Orphan]) -> String {
    let rows = orphans.iter().flat_map(|orphan| {
        let place = if orphan.location.is_known() { orphan.location.to_string() } else { String::new() };
        orphan.delete.iter().map(move |set| {
            vec![
                orphan.instance_id.clone(),
                place.clone(),
                set.occurrence.to_string(),
                match orphan.why {
                    Why::Gone => "gone".to_owned(),
                    Why::Unselected => "not selected".to_owned(),
                },
                set.reasons.join("; "),
            ]
        })
    });
    section(
        "Backups to delete that no run prunes",
        &["INSTANCE", "ACCOUNT/REGION", "OCCURRENCE", "INSTANCE IS", "WHY"],
        rows.collect(),
    )
}
