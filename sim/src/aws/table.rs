//! The table port: DynamoDB's conditions and transactions.

use std::collections::BTreeSet;
use std::ops::Bound;

use async_trait::async_trait;
use stopgap_core::ports::{Expect, Fault, FaultKind, Item, Key, Page, Table, Write, Written};

use super::Aws;

/// DynamoDB takes at most 100 writes in one transaction.
const TRANSACTION: usize = 100;
/// How many items a page of a query has. DynamoDB's end with 1 MB.
const PAGE: usize = 1_000;

fn key_of(write: &Write) -> &Key {
    let (Write::Put { key, .. } | Write::Delete { key, .. }) = write;
    key
}

/// What DynamoDB calls no transaction, if it is none.
fn invalid(writes: &[Write]) -> Option<String> {
    let keys: BTreeSet<&Key> = writes.iter().map(key_of).collect();
    if writes.is_empty() || writes.len() > TRANSACTION {
        return Some(format!("ValidationException: {} writes in one transaction", writes.len()));
    }
    (keys.len() < writes.len())
        .then(|| "ValidationException: a transaction cannot write one item more than once".to_owned())
}

fn holds(expect: Expect, version: Option<u64>) -> bool {
    match expect {
        Expect::Any => true,
        Expect::Absent => version.is_none(),
        Expect::Version(wanted) => version == Some(wanted),
    }
}

#[async_trait(?Send)]
impl Table for Aws {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.quick_request("GetItem").await;
        Ok(self.look(|world| {
            let (version, body) = world.table.get(key)?.clone();
            Some(Item { key: key.clone(), version, body })
        }))
    }

    async fn query(&self, partition: &str, token: Option<String>) -> Result<Page<Item>, Fault> {
        self.quick_request("Query").await;
        let mut items: Vec<Item> = self.look(|world| {
            let key = |sort: &str| Key { partition: partition.to_owned(), sort: sort.to_owned() };
            // A page goes on after the last key of the one before, whatever has become of that item.
            let first = token.map_or(Bound::Included(key("")), |last| Bound::Excluded(key(&last)));
            let of_partition = world.table.range((first, Bound::Unbounded));
            let of_partition = of_partition.take_while(|(key, _)| key.partition == partition);
            let item = |(key, (version, body)): (&Key, &(u64, serde_json::Value))| Item {
                key: key.clone(),
                version: *version,
                body: body.clone(),
            };
            of_partition.take(PAGE + 1).map(item).collect()
        });
        let is_last = items.len() <= PAGE;
        items.truncate(PAGE);
        let next = items.last().filter(|_| !is_last).map(|item| item.key.sort.clone());
        Ok(Page { items, next })
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Written, Fault> {
        const OPERATION: &str = "TransactWriteItems";
        self.quick_request(OPERATION).await;
        if let Some(message) = invalid(&writes) {
            return Err(Fault::new(OPERATION, FaultKind::Rejected, message));
        }
        Ok(self.change(|world| {
            world.items_written += u64::try_from(writes.len()).unwrap_or(0);
            let met = writes.iter().all(|write| {
                let (Write::Put { key, expect, .. } | Write::Delete { key, expect }) = write;
                holds(*expect, world.table.get(key).map(|(version, _)| *version))
            });
            if !met {
                return Written::Refused;
            }
            for write in writes {
                match write {
                    Write::Put { key, body, .. } => {
                        let version = world.table.get(&key).map_or(0, |(version, _)| *version) + 1;
                        world.table.insert(key, (version, body));
                    }
                    Write::Delete { key, .. } => {
                        world.table.remove(&key);
                    }
                }
            }
            Written::Done
        }))
    }
}
