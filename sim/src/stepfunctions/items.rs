//! Where a Distributed Map gets its items from: `ItemReader`.

use std::borrow::Cow;

use futures::future::LocalBoxFuture;
use serde_json::{Map as Object, Value, json};

use super::TaskFailure;
use super::context::Entered;
use super::failure::Failure;
use crate::asl::model::{Reader, Source};

/// Objects in buckets, as far as an `ItemReader` reads them.
pub trait ObjectStore {
    /// The content of an object.
    fn get(&self, bucket: &str, key: &str) -> LocalBoxFuture<'static, Result<Vec<u8>, TaskFailure>>;
    /// What `ListObjectsV2` says of the objects under a prefix, in order of key: `Key`, `Size`, `ETag` and so on.
    fn list(&self, bucket: &str, prefix: &str) -> LocalBoxFuture<'static, Result<Vec<Value>, TaskFailure>>;
}

/// Reads the items.
pub(super) async fn read(
    entered: &Entered<'_>,
    reader: &Reader,
    input: &Value,
) -> Result<Vec<Value>, Failure> {
    let failed = |cause: String| Failure::new("States.ItemReaderFailed", cause);
    let store = entered.thread.service.settings.objects.clone();
    let store = store.ok_or_else(|| failed("There are no objects to read from.".into()))?;
    let parameters = entered.fill(Some(&reader.parameters), Cow::Borrowed(input))?;
    let text = |name: &str| parameters.get(name).and_then(Value::as_str);
    let bucket =
        text("Bucket").ok_or_else(|| failed("Bucket is missing in the Parameters, or not a text.".into()))?;
    let problem = |failure: TaskFailure| failed(format!("{}: {}", failure.error, failure.cause));
    let mut items = if reader.source == Source::Objects {
        store.list(bucket, text("Prefix").unwrap_or_default()).await.map_err(problem)?
    } else {
        let key =
            text("Key").ok_or_else(|| failed("Key is missing in the Parameters, or not a text.".into()))?;
        let content = store.get(bucket, key).await.map_err(problem)?;
        parse(reader, &content).map_err(|cause| failed(format!("{bucket}/{key} {cause}")))?
    };
    if let Some(max) = &reader.max_items {
        let max = entered
            .map_count(max, "MaxItemsPath", input, |_| failed("field MaxItems must be positive".into()))?;
        items.truncate(match usize::try_from(max) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(max) => max,
        });
    }
    Ok(items)
}

fn parse(reader: &Reader, content: &[u8]) -> Result<Vec<Value>, String> {
    match &reader.source {
        Source::Json => json_items(reader.pointer.as_deref().unwrap_or_default(), content),
        Source::JsonLines => content
            .split(|byte| *byte == b'\n')
            .enumerate()
            .filter(|(_, line)| !line.trim_ascii().is_empty())
            .map(|(number, line)| {
                serde_json::from_slice(line)
                    .map_err(|error| format!("has an invalid line {}: {error}.", number + 1))
            })
            .collect(),
        Source::Csv { delimiter, headers } => csv(content, *delimiter, headers.as_deref()),
        // Objects are listed, not read.
        Source::Objects => Ok(Vec::new()),
    }
}

/// AWS: what `ItemsPointer` points to is an array of items, or an object whose fields are the items.
fn json_items(pointer: &str, content: &[u8]) -> Result<Vec<Value>, String> {
    let document: Value =
        serde_json::from_slice(content).map_err(|error| format!("is not valid JSON: {error}."))?;
    match document.pointer(pointer) {
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(Value::Object(fields)) => {
            Ok(fields.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect())
        }
        Some(_) => Err("cannot be read: Attempting to map over non-iterable node.".into()),
        None => Err(
            "cannot be read: The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure."
                .into(),
        ),
    }
}

/// AWS: every value is a text; the keys are the names of the columns.
fn csv(content: &[u8], delimiter: u8, headers: Option<&[String]>) -> Result<Vec<Value>, String> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(content);
    let mut rows = reader.records();
    let names: Vec<String> = match headers {
        Some(names) => names.to_vec(),
        None => match rows.next() {
            Some(Ok(row)) => row.iter().map(str::to_owned).collect(),
            Some(Err(error)) => return Err(format!("has an invalid first row: {error}.")),
            None => return Ok(Vec::new()),
        },
    };
    rows.map(|row| {
        let row = row.map_err(|error| format!("is not valid CSV: {error}."))?;
        let fields = names.iter().zip(row.iter().chain(std::iter::repeat("")));
        Ok(Value::Object(
            fields.map(|(name, field)| (name.clone(), Value::from(field))).collect::<Object<_, _>>(),
        ))
    })
    .collect()
}
