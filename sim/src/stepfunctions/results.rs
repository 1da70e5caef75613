//! What a Map Run leaves behind: `ResultWriter`.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Value, json};

use super::context::Entered;
use super::execution::{Execution, Line};
use super::failure::Failure;
use super::iso;
use crate::asl::model::{Transformation, Writer};

/// The result of a Map Run that succeeded. Without a writer it is what the children put out, in the order of the items.
///
/// An export is not written anywhere: its result says where AWS would have put the manifest.
pub(super) fn of(
    entered: &Entered<'_>,
    writer: Option<&Writer>,
    map_run: &str,
    lines: &[Rc<Line>],
    input: &Value,
) -> Result<Value, Failure> {
    let outputs = || lines.iter().filter_map(|line| line.output.borrow().as_deref().cloned());
    let Some(writer) = writer else { return Ok(outputs().collect()) };
    if let Some(destination) = &writer.destination {
        let destination = entered.fill(Some(destination), Cow::Borrowed(input))?;
        let text = |name: &str| destination.get(name).and_then(Value::as_str);
        let bucket = text("Bucket").filter(|bucket| !bucket.is_empty()).ok_or_else(|| {
            Failure::new(
                "States.ResultWriterFailed",
                "Bucket is missing in the Parameters of the ResultWriter, or not a text.",
            )
        })?;
        let id = map_run.rsplit(':').next().unwrap_or(map_run);
        let key = match text("Prefix").unwrap_or_default().trim_end_matches('/') {
            "" => format!("{id}/manifest.json"),
            prefix => format!("{prefix}/{id}/manifest.json"),
        };
        return Ok(json!({"MapRunArn": map_run, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}));
    }
    Ok(match writer.transformation {
        Transformation::Compact => outputs().collect(),
        Transformation::Flatten => outputs()
            .flat_map(|output| match output {
                Value::Array(items) => items,
                other => vec![other],
            })
            .collect(),
        Transformation::None => {
            let service = entered.thread.service;
            let children = lines.iter().filter_map(|line| service.find(line.child.borrow().as_deref()?));
            children.map(|child| record(&child.describe())).collect()
        }
    })
}

/// A child as AWS describes it in the files of an export.
fn record(child: &Execution) -> Value {
    let can = if child.output.is_some() { "cannot" } else { "can" };
    let mut record = json!({
        "ExecutionArn": child.arn,
        "Input": child.input.to_string(),
        "InputDetails": {"Included": true},
        "Name": child.name,
        "RedriveCount": child.redrive_count,
        "RedriveStatus": if child.output.is_some() { "NOT_REDRIVABLE" } else { "REDRIVABLE" },
        "RedriveStatusReason": format!("Execution is {} and {can} be redriven", child.status.as_str()),
        "StartDate": iso(child.started),
        "StateMachineArn": child.machine_arn,
        "Status": child.status.as_str(),
        "StopDate": child.stopped.map(iso),
        "OutputDetails": {"Included": child.output.is_some()},
    });
    if let Some(output) = &child.output {
        record["Output"] = Value::from(output.to_string());
    }
    for (name, text) in [("Error", &child.error), ("Cause", &child.cause)] {
        if let Some(text) = text {
            record[name] = Value::from(text.as_str());
        }
    }
    record
}
