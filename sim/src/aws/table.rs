//! The table port: DynamoDB's conditions and transactions.

use async_trait::async_trait;
use stopgap_core::ports::{Expect, Fault, FaultKind, Item, Key, Page, Table, Write, Written};

use super::{Aws, ec2};

/// DynamoDB takes at most 100 writes in one transaction.
const TRANSACTION: usize = 100;

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
        let items = self.look(|world| {
            let first = Key { partition: partition.to_owned(), sort: String::new() };
            let of_partition = world.table.range(first..).take_while(|(key, _)| key.partition == partition);
            let item = |(key, (version, body)): (&Key, &(u64, serde_json::Value))| Item {
                key: key.clone(),
                version: *version,
                body: body.clone(),
            };
            of_partition.map(item).collect()
        });
        Ok(ec2::page(items, token))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Written, Fault> {
        const OPERATION: &str = "TransactWriteItems";
        self.quick_request(OPERATION).await;
        if writes.len() > TRANSACTION {
            let message = format!("ValidationException: {} writes in one transaction", writes.len());
            return Err(Fault::new(OPERATION, FaultKind::Rejected, message));
        }
        Ok(self.change(|world| {
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
