//! The table port on DynamoDB.
//!
//! An item has the key attributes `partition` and `sort`, a number `version`, the content as JSON text in `body`, and, where
//! it may expire, `expires_at` in epoch seconds (the table's TTL attribute).
//!
//! Every write is a transaction, a single one too: TransactWriteItems takes a client token, so that a retry of a write
//! whose answer was lost does not find its own condition broken.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
use serde_json::Value;
use stopgap_core::ports::{Expect, Fault, FaultKind, Item, Key, Page, Table, Write, Written};

use crate::classify::fault;
use crate::sdk::telling;

const PARTITION: &str = "partition";
const SORT: &str = "sort";
const VERSION: &str = "version";
const BODY: &str = "body";

type Attributes = HashMap<String, AttributeValue>;

/// The table.
pub(crate) struct DynamoTable {
    client: Client,
    name: String,
}

impl DynamoTable {
    pub(crate) fn new(sdk: &SdkConfig, name: &str) -> Self {
        Self { client: Client::new(&telling(sdk)), name: name.to_owned() }
    }

    fn delete(&self, key: Key, expect: Expect) -> TransactWriteItem {
        let (condition, values) = condition(expect);
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(attributes(&key)))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names(expect))
            .set_expression_attribute_values((!values.is_empty()).then_some(values));
        // The builder asks for table and key, which are given.
        TransactWriteItem::builder().set_delete(delete.build().ok()).build()
    }

    /// An update and not a put, so that the version goes on rising whatever the condition.
    fn put(
        &self,
        key: &Key,
        expect: Expect,
        body: &Value,
        expires_at: Option<jiff::Timestamp>,
    ) -> TransactWriteItem {
        let (condition, mut values) = condition(expect);
        values.insert(":body".to_owned(), AttributeValue::S(body.to_string()));
        values.insert(":zero".to_owned(), number(0));
        values.insert(":one".to_owned(), number(1));
        let set = "SET body = :body, version = if_not_exists(version, :zero) + :one";
        let update = match expires_at {
            Some(at) => {
                values.insert(":expires_at".to_owned(), number(at.as_second()));
                format!("{set}, expires_at = :expires_at")
            }
            None => format!("{set} REMOVE expires_at"),
        };
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(attributes(key)))
            .update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names(expect))
            .set_expression_attribute_values(Some(values));
        TransactWriteItem::builder().set_update(update.build().ok()).build()
    }
}

#[async_trait(?Send)]
impl Table for DynamoTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        const OPERATION: &str = "GetItem";
        let request = self.client.get_item().table_name(&self.name).set_key(Some(attributes(key)));
        let answer = request.consistent_read(true).send().await.map_err(|error| fault(OPERATION, error))?;
        answer.item.map(|item| read(OPERATION, item)).transpose()
    }

    async fn query(&self, partition: &str, page: Option<String>) -> Result<Page<Item>, Fault> {
        const OPERATION: &str = "Query";
        let start = page.map(|sort| attributes(&Key { partition: partition.to_owned(), sort }));
        let request = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#partition = :partition")
            // `partition` is a reserved word of DynamoDB's expressions.
            .expression_attribute_names("#partition", PARTITION)
            .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()))
            .set_exclusive_start_key(start)
            .consistent_read(true);
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        let next = answer.last_evaluated_key.map(|key| text(OPERATION, &key, SORT)).transpose()?;
        let items = answer.items.unwrap_or_default().into_iter().map(|item| read(OPERATION, item));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Written, Fault> {
        const OPERATION: &str = "TransactWriteItems";
        let items = writes.into_iter().map(|write| match write {
            Write::Put { key, expect, body, expires_at } => self.put(&key, expect, &body, expires_at),
            Write::Delete { key, expect } => self.delete(key, expect),
        });
        let request = self.client.transact_write_items().set_transact_items(Some(items.collect()));
        match request.send().await {
            Ok(_) => Ok(Written::Done),
            Err(error) => match cancelled(&error) {
                Some(Cancelled::Condition) => Ok(Written::Refused),
                Some(Cancelled::Other(kind, reasons)) => Err(Fault::new(OPERATION, kind, reasons)),
                None => Err(fault(OPERATION, error)),
            },
        }
    }
}

/// Why a transaction was cancelled.
enum Cancelled {
    /// A condition did not hold.
    Condition,
    /// Something else, in words.
    Other(FaultKind, String),
}

/// Why a transaction was cancelled, if that is what happened.
fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Cancelled> {
    let Some(TransactWriteItemsError::TransactionCanceledException(why)) = error.as_service_error() else {
        return None;
    };
    let codes: Vec<&str> = why.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    // Some reasons pass by themselves, such as another transaction on the same item: then the condition was not judged.
    let passes = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    let kind = if codes.iter().any(|code| passes.contains(code)) {
        FaultKind::Throttled
    } else if codes.contains(&"ConditionalCheckFailed") {
        return Some(Cancelled::Condition);
    } else {
        FaultKind::Rejected
    };
    Some(Cancelled::Other(kind, format!("TransactionCanceledException: {}", codes.join(", "))))
}

/// The condition for what is expected, and the values in it.
fn condition(expect: Expect) -> (Option<String>, Attributes) {
    match expect {
        Expect::Any => (None, Attributes::new()),
        Expect::Absent => (Some("attribute_not_exists(#partition)".to_owned()), Attributes::new()),
        // An item that somebody put by hand without a version is read as version 0.
        Expect::Version(0) => {
            let unversioned = "attribute_exists(#partition) AND attribute_not_exists(version)";
            (Some(unversioned.to_owned()), Attributes::new())
        }
        Expect::Version(version) => {
            let values = Attributes::from([(":version".to_owned(), number(version))]);
            (Some("version = :version".to_owned()), values)
        }
    }
}

fn names(expect: Expect) -> Option<HashMap<String, String>> {
    let named = matches!(expect, Expect::Absent | Expect::Version(0));
    named.then(|| HashMap::from([("#partition".to_owned(), PARTITION.to_owned())]))
}

fn attributes(key: &Key) -> Attributes {
    Attributes::from([
        (PARTITION.to_owned(), AttributeValue::S(key.partition.clone())),
        (SORT.to_owned(), AttributeValue::S(key.sort.clone())),
    ])
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text(operation: &'static str, item: &Attributes, name: &str) -> Result<String, Fault> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.cloned().ok_or_else(|| {
        Fault::new(operation, FaultKind::Malformed, format!("an item has no text in its attribute `{name}`"))
    })
}

fn read(operation: &'static str, item: Attributes) -> Result<Item, Fault> {
    let key = Key { partition: text(operation, &item, PARTITION)?, sort: text(operation, &item, SORT)? };
    let malformed = |what: String| {
        let message = format!("the item `{}`, `{}` {what}", key.partition, key.sort);
        Fault::new(operation, FaultKind::Malformed, message)
    };
    let version = match item.get(VERSION) {
        None => 0,
        Some(value) => value
            .as_n()
            .ok()
            .and_then(|version| version.parse().ok())
            .ok_or_else(|| malformed("has a `version` that is no whole number".to_owned()))?,
    };
    let body = serde_json::from_str(&text(operation, &item, BODY)?)
        .map_err(|error| malformed(format!("has a `body` that is no JSON: {error}")))?;
    Ok(Item { key, version, body })
}
