//! The books closed: from what was entered day by day to what a forecast says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use stopgap_core::inventory::Instance;
use stopgap_core::policy::Policy;

use super::account::Account;
use super::cost::{self, Cost, DAYS_A_MONTH};
use super::ledger::{Ledger, date};
use super::numbers::{Downs, hundredths, seconds, tenths};
use super::orphans::{Orphaned, left_alone};
use super::report::{Forecast, InstanceLine, KeptSets, Month, NotBackedUp, PolicyLine, Totals};
use super::shape::Stage;

impl Ledger<'_> {
    /// Sums it all up.
    pub(super) fn close(
        mut self,
        from: Timestamp,
        until: Timestamp,
        days: u32,
        stage: &Stage<'_>,
    ) -> Forecast {
        self.engine.runs = self.totals.runs;
        self.engine.bundles_played = stage.bundles_played();
        self.engine.runs_played = stage.runs_played;
        let a_month = DAYS_A_MONTH / f64::from(days);
        let months = self.months();
        let notes = self.notes(from, until, stage);
        let (instances, policies, kept) = (self.instances(), self.policies(from, a_month), self.kept_sets());
        let mut downs = Downs::default();
        for account in &self.accounts {
            for (down, times) in &account.downs.0 {
                *downs.0.entry(*down).or_default() += times;
            }
        }
        let alone = self.orphaned.iter().map(Orphaned::snapshots);
        let snapshots: u64 = self.accounts.iter().flat_map(|account| &account.kept.snapshots).sum();
        let exact = self.totals.cost_usd;
        let per_month = exact.times(a_month);
        let at_the_end = cost::storage(self.totals.stored_gib, 1.0, 1.0);
        let totals = Totals {
            runs_completed: self.accounts.iter().map(|account| account.completed).sum(),
            downtime_seconds: downs.seconds(),
            downtime_seconds_per_run: downs.spread(),
            snapshots_kept: snapshots + alone.sum::<u64>(),
            state_transitions: self.usage.transitions,
            lambda_requests: self.usage.requests,
            lambda_gb_seconds: tenths(self.usage.mb_milliseconds as f64 / 1024.0 / 1e3),
            aws_calls: self
                .usage
                .calls
                .iter()
                .filter(|(operation, _)| **operation != "Invoke")
                .map(|(operation, calls)| ((*operation).to_owned(), *calls))
                .collect(),
            aws_calls_in_all: self.usage.calls_in_all(),
            cost_usd: exact.rounded(),
            cost_usd_per_month: per_month.rounded(),
            cost_usd_per_month_at_the_end: Cost {
                storage: at_the_end,
                total: per_month.total - per_month.storage + at_the_end,
                ..per_month
            }
            .rounded(),
            ..self.totals
        };
        for day in &mut self.days {
            day.cost_usd = day.cost_usd.rounded();
        }
        let not_backed_up =
            self.not_backed_up.into_iter().map(|((instance_id, policy), reasons)| NotBackedUp {
                instance_id,
                policy: self.setting.policies.get(policy).map(|p| p.id.to_string()).unwrap_or_default(),
                reasons,
            });
        let mut not_backed_up: Vec<NotBackedUp> = not_backed_up.collect();
        not_backed_up.sort();
        let mut left_alone = left_alone(&self.orphaned);
        for line in &mut left_alone {
            line.stored_gib = hundredths(line.stored_gib);
        }
        Forecast {
            from,
            until,
            days,
            price_region: cost::REGION,
            prices_as_of: cost::AS_OF,
            prices: cost::PRICES.to_vec(),
            cost_leaves_out: cost::LEFT_OUT,
            assumptions: self.setting.assumed,
            engine: self.engine,
            totals,
            months,
            per_day: self.days,
            policies,
            instances,
            nights: self.nights,
            deleted: self.deleted,
            kept,
            left_alone,
            not_backed_up,
            notes,
        }
    }

    fn months(&self) -> Vec<Month> {
        let mut months: Vec<Month> = Vec::new();
        for day in &self.days {
            let name = date(day.from).strftime("%Y-%m").to_string();
            if months.last().is_none_or(|month| month.month != name) {
                let cost_usd = Cost::default();
                months.push(Month { month: name, days: 0, runs: 0, stored_gib: 0.0, cost_usd });
            }
            if let Some(month) = months.last_mut() {
                month.days += 1;
                month.runs += day.runs;
                month.stored_gib = day.stored_gib;
                month.cost_usd = month.cost_usd.plus(day.cost_usd);
            }
        }
        for month in &mut months {
            month.cost_usd = month.cost_usd.rounded();
        }
        months
    }

    fn policies(&self, from: Timestamp, a_month: f64) -> Vec<PolicyLine> {
        let before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
        let line = |(account, policy): (&Account<'_>, &Policy)| PolicyLine {
            id: policy.id.to_string(),
            enabled: policy.enabled,
            first_occurrence: policy.schedule.next(before),
            instances: account.instances,
            runs: account.runs,
            runs_completed: account.completed,
            missed: account.missed,
            downtime_seconds: account.downs.seconds(),
            downtime_seconds_per_run: account.downs.spread(),
            sets_deleted: account.sets_deleted,
            sets_kept: account.kept.sets(),
            stored_gib: hundredths(account.stored_gib),
            cost_usd_per_month: account.cost.times(a_month).rounded(),
        };
        let mut lines: Vec<PolicyLine> = self.accounts.iter().zip(&self.setting.policies).map(line).collect();
        lines.sort_by(|a, b| a.id.cmp(&b.id));
        lines
    }

    fn instances(&self) -> Vec<InstanceLine> {
        let mut sets: BTreeMap<usize, u64> = BTreeMap::new();
        for (instances, times) in self.accounts.iter().flat_map(|account| account.kept.histories()) {
            for instance in instances {
                *sets.entry(instance).or_default() += times.len() as u64;
            }
        }
        let line = |(n, instance): (usize, &Instance)| {
            let person = self.people.get(n).cloned().unwrap_or_default();
            let gib = self.stored.by_instance.get(n).copied().unwrap_or_default();
            let selecting = (0..self.setting.policies.len()).filter(|p| self.setting.selects(*p, instance));
            let ids = selecting.filter_map(|p| Some(self.setting.policies.get(p)?.id.to_string()));
            let mut policies: Vec<String> = ids.collect();
            policies.sort();
            InstanceLine {
                id: instance.id.clone(),
                name: instance.name().map(str::to_owned),
                location: instance.location.to_string(),
                policies,
                runs: person.runs,
                downtime_seconds: seconds(person.down),
                longest_downtime_seconds: seconds(person.longest),
                sets_kept: sets.get(&n).copied().unwrap_or_default(),
                stored_gib: hundredths(gib),
                storage_usd_per_month_at_the_end: (cost::storage(gib, 1.0, 1.0) * 1e4).round() / 1e4,
            }
        };
        self.setting.inventory.instances.iter().enumerate().map(line).collect()
    }

    fn kept_sets(&self) -> Vec<KeptSets> {
        let id = |n: usize| self.setting.instance(n).map(|instance| instance.id.clone());
        let mut kept: Vec<KeptSets> = Vec::new();
        for (account, policy) in self.accounts.iter().zip(&self.setting.policies) {
            for (instances, times) in account.kept.histories().filter(|(_, times)| !times.is_empty()) {
                let mut instances: Vec<String> = instances.into_iter().filter_map(id).collect();
                instances.sort();
                kept.push(KeptSets { policy: policy.id.to_string(), times, instances });
            }
        }
        kept.sort_by(|a, b| (&a.policy, &a.instances).cmp(&(&b.policy, &b.instances)));
        kept
    }
}
