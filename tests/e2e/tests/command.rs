//! `stopgap` with credentials, as a person at a shell meets it: the built program against moto, by `--endpoint-url`.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::{Value, json};
use stopgap_e2e::cloud::REGION;
use stopgap_e2e::functions;
use stopgap_e2e::platform::Platform;
use stopgap_e2e::scene::Scene;

fn stopgap() -> &'static Platform {
    stopgap_e2e::shared::platform("command")
}

/// The command, built beside this package.
fn program() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| functions::programs(&["stopgap"]).expect("it builds").join("stopgap"))
}

/// Runs `stopgap` with `args` in an environment that has credentials, and nothing else of AWS.
fn run(args: &[&str]) -> Output {
    let mut command = Command::new(program());
    for name in ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "STOPGAP_NAME"] {
        command.env_remove(name);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/nowhere");
    command.env("AWS_ACCESS_KEY_ID", "PERSON").env("AWS_SECRET_ACCESS_KEY", "none");
    command.args(args).args(["--endpoint-url", &stopgap().cloud.endpoint]);
    command.output().expect("stopgap runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// Runs it at home, sees it go well, and reads the one document on stdout.
#[track_caller]
fn told(args: &[&str]) -> Value {
    let output = run(&[args, &["--region", REGION, "--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

/// Runs it, and sees it fail with one line that says `says`.
#[track_caller]
fn fails(args: &[&str], says: &str) {
    let output = run(args);
    let stderr = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("error: ") && stderr.contains(says), "{says}: {stderr}");
}

#[tokio::test]
async fn a_person_backs_up_an_instance_and_sees_it_done() {
    let scene = Scene::new(stopgap(), "in-person", json!({})).await;
    let id = scene.instance().await;

    let foreseen = told(&["run", &id, "--dry-run"]);
    let notes = foreseen["runs"][0]["notes"].to_string();
    assert!(notes.contains("stop it, snapshot") && notes.contains("start it"), "{notes}");
    assert!(scene.snapshots(&id).await.is_empty());

    let done = told(&["run", &id, "--follow"]);
    assert_eq!(done["started"][0]["status"], "succeeded", "{done:#}");
    assert_eq!(scene.snapshots(&id).await.len(), 3);
    assert_eq!(scene.state(&id).await, "running");

    let standing = told(&["status", "--instance", &id]);
    let row = &standing["backups"][0];
    assert_eq!(row["policy"], "in-person");
    assert_eq!(row["newest"]["occurrence"], done["started"][0]["occurrence"]);
    assert_eq!(
        (&row["tickets"], &row["run"], &row["restart_owed"]),
        (&json!([]), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn all_that_a_policy_selects_is_backed_up_by_hand() {
    let scene = Scene::new(stopgap(), "wholesale", json!({})).await;
    let ids = [scene.instance().await, scene.instance().await];
    let done = told(&["run", "--policy", "wholesale", "--follow"]);
    assert_eq!(done["started"].as_array().map(Vec::len), Some(2), "{done:#}");
    for id in ids {
        assert_eq!(scene.snapshots(&id).await.len(), 3);
        assert_eq!(scene.state(&id).await, "running");
    }
}

#[tokio::test]
async fn a_run_that_fails_is_followed_to_exit_status_1_and_one_that_is_refused_is_a_ticket_and_no_failure() {
    let scene = Scene::new(stopgap(), "stubborn", json!({})).await;
    let id = scene.instance().await;
    scene.protect_from_stop(&id, true).await;
    told(&["run", &id, "--follow"]);
    let tickets = told(&["status", "--policy", "stubborn"])["backups"][0]["tickets"].clone();
    assert_eq!(tickets[0]["kind"], "backup-refused", "{tickets:#}");

    scene.terminate(&id).await;
    let output = run(&["run", &id, "--policy", "stubborn", "--follow", "--json", "--region", REGION]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.lines().any(|line| line.starts_with(&format!("error: {id} failed in "))), "{stderr}");
    let done: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(done["started"][0]["status"], "failed");
    let failed =
        |ticket: &&Value| ticket["matter"]["kind"] == "backup-failed" && ticket.to_string().contains(&id);
    assert_eq!(scene.records("tickets").await.values().filter(failed).count(), 1);
}

#[tokio::test]
async fn policies_are_put_and_changed_and_no_update_is_lost() {
    let scene = Scene::new(stopgap(), "written", json!({})).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.json");
    let path = file.to_str().expect("a path");
    let put = |document: &Value, more: &[&str]| {
        std::fs::write(&file, document.to_string()).expect("the file is written");
        run(&[&["policy", "put", path, "--region", REGION], more].concat())
    };

    let read = told(&["policy", "get", "written"]);
    assert_eq!(read["revision"], 1);
    let mut changed = read.clone();
    changed["document"]["enabled"] = json!(false);
    let output = put(&changed, &[]);
    let says = text(&output.stdout);
    assert_eq!((output.status.code(), says), (Some(0), "written: changed in enabled (revision 2)\n"));
    let output = put(&read, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("revision 2 is stored, and 1 was read"),
        "{}",
        text(&output.stderr)
    );

    let all = told(&["policy", "list"]);
    let mine = all.as_array().into_iter().flatten().find(|policy| policy["id"] == "written");
    assert_eq!(
        mine.map(|policy| (&policy["enabled"], &policy["revision"])),
        Some((&json!(false), &json!(2)))
    );
    assert_eq!(told(&["policy", "delete", "written"])["deleted"], true);
    assert!(scene.records("policies").await.keys().all(|id| id != "written"));
}

#[tokio::test]
async fn a_draft_is_checked_against_what_there_is() {
    let scene = Scene::new(stopgap(), "beside", json!({})).await;
    let id = scene.instance().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("draft.json");
    let draft = json!({
        "id": "draft", "select": { "any": [{ "instance": id }] },
        "schedule": { "expression": "rate(1 hour)" }, "retention": { "keep_last": 1 },
    });
    std::fs::write(&file, draft.to_string()).expect("the file is written");
    let checked = told(&["policy", "check", file.to_str().expect("a path"), "--live"]);
    assert_eq!(checked["due"][0]["instance_id"], json!(id), "{checked:#}");
    assert_eq!(checked["overlaps"][0]["policies"], json!(["beside", "draft"]));
    let planned = told(&["plan"]);
    assert!(planned["due"].as_array().is_some_and(|due| due.iter().all(|due| due["policy"] != "draft")));
}

#[test]
fn where_and_as_whom_is_said_when_it_is_wrong() {
    fails(&["status"], "no Region is set: give --region");
    // A profile that is named comes before what the environment has.
    fails(&["status", "--region", REGION, "--profile", "nobody"], "there is no profile `nobody`");
    fails(&["status", "--region", REGION, "--name", "elsewhere"], "there is no table `elsewhere`");
    fails(&["policy", "get", "nothing", "--region", REGION], "there is no policy `nothing`");
}
