//! What a person asks for: a backup of all that a policy selects, now, whatever its schedule says.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Due, NotDue, admit, due};
use crate::inventory::{Inventory, Location, Volume};
use crate::occurrence::Occurrence;
use crate::policy::Policy;
use crate::select::Selection;

/// The backups of all instances that `policy` selects, for the occurrence `at`, spread like the fleet's so that the
/// request budgets of their accounts last; and the instances whose runs would be refused, with why.
///
/// A disabled policy can be run by hand.
pub fn by_hand(
    policy: &Policy,
    inventory: &Inventory,
    at: Timestamp,
    home: &Location,
) -> (Vec<Due>, Vec<NotDue>) {
    let volumes: BTreeMap<&str, &Volume> =
        inventory.volumes.iter().map(|volume| (volume.id.as_str(), volume)).collect();
    let occurrence = Occurrence::new(policy.id.clone(), at);
    let (mut asked, mut against) = (Vec::new(), Vec::new());
    for instance in inventory.instances.iter().filter(|i| policy.targets_place(&i.location, Some(home))) {
        let Selection::Selected(mut reasons) = policy.selects(instance) else { continue };
        reasons.sort();
        reasons.dedup();
        let volumes = policy.volumes.applied_to(instance, &volumes);
        match due::by_hand(policy, &occurrence, instance, volumes, reasons) {
            Ok(due) => asked.push(due),
            Err(reasons) => {
                against.push(NotDue { instance_id: instance.id.clone(), policy: policy.id.clone(), reasons })
            }
        }
    }
    asked.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    admit(&mut asked, std::slice::from_ref(policy), occurrence.at);
    against.sort();
    (asked, against)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse;
    use crate::testing::{instance, volume};

    fn policy(more: &str) -> Policy {
        let text = format!(
            r#"{{"id": "nightly", "select": {{"any": [{{"name": "db-*"}}]}}, "retention": {{"keep_last": 1}},
                "schedule": {{"expression": "cron(0 2 * * ? *)"}}{more}}}"#
        );
        parse(&text).unwrap().remove(0)
    }

    fn inventory() -> Inventory {
        let names = [("i-3", "db-3"), ("i-1", "db-1"), ("i-2", "db-2"), ("i-4", "web-1")];
        Inventory {
            instances: names
                .map(|(id, name)| instance(id, &[&format!("vol-{id}")], &[("Name", name)]))
                .into(),
            volumes: names.map(|(id, _)| volume(&format!("vol-{id}"), id, &[])).into(),
            ..Inventory::default()
        }
    }

    fn asked(policy: &Policy, inventory: &Inventory) -> (Vec<Due>, Vec<NotDue>) {
        let home = Location::new("111111111111", "eu-west-1");
        by_hand(policy, inventory, "2026-11-21T15:04:05.6Z".parse().unwrap(), &home)
    }

    #[test]
    fn all_that_is_selected_is_asked_for_whatever_the_schedule_says() {
        let (asked, against) = asked(&policy(""), &inventory());
        let ids: Vec<&str> = asked.iter().map(|due| due.instance_id.as_str()).collect();
        assert_eq!((ids, against), (vec!["i-1", "i-2", "i-3"], Vec::new()));
        for due in &asked {
            assert_eq!(due.occurrence.to_string(), "nightly/2026-11-21T15:04:05Z");
        }
    }

    #[test]
    fn what_is_asked_for_at_once_is_begun_no_faster_than_the_fleet_begins_it() {
        let inventory = Inventory {
            instances: (0..100)
                .map(|n| instance(&format!("i-{n:03}"), &["vol-1"], &[("Name", "db-1")]))
                .collect(),
            ..Inventory::default()
        };
        let (asked, _) = asked(&policy(""), &inventory);
        let last = asked.last().unwrap().start_at.duration_since(asked[0].start_at);
        assert_eq!(last.as_secs(), super::super::admission::START_EVERY.checked_mul(99).unwrap().as_secs());
    }

    #[test]
    fn a_disabled_policy_can_be_run_by_hand() {
        assert_eq!(asked(&policy(r#", "enabled": false"#), &inventory()).0.len(), 3);
    }

    #[test]
    fn what_would_be_refused_is_not_begun_and_says_why() {
        let (asked, against) = asked(
            &policy(r#", "volumes": {"except": [{"tag": {"x": ["*"]}}], "root": false}"#),
            &inventory(),
        );
        assert_eq!(asked, []);
        assert_eq!(against.len(), 3);
        assert!(against[0].reasons[0].contains("leaves out all its volumes"), "{against:?}");
    }
}
