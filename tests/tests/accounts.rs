//! Many accounts and Regions: policies say where, roles say how, and one that stays out of reach is one ticket.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::{InstanceState, Location};
use stopgap_core::policy::ROLE_PREFIX;
use stopgap_core::records::policy_key;
use stopgap_sim::stepfunctions::{Execution, Status};
use stopgap_tests::{Scene, home, nightly};

const SPOKE: &str = "111122223333";
const OTHER: &str = "444455556666";

/// A scenario with one policy, which has these targets.
fn targeting(seed: u64, targets: Value) -> Scene {
    Scene::new(seed, &[nightly(json!({ "targets": targets }))])
}

fn add_at(scene: &Scene, account: &str, region: &str) -> String {
    scene.add(|spec| spec.at(&Location::new(account, region)))
}

fn is_copied(scene: &Scene, id: &str) -> bool {
    scene.snapshots().iter().any(|snapshot| snapshot.tags.get("stopgap:instance").is_some_and(|of| of == id))
}

fn ticket(kind: &str, action: &str, instance: &str) -> (String, String, String) {
    (kind.to_owned(), action.to_owned(), instance.to_owned())
}

/// Plans at this time and lets an hour pass.
fn tick(scene: &Scene, at: &str) -> Execution {
    scene.stopgap.runtime.run_until(at.parse::<Timestamp>().expect("a time"));
    let machine = scene.stopgap.fleet.clone();
    let arn = scene.stopgap.step_functions.start_execution(&machine, None, json!({})).expect("it starts");
    scene.pass(SignedDuration::from_hours(1));
    scene.execution(&arn)
}

#[test]
fn a_policy_with_targets_backs_up_in_each_of_them_and_nowhere_else() {
    let scene = targeting(
        1,
        json!([
            { "regions": ["us-east-1", "eu-west-1"] },
            { "account": SPOKE, "regions": ["eu-west-1", "us-west-2"] },
            { "account": OTHER, "role": "stopgap-spoke-db" },
        ]),
    );
    scene.stopgap.aws.add_role(SPOKE, ROLE_PREFIX);
    scene.stopgap.aws.add_role(OTHER, "stopgap-spoke-db");
    let hub = home().account;
    let targeted = [
        (hub.as_str(), "us-east-1"),
        (&hub, "eu-west-1"),
        (SPOKE, "eu-west-1"),
        (SPOKE, "us-west-2"),
        (OTHER, "us-east-1"),
    ]
    .map(|(account, region)| add_at(&scene, account, region));
    let others = [(hub.as_str(), "us-west-2"), (SPOKE, "us-east-1"), (OTHER, "eu-west-1")]
        .map(|(account, region)| add_at(&scene, account, region));
    scene.night();

    assert_eq!(scene.runs().len(), 5);
    assert!(scene.runs().iter().all(|run| run.status == Status::Succeeded));
    assert!(targeted.iter().all(|id| is_copied(&scene, id)));
    assert!(!others.iter().any(|id| is_copied(&scene, id)));
    assert!(targeted.iter().chain(&others).all(|id| scene.state(id) == Some(InstanceState::Running)));
    assert_eq!(scene.messages(), []);
    assert_eq!(scene.held(), Vec::<String>::new());
    // Nobody knocked at a door that was not theirs.
    assert_eq!(scene.calls("AssumeRole"), 0);
}

#[test]
fn one_account_that_refuses_the_role_costs_a_ticket_and_not_the_night() {
    let scene = targeting(2, json!([{}, { "account": SPOKE }, { "account": OTHER }]));
    scene.stopgap.aws.add_role(OTHER, ROLE_PREFIX);
    let refused = add_at(&scene, SPOKE, "us-east-1");
    let served = [add_at(&scene, &home().account, "us-east-1"), add_at(&scene, OTHER, "us-east-1")];
    scene.night();

    assert!(served.iter().all(|id| is_copied(&scene, id)));
    assert!(!is_copied(&scene, &refused));
    assert_eq!(scene.messages(), [ticket("plan-failed", "open", "")]);
    let message = scene.stopgap.aws.look(|world| world.published[0].1.document.clone());
    assert_eq!((&message["account"], &message["region"]), (&json!(SPOKE), &json!("us-east-1")));
    assert_eq!(message["dedup_key"], format!("stopgap/plan-failed/{SPOKE}/us-east-1"));
    let cause = message["cause"].as_str().unwrap();
    assert!(cause.contains(&format!("arn:aws:iam::{SPOKE}:role/{ROLE_PREFIX}")), "{cause}");
    let fleets = scene.stopgap.step_functions.executions();
    assert!(fleets.iter().all(|execution| execution.error.is_none()));

    // Once it lets stopgap in, what was missed meanwhile is told, the ticket closes, and the next night is whole.
    scene.stopgap.aws.add_role(SPOKE, ROLE_PREFIX);
    tick(&scene, "2026-11-21T09:00:00Z");
    let told = scene.messages();
    assert_eq!(told[1..], [ticket("plan-failed", "resolve", ""), ticket("backup-missed", "open", &refused)]);
    tick(&scene, "2026-11-22T02:00:00Z");
    assert!(is_copied(&scene, &refused));
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}

#[test]
fn an_account_that_stays_out_of_reach_does_not_bring_back_what_was_missed_elsewhere() {
    let scene = targeting(3, json!([{}, { "account": SPOKE }]));
    let id = add_at(&scene, &home().account, "us-east-1");
    tick(&scene, "2026-11-21T01:55:00Z");
    // The planner is away over the first night; the second is served.
    tick(&scene, "2026-11-21T09:00:00Z");
    tick(&scene, "2026-11-22T02:00:00Z");
    for hour in 3..9 {
        tick(&scene, &format!("2026-11-22T0{hour}:30:00Z"));
    }
    let of_instance: Vec<_> = scene.messages().into_iter().filter(|message| message.2 == id).collect();
    assert_eq!(of_instance, [ticket("backup-missed", "open", &id), ticket("backup-missed", "resolve", &id)]);
    assert_eq!(scene.open_tickets(), ["plan-failed"]);
}

#[test]
fn the_ticket_of_a_place_closes_when_no_policy_targets_it_any_more() {
    let scene = targeting(4, json!([{}, { "account": SPOKE }]));
    tick(&scene, "2026-11-21T01:55:00Z");
    assert_eq!(scene.open_tickets(), ["plan-failed"]);
    let policy = stopgap_core::policy::parse_value(&nightly(json!({}))).unwrap();
    scene.stopgap.aws.add_policy(&policy);
    tick(&scene, "2026-11-21T03:00:00Z");
    assert_eq!(scene.open_tickets(), Vec::<String>::new());
}

#[test]
fn a_plan_of_one_policy_knocks_at_no_other_policys_door() {
    let elsewhere = nightly(json!({ "id": "elsewhere", "targets": [{ "account": SPOKE }] }));
    let off = nightly(json!({ "id": "off", "enabled": false, "targets": [{ "account": OTHER }] }));
    let scene = Scene::new(5, &[nightly(json!({})), elsewhere, off]);
    scene.add(|spec| spec);
    let plan = |input: Value| {
        let machine = scene.stopgap.fleet.clone();
        let arn = scene.stopgap.step_functions.start_execution(&machine, None, input).unwrap();
        scene.pass(SignedDuration::from_mins(1));
        scene.execution(&arn).output.unwrap()["plan"].clone()
    };
    let of_one = plan(json!({ "policy": "nightly", "dry_run": true, "at": "2026-11-21T02:00:00Z" }));
    assert_eq!((&of_one["due"], &of_one["unplanned"]), (&json!(1), &json!([])));
    assert_eq!(scene.calls("AssumeRole"), 0);
    // Of all: the disabled policy's account is left alone, and nobody claims to know what was not looked at.
    let of_all = plan(json!({ "dry_run": true, "at": "2026-11-21T02:00:00Z" }));
    let place = json!([{ "account": SPOKE, "region": "us-east-1", "role": ROLE_PREFIX }]);
    assert_eq!((&of_all["unplanned"], &of_all["unmatched"]), (&place, &json!([])));
}

#[test]
fn a_run_started_by_hand_finds_its_instance_in_any_account_that_a_policy_targets() {
    let scene =
        targeting(6, json!([{}, { "account": OTHER }, { "account": SPOKE, "regions": ["eu-west-1"] }]));
    // The third account refuses, and that is no matter while the instance is elsewhere.
    scene.stopgap.aws.add_role(SPOKE, ROLE_PREFIX);
    let id = add_at(&scene, SPOKE, "eu-west-1");
    for input in [
        json!({ "instance_id": id }),
        json!({ "instance_id": id, "policy": "nightly" }),
        json!({ "instance_id": id, "account": SPOKE }),
        json!({ "instance_id": id, "account": SPOKE, "region": "eu-west-1", "policy": "nightly" }),
    ] {
        let run = scene.run(input.clone());
        assert_eq!(run.status, Status::Succeeded, "{input}: {:?} {:?}", run.error, run.cause);
        assert!(is_copied(&scene, &id));
    }
}

#[test]
fn a_run_that_is_not_found_says_where_nobody_could_look() {
    let scene = targeting(7, json!([{}, { "account": SPOKE }, { "account": OTHER }]));
    scene.stopgap.aws.add_role(OTHER, ROLE_PREFIX);
    let id = "i-0123456789abcdef0";
    let refused = |input: Value| {
        let run = scene.run(input);
        (run.error.unwrap_or_default(), run.cause.unwrap_or_default())
    };
    let (error, cause) = refused(json!({ "instance_id": id }));
    assert_eq!(error, "AccessDenied", "{cause}");
    assert!(
        cause.contains(&format!("{}/us-east-1, {OTHER}/us-east-1, and {SPOKE}/us-east-1", home().account)),
        "{cause}"
    );

    // What can be read and does not have it, has it not.
    let (error, _) = refused(json!({ "instance_id": id, "account": OTHER }));
    assert_eq!(error, "InstanceGone");
    let (error, cause) =
        refused(json!({ "instance_id": id, "policy": "nightly", "account": SPOKE, "region": "eu-west-1" }));
    assert_eq!(error, "InvalidInput");
    assert!(
        cause.contains(&format!("{SPOKE}/eu-west-1 is not among what the policy `nightly` targets: ")),
        "{cause}"
    );
    assert!(cause.contains(&format!("{OTHER}/us-east-1")), "{cause}");
}

#[test]
fn the_role_travels_with_the_intent_and_the_waiting_token_so_that_no_policy_is_needed_to_finish() {
    let scene = targeting(8, json!([{ "account": SPOKE, "role": "stopgap-spoke-db" }]));
    scene.stopgap.aws.add_role(SPOKE, "stopgap-spoke-db");
    let id = add_at(&scene, SPOKE, "us-east-1");
    let arn = scene.start(json!({ "instance_id": id }));
    scene.pass(SignedDuration::from_secs(10));
    assert_eq!(scene.state(&id), Some(InstanceState::Stopping));

    let roles = scene.stopgap.aws.look(|world| {
        let of = |partition: &str| {
            let found = world.table.iter().find(|(key, _)| key.partition.starts_with(partition));
            found.map(|(_, (_, body))| body.clone()).unwrap_or_default()
        };
        [of("intents")["location"]["role"].clone(), of("waiting#i-")["condition"]["location"]["role"].clone()]
    });
    assert_eq!(roles, ["stopgap-spoke-db", "stopgap-spoke-db"]);

    scene.stopgap.aws.change(|world| world.table.remove(&policy_key(&"nightly".parse().unwrap())));
    scene.pass(SignedDuration::from_hours(4));
    assert_eq!(scene.execution(&arn).status, Status::Succeeded);
    assert_eq!(scene.state(&id), Some(InstanceState::Running));
}

#[test]
fn a_run_acts_by_the_role_of_its_own_policy() {
    let by = |id: &str, role: &str| {
        let select = json!({ "any": [{ "tag": { "Backup": [id] } }] });
        nightly(json!({ "id": id, "select": select, "targets": [{ "account": SPOKE, "role": role }] }))
    };
    let scene = Scene::new(9, &[by("apples", "stopgap-spoke-a"), by("pears", "stopgap-spoke-p")]);
    scene.stopgap.aws.add_role(SPOKE, "stopgap-spoke-a");
    scene.stopgap.aws.add_role(SPOKE, "stopgap-spoke-p");
    let add =
        |policy: &str| scene.add(|spec| spec.at(&Location::new(SPOKE, "us-east-1")).tag("Backup", policy));
    let ids = [add("apples"), add("pears")];
    scene.night();
    scene.run(json!({ "instance_id": ids[1] }));

    for run in scene.runs() {
        let run = run.output.unwrap()["run"].clone();
        let role = if run["policy"]["id"] == "apples" { "stopgap-spoke-a" } else { "stopgap-spoke-p" };
        assert_eq!(run["location"]["role"], role);
    }
    assert_eq!(scene.runs().len(), 3);
}

#[test]
fn a_deployment_without_policies_plans_nothing_and_is_well() {
    let scene = Scene::new(10, &[]);
    let planned = tick(&scene, "2026-11-21T02:00:00Z");
    assert_eq!(planned.status, Status::Succeeded);
    assert_eq!(planned.output.unwrap()["plan"]["items"], 0);
    assert_eq!(scene.calls("DescribeInstances"), 0);
    let run = scene.run(json!({ "instance_id": "i-0123456789abcdef0" }));
    assert_eq!(run.error.as_deref(), Some("InvalidInput"));
    assert!(run.cause.unwrap().contains("there is no policy"));
}
