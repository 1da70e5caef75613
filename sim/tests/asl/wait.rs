//! Wait, in all four forms.

use serde_json::{Value, json};

use crate::support::{Outcome, only, run};

fn wait(state: Value, input: Value) -> Outcome {
    let mut state = state;
    state["Type"] = json!("Wait");
    run(&only(state), input)
}

#[test]
fn waits_for_seconds_given_or_read() {
    assert_eq!(wait(json!({"Seconds": 10}), json!({})).seconds(), 10);
    assert_eq!(wait(json!({"Seconds": 0}), json!({})).seconds(), 0);
    assert_eq!(wait(json!({"SecondsPath": "$.s"}), json!({"s": 90})).seconds(), 90);
}

#[test]
fn waits_until_a_time_given_or_read() {
    assert_eq!(wait(json!({"Timestamp": "2026-01-01T01:00:00Z"}), json!({})).seconds(), 3600);
    assert_eq!(
        wait(json!({"TimestampPath": "$.t"}), json!({"t": "2026-01-01T01:00:00+00:30"})).seconds(),
        1800
    );
}

#[test]
fn does_not_wait_for_a_time_that_has_passed() {
    assert_eq!(wait(json!({"Timestamp": "2020-01-01T00:00:00Z"}), json!({})).seconds(), 0);
}

#[test]
fn hands_on_its_input() {
    let outcome = wait(json!({"Seconds": 1}), json!({"a": 1}));
    assert_eq!(outcome.output(), json!({"a": 1}));
    assert_eq!(
        outcome.types(),
        ["ExecutionStarted", "WaitStateEntered", "WaitStateExited", "ExecutionSucceeded"]
    );
}

#[test]
fn what_is_no_duration_or_time_ends_the_execution() {
    for (state, input) in [
        (json!({"SecondsPath": "$.s"}), json!({"s": "10"})),
        (json!({"SecondsPath": "$.s"}), json!({"s": -1})),
        (json!({"SecondsPath": "$.s"}), json!({"s": 1.5})),
        (json!({"SecondsPath": "$.s"}), json!({})),
        (json!({"TimestampPath": "$.s"}), json!({"s": "tomorrow"})),
        (json!({"TimestampPath": "$.s"}), json!({"s": 1})),
    ] {
        assert_eq!(wait(state.clone(), input.clone()).error().0, "States.Runtime", "{state} {input}");
    }
}

#[test]
fn what_is_wrong_with_a_duration_or_time_is_said_in_the_words_of_aws() {
    let prefix = "An error occurred while executing the state 'It' (entered at the event id #2). ";
    for (state, input, cause) in [
        (
            json!({"SecondsPath": "$.s"}),
            json!({"s": "soon"}),
            "The SecondsPath parameter cannot be parsed as a long value: $.s == soon",
        ),
        (
            json!({"SecondsPath": "$.s"}),
            json!({"s": -1}),
            "The SecondsPath parameter references a negative value: $.s == -1",
        ),
        (
            json!({"SecondsPath": "$.s"}),
            json!({}),
            "The SecondsPath parameter does not reference an input value: $.s",
        ),
        (
            json!({"TimestampPath": "$.t"}),
            json!({"t": "2016-12-05 21:29:29Z"}),
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: \
             $.t == 2016-12-05 21:29:29Z",
        ),
    ] {
        let outcome = wait(state, input);
        assert_eq!(outcome.error(), ("States.Runtime", format!("{prefix}{cause}").as_str()));
    }
}
