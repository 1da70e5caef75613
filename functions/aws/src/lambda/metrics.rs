//! Metrics in CloudWatch's embedded metric format: a JSON line on stdout, which CloudWatch Logs makes metrics of.
//!
//! No call, no agent, and nothing to lose when the process ends.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use stopgap_core::measure::Measure;

/// The metrics' namespace.
const NAMESPACE: &str = "stopgap";

/// Prints the measurements of one invocation, if there are any.
pub(super) fn print(function: &str, at: Timestamp, measures: &[Measure]) {
    if let Some(line) = line(function, at, measures) {
        println!("{line}");
    }
}

fn line(function: &str, at: Timestamp, measures: &[Measure]) -> Option<Value> {
    if measures.is_empty() {
        return None;
    }
    let metrics: Vec<Value> = measures
        .iter()
        .map(|measure| json!({ "Name": measure.name, "Unit": measure.unit.as_str() }))
        .collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [
                { "Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics }
            ],
        }),
    );
    line.insert("Function".to_owned(), json!(function));
    line.extend(measures.iter().map(|measure| (measure.name.to_owned(), json!(measure.value))));
    Some(Value::Object(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_each_metric_with_its_unit_and_has_its_value() {
        let measures = [Measure::count("BackupsCompleted", 1), Measure::seconds("DownSeconds", 61)];
        let line = line("close-run", Timestamp::UNIX_EPOCH, &measures).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "stopgap");
        assert_eq!(directive["Metrics"][1], json!({ "Name": "DownSeconds", "Unit": "Seconds" }));
        assert_eq!((&line["DownSeconds"], &line["Function"]), (&json!(61.0), &json!("close-run")));
    }

    #[test]
    fn nothing_measured_is_nothing_printed() {
        assert_eq!(line("wait", Timestamp::UNIX_EPOCH, &[]), None);
    }
}
