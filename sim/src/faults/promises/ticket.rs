//! The tickets: promise 7.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use stopgap_core::error::ErrorName;
use stopgap_core::inventory::InstanceState;

use super::{Check, Told, When};
use crate::aws::Called;
use crate::faults::stage::Setting;
use crate::faults::trouble::{Act, Trouble};
use crate::stepfunctions::Status;

/// What it takes to publish a message and to record that.
const MOMENT: SignedDuration = SignedDuration::from_secs(1);

impl Check<'_> {
    /// Promise 7: what fails goes a way that the machine declares, and ends.
    pub(super) fn catches_everything(&mut self) {
        let machines = &self.moment.stage.stopgap.step_functions;
        for execution in machines.executions() {
            let ends_by_itself = || {
                let history = machines.history(&execution.arn);
                history.iter().rev().nth(1).is_some_and(|event| event.event_type == "FailStateEntered")
            };
            if execution.status == Status::Failed && !ends_by_itself() {
                let error = execution.error.as_deref().unwrap_or_default();
                self.breaks(7, format!("an execution ended by {error}, which nothing caught"));
            }
            if execution.status == Status::Running && self.moment.moment == When::NightAfter {
                self.breaks(5, "an execution never ends");
            }
        }
    }

    /// Promise 7.
    pub(super) fn tells_once(&mut self) {
        if self.told.iter().any(|told| told.error == ErrorName::LeaseLost.as_str()) {
            self.breaks(7, "a run that had lost its lease told of it");
        }
        let mut by_key: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
        for told in self.told {
            let messages = by_key.entry(&told.key).or_default();
            // At least once: a message may come twice, under one number.
            if !messages.iter().any(|other| other.sequence == told.sequence && other.action == told.action) {
                messages.push(told);
            }
        }
        for (key, messages) in &by_key {
            // Of what went out unrecorded nobody can know: it is opened again.
            let unknown = messages.iter().any(|told| told.sequence == 0) || self.is_unmarked();
            let mut last: Option<&Told> = None;
            for told in messages {
                let newest = last.replace(told).filter(|last| last.action != "resolve");
                // Who tells in the same moment cannot know of it yet.
                let is_known = |newest: &Told| told.at.duration_since(newest.at) >= MOMENT;
                let again = newest.is_some_and(is_known) && told.action == "open" && told.sequence > 1;
                if again && !unknown {
                    self.breaks(7, format!("{key} was opened while it was open"));
                }
            }
            let open = last.is_some_and(|last| last.action != "resolve");
            if open && self.moment.moment == When::NightAfter && !self.stays_open() {
                self.breaks(7, format!("{key} is still open after a night in which nothing went wrong"));
            }
            let runs =
                |id: &str| self.world.machine(id).is_some_and(|m| m.instance.state == InstanceState::Running);
            let of = messages.first().map_or("", |told| told.instance.as_str());
            if open
                && self.moment.moment >= When::Mended
                && key.contains("/left-stopped/")
                && runs(of)
                && !self.is_unrecorded()
            {
                self.breaks(7, format!("{key} is still open although the instance runs"));
            }
        }
        // An instance that is down and a backup that is not there are two matters; two of the latter are one too many. What
        // befalls a fleet may befall each of its instances.
        let matters: Vec<&str> =
            by_key.keys().copied().filter(|key| !key.contains("/left-stopped/")).collect();
        let single = self.moment.scenario.troubles.len() == 1 && self.moment.stage.subjects.len() == 1;
        if single && matters.len() > 1 && !self.is_unrecorded() {
            self.breaks(7, format!("one failure, and {} tickets: {}", matters.len(), matters.join(", ")));
        }
    }

    /// Whether a ticket was told of without being recorded: the table was out of reach. Nobody can know of it later.
    fn is_unrecorded(&self) -> bool {
        self.told.iter().any(|told| told.sequence == 0)
    }

    /// Whether a message was sent that could not be marked as sent, since the mark failed or nobody heard that it was sent.
    /// Nobody can know whether it arrived, so it is opened again.
    fn is_unmarked(&self) -> bool {
        let write = |call: &&Called| call.wrong && call.site.operation == "TransactWriteItems";
        let tells = |call: &Called| call.site.place.contains("Notify");
        let unheard = |trouble: &Trouble| {
            matches!(trouble, Trouble::Call(_, "Publish", _, kind) if kind.has_effect())
                || matches!(trouble, Trouble::State(_, Act::TableDown))
        };
        self.moment.calls.iter().filter(write).any(tells) || self.has(unheard)
    }

    /// Whether nothing mends it: the instance is gone, no longer selected, or refused by its policy; or nobody knows of it.
    fn stays_open(&self) -> bool {
        self.moment.scenario.setting == Setting::Skip
            || self.is_unrecorded()
            || self.has(|trouble| matches!(trouble, Trouble::State(_, Act::Terminated | Act::TagsChanged)))
    }
}
