//! `stopgap policy export dlm`: what Data Lifecycle Manager can do is written for it, and of the rest it is said why it cannot.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::process::Output;

use serde_json::{Value, json};
use stopgap_tests::stopgap;

fn policy(id: &str, more: Value) -> Value {
    let mut policy = json!({
        "id": id, "select": { "any": [{ "tag": { "Backup": [id] } }] }, "schedule": { "expression": "rate(12 hours)" },
        "consistency": "crash", "retention": { "keep_last": 7 },
    });
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    policy
}

fn export(policies: &[Value], more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policies.json");
    std::fs::write(&file, Value::from(policies).to_string()).unwrap();
    stopgap().args(["policy", "export", "dlm"]).arg(&file).args(more).output().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<&str> {
    std::str::from_utf8(bytes).unwrap().lines().collect()
}

fn three() -> [Value; 3] {
    [
        policy("web", json!({})),
        policy("db", json!({ "consistency": "stop" })),
        policy("app", json!({ "enabled": false })),
    ]
}

#[test]
fn one_document_a_policy_that_the_aws_cli_takes_and_a_failure_for_those_that_have_none() {
    let output = export(&three(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let documents: Vec<Value> =
        serde_json::Deserializer::from_slice(&output.stdout).into_iter().collect::<Result<_, _>>().unwrap();
    let states: Vec<(&Value, &Value)> =
        documents.iter().map(|input| (&input["Description"], &input["State"])).collect();
    assert_eq!(
        states,
        [
            (&json!("stopgap policy app"), &json!("DISABLED")),
            (&json!("stopgap policy web"), &json!("ENABLED"))
        ]
    );
    let said = lines(&output.stderr);
    assert!(said.iter().any(|line| line.starts_with("note: web: schedule.start_within: ")), "{said:?}");
    let errors: Vec<&&str> = said.iter().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("error: db: consistency: DLM stops no instance"), "{errors:?}");
}

#[test]
fn one_policy_of_a_file_is_one_document() {
    let role = "arn:aws:iam::111122223333:role/service-role/AWSDataLifecycleManagerDefaultRole";
    let output = export(&three(), &["--policy", "web", "--execution-role", role]);
    assert_eq!(output.status.code(), Some(0));
    let input: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(input["ExecutionRoleArn"], role);
    let create = json!({ "Interval": 12, "IntervalUnit": "HOURS", "Times": ["00:00"] });
    assert_eq!(input["PolicyDetails"]["Schedules"][0]["CreateRule"], create);
}

#[test]
fn with_json_all_of_it_is_one_document() {
    let output = export(&three(), &["--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids = |list: &str| -> Vec<String> {
        answer[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["policy"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (ids("exported"), ids("not_exported")),
        (vec!["app".to_owned(), "web".to_owned()], vec!["db".to_owned()])
    );
    assert_eq!(answer["not_exported"][0]["reasons"][0]["part"], "consistency");
    assert!(answer["exported"][0]["input"]["PolicyDetails"].is_object());
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_no_policy_is_bad_input() {
    for (policies, more, why) in [
        (&[json!({})][..], &[][..], "`id` is missing"),
        (&three(), &["--policy", "none"], "there is no policy `none` in it"),
        (&three(), &["--execution-role", "dlm"], "--execution-role: `dlm` is no role"),
    ] {
        let output = export(policies, more);
        assert_eq!((output.status.code(), lines(&output.stdout)), (Some(2), vec![]));
        let said = lines(&output.stderr).join("; ");
        assert!(said.contains(why), "{said}");
    }
}
