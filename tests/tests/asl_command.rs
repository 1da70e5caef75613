//! `stopgap asl`: what it reads, what it prints, and how it exits.

#![allow(clippy::unwrap_used, reason = "these are tests; clippy only sees that in #[test] functions")]

use std::path::PathBuf;
use std::sync::LazyLock;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str, content: &Value) -> PathBuf {
        self.text(name, &content.to_string())
    }

    fn text(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs a machine with its tasks and returns the document.
    fn run(&self, definition: &Value, input: &Value, tasks: &Value, more: &[&str]) -> Value {
        let output = self.command(definition, input, tasks).arg("--json").args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn command(&self, definition: &Value, input: &Value, tasks: &Value) -> Command {
        let mut command = stopgap();
        command.args(["asl", "run"]).arg(self.file("machine.json", definition));
        command.arg("--input").arg(self.file("input.json", input));
        command.arg("--tasks").arg(self.file("tasks.json", tasks));
        command
    }
}

/// The command, built by the cargo that runs this test: cargo does not build another member's binary for a test.
fn stopgap() -> Command {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut folder = std::env::current_exe().unwrap();
        folder.pop();
        if folder.ends_with("deps") {
            folder.pop();
        }
        let mut build = std::process::Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "stopgap", "--no-default-features", "--target-dir"]);
        build.arg(folder.parent().unwrap());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
        folder.join(format!("stopgap{}", std::env::consts::EXE_SUFFIX))
    });
    Command::new(&*BINARY)
}

fn task() -> Value {
    json!({"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "${Function}", "Payload.$": "$"}, "OutputPath": "$.Payload", "End": true,
        "Retry": [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 5, "MaxAttempts": 1}]}}})
}

fn stderr(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn prints_one_document_shaped_like_the_history() {
    let tasks =
        json!({"Work": [{"fail": {"error": "Flaky", "cause": "again"}}, {"return": {"Payload": {"y": 2}}}]});
    let document =
        Desk::new().run(&task(), &json!({"x": 1}), &tasks, &["--start-time", "2026-03-01T12:00:00Z"]);
    assert_eq!(document["status"], "SUCCEEDED");
    assert_eq!(document["output"], json!({"y": 2}));
    assert_eq!((&document["error"], &document["cause"]), (&Value::Null, &Value::Null));
    let events = document["events"].as_array().unwrap();
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "TaskScheduled",
            "TaskStarted",
            "TaskFailed",
            "TaskScheduled",
            "TaskStarted",
            "TaskSucceeded",
            "TaskStateExited",
            "ExecutionSucceeded"
        ]
    );
    assert_eq!(
        events[1],
        json!({"timestamp": "2026-03-01T12:00:00.000Z", "type": "TaskStateEntered", "id": 2, "previousEventId": 0,
               "stateEnteredEventDetails": {"name": "Work", "input": "{\"x\":1}", "inputDetails": {"truncated": false}}})
    );
    assert_eq!(
        events[4]["taskFailedEventDetails"],
        json!({"resourceType": "lambda", "resource": "invoke", "error": "Flaky", "cause": "again"})
    );
    assert_eq!(events[5]["timestamp"], "2026-03-01T12:00:05.000Z");
}

#[test]
fn a_failed_execution_is_no_failure_of_the_command() {
    let document = Desk::new().run(
        &task(),
        &json!({}),
        &json!({"Work": [{"fail": {"error": "Boom", "cause": "why"}}]}),
        &[],
    );
    assert_eq!(
        (&document["status"], &document["output"], &document["error"], &document["cause"]),
        (&json!("FAILED"), &Value::Null, &json!("Boom"), &json!("why"))
    );
}

#[test]
fn without_json_a_person_can_read_it() {
    let mut command = Desk::new().command_kept(&task(), &json!({"Work": [{"return": {"Payload": 7}}]}));
    let output = command.0.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("SUCCEEDED\noutput: 7\n\n    1  2026-01-01T00:00:00.000Z  ExecutionStarted"),
        "{text}"
    );
}

impl Desk {
    fn command_kept(self, definition: &Value, tasks: &Value) -> (Command, Self) {
        (self.command(definition, &json!({}), tasks), self)
    }
}

#[test]
fn a_scripted_timeout_takes_its_time_and_a_callback_returns_its_output() {
    let definition = json!({"StartAt": "Ask", "States": {
        "Ask": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 60,
                "Parameters": {"Payload": {"token.$": "$$.Task.Token"}}, "End": true,
                "Retry": [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1}]}}});
    let tasks = json!({"Ask": [{"fail": {"error": "States.Timeout"}}, {"return": "answer"}]});
    let document = Desk::new().run(&definition, &json!({}), &tasks, &[]);
    assert_eq!(document["output"], "answer");
    let timed_out =
        document["events"].as_array().unwrap().iter().find(|event| event["type"] == "TaskTimedOut").unwrap();
    assert_eq!(timed_out["timestamp"], "2026-01-01T00:01:00.000Z");
    assert_eq!(document["events"][9]["type"], "TaskSucceeded", "{document:#}");
}

#[test]
fn nested_executions_are_scripted_like_any_task() {
    let definition = json!({"StartAt": "Child", "States": {"Child": {"Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2", "OutputPath": "$.Output", "End": true}}});
    let tasks = json!({"Child": [{"return": {"Status": "SUCCEEDED", "Output": {"n": 1}}}]});
    assert_eq!(Desk::new().run(&definition, &json!({}), &tasks, &[])["output"], json!({"n": 1}));
}

#[test]
fn iterations_take_their_outcomes_in_order_and_the_last_repeats() {
    let definition = json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor": {
        "StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:f", "End": true}}}}}});
    let tasks = json!({"Do": [{"return": "a"}, {"return": "b"}]});
    assert_eq!(
        Desk::new().run(&definition, &json!([1, 2, 3]), &tasks, &[])["output"],
        json!(["a", "b", "b"])
    );
}

#[test]
fn item_readers_read_the_given_folder_and_nothing_outside_of_it() {
    let definition = |key: &str| {
        json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true,
            "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"},
                           "Parameters": {"Bucket": "plans", "Key": key}},
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                              "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}}}})
    };
    let desk = Desk::new();
    desk.text("s3/plans/2026/plan.json", "[1, 2]");
    desk.text("secret.json", "[3]");
    let folder = desk.folder.path().join("s3");
    let more = ["--s3", folder.to_str().unwrap()];
    assert_eq!(
        desk.run(&definition("2026/plan.json"), &json!({}), &json!({}), &more)["output"],
        json!([1, 2])
    );
    for key in ["../../secret.json", "/etc/hostname", "2026/../../../secret.json", "nope.json", ""] {
        let document = desk.run(&definition(key), &json!({}), &json!({}), &more);
        assert_eq!(document["error"], "States.ItemReaderFailed", "{key}");
    }
}

#[test]
fn the_seed_decides_what_is_random() {
    let definition = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "End": true}}});
    let run =
        |seed| Desk::new().run(&definition, &json!({}), &json!({}), &["--seed", seed])["output"].clone();
    assert_eq!(run("1"), run("1"));
    assert_ne!(run("1"), run("2"));
}

#[test]
fn a_task_without_a_script_is_bad_input() {
    let message = stderr(&mut Desk::new().command_kept(&task(), &json!({})).0);
    assert!(message.starts_with("error: Task \"Work\" was reached, but has no script"), "{message}");
}

#[test]
fn a_bad_script_is_named() {
    for (tasks, expected) in [
        (json!([]), "tasks.json: has to be an object"),
        (
            json!({"Nope": [{"return": 1}]}),
            "tasks.json: Nope: is not a Task state of this definition; those are Work",
        ),
        (json!({"Work": []}), "tasks.json: Work: has to have at least one outcome"),
        (json!({"Work": [{"returns": 1}]}), "tasks.json: Work[0]: has to be {\"return\": ...}"),
        (json!({"Work": [{"fail": {"cause": "x"}}]}), "tasks.json: Work[0]: fail.error: is missing"),
    ] {
        let message = stderr(&mut Desk::new().command_kept(&task(), &tasks).0);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn files_that_cannot_be_read_or_are_not_json_are_named() {
    let desk = Desk::new();
    let machine = desk.file("machine.json", &task());
    let broken = desk.text("broken.json", "{\"a\": ");
    let message = stderr(stopgap().args(["asl", "run"]).arg(&machine).arg("--input").arg(&broken));
    assert!(message.contains("broken.json: is not valid JSON: EOF"), "{message}");
    let message = stderr(stopgap().args(["asl", "check"]).arg(desk.folder.path().join("none.json")));
    assert!(message.starts_with("error: ") && message.contains("none.json: cannot be read"), "{message}");
}

#[test]
fn check_says_ok_and_reads_stdin() {
    let output = stopgap().args(["asl", "check", "-"]).write_stdin(task().to_string()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "ok: stdin\n");
    assert!(output.status.success() && output.stderr.is_empty());
}

#[test]
fn check_reports_every_fault_and_exits_with_2() {
    let definition = json!({"StartAt": "A", "QueryLanguage": "JSONata", "States": {
        "A": {"Type": "Pass", "Next": "Nope"}, "B": {"Type": "Wait", "End": true}}});
    let message = stderr(stopgap().args(["asl", "check", "-"]).write_stdin(definition.to_string()));
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 3, "{message}");
    assert!(lines[0].starts_with("error: stdin: QueryLanguage: is JSONata"), "{message}");
    assert!(lines[1].starts_with("error: stdin: States.B: has to say how long"), "{message}");
    assert!(lines[2].starts_with("error: stdin: States.A.Next: leads to \"Nope\""), "{message}");
}

#[test]
fn check_warns_about_a_forgotten_suffix_but_passes() {
    let definition =
        json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"a": "$.b"}, "End": true}}});
    let output = stopgap().args(["asl", "check", "-"]).write_stdin(definition.to_string()).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("warning: stdin: States.P.Parameters.a: "));
}

#[test]
fn bad_arguments_exit_with_2() {
    stderr(stopgap().args(["asl", "run", "-", "--input", "-"]));
    stderr(stopgap().args(["asl", "run", "x", "--start-time", "noon"]));
    stderr(stopgap().args(["asl"]));
}

#[test]
fn a_machine_that_never_ends_ends_with_its_25000th_event() {
    let desk = Desk::new();
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}});
    let run = desk.run(&definition, &json!({}), &json!({}), &[]);
    assert_eq!((&run["status"], &run["error"]), (&json!("FAILED"), &json!("States.Runtime")));
    assert_eq!(run["cause"], "The execution reached the maximum number of history events (25000).");
    assert_eq!(run["events"].as_array().unwrap().len(), 25_000);
}

#[test]
fn a_map_run_that_exports_its_results_says_where() {
    let desk = Desk::new();
    desk.text("s3/data/in.json", "{\"rows\": [1, 2]}");
    let definition = json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true,
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
                       "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/rows"},
                       "Parameters": {"Bucket": "data", "Key": "in.json"}},
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                          "StartAt": "One", "States": {"One": {"Type": "Pass", "End": true}}},
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject",
                         "Parameters": {"Bucket": "data", "Prefix": "out"}}}}});
    let s3 = desk.folder.path().join("s3");
    let run = desk.run(&definition, &json!({}), &json!({}), &["--s3", s3.to_str().unwrap()]);
    assert_eq!(run["status"], "SUCCEEDED", "{}", run["cause"]);
    let details = &run["output"]["ResultWriterDetails"];
    assert_eq!(details["Bucket"], "data");
    let key = details["Key"].as_str().unwrap();
    assert!(key.starts_with("out/") && key.ends_with("/manifest.json"), "{key}");
    assert!(!s3.join("data/out").exists(), "nothing is written");
}
