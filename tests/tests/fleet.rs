//! The fleet machine: what is due is begun, once, and what was not is heard of.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::InstanceState;
use stopgap_core::records::PlannedUntil;
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::{Scene, nightly};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn fleet(scene: &Scene, input: Value) -> stopgap_sim::stepfunctions::Execution {
    let machine = scene.stopgap.fleet.clone();
    let arn = scene.stopgap.step_functions.start_execution(&machine, None, input).expect("it starts");
    scene.pass(SignedDuration::from_hours(1));
    scene.execution(&arn)
}

#[test]
fn one_night_backs_up_every_selected_instance_once() {
    let scene = Scene::nightly(1);
    let ids: Vec<String> = (0..12).map(|_| scene.add(|spec| spec)).collect();
    let stopped = scene.add(|spec| spec.state(InstanceState::Stopped));
    let terminated = scene.add(|spec| spec.state(InstanceState::Terminated));
    let other = scene.add(|mut spec| {
        spec.tags.clear();
        spec
    });
    scene.night();

    assert_eq!(scene.runs().len(), 13);
    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    assert!(ids.iter().all(|id| scene.state(id) == Some(InstanceState::Running)));
    assert_eq!(scene.state(&stopped), Some(InstanceState::Stopped));
    let copied = |id: &String| scene.snapshots().iter().any(|s| s.tags.get("stopgap:instance") == Some(id));
    assert!(!copied(&terminated) && !copied(&other));
    assert_eq!(scene.snapshots().len(), 26);
    assert_eq!(scene.messages(), []);
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn the_fleet_reads_in_bulk_and_never_per_instance() {
    let calls = |instances: usize| {
        let scene = Scene::nightly(2);
        for _ in 0..instances {
            scene.add(|spec| spec);
        }
        // Long before anything is due: planning alone.
        fleet(&scene, json!({ "at": "2026-11-20T12:00:00Z" }));
        scene.stopgap.aws.look(|world| world.calls.clone())
    };
    assert_eq!(calls(3), calls(300));
}

#[test]
fn the_same_tick_twice_starts_each_run_once() {
    let scene = Scene::nightly(3);
    scene.add(|spec| spec);
    scene.add(|spec| spec);
    for _ in 0..2 {
        let machine = &scene.stopgap.fleet;
        let tick = json!({ "at": "2026-11-21T02:00:00Z" });
        scene.stopgap.step_functions.start_execution(machine, None, tick).unwrap();
    }
    scene.pass(SignedDuration::from_hours(2));

    assert_eq!(scene.runs().len(), 2);
    assert_eq!(scene.calls("StopInstances"), 2);
    let fleets = scene.stopgap.step_functions.executions();
    assert!(fleets.iter().all(|execution| execution.status == Status::Succeeded));
}

#[test]
fn aborting_the_fleet_strands_no_instance() {
    let scene = Scene::nightly(4);
    let ids: Vec<String> = (0..200).map(|_| scene.add(|spec| spec)).collect();
    let machine = &scene.stopgap.fleet;
    let tick = json!({ "at": "2026-11-21T02:00:00Z" });
    let arn = scene.stopgap.step_functions.start_execution(machine, None, tick).unwrap();
    // Aborted at the moment in which it has started its first run.
    let (step_functions, fleet, instance) =
        (scene.stopgap.step_functions.clone(), arn.clone(), scene.stopgap.instance.clone());
    scene.stopgap.step_functions.subscribe(move |execution| {
        if execution.machine_arn == instance {
            step_functions.stop_execution(&fleet, None, None);
        }
    });
    scene.pass(SignedDuration::from_hours(3));

    assert_eq!(scene.execution(&arn).status, Status::Aborted);
    let runs = scene.runs();
    assert!((1..200).contains(&runs.len()), "{} runs were begun", runs.len());
    assert!(runs.iter().all(|run| run.status == Status::Succeeded));
    assert!(ids.iter().all(|id| scene.state(id) == Some(InstanceState::Running)));
}

#[test]
fn an_occurrence_that_no_tick_served_in_time_is_one_ticket_that_the_next_backup_closes() {
    let scene = Scene::nightly(5);
    let id = scene.add(|spec| spec);
    fleet(&scene, json!({ "at": "2026-11-21T01:45:00Z" }));
    // The planner is down from 02:00 until 05:00; start_within is two hours.
    scene.stopgap.runtime.run_until(at("2026-11-21T05:00:00Z"));
    fleet(&scene, json!({ "at": "2026-11-21T05:00:00Z" }));
    fleet(&scene, json!({ "at": "2026-11-21T05:15:00Z" }));
    assert_eq!(scene.messages(), [("backup-missed".to_owned(), "open".to_owned(), id.clone())]);
    assert_eq!(scene.runs().len(), 0);

    scene.stopgap.runtime.run_until(at("2026-11-22T02:00:00Z"));
    fleet(&scene, json!({ "at": "2026-11-22T02:00:00Z" }));
    scene.pass(SignedDuration::from_hours(1));
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}

/// The mark that says up to when has been planned, and what of it is not known to be told.
fn planned_until(scene: &Scene) -> PlannedUntil {
    let body = scene.stopgap.aws.look(|world| world.table[&PlannedUntil::key()].1.clone());
    serde_json::from_value(body).expect("a mark")
}

#[test]
fn a_missed_backup_of_which_an_aborted_fleet_told_nobody_is_told_once_by_the_next_tick() {
    let scene = Scene::nightly(20);
    let id = scene.add(|spec| spec);
    fleet(&scene, json!({ "at": "2026-11-21T01:45:00Z" }));
    scene.stopgap.runtime.run_until(at("2026-11-21T05:00:00Z"));
    let machine = &scene.stopgap.fleet;
    let tick = json!({ "at": "2026-11-21T05:00:00Z" });
    let arn = scene.stopgap.step_functions.start_execution(machine, None, tick).unwrap();
    // Aborted when it has planned, and before it has told anyone.
    let (step_functions, first) = (scene.stopgap.step_functions.clone(), arn.clone());
    scene.stopgap.step_functions.subscribe_to_states(move |_, execution, state| {
        if *execution == *first && state == "Dispatch" {
            step_functions.stop_execution(&first, None, None);
        }
    });
    scene.stopgap.runtime.run_until(at("2026-11-21T05:14:00Z"));
    assert_eq!(scene.execution(&arn).status, Status::Aborted);
    assert_eq!(scene.messages(), []);

    fleet(&scene, json!({ "at": "2026-11-21T05:15:00Z" }));
    let told = [("backup-missed".to_owned(), "open".to_owned(), id)];
    assert_eq!(scene.messages(), told);
    assert_eq!(planned_until(&scene).untold.len(), 1);
    // What is recorded as told is not looked for again.
    fleet(&scene, json!({ "at": "2026-11-21T05:30:00Z" }));
    assert_eq!(planned_until(&scene).untold, []);
    assert_eq!(scene.messages(), told);
}

#[test]
fn a_missed_backup_that_a_person_makes_after_all_is_complete_and_closes_its_ticket() {
    let scene = Scene::nightly(22);
    let id = scene.add(|spec| spec);
    fleet(&scene, json!({ "at": "2026-11-21T01:45:00Z" }));
    scene.stopgap.runtime.run_until(at("2026-11-21T05:00:00Z"));
    fleet(&scene, json!({ "at": "2026-11-21T05:00:00Z" }));
    assert_eq!(scene.open_tickets(), ["backup-missed"]);

    let run = scene.run(json!({ "instance_id": id, "occurrence": "nightly/2026-11-21T02:00:00Z" }));
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.cause);
    assert_eq!(scene.snapshots().len(), 2);
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}

#[test]
fn a_tick_that_comes_late_still_serves_within_start_within() {
    let scene = Scene::nightly(6);
    scene.add(|spec| spec);
    scene.stopgap.runtime.run_until(at("2026-11-21T03:30:00Z"));
    fleet(&scene, json!({ "at": "2026-11-21T03:30:00Z" }));
    scene.pass(SignedDuration::from_hours(1));
    let runs = scene.runs();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].status, Status::Succeeded, "{:?}", runs[0].cause);
    assert_eq!(runs[0].input["occurrence"], "nightly/2026-11-21T02:00:00Z");
}

#[test]
fn after_hours_without_a_planner_the_newest_occurrence_runs_and_the_older_ones_are_one_ticket() {
    let hourly = json!({ "schedule": { "expression": "rate(1 hour)", "start_within": "3h" } });
    let scene = Scene::new(10, &[nightly(hourly)]);
    let id = scene.add(|spec| spec);
    let begins = at("2026-11-21T02:00:00Z");
    scene.stopgap.runtime.run_until(begins);
    fleet(&scene, json!({ "at": begins.to_string() }));
    assert_eq!(scene.runs().len(), 1);
    // The planner is down until 05:50; each hour that the next one followed is missed, though three hours are not over.
    scene.stopgap.runtime.run_until(at("2026-11-21T05:50:00Z"));
    fleet(&scene, json!({ "at": "2026-11-21T05:50:00Z" }));

    let served: Vec<Value> = scene.runs().iter().map(|run| run.input["occurrence"].clone()).collect();
    assert_eq!(served, ["nightly/2026-11-21T02:00:00Z", "nightly/2026-11-21T05:00:00Z"]);
    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    let opened = scene.stopgap.aws.look(|world| world.published[0].1.document.clone());
    assert_eq!((&opened["kind"], &opened["instance"]), (&json!("backup-missed"), &json!(id)));
    assert_eq!(
        opened["occurrences"],
        json!(["nightly/2026-11-21T03:00:00Z", "nightly/2026-11-21T04:00:00Z"])
    );
    // The backup of 05:00 closes it.
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}

#[test]
fn the_last_moment_of_start_within_is_served_and_the_next_is_a_ticket() {
    for (tick, runs, tickets) in [("2026-11-21T03:59:59Z", 1, 0), ("2026-11-21T04:00:00Z", 0, 1)] {
        let scene = Scene::nightly(11);
        scene.add(|spec| spec);
        fleet(&scene, json!({ "at": "2026-11-21T01:45:00Z" }));
        scene.stopgap.runtime.run_until(at(tick));
        fleet(&scene, json!({ "at": tick }));
        assert_eq!((scene.runs().len(), scene.open_tickets().len()), (runs, tickets), "{tick}");
    }
}

#[test]
fn a_dry_run_writes_the_plan_and_starts_nothing() {
    let scene = Scene::nightly(7);
    scene.add(|spec| spec);
    let execution = fleet(&scene, json!({ "at": "2026-11-21T02:00:00Z", "dry_run": true }));
    let plan = &execution.output.unwrap()["plan"];
    assert_eq!((&plan["due"], &plan["dry_run"]), (&json!(1), &json!(true)));
    let key = plan["key"].as_str().unwrap();
    let items = scene.stopgap.aws.look(|world| world.objects[key].as_array().unwrap().len());
    assert_eq!(items, 1);
    assert_eq!(scene.runs().len(), 0);
}

#[test]
fn nonsense_input_fails_at_the_first_state_and_says_what_would_be_right() {
    let scene = Scene::nightly(8);
    let cases = [
        (json!({ "when": "now" }), "InvalidInput", "when"),
        (json!({ "at": "tonight" }), "InvalidInput", "`at`"),
        (json!({ "at": "2027-01-01T02:00:00Z" }), "InvalidInput", "dry_run"),
        (json!({ "policy": "hourly" }), "PolicyNotFound", "there are nightly"),
        (json!(7), "InvalidInput", "{} is enough"),
    ];
    for (input, error, says) in cases {
        let execution = fleet(&scene, input.clone());
        assert_eq!(execution.status, Status::Failed, "{input}");
        assert_eq!(execution.error.as_deref(), Some(error), "{input}: {:?}", execution.cause);
        assert!(execution.cause.unwrap().contains(says), "{input}");
        assert_eq!(scene.states(&execution.arn), ["PlanFleet"], "{input}");
    }
}

#[test]
fn a_snapshot_error_is_tried_again_at_most_twice_and_stays_one_ticket() {
    let scene = Scene::nightly(9);
    let id = scene.add(|spec| spec.fault(stopgap_sim::aws::FaultName::SnapshotError));
    scene.night();
    let attempts: Vec<_> = scene.runs().iter().map(|run| run.input["attempt"].clone()).collect();
    assert_eq!(attempts, [json!(0), json!(1), json!(2)]);
    assert_eq!(scene.open_tickets(), ["backup-failed"]);
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
}

#[test]
fn a_large_fleet_is_admitted_no_faster_than_it_can_be_started() {
    let scene = Scene::new(10, &[nightly(json!({}))]);
    for _ in 0..400 {
        scene.add(|spec| spec);
    }
    scene.night();
    assert_eq!(scene.runs().len(), 400);
    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    let starts = scene.calls("StartInstances");
    assert!(starts < 440, "{starts} calls for 400 starts: many were throttled while instances were down");
    let overhead = scene.stopgap.aws.look(|world| {
        world.machines().flat_map(|machine| machine.downs.iter().filter_map(|down| down.overhead())).max()
    });
    let overhead = overhead.unwrap();
    assert!(
        overhead < SignedDuration::from_secs(12),
        "an instance was down for {overhead:#} more than EC2 takes"
    );
}
