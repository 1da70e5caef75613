//! What the commands share: how results are written, and what a build without the AWS SDK can do.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::process::Output;

use serde_json::Value;
use stopgap_tests::stopgap;

fn run(args: &[&str]) -> Output {
    stopgap().args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn json_is_short_for_output_json_wherever_it_stands() {
    let list = ["demo", "--fault", "list"];
    let long = run(&[&list[..], &["--output", "json"]].concat());
    assert_eq!((long.status.code(), text(&long.stderr)), (Some(0), ""));
    serde_json::from_slice::<Value>(&long.stdout).unwrap();
    for args in [[&list[..], &["--json"]].concat(), [&["--json"], &list[..]].concat()] {
        assert_eq!(run(&args).stdout, long.stdout, "{args:?}");
    }
    let table = run(&[&list[..], &["--output", "table"]].concat());
    assert_eq!(table.stdout, run(&list).stdout);
}

#[test]
fn an_output_that_is_none_and_two_at_once_are_bad_input() {
    for (args, says) in [
        (&["--output", "yaml"][..], "table, json"),
        (&["--json", "--output", "table"], "cannot be used with"),
    ] {
        let output = run(&[&["demo", "--fault", "list"], args].concat());
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
        assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
    }
}

#[test]
fn without_the_sdk_there_is_nothing_that_needs_credentials() {
    for args in [
        &["run", "i-0123456789abcdef0"][..],
        &["status"],
        &["policy", "list"],
        &["plan"],
        &["plan", "--region", "x"],
    ] {
        let output = run(args);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{args:?}");
    }
}
