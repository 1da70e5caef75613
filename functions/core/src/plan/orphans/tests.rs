use super::*;
use crate::inventory::InstanceState;
use crate::policy::parse_value;
use crate::records::Behind;
use crate::testing::{instance, snapshot, volume};

const NOW: &str = "2026-11-21T02:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn place() -> Location {
    Location::new("111111111111", "eu-west-1")
}

/// A policy of 02:00 UTC that selects `db-*`, keeps two and lets what is gone expire.
fn nightly(change: impl FnOnce(&mut serde_json::Value)) -> Policy {
    let mut policy = serde_json::json!({
        "id": "nightly",
        "select": {"any": [{"name": "db-*"}]},
        "schedule": {"expression": "cron(0 2 * * ? *)"},
        "retention": {"at_least": 2},
        "orphans": {"expire_after": "90d"},
    });
    change(&mut policy);
    parse_value(&policy).unwrap()
}

/// Snapshots of one volume of `instance`, of these days of November 2026.
fn nights(instance: &str, days: &[u8]) -> Vec<Snapshot> {
    let one = |day: &u8| {
        let at = format!("2026-11-{day:02}T02:00:00Z");
        let mut copy =
            snapshot(&format!("snap-{instance}-{day}"), "vol-1", instance, &format!("nightly/{at}"), 1);
        copy.started_at = time(&at);
        copy
    };
    days.iter().map(one).collect()
}

fn with_instances(instances: Vec<Instance>) -> Inventory {
    Inventory { instances, ..Inventory::default() }
}

fn found(policy: &Policy, inventory: &Inventory, copies: &[Snapshot], at: &str) -> Vec<Orphan> {
    of_inventory([policy].into_iter(), inventory, &[(place(), copies)], time(at), None, &place())
}

fn days(orphan: &Orphan) -> Vec<i8> {
    orphan.delete.iter().map(|set| set.occurrence.at.to_zoned(jiff::tz::TimeZone::UTC).day()).collect()
}

#[test]
fn what_is_gone_terminated_or_no_longer_selected_is_an_orphan_and_what_runs_prune_is_not() {
    let mut terminated = instance("i-terminated", &[], &[("Name", "db-1")]);
    terminated.state = InstanceState::Terminated;
    let renamed = instance("i-renamed", &[], &[("Name", "web-1")]);
    let selected = instance("i-selected", &[], &[("Name", "db-2")]);
    let inventory = with_instances(vec![terminated, renamed, selected]);
    let copies: Vec<Snapshot> = ["i-gone", "i-terminated", "i-renamed", "i-selected"]
        .iter()
        .flat_map(|id| nights(id, &[17, 18, 19, 20]))
        .collect();
    let orphans = found(&nightly(|_| {}), &inventory, &copies, NOW);
    let whys: Vec<_> = orphans.iter().map(|orphan| (orphan.instance_id.as_str(), orphan.why)).collect();
    assert_eq!(whys, [("i-gone", Why::Gone), ("i-renamed", Why::Unselected), ("i-terminated", Why::Gone)]);
    for orphan in &orphans {
        assert_eq!((orphan.kept, days(orphan)), (2, vec![17, 18]), "{orphan:?}");
        assert_eq!(orphan.delete[0].reasons, ["no rule keeps it"]);
    }
}

#[test]
fn the_last_sets_expire_only_where_the_instance_is_gone() {
    let renamed = instance("i-renamed", &[], &[("Name", "web-1")]);
    let copies = [nights("i-gone", &[19, 20]), nights("i-renamed", &[19, 20])].concat();
    let inventory = with_instances(vec![renamed]);
    let policy = nightly(|_| {});
    assert_eq!(found(&policy, &inventory, &copies, "2027-02-18T02:00:00Z"), []);
    let orphans = found(&policy, &inventory, &copies, "2027-02-19T02:00:00Z");
    assert_eq!((orphans.len(), orphans[0].kept, days(&orphans[0])), (1, 0, vec![19, 20]));
    assert_eq!(
        orphans[0].delete[1].reasons,
        ["the instance is gone; its newest complete set is older than 90d"]
    );
    let keeps = nightly(|policy| policy["orphans"] = "keep".into());
    assert_eq!(found(&keeps, &inventory, &copies, "2037-02-19T02:00:00Z"), []);
}

#[test]
fn a_member_that_the_policy_skips_is_pruned_by_no_run() {
    let member = instance("i-1", &[], &[("Name", "db-1"), ("aws:autoscaling:groupName", "db")]);
    let inventory = with_instances(vec![member]);
    let copies = nights("i-1", &[18, 19, 20]);
    let skips = nightly(|policy| policy["autoscaling"] = "skip".into());
    assert_eq!(found(&skips, &inventory, &copies, NOW)[0].why, Why::Unselected);
    assert_eq!(found(&nightly(|_| {}), &inventory, &copies, NOW), []);
}

#[test]
fn copies_in_another_place_than_their_instance_are_nobodys_orphans() {
    let copies = nights("i-1", &[18, 19, 20]);
    for name in ["db-1", "web-1"] {
        let mut elsewhere = instance("i-1", &[], &[("Name", name)]);
        elsewhere.location.region = "us-east-1".to_owned();
        assert_eq!(found(&nightly(|_| {}), &with_instances(vec![elsewhere]), &copies, NOW), []);
    }
}

#[test]
fn an_instance_that_a_volume_is_attached_to_is_not_gone() {
    let inventory = Inventory { volumes: vec![volume("vol-1", "i-1", &[])], ..Inventory::default() };
    let copies = nights("i-1", &[18, 19, 20]);
    assert_eq!(found(&nightly(|_| {}), &inventory, &copies, NOW), []);
}

#[test]
fn orphans_are_pruned_once_an_occurrence_and_not_with_each_tick() {
    let policy = nightly(|_| {});
    let is_time = |at: &str, until: &str| super::is_time(&policy, time(at), Some(time(until)));
    assert!(is_time(NOW, "2026-11-21T01:45:00Z"));
    assert!(!is_time(NOW, NOW), "the same tick again");
    assert!(!is_time("2026-11-21T02:15:00Z", NOW));
    assert!(is_time("2026-11-22T09:00:00Z", NOW), "ticks were missed");
    assert!(super::is_time(&policy, time("2026-11-21T09:00:00Z"), None), "by hand, or the first plan of all");
    assert!(!super::is_time(&nightly(|policy| policy["enabled"] = false.into()), time(NOW), None));
}

#[test]
fn a_place_that_was_behind_catches_up() {
    let copies = nights("i-gone", &[18, 19, 20]);
    let behind = |until: &str| PlannedUntil {
        behind: vec![Behind { location: place(), until: time(until) }],
        ..PlannedUntil::everywhere(time("2026-11-21T02:15:00Z"))
    };
    let (policy, inventory) = (nightly(|_| {}), Inventory::default());
    for (until, count) in [("2026-11-21T01:45:00Z", 1), (NOW, 0)] {
        let mark = behind(until);
        let orphans = of_inventory(
            [&policy].into_iter(),
            &inventory,
            &[(place(), &copies)],
            time("2026-11-21T02:30:00Z"),
            Some(&mark),
            &place(),
        );
        assert_eq!(orphans.len(), count, "{until}");
    }
}

#[test]
fn sets_of_a_policy_that_is_not_there_any_more_are_left_alone() {
    let other = nightly(|policy| policy["id"] = "other".into());
    assert_eq!(found(&other, &Inventory::default(), &nights("i-gone", &[18, 19, 20]), NOW), []);
}
