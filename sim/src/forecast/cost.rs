//! What it costs, at list prices.

use serde::Serialize;

use super::usage::Usage;

/// The Region whose list prices these are.
pub(super) const REGION: &str = "us-east-1";
/// When they were looked up.
pub(super) const AS_OF: &str = "November 2026";

/// How many days a month has on average.
pub const DAYS_A_MONTH: f64 = 365.0 / 12.0;

/// A list price, without any free tier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Price {
    /// What is paid for.
    pub what: &'static str,
    /// How much, in dollars.
    pub usd: f64,
    /// For how much of it.
    pub per: &'static str,
}

const SNAPSHOTS: Price = Price { what: "EBS snapshots, standard tier", usd: 0.05, per: "GiB-month" };
const TRANSITIONS: Price =
    Price { what: "Step Functions, Standard", usd: 0.025, per: "1,000 state transitions" };
const LAMBDA_TIME: Price = Price { what: "Lambda, arm64", usd: 0.000_013_333_4, per: "GB-second" };
const LAMBDA_REQUESTS: Price = Price { what: "Lambda requests", usd: 0.2, per: "1,000,000 requests" };
const WRITES: Price = Price { what: "DynamoDB on demand, writes", usd: 0.625, per: "1,000,000 write units" };
const READS: Price = Price { what: "DynamoDB on demand, reads", usd: 0.125, per: "1,000,000 read units" };
const SCHEDULER: Price = Price { what: "EventBridge Scheduler", usd: 1.0, per: "1,000,000 invocations" };

/// All prices that a forecast uses.
pub(super) const PRICES: [Price; 7] =
    [SNAPSHOTS, TRANSITIONS, LAMBDA_TIME, LAMBDA_REQUESTS, WRITES, READS, SCHEDULER];

/// What the prices leave out, in words.
pub(super) const LEFT_OUT: &str = "free tiers, taxes, what a deployment costs by itself (key, alarms, dashboard, metrics, logs), S3 \
     and the express children of the fleet's dispatch, tickets, cold starts, and what EBS itself costs";

/// Writes in a transaction cost two units each.
const UNITS_A_WRITE: f64 = 2.0;

/// Costs in dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Of snapshots kept.
    pub storage: f64,
    /// Of state transitions.
    pub state_transitions: f64,
    /// Of Lambda, requests and time.
    pub lambda: f64,
    /// Of the table and of the schedule.
    pub requests: f64,
    /// Of all of it.
    pub total: f64,
}

/// What `gib` cost that are stored for `days` of a month of `days_in_month`.
pub(super) fn storage(gib: f64, days: f64, days_in_month: f64) -> f64 {
    gib * SNAPSHOTS.usd * days / days_in_month
}

impl Cost {
    /// Of storage that was paid for, of usage, and of what the schedules start.
    pub(super) fn of(storage: f64, usage: &Usage, scheduled: u64) -> Self {
        let count = |n: u64| n as f64;
        let state_transitions = count(usage.transitions) / 1e3 * TRANSITIONS.usd;
        let gb_seconds = count(usage.mb_milliseconds) / 1024.0 / 1e3;
        let lambda = gb_seconds * LAMBDA_TIME.usd + count(usage.requests) / 1e6 * LAMBDA_REQUESTS.usd;
        let requests = count(usage.items_written) * UNITS_A_WRITE / 1e6 * WRITES.usd
            + count(usage.items_read()) / 1e6 * READS.usd
            + count(scheduled) / 1e6 * SCHEDULER.usd;
        Self {
            storage,
            state_transitions,
            lambda,
            requests,
            total: storage + state_transitions + lambda + requests,
        }
    }

    /// Both together.
    #[must_use]
    pub(super) fn plus(self, other: Self) -> Self {
        self.combine(other, |a, b| a + b)
    }

    /// So many times it.
    #[must_use]
    pub(super) fn times(self, factor: f64) -> Self {
        self.combine(self, |a, _| a * factor)
    }

    /// As it is written: in hundredths of a cent.
    #[must_use]
    pub(super) fn rounded(self) -> Self {
        self.combine(self, |a, _| (a * 1e4).round() / 1e4)
    }

    fn combine(self, other: Self, with: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            storage: with(self.storage, other.storage),
            state_transitions: with(self.state_transitions, other.state_transitions),
            lambda: with(self.lambda, other.lambda),
            requests: with(self.requests, other.requests),
            total: with(self.total, other.total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_gib_for_half_a_month_cost_two_and_a_half_dollars() {
        assert_eq!(storage(100.0, 15.0, 30.0), 2.5);
    }

    #[test]
    fn usage_is_paid_for_by_the_list() {
        // 4,000 transitions; 1,000,000 requests of 256 MB for 10 ms each; 100,000 writes and 2,000,000 reads; 2,976 ticks.
        let usage = Usage {
            transitions: 4_000,
            requests: 1_000_000,
            mb_milliseconds: 1_000_000 * 256 * 10,
            items_written: 100_000,
            calls: [("GetItem", 1_500_000), ("Query", 500_000), ("StopInstances", 7)].into(),
        };
        let cost = Cost::of(1.0, &usage, 2_976).rounded();
        assert_eq!(cost.state_transitions, 0.1);
        // 2,500 GB-seconds: 0.0333; and 0.20 for the requests.
        assert_eq!(cost.lambda, 0.2333);
        // 200,000 write units: 0.125; 2,000,000 read units: 0.25; ticks: 0.0030.
        assert_eq!(cost.requests, 0.378);
        assert_eq!(cost.total, 1.7113);
    }
}
