//! stopgap broken on purpose, at its ports: what the fault matrix must find, or it is worth nothing.

use std::collections::BTreeMap;

use stopgap_core::inventory::Snapshot;
use stopgap_core::ports::{Item, Key, SnapshotQuery, Write};
use stopgap_core::records::{Intent, Lease};

use super::Aws;
use super::watch::Caller;

/// What is broken.
#[derive(Clone, Debug, PartialEq)]
pub enum Sabotage {
    /// The intent is never written: nobody knows that a restart is owed.
    NoIntent,
    /// Every look for an instance's snapshots finds none: what a first try made is not found by the second.
    BlindLookup,
    /// A run believes for ever that it holds the lease that it once held: nothing fences it. The leases, by their owners.
    NoFence(BTreeMap<String, Item>),
    /// Pruning sees the snapshots as they were when it first looked: nothing is looked at again before it is deleted.
    StaleFloor(Option<Vec<Snapshot>>),
}

impl Aws {
    /// The writes that are left of these.
    pub(super) fn sabotaged_writes(&self, mut writes: Vec<Write>) -> Vec<Write> {
        let drops = self.look(|world| world.sabotage == Some(Sabotage::NoIntent));
        if drops {
            let is_intent =
                |write: &Write| matches!(write, Write::Put { key, .. } if key.partition == Intent::PARTITION);
            writes.retain(|write| !is_intent(write));
        }
        writes
    }

    /// What is read instead of an item.
    pub(super) fn sabotaged_item(&self, caller: &Caller, key: &Key, item: Option<Item>) -> Option<Item> {
        let of_run = caller.execution.as_deref().filter(|_| !caller.place.contains('.'));
        let Some(execution) = of_run.filter(|_| key.partition == Lease::PARTITION) else { return item };
        self.change(|world| {
            let Some(Sabotage::NoFence(held)) = &mut world.sabotage else { return item };
            match item {
                Some(item) if item.body["owner"] == execution => {
                    held.insert(execution.to_owned(), item.clone());
                    Some(item)
                }
                item => held.get(execution).cloned().or(item),
            }
        })
    }

    /// What is seen instead of snapshots.
    pub(super) fn sabotaged_snapshots(
        &self,
        caller: &Caller,
        query: &SnapshotQuery,
        seen: Vec<Snapshot>,
    ) -> Vec<Snapshot> {
        self.change(|world| match &mut world.sabotage {
            Some(Sabotage::BlindLookup) if matches!(query, SnapshotQuery::OfInstance(_)) => Vec::new(),
            Some(Sabotage::StaleFloor(first)) if &*caller.place == "PruneSnapshots" => {
                first.get_or_insert(seen).clone()
            }
            _ => seen,
        })
    }
}
