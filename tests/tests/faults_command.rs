//! `stopgap faults`, as a person calls it.

use assert_cmd::assert::OutputAssertExt;
use serde_json::Value;
use stopgap_tests::stopgap;

#[test]
fn it_prints_one_json_document_with_the_numbers() {
    let output = stopgap()
        .args(["faults", "--only", "StopInstance/StopInstances#1/", "--seeds", "2", "--json"])
        .output();
    let output = output.expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(summary["left_stopped_without_ticket"], 0);
    assert_eq!(summary["violations"], serde_json::json!([]));
    // Fourteen ways, and two seeds.
    assert_eq!(
        (&summary["singles"], &summary["seeds"], &summary["scenarios"]),
        (&14.into(), &2.into(), &16.into())
    );
}

#[test]
fn it_prints_the_matrix_as_a_table() {
    let shown = stopgap().args(["faults", "--only", "StopInstance/StopInstances#1/"]).assert().success();
    let text = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    assert!(text.lines().any(|line| line.contains("StopInstance") && line.contains("runs again")), "{text}");
    assert!(text.ends_with("14 scenarios (14 single): no promise was broken.\n"), "{text}");
}

#[test]
fn a_name_that_no_scenario_has_is_bad_input() {
    let shown = stopgap().args(["faults", "--only", "nonsense"]).assert().code(2);
    let text = String::from_utf8_lossy(&shown.get_output().stderr).into_owned();
    assert!(text.contains("no scenario's name contains `nonsense`"), "{text}");
}
