//! The commands on the simulated AWS.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::ExecutionStatus;
use stopgap_core::{policies, policy};
use stopgap_sim::aws::{FaultName, InstanceSpec};
use stopgap_sim::runtime::Clock;
use stopgap_tests::{Scene, home, nightly};

use super::follow::{Followed, Watch, until_ended};
use super::run::{Args, Asked, Done};
use super::{Stopgap, Time, plan, run, status};
use crate::failure::Failure;

/// Virtual time, and how long the person follows.
struct Virtual {
    clock: Clock,
    patience: Option<Duration>,
}

#[async_trait::async_trait(?Send)]
impl Time for Virtual {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    async fn interrupted(&self) {
        match self.patience {
            Some(patience) => self.clock.sleep(patience).await,
            None => std::future::pending().await,
        }
    }
}

/// A person with the command.
pub(super) struct Operator {
    pub(super) scene: Scene,
    patience: Option<Duration>,
}

impl Operator {
    /// Of a deployment with these policies.
    pub(super) fn of(policies: &[Value]) -> Self {
        Self { scene: Scene::new(1, policies), patience: None }
    }

    /// Runs a command.
    pub(super) fn ask<T>(&self, command: impl AsyncFnOnce(&Stopgap<'_>) -> T) -> T {
        let deployment = &self.scene.stopgap;
        let time = Virtual { clock: deployment.runtime.clock(), patience: self.patience };
        let stopgap = Stopgap {
            ports: deployment.aws.ports(),
            home: home(),
            machine: deployment.instance.clone(),
            name: "stopgap".to_owned(),
            time: &time,
        };
        deployment.runtime.block_on(command(&stopgap)).expect("it ends")
    }

    fn asked(&self, args: &Args) -> Result<Asked, Failure> {
        self.ask(async |stopgap| run::asked(stopgap, args).await)
    }

    fn started(&self, args: &Args) -> Done {
        let asked = self.asked(args).unwrap();
        self.ask(async |stopgap| run::start(stopgap, asked).await)
    }

    /// Follows, and answers what was told and whether the person gave up.
    fn followed(&self, runs: &mut [Followed]) -> (Vec<String>, bool) {
        let mut watch = Watch::new();
        let gave_up = self.ask(async |stopgap| until_ended(stopgap, runs, &mut watch).await).unwrap();
        (watch.lines().to_vec(), gave_up)
    }

    /// What has been asked of AWS that changes something.
    fn changes(&self) -> Vec<&'static str> {
        let reads = |call: &str| ["Describe", "Get", "Query"].iter().any(|reading| call.starts_with(reading));
        self.scene.stopgap.aws.look(|world| world.calls.keys().copied().filter(|call| !reads(call)).collect())
    }
}

fn instance(id: &str) -> Args {
    Args { instance: Some(id.to_owned()), ..Args::default() }
}

fn by_policy(id: &str) -> Args {
    Args { policy: Some(id.parse().unwrap()), ..Args::default() }
}

#[track_caller]
fn fails(outcome: Result<impl std::fmt::Debug, Failure>, code: &str, says: &str) {
    let failure = outcome.unwrap_err();
    let found = if matches!(failure, Failure::BadInput(_)) { "2" } else { "1" };
    assert!(found == code && failure.messages().iter().any(|m| m.contains(says)), "{failure:?}");
}

#[test]
fn an_instance_is_backed_up_and_followed_to_its_end() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let id = operator.scene.add(|spec| spec);
    let mut done = operator.started(&instance(&id));
    assert!(done.started[0].execution.ends_with(&format!(":{id}_20261121T015500Z_2a3b62b53ddb_0")));
    let (lines, gave_up) = operator.followed(&mut done.started);
    assert!(!gave_up);
    let run = &done.started[0];
    assert_eq!((run.status, run.failure()), (Some(ExecutionStatus::Succeeded), None));
    for state in ["WaitUntilStopped", "WaitUntilRunning", "ended well"] {
        assert!(lines.iter().any(|line| line.contains(state)), "{state}: {lines:#?}");
    }
    assert_eq!(operator.scene.snapshots().len(), 2, "the root's and the other's");
    assert_eq!(operator.scene.state(&id), Some(InstanceState::Running));
}

#[test]
fn a_run_that_fails_is_told_with_its_state_and_why() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let id = operator.scene.add(|spec| spec.fault(FaultName::SnapshotError));
    let mut done = operator.started(&instance(&id));
    operator.followed(&mut done.started);
    let why = done.started[0].failure().unwrap();
    assert!(why.starts_with(&format!("{id} failed in ")), "{why}");
    fails(run::ended(&done, false), "1", "failed in");
}

#[test]
fn asked_for_twice_in_one_second_it_is_one_run() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let id = operator.scene.add(|spec| spec);
    // Asking takes a moment: both ask for the same second.
    let (first, second) = (operator.asked(&instance(&id)).unwrap(), operator.asked(&instance(&id)).unwrap());
    assert_eq!(first.runs[0].name, second.runs[0].name);
    let first = operator.ask(async |stopgap| run::start(stopgap, first).await);
    let second = operator.ask(async |stopgap| run::start(stopgap, second).await);
    assert_eq!(first.started[0].execution, second.started[0].execution);
    operator.scene.pass(SignedDuration::from_hours(2));
    // A name that is taken is no failure: the run is followed as it is.
    let again = Asked { runs: operator.asked(&instance(&id)).unwrap().runs, refused: vec![], unread: vec![] };
    let mut again = again;
    again.runs[0].name = first.started[0].execution.rsplit(':').next().unwrap().to_owned();
    let third = operator.ask(async |stopgap| run::start(stopgap, again).await);
    assert!(third.started[0].existed);
    assert_eq!(third.started[0].execution, first.started[0].execution);
    assert_eq!(operator.scene.runs().len(), 1);
}

#[test]
fn all_that_a_policy_selects_is_begun_within_the_request_budgets() {
    let operator = Operator::of(&[nightly(json!({}))]);
    for _ in 0..30 {
        operator.scene.add(|spec| spec);
    }
    operator.scene.stopgap.aws.add_instance(InstanceSpec::new(&home()).volume(8, &[]));
    let mut done = operator.started(&by_policy("nightly"));
    assert_eq!(done.started.len(), 30);
    let first = done.started.iter().filter_map(|run| run.start_at).min().unwrap();
    let last = done.started.iter().filter_map(|run| run.start_at).max().unwrap();
    assert_eq!(last.duration_since(first).as_secs(), 20, "every 700 ms");
    operator.followed(&mut done.started);
    assert!(run::ended(&done, false).is_ok());
    assert_eq!(operator.scene.snapshots().len(), 60);
}

#[test]
fn a_dry_run_reads_and_says_what_would_be_done() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let id = operator.scene.add(|spec| spec);
    let asked = operator.asked(&Args { dry_run: true, ..instance(&id) }).unwrap();
    let text = run::dry_text(&asked);
    assert!(text.contains("stop it, snapshot vol-") && text.contains("start it"), "{text}");
    let all = operator.asked(&Args { dry_run: true, ..by_policy("nightly") }).unwrap();
    assert!(run::dry_text(&all).contains("stop, snapshot, start"));
    assert_eq!(operator.changes(), [""; 0]);
    assert_eq!(operator.scene.runs().len(), 0);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_started() {
    let weekly = nightly(json!({ "id": "weekly" }));
    let operator = Operator::of(&[nightly(json!({})), weekly]);
    let id = operator.scene.add(|spec| spec);
    fails(operator.asked(&instance(&id)), "1", "selected by nightly, weekly");
    fails(operator.asked(&instance("i-00000000000000000")), "1", "there is no instance");
    fails(operator.asked(&instance("web\u{1b}[2J")), "2", "is not an instance id");
    fails(
        operator.asked(&by_policy("monthly")),
        "1",
        "there is no policy `monthly`; there are nightly, weekly",
    );
    assert!(operator.asked(&Args { policy: Some("weekly".parse().unwrap()), ..instance(&id) }).is_ok());
}

#[test]
fn who_no_longer_follows_stops_nothing() {
    let mut operator = Operator::of(&[nightly(json!({}))]);
    operator.patience = Some(Duration::from_secs(20));
    let id = operator.scene.add(|spec| spec);
    let mut done = operator.started(&instance(&id));
    let (_, gave_up) = operator.followed(&mut done.started);
    assert!(gave_up && !done.started[0].has_ended());
    fails(run::ended(&done, gave_up), "1", "1 runs go on");
    operator.scene.pass(SignedDuration::from_hours(2));
    let execution = operator.scene.execution(&done.started[0].execution);
    assert_eq!(execution.status.as_str(), "SUCCEEDED");
}

#[test]
fn the_live_plan_only_reads_and_is_what_the_fleet_does() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let id = operator.scene.add(|spec| spec);
    operator.scene.pass(SignedDuration::from_mins(10));
    let planned = operator.ask(async |stopgap| {
        let policies = policies::all(stopgap.ports.table).await?;
        plan::planned(stopgap, &policies, None).await
    });
    let planned = planned.unwrap();
    assert_eq!(operator.changes(), [""; 0]);
    let due = &planned.plan.due[0];
    assert_eq!((due.instance_id.as_str(), planned.plan.due.len()), (id.as_str(), 1));
    operator.scene.night();
    let name = &operator.scene.runs()[0].name;
    assert_eq!(*name, due.occurrence.execution_name(&id, 0));
}

#[test]
fn the_live_plan_tells_what_is_found_of_every_instance_that_is_selected_and_asks_in_bulk() {
    let ignoring = json!({ "id": "ignoring", "preflight": { "maintenance-event": "ignore" } });
    let operator = Operator::of(&[nightly(json!({})), nightly(ignoring)]);
    let protected = operator.scene.add(|spec| spec.fault(FaultName::StopProtected));
    let passing = operator.scene.add(|mut spec| {
        spec.passing_address = Some("203.0.113.7".to_owned());
        spec
    });
    for _ in 0..4 {
        operator.scene.add(|spec| spec);
    }
    let member = operator.scene.add(|spec| spec);
    operator.scene.group(1, &[&member], 20);
    let planned = operator.ask(async |stopgap| {
        let policies = policies::all(stopgap.ports.table).await?;
        plan::planned(stopgap, &policies, None).await
    });
    let planned = planned.unwrap();
    assert_eq!(operator.changes(), [""; 0]);
    let mut found: Vec<_> = planned
        .plan
        .preflight
        .iter()
        .flat_map(|found| {
            let judged = found.report.findings.iter();
            judged
                .map(|judged| (found.instance_id.as_str(), judged.finding.as_str(), judged.verdict.as_str()))
        })
        .collect();
    found.dedup();
    let mut wanted = [
        (protected.as_str(), "stop-protected", "refuse"),
        (passing.as_str(), "public-address-lost", "warn"),
        (member.as_str(), "group-at-minimum", "refuse"),
    ];
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    let calls = [
        "DescribeInstanceAttribute",
        "DescribeInstanceStatus",
        "DescribeVolumesModifications",
        "DescribeAutoScalingGroups",
    ];
    assert_eq!(calls.map(|call| operator.scene.calls(call)), [7, 1, 1, 1]);
}

#[test]
fn a_check_shows_a_new_policy_beside_the_stored_ones() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let id = operator.scene.add(|spec| spec);
    let draft = policy::parse_value(&nightly(json!({ "id": "draft" }))).unwrap();
    let checked = operator.ask(async |stopgap| plan::checked(stopgap, &[draft]).await).unwrap();
    assert!(checked.plan.not_due.iter().all(|not_due| not_due.policy.as_str() == "draft"));
    assert_eq!(checked.plan.overlaps[0].instance_id, id);
    assert_eq!(operator.changes(), [""; 0]);
}

#[test]
fn the_status_shows_the_newest_backup_and_what_is_left_stopped() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let good = operator.scene.add(|spec| spec);
    let stuck = operator.scene.add(|spec| spec.tag("Name", "db\u{1b}[31m").fault(FaultName::NoCapacity));
    operator.scene.night();
    let before = operator.changes();
    let standing = |operator: &Operator| {
        operator.ask(async |stopgap| status::standing(stopgap, &status::Args::default()).await).unwrap()
    };
    let found = standing(&operator);
    assert_eq!(operator.changes(), before, "asking changes nothing");
    let row = |id: &str| found.status.backups.iter().find(|row| row.instance_id == id).unwrap();
    assert_eq!(row(&good).newest.as_ref().unwrap().occurrence.to_string(), "nightly/2026-11-21T02:00:00Z");
    assert_eq!((row(&good).tickets.len(), &row(&good).restart_owed), (0, &None));
    assert!(row(&stuck).restart_owed.is_some() && !row(&stuck).tickets.is_empty());
    let text = status::text(&found);
    assert!(!text.contains('\u{1b}') && text.contains("left-stopped/"), "{text}");
}
