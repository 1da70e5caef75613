//! The instance: promises 1, 2 and 6, and of 5 that no run stops it twice.

use jiff::{SignedDuration, Timestamp};
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::LifecycleState;

use super::{Check, Told, When};
use crate::aws::{Down, Machine};
use crate::faults::stage::{self, Setting, Stage};
use crate::faults::trouble::{Act, Trouble};

/// How long an instance may be down before a critical ticket tells of it, for each thing that goes wrong: the retries of the
/// states that lead to the start take as long.
const KNOWN_WITHIN: SignedDuration = SignedDuration::from_mins(30);
/// How soon the instance of a run that was stopped runs again: a look of the rescuer, and a start.
const GIVEN_BACK_WITHIN: SignedDuration = SignedDuration::from_mins(6);
/// How much longer than EC2 needs an instance is down, where nothing delays it.
const OVERHEAD: SignedDuration = SignedDuration::from_secs(10);

impl Check<'_> {
    /// Promise 1, and 6.
    pub(super) fn comes_back(&mut self, id: &str) {
        let Some(machine) = self.world.machine(id) else { return };
        if !ran_before(machine) || machine.instance.state.is_gone() {
            return;
        }
        for down in &machine.downs {
            let known_by = down.from + self.known_within();
            let knows = |told: &&Told| {
                told.kind == "left-stopped" && told.instance == *id && told.action != "resolve"
            };
            let known =
                self.told.iter().filter(knows).any(|told| down.from <= told.at && told.at <= known_by);
            if down.until.unwrap_or(self.now()) > known_by && !known {
                self.is_left_stopped(format!(
                    "the instance was down for over {:#}, and nobody was told",
                    self.known_within()
                ));
            }
            self.is_short(down);
            self.is_given_back(down);
        }
        // Each run stops its instance once; one that has lost its lease, never again.
        let machines = &self.moment.stage.stopgap.step_functions;
        let of = |execution: &crate::stepfunctions::Execution| {
            execution.machine_arn == self.moment.stage.stopgap.instance
                && execution.input["instance_id"] == *id
        };
        if machine.downs.len() > 1
            && machine.downs.len() > machines.executions().iter().filter(|e| of(e)).count()
        {
            self.breaks(5, "the instance was stopped more often than there were runs");
        }
        let runs = machine.instance.state == InstanceState::Running;
        let down_since = machine.downs.last().map_or(self.now(), |down| down.from);
        if !runs && self.moment.moment >= When::Mended {
            self.breaks(1, format!("the instance is {} although all is mended", machine.instance.state));
        } else if !runs && !self.is_open("left-stopped", id) && down_since + self.known_within() < self.now()
        {
            self.is_left_stopped(format!(
                "the instance is {}, and no critical ticket is open",
                machine.instance.state
            ));
        }
        let groups: Vec<_> = self.world.places.values().flat_map(|place| place.groups.values()).collect();
        if groups.iter().any(|group| !group.replaced.is_empty()) {
            self.breaks(1, "Auto Scaling replaced the instance");
        }
        let out_of_service = |state: &LifecycleState| *state != LifecycleState::InService;
        if self.moment.moment >= When::Mended
            && groups.iter().any(|g| g.members.get(id).is_some_and(out_of_service))
        {
            self.breaks(1, "the instance is not in service in its Auto Scaling group");
        }
    }

    /// Promise 1: a run that somebody stops gives its instance back within minutes.
    fn is_given_back(&mut self, down: &Down) {
        let alone = matches!(
            self.moment.scenario.troubles.as_slice(),
            [Trouble::State(place, Act::Aborted | Act::TimedOut)] if !place.contains('.')
        );
        let acted = self.moment.stage.acted.borrow().first().copied();
        let Some((acted, until)) = acted.zip(down.until).filter(|(acted, until)| alone && acted <= until)
        else {
            return;
        };
        let took = until.duration_since(acted.max(down.from));
        if took > GIVEN_BACK_WITHIN && self.moment.scenario.setting == Setting::Night {
            self.breaks(1, format!("the instance ran again {took:#} after its run was stopped"));
        }
    }

    /// Promise 6: where nothing delays it, the time down is EC2's own and a few seconds.
    fn is_short(&mut self, down: &Down) {
        let Some(overhead) = down.overhead() else { return };
        let over = |at: Timestamp| down.from - SignedDuration::from_secs(2) <= at && Some(at) <= down.until;
        let wrong = self.moment.calls.iter().any(|call| call.wrong && over(call.at));
        let acted = self.moment.stage.acted.borrow().iter().any(|at| over(*at));
        let otherwise = self.has(|trouble| matches!(trouble, Trouble::World(_) | Trouble::Event(..)));
        let waits = self.moment.scenario.setting == Setting::CompletedFirst;
        if !wrong && !acted && !otherwise && !waits && overhead > OVERHEAD {
            self.breaks(6, format!("down for {overhead:#} more than EC2 needs, though nothing delayed it"));
        }
    }

    /// Promise 2.
    pub(super) fn stays_stopped(&mut self) {
        let by_hand = self.has(|trouble| matches!(trouble, Trouble::State(_, Act::StartedByHand)));
        for machine in self.world.machines().filter(|machine| !ran_before(machine)) {
            let moved = machine.past.iter().any(|(_, state, _)| *state == InstanceState::Pending);
            if moved && !by_hand {
                self.breaks(2, "an instance that was stopped before was started");
            }
        }
    }

    /// Nothing is left of a run when all is over.
    pub(super) fn holds_nothing(&mut self) {
        // Without the rescuer, what a run leaves is the next run's to give back; and here there is none.
        let no_other = self.moment.scenario.setting == Setting::Skip
            || self.has(|trouble| matches!(trouble, Trouble::State(_, Act::Terminated | Act::TagsChanged)));
        let lost = !self.moment.scenario.rescuer && (self.moment.moment < When::NightAfter || no_other);
        let held: Vec<&str> = super::held(self.world).collect();
        if !held.is_empty() && !lost {
            self.breaks(1, format!("{} left held when all is over", held.join(", ")));
        }
        if stage::acting(self.world) != self.moment.stage.before.alarms && !lost {
            self.breaks(1, "alarms do not act as before");
        }
        let groups: Vec<_> = self.world.places.values().flat_map(|place| place.groups.values()).collect();
        let gone = self.has(|trouble| matches!(trouble, Trouble::State(_, Act::Terminated)));
        let Stage { stopgap, subjects, before, .. } = self.moment.stage;
        if stage::serving(&stopgap.aws, subjects) != before.targets && !gone && !lost {
            self.breaks(1, "load balancers do not send it requests as before");
        }
        for group in groups {
            if !group.suspended.is_empty() && !lost {
                let processes = group.suspended.iter().cloned().collect::<Vec<_>>().join(", ");
                self.breaks(1, format!("{processes} left suspended"));
            }
            if group.desired != self.moment.stage.before.desired && !gone && !lost {
                self.breaks(1, format!("the group's desired capacity is left at {}", group.desired));
            }
        }
    }

    /// How long an instance may be down without a ticket.
    fn known_within(&self) -> SignedDuration {
        let troubles = i32::try_from(self.moment.scenario.troubles.len().max(1)).unwrap_or(i32::MAX);
        let while_down = match self.moment.scenario.setting {
            // The policy asks for it: as long as snapshots may take.
            Setting::CompletedFirst => SignedDuration::from_hours(48),
            _ => SignedDuration::ZERO,
        };
        KNOWN_WITHIN * troubles + while_down
    }
}

pub(super) fn ran_before(machine: &Machine) -> bool {
    machine.past.first().is_some_and(|(_, state, _)| *state == InstanceState::Running)
}
