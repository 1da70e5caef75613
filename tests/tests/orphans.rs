//! Backups that no run prunes, since their instance is gone or no longer selected: the fleet does, and never too many.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::Location;
use stopgap_core::policy::ROLE_PREFIX;
use stopgap_core::records::policy_key;
use stopgap_sim::aws::{Aws, InstanceSpec, Machine};
use stopgap_sim::stepfunctions::{Execution, Status};
use stopgap_tests::{Scene, home, nightly};

const SPOKE: &str = "111122223333";
const NIGHT: &str = "2026-11-21T02:00:00Z";

/// A night of October 2026.
fn night(day: u8) -> Timestamp {
    format!("2026-10-{day:02}T02:00:00Z").parse().unwrap()
}

/// A policy that keeps two, and lets what is gone expire after some time.
fn policy(expire_after: Option<&str>, more: Value) -> Value {
    let mut policy = nightly(json!({ "retention": { "at_least": 2 } }));
    if let Some(after) = expire_after {
        policy["orphans"] = json!({ "expire_after": after });
    }
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    policy
}

/// A scene with an instance of two volumes and a backup of each of seven nights of October.
fn scene(seed: u64, policy: Value) -> (Scene, String) {
    scene_at(seed, policy, &home())
}

fn scene_at(seed: u64, policy: Value, place: &Location) -> (Scene, String) {
    let scene = Scene::new(seed, &[policy]);
    let id = scene.add(|spec| InstanceSpec { location: place.clone(), ..spec });
    (1..=7).for_each(|day| scene.add_set(&id, night(day)));
    (scene, id)
}

/// Takes the instance out of the world, which leaves its volumes attached to nothing.
fn terminate(aws: &Aws, id: &str) -> Machine {
    aws.change(|world| {
        let place = world.places.values_mut().find(|place| place.machines.contains_key(id)).unwrap();
        for volume in place.volumes.values_mut() {
            volume.attachments.retain(|attachment| attachment.instance_id != id);
        }
        place.machines.remove(id).unwrap()
    })
}

/// Takes off the tag that the policy selects by.
fn unselect(aws: &Aws, id: &str) {
    aws.change(|world| world.machine_mut(id).unwrap().instance.tags.clear());
}

/// The nights of October of which all is left.
fn left(scene: &Scene, id: &str) -> Vec<u8> {
    let snapshots = scene.snapshots();
    let of = |day: u8| {
        let occurrence = format!("nightly/{}", night(day));
        let of_night = snapshots.iter().filter(|snapshot| {
            snapshot.tags.get("stopgap:instance").is_some_and(|of| of == id)
                && snapshot.tags.get("stopgap:occurrence") == Some(&occurrence)
        });
        of_night.count()
    };
    (1..=7).filter(|day| of(*day) == 2).collect()
}

/// Plans at this time, and lets an hour pass.
fn tick(scene: &Scene, input: Value) -> Execution {
    if let Some(at) = input["at"].as_str() {
        scene.stopgap.runtime.run_until(at.parse::<Timestamp>().unwrap());
    }
    let arn = scene.stopgap.step_functions.start_execution(&scene.stopgap.fleet, None, input).unwrap();
    scene.pass(SignedDuration::from_hours(1));
    scene.execution(&arn)
}

fn orphans(execution: &Execution) -> u64 {
    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    execution.output.as_ref().unwrap()["plan"]["orphans"].as_u64().unwrap()
}

/// As soon as the plan is written, something happens to the world.
fn when_planned(scene: &Scene, act: impl FnOnce(&Aws) + 'static) {
    let (aws, clock) = (scene.stopgap.aws.clone(), scene.stopgap.runtime.clock());
    scene.stopgap.runtime.clock().spawn(async move {
        while aws.look(|world| world.objects.is_empty()) {
            clock.sleep(Duration::from_millis(1)).await;
        }
        act(&aws);
    });
}

fn ticket(action: &str, instance: &str) -> (String, String, String) {
    ("prune-failed".to_owned(), action.to_owned(), instance.to_owned())
}

#[test]
fn the_backups_of_an_instance_that_is_gone_are_pruned_down_to_the_floor_and_no_further() {
    let (scene, id) = scene(1, policy(None, json!({})));
    terminate(&scene.stopgap.aws, &id);
    scene.night();
    assert_eq!(left(&scene, &id), [6, 7]);
    assert_eq!((scene.messages(), scene.held()), (vec![], vec![]));
    // Years later they are still there.
    for at in ["2026-11-22T02:00:00Z", "2031-11-22T02:00:00Z"] {
        assert_eq!(orphans(&tick(&scene, json!({ "at": at }))), 0, "{at}");
    }
    assert_eq!(left(&scene, &id), [6, 7]);
}

#[test]
fn the_last_backups_of_an_instance_that_is_gone_expire_when_the_policy_says_so() {
    // The newest is 45 days old.
    for (seed, after, expected) in [(2, "46d", vec![6, 7]), (3, "44d", vec![])] {
        let (scene, id) = scene(seed, policy(Some(after), json!({})));
        terminate(&scene.stopgap.aws, &id);
        scene.night();
        assert_eq!(left(&scene, &id), expected, "{after}");
        assert_eq!((scene.messages(), scene.held()), (vec![], vec![]));
    }
}

#[test]
fn an_instance_that_is_no_longer_selected_keeps_its_floor_however_old() {
    let (scene, id) = scene(4, policy(Some("1d"), json!({})));
    unselect(&scene.stopgap.aws, &id);
    scene.night();
    assert_eq!(left(&scene, &id), [6, 7]);
    tick(&scene, json!({ "at": "2027-11-22T02:00:00Z" }));
    assert_eq!(left(&scene, &id), [6, 7]);
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn an_instance_that_is_back_when_it_comes_to_deleting_loses_nothing() {
    let (scene, id) = scene(5, policy(Some("1d"), json!({})));
    let machine = terminate(&scene.stopgap.aws, &id);
    let back = id.clone();
    when_planned(&scene, move |aws| {
        aws.change(|world| world.places.get_mut(&home()).unwrap().machines.insert(back, machine));
    });
    assert_eq!(orphans(&tick(&scene, json!({ "at": NIGHT }))), 1);
    assert_eq!((left(&scene, &id), scene.calls("DeleteSnapshot")), (vec![1, 2, 3, 4, 5, 6, 7], 0));
    assert_eq!((scene.messages(), scene.held()), (vec![], vec![]));
}

#[test]
fn an_instance_that_is_back_and_not_selected_keeps_its_floor() {
    let (scene, id) = scene(6, policy(Some("1d"), json!({})));
    let mut machine = terminate(&scene.stopgap.aws, &id);
    machine.instance.tags.clear();
    let back = id.clone();
    when_planned(&scene, move |aws| {
        aws.change(|world| world.places.get_mut(&home()).unwrap().machines.insert(back, machine));
    });
    assert_eq!(orphans(&tick(&scene, json!({ "at": NIGHT }))), 1);
    assert_eq!(left(&scene, &id), [6, 7]);
}

#[test]
fn one_that_the_plan_saw_unselected_does_not_expire_for_being_gone_a_moment_later() {
    let (scene, id) = scene(7, policy(Some("1d"), json!({})));
    unselect(&scene.stopgap.aws, &id);
    let gone = id.clone();
    when_planned(&scene, move |aws| drop(terminate(aws, &gone)));
    tick(&scene, json!({ "at": NIGHT }));
    assert_eq!(left(&scene, &id), [6, 7]);
    // The next night it was seen twice.
    tick(&scene, json!({ "at": "2026-11-22T02:00:00Z" }));
    assert_eq!(left(&scene, &id), [0; 0]);
}

#[test]
fn an_account_that_cannot_be_read_has_no_orphans() {
    let place = Location::new(SPOKE, "us-east-1").by_role(Some(ROLE_PREFIX.to_owned()));
    let targets = json!({ "targets": [{ "account": SPOKE }] });
    let (scene, id) = scene_at(8, policy(Some("1d"), targets), &place);
    terminate(&scene.stopgap.aws, &id);
    tick(&scene, json!({ "at": "2026-11-20T22:00:00Z" }));
    tick(&scene, json!({ "at": NIGHT }));
    assert_eq!((left(&scene, &id).len(), scene.open_tickets()), (7, vec!["plan-failed".to_owned()]));

    // When it can be read, what was due meanwhile is done.
    scene.stopgap.aws.add_role(SPOKE, ROLE_PREFIX);
    assert_eq!(orphans(&tick(&scene, json!({ "at": "2026-11-21T09:00:00Z" }))), 1);
    assert_eq!((left(&scene, &id).len(), scene.open_tickets()), (0, vec![]));
}

#[test]
fn what_cannot_be_pruned_is_one_ticket_however_many_nights_and_the_night_that_can_closes_it() {
    let place = Location::new(SPOKE, "us-east-1").by_role(Some(ROLE_PREFIX.to_owned()));
    let targets = json!({ "targets": [{ "account": SPOKE }] });
    let (scene, id) = scene_at(9, policy(None, targets), &place);
    scene.stopgap.aws.add_role(SPOKE, ROLE_PREFIX);
    terminate(&scene.stopgap.aws, &id);
    // It releases what a pruning that failed has left, whether or not the account can be reached.
    scene.stopgap.rescue(stopgap_tests::evening(), "2026-11-24T04:00:00Z".parse().unwrap());
    for day in [21, 22, 23] {
        // The role is taken away when the plan is made, and given back for the next one.
        let at = format!("2026-11-{day}T02:00:00Z");
        scene.stopgap.runtime.run_until(at.parse::<Timestamp>().unwrap());
        scene.stopgap.aws.change(|world| world.objects.clear());
        when_planned(&scene, |aws| aws.change(|world| world.roles.clear()));
        assert_eq!(orphans(&tick(&scene, json!({ "at": at }))), 1);
        scene.stopgap.aws.add_role(SPOKE, ROLE_PREFIX);
    }
    assert_eq!(scene.messages(), [ticket("open", &id)]);
    let message = scene.stopgap.aws.look(|world| world.published[0].1.document.clone());
    assert_eq!(
        (&message["failed_state"], &message["error"]),
        (&json!("PruneOrphans"), &json!("AccessDenied"))
    );
    assert_eq!(left(&scene, &id).len(), 7);

    tick(&scene, json!({ "at": "2026-11-24T02:00:00Z" }));
    assert_eq!(left(&scene, &id), [6, 7]);
    assert_eq!(scene.messages(), [ticket("open", &id), ticket("resolve", &id)]);
}

#[test]
fn the_lease_that_a_failed_pruning_leaves_is_released_by_the_rescuer_without_a_word() {
    let place = Location::new(SPOKE, "us-east-1").by_role(Some(ROLE_PREFIX.to_owned()));
    let targets = json!({ "targets": [{ "account": SPOKE }] });
    let (scene, id) = scene_at(17, policy(None, targets), &place);
    scene.stopgap.aws.add_role(SPOKE, ROLE_PREFIX);
    terminate(&scene.stopgap.aws, &id);
    scene.stopgap.runtime.run_until(NIGHT.parse::<Timestamp>().unwrap());
    when_planned(&scene, |aws| aws.change(|world| world.roles.clear()));
    tick(&scene, json!({ "at": NIGHT }));
    assert_eq!(scene.held().len(), 1);
    scene.stopgap.aws.add_role(SPOKE, ROLE_PREFIX);
    let (from, until) = ("2026-11-21T04:00:00Z".parse().unwrap(), "2026-11-21T04:10:00Z".parse().unwrap());
    scene.stopgap.rescue(from, until);
    scene.pass(SignedDuration::from_hours(2));
    assert_eq!(scene.held(), Vec::<String>::new());
    assert_eq!(scene.messages(), [ticket("open", &id)]);
    // Nor does a run stand in the table that never was.
    let runs = scene
        .stopgap
        .aws
        .look(|world| world.table.keys().filter(|key| key.partition.starts_with("run#")).count());
    assert_eq!(runs, 0);
}

#[test]
fn the_same_tick_twice_deletes_once() {
    let (scene, id) = scene(10, policy(None, json!({})));
    terminate(&scene.stopgap.aws, &id);
    scene.stopgap.runtime.run_until(NIGHT.parse::<Timestamp>().unwrap());
    let start =
        || scene.stopgap.step_functions.start_execution(&scene.stopgap.fleet, None, json!({ "at": NIGHT }));
    let both = [start().unwrap(), start().unwrap()];
    scene.pass(SignedDuration::from_hours(1));
    assert!(both.iter().all(|arn| scene.execution(arn).status == Status::Succeeded));
    assert_eq!((left(&scene, &id), scene.calls("DeleteSnapshot")), (vec![6, 7], 10));
    assert_eq!((scene.messages(), scene.held()), (vec![], vec![]));
    // The tick is planned, so that the plan of it finds nothing any more; nor does the next one.
    scene.add_set(&scene.add(|spec| spec), night(1));
    for at in [NIGHT, "2026-11-21T03:15:00Z"] {
        assert_eq!(orphans(&tick(&scene, json!({ "at": at }))), 0);
    }
}

#[test]
fn orphans_of_two_policies_on_one_instance_are_pruned_each_by_its_own() {
    let other = nightly(json!({ "id": "other", "retention": { "at_least": 3 } }));
    let (scene, id) = scene(11, policy(None, json!({})));
    scene.stopgap.aws.add_policy(&stopgap_core::policy::parse_value(&other).unwrap());
    scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&home()).unwrap();
        let newest: Vec<String> = (4..=7).map(|day| format!("nightly/{}", night(day))).collect();
        for copy in place.snapshots.values_mut() {
            let tags = &mut copy.snapshot.tags;
            if newest.contains(&tags["stopgap:occurrence"]) {
                let occurrence = tags["stopgap:occurrence"].replace("nightly/", "other/");
                tags.insert("stopgap:occurrence".to_owned(), occurrence);
                tags.insert("stopgap:policy".to_owned(), "other".to_owned());
            }
        }
    });
    terminate(&scene.stopgap.aws, &id);
    scene.night();
    assert_eq!(left(&scene, &id), [2, 3]);
    assert_eq!(scene.snapshots().len(), 2 * (2 + 3));
    assert_eq!((scene.messages(), scene.held()), (vec![], vec![]));
}

#[test]
fn while_a_run_has_the_instance_its_backups_are_left_to_the_run() {
    let (scene, id) = scene(12, policy(None, json!({})));
    unselect(&scene.stopgap.aws, &id);
    // By hand, of an instance that the policy does not select; it takes longer than the fleet waits for it.
    scene.stopgap.aws.change(|world| world.machine_mut(&id).unwrap().stop_takes = Duration::from_secs(900));
    scene.stopgap.runtime.run_until(NIGHT.parse::<Timestamp>().unwrap() - SignedDuration::from_mins(2));
    let run = scene.start(json!({ "instance_id": id, "policy": "nightly" }));
    scene.stopgap.runtime.run_until(NIGHT.parse::<Timestamp>().unwrap());
    let arn = scene
        .stopgap
        .step_functions
        .start_execution(&scene.stopgap.fleet, None, json!({ "at": NIGHT }))
        .unwrap();
    scene.pass(SignedDuration::from_mins(8));
    assert_eq!(orphans(&scene.execution(&arn)), 1);
    assert_eq!(scene.calls("DeleteSnapshot"), 0);
    scene.pass(SignedDuration::from_hours(4));
    assert_eq!(scene.execution(&run).status, Status::Succeeded);
    assert_eq!(left(&scene, &id), [7], "and the new one");
    assert_eq!((scene.messages(), scene.held()), (vec![], vec![]));
}

#[test]
fn a_policy_that_is_disabled_or_gone_deletes_nothing() {
    let (scene, id) = scene(13, policy(None, json!({ "enabled": false })));
    terminate(&scene.stopgap.aws, &id);
    assert_eq!(orphans(&tick(&scene, json!({ "at": NIGHT }))), 0);
    assert_eq!(orphans(&tick(&scene, json!({ "policy": "nightly" }))), 0);

    let (scene, id) = self::scene(14, policy(None, json!({})));
    terminate(&scene.stopgap.aws, &id);
    when_planned(&scene, |aws| {
        aws.change(|world| world.table.remove(&policy_key(&"nightly".parse().unwrap())));
    });
    assert_eq!(orphans(&tick(&scene, json!({ "at": NIGHT }))), 1);
    assert_eq!((left(&scene, &id).len(), scene.messages(), scene.held()), (7, vec![], vec![]));
}

#[test]
fn a_dry_run_says_what_would_be_pruned_and_a_plan_of_one_policy_prunes() {
    let (scene, id) = scene(15, policy(None, json!({})));
    terminate(&scene.stopgap.aws, &id);
    let planned = tick(&scene, json!({ "dry_run": true }));
    assert_eq!((orphans(&planned), left(&scene, &id).len()), (1, 7));
    let key = planned.output.unwrap()["plan"]["key"].as_str().unwrap().to_owned();
    let item = scene.stopgap.aws.look(|world| world.objects[&key][0].clone());
    assert_eq!((&item["do"], &item["orphan"]["why"]), (&json!("prune"), &json!("gone")));
    assert_eq!(orphans(&tick(&scene, json!({ "policy": "nightly" }))), 1);
    assert_eq!(left(&scene, &id), [6, 7]);
}

#[test]
fn one_night_deletes_no_more_of_them_than_the_policy_allows_one_run() {
    let retention = json!({ "retention": { "at_least": 2, "delete_at_most": 3 } });
    let (scene, id) = scene(16, policy(None, retention));
    terminate(&scene.stopgap.aws, &id);
    for (day, expected) in [(21, vec![4, 5, 6, 7]), (22, vec![6, 7]), (23, vec![6, 7])] {
        tick(&scene, json!({ "at": format!("2026-11-{day}T02:00:00Z") }));
        assert_eq!(left(&scene, &id), expected);
    }
}
