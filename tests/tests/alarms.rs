//! The alarms of an instance that is down on purpose: silent meanwhile where the policy asks for it, and never longer.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::FaultKind;
use stopgap_sim::aws::{FaultName, Injection, Site, Wrong};
use stopgap_sim::stepfunctions::{Execution, Status};
use stopgap_tests::{Scene, evening, home, nightly};

/// An instance whose policy silences its alarms: one that acts, and one that somebody has switched off.
fn watched(seed: u64) -> (Scene, String) {
    let scene = Scene::new(seed, &[nightly(json!({ "alarms": "silence" }))]);
    let id = scene.add(|spec| spec);
    let other = scene.add(|spec| spec);
    scene.stopgap.aws.add_alarm(&home(), "cpu", &[&id], true);
    scene.stopgap.aws.add_alarm(&home(), "muted", &[&id], false);
    scene.stopgap.aws.add_alarm(&home(), "of another", &[&other], true);
    scene.stopgap.aws.add_alarm(&home(), "of both", &[&id, &other], true);
    (scene, id)
}

/// Which alarms act.
fn acting(scene: &Scene) -> BTreeMap<String, bool> {
    scene.stopgap.aws.look(|world| {
        let alarms = world.places[&home()].alarms.values();
        alarms.map(|alarm| (alarm.name.clone(), alarm.acts)).collect()
    })
}

fn as_before(scene: &Scene) -> bool {
    let is_as_before = |(name, acts): (String, bool)| acts == (name != "muted");
    acting(scene).into_iter().all(is_as_before)
}

/// Passes time until the instance is stopping or running: states that last longer than the steps.
fn pass_until(scene: &Scene, id: &str, state: InstanceState) {
    let seconds = (0..3_600).find(|_| {
        scene.pass(SignedDuration::from_secs(1));
        scene.state(id) == Some(state)
    });
    assert!(seconds.is_some(), "{id} is not {state} within an hour");
}

/// A run whose call of this name is refused, as if its rights were missing.
fn run_refused(scene: &Scene, id: &str, state: &str, operation: &'static str) -> Execution {
    scene.stopgap.aws.change(|world| {
        let at = Site::new(state, operation, 1);
        world.watch.arm(Injection { at, lasts: false, wrong: Wrong::Refused(FaultKind::AccessDenied) });
    });
    scene.run(json!({ "instance_id": id }))
}

/// The rescuer looks once.
fn rescue(scene: &Scene) {
    let machine = &scene.stopgap.rescue;
    scene.stopgap.step_functions.start_execution(machine, None, json!({})).expect("the machine is there");
    scene.pass(SignedDuration::from_mins(10));
}

fn told(scene: &Scene) -> Vec<String> {
    scene.messages().into_iter().map(|(kind, action, _)| format!("{kind} {action}")).collect()
}

#[test]
fn the_alarms_that_watch_an_instance_are_silent_while_it_is_down_and_act_again_once_it_runs() {
    let (scene, id) = watched(1);
    let arn = scene.start(json!({ "instance_id": id }));
    pass_until(&scene, &id, InstanceState::Stopping);
    let silent: Vec<String> =
        acting(&scene).into_iter().filter(|(_, acts)| !acts).map(|(name, _)| name).collect();
    assert_eq!(silent, ["cpu", "muted", "of both"]);
    pass_until(&scene, &id, InstanceState::Running);
    scene.pass(SignedDuration::from_mins(1));
    assert!(as_before(&scene), "{:?}", acting(&scene));

    scene.pass(SignedDuration::from_hours(24));
    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
    assert_eq!((scene.held(), scene.messages().len()), (Vec::new(), 0));
}

#[test]
fn an_alarm_that_was_off_before_stays_off() {
    let (scene, id) = watched(2);
    scene.run(json!({ "instance_id": id }));
    assert!(!acting(&scene)["muted"]);
}

#[test]
fn a_policy_that_does_not_ask_for_it_touches_no_alarm() {
    let scene = Scene::nightly(3);
    let id = scene.add(|spec| spec);
    scene.stopgap.aws.add_alarm(&home(), "cpu", &[&id], true);
    assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Succeeded);
    assert_eq!((scene.calls("DescribeAlarms"), scene.calls("DisableAlarmActions")), (0, 0));
}

#[test]
fn an_instance_that_is_not_stopped_keeps_its_alarms() {
    for (changes, state) in [
        (json!({ "alarms": "silence", "consistency": "crash" }), InstanceState::Running),
        (json!({ "alarms": "silence" }), InstanceState::Stopped),
    ] {
        let scene = Scene::new(4, &[nightly(changes)]);
        let id = scene.add(|spec| spec.state(state));
        scene.stopgap.aws.add_alarm(&home(), "cpu", &[&id], true);
        assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Succeeded);
        assert_eq!(scene.calls("DisableAlarmActions"), 0, "{state}");
    }
}

#[test]
fn however_many_alarms_watch_an_instance_all_of_them_act_again() {
    let (scene, id) = watched(5);
    for n in 0..250 {
        scene.stopgap.aws.add_alarm(&home(), &format!("alarm-{n:03}"), &[&id], true);
    }
    scene.start(json!({ "instance_id": id }));
    pass_until(&scene, &id, InstanceState::Stopping);
    assert_eq!(acting(&scene).values().filter(|acts| **acts).count(), 1, "only that of the other instance");
    scene.pass(SignedDuration::from_hours(3));
    assert!(as_before(&scene));
    assert_eq!(scene.runs()[0].status, Status::Succeeded);
}

#[test]
fn a_run_that_fails_before_or_after_the_stop_leaves_no_alarm_silent() {
    for (state, operation) in [("StopInstance", "StopInstances"), ("CreateSnapshots", "CreateSnapshots")] {
        let (scene, id) = watched(1);
        assert_eq!(run_refused(&scene, &id, state, operation).status, Status::Failed, "{operation}");
        assert_eq!(scene.calls("DisableAlarmActions"), 1, "{operation}");
        assert!(as_before(&scene), "{operation}");
        assert_eq!(scene.held(), Vec::<String>::new(), "{operation}");
    }
    let (scene, id) = watched(6);
    scene.stopgap.aws.change(|world| {
        world.machine_mut(&id).unwrap().faults.insert(FaultName::SnapshotError);
    });
    assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Failed);
    assert!(as_before(&scene));
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn alarms_that_cannot_be_silenced_cost_the_backup_and_not_the_instance() {
    let (scene, id) = watched(1);
    let run = run_refused(&scene, &id, "SilenceAlarms", "DisableAlarmActions");
    assert_eq!(run.error.as_deref(), Some("AccessDenied"));
    assert_eq!((scene.calls("StopInstances"), scene.state(&id)), (0, Some(InstanceState::Running)));
    assert!(as_before(&scene));
    assert_eq!((told(&scene), scene.held()), (vec!["backup-failed open".to_owned()], Vec::new()));
}

#[test]
fn a_start_that_is_given_up_lets_the_alarms_act_again() {
    let (scene, id) = watched(7);
    scene.stopgap.aws.change(|world| {
        world.machine_mut(&id).unwrap().faults.insert(FaultName::NoCapacity);
    });
    scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_hours(23));
    assert!(!acting(&scene)["cpu"], "it is still being tried");
    scene.pass(SignedDuration::from_hours(3));
    assert!(as_before(&scene));
    assert_eq!(scene.open_tickets(), ["left-stopped"]);

    // The rescuer takes over what is left, and knows that no alarm is.
    rescue(&scene);
    scene.pass(SignedDuration::from_hours(25));
    let left: Vec<String> = scene.held().iter().map(|key| key[..6].to_owned()).collect();
    assert_eq!((left, as_before(&scene)), (vec!["intent".to_owned(), "leases".to_owned()], true));
}

#[test]
fn alarms_that_stay_silent_are_a_ticket_until_the_rescuer_has_them_act_again() {
    let (scene, id) = watched(1);
    let run = run_refused(&scene, &id, "RestoreAlarms", "EnableAlarmActions");
    assert!(run.cause.unwrap().contains("the backup is complete"));
    assert!(!acting(&scene)["cpu"]);
    assert_eq!((scene.open_tickets(), scene.held().len()), (vec!["alarms-silenced".to_owned()], 2));

    rescue(&scene);
    assert!(as_before(&scene));
    assert_eq!(told(&scene), ["alarms-silenced open", "alarms-silenced resolve"]);
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn an_instance_that_is_owed_no_more_than_its_alarms_is_not_started() {
    let (scene, id) = watched(1);
    run_refused(&scene, &id, "RestoreAlarms", "EnableAlarmActions");
    scene.stopgap.aws.change(|world| {
        // A person stops it, long after the run.
        let machine = world.machine_mut(&id).unwrap();
        machine.instance.state = InstanceState::Stopped;
        machine.past.push((evening(), InstanceState::Stopped, None));
    });
    let starts = scene.calls("StartInstances");
    rescue(&scene);
    assert_eq!((scene.calls("StartInstances"), scene.state(&id)), (starts, Some(InstanceState::Stopped)));
    assert!(as_before(&scene));
    assert_eq!((scene.open_tickets(), scene.held()), (Vec::new(), Vec::new()));
}

#[test]
fn the_next_run_pays_back_the_alarms_of_one_that_could_not() {
    let (scene, id) = watched(1);
    run_refused(&scene, &id, "RestoreAlarms", "EnableAlarmActions");
    let next = scene.run(json!({ "instance_id": id }));
    assert_eq!(next.status, Status::Succeeded, "{:?} {:?}", next.error, next.cause);
    assert!(as_before(&scene), "{:?}", acting(&scene));
    assert_eq!((scene.open_tickets(), scene.held()), (Vec::new(), Vec::new()));
}

#[test]
fn an_alarm_that_is_deleted_while_its_instance_is_down_keeps_nothing_open() {
    let (scene, id) = watched(8);
    scene.start(json!({ "instance_id": id }));
    pass_until(&scene, &id, InstanceState::Stopping);
    scene.stopgap.aws.change(|world| world.places.get_mut(&home()).unwrap().alarms.remove("cpu"));
    scene.pass(SignedDuration::from_hours(3));
    assert_eq!(scene.runs()[0].status, Status::Succeeded);
    assert!(as_before(&scene));
}

#[test]
fn a_run_aborted_in_any_state_leaves_no_alarm_silent() {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let night = || {
        let (scene, id) = watched(9);
        scene.stopgap.schedule(evening(), time("2026-11-21T04:00:00Z"));
        scene.stopgap.rescue(evening(), time("2026-11-21T04:00:00Z"));
        (scene, id)
    };
    let (rehearsal, id) = night();
    rehearsal.stopgap.runtime.run_until(time("2026-11-21T03:00:00Z"));
    let of_it = |scene: &Scene| {
        let run = scene.runs().into_iter().find(|run| run.name.starts_with(&id)).unwrap();
        run.arn
    };
    let history = rehearsal.stopgap.step_functions.history(&of_it(&rehearsal));
    let moments: Vec<Timestamp> = history.iter().map(|event| event.timestamp).collect();
    let half = |pair: &[Timestamp]| pair[0] + pair[1].duration_since(pair[0]) / 2;
    let mut moments: Vec<Timestamp> = moments.windows(2).map(half).collect();
    moments.dedup();
    assert!(moments.len() > 20, "{moments:?}");
    for moment in moments {
        let (scene, _) = night();
        scene.stopgap.runtime.run_until(moment);
        scene.stopgap.step_functions.stop_execution(&of_it(&scene), None, None);
        scene.stopgap.runtime.run_until(time("2026-11-21T04:00:00Z"));
        assert!(as_before(&scene), "aborted at {moment}: {:?}", acting(&scene));
        assert_eq!(scene.open_tickets(), Vec::<String>::new(), "aborted at {moment}");
    }
}
