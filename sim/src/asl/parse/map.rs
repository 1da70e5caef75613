//! A Map state, inline or distributed.

use serde_json::Value;

use super::fields::{Fields, kind};
use super::handlers;
use super::query_language;
use super::state::{paths, results, then};
use super::states;
use super::writer;
use crate::asl::model::{Batcher, Distributed, Graph, Io, Kind, Map, Percentage, Reader, Source};

const MAX_ITEMS: u64 = 100_000_000;

pub(super) fn map(fields: &Fields<'_>, io: &mut Io) -> Option<Kind> {
    paths(fields, io);
    results(fields, io);
    let (processor, distributed) = processor(fields);
    // `Parameters` is what `ItemSelector` was called before 2022; AWS still takes it.
    let selector = fields.template("ItemSelector");
    let parameters = fields.template("Parameters");
    if fields.has("ItemSelector") && fields.has("Parameters") {
        fields.error("Parameters", "is the old name of ItemSelector; keep one of the two");
    }
    let max_concurrency = fields.count("MaxConcurrency", "MaxConcurrencyPath", 0, MAX_ITEMS);
    let items_path = fields.data_path("ItemsPath");
    let reader = fields.get("ItemReader").and_then(|value| {
        let inner = Fields::of(value, fields.path("ItemReader"), fields.report)?;
        let reader = reader(&inner);
        inner.finish("an ItemReader");
        reader
    });
    let distributed = distributed_fields(fields, distributed);
    if fields.has("ItemReader") && fields.has("ItemsPath") && distributed.is_some() {
        fields.report.warn(fields.path("ItemsPath"), "is ignored: the items come from the ItemReader");
    }
    let errors = handlers::handlers(fields);
    let then = then(fields);
    Some(Kind::Map(Box::new(Map {
        processor: processor?,
        reader,
        items_path,
        item_selector: selector.or(parameters),
        max_concurrency,
        distributed,
        errors,
        then: then?,
    })))
}

/// `ItemProcessor`, or `Iterator`, as it was called before 2022.
fn processor(fields: &Fields<'_>) -> (Option<Graph>, Option<Distributed>) {
    let (new, old) = (fields.get("ItemProcessor"), fields.get("Iterator"));
    let (name, value) = match (new, old) {
        (Some(_), Some(_)) => {
            fields.error("Iterator", "is the old name of ItemProcessor; keep one of the two");
            return (None, None);
        }
        (Some(value), None) => ("ItemProcessor", value),
        (None, Some(value)) => ("Iterator", value),
        (None, None) => {
            fields.error("ItemProcessor", "is missing");
            return (None, None);
        }
    };
    let Some(inner) = Fields::of(value, fields.path(name), fields.report) else { return (None, None) };
    inner.comment();
    query_language(&inner);
    let distributed = config(&inner);
    let graph = states(&inner);
    inner.finish("an ItemProcessor");
    (graph, distributed)
}

fn config(fields: &Fields<'_>) -> Option<Distributed> {
    let inner = Fields::of(fields.get("ProcessorConfig")?, fields.path("ProcessorConfig"), fields.report)?;
    inner.comment();
    let mode = inner.text("Mode").unwrap_or("INLINE");
    let execution_type = inner.text("ExecutionType");
    let distributed = match mode {
        "INLINE" => {
            if execution_type.is_some() {
                let path = inner.path("ExecutionType");
                inner.report.warn(path, "does nothing: it belongs to \"Mode\": \"DISTRIBUTED\"");
            }
            None
        }
        "DISTRIBUTED" => Some(Distributed {
            express: match execution_type {
                Some("EXPRESS") => true,
                Some("STANDARD") => false,
                Some(other) => {
                    inner.error(
                        "ExecutionType",
                        format!("has to be \"STANDARD\" or \"EXPRESS\", not {other:?}"),
                    );
                    false
                }
                None => {
                    inner.error(
                        "ExecutionType",
                        "is missing; a distributed Map needs \"STANDARD\" or \"EXPRESS\"",
                    );
                    false
                }
            },
            ..Distributed::default()
        }),
        other => {
            inner.error("Mode", format!("has to be \"INLINE\" or \"DISTRIBUTED\", not {other:?}"));
            None
        }
    };
    inner.finish("a ProcessorConfig");
    distributed
}

fn distributed_fields(fields: &Fields<'_>, distributed: Option<Distributed>) -> Option<Distributed> {
    const ONLY_DISTRIBUTED: [&str; 8] = [
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "Label",
        "ToleratedFailureCount",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
    ];
    if distributed.is_none() {
        for name in ONLY_DISTRIBUTED.into_iter().filter(|name| fields.has(name)) {
            fields.error(
                name,
                "belongs to a distributed Map: \"ProcessorConfig\": {\"Mode\": \"DISTRIBUTED\", ...}",
            );
        }
    }
    let writer = fields.get("ResultWriter").and_then(|value| {
        let inner = Fields::of(value, fields.path("ResultWriter"), fields.report)?;
        let writer = writer::writer(&inner);
        inner.finish("a ResultWriter");
        writer
    });
    let label = fields.text("Label");
    if let Some(label) = label
        && (label.is_empty()
            || label.chars().count() > 40
            || label.contains(|c: char| {
                "?*<>{}[]:;,\\|^~$#%&`\"".contains(c) || c.is_whitespace() || c.is_control()
            }))
    {
        fields.error(
            "Label",
            "has to have 1 to 40 characters, without blanks, wildcards, brackets and special characters",
        );
    }
    let batcher = fields.get("ItemBatcher").and_then(|value| {
        let inner = Fields::of(value, fields.path("ItemBatcher"), fields.report)?;
        let batcher = batcher(&inner);
        inner.finish("an ItemBatcher");
        Some(batcher)
    });
    let tolerated_count = fields.count("ToleratedFailureCount", "ToleratedFailureCountPath", 0, MAX_ITEMS);
    let tolerated_percentage = percentage(fields);
    Some(Distributed {
        label: label.map(str::to_owned),
        batcher,
        writer,
        tolerated_count,
        tolerated_percentage,
        ..distributed?
    })
}

fn percentage(fields: &Fields<'_>) -> Option<Percentage> {
    const NAME: &str = "ToleratedFailurePercentage";
    const PATH: &str = "ToleratedFailurePercentagePath";
    let fixed = fields.get(NAME).and_then(|value| {
        let share = value.as_f64().filter(|share| (0.0..=100.0).contains(share));
        if share.is_none() {
            fields.error(NAME, format!("has to be a number between 0 and 100, not {}", kind(value)));
        }
        share.map(Percentage::Fixed)
    });
    let read = fields.data_path(PATH).map(Percentage::Path);
    if fields.has(NAME) && fields.has(PATH) {
        fields.error(NAME, format!("and {PATH} exclude each other; keep one of the two"));
    }
    fixed.or(read)
}

fn batcher(fields: &Fields<'_>) -> Batcher {
    fields.comment();
    let input = fields.template("BatchInput");
    let max_items = fields.count("MaxItemsPerBatch", "MaxItemsPerBatchPath", 1, MAX_ITEMS);
    let max_bytes = fields.count("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath", 1, 262_144);
    if max_items.is_none() && max_bytes.is_none() {
        fields.error_here("needs MaxItemsPerBatch or MaxInputBytesPerBatch (or their Path forms)");
    }
    Batcher { input, max_items, max_bytes }
}

fn reader(fields: &Fields<'_>) -> Option<Reader> {
    fields.comment();
    let resource = fields.required_text("Resource");
    let parameters = fields.template("Parameters");
    if parameters.is_none() && !fields.has("Parameters") {
        fields.error("Parameters", "is missing; it says where to read");
    }
    let config = match fields.get("ReaderConfig") {
        Some(value) => Some(Fields::of(value, fields.path("ReaderConfig"), fields.report)?),
        None => None,
    };
    let max_items = config.as_ref().and_then(|config| config.count("MaxItems", "MaxItemsPath", 0, MAX_ITEMS));
    let pointer = config.as_ref().and_then(items_pointer);
    let source = match resource.map(|resource| resource.rsplit_once(":::").map_or(resource, |(_, tail)| tail))
    {
        Some("s3:getObject") => input_type(fields, config.as_ref()),
        Some("s3:listObjectsV2") => Some(Source::Objects),
        Some(_) => {
            fields.error(
                "Resource",
                "has to be arn:aws:states:::s3:getObject or arn:aws:states:::s3:listObjectsV2",
            );
            None
        }
        None => None,
    };
    if let Some(config) = config {
        config.comment();
        config.finish("a ReaderConfig");
    }
    Some(Reader { source: source?, parameters: parameters?, pointer, max_items })
}

/// A JSON Pointer, for objects that are not an array themselves.
fn items_pointer(config: &Fields<'_>) -> Option<String> {
    let pointer = config.text("ItemsPointer")?;
    if !pointer.is_empty() && !pointer.starts_with('/') {
        config.error("ItemsPointer", format!("has to be a JSON Pointer such as /items, not {pointer:?}"));
    }
    Some(pointer.to_owned())
}

fn input_type(fields: &Fields<'_>, config: Option<&Fields<'_>>) -> Option<Source> {
    let Some(config) = config else {
        fields.error("ReaderConfig", "is missing; s3:getObject needs its InputType");
        return None;
    };
    if config.get("Transformation").is_some() {
        config.error("Transformation", "is not supported by this engine");
    }
    match config.required_text("InputType")? {
        "JSON" => Some(Source::Json),
        "JSONL" => Some(Source::JsonLines),
        "CSV" => csv(config),
        other @ ("MANIFEST" | "PARQUET") => {
            config.error(
                "InputType",
                format!("{other} is not supported by this engine; JSON, JSONL and CSV are"),
            );
            None
        }
        other => {
            config.error("InputType", format!("has to be JSON, JSONL or CSV, not {other:?}"));
            None
        }
    }
}

fn csv(config: &Fields<'_>) -> Option<Source> {
    let delimiter = match config.text("CSVDelimiter").unwrap_or("COMMA") {
        "COMMA" => b',',
        "PIPE" => b'|',
        "SEMICOLON" => b';',
        "SPACE" => b' ',
        "TAB" => b'\t',
        other => {
            config.error(
                "CSVDelimiter",
                format!("has to be COMMA, PIPE, SEMICOLON, SPACE or TAB, not {other:?}"),
            );
            return None;
        }
    };
    let headers = config.array("CSVHeaders").map(Vec::as_slice);
    let names =
        headers.map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>());
    match (config.required_text("CSVHeaderLocation")?, names) {
        ("FIRST_ROW", None) => Some(Source::Csv { delimiter, headers: None }),
        ("GIVEN", Some(names)) if !names.is_empty() => Some(Source::Csv { delimiter, headers: Some(names) }),
        ("FIRST_ROW", Some(_)) => {
            config.error("CSVHeaders", "belongs to \"CSVHeaderLocation\": \"GIVEN\"");
            None
        }
        ("GIVEN", _) => {
            config.error(
                "CSVHeaders",
                "is missing; \"CSVHeaderLocation\": \"GIVEN\" needs the names of the columns",
            );
            None
        }
        (other, _) => {
            config.error("CSVHeaderLocation", format!("has to be FIRST_ROW or GIVEN, not {other:?}"));
            None
        }
    }
}
