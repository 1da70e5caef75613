//! Members of Auto Scaling groups: what a group does while one of them is down, and on its way back.

use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::LifecycleState;
use stopgap_sim::aws::{FaultName, Group};
use stopgap_sim::stepfunctions::Status;
use stopgap_tests::{Scene, home, nightly};

/// A group of three, of which `minimum` have to serve.
fn group(scene: &Scene, minimum: usize) -> Vec<String> {
    let members: Vec<String> = (0..3).map(|_| scene.add(|spec| spec)).collect();
    scene.group(minimum, &members.iter().collect::<Vec<_>>(), 20);
    members
}

fn change(scene: &Scene, change: impl FnOnce(&mut Group)) {
    scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&home());
        change(place.and_then(|place| place.groups.get_mut("web")).expect("the group is there"));
    });
}

fn lifecycle(scene: &Scene, id: &str) -> Option<LifecycleState> {
    scene.stopgap.aws.look(|world| world.places[&home()].groups["web"].members.get(id).copied())
}

fn replaced(scene: &Scene) -> Vec<String> {
    scene.stopgap.aws.look(|world| world.places[&home()].groups["web"].replaced.clone())
}

#[test]
fn a_group_at_its_minimum_whose_other_member_is_in_standby_waits_its_turn() {
    let scene = Scene::nightly(1);
    let members = group(&scene, 2);
    for id in &members[..2] {
        scene.start(json!({ "instance_id": id }));
    }
    scene.pass(SignedDuration::from_hours(3));
    for run in scene.runs() {
        assert_eq!(run.status, Status::Succeeded, "{:?} {:?}", run.error, run.cause);
    }
    assert_eq!((scene.messages().len(), replaced(&scene)), (0, Vec::new()));
}

#[test]
fn a_backup_waits_while_another_member_is_being_launched() {
    let scene = Scene::nightly(2);
    let members = group(&scene, 1);
    change(&scene, |group| {
        group.members.insert(members[1].clone(), LifecycleState::Pending);
    });
    let arn = scene.start(json!({ "instance_id": members[0] }));
    scene.pass(SignedDuration::from_mins(20));
    assert_eq!((scene.calls("EnterStandby"), scene.held()), (0, Vec::new()));
    change(&scene, |group| {
        group.members.insert(members[1].clone(), LifecycleState::InService);
    });
    scene.pass(SignedDuration::from_mins(30));
    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
}

#[test]
fn a_member_that_is_being_terminated_is_refused_and_not_brought_back() {
    let scene = Scene::nightly(3);
    let members = group(&scene, 1);
    change(&scene, |group| {
        group.members.insert(members[0].clone(), LifecycleState::Leaving);
    });
    let execution = scene.run(json!({ "instance_id": members[0] }));
    assert_eq!(scene.states(&execution.arn).last().map(String::as_str), Some("Skipped"));
    assert_eq!((scene.calls("StopInstances"), scene.open_tickets()), (0, vec!["backup-refused".to_owned()]));
    let cause = scene.stopgap.aws.look(|world| world.published[0].1.document["cause"].to_string());
    assert!(cause.contains("member-leaving"), "{cause}");
}

#[test]
fn zones_that_are_rebalanced_cost_no_member_that_is_down() {
    for autoscaling in ["standby", "suspend"] {
        let scene = Scene::new(4, &[nightly(json!({ "autoscaling": autoscaling }))]);
        let members = group(&scene, 1);
        change(&scene, |group| group.uneven = true);
        let execution = scene.run(json!({ "instance_id": members[0] }));
        assert_eq!(execution.status, Status::Succeeded, "{autoscaling}");
        assert_eq!(replaced(&scene), Vec::<String>::new(), "{autoscaling}");
    }
}

#[test]
fn the_hooks_on_the_way_back_are_waited_for() {
    let scene = Scene::nightly(5);
    let members = group(&scene, 1);
    change(&scene, |group| group.hooks_take = Duration::from_secs(240));
    let arn = scene.start(json!({ "instance_id": members[0] }));
    while lifecycle(&scene, &members[0]) != Some(LifecycleState::Pending) {
        scene.pass(SignedDuration::from_secs(1));
    }
    scene.pass(SignedDuration::from_secs(200));
    assert_eq!(lifecycle(&scene, &members[0]), Some(LifecycleState::Pending));
    assert!(!scene.states(&arn).contains(&"ConfirmRunning".to_owned()), "it is not back yet");
    scene.pass(SignedDuration::from_hours(2));
    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
    assert_eq!(
        (lifecycle(&scene, &members[0]), scene.messages().len()),
        (Some(LifecycleState::InService), 0)
    );
}

#[test]
fn hooks_that_take_longer_than_a_run_waits_are_a_ticket_that_their_end_closes() {
    let scene = Scene::nightly(6);
    let members = group(&scene, 1);
    change(&scene, |group| group.hooks_take = Duration::from_secs(3_600));
    let execution = scene.run(json!({ "instance_id": members[0] }));
    assert_eq!(execution.status, Status::Succeeded);
    assert_eq!(lifecycle(&scene, &members[0]), Some(LifecycleState::InService));
    let told: Vec<String> =
        scene.messages().into_iter().map(|(kind, action, _)| format!("{kind} {action}")).collect();
    assert_eq!(told, ["left-stopped open", "left-stopped resolve"]);
}

#[test]
fn a_member_whose_backup_fails_leaves_standby_through_hooks_and_grace_and_is_not_replaced() {
    for fault in [FaultName::StopProtected, FaultName::SnapshotError] {
        let scene = Scene::nightly(7);
        // So that the protection is met by the stop, not before Standby.
        scene.deny("DescribeInstanceAttribute");
        let members = group(&scene, 1);
        scene.stopgap.aws.change(|world| {
            world.machine_mut(&members[0]).unwrap().faults.insert(fault);
        });
        change(&scene, |group| {
            group.hooks_take = Duration::from_secs(120);
            group.grace = Duration::from_secs(300);
        });
        scene.run(json!({ "instance_id": members[0] }));
        assert_eq!(lifecycle(&scene, &members[0]), Some(LifecycleState::InService), "{fault}");
        assert_eq!(
            (replaced(&scene), scene.open_tickets()),
            (vec![], vec!["backup-failed".to_owned()]),
            "{fault}"
        );
    }
}

/// What the simulated group does where nobody keeps it from it: else the tests above would prove nothing.
#[test]
fn a_member_that_goes_down_in_service_is_replaced_once_its_grace_is_over() {
    for (suspended, uneven, is_replaced) in [
        (&[][..], false, true),
        (&["HealthCheck", "ReplaceUnhealthy"], false, false),
        (&["HealthCheck", "ReplaceUnhealthy"], true, true),
        (&["AZRebalance", "HealthCheck", "ReplaceUnhealthy"], true, false),
    ] {
        let scene = Scene::nightly(8);
        let members = group(&scene, 1);
        let grace_ends = scene.stopgap.runtime.clock().now() + SignedDuration::from_mins(10);
        change(&scene, |group| {
            group.suspended = suspended.iter().map(|process| (*process).to_owned()).collect();
            group.uneven = uneven;
            group.minded_from.insert(members[0].clone(), grace_ends);
        });
        let (aws, at, id) = (scene.stopgap.aws.clone(), home(), members[0].clone());
        scene.stopgap.runtime.clock().spawn(async move {
            aws.ports().ec2.stop_instance(&at, &id).await.unwrap();
        });
        scene.pass(SignedDuration::from_mins(9));
        assert_eq!(scene.state(&members[0]), Some(InstanceState::Stopped), "within its grace");
        scene.pass(SignedDuration::from_mins(5));
        assert_eq!(!replaced(&scene).is_empty(), is_replaced, "{suspended:?} {uneven}");
    }
}
