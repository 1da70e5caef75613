//! Machines after the examples of the language's specification and of AWS's developer guide.

use serde_json::json;

use crate::support::{Lab, fails, returns};

#[test]
fn hello_world() {
    let definition = json!({
        "Comment": "A single task", "StartAt": "Hello", "States": {
            "Hello": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:HelloWorld", "End": true}}});
    assert_eq!(
        Lab::new(&definition, &[("Hello", &[returns(json!("Hello, world!"))])]).run(json!({})).output(),
        json!("Hello, world!")
    );
}

#[test]
fn a_choice_between_private_and_public_starting_at_a_number() {
    let definition = json!({"StartAt": "Dispatch", "States": {
        "Dispatch": {"Type": "Choice", "Default": "Record", "Choices": [
            {"Not": {"Variable": "$.type", "StringEquals": "Private"}, "Next": "Public"},
            {"And": [{"Variable": "$.value", "IsPresent": true}, {"Variable": "$.value", "IsNumeric": true},
                     {"Variable": "$.value", "NumericGreaterThanEquals": 20}, {"Variable": "$.value", "NumericLessThan": 30}],
             "Next": "Twenties"}]},
        "Public": {"Type": "Pass", "Result": "public", "End": true},
        "Twenties": {"Type": "Pass", "Result": "twenties", "End": true},
        "Record": {"Type": "Pass", "Result": "record", "End": true}}});
    for (input, expected) in [
        (json!({"type": "Public"}), "public"),
        (json!({"type": "Private", "value": 22}), "twenties"),
        (json!({"type": "Private", "value": "22"}), "record"),
        (json!({"type": "Private"}), "record"),
    ] {
        assert_eq!(Lab::new(&definition, &[]).run(input).output(), json!(expected));
    }
}

#[test]
fn a_job_that_is_polled_until_it_is_done() {
    let job = |next| {
        json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "ResultPath": "$.status", "Next": next,
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2}]})
    };
    let definition = json!({"StartAt": "Submit", "States": {
        "Submit": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "ResultPath": "$.guid", "Next": "Pause"},
        "Pause": {"Type": "Wait", "SecondsPath": "$.pause", "Next": "Look"},
        "Look": job("Done?"),
        "Done?": {"Type": "Choice", "Default": "Pause", "Choices": [
            {"Variable": "$.status", "StringEquals": "FAILED", "Next": "Failed"},
            {"Variable": "$.status", "StringEquals": "SUCCEEDED", "Next": "Final"}]},
        "Failed": {"Type": "Fail", "Cause": "The job failed", "Error": "JobFailed"},
        "Final": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "InputPath": "$.guid", "End": true}}});
    let running = returns(json!("RUNNING"));
    let lab = |last| {
        Lab::new(
            &definition,
            &[
                ("Submit", &[returns(json!("job-1"))]),
                ("Look", &[running.clone(), fails("Lambda.Unknown", ""), running.clone(), last]),
            ],
        )
    };
    let outcome = lab(returns(json!("SUCCEEDED"))).run(json!({"pause": 60}));
    assert_eq!(outcome.output(), json!("job-1"));
    assert_eq!(outcome.seconds(), 181);
    assert_eq!(
        lab(returns(json!("FAILED"))).run(json!({"pause": 60})).error(),
        ("JobFailed", "The job failed")
    );
}

#[test]
fn address_and_phone_are_looked_up_side_by_side() {
    let look = |name: &str| {
        json!({"StartAt": name, "States": {name: {"Type": "Task",
        "Resource": format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"), "End": true}}})
    };
    let definition = json!({"StartAt": "Lookup", "States": {
        "Lookup": {"Type": "Parallel", "Branches": [look("Address"), look("Phone")], "End": true}}});
    let answers: [(&str, &[_]); 2] =
        [("Address", &[returns(json!({"city": "here"}))]), ("Phone", &[returns(json!("555"))])];
    assert_eq!(
        Lab::new(&definition, &answers).run(json!({"id": 3})).output(),
        json!([{"city": "here"}, "555"])
    );
}

#[test]
fn shipped_items_are_validated_one_by_one() {
    let definition = json!({"StartAt": "Validate All", "States": {"Validate All": {
        "Type": "Map", "InputPath": "$.detail", "ItemsPath": "$.shipped", "MaxConcurrency": 0, "ResultPath": "$.detail.shipped",
        "ItemSelector": {"parcel.$": "$$.Map.Item.Value", "courier.$": "$.delivery-partner"},
        "ItemProcessor": {"StartAt": "Validate", "States": {"Validate": {"Type": "Pass", "End": true}}}, "End": true}}});
    let input = json!({"ship-date": "2016-03-14", "detail": {"delivery-partner": "UQS", "shipped": [{"prod": "R31"}, {"prod": "S39"}]}});
    assert_eq!(
        Lab::new(&definition, &[]).run(input).output(),
        json!({"ship-date": "2016-03-14", "detail": {"delivery-partner": "UQS", "shipped": [
            {"parcel": {"prod": "R31"}, "courier": "UQS"}, {"parcel": {"prod": "S39"}, "courier": "UQS"}]}})
    );
}
