//! What an invocation is about, for its log lines: read from the payload before the task does.

use serde_json::Value;

/// Execution, instance and occurrence; what a payload does not name is left out of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct About<'a> {
    pub(super) execution: Option<&'a str>,
    pub(super) instance: Option<&'a str>,
    pub(super) occurrence: Option<&'a str>,
}

/// Reads what `payload` is about: a state's document, an execution's own input, a ticket, or an event.
pub(super) fn of(payload: &Value) -> About<'_> {
    let first = |paths: &[&str]| paths.iter().find_map(|path| payload.pointer(path)?.as_str());
    About {
        execution: first(&["/document/run/execution", "/execution", "/fleet/execution"]),
        instance: first(&[
            "/document/run/instance_id",
            "/request/instance_id",
            "/unserved/instance_id",
            "/detail/instance-id",
        ]),
        occurrence: first(&["/document/run/occurrence", "/request/occurrence", "/unserved/occurrences/0"]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_an_input_a_ticket_and_an_event_each_say_what_they_are_about() {
        let run = json!({ "state": "StopInstance", "document": { "run": {
            "execution": "arn:x", "instance_id": "i-1", "occurrence": "p/2026-11-21T02:00:00Z" } } });
        let about = of(&run);
        assert_eq!(about.execution, Some("arn:x"));
        assert_eq!(about.instance, Some("i-1"));
        assert_eq!(about.occurrence, Some("p/2026-11-21T02:00:00Z"));

        let input = json!({ "execution": "arn:y", "request": { "instance_id": "i-2" } });
        assert_eq!((of(&input).execution, of(&input).instance), (Some("arn:y"), Some("i-2")));
        let ticket = json!({ "unserved": { "instance_id": "i-3", "occurrences": ["p/t", "p/u"] } });
        assert_eq!((of(&ticket).instance, of(&ticket).occurrence), (Some("i-3"), Some("p/t")));
        assert_eq!(of(&json!({ "detail": { "instance-id": "i-4" } })).instance, Some("i-4"));
        assert_eq!(of(&json!([1, "document"])), About::default());
    }
}
