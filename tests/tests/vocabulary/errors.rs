//! One vocabulary of errors, and every state ready for them.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::Value;
use stopgap_core::error::{AWS_ERROR_NAMES, ErrorName};
use stopgap_core::ports::Settings;
use stopgap_tests::definition::{Definition, errors, target};
use stopgap_tests::home;

/// What passes by itself: a request limit, a service that hiccups, a function that dies.
const PASSING: [&str; 10] = [
    "Throttled",
    "ServiceUnavailable",
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
];

#[test]
fn every_error_name_in_a_machine_is_ours_or_on_the_list_of_aws_names() {
    let mut used = BTreeSet::new();
    for definition in Definition::all() {
        for name in
            definition.values_of("ErrorEquals").into_iter().flat_map(|names| names.as_array().unwrap())
        {
            let name = name.as_str().unwrap();
            let known = name.parse::<ErrorName>().is_ok() || AWS_ERROR_NAMES.contains(&name);
            assert!(known, "{}: {name} is not in stopgap_core::error", definition.path);
            used.insert(name.to_owned());
        }
    }
    for name in AWS_ERROR_NAMES {
        assert!(used.contains(*name), "no machine names {name}: take it off the list");
    }
}

#[test]
fn no_task_waits_for_ever_and_every_retry_says_how_often() {
    for definition in Definition::all() {
        for state in definition.tasks() {
            let timeout = state.body["TimeoutSeconds"].as_u64();
            assert!(timeout.is_some(), "{}: {} has no TimeoutSeconds", definition.path, state.name);
            assert!(!state.retries().is_empty(), "{}: {} has no Retry", definition.path, state.name);
        }
        for state in definition.states() {
            for retry in state.retries() {
                let attempts = retry["MaxAttempts"].as_u64();
                assert!(attempts.is_some(), "{}: {} leaves MaxAttempts to AWS", definition.path, state.name);
                let interval = retry["IntervalSeconds"].as_u64();
                assert!(interval.is_some() || attempts == Some(0), "{}: IntervalSeconds", state.name);
            }
        }
    }
}

#[test]
fn a_wait_that_does_not_answer_is_given_up_when_its_limit_is_over() {
    let settings = Settings::new(home());
    let limits = [("WaitUntilStopped", settings.stop_limit), ("WaitUntilRunning", settings.run_limit)];
    let mut waits = 0;
    for definition in Definition::all() {
        let states = definition.states();
        let limited = states.iter().filter_map(|state| {
            let (_, limit) = limits.iter().find(|(name, _)| *name == state.name)?;
            Some((state, *limit))
        });
        for (state, limit) in limited {
            let timeout =
                state.retries().iter().find(|retry| errors(retry) == ["States.Timeout"]).expect("one");
            let number = |value: &Value| value.as_i64().expect("a number");
            let each = number(&state.body["TimeoutSeconds"]) + number(&timeout["IntervalSeconds"]);
            let patience = SignedDuration::from_secs(number(&timeout["MaxAttempts"]) * each);
            // Not before the function itself gives up, which says why.
            let enough = limit..limit + SignedDuration::from_mins(1);
            assert!(enough.contains(&patience), "{} {}: {patience:#}", definition.path, state.name);
            waits += 1;
        }
    }
    assert_eq!(waits, 3);
}

#[test]
fn every_state_that_calls_a_function_tries_again_what_passes_by_itself() {
    for definition in Definition::all() {
        for state in definition.tasks().into_iter().filter(|state| state.function().is_some()) {
            let retried: BTreeSet<&str> = state.retries().iter().flat_map(errors).collect();
            for error in PASSING.iter().chain(&["States.Timeout"]) {
                assert!(
                    retried.contains("States.ALL") || retried.contains(error),
                    "{}: {} does not retry {error}",
                    definition.path,
                    state.name
                );
            }
        }
    }
}

/// The table or the topic may be what failed: then telling it is the last thing to give up on.
#[test]
fn a_state_that_tells_of_a_failure_tries_again_whatever_it_meets() {
    for definition in Definition::all() {
        for state in definition.tasks().into_iter().filter(|state| state.name.starts_with("Notify")) {
            let retried: BTreeSet<&str> = state.retries().iter().flat_map(errors).collect();
            assert!(retried.contains("States.ALL"), "{}: {}", definition.path, state.name);
        }
    }
}

/// `ResolveRun` alone lets go of an error: what is wrong with the input is told to whoever started the execution.
#[test]
fn every_task_of_the_instance_machine_catches_whatever_can_be_caught() {
    let instance = Definition::instance();
    for state in instance.tasks() {
        let last = state.catches().last().unwrap_or(&Value::Null);
        if state.name == "ResolveRun" {
            let let_go = ["InvalidInput", "PolicyNotFound", "PolicyAmbiguous", "InstanceGone"];
            let caught: BTreeSet<&str> = state.catches().iter().flat_map(errors).collect();
            assert!(
                caught.is_superset(&PASSING.into()),
                "ResolveRun lets an error go that is nobody's fault"
            );
            assert!(let_go.iter().all(|error| !caught.contains(error)), "{caught:?}");
        } else {
            assert_eq!(errors(last), ["States.ALL"], "{} does not catch everything", state.name);
        }
    }
}

#[test]
fn every_error_is_kept_under_the_name_of_its_state() {
    let instance = Definition::instance();
    for state in instance.states() {
        for catch in state.catches() {
            let kept = format!("$.failures.{}", state.name);
            assert_eq!(catch["ResultPath"], kept, "{} to {}", state.name, target(catch));
        }
    }
}
