//! What fails in a run, and what a person hears of it: the instance runs again or a critical ticket is open, and one
//! failure is one ticket.

use jiff::SignedDuration;
use serde_json::json;
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::FaultKind;
use stopgap_sim::aws::{FaultName, Injection, Site, Wrong};
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::{Scene, home, nightly};

fn ticket(kind: &str, action: &str, instance: &str) -> (String, String, String) {
    (kind.to_owned(), action.to_owned(), instance.to_owned())
}

#[test]
fn a_snapshot_that_ends_in_error_is_a_ticket_and_the_instance_runs() {
    let scene = Scene::nightly(1);
    let id = scene.add(|spec| spec.fault(FaultName::SnapshotError));
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Failed);
    assert_eq!(execution.error.as_deref(), Some("SnapshotFailed"));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    assert_eq!(scene.messages(), [ticket("backup-failed", "open", &id)]);
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn an_instance_that_may_not_be_stopped_goes_on_running_and_is_a_ticket() {
    let scene = Scene::nightly(2);
    // What the preflight would have found, had it been let.
    scene.deny("DescribeInstanceAttribute");
    let id = scene.add(|spec| spec.fault(FaultName::StopProtected));
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Failed);
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    assert_eq!(scene.messages(), [ticket("backup-failed", "open", &id)]);
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn an_instance_that_cannot_start_opens_a_critical_ticket_at_once_which_its_start_resolves() {
    for fault in [FaultName::NoCapacity, FaultName::KmsGrantMissing] {
        let scene = Scene::nightly(3);
        let id = scene.add(|spec| spec.fault(fault));
        let arn = scene.start(json!({ "instance_id": id }));
        scene.pass(SignedDuration::from_mins(15));
        assert_eq!(scene.messages(), [ticket("left-stopped", "open", &id)], "{fault}");
        assert_eq!(scene.state(&id), Some(InstanceState::Stopped), "{fault}");

        scene.stopgap.aws.change(|world| world.machine_mut(&id).unwrap().faults.clear());
        scene.pass(SignedDuration::from_mins(5));
        assert_eq!(scene.state(&id), Some(InstanceState::Running), "{fault}");
        assert_eq!(scene.open_tickets(), Vec::<String>::new(), "{fault}");

        scene.pass(SignedDuration::from_hours(24));
        assert_eq!(scene.execution(&arn).status, Status::Succeeded, "{fault}: the backup itself is complete");
        assert_eq!(
            scene.messages(),
            [ticket("left-stopped", "open", &id), ticket("left-stopped", "resolve", &id)],
            "{fault}"
        );
    }
}

#[test]
fn a_start_that_never_succeeds_keeps_its_ticket_its_lease_and_its_intent() {
    let scene = Scene::nightly(4);
    let id = scene.add(|spec| spec.fault(FaultName::NoCapacity));
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Failed);
    assert!(execution.cause.unwrap().contains("the backup is complete"));
    assert_eq!(scene.open_tickets(), ["left-stopped"]);
    assert_eq!(scene.held().len(), 2, "lease and intent stay for the rescuer: {:?}", scene.held());
    let tried = execution.stopped.unwrap().duration_since(execution.started);
    assert!(tried >= SignedDuration::from_hours(24), "gave up after {tried:#}");
}

#[test]
fn a_new_run_takes_over_the_debt_of_a_dead_one_and_starts_the_instance() {
    let scene = Scene::nightly(5);
    let id = scene.add(|spec| spec);
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_secs(30));
    assert_ne!(scene.state(&id), Some(InstanceState::Running));
    scene.stopgap.step_functions.stop_execution(&arn, None, Some("a person pressed stop"));
    scene.pass(SignedDuration::from_mins(30));
    assert_eq!(scene.state(&id), Some(InstanceState::Stopped));

    let second = scene.run(json!({ "instance_id": id }));
    assert_eq!(second.status, Status::Succeeded, "{:?} {:?}", second.error, second.cause);
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn a_redriven_run_that_no_longer_holds_its_lease_touches_nothing() {
    let scene = Scene::nightly(6);
    let id = scene.add(|spec| spec);
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_secs(30));
    scene.stopgap.step_functions.stop_execution(&arn, None, None);
    scene.run(json!({ "instance_id": id }));
    let stops = scene.calls("StopInstances");
    let snapshots = scene.snapshots().len();

    scene.stopgap.step_functions.redrive_execution(&arn).unwrap();
    scene.pass(SignedDuration::from_hours(24));
    assert_eq!(scene.execution(&arn).error.as_deref(), Some("LeaseLost"));
    assert_eq!((scene.calls("StopInstances"), scene.snapshots().len()), (stops, snapshots));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
}

#[test]
fn a_redriven_run_touches_nothing_while_another_holds_the_lease() {
    let scene = Scene::nightly(15);
    let id = scene.add(|spec| spec);
    let first = scene.start(json!({ "instance_id": id }));
    while scene.calls("CreateSnapshots") == 0 {
        scene.pass(SignedDuration::from_secs(1));
    }
    scene.stopgap.step_functions.stop_execution(&first, None, None);
    let second = scene.start(json!({ "instance_id": id }));
    while scene
        .states(&second)
        .last()
        .is_none_or(|state| state != "StopInstance" && state != "CreateSnapshots")
    {
        scene.pass(SignedDuration::from_millis(50));
    }
    let touched = || {
        ["StopInstances", "StartInstances", "CreateSnapshots", "CreateTags"]
            .map(|operation| scene.calls(operation))
    };
    let before = touched();
    scene.stopgap.step_functions.redrive_execution(&first).unwrap();
    scene.pass(SignedDuration::from_millis(400));
    assert!(
        touched().iter().zip(before).all(|(after, before)| *after <= before + 1),
        "the second run's own at most"
    );

    scene.pass(SignedDuration::from_hours(5));
    assert_eq!(scene.execution(&second).status, Status::Succeeded);
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    assert_eq!(scene.execution(&first).error.as_deref(), Some("LeaseLost"));
    assert_eq!(scene.states(&first).pop().unwrap(), "Superseded");
    assert_eq!(scene.messages(), [], "it tells nothing of what is another's");
}

#[test]
fn a_failure_repeated_is_one_ticket_and_the_next_good_backup_closes_it() {
    let scene = Scene::nightly(7);
    scene.deny("DescribeInstanceAttribute");
    let id = scene.add(|spec| spec.fault(FaultName::StopProtected));
    scene.run(json!({ "instance_id": id }));
    scene.run(json!({ "instance_id": id }));
    assert_eq!(scene.open_tickets(), ["backup-failed"]);

    scene.stopgap.aws.change(|world| world.machine_mut(&id).unwrap().faults.clear());
    scene.run(json!({ "instance_id": id }));
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
    let actions: Vec<_> = scene.messages().into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(actions, ["open", "update", "resolve"]);
}

fn group(scene: &Scene, minimum: usize) -> Vec<String> {
    let members: Vec<String> = (0..3).map(|_| scene.add(|spec| spec)).collect();
    scene.group(minimum, &members.iter().collect::<Vec<_>>(), 300);
    members
}

fn replaced(scene: &Scene) -> Vec<String> {
    scene.stopgap.aws.look(|world| world.places[&home()].groups["web"].replaced.clone())
}

#[test]
fn a_member_of_an_auto_scaling_group_is_in_standby_while_it_is_down_and_back_in_service_after() {
    let scene = Scene::nightly(8);
    let members = group(&scene, 1);
    let execution = scene.run(json!({ "instance_id": members[0] }));

    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    assert_eq!(replaced(&scene), Vec::<String>::new());
    scene.stopgap.aws.look(|world| {
        let group = &world.places[&home()].groups["web"];
        assert_eq!(group.desired, 3);
        assert!(group.members.values().all(|state| *state == stopgap_core::ports::LifecycleState::InService));
    });
    assert_eq!((scene.calls("EnterStandby"), scene.calls("ExitStandby")), (1, 1));
}

#[test]
fn a_group_that_cannot_shrink_costs_a_ticket_and_no_member() {
    let scene = Scene::nightly(9);
    let members = group(&scene, 3);
    let execution = scene.run(json!({ "instance_id": members[0] }));

    // At once, not after having asked for an hour.
    assert_eq!(scene.states(&execution.arn).last().map(String::as_str), Some("Skipped"));
    assert!(execution.stopped.unwrap().duration_since(execution.started) < SignedDuration::from_mins(1));
    assert_eq!((scene.calls("EnterStandby"), scene.calls("StopInstances")), (0, 0));
    assert_eq!(scene.state(&members[0]), Some(InstanceState::Running));
    assert_eq!(scene.messages(), [ticket("backup-refused", "open", &members[0])]);
    let cause = scene.stopgap.aws.look(|world| world.published[0].1.document["cause"].to_string());
    assert!(cause.contains("group-at-minimum") && cause.contains("a minimum of 3"), "{cause}");
    assert_eq!(replaced(&scene), Vec::<String>::new());
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn a_group_that_cannot_shrink_can_have_its_processes_suspended_and_only_ours_are_resumed() {
    let scene = Scene::new(10, &[nightly(json!({ "autoscaling": "suspend" }))]);
    let members = group(&scene, 3);
    scene.stopgap.aws.change(|world| {
        let group = world.places.get_mut(&home()).unwrap().groups.get_mut("web").unwrap();
        group.suspended.insert("AZRebalance".to_owned());
    });
    for member in &members {
        scene.start(json!({ "instance_id": member }));
    }
    scene.pass(SignedDuration::from_hours(24));

    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    assert_eq!(replaced(&scene), Vec::<String>::new());
    let suspended = scene.stopgap.aws.look(|world| world.places[&home()].groups["web"].suspended.clone());
    assert_eq!(suspended.into_iter().collect::<Vec<_>>(), ["AZRebalance"]);
}

#[test]
fn a_member_whose_backup_fails_is_given_back_to_its_group() {
    let scene = Scene::nightly(11);
    scene.deny("DescribeInstanceAttribute");
    let members = group(&scene, 1);
    scene.stopgap.aws.change(|world| {
        world.machine_mut(&members[0]).unwrap().faults.insert(FaultName::StopProtected);
    });
    scene.run(json!({ "instance_id": members[0] }));

    scene.stopgap.aws.look(|world| {
        let group = &world.places[&home()].groups["web"];
        assert_eq!(group.members[&members[0]], stopgap_core::ports::LifecycleState::InService);
    });
    assert_eq!(scene.open_tickets(), ["backup-failed"]);
}

#[test]
fn no_more_members_of_a_group_are_down_at_once_than_the_policy_allows() {
    let concurrency = json!({ "concurrency": { "group_by": "tag:Cluster", "max": 1 } });
    let scene = Scene::new(12, &[nightly(concurrency)]);
    let ids: Vec<String> = (0..4).map(|_| scene.add(|spec| spec.tag("Cluster", "alpha"))).collect();
    for id in &ids {
        scene.start(json!({ "instance_id": id }));
    }
    scene.pass(SignedDuration::from_hours(24));

    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    let mut downs = scene.stopgap.aws.look(|world| {
        ids.iter()
            .map(|id| world.machine(id).unwrap().downs[0])
            .map(|d| (d.from, d.until.unwrap()))
            .collect::<Vec<_>>()
    });
    downs.sort();
    assert!(downs.windows(2).all(|pair| pair[0].1 <= pair[1].0), "two were down at once: {downs:?}");
}

#[test]
fn a_slot_that_stays_busy_beyond_start_within_is_a_missed_backup_and_a_ticket() {
    let policy = json!({
        "concurrency": { "group_by": "tag:Cluster", "max": 1 },
        "schedule": { "expression": "cron(0 2 * * ? *)", "start_within": "30m" },
    });
    let scene = Scene::new(13, &[nightly(policy)]);
    let stuck = scene.add(|spec| spec.tag("Cluster", "alpha").fault(FaultName::NoCapacity));
    scene.start(json!({ "instance_id": stuck }));
    scene.pass(SignedDuration::from_mins(1));
    let waiting = scene.add(|spec| spec.tag("Cluster", "alpha"));
    let arn = scene.start(json!({ "instance_id": waiting }));
    scene.pass(SignedDuration::from_mins(45));

    let execution = scene.execution(&arn);
    assert_eq!(execution.error.as_deref(), Some("StartWindowPassed"), "{:?}", execution.cause);
    assert!(scene.messages().contains(&ticket("backup-missed", "open", &waiting)));
    assert_eq!(scene.state(&waiting), Some(InstanceState::Running));
}

#[test]
fn members_of_one_group_take_turns_where_the_group_cannot_spare_all_of_them() {
    let scene = Scene::nightly(14);
    let members = group(&scene, 2);
    for member in &members {
        scene.start(json!({ "instance_id": member }));
    }
    scene.pass(SignedDuration::from_hours(24));

    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    assert_eq!(scene.messages(), []);
    assert_eq!(replaced(&scene), Vec::<String>::new());
}

#[test]
fn an_unanswered_create_of_which_only_a_part_is_seen_is_not_taken_for_the_whole() {
    let unanswered = |scene: &Scene, arn: &str| {
        let failed = |event: &stopgap_sim::stepfunctions::HistoryEvent| {
            event.detail("error").is_some_and(|error| error == "CreateUnsettled")
        };
        scene.stopgap.step_functions.history(arn).iter().any(failed)
    };
    let scene = (0..50).find_map(|seed| {
        let scene = Scene::nightly(seed);
        scene.stopgap.aws.change(|world| world.faults.insert(FaultName::CreateUnanswered));
        let id = scene.add(|spec| spec);
        let arn = scene.start(json!({ "instance_id": id }));
        while scene.calls("CreateSnapshots") == 0 {
            scene.pass(SignedDuration::from_secs(1));
        }
        scene.pass(SignedDuration::from_secs(6));
        unanswered(&scene, &arn).then_some((scene, arn))
    });
    let (scene, arn) = scene.expect("one create in three is not answered");
    let lost = scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&home()).unwrap();
        place.snapshots.pop_first().unwrap().1.snapshot.volume_id
    });
    scene.stopgap.aws.change(|world| world.faults.clear());
    scene.pass(SignedDuration::from_hours(5));

    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
    assert!(scene.snapshots().iter().any(|snapshot| snapshot.volume_id == lost), "{lost} has no snapshot");
}

#[test]
fn a_create_that_ec2_refused_is_repeated_without_waiting_for_what_cannot_be_there() {
    let run = |injection: Option<Injection>| {
        let scene = Scene::nightly(16);
        let id = scene.add(|spec| spec);
        scene.stopgap.aws.change(|world| injection.into_iter().for_each(|wrong| world.watch.arm(wrong)));
        let execution = scene.run(json!({ "instance_id": id }));
        assert_eq!(execution.status, Status::Succeeded);
        scene.stopgap.aws.look(|world| world.machine(&id).unwrap().downs[0].overhead().unwrap())
    };
    let at = Site::new("CreateSnapshots", "CreateSnapshots", 1);
    let refused = Injection { at, lasts: false, wrong: Wrong::Refused(FaultKind::Throttled) };
    let longer = run(Some(refused)) - run(None);
    assert!(longer < SignedDuration::from_secs(5), "down {longer:#} longer");
}

/// Every fault of the whole world alone: the backup succeeds, the instance runs, nobody is bothered.
#[test]
fn whatever_befalls_everything_is_got_through_without_a_ticket() {
    let everything =
        FaultName::ALL.iter().filter(|fault| fault.scope() == stopgap_sim::aws::Scope::Everything);
    for fault in everything {
        for seed in 0..5 {
            let scene = Scene::nightly(seed);
            scene.stopgap.aws.change(|world| world.faults.insert(*fault));
            let id = scene.add(|spec| spec);
            let execution = scene.run(json!({ "instance_id": id }));
            let (error, cause) = (&execution.error, &execution.cause);
            assert_eq!(execution.status, Status::Succeeded, "{fault}, seed {seed}: {error:?} {cause:?}");
            assert_eq!(scene.state(&id), Some(InstanceState::Running), "{fault}, seed {seed}");
            assert_eq!(scene.messages(), [], "{fault}, seed {seed}");
            assert_eq!(scene.snapshots().len(), 2, "{fault}, seed {seed}: one backup, not two");
            assert_eq!(scene.held(), Vec::<String>::new(), "{fault}, seed {seed}");
        }
    }
}
