//! The books: what every tick adds to its day, to the months, to policies and instances.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::account::{Account, night};
use super::calendar::RESCUES_A_TICK;
use super::cost::{self, Cost};
use super::measure::{self, Fleet};
use super::numbers::{hundredths, tenths};
use super::occurrence;
use super::orphans::Orphaned;
use super::planning::Planned;
use super::play::Ended;
use super::recorded::Recorded;
use super::report::{Day, Deleted, Engine, Night, Totals};
use super::series::Kept;
use super::setting::{Setting, pages_beyond_first};
use super::shape::Shape;
use super::store::{Store, Stored};
use super::usage::{PLANNER_MB, Usage};

/// How long a page of EC2's answers takes in an even world, in milliseconds.
const PAGE_TAKES: u64 = 60;

/// An instance's books.
#[derive(Clone, Default)]
pub(super) struct Person {
    pub(super) runs: u64,
    pub(super) down: i64,
    pub(super) longest: i64,
}

/// All books.
pub(super) struct Ledger<'s> {
    pub(super) setting: &'s Setting,
    pub(super) recorded: &'s Recorded<'s>,
    fleet: &'s Fleet,
    pub(super) accounts: Vec<Account<'s>>,
    pub(super) people: Vec<Person>,
    pub(super) totals: Totals,
    pub(super) usage: Usage,
    pub(super) engine: Engine,
    pub(super) days: Vec<Day>,
    /// Of the day under way.
    ticks: u64,
    day_usage: Usage,
    day_deleted: BTreeMap<String, (u64, u64)>,
    pub(super) deleted: Vec<Deleted>,
    pub(super) nights: Vec<Night>,
    /// What deleting a set takes, by the number of its snapshots.
    deletions: BTreeMap<u64, Usage>,
    /// Ticks whose runs may not be over.
    under_way: Vec<(Timestamp, Rc<Shape>)>,
    pub(super) overlapping: BTreeMap<usize, u64>,
    pub(super) not_backed_up: BTreeMap<(String, usize), Vec<String>>,
    pub(super) store: Store,
    /// What no run prunes.
    pub(super) orphaned: Vec<Orphaned>,
    /// At the end of the last day.
    pub(super) stored: Stored,
}

impl<'s> Ledger<'s> {
    pub(super) fn new(setting: &'s Setting, recorded: &'s Recorded<'s>, fleet: &'s Fleet) -> Self {
        let accounts =
            (0..setting.policies.len()).filter_map(|n| Account::new(setting, recorded, n)).collect();
        Self {
            setting,
            recorded,
            fleet,
            accounts,
            people: vec![Person::default(); setting.inventory.instances.len()],
            totals: Totals { instances: setting.inventory.instances.len(), ..Totals::default() },
            usage: Usage::default(),
            engine: Engine::default(),
            days: Vec::new(),
            ticks: 0,
            day_usage: Usage::default(),
            day_deleted: BTreeMap::new(),
            deleted: Vec::new(),
            nights: Vec::new(),
            deletions: BTreeMap::new(),
            under_way: Vec::new(),
            overlapping: BTreeMap::new(),
            not_backed_up: BTreeMap::new(),
            store: Store::new(setting),
            orphaned: recorded.orphaned.clone(),
            stored: Stored::default(),
        }
    }

    pub(super) fn begin_day(&mut self, from: Timestamp, ticks: u64) {
        self.days.push(Day {
            from,
            runs: 0,
            runs_failed: 0,
            missed: 0,
            downtime_seconds: 0.0,
            longest_downtime_seconds: 0.0,
            sets_made: 0,
            sets_deleted: 0,
            sets_deferred: 0,
            sets_kept: 0,
            sets_kept_by_policy: BTreeMap::new(),
            stored_gib: 0.0,
            state_transitions: 0,
            lambda_requests: 0,
            aws_calls: 0,
            cost_usd: Cost::default(),
        });
        self.ticks = ticks;
        self.day_usage = Usage::default();
        self.day_usage.add(&self.fleet.idle, ticks);
        self.day_usage.add(&self.fleet.rescue, ticks * RESCUES_A_TICK);
        self.day_usage.add(&self.pages(), ticks);
    }

    /// What a tick reads beyond the first page of each kind.
    fn pages(&self) -> Usage {
        let (instances, volumes) = self.setting.extra_pages;
        let of_place = |n: usize| {
            let kept = self.accounts.iter().filter_map(|account| account.kept.snapshots.get(n));
            pages_beyond_first(kept.sum())
        };
        let snapshots: u64 = (0..self.setting.locations.len()).map(of_place).sum();
        let calls = [
            ("DescribeInstances", instances),
            ("DescribeVolumes", volumes),
            ("DescribeSnapshots", snapshots),
        ];
        let mb_milliseconds = (instances + volumes + snapshots) * PAGE_TAKES * PLANNER_MB;
        Usage { mb_milliseconds, calls: calls.into(), ..Usage::default() }
    }

    /// Notes what a new plan leaves out. The first tick mostly finds what is not due any more.
    pub(super) fn planned(&mut self, planned: &Planned, is_first: bool) {
        self.engine.ticks_planned += 1;
        if is_first {
            return;
        }
        for (instance, policy, reasons) in &planned.not_due {
            self.not_backed_up.entry((instance.clone(), *policy)).or_insert_with(|| reasons.clone());
        }
    }

    /// Enters what happens at a tick.
    ///
    /// # Errors
    /// When a deletion cannot be simulated.
    pub(super) fn tick(&mut self, tick: Timestamp, shape: &Rc<Shape>) -> Result<(), String> {
        self.engine.ticks_with_work += 1;
        self.day_usage.add(&shape.usage, 1);
        self.overlaps(tick, shape);
        for (policy, missed) in &shape.missed {
            self.miss(*policy, *missed);
        }
        for run in &shape.runs {
            let down = run.down.map_or(0, |(from, until)| until - from);
            if let Some(person) = self.people.get_mut(run.instance) {
                person.runs += 1;
                person.down += down;
                person.longest = person.longest.max(down);
            }
            if let Some(account) = self.accounts.get_mut(run.policy) {
                account.runs += 1;
                account.completed += u64::from(run.ended == Ended::Completed);
                if run.down.is_some() {
                    account.downs.add(down);
                }
            }
            match &run.ended {
                Ended::Completed => {}
                Ended::Missed => self.miss(run.policy, 1),
                Ended::Failed(why) => {
                    self.totals.runs_failed += 1;
                    if let Some(day) = self.days.last_mut() {
                        day.runs_failed += 1;
                    }
                    let id = self.setting.instance(run.instance).map(|i| i.id.clone()).unwrap_or_default();
                    self.not_backed_up.entry((id, run.policy)).or_insert_with(|| vec![why.clone()]);
                }
            }
        }
        for part in &shape.parts {
            let at = occurrence(tick, part.age);
            let Some(account) = self.accounts.get_mut(part.policy) else { continue };
            account.cost = account.cost.plus(part.cost);
            let change = account.kept.back_up(at, tick, &part.done);
            let (mut sets, mut snapshots) = (0, 0);
            let id = self.setting.policies.get(part.policy).map(|p| p.id.as_str()).unwrap_or_default();
            for (at, (of, with)) in &change.deleted {
                let day = self.day_deleted.entry(format!("{id}/{at}")).or_default();
                (day.0, day.1) = (day.0 + of, day.1 + with);
                (sets, snapshots) = (sets + of, snapshots + with);
            }
            for (size, of) in &change.deleted_by_size {
                let taken = deletion(&mut self.deletions, *size)?;
                self.day_usage.add(taken, *of);
                account.cost = account.cost.plus(Cost::of(0.0, taken, 0).times(*of as f64));
            }
            account.sets_deleted += sets;
            self.totals.sets_made += change.sets_made;
            self.totals.snapshots_made += change.snapshots_made;
            self.totals.sets_deleted += sets;
            self.totals.snapshots_deleted += snapshots;
            if let Some(day) = self.days.last_mut() {
                day.sets_made += change.sets_made;
                day.sets_deleted += sets;
                day.sets_deferred += change.deferred;
            }
        }
        let night = night(self.setting, tick, shape);
        if let Some(day) = self.days.last_mut() {
            day.runs += night.runs;
            day.downtime_seconds = tenths(day.downtime_seconds + night.downtime_seconds);
            day.longest_downtime_seconds = day.longest_downtime_seconds.max(night.longest_downtime_seconds);
        }
        self.totals.runs += night.runs;
        if night.runs > 0 {
            self.nights.push(night);
        }
        Ok(())
    }

    /// Enters what the fleet prunes at a tick of what no run does.
    ///
    /// # Errors
    /// When a deletion cannot be simulated.
    pub(super) fn orphans(&mut self, tick: Timestamp, asked: &[usize], first: bool) -> Result<(), String> {
        let Some(day) = self.days.last_mut().filter(|_| !self.orphaned.is_empty()) else { return Ok(()) };
        for policy in asked.iter().filter_map(|n| self.setting.policies.get(*n)) {
            for one in self.orphaned.iter_mut().filter(|one| one.policy == policy.id.as_str()) {
                for (at, snapshots) in one.prune(policy, tick, day.from, first, &self.setting.assumed) {
                    let deleted = self.day_deleted.entry(format!("{}/{at}", policy.id)).or_default();
                    (deleted.0, deleted.1) = (deleted.0 + 1, deleted.1 + snapshots);
                    self.day_usage.add(deletion(&mut self.deletions, snapshots)?, 1);
                    day.sets_deleted += 1;
                    self.totals.sets_deleted += 1;
                    self.totals.snapshots_deleted += snapshots;
                }
            }
        }
        Ok(())
    }

    fn miss(&mut self, policy: usize, missed: u64) {
        if let Some(account) = self.accounts.get_mut(policy) {
            account.missed += missed;
        }
        if let Some(day) = self.days.last_mut() {
            day.missed += missed;
        }
        self.totals.missed += missed;
    }

    /// Counts the runs that begin while an earlier tick's run of their instance goes on: their wait for it is not played.
    fn overlaps(&mut self, tick: Timestamp, shape: &Rc<Shape>) {
        let after = |at: Timestamp, milliseconds: i64| {
            at.saturating_add(SignedDuration::from_millis(milliseconds)).unwrap_or(Timestamp::MAX)
        };
        self.under_way.retain(|(at, earlier)| after(*at, earlier.over) > tick);
        let mut busy: BTreeMap<usize, Timestamp> = BTreeMap::new();
        for (at, earlier) in &self.under_way {
            for run in &earlier.runs {
                let over = after(*at, run.over);
                let until = busy.entry(run.instance).or_insert(over);
                *until = over.max(*until);
            }
        }
        for run in &shape.runs {
            if busy.get(&run.instance).is_some_and(|over| after(tick, run.begins) < *over) {
                *self.overlapping.entry(run.policy).or_default() += 1;
            }
        }
        self.under_way.push((tick, Rc::clone(shape)));
    }

    pub(super) fn end_day(&mut self) {
        let kept: Vec<&Kept<'_>> = self.accounts.iter().map(|account| &account.kept).collect();
        self.stored = self.store.stored(self.setting, &kept);
        let alone: f64 = self.orphaned.iter().map(|one| one.stored).sum();
        let sets_alone: u64 = self.orphaned.iter().map(Orphaned::sets).sum();
        let Some(day) = self.days.last_mut() else { return };
        let in_month = f64::from(date(day.from).days_in_month());
        let gib = alone + self.stored.in_all;
        let mut sets = sets_alone;
        let with_stored = self.accounts.iter_mut().zip(&self.stored.by_policy);
        for ((account, stored), policy) in with_stored.zip(&self.setting.policies) {
            let kept = account.kept.sets();
            sets += kept;
            account.stored_gib = *stored;
            day.sets_kept_by_policy.insert(policy.id.to_string(), kept);
            let paid = cost::storage(*stored, 1.0, in_month);
            account.cost = account.cost.plus(Cost { storage: paid, total: paid, ..Cost::default() });
        }
        day.sets_kept = sets;
        day.stored_gib = hundredths(gib);
        day.state_transitions = self.day_usage.transitions;
        day.lambda_requests = self.day_usage.requests;
        day.aws_calls = self.day_usage.calls_in_all();
        day.cost_usd =
            Cost::of(cost::storage(gib, 1.0, in_month), &self.day_usage, self.ticks * (1 + RESCUES_A_TICK));
        self.totals.cost_usd = self.totals.cost_usd.plus(day.cost_usd);
        self.totals.stored_gib = day.stored_gib;
        self.totals.sets_kept = sets;
        self.usage.add(&self.day_usage, 1);
        self.engine.ticks += self.ticks;
        let from = day.from;
        let deleted = std::mem::take(&mut self.day_deleted).into_iter();
        self.deleted.extend(deleted.map(|(occurrence, (sets, snapshots))| Deleted {
            day: from,
            occurrence,
            sets,
            snapshots,
        }));
    }
}

/// What deleting a set of so many snapshots takes; measured once.
fn deletion(known: &mut BTreeMap<u64, Usage>, snapshots: u64) -> Result<&Usage, String> {
    match known.entry(snapshots) {
        Entry::Occupied(known) => Ok(known.into_mut()),
        Entry::Vacant(unknown) => {
            let measured = measure::deletion(usize::try_from(snapshots).unwrap_or(1).max(1))?;
            Ok(unknown.insert(measured))
        }
    }
}

/// Its date in UTC.
pub(super) fn date(time: Timestamp) -> jiff::civil::Date {
    time.to_zoned(TimeZone::UTC).date()
}
