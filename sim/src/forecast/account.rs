//! A policy's books, and a night as it is told.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use stopgap_core::backup_set::BackupSet;

use super::cost::Cost;
use super::numbers::{Downs, seconds};
use super::occurrence;
use super::play::Ended;
use super::recorded::Recorded;
use super::report::Night;
use super::series::{Kept, Series};
use super::setting::Setting;
use super::shape::Shape;

/// A policy's books.
pub(super) struct Account<'s> {
    pub(super) kept: Kept<'s>,
    pub(super) instances: u64,
    pub(super) runs: u64,
    pub(super) completed: u64,
    pub(super) missed: u64,
    pub(super) downs: Downs,
    pub(super) sets_deleted: u64,
    pub(super) cost: Cost,
    /// What its sets stored at the end of the last day, in GiB.
    pub(super) stored_gib: f64,
}

impl<'s> Account<'s> {
    /// The books at the beginning of the policy at this place.
    pub(super) fn new(setting: &'s Setting, recorded: &Recorded<'_>, n: usize) -> Option<Self> {
        let policy = setting.policies.get(n)?;
        let volumes = setting.volumes();
        let selected = setting.inventory.instances.iter().enumerate();
        let series =
            selected.filter(|(_, instance)| setting.selects(n, instance)).map(|(place, instance)| {
                let location = setting.locations.iter().position(|at| *at == instance.location);
                Series {
                    instance: place,
                    volumes: policy.volumes.applied_to(instance, &volumes).ids.len() as u64,
                    // What has no known place is never due.
                    location: location.unwrap_or(usize::MAX),
                }
            });
        let series: Vec<Series> = series.collect();
        let sets = recorded.pruned.get(&n).into_iter().flatten();
        let sets: BTreeMap<usize, Vec<&BackupSet<'_>>> =
            sets.map(|(instance, sets)| (*instance, sets.iter().collect())).collect();
        Some(Self {
            instances: series.len() as u64,
            kept: Kept::new(policy, series, &sets, setting.locations.len()),
            runs: 0,
            completed: 0,
            missed: 0,
            downs: Downs::default(),
            sets_deleted: 0,
            cost: Cost::default(),
            stored_gib: 0.0,
        })
    }
}

/// What happens at a tick, as it is told.
pub(super) fn night(setting: &Setting, tick: Timestamp, shape: &Shape) -> Night {
    let at = |milliseconds: i64| {
        tick.saturating_add(SignedDuration::from_millis(milliseconds)).unwrap_or(Timestamp::MAX)
    };
    let whole = |time: Timestamp| Timestamp::from_second(time.as_second()).unwrap_or(time);
    let downs = || shape.runs.iter().filter_map(|run| run.down);
    let occurrences = shape.parts.iter().filter_map(|part| {
        let id = &setting.policies.get(part.policy)?.id;
        Some(format!("{id}/{}", occurrence(tick, part.age)))
    });
    let mut occurrences: Vec<String> = occurrences.collect();
    occurrences.sort();
    Night {
        at: tick,
        occurrences,
        runs: shape.runs.len() as u64,
        runs_missed: shape.runs.iter().filter(|run| run.ended == Ended::Missed).count() as u64,
        stopped: downs().count() as u64,
        first_down_at: downs().map(|(from, _)| from).min().map(|from| whole(at(from))),
        all_up_at: downs().map(|(_, until)| until).max().map(|until| whole(at(until))),
        over_at: whole(at(shape.over)),
        downtime_seconds: seconds(shape.downs().sum()),
        longest_downtime_seconds: seconds(shape.downs().max().unwrap_or(0)),
    }
}
