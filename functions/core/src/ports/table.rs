//! The one DynamoDB table, as far as the domain needs it: items under a key, written under conditions.
//!
//! The port is a table and not a "lease store" so that what a lease *means* is decided once, in [`crate::records`],
//! and the adapters stay too small to differ.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::{Fault, Page};

/// An item's key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition key.
    pub partition: String,
    /// The sort key.
    pub sort: String,
}

/// An item as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its key.
    pub key: Key,
    /// How often it has been written; what [`Expect::Version`] compares.
    pub version: u64,
    /// Its content.
    pub body: Value,
}

/// What must be true of an item for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is none under the key.
    Absent,
    /// It is there in this version.
    Version(u64),
    /// Anything.
    Any,
}

/// One write of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Puts an item; its version becomes the expected one plus 1, or 1.
    Put {
        /// Under which key.
        key: Key,
        /// On which condition.
        expect: Expect,
        /// The content.
        body: Value,
        /// When DynamoDB may drop the item (time to live); it may take days longer.
        expires_at: Option<Timestamp>,
    },
    /// Deletes an item.
    Delete {
        /// Under which key.
        key: Key,
        /// On which condition.
        expect: Expect,
    },
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// All of it happened.
    Done,
    /// A condition did not hold, and nothing happened.
    Refused,
}

/// The table. Reads are strongly consistent.
#[async_trait(?Send)]
pub trait Table {
    /// GetItem.
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault>;

    /// Query: the items of a partition in the order of their sort keys.
    async fn query(&self, partition: &str, page: Option<String>) -> Result<Page<Item>, Fault>;

    /// TransactWriteItems (at most 100 writes): all or nothing.
    async fn write(&self, writes: Vec<Write>) -> Result<Written, Fault>;
}
