//! `stopgap schedule`: when an expression occurs, and what it means.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::process::Output;

use jiff::Timestamp;
use serde_json::{Value, json};
use stopgap_tests::stopgap;

fn run(args: &[&str]) -> Output {
    stopgap().arg("schedule").args(args).output().unwrap()
}

fn answer(args: &[&str]) -> Value {
    let output = run(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The table is computed by `tests/data/schedules.py`, which shares no code with stopgap.
#[test]
fn expressions_occur_when_an_independent_reading_of_the_documentation_says() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../data/schedules.json")).unwrap();
    assert!(rows.len() >= 60, "{}", rows.len());
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap();
        let count = row["count"].to_string();
        let args =
            [text("expression"), "--timezone", text("timezone"), "--from", text("from"), "--count", &count];
        assert_eq!(answer(&args)["times"], row["times"], "{args:?}");
    }
}

#[test]
fn the_answer_is_the_times_and_the_meaning_and_nothing_else() {
    let args = [
        "cron(0 2 ? * MON-FRI *)",
        "--timezone",
        "America/Chicago",
        "--from",
        "2026-10-30T07:00:00Z",
        "--count",
        "2",
    ];
    assert_eq!(
        answer(&args),
        json!({
            "times": ["2026-10-30T02:00:00-05:00", "2026-11-02T02:00:00-06:00"],
            "description": "At 02:00 on Mondays to Fridays (America/Chicago)"
        })
    );
    let text = String::from_utf8(run(&args).stdout).unwrap();
    assert_eq!(
        text,
        "At 02:00 on Mondays to Fridays (America/Chicago).\n\n 2026-10-30T02:00:00-05:00  Fri\n 2026-11-02T02:00:00-06:00  Mon\n"
    );
}

#[test]
fn what_ends_says_that_it_does_and_what_never_comes_is_not_searched_for_ever() {
    let from = ["--from", "2026-11-20T00:00:00Z", "--count", "100000"];
    let text =
        |expression: &str| String::from_utf8(run(&[&[expression][..], &from].concat()).stdout).unwrap();
    assert!(
        text("cron(0 0 1 1 ? 2027)").ends_with(" 2027-01-01T00:00:00+00:00  Fri\n and none after that\n")
    );
    for never in [
        "cron(0 0 30 2 ? *)",
        "cron(0 0 31W 4,6,9,11 ? *)",
        "cron(* * * * ? 2025)",
        "at(2025-01-01T00:00:00)",
    ] {
        assert!(text(never).ends_with("\n no time from 2026-11-20T00:00:00+00:00 on\n"), "{never}");
    }
}

#[test]
fn without_options_it_begins_now_in_utc_with_ten() {
    let answer = answer(&["rate(1 minute)"]);
    let times: Vec<Timestamp> =
        answer["times"].as_array().unwrap().iter().map(|t| t.as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(times.len(), 10);
    // The files of this repository are older than any run of its tests.
    let written = std::fs::metadata(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    assert!(times[0] > Timestamp::try_from(written.modified().unwrap()).unwrap());
}

#[test]
fn bad_input_is_refused_with_what_would_be_right() {
    for (args, says) in [
        (&["cron(0 2 * * *)"][..], "cron(0 2 * * ? *)"),
        (&["rate(1 hour)", "--timezone", "America/Chigaco"], "did you mean `America/Chicago`?"),
        (&["rate(1 hour)", "--from", "2026-11-20"], "2026-11-21T02:00:00Z"),
        (&["rate(1 hour)", "--count", "100001"], "1..=100000"),
        (&["rate(1 hour)", "--count", "0"], "1..=100000"),
    ] {
        let output = run(&[args, &["--json"]].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(output.stdout.is_empty());
        assert!(error.contains(says), "{args:?}: {error}");
    }
}
