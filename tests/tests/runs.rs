//! One run of the shipped instance machine on the real task code.

use jiff::SignedDuration;
use serde_json::json;
use stopgap_core::inventory::{InstanceState, SnapshotState};
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::{Scene, nightly};

#[test]
fn a_running_instance_is_stopped_copied_and_started_again() {
    let scene = Scene::nightly(1);
    let id = scene.add(|spec| spec);
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    assert_eq!(
        scene.states(&execution.arn),
        [
            "ResolveRun",
            "WaitForAdmission",
            "PrepareRun",
            "HowToGoOn",
            "StopInstance",
            "WaitUntilStopped",
            "CreateSnapshots",
            "MustCompleteFirst",
            "IsRestartOwed",
            "StartInstance",
            "WaitUntilRunning",
            "IsShielded",
            "ConfirmRunning",
            "WasLeftStopped",
            "AreSnapshotsBegun",
            "WaitUntilCompleted",
            "CopyTags",
            "AreTagsComplete",
            "PruneSnapshots",
            "CloseRun",
            "IsWell",
            "Completed"
        ]
    );
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    let snapshots = scene.snapshots();
    assert_eq!(snapshots.len(), 2);
    assert!(snapshots.iter().all(|snapshot| snapshot.state == SnapshotState::Completed));
    assert_eq!(scene.held(), Vec::<String>::new());
    assert_eq!(scene.messages(), []);
}

#[test]
fn an_instance_that_was_stopped_before_is_copied_and_stays_stopped() {
    let scene = Scene::nightly(2);
    let id = scene.add(|spec| spec.state(InstanceState::Stopped));
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    assert_eq!(scene.state(&id), Some(InstanceState::Stopped));
    assert_eq!((scene.calls("StopInstances"), scene.calls("StartInstances")), (0, 0));
    assert_eq!(scene.snapshots().len(), 2);
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn a_crash_consistent_policy_never_stops_the_instance() {
    let scene = Scene::new(3, &[nightly(json!({ "consistency": "crash" }))]);
    let id = scene.add(|spec| spec);
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    assert_eq!((scene.calls("StopInstances"), scene.calls("StartInstances")), (0, 0));
    assert_eq!(scene.snapshots().len(), 2);
}

#[test]
fn the_instance_runs_again_long_before_its_snapshots_are_completed() {
    let scene = Scene::nightly(4);
    let id = scene.add(|spec| spec.volume(500, &[]));
    let execution = scene.run(json!({ "instance_id": id }));

    let states = scene.states(&execution.arn);
    let running = states.iter().position(|state| state == "ConfirmRunning").unwrap();
    let completed = states.iter().position(|state| state == "WaitUntilCompleted").unwrap();
    assert!(running < completed, "{states:?}");
    let down = scene.stopgap.aws.look(|world| world.machine(&id).unwrap().downs[0]);
    let seconds = down.until.unwrap().duration_since(down.from).as_secs();
    assert!(seconds < 300, "down for {seconds} s while 500 GiB were copied");
}

#[test]
fn a_policy_may_ask_to_stay_down_until_the_snapshots_are_completed() {
    let scene = Scene::new(5, &[nightly(json!({ "restart": "snapshot-completed" }))]);
    let id = scene.add(|spec| spec);
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    let down = scene.stopgap.aws.look(|world| world.machine(&id).unwrap().downs[0]);
    let settled = scene.stopgap.aws.look(|world| {
        world.places.values().flat_map(|place| place.snapshots.values()).filter_map(|copy| copy.settled).max()
    });
    assert!(down.starting.unwrap() >= settled.unwrap());
}

#[test]
fn staying_down_for_snapshots_that_take_longer_than_a_restart_may_is_no_trouble() {
    let scene = Scene::new(5, &[nightly(json!({ "restart": "snapshot-completed" }))]);
    let id = scene.add(|spec| spec);
    let (hour, hours) = (60 * 60, |hours| SignedDuration::from_hours(hours));
    scene.stopgap.aws.change(|world| {
        world.machine_mut(&id).unwrap().snapshots_take = Some(std::time::Duration::from_secs(30 * hour));
    });
    let begin = scene.stopgap.runtime.clock().now();
    scene.stopgap.rescue(begin, begin + hours(72));
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(hours(29));
    assert_eq!(scene.state(&id), Some(InstanceState::Stopped), "as the policy asks");
    scene.pass(hours(2));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    assert_eq!((scene.execution(&arn).status, scene.messages()), (Status::Succeeded, vec![]));
}

#[test]
fn all_tags_of_volume_and_instance_are_on_every_snapshot() {
    let scene = Scene::new(
        6,
        &[nightly(json!({ "tags": { "from": ["volume", "instance"], "add": { "Cost": "42" } } }))],
    );
    let id = scene.add(|spec| spec.tag("Name", "db-1").volume(5, &[("Scratch", "no")]));
    scene.run(json!({ "instance_id": id }));

    let snapshots = scene.snapshots();
    assert_eq!(snapshots.len(), 3);
    for snapshot in &snapshots {
        let tag = |key: &str| snapshot.tags.get(key).map(String::as_str);
        assert_eq!((tag("Name"), tag("Backup"), tag("Cost")), (Some("db-1"), Some("nightly"), Some("42")));
        assert_eq!((tag("stopgap:policy"), tag("stopgap:volumes")), (Some("nightly"), Some("3")));
        assert_eq!(tag("stopgap:instance"), Some(id.as_str()));
        assert!(tag("stopgap:device").unwrap().starts_with("/dev/"));
    }
    let of_volumes: Vec<_> =
        snapshots.iter().filter_map(|s| s.tags.get("Data").or(s.tags.get("Scratch"))).collect();
    assert_eq!(of_volumes.len(), 2, "each volume's own tags are on its own snapshot alone");
}

#[test]
fn tags_that_do_not_fit_are_named_in_a_ticket_and_cost_nothing_else() {
    let scene = Scene::nightly(13);
    let many = |mut spec: stopgap_sim::aws::InstanceSpec| {
        spec.tags.extend((0..44).map(|n| (format!("Tag{n:02}"), "x".to_owned())));
        spec.volumes[0].tags.extend((0..4).map(|n| (format!("Volume{n}"), "y".to_owned())));
        spec
    };
    let id = scene.add(many);
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Succeeded, "{:?}", execution.cause);
    assert_eq!(scene.messages(), [("tags-incomplete".to_owned(), "open".to_owned(), id)]);
    scene.stopgap.aws.look(|world| {
        // The root's snapshot: 4 set tags, its device, 4 of the volume, and 41 of the 45 of the instance.
        let cause = world.published[0].1.document["cause"].as_str().unwrap();
        assert!(cause.contains("Tag40, Tag41, Tag42, Tag43"), "{cause}");
        assert!(world.snapshots().all(|snapshot| snapshot.tags.len() <= 50));
    });
}

#[test]
fn the_same_occurrence_asked_for_twice_is_one_backup() {
    let scene = Scene::nightly(7);
    let id = scene.add(|spec| spec);
    let input = json!({ "instance_id": id, "occurrence": "nightly/2026-11-21T02:00:00Z" });
    let first = scene.start(input.clone());
    let second = scene.start(input.clone());
    scene.pass(jiff::SignedDuration::from_hours(24));
    let third = scene.run(input);

    let last = |arn: &str| scene.states(arn).pop().unwrap();
    let mut ends = [last(&first), last(&second)];
    ends.sort();
    assert_eq!(ends, ["Completed", "InProgress"]);
    assert_eq!(last(&third.arn), "AlreadyDone");
    assert_eq!((scene.snapshots().len(), scene.calls("StopInstances")), (2, 1));
}

#[test]
fn an_occurrence_that_the_table_forgot_is_still_known_by_the_snapshots() {
    let scene = Scene::nightly(8);
    let id = scene.add(|spec| spec);
    let input = json!({ "instance_id": id, "occurrence": "nightly/2026-11-21T02:00:00Z" });
    scene.run(input.clone());
    scene.stopgap.aws.change(|world| world.table.retain(|key, _| !key.partition.starts_with("run#")));
    let again = scene.run(input);

    assert_eq!(scene.states(&again.arn).pop().unwrap(), "AlreadyDone");
    assert_eq!(scene.snapshots().len(), 2);
}

#[test]
fn two_policies_on_one_instance_take_turns_and_keep_their_own_sets() {
    let scene = Scene::new(9, &[nightly(json!({})), nightly(json!({ "id": "weekly" }))]);
    let id = scene.add(|spec| spec);
    scene.start(json!({ "instance_id": id, "policy": "nightly" }));
    scene.start(json!({ "instance_id": id, "policy": "weekly" }));
    scene.pass(jiff::SignedDuration::from_hours(24));

    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    let downs = scene.stopgap.aws.look(|world| world.machine(&id).unwrap().downs.clone());
    assert_eq!(downs.len(), 2);
    assert!(downs[0].until.unwrap() <= downs[1].from, "the runs overlapped: {downs:?}");
    assert_eq!(scene.snapshots().len(), 4);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_touches_nothing() {
    let scene = Scene::nightly(10);
    let id = scene.add(|spec| spec);
    let execution = scene.run(json!({ "instance_id": id, "dry_run": true }));

    assert_eq!(scene.states(&execution.arn).pop().unwrap(), "DryRun");
    let prepared = &execution.output.unwrap()["prepared"]["Payload"];
    assert_eq!((&prepared["stop"], &prepared["restart_owed"]), (&json!(true), &json!(true)));
    assert_eq!(prepared["volumes"].as_array().unwrap().len(), 2);
    assert_eq!((scene.calls("StopInstances"), scene.calls("CreateSnapshots")), (0, 0));
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn a_dry_run_that_finds_a_hindrance_tells_it_at_once_and_opens_no_ticket() {
    let scene = Scene::new(14, &[nightly(json!({ "volumes": { "root": false } }))]);
    let refused = scene.add(|mut spec| {
        spec.volumes.truncate(1);
        spec
    });
    let busy = scene.add(|spec| spec);
    let gone = scene.add(|spec| spec);
    scene.start(json!({ "instance_id": busy }));
    scene.pass(jiff::SignedDuration::from_secs(10));
    scene.stopgap.aws.change(|world| {
        let machine = world.machine_mut(&gone).unwrap();
        machine.instance.state = InstanceState::Terminated;
        machine.past.push((stopgap_tests::evening(), InstanceState::Terminated, None));
    });
    let ask = |id: &str| {
        let location = stopgap_tests::home();
        scene.start(json!({
            "instance_id": id, "dry_run": true, "account": location.account, "region": location.region,
            "policy": "nightly", "occurrence": "nightly/2026-11-21T02:00:00Z",
        }))
    };
    let asked = [ask(&refused), ask(&busy), ask(&gone)];
    scene.pass(jiff::SignedDuration::from_secs(10));

    let end = |arn: &str| scene.states(arn).pop().unwrap();
    let reason =
        |arn: &str| scene.execution(arn).output.unwrap()["prepared"]["Payload"]["reasons"].to_string();
    assert_eq!(asked.each_ref().map(|arn| end(arn)), ["DryRun", "DryRun", "DryRunFailed"]);
    assert!(reason(&asked[0]).contains("has no volume"), "{}", reason(&asked[0]));
    assert!(reason(&asked[1]).contains("makes nightly/"), "{}", reason(&asked[1]));
    assert_eq!(scene.execution(&asked[2]).error.as_deref(), Some("InstanceGone"));
    assert_eq!(scene.messages(), []);
    let recorded = scene.stopgap.aws.look(|world| {
        let of_occurrence = |key: &stopgap_core::ports::Key| key.partition.ends_with("2026-11-21T02:00:00Z");
        world.table.keys().filter(|key| of_occurrence(key)).count()
    });
    assert_eq!(recorded, 0, "a dry run records nothing");
}

#[test]
fn nonsense_input_fails_at_the_first_state_and_says_what_would_be_right() {
    let scene = Scene::new(11, &[nightly(json!({})), nightly(json!({ "id": "weekly" }))]);
    let id = scene.add(|spec| spec);
    let other = scene.add(|mut spec| {
        spec.tags.clear();
        spec
    });
    let cases = [
        (json!({}), "InvalidInput", "instance_id"),
        (json!([1]), "InvalidInput", "instance_id"),
        (json!("i-0123456789abcdef0"), "InvalidInput", "instance_id"),
        (json!({ "instance_id": "web-1" }), "InvalidInput", "`web-1` is not an instance id"),
        (json!({ "instance_id": id, "polcy": "nightly" }), "InvalidInput", "polcy"),
        (json!({ "instance_id": id, "policy": "Nightly" }), "InvalidInput", "`Nightly` is not a policy id"),
        (json!({ "instance_id": id, "start_at": "tomorrow" }), "InvalidInput", "start_at"),
        (
            json!({ "instance_id": id, "start_at": "2999-01-01T00:00:00Z" }),
            "InvalidInput",
            "more than 24h after",
        ),
        (json!({ "instance_id": id, "region": "mars-north-1" }), "InvalidInput", "123456789012/us-east-1"),
        (json!({ "instance_id": id, "policy": "hourly" }), "PolicyNotFound", "`hourly`"),
        (json!({ "instance_id": other }), "PolicyNotFound", "say by `policy` which one to use"),
        (json!({ "instance_id": id }), "PolicyAmbiguous", "nightly, weekly"),
        (json!({ "instance_id": "i-0fffffffffffffff0" }), "InstanceGone", "no instance i-0fffffffffffffff0"),
        (
            json!({ "instance_id": id, "policy": "weekly", "occurrence": "nightly/2026-11-21T02:00:00Z" }),
            "InvalidInput",
            "is not one of the policy weekly",
        ),
    ];
    for (input, error, says) in cases {
        let execution = scene.run(input.clone());
        assert_eq!(execution.status, Status::Failed, "{input}");
        assert_eq!(execution.error.as_deref(), Some(error), "{input}: {:?}", execution.cause);
        assert!(execution.cause.unwrap().contains(says), "{input}");
        assert_eq!(scene.states(&execution.arn), ["ResolveRun"], "{input}");
    }
    assert_eq!(scene.messages(), []);
}

#[test]
fn retention_prunes_what_no_rule_keeps_and_nothing_of_others() {
    let scene = Scene::new(12, &[nightly(json!({ "retention": { "keep_last": 2 } }))]);
    let id = scene.add(|spec| spec);
    let set = |day: u8, policy: &str| {
        stopgap_core::inventory::Tags::from(
            [
                ("stopgap:policy", policy.to_owned()),
                ("stopgap:instance", id.clone()),
                ("stopgap:occurrence", format!("{policy}/2026-11-{day:02}T02:00:00Z")),
                ("stopgap:volumes", "2".to_owned()),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        )
    };
    for day in 10..15 {
        scene.stopgap.aws.add_backup(&id, "2026-11-15T02:00:00Z".parse().unwrap(), &set(day, "nightly"));
    }
    scene.stopgap.aws.add_backup(&id, "2026-01-01T00:00:00Z".parse().unwrap(), &set(1, "other"));
    scene.stopgap.aws.add_backup(&id, "2020-01-01T00:00:00Z".parse().unwrap(), &Default::default());
    scene.run(json!({ "instance_id": id, "occurrence": "nightly/2026-11-21T02:00:00Z" }));

    let mut left: Vec<_> = scene
        .snapshots()
        .iter()
        .map(|s| s.tags.get("stopgap:occurrence").cloned().unwrap_or_default())
        .collect();
    left.sort();
    left.dedup();
    let (newest, older) = ("nightly/2026-11-21T02:00:00Z", "nightly/2026-11-14T02:00:00Z");
    assert_eq!(left, ["", older, newest, "other/2026-11-01T02:00:00Z"]);
}

/// 480 snapshots take EC2 longer to delete, at five a second, than a function may run.
#[test]
fn pruning_that_runs_out_of_time_goes_on_until_all_is_deleted() {
    let scene = Scene::new(14, &[nightly(json!({ "retention": { "keep_last": 1 } }))]);
    let id = scene.add(|spec| (0..10).fold(spec, |spec, _| spec.volume(8, &[])));
    for day in 1..=20 {
        for half in ["02", "14"] {
            let tags = [
                ("stopgap:policy", "nightly".to_owned()),
                ("stopgap:instance", id.clone()),
                ("stopgap:occurrence", format!("nightly/2026-10-{day:02}T{half}:00:00Z")),
                ("stopgap:volumes", "12".to_owned()),
            ];
            let tags = tags.map(|(key, value)| (key.to_owned(), value)).into();
            scene.stopgap.aws.add_backup(&id, "2026-10-21T02:00:00Z".parse().unwrap(), &tags);
        }
    }
    assert_eq!(scene.snapshots().len(), 480);
    let execution = scene.run(json!({ "instance_id": id }));

    assert_eq!(execution.status, Status::Succeeded, "{:?} {:?}", execution.error, execution.cause);
    assert_eq!(scene.snapshots().len(), 12, "the new set alone is kept");
    let events = scene.stopgap.step_functions.history(&execution.arn);
    let out_of_time = |event: &&stopgap_sim::stepfunctions::HistoryEvent| {
        event.detail("error").and_then(|error| error.as_str()) == Some("OutOfTime")
    };
    assert!(events.iter().filter(out_of_time).count() > 0, "it was done in one invocation");
    assert_eq!(scene.messages(), []);
}
