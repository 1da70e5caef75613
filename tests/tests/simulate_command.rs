//! `stopgap simulate`, as a person at a shell and a program meet it. The fleet is the one in `tests/fleet`.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::{env, fs};

use serde_json::{Value, json};
use stopgap_tests::stopgap;
use tempfile::TempDir;

const FROM: &str = "2026-12-01T00:00:00Z";

fn fleet(file: &str) -> String {
    format!("{}/fleet/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn run(args: &[&str]) -> Output {
    stopgap().arg("simulate").args(args).output().unwrap()
}

/// A forecast of the fleet, with more arguments.
fn of_fleet(days: &str, more: &[&str]) -> Output {
    let (folder, policies) = (fleet(""), fleet("policies.json"));
    let args = ["--inventory", &folder, "--policies", &policies, "--from", FROM, "--days", days];
    run(&[&args, more].concat())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn document(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap()
}

/// A folder with policies and a fleet of running instances of one volume of 100 GiB each, named and tagged alike.
fn folder(instances: usize, policies: &Value, snapshots: &[Value]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let attached = "2026-01-01T00:00:00+00:00";
    let instance = |n: usize| {
        json!({
            "InstanceId": format!("i-{n:017x}"), "State": { "Code": 16, "Name": "running" },
            "Placement": { "AvailabilityZone": "us-east-1a" }, "RootDeviceName": "/dev/xvda",
            "BlockDeviceMappings": [{ "DeviceName": "/dev/xvda",
                "Ebs": { "VolumeId": format!("vol-{n:017x}"), "AttachTime": attached } }],
            "Tags": [{ "Key": "Backup", "Value": "nightly" }, { "Key": "Name", "Value": "<b>&" }],
        })
    };
    let volume = |n: usize| {
        json!({
            "VolumeId": format!("vol-{n:017x}"), "Size": 100, "VolumeType": "gp3", "State": "in-use",
            "Attachments": [{ "InstanceId": format!("i-{n:017x}"), "VolumeId": format!("vol-{n:017x}"),
                "Device": "/dev/xvda", "State": "attached", "AttachTime": attached }],
        })
    };
    let all = |of: &dyn Fn(usize) -> Value| (1..=instances).map(of).collect::<Vec<Value>>();
    let reservations =
        json!({ "Reservations": [{ "OwnerId": "111122223333", "Instances": all(&instance) }] });
    let write = |file: &str, value: &Value| fs::write(folder.path().join(file), value.to_string()).unwrap();
    write("instances.json", &reservations);
    write("volumes.json", &json!({ "Volumes": all(&volume) }));
    write("snapshots.json", &json!({ "Snapshots": snapshots }));
    write("policies.json", policies);
    folder
}

fn of_folder(folder: &Path, more: &[&str]) -> Output {
    let policies = folder.join("policies.json");
    let args = ["--inventory", folder.to_str().unwrap(), "--policies", policies.to_str().unwrap(), "--json"];
    run(&[&args, more].concat())
}

fn policy(id: &str, expression: &str, retention: &Value) -> Value {
    json!({
        "id": id, "select": { "any": [{ "tag": { "Backup": ["nightly"] } }] },
        "schedule": { "expression": expression }, "retention": retention,
    })
}

/// A snapshot of stopgap's, as the CLI prints it.
fn snapshot(policy: &str, n: usize, time: &str) -> Value {
    let id = format!("{n}{}", time.bytes().filter(u8::is_ascii_digit).map(char::from).collect::<String>());
    let tag = |key: &str, value: &str| json!({ "Key": format!("stopgap:{key}"), "Value": value });
    json!({
        "SnapshotId": format!("snap-{id:0>17}"), "VolumeId": format!("vol-{n:017x}"), "VolumeSize": 100,
        "State": "completed", "OwnerId": "111122223333", "StartTime": time,
        "Tags": [tag("policy", policy), tag("instance", &format!("i-{n:017x}")),
            tag("occurrence", &format!("{policy}/{time}")), tag("volumes", "1")],
    })
}

#[test]
fn the_same_question_gives_the_same_bytes_and_the_same_page() {
    let pages = tempfile::tempdir().unwrap();
    let tell = |n: &str| {
        let page = pages.path().join(n);
        let output = of_fleet("40", &["--json", "--page", page.to_str().unwrap()]);
        (output.stdout, fs::read(page).unwrap())
    };
    let (first, second) = (tell("a.html"), tell("b.html"));
    assert!(first == second, "the two differ");
    assert!(first.0.len() > 10_000 && first.1.len() > 10_000);
}

#[test]
fn the_document_has_these_keys_and_is_sorted() {
    let told = document(&of_fleet("40", &["--json"]));
    let keys: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "from",
            "until",
            "days",
            "price_region",
            "prices_as_of",
            "prices",
            "cost_leaves_out",
            "assumptions",
            "engine",
            "totals",
            "months",
            "per_day",
            "policies",
            "instances",
            "nights",
            "deleted",
            "kept",
            "left_alone",
            "not_backed_up",
            "notes"
        ]
    );
    for (array, key) in
        [("policies", "id"), ("instances", "id"), ("nights", "at"), ("per_day", "from"), ("months", "month")]
    {
        let names: Vec<&str> = list(&told, array).iter().map(|item| item[key].as_str().unwrap()).collect();
        assert!(names.len() > 1 && names.is_sorted(), "{array}: {names:?}");
    }
    assert_eq!((told["from"].as_str(), told["until"].as_str()), (Some(FROM), Some("2027-01-10T00:00:00Z")));
    // The days add up to the totals.
    for (of_day, total) in
        [("runs", "runs"), ("sets_deleted", "sets_deleted"), ("state_transitions", "state_transitions")]
    {
        let sum: u64 = list(&told, "per_day").iter().map(|day| day[of_day].as_u64().unwrap()).sum();
        assert_eq!(told["totals"][total].as_u64(), Some(sum), "{total}");
    }
    let last = list(&told, "per_day").last().unwrap();
    assert_eq!(last["sets_kept"], told["totals"]["sets_kept"]);
    assert_eq!(list(&told, "per_day").len(), 40);
}

#[test]
fn the_sets_that_are_kept_are_those_that_retention_keeps() {
    let rules = json!({ "keep_last": 2, "keep_daily": 5, "keep_weekly": 3, "keep_monthly": 2 });
    let policies = policy("nightly", "cron(0 2 * * ? *)", &rules);
    let folder = folder(2, &policies, &[]);
    let told = document(&of_folder(folder.path(), &["--from", FROM, "--days", "75"]));
    let kept = list(&told, "kept");
    assert_eq!((kept.len(), list(&kept[0], "instances").len()), (1, 2), "both instances have the same sets");
    let kept: Vec<&str> = list(&kept[0], "times").iter().map(|time| time.as_str().unwrap()).collect();
    // The sets that the last night's retention saw: those that it kept, and those that it deleted.
    let last = list(&told, "per_day").last().unwrap()["from"].clone();
    let deleted = list(&told, "deleted").iter().filter(|deleted| deleted["day"] == last);
    let deleted: BTreeSet<&str> = deleted
        .map(|deleted| deleted["occurrence"].as_str().unwrap().strip_prefix("nightly/").unwrap())
        .collect();
    // Five days (two of them the last two), the newest of three weeks, and of two months: the 31st is a Sunday.
    let days = ["01-31", "02-07", "02-09", "02-10", "02-11", "02-12", "02-13"];
    assert_eq!(kept, days.map(|day| format!("2027-{day}T02:00:00Z")));
    assert_eq!(deleted, BTreeSet::from(["2027-02-08T02:00:00Z"]));
    let snapshots: Vec<Value> =
        kept.iter().chain(&deleted).map(|time| snapshot("nightly", 1, time)).collect();
    let file = folder.path().join("made.json");
    fs::write(&file, json!({ "Snapshots": snapshots }).to_string()).unwrap();
    let rules = folder.path().join("policies.json");
    let mut retention = stopgap();
    retention.arg("retention").arg("--policy").arg(rules).arg("--snapshots").arg(file);
    let answer = document(&retention.args(["--at", "2027-02-14T12:00:00Z", "--json"]).output().unwrap());
    let times =
        |key: &str| list(&answer, key).iter().map(|set| set["time"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(times("keep"), kept);
    assert_eq!(times("delete").into_iter().collect::<BTreeSet<_>>(), deleted);
}

#[test]
fn retention_begins_with_the_sets_of_the_inventory_and_deletes_no_more_than_a_run_may() {
    let times = ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"];
    let there: Vec<Value> =
        times.iter().map(|day| snapshot("nightly", 1, &format!("{day}T02:00:00Z"))).collect();
    let policies = policy("nightly", "cron(0 2 * * ? *)", &json!({ "keep_last": 2, "delete_at_most": 3 }));
    let folder = folder(1, &policies, &there);
    let told = document(&of_folder(folder.path(), &["--from", FROM, "--days", "2"]));
    let days: Vec<(&Value, &Value, &Value)> = list(&told, "per_day")
        .iter()
        .map(|day| (&day["sets_deleted"], &day["sets_deferred"], &day["sets_kept"]))
        .collect();
    // Six sets, of which four are to go, three at most; then four, of which two are.
    let expected = [(json!(3), json!(1), json!(3)), (json!(2), json!(0), json!(2))];
    let expected: Vec<_> = expected.iter().map(|(a, b, c)| (a, b, c)).collect();
    assert_eq!(days, expected);
    let first: Vec<&Value> =
        list(&told, "deleted").iter().map(|deleted| &deleted["occurrence"]).take(3).collect();
    assert_eq!(
        first,
        ["nightly/2026-11-21T02:00:00Z", "nightly/2026-11-22T02:00:00Z", "nightly/2026-11-23T02:00:00Z"]
    );
}

#[test]
fn an_occurrence_that_has_its_set_is_not_run_again() {
    let policies = policy("nightly", "cron(0 2 * * ? *)", &json!({ "keep_last": 2 }));
    let from = ["--from", "2026-12-01T02:30:00Z", "--days", "1"];
    let runs = |there: &[Value]| {
        let folder = folder(1, &policies, there);
        let told = document(&of_folder(folder.path(), &from));
        list(&told, "nights").iter().map(|night| night["at"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(runs(&[]), ["2026-12-01T02:30:00Z", "2026-12-02T02:00:00Z"], "still due within start_within");
    assert_eq!(runs(&[snapshot("nightly", 1, "2026-12-01T02:00:00Z")]), ["2026-12-02T02:00:00Z"]);
}

#[test]
fn sets_of_an_instance_that_is_gone_are_pruned_by_the_fleet_and_the_last_expire_if_the_policy_says_so() {
    let nights = ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"];
    let there: Vec<Value> =
        nights.iter().map(|day| snapshot("nightly", 9, &format!("{day}T02:00:00Z"))).collect();
    let told = |orphans: &Value| {
        let mut policy = policy("nightly", "cron(0 2 * * ? *)", &json!({ "keep_last": 2 }));
        policy["orphans"] = orphans.clone();
        let folder = folder(1, &policy, &there);
        document(&of_folder(folder.path(), &["--from", FROM, "--days", "30"]))
    };
    let kept = told(&json!("keep"));
    let line = &list(&kept, "left_alone")[0];
    assert_eq!(
        (&line["why"], &line["sets_deleted"], &line["sets"]),
        (&json!("the instance is gone"), &json!(2), &json!(2))
    );
    // Two sets a day apart of a volume of 100 GiB, of which 60 are data and 3 % of those change in a day.
    assert_eq!(line["stored_gib"], 61.8);
    let expired = told(&json!({ "expire_after": "20d" }));
    let line = &list(&expired, "left_alone")[0];
    assert_eq!(
        (&line["sets_deleted"], &line["sets"], &line["stored_gib"]),
        (&json!(4), &json!(0), &json!(0.0))
    );
    // The newest is of 02:00 on the 21st: older than 20 days at the occurrence of 12 December.
    let last = list(&expired, "deleted")
        .iter()
        .filter(|deleted| deleted["occurrence"] == "nightly/2026-11-21T02:00:00Z");
    let days: Vec<&Value> = last.map(|deleted| &deleted["day"]).collect();
    assert_eq!(days, ["2026-12-12T00:00:00Z"]);
}

#[test]
fn sets_of_a_policy_that_is_not_in_the_file_stay_and_are_told() {
    let policies = policy("nightly", "cron(0 2 * * ? *)", &json!({ "keep_last": 2 }));
    let folder = folder(1, &policies, &[snapshot("former", 1, "2026-11-21T02:00:00Z")]);
    let told = document(&of_folder(folder.path(), &["--from", FROM, "--days", "30"]));
    let line = &list(&told, "left_alone")[0];
    assert_eq!(
        (&line["policy"], &line["sets"], &line["stored_gib"]),
        (&json!("former"), &json!(1), &json!(60.0))
    );
}

#[test]
fn a_month_of_one_volume_costs_what_the_list_says() {
    let policies = policy("monthly", "cron(0 0 1 * ? *)", &json!({ "keep_last": 9 }));
    let folder = folder(1, &policies, &[]);
    let args = ["--from", FROM, "--days", "31", "--fill", "50", "--change-rate", "0"];
    let told = document(&of_folder(folder.path(), &args));
    let month = &list(&told, "months")[0];
    // 50 GiB for the 31 days of December: 50 × 0.05.
    assert_eq!(
        (&month["month"], &month["days"], &month["cost_usd"]["storage"]),
        (&json!("2026-12"), &json!(31), &json!(2.5))
    );
    // 31 × 96 ticks of three transitions, in each three looks of the rescuer with four, and one run: each thousand is 0.025.
    let transitions = told["totals"]["state_transitions"].as_u64().unwrap();
    let ticks = 31 * 96 * (3 + 3 * 4);
    assert!((ticks..ticks + 40).contains(&transitions), "{transitions}");
    let cost = told["totals"]["cost_usd"]["state_transitions"].as_f64().unwrap();
    assert!((cost - transitions as f64 * 0.025 / 1000.0).abs() < 1e-4, "{cost}");
}

#[test]
fn a_year_of_a_thousand_instances_is_told_from_a_few_runs() {
    let policies = json!([
        policy(
            "nightly",
            "cron(0 2 * * ? *)",
            &json!({ "keep_daily": 7, "keep_weekly": 4, "keep_monthly": 12 })
        ),
        policy("weekly", "cron(0 5 ? * SUN *)", &json!({ "keep_last": 4 })),
    ]);
    let folder = folder(1_000, &policies, &[]);
    let told = document(&of_folder(folder.path(), &["--from", FROM, "--days", "365"]));
    let totals = &told["totals"];
    // 365 nights, and 52 Sundays.
    assert_eq!(totals["runs"], 1_000 * (365 + 52));
    assert_eq!(totals["runs_completed"], totals["runs"]);
    assert_eq!(list(&told, "per_day").len(), 365);
    assert_eq!(list(&told, "instances").len(), 1_000);
    let night = &list(&told, "nights")[0];
    // A thousand in one Region are begun within twelve minutes.
    let up = night["all_up_at"].as_str().unwrap();
    assert!(("2026-12-01T02:11:00Z".."2026-12-01T02:14:00Z").contains(&up), "{up}");
    assert!(told["engine"]["runs_played"].as_u64().unwrap() < 10, "{}", told["engine"]);
}

#[test]
fn policies_that_select_nothing_are_disabled_or_do_not_occur_are_told_and_no_error() {
    let other = json!({ "any": [{ "name": "no-such" }] });
    let mut nothing = policy("nothing", "cron(0 2 * * ? *)", &json!({ "keep_last": 1 }));
    nothing["select"] = other;
    let mut disabled = policy("disabled", "cron(0 2 * * ? *)", &json!({ "keep_last": 1 }));
    disabled["enabled"] = json!(false);
    let later = policy("later", "at(2027-05-01T02:00:00)", &json!({ "keep_last": 1 }));
    let over = policy("over", "at(2020-05-01T02:00:00)", &json!({ "keep_last": 1 }));
    let folder = folder(1, &json!([nothing, disabled, later, over]), &[]);
    let told = document(&of_folder(folder.path(), &["--from", FROM, "--days", "7"]));
    assert_eq!(told["totals"]["runs"], 0);
    for note in [
        "policy nothing selects nothing",
        "policy disabled is disabled: nothing of it is due",
        "policy later does not occur before 2027-05-01T02:00:00Z",
        "policy over does not occur any more",
    ] {
        assert!(list(&told, "notes").iter().any(|told| told == note), "{note}: {}", told["notes"]);
    }
}

#[test]
fn bad_input_is_refused_with_what_would_be_right() {
    let (folder, policies) = (fleet(""), fleet("policies.json"));
    let good = ["--inventory", &folder, "--policies", &policies];
    for (args, says) in [
        (&["--days", "0"][..], "1..=3660"),
        (&["--days", "3661"], "1..=3660"),
        (&["--days", "many"], "--days"),
        (&[], "--days"),
        (&["--days", "1", "--from", "yesterday"], "RFC 3339"),
        (&["--days", "3660", "--from", "9999-01-01T00:00:00Z"], "the year 9999"),
        (&["--days", "1", "--change-rate", "101"], "from 0 to 100"),
        (&["--days", "1", "--fill", "much"], "from 0 to 100"),
        (&["--days", "1", "--stop-takes", "soon"], "`soon` is not a duration"),
        (&["--days", "1", "--snapshots-take", "25h"], "24h or less"),
    ] {
        let output = run(&[&good[..], args].concat());
        let stderr = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(says), "{args:?}: {stderr}");
    }
    let empty = tempfile::tempdir().unwrap();
    let output =
        run(&["--inventory", empty.path().to_str().unwrap(), "--policies", "no-such.json", "--days", "1"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    for says in ["instances.json", "aws ec2 describe-instances", "no-such.json"] {
        assert!(stderr.contains(says), "{stderr}");
    }
    let nowhere = of_fleet("1", &["--page", "/no/such/folder/page.html"]);
    assert_eq!(nowhere.status.code(), Some(1), "{}", text(&nowhere.stderr));
}

#[test]
fn an_incomplete_inventory_is_forecast_as_far_as_it_goes() {
    let policies = policy("nightly", "cron(0 2 * * ? *)", &json!({ "keep_last": 2 }));
    let folder = folder(3, &policies, &[]);
    fs::remove_file(folder.path().join("volumes.json")).unwrap();
    fs::remove_file(folder.path().join("snapshots.json")).unwrap();
    let told = |more: &[&str]| {
        document(&of_folder(folder.path(), &[&["--from", FROM, "--days", "2"], more].concat()))
    };
    let plain = told(&[]);
    assert_eq!((&plain["totals"]["runs"], &plain["totals"]["stored_gib"]), (&json!(6), &json!(0.0)));
    let note = "the size of 3 volumes is not known: each is taken for 0 GiB (--volume-size)";
    assert!(list(&plain, "notes").iter().any(|told| told == note), "{}", plain["notes"]);
    // Three volumes of 100 GiB, 60 % data, 3 % of which change from the first night to the second.
    assert_eq!(told(&["--volume-size", "100"])["totals"]["stored_gib"], 185.4);
}

/// The page for people as it stands in `golden/simulate.txt`; write it down with
/// `UPDATE=1 cargo test -p stopgap-tests --test simulate_command`.
#[test]
fn the_text_of_a_small_fleet_reads_like_this() {
    let output = of_fleet("30", &[]);
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/simulate.txt");
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, page).unwrap();
    }
    assert_eq!(page, fs::read_to_string(&file).unwrap());
    for line in page.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
}

#[test]
fn the_page_needs_nothing_else_and_takes_names_for_text() {
    let policies = policy("nightly", "cron(0 2 * * ? *)", &json!({ "keep_last": 2 }));
    let folder = folder(2, &policies, &[]);
    let file = folder.path().join("page.html");
    document(&of_folder(folder.path(), &["--from", FROM, "--days", "45", "--page", file.to_str().unwrap()]));
    let page = fs::read_to_string(file).unwrap();
    for asks in ["http", "src=", "href", "url(", "@import", "<script", "<link", "NaN", "inf"] {
        assert!(!page.contains(asks), "{asks}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("content=\"light dark\""));
    assert!(page.contains("&lt;b&gt;&amp;") && !page.contains("<b>"), "a name is not a tag");
    assert_eq!(page.matches("<svg").count(), 7);
    // Every element is closed where it should be.
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.split([' ', '/', '\n']).find(|part| !part.is_empty()).unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
