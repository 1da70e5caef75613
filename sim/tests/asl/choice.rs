//! Choice: every operator, and what happens when none fits.

use serde_json::{Value, json};

use crate::support::{Outcome, run};

fn choose(rule: Value, input: Value) -> Outcome {
    let mut rule = rule;
    rule["Next"] = json!("Yes");
    run(
        &json!({"StartAt": "It", "States": {
            "It": {"Type": "Choice", "Choices": [rule], "Default": "No"},
            "Yes": {"Type": "Pass", "Result": true, "End": true},
            "No": {"Type": "Pass", "Result": false, "End": true}}}),
        input,
    )
}

#[track_caller]
fn check(operator: &str, operand: Value, cases: &[(Value, bool)]) {
    for (value, expected) in cases {
        let outcome =
            choose(json!({"Variable": "$.v", operator: operand}), json!({"v": value, "w": operand}));
        assert_eq!(outcome.output(), json!(expected), "{operator} {operand} on {value}");
        if !operator.starts_with("Is") && operator != "StringMatches" {
            let with_path = format!("{operator}Path");
            let outcome =
                choose(json!({"Variable": "$.v", with_path: "$.w"}), json!({"v": value, "w": operand}));
            assert_eq!(outcome.output(), json!(expected), "{operator}Path {operand} on {value}");
        }
    }
}

#[test]
fn strings_compare_by_code_unit_and_only_with_strings() {
    check(
        "StringEquals",
        json!("b"),
        &[(json!("b"), true), (json!("B"), false), (json!(1), false), (json!(null), false)],
    );
    check("StringLessThan", json!("b"), &[(json!("a"), true), (json!("b"), false), (json!("B"), true)]);
    check("StringLessThanEquals", json!("b"), &[(json!("b"), true), (json!("c"), false)]);
    check("StringGreaterThan", json!("b"), &[(json!("c"), true), (json!("b"), false), (json!(9), false)]);
    check("StringGreaterThanEquals", json!("b"), &[(json!("b"), true), (json!("a"), false)]);
}

#[test]
fn numbers_compare_by_value_and_only_with_numbers() {
    check(
        "NumericEquals",
        json!(1),
        &[(json!(1), true), (json!(1.0), true), (json!("1"), false), (json!(true), false)],
    );
    check("NumericLessThan", json!(20), &[(json!(19.5), true), (json!(20), false), (json!(-1), true)]);
    check("NumericLessThanEquals", json!(20), &[(json!(20), true), (json!(20.5), false)]);
    check("NumericGreaterThan", json!(20), &[(json!(21), true), (json!(20), false)]);
    check("NumericGreaterThanEquals", json!(20), &[(json!(20), true), (json!(19), false)]);
    check("NumericEquals", json!(9_007_199_254_740_993_i64), &[(json!(9_007_199_254_740_992_i64), false)]);
}

#[test]
fn booleans_compare_for_equality() {
    check(
        "BooleanEquals",
        json!(true),
        &[(json!(true), true), (json!(false), false), (json!("true"), false)],
    );
}

#[test]
fn timestamps_compare_across_offsets() {
    let at = json!("2016-03-14T01:59:00Z");
    check(
        "TimestampEquals",
        at.clone(),
        &[
            (json!("2016-03-14T02:59:00+01:00"), true),
            (json!("2016-03-14T01:59:00.5Z"), false),
            (json!("today"), false),
        ],
    );
    check("TimestampLessThan", at.clone(), &[(json!("2016-03-14T01:58:59Z"), true), (at.clone(), false)]);
    check(
        "TimestampLessThanEquals",
        at.clone(),
        &[(at.clone(), true), (json!("2016-03-14T01:59:01Z"), false)],
    );
    check("TimestampGreaterThan", at.clone(), &[(json!("2016-03-14T01:59:01Z"), true), (at.clone(), false)]);
    check("TimestampGreaterThanEquals", at.clone(), &[(at.clone(), true), (json!("2016-03-14"), false)]);
}

#[test]
fn string_matches_takes_stars_and_escapes() {
    check(
        "StringMatches",
        json!("log-*.txt"),
        &[
            (json!("log-2020.txt"), true),
            (json!("log-.txt"), true),
            (json!("log.txt"), false),
            (json!(1), false),
        ],
    );
    check("StringMatches", json!("*a*b*"), &[(json!("xxaxxbxx"), true), (json!("ba"), false)]);
    check("StringMatches", json!(r"a\*b"), &[(json!("a*b"), true), (json!("axb"), false)]);
    check("StringMatches", json!(r"a\\*"), &[(json!(r"a\x"), true), (json!("ax"), false)]);
    check("StringMatches", json!(""), &[(json!(""), true), (json!("x"), false)]);
    check("StringMatches", json!("*".repeat(50) + "b"), &[(json!("a".repeat(5000)), false)]);
}

#[test]
fn the_is_operators_ask_for_the_type() {
    check("IsNull", json!(true), &[(json!(null), true), (json!(0), false)]);
    check("IsString", json!(true), &[(json!("x"), true), (json!(1), false)]);
    check("IsNumeric", json!(true), &[(json!(1.5), true), (json!("1"), false)]);
    check("IsBoolean", json!(true), &[(json!(false), true), (json!("false"), false)]);
    check(
        "IsTimestamp",
        json!(true),
        &[
            (json!("2016-03-14T01:59:00Z"), true),
            (json!("2016-03-14t01:59:00z"), false),
            (json!("2016-03-14 01:59:00Z"), false),
            (json!(5), false),
        ],
    );
    check("IsPresent", json!(true), &[(json!(null), true)]);
    check("IsNull", json!(false), &[(json!(null), false), (json!(0), true)]);
}

#[test]
fn is_present_is_the_only_operator_that_takes_a_missing_variable() {
    assert_eq!(choose(json!({"Variable": "$.x", "IsPresent": false}), json!({})).output(), json!(true));
    assert_eq!(choose(json!({"Variable": "$.x.y.z", "IsPresent": true}), json!({})).output(), json!(false));
    for operator in ["IsNull", "IsString"] {
        let outcome = choose(json!({"Variable": "$.x", operator: true}), json!({}));
        assert_eq!(
            outcome.error(),
            (
                "States.Runtime",
                "An error occurred while executing the state 'It' (entered at the event id #2). Invalid path '$.x': The \
                 choice state's condition path references an invalid value."
            )
        );
    }
    let outcome = choose(json!({"Variable": "$.v", "StringEqualsPath": "$.x"}), json!({"v": "a"}));
    assert!(outcome.error().1.contains("Invalid path '$.x'"));
}

#[test]
fn rules_combine_and_stop_as_soon_as_they_know() {
    let both = json!({"And": [{"Variable": "$.v", "IsPresent": true}, {"Variable": "$.v", "NumericGreaterThan": 1}]});
    assert_eq!(choose(both.clone(), json!({"v": 2})).output(), json!(true));
    assert_eq!(choose(both, json!({})).output(), json!(false));
    let either =
        json!({"Or": [{"Variable": "$.v", "IsPresent": false}, {"Variable": "$.v", "NumericEquals": 3}]});
    assert_eq!(choose(either.clone(), json!({})).output(), json!(true));
    assert_eq!(choose(either, json!({"v": 4})).output(), json!(false));
    let not = json!({"Not": {"Or": [{"Variable": "$.v", "StringEquals": "a"}, {"Variable": "$.v", "StringEquals": "b"}]}});
    assert_eq!(choose(not.clone(), json!({"v": "c"})).output(), json!(true));
    assert_eq!(choose(not, json!({"v": "b"})).output(), json!(false));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let outcome = run(
        &json!({"StartAt": "It", "States": {
            "It": {"Type": "Choice", "Choices": [
                {"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Big"},
                {"Variable": "$.n", "NumericGreaterThan": 1, "Next": "Small"}]},
            "Big": {"Type": "Pass", "Result": "big", "End": true},
            "Small": {"Type": "Pass", "Result": "small", "End": true}}}),
        json!({"n": 9}),
    );
    assert_eq!(outcome.output(), json!("big"));
    assert_eq!(
        outcome.types(),
        [
            "ExecutionStarted",
            "ChoiceStateEntered",
            "ChoiceStateExited",
            "PassStateEntered",
            "PassStateExited",
            "ExecutionSucceeded"
        ]
    );
}

#[test]
fn without_a_match_or_a_default_the_execution_fails() {
    let outcome = run(
        &json!({"StartAt": "It", "States": {
            "It": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "End"}]},
            "End": {"Type": "Succeed"}}}),
        json!({"n": 2}),
    );
    assert_eq!(
        outcome.error(),
        (
            "States.NoChoiceMatched",
            "An error occurred while executing the state 'It' (entered at the event id #2). Failed to transition out of \
             the state. The state does not point to a next state."
        )
    );
    assert_eq!(outcome.types(), ["ExecutionStarted", "ChoiceStateEntered", "ExecutionFailed"]);
}

#[test]
fn selects_its_input_and_output() {
    let outcome = run(
        &json!({"StartAt": "It", "States": {
            "It": {"Type": "Choice", "InputPath": "$.in", "OutputPath": "$.deep",
                   "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "End"}]},
            "End": {"Type": "Succeed"}}}),
        json!({"in": {"n": 1, "deep": "x"}}),
    );
    assert_eq!(outcome.output(), json!("x"));
}
