//! What is used of AWS, as the engine counted it.

use std::collections::BTreeMap;

use stopgap_core::tasks;

use crate::deployment::Deployment;

/// The memory of the function that plans, in MB, and of all others: what the stack gives them.
pub const PLANNER_MB: u64 = 1024;
/// See [`PLANNER_MB`].
pub const FUNCTION_MB: u64 = 256;

/// Counts of what costs something, or is limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// State transitions of the Standard machines.
    pub(super) transitions: u64,
    /// Invocations of functions.
    pub(super) requests: u64,
    /// Their time, weighed with their memory: MB times milliseconds.
    pub(super) mb_milliseconds: u64,
    /// Items written to the table, each in a transaction.
    pub(super) items_written: u64,
    /// Calls of AWS by operation, those of the functions' invocations too.
    pub(super) calls: BTreeMap<&'static str, u64>,
}

impl Usage {
    /// All that has been used in a world.
    pub(super) fn of(stopgap: &Deployment) -> Self {
        let transitions = stopgap.step_functions.transitions();
        stopgap.aws.look(|world| {
            let weighed = |(name, billed): (&&str, &crate::aws::Billed)| billed.milliseconds * memory(name);
            Self {
                transitions,
                requests: world.billed.values().map(|billed| billed.requests).sum(),
                mb_milliseconds: world.billed.iter().map(weighed).sum(),
                items_written: world.items_written,
                calls: world.calls.clone(),
            }
        })
    }

    /// Adds `other` so many times.
    pub(super) fn add(&mut self, other: &Self, times: u64) {
        self.transitions += other.transitions * times;
        self.requests += other.requests * times;
        self.mb_milliseconds += other.mb_milliseconds * times;
        self.items_written += other.items_written * times;
        for (operation, calls) in &other.calls {
            *self.calls.entry(operation).or_default() += calls * times;
        }
    }

    /// What is left without `other`.
    pub(super) fn without(mut self, other: &Self) -> Self {
        self.transitions = self.transitions.saturating_sub(other.transitions);
        self.requests = self.requests.saturating_sub(other.requests);
        self.mb_milliseconds = self.mb_milliseconds.saturating_sub(other.mb_milliseconds);
        self.items_written = self.items_written.saturating_sub(other.items_written);
        for (operation, calls) in &other.calls {
            if let Some(own) = self.calls.get_mut(operation) {
                *own = own.saturating_sub(*calls);
            }
        }
        self.calls.retain(|_, calls| *calls > 0);
        self
    }

    /// Reads of the table: each is one unit or more.
    pub(super) fn items_read(&self) -> u64 {
        ["GetItem", "Query"].iter().filter_map(|read| self.calls.get(read)).sum()
    }

    /// How often AWS was called in all, invocations apart: those are Lambda's requests.
    pub(super) fn calls_in_all(&self) -> u64 {
        self.calls.iter().filter(|(operation, _)| **operation != "Invoke").map(|(_, calls)| calls).sum()
    }
}

fn memory(function: &str) -> u64 {
    debug_assert!(tasks::NAMES.contains(&function));
    if function == "plan-fleet" { PLANNER_MB } else { FUNCTION_MB }
}
