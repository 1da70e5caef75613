//! Two things that go wrong in one run.

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::SignedDuration;

use super::matrix::Line;
use super::play::{Entry, Played, Scenario};
use super::singles::{acts, calls, events};
use super::trouble::Trouble;

/// When the rescuer has looked again for sure.
const NEXT_LOOK: SignedDuration = SignedDuration::from_mins(6);

/// The single scenarios to which a second thing is added: of those after which the night takes the same course, call for call,
/// the first. Of what leads to a state that is seldom reached there is one more already.
pub(super) fn firsts(singles: &[Line]) -> Vec<&Scenario> {
    let mut courses = BTreeSet::new();
    let single = singles.iter().filter(|line| line.scenario.troubles.len() == 1);
    let new = single.filter(|line| courses.insert((line.scenario.setting, line.course)));
    new.map(|line| &line.scenario).collect()
}

/// Which ways of going wrong come to the same at a call, as the single scenarios show.
pub(super) struct Courses {
    /// The ways of which, wherever they were tried, another before it came to the same.
    alike: BTreeSet<Trouble>,
}

impl Courses {
    /// Those of these single scenarios.
    pub(super) fn of(singles: &[Line]) -> Self {
        let mut courses = BTreeSet::new();
        let (mut alike, mut of_its_own) = (BTreeSet::new(), BTreeSet::new());
        for line in singles {
            let [trouble @ Trouble::Call(place, operation, nth, _)] = line.scenario.troubles.as_slice()
            else {
                continue;
            };
            let is_new = courses.insert((line.scenario.setting, place, operation, nth, line.course));
            if is_new { &mut of_its_own } else { &mut alike }.insert(trouble);
        }
        Self { alike: alike.difference(&of_its_own).map(|trouble| Trouble::clone(trouble)).collect() }
    }

    /// The scenarios in which something goes wrong after what `first` has gone wrong with: at every call that the run which
    /// it disturbed makes from then on, in every state it enters, and with every event that comes.
    pub(super) fn seconds(&self, first: &Scenario, played: &Played) -> Vec<Scenario> {
        let known = |second: &Scenario| second.troubles.last().is_some_and(|last| self.alike.contains(last));
        seconds(first, played).into_iter().filter(|second| !known(second)).collect()
    }
}

fn seconds(first: &Scenario, played: &Played) -> Vec<Scenario> {
    let after = match first.troubles.last() {
        Some(Trouble::Call(..)) => played.calls.iter().position(|call| call.wrong).unwrap_or(usize::MAX),
        Some(Trouble::State(..)) => {
            let acted = played.acted;
            played.calls.iter().position(|call| acted.is_some_and(|at| at <= call.at)).unwrap_or(usize::MAX)
        }
        _ => 0,
    };
    let Some(from) = played.calls.get(after) else { return Vec::new() };
    let next = from.at.saturating_add(NEXT_LOOK).unwrap_or(from.at);
    let rest = Played {
        calls: played.calls[after..].to_vec(),
        states: moments(&played.states).into_iter().filter(|(at, _)| *at >= from.at).collect(),
        ..played.clone()
    };
    let known = |trouble: &Trouble| !first.troubles.contains(trouble);
    let seconds = calls(&rest, next).chain(acts(&rest)).chain(events(&rest, true)).filter(known);
    seconds
        .map(|second| Scenario {
            troubles: first.troubles.iter().cloned().chain([second]).collect(),
            rescuer: true,
            ..first.clone()
        })
        .collect()
}

/// Of the states that a machine enters for the first time at one moment, the last: what happens in one of them happens to the
/// same world as in another.
fn moments(states: &[Entry]) -> Vec<Entry> {
    let mut seen = BTreeSet::new();
    let new = states.iter().filter(|(_, state)| seen.insert(state));
    let mut moments: Vec<Entry> = Vec::new();
    for (at, state) in new {
        match moments.last_mut().filter(|(then, before)| then == at && machine(before) == machine(state)) {
            Some((_, last)) => *last = Rc::clone(state),
            None => moments.push((*at, Rc::clone(state))),
        }
    }
    moments
}

/// Whose state it is: what is before the dot, or nothing for an instance's run.
fn machine(state: &str) -> &str {
    state.split_once('.').map_or("", |(machine, _)| machine)
}
