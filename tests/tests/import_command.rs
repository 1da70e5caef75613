//! `stopgap policy import ebs-snapper`: its configuration becomes a policy file, and nothing of it is lost in silence.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::process::Output;

use assert_cmd::Command;
use serde_json::{Value, json};
use stopgap_tests::stopgap;

/// Runs `stopgap policy` with `input` on stdin.
fn policy(args: &[&str], input: &str) -> Output {
    Command::from_std(stopgap()).arg("policy").args(args).write_stdin(input).output().unwrap()
}

fn import(input: &str, more: &[&str]) -> Output {
    policy(&[&["import", "ebs-snapper", "-"], more].concat(), input)
}

/// What `aws dynamodb scan` prints of a table with these stanzas.
fn scan(stanzas: &[(&str, Value)]) -> String {
    let item = |(id, stanza): &(&str, Value)| json!({ "aws_account_id": { "S": "111122223333" }, "id": { "S": id }, "configuration": { "S": stanza.to_string() } });
    let items: Vec<Value> = stanzas.iter().map(item).collect();
    json!({ "Items": items, "Count": items.len(), "ScannedCount": items.len(), "ConsumedCapacity": null })
        .to_string()
}

fn every_twelve_hours(more: Value) -> Value {
    let mut stanza = json!({
        "match": { "tag:backup": "yes" },
        "snapshot": { "retention": "4 days", "minimum": 5, "frequency": "12 hours" },
    });
    stanza.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stanza
}

fn lines(bytes: &[u8]) -> Vec<&str> {
    std::str::from_utf8(bytes).unwrap().lines().collect()
}

#[test]
fn what_is_printed_is_a_policy_file_and_what_is_lost_is_said_beside_it() {
    let table = scan(&[
        ("twice a day", every_twelve_hours(json!({ "replication": "yes" }))),
        (
            "weekly",
            every_twelve_hours(
                json!({ "snapshot": { "retention": "8 weeks", "minimum": 2, "frequency": "0 5 * * 0" } }),
            ),
        ),
    ]);
    let output = import(&table, &["--adopt", "--regions", "eu-west-1,us-east-1"]);
    assert_eq!(output.status.code(), Some(0));
    let checked = policy(&["check", "-"], std::str::from_utf8(&output.stdout).unwrap());
    assert_eq!(lines(&checked.stdout), ["ok: twice-a-day, weekly"]);
    let said = lines(&output.stderr);
    assert!(said.iter().all(|line| line.starts_with("note: ") || line.starts_with("lost: ")), "{said:?}");
    assert_eq!(
        said.iter().filter(|line| line.starts_with("lost: twice a day: replication: ")).count(),
        1,
        "{said:?}"
    );
}

#[test]
fn with_json_policies_and_notes_are_one_document() {
    let output = import(&scan(&[("a", every_twelve_hours(json!({ "replication": "yes" })))]), &["--json"]);
    assert_eq!((output.status.code(), lines(&output.stderr)), (Some(0), vec![]));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["policies"][0]["schedule"]["expression"], "rate(12 hours)");
    let lost: Vec<&Value> =
        answer["notes"].as_array().unwrap().iter().filter(|note| note["kind"] == "lost").collect();
    assert_eq!(lost.len(), 1);
    assert_eq!((&lost[0]["stanza"], &lost[0]["part"]), (&json!("a"), &json!("replication")));
}

#[test]
fn a_stanza_that_has_no_policy_is_a_failure_and_the_others_are_imported_all_the_same() {
    let both_days = json!({ "snapshot": { "retention": "8 weeks", "minimum": 2, "frequency": "0 5 1 * 0" } });
    let table = scan(&[("fine", every_twelve_hours(json!({}))), ("odd", every_twelve_hours(both_days))]);
    let output = import(&table, &[]);
    assert_eq!(output.status.code(), Some(1));
    let policies: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((policies.as_array().unwrap().len(), &policies[0]["id"]), (1, &json!("fine")));
    let errors: Vec<&str> =
        lines(&output.stderr).into_iter().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("error: no policy for odd: snapshot.frequency: `0 5 1 * 0` names days"),
        "{errors:?}"
    );
}

#[test]
fn what_is_no_configuration_is_bad_input_and_nothing_is_printed() {
    for (input, more, why) in [
        ("[1]", &[][..], "stdin: [0] is not a stanza"),
        ("{\"Items\": [], \"NextToken\": \"x\"}", &[], "only a part of the table"),
        ("[]", &["--regions", "nowhere"], "--regions: "),
    ] {
        let output = import(input, more);
        assert_eq!((output.status.code(), lines(&output.stdout)), (Some(2), vec![]), "{input}");
        assert!(lines(&output.stderr)[0].contains(why), "{:?}", lines(&output.stderr));
    }
}
