//! `stopgap demo`, as a person at a shell and a program meet it.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;
use std::{env, fs};

use serde_json::Value;
use stopgap_tests::stopgap;

/// The faults that befall one instance, and those that befall everything.
const ONE: [&str; 6] = [
    "no-capacity",
    "kms-grant-missing",
    "snapshot-error",
    "volume-error",
    "snapshot-limit",
    "stop-protected",
];
const ALL: [&str; 7] = [
    "events-lost",
    "events-late",
    "events-doubled",
    "throttled",
    "reads-lag",
    "create-unanswered",
    "functions-crash",
];

fn demo(args: &[&str]) -> Output {
    stopgap().arg("demo").args(args).output().unwrap()
}

fn faults(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().flat_map(|name| ["--fault", name]).collect()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The one JSON document of a demo that succeeded.
fn summary(args: &[&str]) -> Value {
    let output = demo(&[&["--json"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list<'a>(summary: &'a Value, key: &str) -> &'a Vec<Value> {
    summary[key].as_array().unwrap()
}

/// Asserts what the night promises: nobody is left stopped without a ticket, everyone else has a backup, and who was made
/// to fail has one ticket, who was not has none.
#[track_caller]
fn keeps_its_promises(summary: &Value, args: &[&str]) {
    assert_eq!(summary["left_stopped_without_ticket"], 0, "{args:?}: {summary:#}");
    let mut tickets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ticket in list(summary, "tickets") {
        let key = ticket["dedup_key"].as_str().unwrap();
        assert!(tickets.entry(ticket["instance_id"].as_str().unwrap()).or_default().insert(key));
    }
    assert!(tickets.values().all(|keys| keys.len() == 1), "{args:?}: {tickets:?}");
    let failures = list(summary, "expected_failures");
    let failing: Vec<&str> =
        failures.iter().map(|failure| failure["instance_id"].as_str().unwrap()).collect();
    assert!(failing.is_sorted(), "{failing:?}");
    assert_eq!(tickets.into_keys().collect::<Vec<_>>(), failing, "{args:?}");
    let selected = usize::try_from(summary["selected"].as_u64().unwrap()).unwrap();
    assert_eq!(summary["runs"]["completed"], selected - failing.len(), "{args:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let args = ["--json", "--seed", "7"];
    let (first, second) = (demo(&args), demo(&args));
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(text(&first.stdout), text(&second.stdout));
    assert_ne!(text(&first.stdout), text(&demo(&["--json", "--seed", "8"]).stdout));
}

#[test]
fn the_document_has_these_keys_and_no_others() {
    let summary = summary(&["--seed", "7"]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(&summary),
        [
            "seed",
            "instances",
            "selected",
            "runs",
            "snapshots",
            "tickets",
            "left_stopped_without_ticket",
            "expected_failures",
            "downtime_seconds",
            "overhead_seconds",
            "aws_calls",
            "state_transitions",
            "virtual_seconds"
        ]
    );
    assert_eq!(
        keys(&list(&summary, "tickets")[0]),
        ["kind", "severity", "instance_id", "dedup_key", "status"]
    );
    assert_eq!(keys(&list(&summary, "expected_failures")[0]), ["instance_id", "fault"]);
    for spread in ["downtime_seconds", "overhead_seconds"] {
        assert_eq!(keys(&summary[spread]), ["p50", "p99", "max"]);
    }
    assert_eq!((&summary["seed"], &summary["instances"]), (&7.into(), &40.into()));
    assert!(summary["aws_calls"]["CreateSnapshots"].is_u64(), "{summary:#}");
}

#[test]
fn each_deliberate_failure_costs_one_ticket_and_nobody_else_has_one() {
    for seed in ["1", "7"] {
        let args = ["--seed", seed];
        let summary = summary(&args);
        keeps_its_promises(&summary, &args);
        let faults: BTreeSet<&str> = list(&summary, "expected_failures")
            .iter()
            .map(|failure| failure["fault"].as_str().unwrap())
            .collect();
        assert_eq!(faults, BTreeSet::from(["no-capacity", "kms-grant-missing", "snapshot-error"]));
    }
}

#[test]
fn faults_that_are_asked_for_come_on_top() {
    let args = faults(&ONE);
    let summary = summary(&args);
    keeps_its_promises(&summary, &args);
    assert_eq!(list(&summary, "expected_failures").len(), 3 + ONE.len());
}

#[test]
fn faults_of_everything_cost_no_ticket_even_together() {
    for faults in [faults(&ALL), faults(&["throttled", "reads-lag"])] {
        keeps_its_promises(&summary(&faults), &faults);
    }
}

#[test]
fn fleets_of_all_sizes_are_simulated_and_small_ones_have_no_failures() {
    for (instances, failures) in [("1", 0), ("11", 0), ("12", 3)] {
        let args = ["--instances", instances];
        let summary = summary(&args);
        keeps_its_promises(&summary, &args);
        assert_eq!(list(&summary, "expected_failures").len(), failures, "{instances}");
    }
}

#[test]
fn fault_list_prints_every_name_first_on_its_line() {
    let output = demo(&["--fault", "list"]);
    let names: Vec<&str> = text(&output.stdout).lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!((output.status.code(), names), (Some(0), [&ONE[..], &ALL[..]].concat()));

    let output = demo(&["--fault", "list", "--json"]);
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|fault| fault["name"].as_str().unwrap()).collect();
    assert_eq!(names, [&ONE[..], &ALL[..]].concat());
}

#[test]
fn bad_arguments_are_refused_with_what_would_be_right() {
    for (args, says) in [
        (&["--fault", "gremlins"][..], "`gremlins`"),
        (&["--fault", "gremlins"], "no-capacity"),
        (&["--fault", "\u{1b}[2J"], "`\\u{1b}[2J`"),
        (&["--instances", "0"], "--instances"),
        (&["--instances", "many"], "--instances"),
        (
            &["--instances", "1", "--fault", "no-capacity", "--fault", "stop-protected"],
            "ask for more of them",
        ),
        (&["--seed", "x"], "--seed"),
        (&["--frobnicate"], "--frobnicate"),
    ] {
        let output = demo(args);
        let stderr = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(says), "{args:?}: {stderr}");
    }
}

/// The page as it stands in `golden/demo.txt`. What a task or the simulated AWS does differently shows here first; look
/// at the difference, and write it down with `UPDATE=1 cargo test -p stopgap-tests --test demo_command`.
#[test]
fn the_page_of_a_small_fleet_reads_like_this() {
    let output = demo(&["--instances", "18", "--seed", "7"]);
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo.txt");
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, page).unwrap();
    }
    assert_eq!(page, fs::read_to_string(&file).unwrap());
}

#[test]
fn the_page_is_plain_text_of_at_most_120_columns_and_progress_is_not_in_it() {
    let output = demo(&[&["--instances", "120"][..], &faults(&ONE)].concat());
    for line in text(&output.stdout).lines() {
        assert!(line.chars().count() <= 120, "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!line.contains("runs begun"), "{line}");
    }
    assert!(text(&output.stderr).contains("runs begun"));
}
