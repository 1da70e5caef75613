//! Two things that go wrong in one run.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::matrix::Line;
use super::play::{Entry, Played, Scenario};
use super::singles::{acts, calls, events};
use super::trouble::{Plight, Trouble, delivery};

/// When the rescuer has looked again for sure.
const NEXT_LOOK: SignedDuration = SignedDuration::from_mins(6);

/// The single scenarios to which a second thing is added: of those after which the night takes the same course, call for call,
/// the first. What people and the world do counts by itself, because it can stay unseen until something else goes wrong. Of
/// what leads to a state that is seldom reached there is one more already.
pub(super) fn firsts(singles: &[Line]) -> Vec<&Scenario> {
    let mut courses = BTreeSet::new();
    let is_new = |line: &&Line| match line.scenario.troubles.as_slice() {
        [trouble] => courses.insert((line.scenario.setting, way(trouble), line.course)),
        _ => false,
    };
    singles.iter().filter(is_new).map(|line| &line.scenario).collect()
}

/// What somebody or the world does; of a call its course tells.
fn way(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Call(..) => "",
        Trouble::State(_, act) => act.as_str(),
        Trouble::Event(_, _, how) => delivery(*how),
        Trouble::World(plight) => plight.as_str(),
    }
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
            let [trouble @ Trouble::Call(place, operation, nth, kind)] = line.scenario.troubles.as_slice()
            else {
                continue;
            };
            // A course does not tell whether the call had its effect, which may show only after something else.
            let at = (line.scenario.setting, place, operation, nth);
            let is_new = courses.insert((at, kind.has_effect(), line.course));
            if is_new { &mut of_its_own } else { &mut alike }.insert(trouble);
        }
        Self { alike: alike.difference(&of_its_own).copied().cloned().collect() }
    }

    /// The scenarios in which something goes wrong after what `first` has gone wrong with: at every call that the run which
    /// it disturbed makes from then on, in every state it enters, and with every event that comes.
    pub(super) fn seconds(&self, first: &Scenario, played: &Played) -> Vec<Scenario> {
        let known = |second: &Scenario| second.troubles.last().is_some_and(|last| self.alike.contains(last));
        seconds(first, played).into_iter().filter(|second| !known(second)).collect()
    }
}

fn seconds(first: &Scenario, played: &Played) -> Vec<Scenario> {
    let since = match first.troubles.last() {
        Some(Trouble::Call(..)) => played.calls.iter().find(|call| call.wrong).map(|call| call.at),
        Some(Trouble::State(..)) => played.acted,
        _ => Some(Timestamp::MIN),
    };
    // What was to go wrong and did not: there is nothing after it.
    let Some(since) = since else { return Vec::new() };
    let after = played.calls.iter().position(|call| call.at >= since).unwrap_or(played.calls.len());
    let rest =
        Played { calls: played.calls[after..].to_vec(), states: moments(&played.states), ..played.clone() };
    let looked = rest.calls.first().map_or(since, |call| call.at.saturating_add(NEXT_LOOK).unwrap_or(since));
    let entered: BTreeMap<&str, Timestamp> = rest.states.iter().map(|(at, state)| (&**state, *at)).collect();
    let is_later = |trouble: &Trouble| match trouble {
        Trouble::State(place, act) => entered
            .get(&**place)
            .and_then(|at| at.checked_add(act.comes_after()).ok())
            .is_some_and(|acts_at| acts_at >= since),
        _ => true,
    };
    // What is wrong with the world is so from the beginning: a second such thing comes after nothing else.
    let plights = Plight::ALL.iter().map(|plight| Trouble::World(*plight)).filter(|second| {
        first.troubles.last().is_some_and(|first| matches!(first, Trouble::World(_)) && first < second)
    });
    let is_new = |trouble: &Trouble| !first.troubles.contains(trouble) && is_later(trouble);
    let seconds = calls(&rest, looked).chain(acts(&rest)).chain(events(&rest, true)).chain(plights);
    seconds
        .filter(is_new)
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
