//! `stopgap plan` and `stopgap policy`, as a person at a shell meets them.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::fs;
use std::process::Output;

use assert_cmd::Command;
use serde_json::{Value, json};
use stopgap_tests::stopgap;
use tempfile::TempDir;

/// A running web server and a member of an Auto Scaling group in one account, a stopped database in another, and an
/// instance that is gone; one volume and one instance without a record.
fn inventory() -> TempDir {
    let tags = |tags: &[(&str, &str)]| -> Value {
        tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
    };
    let instance = |id: &str, state: &str, zone: &str, volumes: &[&str], with: &[(&str, &str)]| {
        let mappings: Vec<Value> = volumes
            .iter()
            .zip('a'..)
            .map(|(volume, letter)| json!({"DeviceName": format!("/dev/sd{letter}"), "Ebs": {"VolumeId": volume}}))
            .collect();
        json!({"InstanceId": id, "State": {"Name": state}, "Placement": {"AvailabilityZone": zone}, "Tags": tags(with),
               "RootDeviceName": "/dev/sda", "BlockDeviceMappings": mappings})
    };
    let volume = |id: &str, instance: &str| json!({"VolumeId": id, "Size": 8, "Attachments": [{"InstanceId": instance}]});
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, value: Value| fs::write(folder.path().join(name), value.to_string()).unwrap();
    save(
        "instances.json",
        json!({"Reservations": [
            {"OwnerId": "111111111111", "Instances": [
                instance("i-web", "running", "eu-west-1a", &["vol-web", "vol-lost"], &[("Name", "web-1"), ("Cluster", "alpha")]),
                instance("i-member", "running", "eu-west-1b", &["vol-member"], &[("aws:autoscaling:groupName", "workers")]),
                instance("i-gone", "terminated", "eu-west-1a", &[], &[("Name", "web-2")])]},
            {"OwnerId": "222222222222", "Instances": [
                instance("i-db", "stopped", "us-west-2-lax-1a", &["vol-db"], &[("Name", "web-db")])]}
        ]}),
    );
    save(
        "volumes.json",
        json!({"Volumes": [
            volume("vol-web", "i-web"), volume("vol-member", "i-member"), volume("vol-db", "i-db"), volume("vol-stray", "i-stray")
        ]}),
    );
    save(
        "snapshots.json",
        json!({"Snapshots": [{
        "SnapshotId": "snap-1", "VolumeId": "vol-db", "State": "completed", "StartTime": "2026-11-21T02:01:00+00:00",
        "Tags": tags(&[("stopgap:policy", "by-name"), ("stopgap:instance", "i-db"), ("stopgap:volumes", "1"),
                       ("stopgap:occurrence", "by-name/2026-11-21T02:00:00Z")])}]}),
    );
    folder
}

fn policies() -> Value {
    let policy = |id: &str, any: Value, expression: &str| json!({"id": id, "select": {"any": [any]}, "schedule": {"expression": expression}, "retention": {"keep_last": 3}});
    let mut by_name = policy("by-name", json!({"name": "web-*"}), "cron(0 2 * * ? *)");
    by_name["concurrency"] = json!({"group_by": "tag:Cluster"});
    json!([
        by_name,
        policy("by-group", json!({"asg": "work*"}), "rate(1 hour)"),
        policy("later", json!({"instance": "i-web"}), "at(2026-12-01T00:00:00)"),
        policy("nothing", json!({"asg": "zzz"}), "rate(1 hour)"),
    ])
}

/// Runs `stopgap` with `args`, giving it `stdin`.
fn run(args: &[&str], stdin: &str) -> Output {
    Command::from_std(stopgap()).args(args).write_stdin(stdin).output().unwrap()
}

fn plan(folder: &TempDir, policies: &str, more: &[&str]) -> Output {
    let folder = folder.path().to_str().unwrap();
    let args = ["plan", "--inventory", folder, "--policies", "-", "--at", "2026-11-20T20:30:00-06:00"];
    run(&[&args[..], more].concat(), policies)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Asserts that it was refused: status 2, nothing on stdout, and an `error:` line that says `says`.
#[track_caller]
fn refused(output: &Output, says: &str) {
    let stderr = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{stderr}");
    assert!(
        stderr.lines().any(|line| line.starts_with("error: ") && line.contains(says)),
        "{says}: {stderr}"
    );
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn what_is_found_of_recorded_instances_is_told_with_what_follows() {
    let folder = inventory();
    let file = folder.path().join("instances.json");
    let mut saved: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let web = &mut saved["Reservations"][0]["Instances"][0];
    web["RootDeviceType"] = json!("instance-store");
    web["HibernationOptions"] = json!({"Configured": true});
    web["NetworkInterfaces"] = json!([{"Association": {"IpOwnerId": "amazon", "PublicIp": "203.0.113.7"}}]);
    fs::write(&file, saved.to_string()).unwrap();
    let mut policies = policies();
    policies[0]["preflight"] = json!({"hibernation": "ignore", "public-address-lost": "refuse"});

    let output = plan(&folder, &policies.to_string(), &["--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |policy: &str| -> Vec<(String, String)> {
        let all = found["preflight"].as_array().unwrap().iter();
        let mine = all.filter(|found| found["policy"] == policy && found["instance_id"] == "i-web");
        let findings = mine.flat_map(|found| found["findings"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        findings.map(|judged| (text(&judged["finding"]), text(&judged["verdict"]))).collect()
    };
    let judged = |finding: &str, verdict: &str| (finding.to_owned(), verdict.to_owned());
    assert_eq!(
        of("by-name"),
        [judged("instance-store-root", "refuse"), judged("public-address-lost", "refuse")]
    );
    assert_eq!(
        of("later"),
        [
            judged("instance-store-root", "refuse"),
            judged("public-address-lost", "warn"),
            judged("hibernation", "warn")
        ]
    );
    let text = String::from_utf8(plan(&folder, &policies.to_string(), &[]).stdout).unwrap();
    for part in ["Preflight", "public-address-lost", "203.0.113.7", "would be refused"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn backups_that_no_run_prunes_are_listed_with_what_would_be_deleted() {
    let folder = inventory();
    let copy = |instance: &str, day: u8| {
        let at = format!("2026-11-{day:02}T02:00:00Z");
        let tags = [
            ("stopgap:policy", "by-name"),
            ("stopgap:instance", instance),
            ("stopgap:volumes", "1"),
            ("stopgap:occurrence", &format!("by-name/{at}")),
        ];
        let tags: Value = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        json!({"SnapshotId": format!("snap-{instance}-{day}"), "VolumeId": "vol-1", "State": "completed",
               "StartTime": at, "Tags": tags})
    };
    let gone = (1..=5).map(|day| copy("i-gone", day));
    let lost = (1..=4).map(|day| copy("i-lost", day));
    let renamed = (1..=4).map(|day| copy("i-member", day));
    // A volume says that it is there; a policy prunes it.
    let others = (1..=4).flat_map(|day| [copy("i-stray", day), copy("i-db", day)]);
    let snapshots: Vec<Value> = gone.chain(lost).chain(renamed).chain(others).collect();
    fs::write(folder.path().join("snapshots.json"), json!({ "Snapshots": snapshots }).to_string()).unwrap();

    let output = plan(&folder, &policies().to_string(), &["--json"]);
    let plan_json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let orphan = |instance: &str, account: &str, region: &str, why: &str, days: &[u8]| {
        let delete: Vec<Value> = days
            .iter()
            .map(|day| json!({"occurrence": format!("by-name/2026-11-{day:02}T02:00:00Z"), "reasons": ["no rule keeps it"]}))
            .collect();
        json!({"instance_id": instance, "location": {"account": account, "region": region}, "policy": "by-name",
               "why": why, "kept": 3, "delete": delete})
    };
    let home = ("111111111111", "eu-west-1");
    assert_eq!(
        plan_json["orphans"],
        json!([
            orphan("i-gone", home.0, home.1, "gone", &[1, 2]),
            orphan("i-lost", "", "", "gone", &[1]),
            orphan("i-member", home.0, home.1, "unselected", &[1]),
        ])
    );
    let text = String::from_utf8(plan(&folder, &policies().to_string(), &[]).stdout).unwrap();
    assert!(text.contains("Backups to delete that no run prunes"), "{text}");
    assert!(text.contains("by-name/2026-11-02T02:00:00Z"), "{text}");

    // Of a part nothing follows.
    let part = json!({ "Snapshots": snapshots, "NextToken": "x" });
    fs::write(folder.path().join("snapshots.json"), part.to_string()).unwrap();
    let output = plan(&folder, &policies().to_string(), &["--json"]);
    assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap().get("orphans").is_none());
}

#[test]
fn plan_says_what_is_due_what_is_not_and_what_is_not_known() {
    let output = plan(&inventory(), &policies().to_string(), &["--json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let expected = json!({
        "due": [
            {"instance_id": "i-member", "location": {"account": "111111111111", "region": "eu-west-1"},
             "policy": "by-group", "occurrence": "by-group/2026-11-21T02:00:00Z", "attempt": 0,
             "action": "stop-snapshot-start", "volumes": ["vol-member"], "group": null,
             "start_at": "2026-11-21T02:30:00Z", "start_by": "2026-11-21T04:00:00Z",
             "reasons": ["Auto Scaling group workers"]},
            {"instance_id": "i-web", "location": {"account": "111111111111", "region": "eu-west-1"},
             "policy": "by-name", "occurrence": "by-name/2026-11-21T02:00:00Z", "attempt": 0,
             "action": "stop-snapshot-start", "volumes": ["vol-lost", "vol-web"], "group": "tag:Cluster=alpha",
             "start_at": "2026-11-21T02:30:00Z", "start_by": "2026-11-21T04:00:00Z",
             "reasons": ["name \"web-1\""]}
        ],
        "not_due": [
            {"instance_id": "i-db", "policy": "by-name", "reasons":
             ["already has a complete set for 2026-11-21T02:00:00Z; the next is at 2026-11-22T02:00:00Z"]},
            {"instance_id": "i-web", "policy": "later", "reasons": ["no occurrence yet; the next is at 2026-12-01T00:00:00Z"]}
        ],
        "unmatched": ["nothing"],
        "overlaps": [{"instance_id": "i-web", "policies": ["by-name", "later"]}],
        "unknown": [
            {"kind": "instance", "id": "i-stray", "instance_id": "i-stray",
             "why": "there is no record of it, so no policy can select it; attached to it: vol-stray"},
            {"kind": "volume", "id": "vol-lost", "instance_id": "i-web",
             "why": "there is no record of it; the instance names it, so it is backed up, whatever its tags"}
        ]
    });
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn offline_a_policy_selects_in_its_targets_and_without_any_everywhere() {
    let due = |targets: Value| -> Vec<String> {
        let policy = json!({"id": "all", "targets": targets, "select": {"any": [{"name": "web-*"}]},
                            "schedule": {"expression": "cron(0 2 * * ? *)"}, "retention": {"keep_last": 3}});
        let output = plan(&inventory(), &policy.to_string(), &["--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        found["due"]
            .as_array()
            .unwrap()
            .iter()
            .map(|due| due["instance_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(due(json!([])), ["i-db", "i-web"]);
    assert_eq!(due(json!([{"account": "222222222222"}])), ["i-db"]);
    assert_eq!(due(json!([{"regions": ["eu-west-1"]}])), ["i-web"]);
    assert_eq!(due(json!([{"account": "222222222222", "regions": ["eu-west-1"]}])), [""; 0]);
}

#[test]
fn plan_reads_well_without_json() {
    let output = plan(&inventory(), &policies().to_string(), &[]);
    let stdout = text(&output.stdout);
    for line in [
        "Due (2)",
        "Not due (2)",
        "Policies that match nothing (1)",
        "Selected by several policies (each keeps its own backups) (1)",
        "Unknown (2)",
        "At 2026-11-21T02:30:00Z: 2 due, 2 not due.",
    ] {
        assert!(stdout.lines().any(|found| found == line), "{line}: {stdout}");
    }
    assert!(stdout.contains("already has a complete set"), "{stdout}");
    assert!(!stdout.contains("i-gone"), "{stdout}");
}

#[test]
fn what_may_be_missing_is_noted_and_instances_may_not() {
    let folder = inventory();
    for name in ["volumes.json", "snapshots.json"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let output = plan(&folder, &policies().to_string(), &["--json"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stderr.contains("note: ") && stderr.contains("volumes.json") && stderr.contains("snapshots.json"),
        "{stderr}"
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["due"].as_array().map(Vec::len), Some(3));

    fs::remove_file(folder.path().join("instances.json")).unwrap();
    refused(&plan(&folder, &policies().to_string(), &[]), "instances.json");
}

#[test]
fn every_broken_input_is_refused_with_what_would_be_right() {
    let good = policies().to_string();
    for (file, contents, says) in [
        ("instances.json", "", "it is empty"),
        ("instances.json", "[]", "not an object with `Reservations`"),
        ("instances.json", "{\"Volumes\": []}", "it is the output of `aws ec2 describe-volumes`"),
        ("instances.json", "{\"Reservations\": [{\"Instances\": [{\"InstanceId\": ", "it ends too early"),
        ("volumes.json", "{\"Volumes\": [{\"Size\": NaN}]}", "it is not JSON"),
        ("snapshots.json", "{\"Snapshots\": [{\"SnapshotId\": 1}]}", "Snapshots[0].SnapshotId: "),
    ] {
        let folder = inventory();
        fs::write(folder.path().join(file), contents).unwrap();
        refused(&plan(&folder, &good, &[]), says);
    }
    let folder = inventory();
    fs::write(folder.path().join("policies.json"), b"\xff\xfe[\0").unwrap();
    let utf16 = folder.path().join("policies.json");
    refused(&run(&["policy", "check", utf16.to_str().unwrap()], ""), "it is UTF-16");
    refused(&run(&["policy", "check", "/nowhere"], ""), "/nowhere: it cannot be read");
    refused(&plan(&folder, "", &[]), "stdin: there is nothing in it");
    refused(&plan(&folder, "{\"id\": ", &[]), "stdin: it is not JSON");
    refused(
        &plan(&folder, &good.replace("retention", "retension"), &[]),
        "stdin: [0].retension: there is no field",
    );
    refused(&run(&["plan"], ""), "the following required arguments were not provided");
    for at in [
        "tomorrow",
        "2026-11-21",
        "2026-11-21T02:00:00",
        "2026-11-21T02:00Z",
        "2026-11-21T02:00:00+25:00",
        "2026-02-30T02:00:00Z",
        "-000001-11-21T02:00:00Z",
        "2026-11-21T02:00:00Z[Europe/Paris]",
        "2026-11-21T02:00:00.Z",
    ] {
        let at = format!("--at={at}");
        refused(&run(&["plan", "--inventory", ".", "--policies", "-", &at], ""), "write an RFC 3339 time");
    }
    let nowhere =
        ["plan", "--inventory", "/nowhere", "--policies", "/nowhere", "--at", "2026-11-21T02:00:00Z"];
    refused(&run(&nowhere, ""), "/nowhere/instances.json");
}

#[test]
fn mistakes_of_inventory_and_policies_are_told_together() {
    let folder = inventory();
    fs::write(folder.path().join("instances.json"), "[]").unwrap();
    let output = plan(&folder, "{}", &[]);
    refused(&output, "instances.json");
    refused(&output, "stdin: `id` is missing");
}

#[test]
fn any_rfc_3339_time_will_do() {
    for at in [
        "0000-01-01T00:00:00Z",
        "2026-11-21t02:00:00.25z",
        "2026-11-21 02:00:60-06:30",
        "9999-12-30T00:00:00Z",
    ] {
        let folder = inventory();
        let folder = folder.path().to_str().unwrap();
        let output = run(
            &["plan", "--inventory", folder, "--policies", "-", "--at", at, "--json"],
            &policies().to_string(),
        );
        assert_eq!(output.status.code(), Some(0), "{at}: {}", text(&output.stderr));
    }
}

#[test]
fn nothing_from_outside_reaches_the_terminal_as_it_is() {
    let folder = inventory();
    let path = folder.path().join("instances.json");
    let instances = fs::read_to_string(&path).unwrap();
    let name = "web-\\u001b]0;pwned\\u0007\\n\\u202e\\u009b2J";
    fs::write(&path, instances.replace("web-1", name).replace("alpha", "\\u001b[31mred")).unwrap();
    let mut broken = policies();
    broken[0]["id"] = json!("\u{1b}[31m");
    let wild = |text: &str| text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}'));
    for (policies, more) in
        [(policies(), &[][..]), (policies(), &["--json"]), (broken.clone(), &[]), (broken, &["--json"])]
    {
        let output = plan(&folder, &policies.to_string(), more);
        assert!(!wild(text(&output.stdout)) && !wild(text(&output.stderr)), "{output:?}");
    }
    let output = plan(&folder, &policies().to_string(), &[]);
    assert!(text(&output.stdout).contains(r"tag:Cluster=\u{1b}[31mred"), "{}", text(&output.stdout));
    // Escaped, not lost.
    let output = plan(&folder, &policies().to_string(), &["--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["due"][1]["group"], "tag:Cluster=\u{1b}[31mred");
}

#[test]
fn volumes_on_which_the_records_disagree_are_named() {
    let folder = inventory();
    let path = folder.path().join("volumes.json");
    let volumes = fs::read_to_string(&path).unwrap();
    // By the instance's record, i-web has vol-web and vol-lost.
    fs::write(&path, volumes.replace("i-stray", "i-web").replace("i-member", "i-db")).unwrap();
    let output = plan(&folder, &policies().to_string(), &["--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said: Vec<_> = found["unknown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unknown| {
            [&unknown["kind"], &unknown["id"], &unknown["instance_id"]].map(|text| text.as_str().unwrap())
        })
        .collect();
    let expected = [
        ["attachment", "vol-member", "i-db"],
        ["attachment", "vol-member", "i-member"],
        ["attachment", "vol-stray", "i-web"],
        ["volume", "vol-lost", "i-web"],
    ];
    assert_eq!(said, expected);
}

#[test]
fn policy_check_prints_ok_or_every_mistake() {
    let output = run(&["policy", "check", "-"], &policies().to_string());
    assert_eq!(text(&output.stdout), "ok: by-name, by-group, later, nothing\n");

    let broken = json!({"id": "a", "select": {"any": []}, "schedule": {"expression": "cron(0 2 * * * *)"}, "retention": {}});
    let output = run(&["policy", "check", "-"], &broken.to_string());
    refused(&output, "stdin: select.any: an empty array selects nothing");
    refused(&output, "stdin: schedule.expression: `cron(0 2 * * * *)`");
    refused(&output, "stdin: retention: it keeps nothing");

    let output = run(&["policy", "check", "--json", "-"], &broken.to_string());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let places: Vec<&Value> = found["errors"].as_array().unwrap().iter().map(|error| &error["at"]).collect();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(places, ["retention", "schedule.expression", "select.any"]);
}

#[test]
fn policy_schema_prints_the_published_schema() {
    let output = run(&["policy", "schema"], "");
    let published = include_str!("../../functions/core/policy.schema.json");
    assert_eq!(text(&output.stdout), published);
}
