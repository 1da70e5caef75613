//! The `ResultWriter` of a distributed Map.

use super::fields::Fields;
use crate::asl::model::{Transformation, Writer};

/// AWS: an export needs both `Resource` and `Parameters`; `WriterConfig` alone hands the results on.
pub(super) fn writer(fields: &Fields<'_>) -> Option<Writer> {
    fields.comment();
    let resource = fields.text("Resource");
    if resource.is_some_and(|resource| !resource.contains("${") && !resource.ends_with(":::s3:putObject")) {
        fields.error("Resource", "has to be arn:aws:states:::s3:putObject");
    }
    let destination = fields.template("Parameters");
    match (fields.has("Resource"), fields.has("Parameters")) {
        (true, false) => fields.error("Parameters", "is missing; it says where to write"),
        (false, true) => fields.error("Resource", "is missing; it has to be arn:aws:states:::s3:putObject"),
        (false, false) if !fields.has("WriterConfig") => {
            fields.error_here("needs Resource and Parameters, a WriterConfig, or all of them");
        }
        _ => {}
    }
    let transformation = match fields.get("WriterConfig") {
        None => Transformation::None,
        Some(value) => {
            let inner = Fields::of(value, fields.path("WriterConfig"), fields.report)?;
            let transformation = transformation(&inner);
            inner.finish("a WriterConfig");
            transformation?
        }
    };
    Some(Writer { destination, transformation })
}

fn transformation(config: &Fields<'_>) -> Option<Transformation> {
    config.comment();
    if let Some(other) = config.text("OutputType").filter(|kind| !matches!(*kind, "JSON" | "JSONL")) {
        config.error("OutputType", format!("has to be JSON or JSONL, not {other:?}"));
    }
    match config.text("Transformation").unwrap_or("NONE") {
        "NONE" => Some(Transformation::None),
        "COMPACT" => Some(Transformation::Compact),
        "FLATTEN" => Some(Transformation::Flatten),
        other => {
            config.error("Transformation", format!("has to be NONE, COMPACT or FLATTEN, not {other:?}"));
            None
        }
    }
}
