//! A forecast against the engine itself: the same days, run whole.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stopgap_core::backup_set;
use stopgap_core::inventory::{
    Attachment, Attributes, BlockDevice, Instance, InstanceState, Inventory, Location, Tags, Volume,
};
use stopgap_core::policy::{self, Policy};
use stopgap_sim::aws::{GroupSpec, Pace};
use stopgap_sim::deployment::Deployment;
use stopgap_sim::forecast::{Assumptions, Forecast, Question, TICK, forecast};
use stopgap_sim::stepfunctions::{Keep, Status};
use stopgap_tests::home;

const FROM: &str = "2026-11-21T00:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An instance of some volumes, with tags.
fn instance(n: usize, volumes: usize, tags: &[(&str, &str)]) -> (Instance, Vec<Volume>) {
    let id = format!("i-{n:017x}");
    let device = |v: usize| if v == 0 { "/dev/xvda".to_owned() } else { format!("/dev/sdf{v}") };
    let attached_at = Some(time("2026-01-01T00:00:00Z"));
    let volume = |v: usize| Volume {
        id: format!("vol-{:017x}", n * 16 + v),
        size_gib: 100,
        volume_type: "gp3".to_owned(),
        kms_key_id: None,
        tags: Tags::new(),
        attachments: vec![Attachment { instance_id: id.clone(), device: device(v), attached_at }],
    };
    let made: Vec<Volume> = (0..volumes).map(volume).collect();
    let devices = made.iter().enumerate();
    let devices = devices.map(|(v, volume)| BlockDevice {
        device: device(v),
        volume_id: volume.id.clone(),
        attached_at,
    });
    let instance = Instance {
        id: id.clone(),
        location: home(),
        state: InstanceState::Running,
        state_reason: None,
        root_device: Some("/dev/xvda".to_owned()),
        devices: devices.collect(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        attributes: Attributes::default(),
        spot_request: None,
        hibernation: false,
        passing_address: None,
    };
    (instance, made)
}

fn inventory(parts: Vec<(Instance, Vec<Volume>)>) -> Inventory {
    let (instances, volumes): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    Inventory { instances, volumes: volumes.into_iter().flatten().collect(), ..Inventory::default() }
}

fn policies(documents: Value) -> Vec<Policy> {
    policy::parse(&documents.to_string()).unwrap()
}

fn told(policies: &[Policy], inventory: &Inventory, days: u32) -> Forecast {
    let question = Question {
        policies: policies.to_vec(),
        inventory: inventory.clone(),
        from: time(FROM),
        days,
        assumptions: Assumptions::default(),
    };
    forecast(question, |_| {}).unwrap()
}

/// The same days on the engine, tick by tick and run by run; how often AWS was called is counted from `FROM` on.
struct Whole {
    stopgap: Deployment,
    transitions: u64,
    calls: BTreeMap<&'static str, u64>,
    requests: u64,
}

fn whole(policies: &[Policy], inventory: &Inventory, days: i64) -> Whole {
    let from = time(FROM);
    let before = from - TICK;
    let stopgap = Deployment::new(before, 1, home(), Keep::Outline).unwrap();
    stopgap.aws.change(|world| world.even = true);
    for policy in policies {
        stopgap.aws.add_policy(policy);
    }
    let assumed = Assumptions::default();
    let pace = Pace { stop: assumed.stop, start: assumed.start, snapshots: assumed.snapshots };
    let volumes = inventory.volumes.iter().map(|volume| (volume.id.as_str(), volume)).collect();
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for instance in &inventory.instances {
        stopgap.aws.add_described(instance, &volumes, pace);
        if let Some(group) = instance.auto_scaling_group() {
            groups.entry(group).or_default().push(instance.id.clone());
        }
    }
    for (name, members) in groups {
        let (location, name) = (home(), name.to_owned());
        stopgap.aws.add_group(GroupSpec { location, name, minimum: 0, members, drains_for: assumed.drain });
    }
    // The tick before sets the mark.
    let until = from + SignedDuration::from_hours(24 * days);
    stopgap.schedule(before, until - TICK);
    stopgap.rescue(from, until - SignedDuration::from_mins(5));
    let usage = |stopgap: &Deployment| {
        let (calls, requests) = stopgap.aws.look(|world| {
            (world.calls.clone(), world.billed.values().map(|billed| billed.requests).sum::<u64>())
        });
        (stopgap.step_functions.transitions(), calls, requests)
    };
    stopgap.runtime.run_until(from - SignedDuration::from_secs(60));
    let (transitions, calls, requests) = usage(&stopgap);
    stopgap.runtime.run();
    let (all_transitions, mut all_calls, all_requests) = usage(&stopgap);
    all_calls.remove("Invoke");
    // The rescuer lists executions while runs are under way; a forecast leaves that out.
    all_calls.remove("ListExecutions");
    for (operation, count) in &mut all_calls {
        *count -= calls.get(operation).copied().unwrap_or(0);
    }
    all_calls.retain(|_, count| *count > 0);
    Whole {
        transitions: all_transitions - transitions,
        calls: all_calls,
        requests: all_requests - requests,
        stopgap,
    }
}

impl Whole {
    /// How long each instance was down, run by run, in milliseconds.
    fn downs(&self) -> BTreeMap<String, Vec<i128>> {
        self.stopgap.aws.look(|world| {
            let of = |machine: &stopgap_sim::aws::Machine| {
                let downs = machine.downs.iter().map(|down| down.length().unwrap().as_millis());
                (machine.instance.id.clone(), downs.collect())
            };
            world.machines().map(of).collect()
        })
    }

    /// The sets that are there in the end: policy, instance and time.
    fn sets(&self) -> BTreeSet<(String, String, Timestamp)> {
        self.stopgap.aws.look(|world| {
            let sets = backup_set::group(world.snapshots()).sets;
            assert!(sets.iter().all(|set| set.is_complete()));
            let name = |set: &backup_set::BackupSet<'_>| {
                (set.policy().to_string(), set.instance_id.to_owned(), set.at())
            };
            sets.iter().map(name).collect()
        })
    }

    fn runs(&self) -> usize {
        let all = self.stopgap.step_functions.executions();
        let runs = all.iter().filter(|execution| execution.machine_arn == self.stopgap.instance);
        runs.inspect(|run| assert_eq!(run.status, Status::Succeeded, "{:?}", run.cause)).count()
    }
}

fn kept(forecast: &Forecast) -> BTreeSet<(String, String, Timestamp)> {
    let of = |kept: &stopgap_sim::forecast::KeptSets| {
        let names = kept.instances.iter().flat_map(|instance| {
            kept.times.iter().map(|time| (kept.policy.clone(), instance.clone(), *time))
        });
        names.collect::<Vec<_>>()
    };
    forecast.kept.iter().flat_map(of).collect()
}

/// Compares what an instance was down in all, to the tenth of a second that a forecast tells.
#[track_caller]
fn assert_same_downs(forecast: &Forecast, whole: &Whole) {
    let mut compared = 0;
    for (id, downs) in whole.downs() {
        let line = forecast.instances.iter().find(|line| line.id == id);
        let told = line.map_or(0.0, |line| line.downtime_seconds);
        let sum = downs.iter().sum::<i128>() as f64 / 1e3;
        assert!((told - sum).abs() < 0.051, "{id}: {told} s are told, {sum} s it was");
        compared += usize::from(sum > 0.0);
    }
    assert!(compared > 0, "nothing was down");
}

#[test]
fn three_days_have_the_runs_the_downtime_the_sets_and_the_calls_that_the_engine_gives() {
    let policies = policies(json!([
        {
            "id": "nightly",
            "select": { "any": [{ "tag": { "Backup": ["nightly"] } }] },
            "schedule": { "expression": "cron(0 2 * * ? *)", "timezone": "America/Chicago" },
            "retention": { "keep_last": 2 },
        },
        {
            "id": "weekly",
            "select": { "any": [{ "tag": { "Backup": ["nightly"], "Week": ["yes"] } }] },
            "schedule": { "expression": "cron(10 8 ? * SUN *)" },
            "restart": "snapshot-completed",
            "retention": { "keep_last": 2 },
        },
        {
            "id": "live",
            "select": { "any": [{ "tag": { "Backup": ["live"] } }] },
            "schedule": { "expression": "rate(2 hours)", "start_within": "1h" },
            "consistency": "crash",
            "retention": { "keep_hourly": 5, "keep_daily": 2 },
        },
    ]));
    let mut stopped = instance(4, 2, &[("Backup", "nightly")]);
    stopped.0.state = InstanceState::Stopped;
    let inventory = inventory(vec![
        instance(1, 1, &[("Backup", "nightly")]),
        instance(2, 3, &[("Backup", "nightly")]),
        instance(3, 1, &[("Backup", "nightly"), ("Week", "yes")]),
        stopped,
        instance(5, 2, &[("Backup", "live")]),
        instance(6, 1, &[("Backup", "nightly"), ("aws:autoscaling:groupName", "web")]),
        instance(7, 1, &[("Backup", "never")]),
    ]);
    let (forecast, whole) = (told(&policies, &inventory, 3), whole(&policies, &inventory, 3));
    assert_eq!(forecast.totals.runs, whole.runs() as u64);
    assert_eq!(forecast.totals.runs_completed, forecast.totals.runs);
    assert!(forecast.totals.sets_deleted > 0, "retention had something to do");
    assert_eq!(kept(&forecast), whole.sets());
    assert_same_downs(&forecast, &whole);
    assert_eq!(forecast.totals.state_transitions, whole.transitions);
    let calls = whole.calls.iter().map(|(operation, calls)| ((*operation).to_owned(), *calls));
    assert_eq!(forecast.totals.aws_calls, calls.collect());
    assert_eq!(forecast.totals.lambda_requests, whole.requests);
    assert!(forecast.engine.runs_played < forecast.totals.runs / 4, "{:?}", forecast.engine);
}

#[test]
fn members_of_a_group_take_turns_and_are_down_no_longer_for_it() {
    let policies = policies(json!({
        "id": "clusters",
        "select": { "any": [{ "tag": { "Cluster": ["*"] } }] },
        "schedule": { "expression": "cron(0 2 * * ? *)" },
        "concurrency": { "group_by": "tag:Cluster", "max": 1 },
        "retention": { "keep_last": 2 },
    }));
    let members = (1..=6).map(|n| instance(n, 1, &[("Cluster", if n % 2 == 0 { "a" } else { "b" })]));
    let inventory = inventory(members.collect());
    let (forecast, whole) = (told(&policies, &inventory, 1), whole(&policies, &inventory, 1));
    assert_same_downs(&forecast, &whole);
    let night = forecast.nights.first().unwrap();
    assert_eq!((forecast.nights.len(), night.runs, night.stopped), (1, 6, 6));
    let lasts = night.all_up_at.unwrap().duration_since(night.first_down_at.unwrap());
    // Three of each group, one after the other.
    assert!(lasts.as_secs_f64() >= 3.0 * night.longest_downtime_seconds, "{lasts}");
}

#[test]
fn what_comes_too_late_for_every_tick_is_missed_as_on_the_engine() {
    let policies = policies(json!([{
        "id": "hasty",
        "select": { "any": [{ "tag": { "Backup": ["*"] } }] },
        "schedule": { "expression": "cron(1 2 * * ? *)", "start_within": "5m" },
        "consistency": "crash",
        "retention": { "keep_last": 2 },
    }, {
        "id": "often",
        "select": { "any": [{ "tag": { "Backup": ["*"] } }] },
        "schedule": { "expression": "rate(5 minutes)", "start_within": "1h" },
        "consistency": "crash",
        "retention": { "keep_last": 2 },
    }]));
    let inventory = inventory(vec![instance(1, 1, &[("Backup", "yes")])]);
    let forecast = told(&policies, &inventory, 1);
    let line = |id: &str| forecast.policies.iter().find(|line| line.id == id).unwrap();
    assert_eq!((line("hasty").runs, line("hasty").missed), (0, 1));
    // Of three occurrences between two ticks the newest runs. Before the first tick, nothing counts as missed.
    assert_eq!((line("often").runs, line("often").missed), (96, 2 * 95));
    assert!(
        forecast.notes.iter().any(|note| note.contains("policy hasty misses 1 backups")),
        "{:?}",
        forecast.notes
    );
}

#[test]
fn two_policies_on_a_volume_share_its_blocks() {
    let policies = policies(json!([
        { "id": "a", "select": { "any": [{ "tag": { "Backup": ["*"] } }] },
          "schedule": { "expression": "cron(0 2 * * ? *)" }, "retention": { "keep_last": 9 } },
        { "id": "b", "select": { "any": [{ "tag": { "Backup": ["b"] } }] },
          "schedule": { "expression": "cron(0 14 * * ? *)" }, "retention": { "keep_last": 9 } },
    ]));
    let assumptions =
        Assumptions { fill_percent: 50.0, change_percent_per_day: 10.0, ..Assumptions::default() };
    let stored = |tag: &str| {
        let inventory = inventory(vec![instance(1, 1, &[("Backup", tag)])]);
        let (policies, from) = (policies.clone(), time(FROM));
        forecast(Question { policies, inventory, from, days: 3, assumptions }, |_| {}).unwrap()
    };
    // 100 GiB, of which 50 are data and 5 change a day. Three nights: 50 + 2 × 5.
    assert_eq!(stored("a").totals.stored_gib, 60.0);
    // Three nights and three noons, half a day apart: 50 + 5 × 2.5.
    let both = stored("b");
    assert_eq!(both.totals.stored_gib, 62.5);
    let by_policy: Vec<f64> = both.policies.iter().map(|line| line.stored_gib).collect();
    assert_eq!(by_policy, [31.25, 31.25]);
    // November has 30 days: 50, then 57.5 and 62.5 … at the ends of the days: (52.5 + 57.5 + 62.5) × 0.05 / 30.
    assert_eq!(both.totals.cost_usd.storage, 0.2875);
}

#[test]
fn bad_days_are_refused() {
    for days in [0, 3_661] {
        let question = Question {
            policies: Vec::new(),
            inventory: Inventory::default(),
            from: time(FROM),
            days,
            assumptions: Assumptions::default(),
        };
        assert!(forecast(question, |_| {}).unwrap_err().contains("1 to 3660 days"));
    }
}

#[test]
fn what_is_assumed_of_ec2_is_how_long_it_takes() {
    let policies = policies(json!({
        "id": "nightly",
        "select": { "any": [{ "tag": { "Backup": ["*"] } }] },
        "schedule": { "expression": "cron(0 2 * * ? *)" },
        "retention": { "keep_last": 1 },
    }));
    let inventory = inventory(vec![instance(1, 1, &[("Backup", "yes")])]);
    let longest = |stop: u64, start: u64| {
        let assumptions = Assumptions {
            stop: Duration::from_secs(stop),
            start: Duration::from_secs(start),
            ..Assumptions::default()
        };
        let question = Question {
            policies: policies.clone(),
            inventory: inventory.clone(),
            from: time(FROM),
            days: 1,
            assumptions,
        };
        forecast(question, |_| {}).unwrap().totals.downtime_seconds_per_run.max
    };
    let (short, long) = (longest(20, 10), longest(90, 40));
    assert!((30.0..35.0).contains(&short), "EC2's own 30 s and a little: {short}");
    assert!((130.0..135.0).contains(&long), "{long}");
}

#[test]
fn an_instance_of_an_unknown_place_is_told_and_not_backed_up() {
    let policies = policies(json!({
        "id": "nightly",
        "select": { "any": [{ "tag": { "Backup": ["*"] } }] },
        "schedule": { "expression": "cron(0 2 * * ? *)" },
        "retention": { "keep_last": 1 },
    }));
    let mut lost = instance(1, 1, &[("Backup", "yes")]);
    lost.0.location = Location::new("", "us-east-1");
    let forecast = told(&policies, &inventory(vec![lost, instance(2, 1, &[("Backup", "yes")])]), 2);
    assert_eq!((forecast.totals.runs, forecast.totals.instances), (2, 2));
    let not: Vec<&str> = forecast.not_backed_up.iter().map(|not| not.instance_id.as_str()).collect();
    assert_eq!(not, ["i-00000000000000001"]);
}
