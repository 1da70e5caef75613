//! Broken definitions: each fault is named with its place.

use serde_json::{Value, json};
use stopgap_sim::asl::StateMachine;

use crate::support::parse;

fn errors(definition: &Value) -> Vec<String> {
    match StateMachine::parse(&definition.to_string()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// Asserts that `state` has exactly one fault, at `path` with `message` in it.
#[track_caller]
fn fault(state: Value, path: &str, message: &str) {
    let found = errors(&json!({"StartAt": "It", "States": {"It": state}}));
    assert!(
        found.len() == 1 && found[0].starts_with(&format!("States.It{path}: ")) && found[0].contains(message),
        "{found:#?}"
    );
}

fn task(fields: Value) -> Value {
    with(json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}), fields)
}

fn with(mut state: Value, fields: Value) -> Value {
    for (key, value) in fields.as_object().unwrap() {
        state[key] = value.clone();
    }
    state
}

#[test]
fn the_whole_has_to_be_json_with_a_start_and_states() {
    assert!(
        StateMachine::parse("{").unwrap_err()[0]
            .to_string()
            .starts_with("the definition is not valid JSON: ")
    );
    assert!(StateMachine::parse("").is_err());
    assert_eq!(errors(&json!([])), ["the definition has to be an object, not an array"]);
    let found = errors(&json!({}));
    assert_eq!(found, ["StartAt: is missing", "States: is missing"]);
    assert_eq!(errors(&json!({"StartAt": "A", "States": {}})), ["States: has to have at least one state"]);
    let found = errors(&json!({"StartAt": "Nope", "States": {"A": {"Type": "Succeed"}}}));
    assert_eq!(found, ["StartAt: names \"Nope\", which is not a state here; the states are A"]);
    let found = errors(
        &json!({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "Version": "2", "TimeoutSecond": 1, "TimeoutSeconds": 0}),
    );
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn a_key_given_twice_is_an_error() {
    let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true, "Result": {"x": 1, "x": 2}}, "A": {"Type": "Succeed"}}}"#;
    let found: Vec<String> = StateMachine::parse(text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "States.A.Result.x: is given twice; keep one of the two",
            "States.A: is given twice; keep one of the two"
        ]
    );
}

#[test]
fn json_that_nests_too_deeply_is_refused() {
    let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(StateMachine::parse(&text).unwrap_err()[0].to_string().contains("recursion limit"));
}

#[test]
fn every_fault_is_reported_not_just_the_first() {
    let found = errors(&json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "Nope", "Bogus": 1},
        "B": {"Type": "Wait", "End": true},
        "C": {"Type": "Nothing"}}}));
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn states_lead_to_one_another_and_to_an_end() {
    let round = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B", "End": false}, "B": {"Type": "Pass", "Next": "A"}}});
    let machine = StateMachine::parse(&round.to_string()).unwrap();
    assert_eq!(
        machine.warnings()[0].to_string(),
        "States: has no state that ends it: a Succeed, a Fail, or one with \"End\": true"
    );
    let found =
        errors(&json!({"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}}));
    assert_eq!(found, ["States.B: cannot be reached: no transition leads to it from StartAt"]);
    fault(json!({"Type": "Pass", "Next": "B"}), ".Next", "leads to \"B\", which is not a state here");
    fault(json!({"Type": "Pass"}), "", "has neither Next nor End");
    fault(json!({"Type": "Pass", "End": false}), ".End", "is false and there is no Next");
    fault(json!({"Type": "Pass", "End": true, "Next": "It"}), ".End", "exclude each other");
    fault(
        task(json!({"Catch": [{"ErrorEquals": ["E"], "Next": "B"}]})),
        ".Catch[0].Next",
        "not a state here",
    );
    fault(json!({"Type": "Succeed", "End": true}), ".End", "ends by itself");
    fault(
        json!({"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": true, "Next": "It"}], "Default": "X"}),
        ".Default",
        "not a state here",
    );
}

#[test]
fn names_are_short_and_unique() {
    let long = "x".repeat(81);
    let found = errors(&json!({"StartAt": long, "States": {&long: {"Type": "Succeed"}}}));
    assert!(found.len() == 1 && found[0].contains("81 characters"), "{found:?}");
    let branch = json!({"StartAt": "It", "States": {"It": {"Type": "Succeed"}}});
    fault(
        json!({"Type": "Parallel", "Branches": [branch], "End": true}),
        ".Branches[0].States.It",
        "names are unique",
    );
}

#[test]
fn fields_belong_to_their_type() {
    fault(
        json!({"Type": "Pass", "End": true, "Resource": "x"}),
        ".Resource",
        "is not a field of a Pass state; the fields are Comment, End,",
    );
    fault(json!({"Type": "Succeed", "ResultPath": "$"}), ".ResultPath", "is not a field of a Succeed state");
    fault(
        json!({"Type": "Wait", "Seconds": 1, "End": true, "Retry": []}),
        ".Retry",
        "is not a field of a Wait state",
    );
    fault(json!({"Type": "Fail", "OutputPath": "$"}), ".OutputPath", "is not a field of a Fail state");
    let choice = json!({"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": true, "Next": "Done"}], "End": true});
    let found = errors(&json!({"StartAt": "It", "States": {"It": choice, "Done": {"Type": "Succeed"}}}));
    assert_eq!(
        found,
        ["States.It.End: is not a field of a Choice state: it leads on by its Choices and its Default"]
    );
    fault(json!({"Type": "Bogus"}), ".Type", "the types are Task, Choice");
    fault(json!({}), ".Type", "is missing");
    fault(json!([]), "", "has to be an object, not an array");
}

#[test]
fn jsonata_and_variables_are_refused_by_name() {
    let found =
        errors(&json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}));
    assert!(
        found.len() == 1 && found[0].starts_with("QueryLanguage: is JSONata, which this engine does not run"),
        "{found:?}"
    );
    fault(json!({"Type": "Succeed", "QueryLanguage": "JSONata"}), ".QueryLanguage", "JSONata");
    fault(task(json!({"Arguments": {}})), ".Arguments", "JSONata");
    fault(task(json!({"Output": "{% x %}"})), ".Output", "JSONata");
    fault(task(json!({"Assign": {"x": 1}})), ".Assign", "variables");
    parse(&json!({"QueryLanguage": "JSONPath", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}));
}

#[test]
fn tasks_need_an_arn_and_sound_times() {
    fault(json!({"Type": "Task", "End": true}), ".Resource", "is missing");
    fault(task(json!({"Resource": "function"})), ".Resource", "has to be an ARN");
    fault(
        task(json!({"Resource": "arn:aws:states:::lambda:invoke.waitForTaskTokens"})),
        ".Resource",
        "integration pattern",
    );
    fault(task(json!({"TimeoutSeconds": 0})), ".TimeoutSeconds", "between 1 and 99999999");
    fault(task(json!({"TimeoutSeconds": 1.5})), ".TimeoutSeconds", "integer");
    fault(
        task(json!({"TimeoutSeconds": 10, "HeartbeatSeconds": 10})),
        ".HeartbeatSeconds",
        "less than TimeoutSeconds",
    );
    fault(
        task(json!({"TimeoutSeconds": 10, "TimeoutSecondsPath": "$.t"})),
        ".TimeoutSeconds",
        "exclude each other",
    );
    fault(
        task(json!({"HeartbeatSeconds": 10, "HeartbeatSecondsPath": "$.t"})),
        ".HeartbeatSeconds",
        "exclude each other",
    );
    parse(&json!({"StartAt": "It", "States": {"It": task(json!({"Resource": "${Function.Arn}"}))}}));
    parse(
        &json!({"StartAt": "It", "States": {"It": task(json!({"Resource": "arn:aws:states:::states:startExecution.sync:2"}))}}),
    );
}

#[test]
fn retriers_and_catchers_are_sound() {
    let retry = |retrier: Value| task(json!({"Retry": [retrier]}));
    fault(retry(json!({})), ".Retry[0].ErrorEquals", "is missing");
    fault(retry(json!({"ErrorEquals": []})), ".Retry[0].ErrorEquals", "at least one");
    fault(
        retry(json!({"ErrorEquals": ["E"], "IntervalSeconds": 0})),
        ".Retry[0].IntervalSeconds",
        "between 1 and",
    );
    fault(retry(json!({"ErrorEquals": ["E"], "MaxAttempts": -1})), ".Retry[0].MaxAttempts", "between 0 and");
    fault(retry(json!({"ErrorEquals": ["E"], "BackoffRate": 0.5})), ".Retry[0].BackoffRate", "at least 1");
    fault(
        retry(json!({"ErrorEquals": ["E"], "IntervalSeconds": 5, "MaxDelaySeconds": 5})),
        ".Retry[0].MaxDelaySeconds",
        "greater than IntervalSeconds",
    );
    fault(retry(json!({"ErrorEquals": ["E"], "JitterStrategy": "HALF"})), ".Retry[0].JitterStrategy", "FULL");
    fault(
        retry(json!({"ErrorEquals": ["E"], "Next": "It"})),
        ".Retry[0].Next",
        "is not a field of a retrier",
    );
    fault(retry(json!({"ErrorEquals": ["States.ALL", "E"]})), ".Retry[0].ErrorEquals", "stand alone");
    fault(
        retry(json!({"ErrorEquals": ["States.Nope"]})),
        ".Retry[0].ErrorEquals[0]",
        "not an error of the language",
    );
    fault(
        task(json!({"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]})),
        ".Retry[0].ErrorEquals",
        "last one",
    );
    fault(task(json!({"Catch": [{"ErrorEquals": ["E"]}]})), ".Catch[0].Next", "is missing");
    fault(task(json!({"Catch": {}})), ".Catch", "has to be an array");
    let http = task(json!({"Retry": [{"ErrorEquals": ["States.Http.StatusCode.429"]}]}));
    parse(&json!({"StartAt": "It", "States": {"It": http}}));
}

#[test]
fn paths_and_templates_can_be_read() {
    fault(json!({"Type": "Pass", "End": true, "InputPath": "a"}), ".InputPath", "a path begins with $");
    fault(json!({"Type": "Pass", "End": true, "OutputPath": 1}), ".OutputPath", "a path or null");
    fault(json!({"Type": "Pass", "End": true, "ResultPath": "$.a[*]"}), ".ResultPath", "reference path");
    fault(json!({"Type": "Pass", "End": true, "ResultPath": "$$.a"}), ".ResultPath", "context object");
    let parameters = |value: Value| json!({"Type": "Pass", "End": true, "Parameters": value});
    fault(parameters(json!("$.a")), ".Parameters", "payload template");
    fault(parameters(json!({"a": {"b.$": "c"}})), ".Parameters.a.b.$", "neither a path");
    fault(parameters(json!({"a": [{"b.$": 1}]})), ".Parameters.a[0].b.$", "ending in .$");
    fault(parameters(json!({"a.$": "$.x", "a": 1})), ".Parameters.a.$", "are both given");
    fault(parameters(json!({"a.$": "States.Nope()"})), ".Parameters.a.$", "not an intrinsic function");
    fault(parameters(json!({"a.$": "States.MathAdd(1)"})), ".Parameters.a.$", "it takes 2");
    fault(parameters(json!({"a.$": "$.x["})), ".Parameters.a.$", "not closed");
}

#[test]
fn waits_say_how_long_in_one_way() {
    let wait = |fields: Value| with(json!({"Type": "Wait", "End": true}), fields);
    fault(wait(json!({})), "", "has to say how long");
    fault(wait(json!({"Seconds": 1, "Timestamp": "2026-01-01T00:00:00Z"})), ".Seconds", "exclude each other");
    fault(wait(json!({"Seconds": -1})), ".Seconds", "between 0 and");
    fault(wait(json!({"Timestamp": "2026-01-01"})), ".Timestamp", "has to be a time");
    fault(wait(json!({"Timestamp": "2026-13-01T00:00:00Z"})), ".Timestamp", "has to be a time");
}

#[test]
fn choice_rules_are_sound() {
    let rule = |rule: Value| {
        let rule = with(json!({"Next": "It"}), rule);
        json!({"Type": "Choice", "Choices": [rule, {"Variable": "$.end", "IsPresent": true, "Next": "It"}]})
    };
    let check = |state: Value, path: &str, message: &str| {
        let found = errors(&json!({"StartAt": "It", "States": {"It": state}}));
        assert!(
            found.iter().any(|error| error.starts_with(&format!("States.It.Choices[0]{path}: "))
                && error.contains(message)),
            "{found:#?}"
        );
    };
    check(rule(json!({"Variable": "$.a"})), "", "needs a comparison operator");
    check(rule(json!({"StringEquals": "a"})), ".Variable", "is missing");
    check(rule(json!({"Variable": "$.a", "StringEquals": 1})), ".StringEquals", "has to be a text");
    check(rule(json!({"Variable": "$.a", "NumericEquals": "1"})), ".NumericEquals", "has to be a number");
    check(rule(json!({"Variable": "$.a", "TimestampEquals": "now"})), ".TimestampEquals", "has to be a time");
    check(rule(json!({"Variable": "$.a", "IsNull": "yes"})), ".IsNull", "true or false");
    check(rule(json!({"Variable": "$.a", "StringEqualsPath": "b"})), ".StringEqualsPath", "begins with $");
    check(
        rule(json!({"Variable": "$.a", "IsNull": true, "IsString": true})),
        ".IsNull",
        "combine them with And",
    );
    check(rule(json!({"Variable": "$.a", "Equals": 1})), "", "needs a comparison operator");
    check(rule(json!({"And": []})), ".And", "at least one");
    check(
        rule(json!({"And": [{"Variable": "$.a", "IsNull": true, "Next": "It"}]})),
        ".And[0].Next",
        "outermost",
    );
    check(rule(json!({"Not": {"Variable": "a", "IsNull": true}})), ".Not.Variable", "begins with $");
    check(rule(json!({"Condition": "{% true %}"})), ".Condition", "JSONata");
    let no_next = json!({"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": true}]});
    check(no_next, ".Next", "is missing");
}

#[test]
fn maps_and_parallels_are_sound() {
    let inner = json!({"StartAt": "P", "States": {"P": {"Type": "Succeed"}}});
    let map = |fields: Value| with(json!({"Type": "Map", "End": true, "ItemProcessor": inner}), fields);
    let distributed = |fields: Value| {
        let config = json!({"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}});
        with(map(json!({"ItemProcessor": with(inner.clone(), config)})), fields)
    };
    parse(&json!({"StartAt": "It", "States": {"It": distributed(json!({}))}}));
    fault(json!({"Type": "Map", "End": true}), ".ItemProcessor", "is missing");
    fault(map(json!({"Iterator": inner})), ".Iterator", "old name");
    fault(map(json!({"ItemSelector": {}, "Parameters": {}})), ".Parameters", "old name");
    fault(map(json!({"MaxConcurrency": -1})), ".MaxConcurrency", "between 0 and");
    fault(
        map(json!({"MaxConcurrency": 1, "MaxConcurrencyPath": "$.m"})),
        ".MaxConcurrency",
        "exclude each other",
    );
    fault(map(json!({"ToleratedFailureCount": 1})), ".ToleratedFailureCount", "distributed Map");
    fault(
        map(
            json!({"ItemProcessor": with(inner.clone(), json!({"ProcessorConfig": {"Mode": "DISTRIBUTED"}}))}),
        ),
        ".ItemProcessor.ProcessorConfig.ExecutionType",
        "is missing",
    );
    fault(distributed(json!({"ResultWriter": {}})), ".ResultWriter", "needs Resource and Parameters");
    fault(
        distributed(json!({"ToleratedFailurePercentage": 101})),
        ".ToleratedFailurePercentage",
        "between 0 and 100",
    );
    fault(distributed(json!({"ItemBatcher": {}})), ".ItemBatcher", "needs MaxItemsPerBatch");
    let reader = |config: Value| {
        distributed(
            json!({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {}, "ReaderConfig": config}}),
        )
    };
    fault(reader(json!({"InputType": "PARQUET"})), ".ItemReader.ReaderConfig.InputType", "not supported");
    fault(reader(json!({"InputType": "CSV"})), ".ItemReader.ReaderConfig.CSVHeaderLocation", "is missing");
    fault(json!({"Type": "Parallel", "Branches": [], "End": true}), ".Branches", "at least one");
    fault(json!({"Type": "Parallel", "End": true}), ".Branches", "is missing");
    let bad = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "Next": "It"}}});
    let found = errors(
        &json!({"StartAt": "It", "States": {"It": {"Type": "Parallel", "Branches": [bad], "End": true}}}),
    );
    assert!(found[0].starts_with("States.It.Branches[0].States.P.Next: leads to \"It\""), "{found:?}");
}
