//! The same seed is the same run, and nothing that is read makes the engine panic.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stopgap_sim::asl::StateMachine;
use stopgap_sim::asl::intrinsics;
use stopgap_sim::asl::paths::{Path, ReferencePath, Scope};
use stopgap_sim::stepfunctions::Settings;

use crate::support::{Lab, fails, only};

fn history(seed: u64) -> Vec<Value> {
    let work = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 9,
                      "Parameters": {"t.$": "$$.Task.Token", "u.$": "States.UUID()"}, "End": true,
                      "Retry": [{"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL"}]});
    let map = json!({"Type": "Map", "ItemProcessor": {"StartAt": "Work", "States": {"Work": work}}});
    let settings = Settings { seed, ..Settings::default() };
    let lab = Lab::with(&only(map), &[("Work", &[fails("Boom", "").after(3)])], settings);
    lab.run(json!([1, 2, 3])).events.iter().map(|event| event.to_json()).collect()
}

#[test]
fn one_seed_is_one_history() {
    assert_eq!(history(1), history(1));
    assert_ne!(history(1), history(2));
}

/// JSON made of what definitions are made of, in any arrangement.
fn anything() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "StartAt",
        "States",
        "Type",
        "Next",
        "End",
        "A",
        "B",
        "Task",
        "Pass",
        "Choice",
        "Wait",
        "Map",
        "Parallel",
        "Fail",
        "Succeed",
        "Retry",
        "Catch",
        "ErrorEquals",
        "States.ALL",
        "Choices",
        "Variable",
        "$.a",
        "$..b[*]",
        "And",
        "Not",
        "StringEquals",
        "IsPresent",
        "Parameters",
        "a.$",
        "States.Format('{}', $)",
        "ItemProcessor",
        "Branches",
        "Seconds",
        "ResultPath",
        "InputPath",
        "Default",
        "Resource",
        "arn:aws:states:::lambda:invoke",
        "TimeoutSeconds",
        "$$",
        "é",
        "ProcessorConfig",
        "Mode",
        "DISTRIBUTED",
        "ItemReader",
        "ItemBatcher",
        "QueryLanguage",
        "JSONata",
        "",
    ]);
    let leaf = prop_oneof![
        words.clone().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!(1.5)),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((words.clone(), inner), 0..8).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>()
            )),
        ]
    })
}

/// A definition that is nearly right: one state of a known type with fields that may be anything.
fn nearly() -> impl Strategy<Value = Value> {
    let kinds =
        prop::sample::select(vec!["Task", "Pass", "Choice", "Wait", "Map", "Parallel", "Fail", "Succeed"]);
    (kinds, anything()).prop_map(|(kind, fields)| {
        let mut state = fields.as_object().cloned().unwrap_or_default();
        state.insert("Type".into(), kind.into());
        state.insert("End".into(), true.into());
        json!({"StartAt": "A", "States": {"A": state}})
    })
}

proptest! {
    #[test]
    fn no_definition_makes_the_reader_panic(definition in prop_oneof![anything(), nearly()]) {
        if let Err(errors) = StateMachine::parse(&definition.to_string()) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| !error.message.is_empty()));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,80}") {
        let _ = StateMachine::parse(&text);
        let _ = Path::parse(&text);
        let _ = Path::parse(&format!("${text}"));
        let _ = ReferencePath::parse(&format!("$.a{text}"));
        let _ = intrinsics::parse(&text);
        let _ = intrinsics::parse(&format!("States.Format('{text}', {text})"));
    }

    #[test]
    fn no_path_makes_its_evaluation_panic(path in r"\$(\.[ab]|\[-?[0-9]{1,3}\]|\[\*\]|\.\.[ab]|\[[0-9]:[0-9]\]){0,5}", data in anything()) {
        if let Ok(path) = Path::parse(&path) {
            let _ = path.get(Scope { data: &data, context: &Value::Null });
        }
    }

    #[test]
    fn a_value_put_at_a_reference_path_is_found_there(path in r"\$(\.[a-c]){1,4}", data in anything()) {
        let reference = ReferencePath::parse(&path).unwrap();
        if let Ok(target) = reference.put(data, json!("here")) {
            let found = Path::parse(&path).unwrap().get(Scope { data: &target, context: &Value::Null });
            prop_assert_eq!(found, Ok(json!("here")));
        }
    }

    #[test]
    fn what_can_be_read_can_be_run_to_an_end(definition in nearly(), input in anything()) {
        if StateMachine::parse(&definition.to_string()).is_ok() {
            let outcome = Lab::new(&definition, &[]).run(input);
            prop_assert!(outcome.execution.stopped.is_some());
        }
    }
}
