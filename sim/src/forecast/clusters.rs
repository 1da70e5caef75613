//! Which runs of a tick have to do with each other, and which of those bundles are of one kind.
//!
//! Runs wait for each other when they share an instance (its lease) or a concurrency group (its slots). Admission keeps all
//! others apart. So what happens to a bundle does not depend on the rest of the night, and bundles of the same kind have
//! the same night.

use std::collections::BTreeMap;

use stopgap_core::inventory::{InstanceState, Location};
use stopgap_core::policy::Autoscaling;

use super::planning::Wanted;
use super::setting::Setting;

/// Starts of bundled runs count as alike within so many seconds: well below the time between two tries for a busy slot.
const ALIKE_SECONDS: i64 = 10;
/// The time that is left for a bundled run to begin counts as alike within so many seconds.
const ALIKE_WINDOW: i64 = 300;

/// A run, as far as it matters what happens in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunKind {
    /// Which of the bundle's instances, in the order in which they begin.
    member: usize,
    policy: usize,
    volumes: usize,
    attached: usize,
    is_up: bool,
    /// Which of the bundle's Auto Scaling groups and concurrency groups.
    scaled: Option<usize>,
    grouped: Option<usize>,
    is_late: bool,
    /// When it may begin after the first of the bundle, and how long it may wait.
    after: i64,
    window: i64,
}

pub(super) type Kind = Vec<RunKind>;

/// The kind, whatever the times between its runs.
pub(super) fn at_any_time(kind: &Kind) -> Kind {
    kind.iter().map(|run| RunKind { after: 0, window: 0, ..run.clone() }).collect()
}

/// The bundles: the places of their runs in `wanted`, each in the order in which they may begin.
pub(super) fn bundles(setting: &Setting, wanted: &[Wanted]) -> Vec<Vec<usize>> {
    let mut sets: Vec<usize> = (0..wanted.len()).collect();
    let mut owner: BTreeMap<Tie<'_>, usize> = BTreeMap::new();
    for (n, run) in wanted.iter().enumerate() {
        for tie in ties(setting, run) {
            let other = *owner.entry(tie).or_insert(n);
            let (a, b) = (root(&mut sets, n), root(&mut sets, other));
            let (low, high) = (a.min(b), a.max(b));
            if let Some(slot) = sets.get_mut(high) {
                *slot = low;
            }
        }
    }
    let mut bundles: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for n in 0..wanted.len() {
        bundles.entry(root(&mut sets, n)).or_default().push(n);
    }
    let mut bundles: Vec<Vec<usize>> = bundles.into_values().collect();
    for bundle in &mut bundles {
        bundle.sort_by_key(|n| wanted.get(*n).map(|run| (run.start_at, run.instance, run.policy)));
    }
    bundles
}

/// What makes runs wait for each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie<'s> {
    Instance(usize),
    Group(&'s Location, String),
}

/// What a run may wait for.
pub(super) fn ties<'s>(setting: &'s Setting, run: &Wanted) -> Vec<Tie<'s>> {
    let mut ties = vec![Tie::Instance(run.instance)];
    let Some(instance) = setting.instance(run.instance).filter(|_| run.stops) else { return ties };
    ties.extend(run.group.clone().map(|group| Tie::Group(&instance.location, group)));
    // Suspended groups are taken one member at a time, whatever the policy's own limit.
    let suspends = setting.policies.get(run.policy).is_some_and(|p| p.autoscaling == Autoscaling::Suspend);
    let scaled = instance.auto_scaling_group().filter(|_| suspends);
    ties.extend(scaled.map(|name| Tie::Group(&instance.location, format!("asg={name}"))));
    ties
}

fn root(sets: &mut [usize], mut n: usize) -> usize {
    while let Some(&up) = sets.get(n).filter(|up| **up != n) {
        let above = sets.get(up).copied().unwrap_or(up);
        if let Some(slot) = sets.get_mut(n) {
            *slot = above;
        }
        n = above;
    }
    n
}

/// What kind of bundle this is.
pub(super) fn kind(setting: &Setting, bundle: &[&Wanted]) -> Kind {
    let mut members = Numbers::default();
    let mut scaled = Numbers::default();
    let mut grouped = Numbers::default();
    let alone = bundle.len() == 1;
    let first = bundle.first().map_or(0, |run| run.start_at.as_second());
    let run = |run: &&Wanted| {
        let instance = setting.instance(run.instance)?;
        let left = run.start_by.as_second() - run.start_at.as_second();
        let rounded = |seconds: i64, to: i64| if alone { 0 } else { seconds.div_euclid(to) };
        Some(RunKind {
            member: members.of(run.instance.to_string()),
            policy: run.policy,
            volumes: run.volumes,
            attached: instance.devices.len(),
            is_up: instance.state == InstanceState::Running,
            scaled: instance.auto_scaling_group().map(|name| scaled.of(name.to_owned())),
            grouped: run.group.clone().map(|group| grouped.of(group)),
            is_late: left < 0,
            after: rounded(run.start_at.as_second() - first, ALIKE_SECONDS),
            window: rounded(left, ALIKE_WINDOW),
        })
    };
    bundle.iter().filter_map(run).collect()
}

/// Numbers names in the order in which they come.
#[derive(Default)]
struct Numbers(BTreeMap<String, usize>);

impl Numbers {
    fn of(&mut self, name: String) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }
}
