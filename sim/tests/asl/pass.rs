//! Pass, and the input and output processing it shows in its plainest form.

use serde_json::json;

use crate::support::{only, run};

#[test]
fn hands_on_its_input() {
    let outcome = run(&only(json!({"Type": "Pass"})), json!({"a": 1}));
    assert_eq!(outcome.output(), json!({"a": 1}));
    assert_eq!(
        outcome.chain(),
        ["ExecutionStarted 1<-0", "PassStateEntered 2<-0", "PassStateExited 3<-2", "ExecutionSucceeded 4<-3"]
    );
}

#[test]
fn puts_its_result_where_the_result_path_says() {
    let state = json!({"Type": "Pass", "Result": {"x-datum": 0.381}, "ResultPath": "$.coords"});
    let outcome = run(&only(state), json!({"georefOf": "Home"}));
    assert_eq!(outcome.output(), json!({"georefOf": "Home", "coords": {"x-datum": 0.381}}));
}
