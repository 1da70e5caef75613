//! The load balancers of an instance that is down on purpose: out of them before the stop, and seen healthy in them after the
//! start, where the policy asks for it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::{Health, Registration};
use stopgap_sim::aws::{Standing, TargetGroup};
use stopgap_sim::stepfunctions::{HistoryEvent, Status};
use stopgap_tests::{Scene, evening, home, nightly};

/// An instance whose policy takes it out of its load balancers: two ports of one group, and one of another, beside a second
/// instance that the policy does not select.
fn balanced(seed: u64, changes: Value) -> (Scene, String) {
    let mut policy = nightly(json!({ "load_balancers": "deregister" }));
    if let (Some(policy), Value::Object(changes)) = (policy.as_object_mut(), changes) {
        policy.extend(changes);
    }
    let scene = Scene::new(seed, &[policy]);
    let id = scene.add(|spec| spec);
    let other = scene.add(|spec| spec.tag("Backup", "never"));
    let aws = &scene.stopgap.aws;
    aws.add_target_group(&home(), "web", &[(&id, 80), (&id, 8080), (&other, 80)]);
    aws.add_target_group(&home(), "api", &[(&id, 443)]);
    aws.add_target_group(&home(), "others", &[(&other, 80)]);
    (scene, id)
}

fn change(scene: &Scene, group: &str, change: impl FnOnce(&mut TargetGroup)) {
    scene.stopgap.aws.change(|world| {
        let place = world.places.get_mut(&home());
        change(place.and_then(|place| place.target_groups.get_mut(group)).expect("the group is there"));
    });
}

/// How its targets are found, such as `api:443`.
fn health(scene: &Scene, id: &str) -> BTreeMap<String, Health> {
    let found = scene.stopgap.aws.target_health(&home(), id);
    found.into_iter().map(|((group, port), health)| (format!("{group}:{port}"), health)).collect()
}

fn all_are(scene: &Scene, id: &str, expected: Health) -> bool {
    let health = health(scene, id);
    health.keys().eq(["api:443", "web:80", "web:8080"]) && health.values().all(|health| *health == expected)
}

fn pass_until(scene: &Scene, id: &str, state: InstanceState) {
    while scene.state(id) != Some(state) {
        scene.pass(SignedDuration::from_secs(1));
    }
}

fn told(scene: &Scene) -> Vec<String> {
    scene.messages().into_iter().map(|(kind, action, _)| format!("{kind} {action}")).collect()
}

#[test]
fn an_instance_is_drained_before_it_is_stopped_and_healthy_in_the_same_ports_before_it_counts_as_back() {
    let (scene, id) = balanced(1, json!({}));
    let arn = scene.start(json!({ "instance_id": id }));
    while !all_are(&scene, &id, Health::Draining) {
        scene.pass(SignedDuration::from_secs(1));
    }
    scene.pass(SignedDuration::from_secs(200));
    assert_eq!(scene.state(&id), Some(InstanceState::Running), "requests are in flight");
    pass_until(&scene, &id, InstanceState::Stopping);
    assert_eq!(health(&scene, &id), BTreeMap::new());
    pass_until(&scene, &id, InstanceState::Running);
    scene.pass(SignedDuration::from_secs(20));
    assert!(all_are(&scene, &id, Health::Initial));
    assert!(!scene.states(&arn).contains(&"ConfirmRunning".to_owned()), "it does not serve yet");
    scene.pass(SignedDuration::from_hours(3));
    assert!(all_are(&scene, &id, Health::Healthy));
    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
    assert_eq!((scene.held(), told(&scene)), (Vec::new(), Vec::new()));
}

#[test]
fn a_policy_that_does_not_ask_for_it_touches_no_load_balancer() {
    let (scene, id) = balanced(2, json!({ "load_balancers": "leave" }));
    assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Succeeded);
    let calls = ["DescribeTargetGroups", "DescribeTargetHealth", "DeregisterTargets", "RegisterTargets"];
    assert_eq!(calls.map(|call| scene.calls(call)), [0; 4]);
}

#[test]
fn an_instance_that_is_not_stopped_keeps_its_targets() {
    let (live, id) = balanced(3, json!({ "consistency": "crash" }));
    assert_eq!(live.run(json!({ "instance_id": id })).status, Status::Succeeded);
    assert_eq!(live.calls("DeregisterTargets"), 0);

    let (scene, _) = balanced(3, json!({}));
    let id = scene.add(|spec| spec.state(InstanceState::Stopped));
    scene.stopgap.aws.add_target_group(&home(), "stopped", &[(&id, 80)]);
    assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Succeeded);
    assert_eq!((scene.calls("DeregisterTargets"), scene.calls("RegisterTargets")), (0, 0));
}

#[test]
fn members_of_an_auto_scaling_group_are_left_to_standby_and_that_is_said() {
    let (scene, id) = balanced(4, json!({}));
    let mate = scene.add(|spec| spec);
    scene.group(1, &[&id, &mate], 20);
    let run = scene.run(json!({ "instance_id": id }));
    assert_eq!(run.status, Status::Succeeded);
    assert_eq!((scene.calls("DescribeTargetGroups"), scene.calls("DeregisterTargets")), (0, 0));
    let reasons = scene.reasons(&run).join(" ");
    assert!(reasons.contains("load balancers") && reasons.contains("Auto Scaling"), "{reasons}");
}

#[test]
fn what_somebody_else_is_taking_out_stays_out() {
    let (scene, id) = balanced(5, json!({}));
    change(&scene, "api", |group| {
        group.targets.values_mut().for_each(|standing| *standing = Standing::Draining(evening()));
    });
    assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Succeeded);
    assert!(health(&scene, &id).keys().eq(["web:80", "web:8080"]));
}

#[test]
fn what_was_not_healthy_before_is_registered_and_not_waited_for() {
    let (scene, id) = balanced(6, json!({}));
    change(&scene, "web", |group| {
        group.checks_take = Duration::from_secs(30 * 24 * 3_600);
        group.targets.values_mut().for_each(|standing| *standing = Standing::Registered(evening()));
    });
    assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Succeeded);
    assert_eq!((health(&scene, &id).len(), told(&scene)), (3, Vec::new()));
}

#[test]
fn a_run_that_fails_before_or_after_the_stop_puts_the_instance_back() {
    for refused in ["StopInstances", "CreateSnapshots"] {
        let (scene, id) = balanced(7, json!({}));
        scene.deny(refused);
        assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Failed, "{refused}");
        assert_eq!(scene.calls("DeregisterTargets"), 2, "{refused}");
        assert!(all_are(&scene, &id, Health::Healthy), "{refused}");
        assert_eq!((told(&scene), scene.held()), (vec!["backup-failed open".to_owned()], Vec::new()));
    }
}

#[test]
fn targets_that_cannot_be_deregistered_cost_the_backup_and_not_the_instance() {
    let (scene, id) = balanced(8, json!({}));
    scene.deny("DeregisterTargets");
    let run = scene.run(json!({ "instance_id": id }));
    assert_eq!(run.error.as_deref(), Some("AccessDenied"));
    assert_eq!((scene.calls("StopInstances"), scene.state(&id)), (0, Some(InstanceState::Running)));
    assert!(all_are(&scene, &id, Health::Healthy));
    assert_eq!((told(&scene), scene.held()), (vec!["backup-failed open".to_owned()], Vec::new()));
}

#[test]
fn an_hour_of_draining_is_waited_for() {
    let (scene, id) = balanced(9, json!({}));
    change(&scene, "api", |group| group.drains_for = Duration::from_secs(3_600));
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_mins(60));
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
    scene.pass(SignedDuration::from_hours(3));
    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
    assert!(all_are(&scene, &id, Health::Healthy));
}

#[test]
fn an_instance_that_does_not_get_healthy_is_a_critical_ticket_until_it_does() {
    let (scene, id) = balanced(10, json!({}));
    let arn = scene.start(json!({ "instance_id": id }));
    pass_until(&scene, &id, InstanceState::Stopped);
    change(&scene, "web", |group| group.checks_take = Duration::from_secs(3_600));
    scene.pass(SignedDuration::from_mins(50));
    assert_eq!(
        (scene.state(&id), scene.open_tickets()),
        (Some(InstanceState::Running), vec!["left-stopped".to_owned()])
    );
    let cause = scene.stopgap.aws.look(|world| world.published[0].1.document["cause"].to_string());
    assert!(cause.contains("web:80, web:8080") && !cause.contains("api"), "{cause}");
    scene.pass(SignedDuration::from_hours(3));
    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
    assert_eq!(told(&scene), ["left-stopped open", "left-stopped resolve"]);
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_registered_again_is_a_critical_ticket_until_it_can() {
    let (scene, id) = balanced(11, json!({}));
    scene.deny("RegisterTargets");
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_hours(2));
    assert_eq!((health(&scene, &id).len(), scene.open_tickets()), (0, vec!["left-stopped".to_owned()]));
    scene.stopgap.aws.change(|world| world.denied.clear());
    scene.pass(SignedDuration::from_hours(3));
    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
    assert!(all_are(&scene, &id, Health::Healthy));
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}

#[test]
fn a_target_group_that_is_deleted_while_its_instance_is_down_keeps_nothing_open() {
    let (scene, id) = balanced(12, json!({}));
    scene.start(json!({ "instance_id": id }));
    pass_until(&scene, &id, InstanceState::Stopped);
    scene.stopgap.aws.change(|world| world.places.get_mut(&home()).unwrap().target_groups.remove("api"));
    scene.pass(SignedDuration::from_hours(3));
    assert_eq!(scene.runs()[0].status, Status::Succeeded);
    assert!(health(&scene, &id).keys().eq(["web:80", "web:8080"]));
}

#[test]
fn a_target_is_registered_again_with_its_quic_server_id() {
    let (scene, id) = balanced(13, json!({}));
    let quic = Registration { port: 4443, quic_server_id: Some("0x0123456789abcdef".to_owned()) };
    change(&scene, "api", |group| {
        group.targets.insert((id.clone(), quic.clone()), Standing::Registered(Timestamp::UNIX_EPOCH));
    });
    assert_eq!(scene.run(json!({ "instance_id": id })).status, Status::Succeeded);
    change(&scene, "api", |group| assert!(group.targets.contains_key(&(id.clone(), quic.clone()))));
}

#[test]
fn a_dead_run_that_left_the_instance_out_is_made_good_by_the_next() {
    let (scene, id) = balanced(14, json!({}));
    let arn = scene.start(json!({ "instance_id": id }));
    pass_until(&scene, &id, InstanceState::Stopped);
    scene.stopgap.step_functions.stop_execution(&arn, None, None);
    let next = scene.run(json!({ "instance_id": id }));
    assert_eq!(next.status, Status::Succeeded, "{:?} {:?}", next.error, next.cause);
    assert!(all_are(&scene, &id, Health::Healthy));
    assert_eq!(scene.held(), Vec::<String>::new());
}

#[test]
fn a_run_aborted_in_any_state_leaves_no_target_out() {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let night = || {
        let (scene, id) = balanced(15, json!({}));
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
    // As long as anything is owed; what polls again and again is aborted in one try of each three.
    let is_over = |event: &HistoryEvent| event.detail("name") == Some(&json!("CopyTags"));
    let owing = history.iter().take_while(|event| !is_over(event)).step_by(3);
    let moments: Vec<Timestamp> = owing.map(|event| event.timestamp).collect();
    let half = |pair: &[Timestamp]| pair[0] + pair[1].duration_since(pair[0]) / 2;
    let mut moments: Vec<Timestamp> = moments.windows(2).map(half).collect();
    moments.dedup();
    assert!(moments.len() > 15, "{moments:?}");
    for moment in moments {
        let (scene, _) = night();
        scene.stopgap.runtime.run_until(moment);
        scene.stopgap.step_functions.stop_execution(&of_it(&scene), None, None);
        scene.stopgap.runtime.run_until(time("2026-11-21T04:00:00Z"));
        assert!(all_are(&scene, &id, Health::Healthy), "aborted at {moment}: {:?}", health(&scene, &id));
        assert_eq!(scene.open_tickets(), Vec::<String>::new(), "aborted at {moment}");
        assert_eq!(scene.held(), Vec::<String>::new(), "aborted at {moment}");
    }
}
