//! What a tick of the fleet asks for, by core's own planner.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use stopgap_core::inventory::{Inventory, Snapshot};
use stopgap_core::occurrence::Occurrence;
use stopgap_core::plan::{self, Action, PastRun, Question};
use stopgap_core::policy::Policy;
use stopgap_core::records::PlannedUntil;

use super::calendar::TICK;
use super::setting::Setting;

/// A run that is to be made.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The instance, by its place in the setting.
    pub(super) instance: usize,
    /// The policy, by its place in the setting.
    pub(super) policy: usize,
    pub(super) occurrence: Occurrence,
    pub(super) attempt: u8,
    pub(super) start_at: Timestamp,
    pub(super) start_by: Timestamp,
    pub(super) stops: bool,
    pub(super) volumes: usize,
    pub(super) group: Option<String>,
}

/// What a plan says.
#[derive(Clone, Debug, Default)]
pub(super) struct Planned {
    pub(super) wanted: Vec<Wanted>,
    /// How many occurrences are missed, by policy: one of ten instances is ten.
    pub(super) missed: BTreeMap<usize, u64>,
    /// Instances that an asked policy selects and that are not due by it, with why.
    pub(super) not_due: Vec<(String, usize, Vec<String>)>,
}

/// The instances that were served of an occurrence, by their number in [`Planner::served_sets`].
type Served = BTreeMap<(Timestamp, usize), usize>;

/// What makes two ticks alike: the policies that are asked, how old their occurrences in question are, and which
/// instances those have been begun for.
pub(super) type Likeness = Vec<(usize, Vec<(i64, Option<usize>)>)>;

/// The planner, with what it knows of earlier ticks.
pub(super) struct Planner<'s> {
    setting: &'s Setting,
    first: Timestamp,
    /// Sets of instances that were begun together, each once.
    served_sets: Vec<Vec<usize>>,
    served: Served,
}

impl<'s> Planner<'s> {
    pub(super) fn new(setting: &'s Setting, first: Timestamp) -> Self {
        Self { setting, first, served_sets: Vec::new(), served: Served::new() }
    }

    /// What makes the plan of this tick: equal likenesses have equal plans, moved in time. `None` for the first tick, whose
    /// plan depends on the snapshots that are there.
    pub(super) fn likeness(&self, tick: Timestamp, asked: &[usize]) -> Option<Likeness> {
        if tick == self.first {
            return None;
        }
        let mark = self.mark(tick);
        let of_policy = |n: &usize| {
            let policy = self.setting.policies.get(*n)?;
            let question = plan::occurrences_in_question(policy, tick, mark.as_ref(), None);
            let ages = question.into_iter().map(|occurrence| {
                let served = self.served.get(&(occurrence.at, *n)).copied();
                (tick.as_second() - occurrence.at.as_second(), served)
            });
            Some((*n, ages.collect()))
        };
        Some(asked.iter().filter_map(of_policy).collect())
    }

    /// Plans. `snapshots` are those that may have served an occurrence before the first tick.
    pub(super) fn plan(&self, tick: Timestamp, asked: &[usize], snapshots: Vec<Snapshot>) -> Planned {
        let policies: Vec<Policy> =
            asked.iter().filter_map(|n| self.setting.policies.get(*n)).cloned().collect();
        let number = |id: &stopgap_core::policy::PolicyId| {
            self.setting.policies.iter().position(|policy| policy.id == *id)
        };
        let mark = self.mark(tick);
        let mut runs = BTreeMap::new();
        for n in asked {
            let Some(policy) = self.setting.policies.get(*n) else { continue };
            for occurrence in plan::occurrences_in_question(policy, tick, mark.as_ref(), None) {
                let served = self.served.get(&(occurrence.at, *n)).and_then(|set| self.served_sets.get(*set));
                for instance in served.into_iter().flatten().filter_map(|n| self.setting.instance(*n)) {
                    runs.insert((occurrence.clone(), instance.id.clone()), PastRun::Complete);
                }
            }
        }
        let with_snapshots =
            (!snapshots.is_empty()).then(|| Inventory { snapshots, ..self.setting.inventory.clone() });
        let plan = plan::plan(&Question {
            policies: &policies,
            inventory: with_snapshots.as_ref().unwrap_or(&self.setting.inventory),
            runs: &runs,
            at: tick,
            planned_until: mark.as_ref(),
            home: None,
            only: None,
        });
        let wanted = plan.due.into_iter().filter_map(|due| {
            Some(Wanted {
                instance: *self.setting.places.get(&due.instance_id)?,
                policy: number(&due.policy)?,
                occurrence: due.occurrence,
                attempt: due.attempt,
                start_at: due.start_at,
                start_by: due.start_by,
                stops: due.action == Action::StopSnapshotStart,
                volumes: due.volumes.len(),
                group: due.group,
            })
        });
        let mut planned = Planned { wanted: wanted.collect(), ..Planned::default() };
        for missed in plan.missed {
            let Some(policy) = number(&missed.policy) else { continue };
            *planned.missed.entry(policy).or_default() += missed.occurrences.len() as u64;
        }
        let not_due = plan.not_due.into_iter();
        planned.not_due =
            not_due.filter_map(|not| Some((not.instance_id, number(&not.policy)?, not.reasons))).collect();
        planned
    }

    /// Notes what a tick has begun: the instances of each policy and occurrence.
    pub(super) fn begun<'w>(
        &mut self,
        tick: Timestamp,
        begun: impl IntoIterator<Item = (Timestamp, usize, &'w [usize])>,
    ) {
        for (occurrence, policy, instances) in begun {
            let known = self.served_sets.iter().position(|set| set == instances);
            let set = known.unwrap_or_else(|| {
                self.served_sets.push(instances.to_vec());
                self.served_sets.len() - 1
            });
            self.served.insert((occurrence, policy), set);
        }
        // Nothing is in question for longer than `start_within` may be.
        let past = tick.checked_sub(stopgap_core::schedule::START_WITHIN_MAX * 2).unwrap_or(Timestamp::MIN);
        self.served = self.served.split_off(&(past, 0));
    }

    /// Up to when the tick before has planned; before the first there was none, and nothing counts as missed.
    fn mark(&self, tick: Timestamp) -> Option<PlannedUntil> {
        let before = tick.checked_sub(TICK).ok()?;
        (tick > self.first).then(|| PlannedUntil::everywhere(before))
    }
}

/// The occurrences that the first tick may find due: only their sets matter to its plan.
pub(super) fn in_question_at(policies: &[Policy], first: Timestamp) -> BTreeSet<Occurrence> {
    policies.iter().flat_map(|policy| plan::occurrences_in_question(policy, first, None, None)).collect()
}
