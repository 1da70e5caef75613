//! What happens at a tick: its runs, bundle by bundle, as they were played.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;

use super::clusters::{self, Kind};
use super::cost::Cost;
use super::measure::Fleet;
use super::planning::{Planned, Wanted};
use super::play::{Ended, Played, play};
use super::setting::Setting;
use super::usage::Usage;

/// How many bundles are played at most; the times between the runs of further ones are not looked at where another
/// bundle is of their kind but for those.
const PLAYS_MAX: usize = 500;

/// What happens at a tick. Times are in milliseconds from it.
pub(super) struct Shape {
    pub(super) runs: Vec<ShapeRun>,
    pub(super) parts: Vec<Part>,
    /// How many occurrences are missed, by policy.
    pub(super) missed: BTreeMap<usize, u64>,
    /// What the runs and the work of the fleet take; what its tick takes in any case is not in it.
    pub(super) usage: Usage,
    /// When the last run is over.
    pub(super) over: i64,
}

/// A run at a tick.
pub(super) struct ShapeRun {
    pub(super) instance: usize,
    pub(super) policy: usize,
    pub(super) begins: i64,
    pub(super) down: Option<(i64, i64)>,
    pub(super) over: i64,
    pub(super) ended: Ended,
}

/// What a policy has of a tick.
pub(super) struct Part {
    pub(super) policy: usize,
    /// How many seconds before the tick its occurrence is.
    pub(super) age: i64,
    /// The instances for which a run is begun, in order.
    pub(super) begun: Vec<usize>,
    /// Those of them that have a complete set in the end.
    pub(super) done: BTreeSet<usize>,
    /// What its runs cost; runs of one bundle share alike.
    pub(super) cost: Cost,
}

/// Plays what was not played yet.
pub(super) struct Stage<'s> {
    setting: &'s Setting,
    fleet: &'s Fleet,
    played: BTreeMap<Kind, Rc<Played>>,
    at_any_time: BTreeMap<Kind, Rc<Played>>,
    /// The runs in the bundles that were played.
    pub(super) runs_played: u64,
    /// Bundles that were taken for others of their kind but for the times between runs.
    pub(super) approximated: u64,
}

impl<'s> Stage<'s> {
    pub(super) fn new(setting: &'s Setting, fleet: &'s Fleet) -> Self {
        let (played, at_any_time) = (BTreeMap::new(), BTreeMap::new());
        Self { setting, fleet, played, at_any_time, runs_played: 0, approximated: 0 }
    }

    pub(super) fn bundles_played(&self) -> u64 {
        self.played.len() as u64
    }

    /// What happens at `tick`.
    pub(super) fn shape(&mut self, tick: Timestamp, planned: &Planned) -> Result<Shape, String> {
        let wanted = &planned.wanted;
        let mut usage = Usage::default();
        if !wanted.is_empty() || !planned.missed.is_empty() {
            usage.add(&self.fleet.busy, 1);
        }
        usage.add(&self.fleet.item, wanted.len() as u64);
        let mut shape = Shape {
            runs: Vec::new(),
            parts: parts(tick, wanted),
            missed: planned.missed.clone(),
            usage,
            over: 0,
        };
        for bundle in clusters::bundles(self.setting, wanted) {
            let bundle: Vec<&Wanted> = bundle.iter().filter_map(|n| wanted.get(*n)).collect();
            let played = self.played(tick, &bundle)?;
            shape.add(tick, &bundle, &played);
        }
        shape.runs.sort_by_key(|run| (run.instance, run.policy));
        Ok(shape)
    }

    fn played(&mut self, tick: Timestamp, bundle: &[&Wanted]) -> Result<Rc<Played>, String> {
        let kind = clusters::kind(self.setting, bundle);
        if let Some(played) = self.played.get(&kind) {
            return Ok(Rc::clone(played));
        }
        let at_any_time = clusters::at_any_time(&kind);
        if self.played.len() >= PLAYS_MAX
            && let Some(played) = self.at_any_time.get(&at_any_time)
        {
            self.approximated += 1;
            return Ok(Rc::clone(played));
        }
        let played = Rc::new(play(self.setting, tick, bundle)?);
        self.runs_played += bundle.len() as u64;
        self.played.insert(kind, Rc::clone(&played));
        self.at_any_time.insert(at_any_time, Rc::clone(&played));
        Ok(played)
    }
}

fn parts(tick: Timestamp, wanted: &[Wanted]) -> Vec<Part> {
    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for run in wanted {
        let part = parts.entry(run.policy).or_insert_with(|| Part {
            policy: run.policy,
            age: tick.as_second() - run.occurrence.at.as_second(),
            begun: Vec::new(),
            done: BTreeSet::new(),
            cost: Cost::default(),
        });
        part.begun.push(run.instance);
    }
    for part in parts.values_mut() {
        part.begun.sort_unstable();
    }
    parts.into_values().collect()
}

impl Shape {
    fn add(&mut self, tick: Timestamp, bundle: &[&Wanted], played: &Played) {
        self.usage.add(&played.usage, 1);
        let share = Cost::of(0.0, &played.usage, 0).times(1.0 / bundle.len().max(1) as f64);
        let first = bundle.first().map_or(tick, |run| run.start_at);
        let since =
            |time: Timestamp| i64::try_from(time.duration_since(tick).as_millis()).unwrap_or(i64::MAX);
        let zero = since(first);
        for (wanted, run) in bundle.iter().zip(&played.runs) {
            let over = zero + run.over;
            self.over = self.over.max(over);
            self.runs.push(ShapeRun {
                instance: wanted.instance,
                policy: wanted.policy,
                begins: since(wanted.start_at),
                down: run.down.map(|(from, until)| (zero + from, zero + until)),
                over,
                ended: run.ended.clone(),
            });
            let part = self.parts.iter_mut().find(|part| part.policy == wanted.policy);
            let Some(part) = part else { continue };
            part.cost = part.cost.plus(share);
            if run.ended == Ended::Completed {
                part.done.insert(wanted.instance);
            }
        }
    }

    /// How long instances are down, run by run.
    pub(super) fn downs(&self) -> impl Iterator<Item = i64> + '_ {
        self.runs.iter().filter_map(|run| run.down.map(|(from, until)| until - from))
    }
}
