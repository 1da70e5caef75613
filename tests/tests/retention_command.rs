//! `stopgap retention`: what a policy keeps of snapshots that were saved.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::process::Output;

use serde_json::{Value, json};
use stopgap_tests::stopgap;

const AT: &str = "2026-11-21T12:00:00Z";

/// A snapshot as `aws ec2 describe-snapshots` prints it.
fn snapshot(id: &str, time: &str, tags: &[(&str, &str)]) -> Value {
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    json!({
        "Description": "", "Encrypted": false, "OwnerId": "111122223333", "Progress": "100%", "SnapshotId": id,
        "StartTime": time, "State": "completed", "VolumeId": format!("vol-of-{id}"), "VolumeSize": 8, "Tags": tags
    })
}

/// A snapshot of stopgap's, of a set with so many volumes.
fn ours(id: &str, instance: &str, time: &str, volumes: usize) -> Value {
    let (occurrence, volumes) = (format!("nightly/{time}"), volumes.to_string());
    let tags = [
        ("stopgap:policy", "nightly"),
        ("stopgap:instance", instance),
        ("stopgap:occurrence", &occurrence),
        ("stopgap:volumes", &volumes),
    ];
    snapshot(id, time, &tags)
}

fn in_state(mut snapshot: Value, state: &str) -> Value {
    snapshot["State"] = state.into();
    snapshot
}

fn policy(retention: Value) -> Value {
    json!({ "id": "nightly", "select": { "any": [{ "name": "*" }] }, "schedule": { "expression": "rate(1 day)" },
            "retention": retention })
}

fn run_text(policies: &str, snapshots: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (policy, file) = (folder.path().join("policy.json"), folder.path().join("snapshots.json"));
    std::fs::write(&policy, policies).unwrap();
    std::fs::write(&file, snapshots).unwrap();
    let command = ["retention", "--at", AT, "--policy"];
    stopgap().args(command).arg(&policy).arg("--snapshots").arg(&file).args(more).output().unwrap()
}

fn run(retention: Value, snapshots: &[Value], more: &[&str]) -> Value {
    let file = json!({ "Snapshots": snapshots }).to_string();
    let output = run_text(&policy(retention).to_string(), &file, &[&["--json"], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The times of a list's items.
fn times(answer: &Value, list: &str) -> Vec<String> {
    let items = answer[list].as_array().unwrap();
    items.iter().map(|item| item["time"].as_str().unwrap().to_owned()).collect()
}

fn reasons(answer: &Value, list: &str) -> Vec<String> {
    let items = answer[list].as_array().unwrap();
    let text = |item: &Value| {
        item["reasons"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect::<Vec<_>>().join("; ")
    };
    items.iter().map(text).collect()
}

/// Seven nights, 01 the oldest.
fn seven() -> Vec<Value> {
    (1..=7).map(|day| ours(&format!("snap-{day}"), "i-1", &format!("2026-11-0{day}T02:00:00Z"), 1)).collect()
}

#[test]
fn sets_are_kept_deleted_or_skipped_with_reasons() {
    let mut snapshots = seven();
    snapshots.push(ours("snap-0", "i-1", "2026-11-07T02:00:00Z", 1));
    snapshots[7]["VolumeId"] = snapshots[6]["VolumeId"].clone();
    snapshots.push(snapshot("snap-x", "2020-01-01T00:00:00+00:00", &[("Name", "mine")]));
    let answer = run(json!({ "keep_daily": 2, "keep_last": 1, "at_least": 3 }), &snapshots, &[]);
    let newest = json!({
        "occurrence": "nightly/2026-11-07T02:00:00Z", "time": "2026-11-07T02:00:00Z", "snapshots": ["snap-0", "snap-7"],
        "reasons": ["the newest complete set", "last 1 of 1", "daily 1 of 2", "at_least 1 of 3"]
    });
    assert_eq!(answer["keep"][2], newest);
    assert_eq!(reasons(&answer, "keep")[..2], ["at_least 3 of 3", "daily 2 of 2; at_least 2 of 3"]);
    assert_eq!(answer["delete"].as_array().unwrap().len(), 4);
    let oldest = json!({ "occurrence": "nightly/2026-11-01T02:00:00Z", "time": "2026-11-01T02:00:00Z",
                         "snapshots": ["snap-1"], "reasons": ["no rule keeps it"] });
    assert_eq!(answer["delete"][0], oldest);
    let foreign = json!({ "occurrence": null, "time": "2020-01-01T00:00:00Z", "snapshots": ["snap-x"], "reasons": ["foreign"] });
    assert_eq!(answer["skip"], json!([foreign]));
}

/// ebs_snapper counts once and does not subtract: with a minimum of 5, seven expired ones are all deleted; and it counts
/// what is pending, failed or not its own.
#[test]
fn the_floor_counts_complete_sets_of_stopgap_alone() {
    let floor = json!({ "keep_for": "1h", "at_least": 5 });
    let oldest = ["2026-11-01T02:00:00Z", "2026-11-02T02:00:00Z"];
    assert_eq!(times(&run(floor.clone(), &seven(), &[]), "delete"), oldest);

    let later = |id: &str| ours(id, "i-1", "2026-11-09T02:00:00Z", 1);
    let manual = snapshot("snap-8", "2026-11-09T02:00:00Z", &[("Name", "before the upgrade")]);
    let image = snapshot("snap-8", "2026-11-09T02:00:00Z", &[("stopgap:policy", "nightly")]);
    let of_two = ours("snap-8", "i-1", "2026-11-09T02:00:00Z", 2);
    for other in
        [in_state(later("snap-8"), "pending"), in_state(later("snap-8"), "error"), of_two, manual, image]
    {
        let mut snapshots = seven();
        snapshots.push(other.clone());
        let answer = run(floor.clone(), &snapshots, &[]);
        assert_eq!(times(&answer, "delete"), oldest, "{other}");
        assert_eq!((times(&answer, "keep").len(), times(&answer, "skip").len()), (5, 1), "{other}");
    }
    // Four are left of seven: the floor is not reached, and nothing goes.
    for broken in ["pending", "error"] {
        let break_some =
            |(n, snapshot): (usize, Value)| if n % 2 == 0 { in_state(snapshot, broken) } else { snapshot };
        let snapshots: Vec<Value> = seven().into_iter().enumerate().map(break_some).collect();
        assert_eq!(times(&run(floor.clone(), &snapshots, &[]), "delete"), [""; 0], "{broken}");
    }
}

#[test]
fn retention_is_per_instance_and_policy() {
    let mut snapshots = seven();
    snapshots.extend(
        (1..=2).map(|day| ours(&format!("snap-b{day}"), "i-2", &format!("2026-10-0{day}T02:00:00Z"), 1)),
    );
    let mut other = ours("snap-o", "i-1", "2026-10-01T02:00:00Z", 1);
    other["Tags"][0]["Value"] = "weekly".into();
    other["Tags"][2]["Value"] = "weekly/2026-10-01T02:00:00Z".into();
    snapshots.push(other);
    let answer = run(json!({ "keep_last": 2 }), &snapshots, &[]);
    let kept =
        ["2026-11-06T02:00:00Z", "2026-11-07T02:00:00Z", "2026-10-01T02:00:00Z", "2026-10-02T02:00:00Z"];
    assert_eq!(times(&answer, "keep"), kept);
    assert_eq!(reasons(&answer, "skip"), ["there is no policy `weekly` in the file"]);

    let weekly = json!({ "id": "weekly", "select": { "any": [{ "name": "*" }] },
                         "schedule": { "expression": "rate(7 days)" }, "retention": { "keep_last": 1 } });
    let both = json!([policy(json!({ "keep_last": 2 })), weekly]).to_string();
    let output = run_text(&both, &json!({ "Snapshots": snapshots }).to_string(), &["--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((times(&answer, "keep").len(), times(&answer, "skip").len()), (5, 0));
}

#[test]
fn tags_that_make_no_sense_are_foreign_with_a_reason() {
    let mut bad = ours("snap-1", "i-1", "2026-11-01T02:00:00Z", 1);
    bad["Tags"][3]["Value"] = "many".into();
    let two =
        [ours("snap-2", "i-2", "2026-11-01T02:00:00Z", 1), ours("snap-3", "i-2", "2026-11-01T02:00:00Z", 1)];
    let answer = run(json!({ "keep_last": 1 }), &[&[bad], &two[..]].concat(), &[]);
    let expected = [
        "foreign; its tag `stopgap:volumes` is not a number of volumes: `many`",
        "foreign; it has snapshots of 2 volumes, but its tags say 1",
    ];
    assert_eq!(reasons(&answer, "skip"), expected);
    assert_eq!(answer["skip"][1]["snapshots"], json!(["snap-2", "snap-3"]));
}

#[test]
fn what_is_odd_in_a_file_is_read_all_the_same() {
    // Escapes, an unknown state, no StartTime, nested things, another order: what is skipped must be gone past rightly.
    let text = r#" { "Extra": {"a": [1, -2.5e3, true, null, "x\"]}"]}, "Snapshots" : [
        {"Tags": [{"Value": "i-1", "Key": "stopgap:\u0069nstance"}, {"Key": "Name", "Value": "\ud83d\ude00 \"{["},
                  {"Key": "stopgap:policy", "Value": "nightly"}, {"Key": "stopgap:volumes", "Value": "1"},
                  {"Key": "stopgap:occurrence", "Value": "nightly/2026-11-01T02:00:00Z"}, {"Key": "Empty"}],
         "SnapshotId": "snap-1", "StartTime": "2026-11-01T02:00:00.000Z", "State": "completed", "VolumeId": "vol-1"},
        {"SnapshotId": "snap-2", "State": "dreaming", "StartTime": "2026-11-01T02:00:00+00:00", "Tags": null}, {"SnapshotId": "snap-3"}
    ], "NextToken": null }
"#;
    let output = run_text(&policy(json!({ "keep_last": 1 })).to_string(), text, &["--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["keep"][0]["snapshots"], json!(["snap-1"]));
    assert_eq!(reasons(&answer, "skip"), ["foreign", "foreign"]);
}

#[test]
fn a_file_that_is_not_the_output_is_refused_with_where_and_what() {
    let good = policy(json!({ "keep_last": 1 })).to_string();
    for (text, says) in [
        ("", "it is empty"),
        ("[]", "describe-snapshots"),
        (r#"{"Volumes": []}"#, "describe-snapshots"),
        (r#"{"Snapshots": [{"State": "completed"}]}"#, "SnapshotId"),
        (r#"{"Snapshots": [{"SnapshotId": 7}]}"#, "Snapshots[0].SnapshotId"),
        (r#"{"Snapshots": [{"SnapshotId": "snap-1", "StartTime": "yesterday"}]}"#, "Snapshots[0].StartTime"),
        (r#"{"Snapshots": [{"SnapshotId": "snap-1"}"#, "EOF"),
        (r#"{"Snapshots": []} x"#, "trailing"),
        (r#"{"Snapshots": [], "NextToken": "x"}"#, "there is more than was saved"),
    ] {
        let output = run_text(&good, text, &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}: {error}");
        assert!(error.starts_with("error: ") && error.contains(says), "{text}: {error}");
        assert_eq!(output.stdout, b"");
    }
    let output = run_text("{}", "", &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("`id` is missing") && error.contains("it is empty"), "{error}");
    let two = json!([policy(json!({ "keep_last": 1 })), { "id": "b", "select": { "any": [{ "name": "*" }] },
        "schedule": { "expression": "rate(1 day)" }, "retention": { "keep_last": 1 } }]);
    let output = run_text(&two.to_string(), r#"{"Snapshots": []}"#, &["--group-by-tag", "Set"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_person_can_read_it_and_a_tag_cannot_write_to_the_terminal() {
    let mut snapshots = seven();
    let mut evil = ours("snap-e", "i-1", "2026-11-01T02:00:00Z", 1);
    evil["Tags"][3]["Value"] = "\u{1b}[2J".into();
    snapshots.push(evil);
    let file = json!({ "Snapshots": snapshots }).to_string();
    let output = run_text(&policy(json!({ "keep_last": 2 })).to_string(), &file, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Keep (2)\n i-1 nightly\n  2026-11-06T02:00:00Z  last 2 of 2  snap-6\n"), "{text}");
    assert!(
        text.ends_with(&format!("At {AT}: 2 to keep, 5 to delete (5 snapshots), 1 skipped.\n")),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn snapshots_of_other_tools_are_grouped_by_a_tag() {
    let of = |id: &str, time: &str, backup: &str| snapshot(id, time, &[("Backup", backup)]);
    let snapshots = [
        of("snap-1", "2026-11-01T02:00:09Z", "a"),
        of("snap-2", "2026-11-01T02:00:00Z", "a"),
        of("snap-3", "2026-11-02T02:00:00Z", "b"),
        in_state(of("snap-4", "2026-11-02T02:00:01Z", "b"), "pending"),
        of("snap-5", "2026-11-03T02:00:00Z", "c"),
        ours("snap-6", "i-1", "2026-11-04T02:00:00Z", 1),
    ];
    let answer = run(json!({ "keep_last": 1 }), &snapshots, &["--group-by-tag", "Backup"]);
    assert_eq!(answer["keep"][0]["occurrence"], "c");
    assert_eq!(
        answer["delete"][0],
        json!({ "occurrence": "a", "time": "2026-11-01T02:00:00Z",
        "snapshots": ["snap-1", "snap-2"], "reasons": ["no rule keeps it"] })
    );
    assert_eq!(times(&answer, "skip"), ["2026-11-04T02:00:00Z", "2026-11-02T02:00:00Z"]);
}

#[test]
fn the_snapshots_can_come_from_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.json");
    std::fs::write(&file, policy(json!({ "keep_last": 1 })).to_string()).unwrap();
    let mut command = stopgap();
    command.args(["retention", "--at", AT, "--json", "--snapshots", "-", "--policy"]).arg(&file);
    let text = json!({ "Snapshots": seven() }).to_string();
    let output = assert_cmd::Command::from_std(command).write_stdin(text).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(times(&answer, "delete").len(), 6);
}

/// The times of the snapshots in restic's own tests of `forget`, newest first; of equal ones the first given first.
fn restics() -> Vec<String> {
    let on = |month: &str, days: &[&str]| -> Vec<String> {
        days.iter().map(|day| format!("{month}-{}", day.replace('T', "T10:20:30"))).collect()
    };
    let even = ["01T", "02T", "05T", "06T", "08T", "09T", "10T", "11T", "20T", "22T"];
    let odd = ["08T", "10T", "12T", "13T", "13T.1", "15T", "18T", "20T", "21T", "22T"];
    let mut all = Vec::new();
    for year in ["2014", "2015"] {
        for (month, days) in [("08", odd), ("09", even), ("10", even), ("11", odd)] {
            all.extend(on(&format!("{year}-{month}"), &days));
        }
    }
    all.extend(on("2015-10", &["22T"; 4]));
    let january = "01T01:02:03 01T01:03:03 01T07:08:03 03T07:02:03 04T10:23:03 04T11:23:03 04T12:23:03 04T12:24:03 \
                   04T12:28:03 04T12:30:03 04T16:23:03 05T09:02:03 06T08:02:03 07T10:02:03 08T20:02:03 09T21:02:03 \
                   12T21:02:03 12T21:08:03 18T12:02:03";
    all.extend(january.split_whitespace().map(|time| format!("2016-01-{time}")));
    let mut all: Vec<jiff::Timestamp> = all.iter().map(|time| format!("{time}Z").parse().unwrap()).collect();
    all.sort_by(|a, b| b.cmp(a));
    all.iter().map(ToString::to_string).collect()
}

/// What restic keeps of them by each of its tests' policies (those that it has in common with stopgap's), by their places
/// from the newest. `1m` and `-1` of restic are `1mo` and `all`.
const RESTIC_KEEPS: [(&str, &str); 30] = [
    (r#"{"keep_last": 10}"#, "0-9"),
    (r#"{"keep_last": 15}"#, "0-14"),
    (r#"{"keep_last": 99}"#, "0-98"),
    (r#"{"keep_last": 200}"#, "0-102"),
    (r#"{"keep_hourly": 20}"#, "0-1 3-9 13-17 19-24"),
    (r#"{"keep_daily": 3}"#, "0-1 3"),
    (r#"{"keep_daily": 10}"#, "0-1 3-8 15-16"),
    (r#"{"keep_daily": 30}"#, "0-1 3-8 15-16 19-24 26-29 34-43"),
    (r#"{"keep_last": 5, "keep_daily": 5}"#, "0-5"),
    (r#"{"keep_last": 2, "keep_daily": 10}"#, "0-1 3-8 15-16"),
    (r#"{"keep_weekly": 2}"#, "0-1"),
    (r#"{"keep_weekly": 4}"#, "0-1 3 15"),
    (r#"{"keep_daily": 3, "keep_weekly": 4}"#, "0-1 3 15"),
    (r#"{"keep_monthly": 6}"#, "0 19 29 43 53 63"),
    (r#"{"keep_daily": 2, "keep_weekly": 2, "keep_monthly": 6}"#, "0-1 19 29 43 53 63"),
    (r#"{"keep_yearly": 10}"#, "0 19 63 102"),
    (r#"{"keep_daily": 7, "keep_weekly": 2, "keep_monthly": 3, "keep_yearly": 10}"#, "0-1 3-7 19 29 63 102"),
    (r#"{"keep_for": "1d"}"#, "0"),
    (r#"{"keep_for": "2d"}"#, "0"),
    (r#"{"keep_for": "7d"}"#, "0-2"),
    (r#"{"keep_for": "1mo"}"#, "0-18"),
    (r#"{"keep_for": "1mo 14d"}"#, "0-18"),
    (r#"{"keep_for": "1y 1mo 1d"}"#, "0-62"),
    (r#"{"keep_for": "13d 23h"}"#, "0-8"),
    (r#"{"keep_for": "2mo 2h"}"#, "0-22"),
    (r#"{"keep_for": "1y 2mo 3d 3h"}"#, "0-67"),
    (r#"{"keep_last": "all"}"#, "0-102"),
    (r#"{"keep_last": "all", "keep_hourly": "all"}"#, "0-102"),
    (r#"{"keep_hourly": "all"}"#, "0-1 3-9 13-17 19-24 26-29 34-58 60-68 70-98 100-102"),
    (
        r#"{"keep_daily": 3, "keep_weekly": 2, "keep_monthly": "all", "keep_yearly": "all"}"#,
        "0-1 3 19 29 43 53 63 73 83 93 102",
    ),
];

#[test]
fn the_rules_keep_what_restic_keeps_in_its_own_tests() {
    let times = restics();
    assert_eq!(times.len(), 103);
    let id = |n: usize| format!("snap-{n:03}");
    let mut snapshots: Vec<Value> =
        times.iter().enumerate().map(|(n, time)| snapshot(&id(n), time, &[("Set", &id(n))])).collect();
    // The order of the file does not matter.
    snapshots.sort_by_key(|snapshot| {
        snapshot["SnapshotId"].as_str().map(|id| id.bytes().rev().collect::<Vec<_>>())
    });
    for (rules, expected) in RESTIC_KEEPS {
        let answer = run(serde_json::from_str(rules).unwrap(), &snapshots, &["--group-by-tag", "Set"]);
        let items = |list: &str| answer[list].as_array().unwrap().clone();
        let mut kept: Vec<String> =
            items("keep").iter().map(|item| item["snapshots"][0].as_str().unwrap().to_owned()).collect();
        kept.sort();
        let expected: Vec<String> = expected
            .split(' ')
            .flat_map(|range| {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                (from.parse::<usize>().unwrap()..=to.parse().unwrap()).map(id)
            })
            .collect();
        assert_eq!(kept, expected, "{rules}");
        assert_eq!(kept.len() + items("delete").len(), 103, "{rules}");
    }
}

/// A snapshot of ebs_snapper's, of one volume.
fn theirs(id: &str, instance: &str, volume: &str, time: &str) -> Value {
    let mut snapshot = snapshot(id, time, &[("DeleteOn", "2026-11-05"), ("Name", "web")]);
    snapshot["VolumeId"] = volume.into();
    snapshot["Description"] =
        format!("Created from {instance} by EbsSnapper(0.10.6) for ami-1 from {volume}").into();
    snapshot
}

fn adopting(id: &str, retention: Value) -> Value {
    let mut policy = policy(retention);
    policy["id"] = id.into();
    policy["adopt"] = json!(["ebs-snapper"]);
    policy
}

fn run_policies(policies: &Value, snapshots: &[Value]) -> Value {
    let file = json!({ "Snapshots": snapshots }).to_string();
    let output = run_text(&policies.to_string(), &file, &["--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_ebs_snapper_made_counts_in_one_series_with_the_policys_own_if_it_is_adopted_and_is_foreign_if_not() {
    let mut snapshots = vec![
        theirs("snap-3b", "i-1", "vol-2", "2026-11-03T02:15:20Z"),
        theirs("snap-3a", "i-1", "vol-1", "2026-11-03T02:00:10.500Z"),
        theirs("snap-1a", "i-1", "vol-1", "2026-11-01T02:00:10Z"),
        theirs("snap-1b", "i-1", "vol-2", "2026-11-01T02:00:14Z"),
        theirs("snap-2a", "i-1", "vol-1", "2026-11-02T02:00:10Z"),
        theirs("snap-x", "i-2", "vol-9", "2026-11-01T02:00:10Z"),
        ours("snap-4", "i-1", "2026-11-04T02:00:00Z", 1),
    ];
    let mut copy = theirs("snap-copy", "i-1", "vol-1", "2026-11-01T02:00:10Z");
    copy["VolumeId"] = "vol-ffffffff".into();
    snapshots.push(copy);
    let answer = run_policies(&adopting("nightly", json!({ "keep_last": 2 })), &snapshots);
    let of = |list: &str| -> Vec<(&str, Vec<&str>)> {
        let items = answer[list].as_array().unwrap().iter();
        items
            .map(|item| {
                let ids =
                    item["snapshots"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
                (item["occurrence"].as_str().unwrap_or("none"), ids)
            })
            .collect()
    };
    assert_eq!(
        of("keep"),
        [
            ("nightly/2026-11-03T02:00:10Z", vec!["snap-3a", "snap-3b"]),
            ("nightly/2026-11-04T02:00:00Z", vec!["snap-4"]),
            ("nightly/2026-11-01T02:00:10Z", vec!["snap-x"]),
        ]
    );
    assert_eq!(reasons(&answer, "keep")[0], "last 2 of 2; made by ebs_snapper");
    // The 2nd lacks a volume, and nothing would keep it if it did not.
    assert_eq!(
        of("delete"),
        [
            ("nightly/2026-11-01T02:00:10Z", vec!["snap-1a", "snap-1b"]),
            ("nightly/2026-11-02T02:00:10Z", vec!["snap-2a"])
        ]
    );
    assert_eq!(of("skip"), [("none", vec!["snap-copy"])]);
    assert!(reasons(&answer, "skip")[0].starts_with("foreign; it is a copy"));

    let answer = run_policies(&policy(json!({ "keep_last": 2 })), &snapshots);
    assert_eq!((times(&answer, "keep").len(), times(&answer, "delete").len()), (1, 0));
    assert_eq!(reasons(&answer, "skip"), ["foreign"; 7]);
}

#[test]
fn where_several_policies_adopt_nothing_is_deleted_by_any_of_them() {
    let snapshots: Vec<Value> = (1..=9)
        .map(|day| theirs(&format!("snap-{day}"), "i-1", "vol-1", &format!("2026-11-0{day}T02:00:00Z")))
        .collect();
    let keep_one = || json!({ "keep_last": 1 });
    let both = json!([adopting("nightly", keep_one()), adopting("weekly", keep_one())]);
    let answer = run_policies(&both, &snapshots);
    assert_eq!((times(&answer, "keep").len(), times(&answer, "delete").len()), (0, 0));
    assert!(reasons(&answer, "skip").iter().all(|why| why.starts_with("foreign; several policies")));
    let answer = run_policies(&adopting("weekly", keep_one()), &snapshots);
    assert_eq!((times(&answer, "keep").len(), times(&answer, "delete").len()), (1, 8));
}
