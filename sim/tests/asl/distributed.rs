//! Map, distributed.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures::future::{LocalBoxFuture, ready};
use serde_json::{Value, json};
use stopgap_sim::stepfunctions::{ExecutionKind, ObjectStore, Settings, Status, TaskFailure};

use crate::support::{Answer, Lab, Outcome, fails, returns};

fn definition(fields: Value, express: bool) -> Value {
    let kind = if express { "EXPRESS" } else { "STANDARD" };
    let mut state = json!({"Type": "Map", "End": true, "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
        "StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}}});
    for (key, value) in fields.as_object().unwrap() {
        state[key] = value.clone();
    }
    json!({"StartAt": "It", "States": {"It": state}})
}

fn lab(fields: Value, answers: &[Answer]) -> Lab {
    let answers: Vec<(&str, &[Answer])> = if answers.is_empty() { vec![] } else { vec![("Work", answers)] };
    Lab::new(&definition(fields, true), &answers)
}

#[test]
fn its_iterations_are_executions_of_a_map_run_and_not_in_its_history() {
    let lab = Lab::new(&definition(json!({"Label": "Run"}), false), &[]);
    let arn = lab.start(json!([1, 2]));
    lab.runtime.run();
    let outcome = lab.outcome(&arn);
    assert_eq!(outcome.output(), json!([1, 2]));
    assert_eq!(
        outcome.types(),
        [
            "ExecutionStarted",
            "MapStateEntered",
            "MapStateStarted",
            "MapRunStarted",
            "MapRunSucceeded",
            "MapStateSucceeded",
            "MapStateExited",
            "ExecutionSucceeded"
        ]
    );
    let previous: Vec<u64> = outcome.events.iter().map(|event| event.previous_event_id).collect();
    assert_eq!(previous, [0, 0, 2, 3, 4, 5, 4, 7]);
    let run = outcome.event("MapRunStarted").detail("mapRunArn").unwrap().as_str().unwrap().to_owned();
    assert!(run.starts_with("arn:aws:states:us-east-1:123456789012:mapRun:machine/Run:"), "{run}");
    let children: Vec<_> =
        lab.sfn.executions().into_iter().filter(|child| child.map_run_arn.as_ref() == Some(&run)).collect();
    assert_eq!(children.len(), 2);
    assert!(
        children
            .iter()
            .all(|child| child.status == Status::Succeeded && child.kind == ExecutionKind::Standard)
    );
    assert_eq!(lab.sfn.history(&children[1].arn).len(), 7);
}

#[test]
fn without_tolerance_the_first_failure_fails_the_run_and_stops_the_rest() {
    let lab = lab(json!({}), &[returns(json!(1)).after(9), fails("Boom", "").after(1)]);
    let outcome = lab.run(json!([1, 2, 3]));
    assert_eq!(
        outcome.error(),
        ("States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded")
    );
    assert_eq!(outcome.types()[4..], ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]);
    assert_eq!(outcome.seconds(), 1);
    let statuses: Vec<Status> = lab.sfn.executions().iter().skip(1).map(|child| child.status).collect();
    assert!(statuses.contains(&Status::Aborted) && !statuses.contains(&Status::Running), "{statuses:?}");
}

#[test]
fn tolerated_failures_leave_the_results_of_the_others() {
    let answers = || vec![fails("Boom", ""), returns(json!("b")), fails("Boom", ""), returns(json!("d"))];
    let run = |fields: Value| lab(fields, &answers()).run(json!({"n": 2, "items": [1, 2, 3, 4]}));
    for field in [
        json!({"ToleratedFailureCount": 2}),
        json!({"ToleratedFailureCountPath": "$.n"}),
        json!({"ToleratedFailurePercentage": 50}),
        json!({"ToleratedFailurePercentage": 100, "ToleratedFailureCount": 2}),
    ] {
        let mut fields = field;
        fields["ItemsPath"] = json!("$.items");
        assert_eq!(run(fields.clone()).output(), json!(["b", "d"]), "{fields}");
    }
    for field in [
        json!({"ToleratedFailureCount": 1}),
        json!({"ToleratedFailurePercentage": 49.9}),
        json!({"ToleratedFailurePercentage": 100, "ToleratedFailureCount": 1}),
        json!({"ToleratedFailurePercentage": 0}),
    ] {
        let mut fields = field;
        fields["ItemsPath"] = json!("$.items");
        assert_eq!(run(fields.clone()).error().0, "States.ExceedToleratedFailureThreshold", "{fields}");
    }
}

#[test]
fn express_children_have_five_minutes_and_no_transitions() {
    let lab = lab(
        json!({"ToleratedFailurePercentage": 100}),
        &[returns(json!(1)).after(301), returns(json!(2)).after(299)],
    );
    let outcome = lab.run(json!([1, 2]));
    assert_eq!(outcome.output(), json!([2]));
    assert_eq!(outcome.seconds(), 300);
    assert_eq!(lab.sfn.transitions(), 1);
}

#[test]
fn so_many_children_run_at_once_as_allowed() {
    let outcome =
        lab(json!({"MaxConcurrency": 2}), &[returns(json!(1)).after(10)]).run(json!([1, 2, 3, 4, 5]));
    assert_eq!(outcome.seconds(), 30);
    let outcome = lab(json!({}), &[returns(json!(1)).after(10)]).run(json!(vec![0; 500]));
    assert_eq!(outcome.seconds(), 10);
}

#[test]
fn items_can_be_batched_by_number_and_by_size() {
    let batches = |batcher: Value| lab(json!({"ItemBatcher": batcher}), &[]).run(json!([1, 2, 3])).output();
    assert_eq!(
        batches(json!({"MaxItemsPerBatch": 2, "BatchInput": {"by": "me"}})),
        json!([{"BatchInput": {"by": "me"}, "Items": [1, 2]}, {"BatchInput": {"by": "me"}, "Items": [3]}])
    );
    assert_eq!(batches(json!({"MaxInputBytesPerBatch": 16})), json!([{"Items": [1, 2]}, {"Items": [3]}]));
}

#[test]
fn a_redrive_runs_the_failed_items_only() {
    let lab = lab(json!({}), &[returns(json!("a")), fails("Boom", "").after(1), returns(json!("b"))]);
    let arn = lab.run(json!([1, 2])).execution.arn;
    lab.sfn.redrive_execution(&arn).unwrap();
    lab.runtime.run();
    assert_eq!(lab.outcome(&arn).output(), json!(["a", "b"]));
    assert_eq!(lab.script.calls.borrow().len(), 3);
}

struct Objects(BTreeMap<String, Vec<u8>>);

impl ObjectStore for Objects {
    fn get(&self, bucket: &str, key: &str) -> LocalBoxFuture<'static, Result<Vec<u8>, TaskFailure>> {
        let found = self.0.get(&format!("{bucket}/{key}")).cloned();
        Box::pin(ready(found.ok_or(TaskFailure { error: "S3.NoSuchKeyException".into(), cause: key.into() })))
    }

    fn list(&self, bucket: &str, prefix: &str) -> LocalBoxFuture<'static, Result<Vec<Value>, TaskFailure>> {
        let start = format!("{bucket}/{prefix}");
        let keys = self.0.keys().filter(|key| key.starts_with(&start));
        Box::pin(ready(Ok(keys.map(|key| json!({"Key": key[bucket.len() + 1..]})).collect())))
    }
}

fn read(config: Value, content: &str) -> Outcome {
    let reader = json!({"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config,
                        "Parameters": {"Bucket": "b", "Key.$": "$.key"}});
    with_objects(json!({"ItemReader": reader}), content)
}

fn with_objects(fields: Value, content: &str) -> Outcome {
    let objects = Objects(BTreeMap::from([("b/in/items".to_owned(), content.as_bytes().to_vec())]));
    let settings = Settings { objects: Some(Rc::new(objects)), ..Settings::default() };
    Lab::with(&definition(fields, true), &[], settings).run(json!({"key": "in/items"}))
}

#[test]
fn reads_json_json_lines_and_csv_and_lists_objects() {
    assert_eq!(read(json!({"InputType": "JSON"}), "[{\"a\": 1}, 2]").output(), json!([{"a": 1}, 2]));
    assert_eq!(read(json!({"InputType": "JSON", "MaxItems": 1}), "[1, 2]").output(), json!([1]));
    assert_eq!(read(json!({"InputType": "JSONL"}), "{\"a\": 1}\n\n2\r\n").output(), json!([{"a": 1}, 2]));
    let first_row = json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"});
    assert_eq!(
        read(first_row, "id,name\n1,\"a, b\"\n2\n").output(),
        json!([{"id": "1", "name": "a, b"}, {"id": "2", "name": ""}])
    );
    assert_eq!(read(json!({"InputType": "JSON", "MaxItems": 0}), "[1, 2]").output(), json!([1, 2]));
    let pointer = json!({"InputType": "JSON", "ItemsPointer": "/a/b"});
    assert_eq!(read(pointer.clone(), "{\"a\": {\"b\": [1, 2]}}").output(), json!([1, 2]));
    assert_eq!(read(pointer, "{\"a\": []}").error().0, "States.ItemReaderFailed");
    assert_eq!(
        read(json!({"InputType": "JSON"}), "{\"x\": 1, \"y\": {}}").output(),
        json!([{"Key": "x", "Value": 1}, {"Key": "y", "Value": {}}])
    );
    let given = json!({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x", "y"], "CSVDelimiter": "PIPE"});
    assert_eq!(read(given, "1|2").output(), json!([{"x": "1", "y": "2"}]));
    let list = json!({"ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b", "Prefix": "in/"}}});
    assert_eq!(with_objects(list, "").output(), json!([{"Key": "in/items"}]));
}

#[test]
fn numbers_that_are_read_are_checked_in_the_order_and_words_of_aws() {
    let prefix = "An error occurred while executing the state 'It' (entered at the event id #2). ";
    let not = |field: &str, value: &str, kind: &str| {
        format!("The {field} field refers to value \"{value}\" which is not a valid {kind}: $.n")
    };
    for (field, value, cause, events) in [
        ("MaxConcurrencyPath", json!({}), not("MaxConcurrencyPath", "{}", "integer"), 3),
        (
            "ToleratedFailureCountPath",
            json!("NoNumber"),
            not("ToleratedFailureCountPath", "NoNumber", "integer"),
            4,
        ),
        ("ToleratedFailureCountPath", json!(-1), "ToleratedFailureCount cannot be negative.".into(), 4),
        (
            "ToleratedFailurePercentagePath",
            json!({}),
            not("ToleratedFailurePercentagePath", "{}", "float"),
            4,
        ),
        (
            "ToleratedFailurePercentagePath",
            json!(100.1),
            "ToleratedFailurePercentage must be between 0 and 100.".into(),
            4,
        ),
    ] {
        let outcome =
            lab(json!({"ItemsPath": "$.items", field: "$.n"}), &[]).run(json!({"items": [0], "n": value}));
        assert_eq!(outcome.error(), ("States.Runtime", format!("{prefix}{cause}").as_str()));
        assert_eq!(outcome.events.len(), events, "{:?}", outcome.types());
    }
    let given =
        json!({"ItemsPath": "$.items", "MaxConcurrencyPath": "$.n", "ToleratedFailureCountPath": "$.n"});
    assert_eq!(lab(given, &[]).run(json!({"items": [0], "n": "1"})).output(), json!([0]));
    let reader = json!({"InputType": "JSON", "MaxItemsPath": "$.n"});
    let reader = json!({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": reader,
                                       "Parameters": {"Bucket": "b", "Key": "in/items"}}});
    let objects = Objects(BTreeMap::from([("b/in/items".to_owned(), b"[1]".to_vec())]));
    let settings = Settings { objects: Some(Rc::new(objects)), ..Settings::default() };
    let outcome = Lab::with(&definition(reader, true), &[], settings).run(json!({"n": -1}));
    assert_eq!(outcome.error(), ("States.ItemReaderFailed", "field MaxItems must be positive"));
}

#[test]
fn an_export_of_the_results_leaves_the_place_of_its_manifest() {
    let writer = |fields: Value| json!({"Label": "Run", "ResultWriter": fields});
    let to =
        |parameters| writer(json!({"Resource": "arn:aws:states:::s3:putObject", "Parameters": parameters}));
    let outcome = lab(to(json!({"Bucket": "b", "Prefix.$": "$[0]"})), &[]).run(json!(["out"]));
    let run = outcome.event("MapRunStarted").detail("mapRunArn").unwrap().as_str().unwrap();
    let id = run.rsplit(':').next().unwrap();
    assert_eq!(
        outcome.output(),
        json!({"MapRunArn": run, "ResultWriterDetails": {"Bucket": "b", "Key": format!("out/{id}/manifest.json")}})
    );
    assert_eq!(lab(to(json!({})), &[]).run(json!([])).error().0, "States.ResultWriterFailed");
    let shaped = |name: &str| writer(json!({"WriterConfig": {"Transformation": name, "OutputType": "JSON"}}));
    assert_eq!(lab(shaped("COMPACT"), &[]).run(json!([[1, 2], 3])).output(), json!([[1, 2], 3]));
    assert_eq!(lab(shaped("FLATTEN"), &[]).run(json!([[1, 2], 3])).output(), json!([1, 2, 3]));
    let records = lab(shaped("NONE"), &[]).run(json!([{"a": 1}])).output();
    assert_eq!(records[0]["Status"], "SUCCEEDED");
    assert_eq!((&records[0]["Input"], &records[0]["Output"]), (&json!("{\"a\":1}"), &json!("{\"a\":1}")));
}

#[test]
fn what_cannot_be_read_is_an_item_reader_failed() {
    let outcome = read(json!({"InputType": "JSON"}), "[1,");
    assert_eq!(outcome.types()[3..], ["MapRunStarted", "MapRunFailed", "MapStateFailed", "ExecutionFailed"]);
    for content in ["\"neither array nor object\"", "[1,", ""] {
        assert_eq!(
            read(json!({"InputType": "JSON"}), content).error().0,
            "States.ItemReaderFailed",
            "{content}"
        );
    }
    let lab = Lab::new(
        &definition(
            json!({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"},
                                          "Parameters": {"Bucket": "b", "Key": "k"}}}),
            true,
        ),
        &[],
    );
    assert_eq!(lab.run(json!({})).error().0, "States.ItemReaderFailed");
}
