//! What a run came to, for programs and for people.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Value, json};
use stopgap_sim::stepfunctions::{Execution, HistoryEvent};

/// Writes to stdout. A reader that has gone away is no error.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// One document, shaped like `DescribeExecution` with the events of `GetExecutionHistory`.
pub(super) fn json(execution: &Execution, events: &[HistoryEvent]) -> String {
    let document = json!({
        "status": execution.status.as_str(),
        "output": execution.output.as_deref(),
        "error": execution.error,
        "cause": execution.cause,
        "events": events.iter().map(HistoryEvent::to_json).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

/// Status and output, and a line for each event.
pub(super) fn text(execution: &Execution, events: &[HistoryEvent]) -> String {
    let mut text = format!("{}\n", execution.status.as_str());
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("output", execution.output.as_deref().map(Value::to_string).as_deref());
    line("error", execution.error.as_deref());
    line("cause", execution.cause.as_deref());
    text.push('\n');
    for event in events {
        let what = ["name", "resource", "error"].into_iter().find_map(|field| event.detail(field)?.as_str());
        let index = event.detail("index").map(|index| format!("[{index}]")).unwrap_or_default();
        let _ = writeln!(
            text,
            "{:>5}  {:.3}  {:<24} {}{index}",
            event.id,
            event.timestamp,
            event.event_type,
            what.unwrap_or_default(),
        );
    }
    text
}
