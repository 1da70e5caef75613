use super::*;
use crate::inventory::{InstanceState, Snapshot, SnapshotState};
use crate::policy::parse;
use crate::testing::{instance, snapshot, volume};

const OCCURRENCE: &str = "nightly/2026-11-21T02:00:00Z";

/// A policy `id` that selects `any` (JSON) at 02:00 UTC, with more fields (JSON) behind.
fn policy(id: &str, any: &str, more: &str) -> Policy {
    let text = format!(
        r#"{{"id": "{id}", "select": {{"any": [{any}]}}, "schedule": {{"expression": "cron(0 2 * * ? *)"}},
            "retention": {{"keep_last": 1}}{more}}}"#
    );
    parse(&text).unwrap().remove(0)
}

fn nightly(more: &str) -> Policy {
    policy("nightly", r#"{"name": "*"}"#, more)
}

/// One instance `i-1` with two volumes that are recorded.
fn inventory() -> Inventory {
    Inventory {
        instances: vec![instance("i-1", &["vol-1", "vol-2"], &[("Name", "db"), ("Cluster", "alpha")])],
        volumes: vec![volume("vol-1", "i-1", &[]), volume("vol-2", "i-1", &[])],
        ..Inventory::default()
    }
}

fn mark(at: &str) -> PlannedUntil {
    PlannedUntil::everywhere(at.parse().unwrap())
}

/// The plan at `at` without runs.
fn planned(policies: &[Policy], inventory: &Inventory, at: &str) -> Plan {
    after(policies, inventory, at, &[], None)
}

fn after(
    policies: &[Policy],
    inventory: &Inventory,
    at: &str,
    runs: &[(&str, PastRun)],
    planned_until: Option<&str>,
) -> Plan {
    let runs = runs
        .iter()
        .map(|(occurrence, run)| ((occurrence.parse().unwrap(), "i-1".to_owned()), *run))
        .collect();
    plan(&Question {
        policies,
        inventory,
        runs: &runs,
        at: at.parse().unwrap(),
        planned_until: planned_until.map(mark).as_ref(),
        home: None,
        only: None,
    })
}

#[track_caller]
fn not_due(plan: &Plan, says: &str) {
    assert_eq!(plan.due, []);
    assert!(
        plan.not_due.iter().flat_map(|not_due| &not_due.reasons).any(|reason| reason.contains(says)),
        "{plan:#?}"
    );
}

#[test]
fn an_occurrence_is_due_from_its_time_until_start_within_is_over() {
    let policies = [nightly("")];
    not_due(
        &planned(&policies, &inventory(), "2026-11-21T01:59:59Z"),
        "older than start_within 2h; the next is at 2026-11-21T02:00:00Z",
    );
    for at in ["2026-11-21T02:00:00Z", "2026-11-21T03:59:59Z"] {
        let plan = planned(&policies, &inventory(), at);
        assert_eq!((plan.due.len(), plan.not_due.len()), (1, 0), "{at}");
        let due = &plan.due[0];
        assert_eq!((due.occurrence.to_string().as_str(), due.attempt), (OCCURRENCE, 0));
        assert_eq!(due.volumes, ["vol-1", "vol-2"]);
        assert_eq!(due.start_by, "2026-11-21T04:00:00Z".parse().unwrap());
    }
    not_due(
        &planned(&policies, &inventory(), "2026-11-21T04:00:00Z"),
        "the last occurrence 2026-11-21T02:00:00Z is older",
    );
}

#[test]
fn what_is_stopped_is_backed_up_and_not_started() {
    for (state, consistency, action) in [
        (InstanceState::Running, "stop", Action::StopSnapshotStart),
        (InstanceState::Stopped, "stop", Action::Snapshot),
        (InstanceState::Stopping, "stop", Action::Snapshot),
        (InstanceState::Running, "crash", Action::Snapshot),
    ] {
        let mut inventory = inventory();
        inventory.instances[0].state = state;
        let policies = [nightly(&format!(r#", "consistency": "{consistency}""#))];
        assert_eq!(planned(&policies, &inventory, "2026-11-21T02:00:00Z").due[0].action, action, "{state}");
    }
}

#[test]
fn what_has_a_complete_set_is_not_due_and_an_incomplete_one_does_not_count() {
    let mut inventory = inventory();
    inventory.snapshots = vec![
        snapshot("snap-1", "vol-1", "i-1", OCCURRENCE, 2),
        snapshot("snap-2", "vol-2", "i-1", OCCURRENCE, 2),
    ];
    not_due(&planned(&[nightly("")], &inventory, "2026-11-21T02:30:00Z"), "already has a complete set");
    inventory.snapshots[1] = Snapshot { state: SnapshotState::Error, ..inventory.snapshots[1].clone() };
    assert_eq!(planned(&[nightly("")], &inventory, "2026-11-21T02:30:00Z").due.len(), 1);
}

#[test]
fn a_run_that_is_live_done_or_failed_for_good_is_not_repeated_and_a_retryable_one_is_twice() {
    let at = "2026-11-21T02:30:00Z";
    let with = |run| after(&[nightly("")], &inventory(), at, &[(OCCURRENCE, run)], None);
    not_due(&with(PastRun::Live), "is under way");
    not_due(&with(PastRun::Complete), "made a complete set");
    not_due(&with(PastRun::Missed), "was missed");
    not_due(
        &with(PastRun::Failed { attempt: 0, retryable: false, awaits_retry: false }),
        "does not allow another",
    );
    assert_eq!(with(PastRun::Failed { attempt: 0, retryable: true, awaits_retry: false }).due[0].attempt, 1);
    assert_eq!(with(PastRun::Failed { attempt: 1, retryable: true, awaits_retry: false }).due[0].attempt, 2);
    not_due(&with(PastRun::Failed { attempt: 2, retryable: true, awaits_retry: false }), "failed 3 times");
    // Another occurrence's run says nothing of this one.
    let other = [("nightly/2026-11-20T02:00:00Z", PastRun::Live)];
    assert_eq!(after(&[nightly("")], &inventory(), at, &other, None).due.len(), 1);
}

#[test]
fn disabled_policies_and_skipped_members_are_not_due() {
    let at = "2026-11-21T02:00:00Z";
    not_due(&planned(&[nightly(r#", "enabled": false"#)], &inventory(), at), "disabled");
    let mut members = inventory();
    members.instances[0].tags.insert("aws:autoscaling:groupName".to_owned(), "web".to_owned());
    let skip = [nightly(r#", "autoscaling": "skip""#)];
    not_due(&planned(&skip, &members, at), "member of the Auto Scaling group web");
    assert_eq!(planned(&skip, &inventory(), at).due.len(), 1);
    assert_eq!(planned(&[nightly("")], &members, at).due.len(), 1);
}

#[test]
fn an_instance_without_volumes_or_place_is_not_due() {
    let at = "2026-11-21T02:00:00Z";
    let mut bare = inventory();
    bare.instances[0].devices.clear();
    not_due(&planned(&[nightly("")], &bare, at), "it has no EBS volume");
    let mut root_only = inventory();
    root_only.instances[0].devices.truncate(1);
    not_due(
        &planned(&[nightly(r#", "volumes": {"root": false}"#)], &root_only, at),
        "vol-1 is the root volume",
    );
    let mut nowhere = inventory();
    nowhere.instances[0].location.region.clear();
    let plan = planned(&[nightly("")], &nowhere, at);
    not_due(&plan, "account or Region is not known");
    assert_eq!((plan.unknown[0].kind.as_str(), plan.unknown[0].id.as_str()), ("instance", "i-1"));
}

#[test]
fn a_group_is_named_by_what_makes_it() {
    let at = "2026-11-21T02:00:00Z";
    let group = |more: &str| planned(&[nightly(more)], &inventory(), at).due[0].group.clone();
    assert_eq!(
        group(r#", "concurrency": {"group_by": "tag:Cluster"}"#).as_deref(),
        Some("tag:Cluster=alpha")
    );
    assert_eq!(group(r#", "concurrency": {"group_by": "asg"}"#), None);
    assert_eq!(group(""), None);
}

#[test]
fn gone_instances_are_nowhere_and_policies_that_match_nothing_are_named() {
    let mut inventory = inventory();
    inventory.instances[0].state = InstanceState::Terminated;
    let plan = planned(&[nightly("")], &inventory, "2026-11-21T02:00:00Z");
    assert_eq!((plan.due.len(), plan.not_due.len()), (0, 0));
    assert_eq!(plan.unmatched, ["nightly".parse().unwrap()]);
}

#[test]
fn policies_that_share_an_instance_are_named_with_it_and_disabled_ones_are_not() {
    let policies = [
        nightly(""),
        policy("weekly", r#"{"instance": "i-1"}"#, ""),
        policy("old", r#"{"instance": "i-1"}"#, r#", "enabled": false"#),
    ];
    let plan = planned(&policies, &inventory(), "2026-11-21T02:00:00Z");
    let names = ["nightly", "weekly"].map(|id| id.parse().unwrap()).to_vec();
    assert_eq!(plan.overlaps, [Overlap { instance_id: "i-1".to_owned(), policies: names }]);
    assert_eq!(plan.due.len(), 2);
}

#[test]
fn one_policy_can_be_planned_alone() {
    let policies =
        [nightly(""), policy("weekly", r#"{"name": "*"}"#, ""), policy("none", r#"{"name": "x"}"#, "")];
    let (only, runs) = ("weekly".parse().unwrap(), BTreeMap::new());
    let at = "2026-11-21T02:00:00Z".parse().unwrap();
    let question = Question {
        policies: &policies,
        inventory: &inventory(),
        runs: &runs,
        at,
        planned_until: None,
        home: None,
        only: Some(&only),
    };
    let plan = plan(&question);
    assert_eq!(plan.due.iter().map(|due| due.policy.as_str()).collect::<Vec<_>>(), ["weekly"]);
    assert_eq!((plan.unmatched.len(), plan.overlaps.len()), (0, 1));
}

#[test]
fn what_the_inventory_does_not_know_is_named() {
    let mut inventory = inventory();
    inventory.volumes = vec![volume("vol-1", "i-lost", &[]), volume("vol-9", "i-gone", &[])];
    let plan = planned(&[nightly("")], &inventory, "2026-11-21T02:00:00Z");
    let unknown: Vec<(&str, &str, &str)> = plan
        .unknown
        .iter()
        .map(|unknown| {
            (unknown.kind.as_str(), unknown.id.as_str(), unknown.instance_id.as_deref().unwrap_or(""))
        })
        .collect();
    assert_eq!(
        unknown,
        [
            ("attachment", "vol-1", "i-1"),
            ("instance", "i-gone", "i-gone"),
            ("instance", "i-lost", "i-lost"),
            ("volume", "vol-2", "i-1"),
        ]
    );
    assert_eq!(plan.due[0].volumes, ["vol-1", "vol-2"]);
    // What no policy selects is of no concern.
    let none = planned(&[policy("none", r#"{"name": "x"}"#, "")], &inventory, "2026-11-21T02:00:00Z");
    assert!(none.unknown.iter().all(|unknown| unknown.kind == "instance"));
}

fn missed(plan: &Plan) -> Vec<String> {
    plan.missed.iter().flat_map(|missed| &missed.occurrences).map(ToString::to_string).collect()
}

#[test]
fn an_occurrence_is_missed_in_the_one_plan_that_passes_its_last_moment() {
    let policies = [nightly("")];
    let at = |at, until| missed(&after(&policies, &inventory(), at, &[], until));
    assert_eq!(at("2026-11-21T03:59:59Z", Some("2026-11-21T03:45:00Z")), [""; 0]);
    assert_eq!(at("2026-11-21T04:00:00Z", Some("2026-11-21T03:45:00Z")), [OCCURRENCE]);
    assert_eq!(at("2026-11-21T04:15:00Z", Some("2026-11-21T04:00:00Z")), [""; 0]);
    // The planner was away for two days.
    assert_eq!(
        at("2026-11-21T02:00:00Z", Some("2026-11-19T03:00:00Z")),
        ["nightly/2026-11-19T02:00:00Z", "nightly/2026-11-20T02:00:00Z"]
    );
    assert_eq!(at("2026-11-21T04:00:00Z", None), [""; 0]);
}

/// What a plan at 04:15 finds missed that goes by this mark.
fn missed_by(mark: &PlannedUntil) -> Vec<String> {
    let question = Question {
        policies: &[nightly("")],
        inventory: &inventory(),
        runs: &BTreeMap::new(),
        at: "2026-11-21T04:15:00Z".parse().unwrap(),
        planned_until: Some(mark),
        home: None,
        only: None,
    };
    missed(&plan(&question))
}

/// The mark after a plan of `at` that could not read `unread`, and found something missed in `missed`.
fn next(old: &PlannedUntil, at: &str, unread: &[&Location], missed: &[&Location]) -> PlannedUntil {
    let (unread, missed) = (unread.iter().copied().collect(), missed.iter().copied().collect());
    PlannedUntil::after(Some(old), at.parse().unwrap(), &unread, &missed)
}

#[test]
fn a_place_that_could_not_be_read_has_a_mark_of_its_own() {
    let here = inventory().instances[0].location.clone();
    let elsewhere = Location::new("222222222222", "eu-west-1");
    let first = mark("2026-11-19T12:00:00Z");
    let behind = next(&first, "2026-11-21T04:00:00Z", &[&here], &[]);
    assert_eq!(missed_by(&behind), ["nightly/2026-11-20T02:00:00Z", OCCURRENCE]);
    // It stays where it is however often the place cannot be read, and others are not held up by it.
    let still = next(&behind, "2026-11-21T04:10:00Z", &[&here], &[]);
    assert_eq!(missed_by(&still), missed_by(&behind));
    assert_eq!(missed_by(&next(&first, "2026-11-21T04:00:00Z", &[&elsewhere], &[])), [""; 0]);
    assert_eq!(missed_by(&next(&still, "2026-11-21T04:00:00Z", &[], &[])), [""; 0]);
}

#[test]
fn what_was_missed_in_a_place_is_found_again_until_a_plan_finds_nothing_missed_there() {
    let here = inventory().instances[0].location.clone();
    let elsewhere = Location::new("222222222222", "eu-west-1");
    let first = mark("2026-11-21T03:45:00Z");
    let untold = next(&first, "2026-11-21T04:00:00Z", &[], &[&here]);
    assert_eq!(missed_by(&untold), [OCCURRENCE]);
    let still = next(&untold, "2026-11-21T04:10:00Z", &[], &[&here]);
    assert_eq!(missed_by(&still), [OCCURRENCE]);
    // Of a place that cannot be read nobody knows whether all is told; but it is no longer looked at as planned, either.
    let unread = next(&untold, "2026-11-21T04:10:00Z", &[&here], &[]);
    assert_eq!(missed_by(&unread), [OCCURRENCE]);
    assert_eq!(unread.of(&here), "2026-11-21T04:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(missed_by(&next(&first, "2026-11-21T04:00:00Z", &[], &[&elsewhere])), [""; 0]);
    let told = next(&still, "2026-11-21T04:11:00Z", &[], &[]);
    assert_eq!((missed_by(&told).len(), told.untold.len()), (0, 0));
}

#[test]
fn an_occurrence_is_missed_when_the_next_one_comes() {
    let hourly = [policy("hourly", r#"{"name": "*"}"#, "").with_expression("rate(1 hour)")];
    let plan = after(&hourly, &inventory(), "2026-11-21T03:00:00Z", &[], Some("2026-11-21T02:45:00Z"));
    assert_eq!(missed(&plan), ["hourly/2026-11-21T02:00:00Z"]);
    assert_eq!(plan.due[0].occurrence.to_string(), "hourly/2026-11-21T03:00:00Z");
}

#[test]
fn what_was_served_failed_reported_or_not_there_yet_was_not_missed() {
    let (at, until) = ("2026-11-21T04:00:00Z", Some("2026-11-21T03:45:00Z"));
    let policies = [nightly("")];
    for run in [
        PastRun::Live,
        PastRun::Complete,
        PastRun::Missed,
        PastRun::Failed { attempt: 0, retryable: true, awaits_retry: false },
    ] {
        assert_eq!(missed(&after(&policies, &inventory(), at, &[(OCCURRENCE, run)], until)), [""; 0]);
    }
    let mut served = inventory();
    served.snapshots = vec![snapshot("snap-1", "vol-1", "i-1", OCCURRENCE, 1)];
    assert_eq!(missed(&after(&policies, &served, at, &[], until)), [""; 0]);

    let mut young = inventory();
    for device in &mut young.instances[0].devices {
        device.attached_at = "2026-11-21T02:00:01Z".parse().ok();
    }
    assert_eq!(missed(&after(&policies, &young, at, &[], until)), [""; 0]);
    // With one time unknown, it may be older.
    young.instances[0].devices[1].attached_at = None;
    assert_eq!(missed(&after(&policies, &young, at, &[], until)), [OCCURRENCE]);

    let disabled = [nightly(r#", "enabled": false"#)];
    assert_eq!(missed(&after(&disabled, &inventory(), at, &[], until)), [""; 0]);
}

#[test]
fn what_was_to_be_tried_again_and_was_not_is_missed() {
    let (at, until) = ("2026-11-21T04:00:00Z", Some("2026-11-21T03:45:00Z"));
    let run = PastRun::Failed { attempt: 0, retryable: true, awaits_retry: true };
    assert_eq!(missed(&after(&[nightly("")], &inventory(), at, &[(OCCURRENCE, run)], until)), [OCCURRENCE]);
}

#[test]
fn a_planner_that_was_away_for_years_reports_the_newest_and_ends() {
    let minutely = [policy("minutely", r#"{"name": "*"}"#, "").with_expression("cron(* * * * ? *)")];
    let plan = after(&minutely, &inventory(), "2026-11-21T02:00:30Z", &[], Some("2000-01-01T00:00:00Z"));
    let missed = missed(&plan);
    assert_eq!((missed.len(), missed[99].as_str()), (100, "minutely/2026-11-21T01:59:00Z"));
}

#[test]
fn the_order_of_the_inventory_and_of_the_policies_does_not_matter() {
    let mut inventory = inventory();
    for n in 2..20 {
        let (id, volume_id) = (format!("i-{n}"), format!("vol-1{n}"));
        inventory.instances.push(instance(&id, &[&volume_id], &[("Name", "web"), ("Cluster", "alpha")]));
        inventory.volumes.push(volume(&volume_id, &id, &[]));
    }
    let grouped = r#", "concurrency": {"group_by": "tag:Cluster", "max": 2}"#;
    let mut policies = vec![nightly(grouped), policy("weekly", r#"{"name": "w*"}"#, "")];
    let expected = planned(&policies, &inventory, "2026-11-21T02:00:00Z");
    inventory.instances.reverse();
    inventory.volumes.reverse();
    policies.reverse();
    assert_eq!(planned(&policies, &inventory, "2026-11-21T02:00:00Z"), expected);
    assert!(expected.due.iter().all(|due| due.start_at >= "2026-11-21T02:00:00Z".parse().unwrap()));
}

impl Policy {
    fn with_expression(mut self, expression: &str) -> Self {
        self.schedule.expression = expression.parse().unwrap();
        self
    }
}
