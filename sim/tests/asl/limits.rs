//! AWS's quotas.

use serde_json::{Value, json};

use crate::support::{Lab, only, returns, run};

#[test]
fn a_task_result_over_256_kib_is_a_data_limit_exceeded() {
    let definition = |catch: &str| {
        json!({"StartAt": "It", "States": {
            "It": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
                   "Catch": [{"ErrorEquals": [catch], "Next": "Caught"}]},
            "Caught": {"Type": "Pass", "End": true}}})
    };
    let long = returns(json!("x".repeat(262_144)));
    let outcome = Lab::new(&definition("States.ALL"), &[("It", std::slice::from_ref(&long))]).run(json!({}));
    assert_eq!(
        outcome.error(),
        (
            "States.DataLimitExceeded",
            "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit."
        )
    );
    assert!(outcome.types().contains(&"TaskFailed"));
    let outcome = Lab::new(&definition("States.DataLimitExceeded"), &[("It", &[long])]).run(json!({}));
    assert_eq!(outcome.output()["Error"], json!("States.DataLimitExceeded"));
    let fits = returns(json!("x".repeat(262_142)));
    assert!(Lab::new(&definition("States.ALL"), &[("It", &[fits])]).run(json!({})).output().is_string());
}

#[test]
fn the_limit_is_in_bytes_of_utf_8_and_holds_for_the_output_of_any_state() {
    let double = json!({"Type": "Pass", "Parameters": {"a.$": "$.t", "b.$": "$.t"}});
    assert_eq!(
        run(&only(double.clone()), json!({"t": "é".repeat(70_000)})).error().0,
        "States.DataLimitExceeded"
    );
    assert!(run(&only(double), json!({"t": "e".repeat(70_000)})).output().is_object());
}

#[test]
fn a_history_of_25000_events_ends_the_execution() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "End"}], "Default": "A"},
        "End": {"Type": "Succeed"}}});
    let lab = Lab::new(&definition, &[]);
    let outcome = lab.run(json!({}));
    assert!(lab.sfn.redrive_execution(&outcome.execution.arn).is_err());
    assert_eq!(
        outcome.error(),
        ("States.Runtime", "The execution reached the maximum number of history events (25000).")
    );
    assert_eq!(outcome.events.len(), 25_000);
    assert_eq!(outcome.types().last(), Some(&"ExecutionFailed"));
}

#[test]
fn data_that_nests_without_end_is_refused_before_it_breaks_anything() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Parameters": {"a.$": "$"}, "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "End"}], "Default": "A"},
        "End": {"Type": "Succeed"}}});
    let outcome = run(&definition, json!({}));
    assert_eq!(outcome.error().0, "States.Runtime");
    assert!(outcome.error().1.contains("nested"), "{}", outcome.error().1);
}

#[test]
fn many_items_and_long_texts_take_no_time_to_speak_of() {
    let map = json!({"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}});
    let items: Vec<Value> = (0..5000).map(Value::from).collect();
    assert_eq!(run(&only(map), Value::Array(items)).output().as_array().unwrap().len(), 5000);
}
