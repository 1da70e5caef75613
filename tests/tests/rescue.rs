//! Whatever becomes of a run, its instance runs again: the rescuer sees to it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::backup_set;
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::{FaultKind, LifecycleState};
use stopgap_sim::aws::{FaultName, Injection, InstanceSpec, Site, Wrong};
use stopgap_sim::stepfunctions::{HistoryEvent, Status};
use stopgap_tests::{Scene, evening, home, nightly};

/// A member of an Auto Scaling group, whose nightly run is the first one there is; fleet and rescuer are scheduled.
fn night(seed: u64) -> (Scene, String) {
    let scene = Scene::nightly(seed);
    let id = scene.add(|spec| spec);
    let other = scene.stopgap.aws.add_instance(InstanceSpec::new(&home()).volume(8, &[]));
    scene.group(1, &[&id, &other], 20);
    let until = at("2026-11-21T12:00:00Z");
    scene.stopgap.schedule(evening(), until);
    scene.stopgap.rescue(evening(), until);
    (scene, id)
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

/// When the first run entered each of its states, and half way to the next.
fn moments(seed: u64) -> Vec<(String, Timestamp)> {
    let (scene, _) = night(seed);
    scene.stopgap.runtime.run_until(at("2026-11-21T03:00:00Z"));
    let run = &scene.runs()[0];
    assert_eq!(run.status, Status::Succeeded);
    let history = scene.stopgap.step_functions.history(&run.arn);
    let entered: Vec<&HistoryEvent> =
        history.iter().filter(|event| event.event_type.ends_with("StateEntered")).collect();
    let name =
        |event: &HistoryEvent| event.detail("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut moments: Vec<(String, Timestamp)> =
        entered.iter().map(|event| (name(event), event.timestamp)).collect();
    for pair in entered.windows(2) {
        let half = pair[1].timestamp.duration_since(pair[0].timestamp) / 2;
        moments.push((format!("{}, half way", name(pair[0])), pair[0].timestamp + half));
    }
    moments
}

/// How the member stands in its group.
fn lifecycle(scene: &Scene, id: &str) -> Option<LifecycleState> {
    scene.stopgap.aws.look(|world| {
        let mut groups = world.places.values().flat_map(|place| place.groups.values());
        groups.find_map(|group| group.members.get(id).copied())
    })
}

/// The complete sets of the night.
fn complete(scene: &Scene) -> usize {
    backup_set::group(&scene.snapshots()).sets.iter().filter(|set| set.is_complete()).count()
}

#[test]
fn an_execution_aborted_in_any_state_leaves_an_instance_that_runs_within_six_minutes_and_a_backup() {
    let moments = moments(1);
    assert!(moments.len() > 30, "{moments:?}");
    for (state, moment) in moments {
        let (scene, id) = night(1);
        scene.stopgap.runtime.run_until(moment);
        let run = scene.runs()[0].arn.clone();
        scene.stopgap.step_functions.stop_execution(&run, None, Some("a person pressed stop"));
        scene.pass(SignedDuration::from_mins(6));
        if scene.execution(&run).status != Status::Aborted {
            // The last states take no time.
            assert!(["IsWell", "Completed"].iter().any(|last| state.starts_with(last)), "{state}");
            continue;
        }
        assert_eq!(scene.state(&id), Some(InstanceState::Running), "aborted in {state}");
        assert_eq!(lifecycle(&scene, &id), Some(LifecycleState::InService), "aborted in {state}");

        scene.stopgap.runtime.run_until(at("2026-11-21T12:00:00Z"));
        assert_eq!(scene.held(), Vec::<String>::new(), "aborted in {state}");
        let messages = scene.messages();
        let opened = messages.iter().filter(|(_, action, _)| action == "open").count();
        let resolved = messages.iter().filter(|(_, action, _)| action == "resolve").count();
        if complete(&scene) == 0 {
            // It held nothing yet, so there is nothing to take over; its name is taken, and the occurrence is missed.
            assert!(["ResolveRun", "PrepareRun"].iter().any(|early| state.starts_with(early)), "{state}");
            assert_eq!(messages, [("backup-missed".to_owned(), "open".to_owned(), id)], "{state}");
            continue;
        }
        assert!(opened <= 1 && opened == resolved, "aborted in {state}: {messages:?}");
        assert_eq!((complete(&scene), scene.snapshots().len()), (1, 2), "aborted in {state}: {messages:?}");
        assert_eq!(scene.open_tickets(), Vec::<String>::new(), "aborted in {state}");
    }
}

/// Aborts the night's run while its instance is down.
fn aborted_while_down(scene: &Scene, id: &str) {
    scene.stopgap.runtime.run_until(at("2026-11-21T02:00:00Z"));
    while scene.state(id) != Some(InstanceState::Stopped) {
        scene.pass(SignedDuration::from_millis(100));
    }
    let run = scene.runs()[0].arn.clone();
    scene.stopgap.step_functions.stop_execution(&run, None, None);
}

#[test]
fn without_the_event_the_next_look_finds_what_was_aborted() {
    let (scene, id) = night(2);
    // The event of the abort is lost: only the look every five minutes is left.
    scene.stopgap.aws.change(|world| world.faults.insert(FaultName::EventsLost));
    aborted_while_down(&scene, &id);
    scene.pass(SignedDuration::from_mins(9));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    let told: Vec<String> =
        scene.messages().into_iter().map(|(kind, action, _)| format!("{kind} {action}")).collect();
    assert_eq!(told, ["left-stopped open", "left-stopped resolve"]);
}

#[test]
fn the_rescuer_leaves_runs_in_good_order_alone() {
    let (scene, id) = night(3);
    scene.stopgap.runtime.run_until(at("2026-11-21T02:00:00Z"));
    while scene.state(&id) != Some(InstanceState::Stopped) {
        scene.pass(SignedDuration::from_millis(100));
    }
    let lease = scene.stopgap.aws.look(|world| {
        let (_, (_, body)) = world.table.iter().find(|(key, _)| key.partition == "leases").unwrap();
        body.clone()
    });
    let debt = json!({
        "instance_id": id, "location": home(), "occurrence": lease["occurrence"], "policy": "nightly",
    });
    // As if a list that lags had shown no execution of it.
    let input = json!({ "debt": debt, "start_at": "2026-11-21T02:00:00Z" });
    let rescue = scene.stopgap.step_functions.start_execution(&scene.stopgap.rescue, None, input).unwrap();
    scene.pass(SignedDuration::from_hours(4));
    assert_eq!(
        scene.states(&rescue),
        ["IsOneDebt", "WaitForAdmission", "TakeOver", "HowItStands", "NothingOwed"]
    );
    assert_eq!(scene.runs()[0].status, Status::Succeeded);
    assert_eq!((scene.calls("StartInstances"), scene.messages().len()), (1, 0));
}

#[test]
fn an_instance_that_will_not_start_keeps_one_critical_ticket_until_it_runs() {
    let (scene, id) = night(4);
    aborted_while_down(&scene, &id);
    scene.stopgap.aws.change(|world| {
        if let Some(machine) = world.machine_mut(&id) {
            machine.faults.insert(FaultName::NoCapacity);
        }
    });
    scene.pass(SignedDuration::from_hours(6));
    assert_eq!(scene.state(&id), Some(InstanceState::Stopped));
    assert_eq!(scene.open_tickets(), ["left-stopped"]);
    scene.stopgap.aws.change(|world| {
        if let Some(machine) = world.machine_mut(&id) {
            machine.faults.clear();
        }
    });
    scene.pass(SignedDuration::from_mins(10));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    let messages = scene.messages();
    let opened: Vec<_> = messages.iter().filter(|(_, action, _)| action == "open").map(|m| &*m.0).collect();
    assert_eq!(opened, ["left-stopped", "backup-failed"], "too late to be tried again: {messages:?}");
}

#[test]
fn a_redriven_run_whose_instance_was_rescued_touches_nothing() {
    let (scene, id) = night(5);
    aborted_while_down(&scene, &id);
    scene.stopgap.runtime.run_until(at("2026-11-21T12:00:00Z"));
    let before = (scene.calls("StopInstances"), scene.calls("StartInstances"), scene.snapshots().len());
    let run = scene.runs()[0].arn.clone();
    scene.stopgap.step_functions.redrive_execution(&run).unwrap();
    scene.pass(SignedDuration::from_hours(12));
    let after = (scene.calls("StopInstances"), scene.calls("StartInstances"), scene.snapshots().len());
    assert_eq!(after, before);
    assert_eq!(scene.execution(&run).error.as_deref(), Some("LeaseLost"));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
}

#[test]
fn a_debt_of_an_instance_that_is_gone_is_struck_off() {
    let (scene, id) = night(6);
    aborted_while_down(&scene, &id);
    scene.stopgap.aws.change(|world| {
        if let Some(machine) = world.machine_mut(&id) {
            machine.instance.state = InstanceState::Terminated;
            machine.past.push((evening(), InstanceState::Terminated, None));
        }
    });
    scene.stopgap.runtime.run_until(at("2026-11-21T12:00:00Z"));
    assert_eq!(scene.held(), Vec::<String>::new());
    assert_eq!(scene.open_tickets(), ["backup-failed"]);
}

#[test]
fn a_run_whose_policy_was_deleted_is_rescued_all_the_same() {
    let (scene, id) = night(7);
    aborted_while_down(&scene, &id);
    scene.stopgap.aws.change(|world| world.table.retain(|key, _| key.partition != "policies"));
    scene.pass(SignedDuration::from_mins(6));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    scene.stopgap.runtime.run_until(at("2026-11-21T12:00:00Z"));
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn a_rescue_that_cannot_be_started_is_a_critical_ticket() {
    let (scene, id) = night(9);
    aborted_while_down(&scene, &id);
    // No execution can have a name as long as this instance's.
    let long = format!("i-{}", "0".repeat(90));
    scene.stopgap.aws.change(|world| {
        let leases: Vec<_> = world.table.iter().filter(|(key, _)| key.partition == "leases").collect();
        let (mut key, (version, mut body)) =
            leases.first().map(|(key, item)| ((*key).clone(), (*item).clone())).unwrap();
        key.sort = key.sort.replace(&id, &long);
        body["instance_id"] = json!(long);
        world.table.insert(key, (version, body));
    });
    scene.pass(SignedDuration::from_mins(12));
    assert_eq!(scene.state(&id), Some(InstanceState::Running), "the others are rescued all the same");
    let of_it: Vec<_> = scene.messages().into_iter().filter(|(_, _, instance)| *instance == long).collect();
    assert!(of_it.iter().all(|(kind, ..)| kind == "left-stopped"), "{of_it:?}");
    assert_eq!(of_it.iter().filter(|(_, action, _)| action == "open").count(), 1, "{of_it:?}");
}

#[test]
fn one_look_that_does_not_find_the_instance_leaves_nobody_stopped() {
    let wrong = Wrong::Refused(FaultKind::NotFound);
    let aborted = || {
        let (scene, id) = night(4);
        aborted_while_down(&scene, &id);
        (scene, id)
    };
    let (scene, _) = aborted();
    scene.stopgap.aws.change(|world| (world.watch.on, world.watch.noting) = (true, true));
    scene.pass(SignedDuration::from_mins(6));
    let looks: Vec<Site> = scene.stopgap.aws.look(|world| {
        let sites = world.watch.calls.iter().map(|called| &called.site);
        let looks =
            sites.filter(|site| site.operation == "DescribeInstances" && site.place.starts_with("rescue."));
        looks.cloned().collect()
    });
    assert!(looks.len() > 2, "the rescuer looks at the instance: {looks:?}");

    for look in looks {
        let (scene, id) = aborted();
        let injection = Injection { at: look.clone(), lasts: false, wrong };
        scene.stopgap.aws.change(|world| world.watch.arm(injection));
        scene.pass(SignedDuration::from_mins(6));
        assert_eq!(scene.state(&id), Some(InstanceState::Running), "{look}");
        assert_eq!(lifecycle(&scene, &id), Some(LifecycleState::InService), "{look}");
    }
}

#[test]
fn a_table_that_cannot_be_read_is_a_critical_ticket() {
    let scene = Scene::nightly(8);
    scene.stopgap.aws.change(|world| {
        let at = Site::new("rescue.FindDebts", "Query", 1);
        world.watch.arm(Injection { at, lasts: false, wrong: Wrong::Refused(FaultKind::AccessDenied) });
    });
    let look =
        || scene.stopgap.step_functions.start_execution(&scene.stopgap.rescue, None, json!({})).unwrap();
    look();
    scene.pass(SignedDuration::from_mins(5));
    look();
    scene.pass(SignedDuration::from_mins(5));
    look();
    scene.pass(SignedDuration::from_mins(5));
    let told: Vec<String> =
        scene.messages().into_iter().map(|(kind, action, _)| format!("{kind} {action}")).collect();
    assert_eq!(told, ["rescue-failed open", "rescue-failed resolve"]);
}

/// A run that has suspended its group's processes and is in `state`; the rescuer is scheduled.
fn suspending(seed: u64, state: &str) -> (Scene, String) {
    let scene = Scene::new(seed, &[nightly(json!({ "autoscaling": "suspend" }))]);
    let id = scene.add(|spec| spec);
    let other = scene.stopgap.aws.add_instance(InstanceSpec::new(&home()).volume(8, &[]));
    scene.group(1, &[&id, &other], 20);
    scene.stopgap.rescue(evening(), at("2026-11-21T12:00:00Z"));
    let arn = scene.start(json!({ "instance_id": id }));
    while scene.states(&arn).last().map(String::as_str) != Some(state) || suspended(&scene) == Some(0) {
        scene.pass(SignedDuration::from_millis(100));
    }
    (scene, id)
}

/// How many processes of the group are suspended; `None` if it is not there.
fn suspended(scene: &Scene) -> Option<usize> {
    scene.stopgap.aws.look(|world| world.places[&home()].groups.get("web").map(|group| group.suspended.len()))
}

#[test]
fn what_is_suspended_for_a_member_is_resumed_though_the_member_is_gone() {
    for state in ["EnterStandby", "WaitUntilStopped", "StartInstance"] {
        let (scene, id) = suspending(40, state);
        scene.stopgap.aws.terminate(&id);
        scene.pass(SignedDuration::from_hours(1));
        assert_eq!((suspended(&scene), scene.held()), (Some(0), Vec::<String>::new()), "{state}");
        let tickets = scene.open_tickets();
        assert!(!tickets.contains(&"left-stopped".to_owned()), "{state}: {tickets:?}");
    }
}

#[test]
fn of_a_group_that_is_gone_with_its_member_nothing_is_owed() {
    let (scene, id) = suspending(41, "WaitUntilStopped");
    scene.stopgap.aws.terminate(&id);
    scene.stopgap.aws.change(|world| {
        world.places.get_mut(&home()).expect("it is there").groups.remove("web");
    });
    scene.pass(SignedDuration::from_hours(1));
    assert_eq!(scene.held(), Vec::<String>::new());
    assert!(!scene.open_tickets().contains(&"left-stopped".to_owned()), "{:?}", scene.open_tickets());
}
