//! Map, inline.

use serde_json::{Value, json};

use crate::support::{Answer, Lab, Outcome, fails, returns};

fn lab(fields: Value, answers: &[Answer]) -> Lab {
    let work = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true});
    let mut state = json!({"Type": "Map", "End": true,
                           "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Work", "States": {"Work": work}}});
    let mut states = json!({});
    for (key, value) in fields.as_object().unwrap() {
        state[key] = value.clone();
    }
    if fields.get("Catch").is_some() {
        states["Caught"] = json!({"Type": "Pass", "End": true});
    }
    if fields.get("Iterator").is_some() {
        state.as_object_mut().unwrap().remove("ItemProcessor");
    }
    states["It"] = state;
    let answers: Vec<(&str, &[Answer])> = if answers.is_empty() { vec![] } else { vec![("Work", answers)] };
    Lab::new(&json!({"StartAt": "It", "States": states}), &answers)
}

fn run(fields: Value, answers: &[Answer], input: Value) -> Outcome {
    lab(fields, answers).run(input)
}

#[test]
fn runs_each_item_and_returns_the_outputs_in_order() {
    let answers = [returns(json!("a")).after(5), returns(json!("b")).after(1), returns(json!("c"))];
    let outcome = run(json!({}), &answers, json!([1, 2, 3]));
    assert_eq!(outcome.output(), json!(["a", "b", "c"]));
    assert_eq!(outcome.seconds(), 5);
}

#[test]
fn no_items_are_no_iterations() {
    let outcome = run(json!({}), &[], json!([]));
    assert_eq!(outcome.output(), json!([]));
    assert_eq!(
        outcome.types(),
        [
            "ExecutionStarted",
            "MapStateEntered",
            "MapStateStarted",
            "MapStateSucceeded",
            "MapStateExited",
            "ExecutionSucceeded"
        ]
    );
}

#[test]
fn the_chain_of_events_is_that_of_aws() {
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let outcome = run(json!({"ItemProcessor": pass, "MaxConcurrency": 1}), &[], json!(["a", "b"]));
    assert_eq!(
        outcome.chain(),
        [
            "ExecutionStarted 1<-0",
            "MapStateEntered 2<-0",
            "MapStateStarted 3<-2",
            "MapIterationStarted 4<-3",
            "PassStateEntered 5<-4",
            "PassStateExited 6<-5",
            "MapIterationSucceeded 7<-6",
            "MapIterationStarted 8<-6",
            "PassStateEntered 9<-8",
            "PassStateExited 10<-9",
            "MapIterationSucceeded 11<-10",
            "MapStateSucceeded 12<-11",
            "MapStateExited 13<-11",
            "ExecutionSucceeded 14<-13",
        ]
    );
    assert_eq!(outcome.event("MapStateStarted").detail("length"), Some(&json!(2)));
    assert_eq!(outcome.events[7].detail("index"), Some(&json!(1)));
    assert_eq!(outcome.events[7].detail("name"), Some(&json!("It")));
}

#[test]
fn so_many_run_at_once_as_allowed_and_never_more_than_forty() {
    let seconds = |fields, count: usize| {
        run(fields, &[returns(json!(1)).after(10)], json!({"m": 2, "items": vec![0; count]})).seconds()
    };
    assert_eq!(seconds(json!({"ItemsPath": "$.items"}), 5), 10);
    assert_eq!(seconds(json!({"ItemsPath": "$.items", "MaxConcurrency": 2}), 5), 30);
    assert_eq!(seconds(json!({"ItemsPath": "$.items", "MaxConcurrencyPath": "$.m"}), 4), 20);
    assert_eq!(seconds(json!({"ItemsPath": "$.items", "MaxConcurrency": 0}), 41), 20);
    assert_eq!(seconds(json!({"ItemsPath": "$.items", "MaxConcurrency": 1000}), 80), 20);
}

#[test]
fn the_item_selector_sees_the_item_its_index_and_the_input() {
    for field in ["ItemSelector", "Parameters"] {
        let selector = json!({"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value.n", "by.$": "$.by"});
        let outcome = run(
            json!({"ItemsPath": "$.items", field: selector}),
            &[],
            json!({"by": "me", "items": [{"n": 7}, {"n": 8}]}),
        );
        assert_eq!(outcome.output(), json!([{"i": 0, "v": 7, "by": "me"}, {"i": 1, "v": 8, "by": "me"}]));
    }
}

#[test]
fn the_states_inside_can_read_the_item_too() {
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index"}, "End": true}}});
    assert_eq!(run(json!({"Iterator": pass}), &[], json!([9, 9])).output(), json!([{"i": 0}, {"i": 1}]));
}

#[test]
fn one_failing_iteration_aborts_the_rest_and_starts_no_more() {
    let answers = [returns(json!(1)).after(9), fails("Boom", "why").after(1)];
    let lab = lab(json!({"MaxConcurrency": 2}), &answers);
    let outcome = lab.run(json!([1, 2, 3]));
    assert_eq!(outcome.error(), ("Boom", "why"));
    assert_eq!(lab.script.calls.borrow().len(), 2);
    let tail: Vec<String> = outcome.chain()[11..].to_vec();
    assert_eq!(
        tail,
        [
            "TaskFailed 12<-11",
            "MapIterationAborted 13<-12",
            "TaskStateAborted 14<-12",
            "MapIterationFailed 15<-12",
            "TaskStateAborted 16<-12",
            "MapStateFailed 17<-12",
            "ExecutionFailed 18<-17",
        ]
    );
}

#[test]
fn a_caught_failure_exits_the_state() {
    let outcome = run(
        json!({"Catch": [{"ErrorEquals": ["Boom"], "Next": "Caught"}]}),
        &[fails("Boom", "")],
        json!([1]),
    );
    assert_eq!(outcome.output()["Error"], json!("Boom"));
    let types = outcome.types();
    assert_eq!(
        types[8..12],
        ["MapIterationFailed", "TaskStateAborted", "MapStateFailed", "MapStateExited"],
        "{types:?}"
    );
}

#[test]
fn a_retried_map_runs_every_item_again_and_fails_once() {
    let retry = json!({"Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 2}]});
    let outcome = run(retry, &[fails("Boom", "")], json!([1]));
    let count = |kind| outcome.types().iter().filter(|found| **found == kind).count();
    assert_eq!((count("MapStateStarted"), count("MapIterationFailed"), count("MapStateFailed")), (3, 3, 1));
}

#[test]
fn what_is_not_an_array_ends_the_execution() {
    let outcome = run(json!({"ItemsPath": "$.items"}), &[], json!({"items": {"a": 1}}));
    assert_eq!(outcome.error().0, "States.Runtime");
    assert!(outcome.error().1.ends_with("Reference path \"$.items\" must point to array."));
    assert_eq!(run(json!({"ItemsPath": "$.items"}), &[], json!({})).error().0, "States.Runtime");
}

#[test]
fn maps_nest() {
    let inner = json!({"StartAt": "Inner", "States": {"Inner": {"Type": "Map", "End": true,
        "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}}}});
    assert_eq!(
        run(json!({"ItemProcessor": inner}), &[], json!([[1, 2], [3]])).output(),
        json!([[1, 2], [3]])
    );
}

#[test]
fn a_states_runtime_in_an_iteration_ends_the_execution_without_further_ado() {
    let broken = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"m.$": "$.nope"}, "End": true}}});
    let fields = json!({"ItemProcessor": broken, "MaxConcurrency": 1, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]});
    let outcome = run(fields, &[], json!([1, 2]));
    assert_eq!(
        outcome.chain(),
        [
            "ExecutionStarted 1<-0",
            "MapStateEntered 2<-0",
            "MapStateStarted 3<-2",
            "MapIterationStarted 4<-3",
            "PassStateEntered 5<-4",
            "ExecutionFailed 6<-5",
        ]
    );
    assert!(
        outcome
            .error()
            .1
            .starts_with("An error occurred while executing the state 'P' (entered at the event id #5). ")
    );
}

#[test]
fn an_iteration_whose_item_selector_fails_has_started() {
    let selector = |path: &str| json!({"MaxConcurrency": 1, "ItemSelector": {"x.$": path}});
    let outcome = run(selector("$$.Map.Item.Value.nope"), &[], json!([{}]));
    assert_eq!(outcome.error().0, "States.Runtime");
    assert_eq!(outcome.types()[2..], ["MapStateStarted", "MapIterationStarted", "ExecutionFailed"]);
    let outcome = run(selector("States.MathAdd($$.Map.Item.Value, 1)"), &[], json!(["x"]));
    assert_eq!(outcome.error().0, "States.IntrinsicFailure");
    assert_eq!(
        outcome.types()[3..],
        ["MapIterationStarted", "MapIterationFailed", "MapStateFailed", "ExecutionFailed"]
    );
}
