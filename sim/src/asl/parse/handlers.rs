//! `Retry` and `Catch`.

use serde_json::Value;

use super::MAX_SECONDS;
use super::fields::{Fields, kind};
use crate::asl::model::{Catcher, Handlers, Retrier};

/// The names that AWS defines; other names must not begin with `States.`.
pub(crate) const STATES_ERRORS: &[&str] = &[
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
];

pub(super) fn handlers(fields: &Fields<'_>) -> Handlers {
    Handlers { retry: each(fields, "Retry", retrier), catch: each(fields, "Catch", catcher) }
}

fn each<T>(
    fields: &Fields<'_>,
    name: &'static str,
    parse: impl Fn(&Fields<'_>, bool) -> Option<T>,
) -> Vec<T> {
    let items = fields.array(name).map(Vec::as_slice).unwrap_or_default();
    let at = fields.path(name);
    let what = if name == "Retry" { "a retrier" } else { "a catcher" };
    let parsed = items.iter().enumerate().filter_map(|(index, item)| {
        let inner = Fields::of(item, format!("{at}[{index}]"), fields.report)?;
        let parsed = parse(&inner, index + 1 == items.len());
        inner.finish(what);
        parsed
    });
    parsed.collect()
}

fn retrier(fields: &Fields<'_>, is_last: bool) -> Option<Retrier> {
    fields.comment();
    let errors = error_equals(fields, is_last);
    let interval = fields.integer("IntervalSeconds", 1, MAX_SECONDS);
    let max_attempts = fields.integer("MaxAttempts", 0, MAX_SECONDS);
    let backoff_rate = backoff(fields);
    let max_delay_seconds = fields.integer("MaxDelaySeconds", 1, 31_622_400);
    if let Some(max) = max_delay_seconds
        && max <= interval.unwrap_or(1)
    {
        fields.error(
            "MaxDelaySeconds",
            format!(
                "is {max}, but has to be greater than IntervalSeconds, which is {}",
                interval.unwrap_or(1)
            ),
        );
    }
    let full_jitter = match fields.text("JitterStrategy") {
        None | Some("NONE") => false,
        Some("FULL") => true,
        Some(other) => {
            fields.error("JitterStrategy", format!("has to be \"FULL\" or \"NONE\", not {other:?}"));
            false
        }
    };
    Some(Retrier {
        errors: errors?,
        interval_seconds: interval.unwrap_or(1),
        max_attempts: max_attempts.unwrap_or(3),
        backoff_rate,
        max_delay_seconds,
        full_jitter,
    })
}

fn backoff(fields: &Fields<'_>) -> f64 {
    let Some(value) = fields.get("BackoffRate") else { return 2.0 };
    match value.as_f64() {
        Some(rate) if rate >= 1.0 => rate,
        _ => {
            fields.error("BackoffRate", format!("has to be a number of at least 1, not {}", kind(value)));
            2.0
        }
    }
}

fn catcher(fields: &Fields<'_>, is_last: bool) -> Option<Catcher> {
    fields.comment();
    let errors = error_equals(fields, is_last);
    let result_path = fields.result_path();
    let next = fields.required_text("Next");
    Some(Catcher { errors: errors?, result_path, next: next?.to_owned() })
}

/// HTTP tasks have an error for each status code: `States.Http.StatusCode.429`.
fn is_unknown(name: &str) -> bool {
    name.starts_with("States.") && !name.starts_with("States.Http.") && !STATES_ERRORS.contains(&name)
}

fn error_equals(fields: &Fields<'_>, is_last: bool) -> Option<Vec<String>> {
    if !fields.has("ErrorEquals") {
        fields.get("ErrorEquals");
        fields.error("ErrorEquals", "is missing");
        return None;
    }
    let items = fields.array("ErrorEquals")?;
    if items.is_empty() {
        fields.error("ErrorEquals", "has to name at least one error");
        return None;
    }
    let mut names = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = format!("{}[{index}]", fields.path("ErrorEquals"));
        match item {
            Value::String(name) if is_unknown(name) => fields.report.error(
                at,
                format!(
                    "is {name}, which is not an error of the language; it has {}",
                    STATES_ERRORS.join(", ")
                ),
            ),
            Value::String(name) => names.push(name.clone()),
            other => fields.report.error(at, format!("has to be the name of an error, not {}", kind(other))),
        }
    }
    if names.iter().any(|name| name == "States.ALL") {
        if items.len() > 1 {
            fields.error("ErrorEquals", "has States.ALL beside other names; it has to stand alone");
        }
        if !is_last {
            fields.error(
                "ErrorEquals",
                "has States.ALL, so it has to be the last one: nothing after it is reached",
            );
        }
    }
    Some(names)
}
