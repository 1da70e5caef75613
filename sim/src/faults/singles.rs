//! Every single thing that can go wrong, once.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Kind;
use super::play::{Played, Scenario, play};
use super::stage::{Setting, at};
use super::trouble::{Act, Place, Plight, Trouble};
use crate::aws::{Called, Delivery};
use crate::machines::Machines;

/// The states that look for work, every few minutes.
const LOOKS: [&str; 2] = ["fleet.PlanFleet", "rescue.FindDebts"];

/// What must go wrong first, so that states are reached that a run in good order does not come to.
#[derive(Clone, Debug)]
struct Way {
    /// How things are before.
    setting: Setting,
    /// What goes wrong first.
    first: Vec<Trouble>,
    /// Whether the rescuer looks after lost runs.
    rescuer: bool,
}

fn call(place: &str, operation: &'static str, kind: Kind) -> Trouble {
    Trouble::Call(place.into(), operation, 1, kind)
}

fn state(place: &str, act: Act) -> Trouble {
    Trouble::State(place.into(), act)
}

/// The ways into all states. In each, those calls go wrong that no way before it makes in that state, and everything happens
/// in those states to which no way before it leads.
fn ways() -> Vec<Way> {
    // What goes wrong on a way there is no single fault any more, and the rescuer is there for it. It is there, too, where a
    // backup is missed of which nobody but the fleet can tell.
    let way = |setting, first: Vec<Trouble>| Way {
        setting,
        rescuer: !first.is_empty() || setting == Setting::LateFleet,
        first,
    };
    let lost = || state("WaitUntilStopped", Act::Aborted);
    let lost_later = || state("WaitUntilCompleted", Act::Aborted);
    vec![
        way(Setting::Night, vec![]),
        way(Setting::StoppedBefore, vec![]),
        way(Setting::CompletedFirst, vec![]),
        way(Setting::Suspend, vec![]),
        way(Setting::Balanced, vec![]),
        way(Setting::Balanced, vec![lost()]),
        way(Setting::Skip, vec![]),
        way(Setting::Busy, vec![]),
        way(Setting::LateFleet, vec![]),
        way(Setting::Night, vec![Trouble::World(Plight::NoCapacity)]),
        way(Setting::ShortPatience, vec![Trouble::World(Plight::NoCapacity)]),
        way(Setting::Night, vec![call("StartInstance", "StartInstances", Kind::AccessDenied)]),
        way(Setting::Night, vec![Trouble::World(Plight::StopProtected)]),
        way(Setting::Night, vec![Trouble::World(Plight::SnapshotsFail)]),
        way(Setting::Night, vec![Trouble::World(Plight::TagLimit)]),
        way(Setting::Night, vec![call("PruneSnapshots", "DescribeSnapshots", Kind::AccessDenied)]),
        way(Setting::Night, vec![call("RestoreAlarms", "EnableAlarmActions", Kind::AccessDenied)]),
        way(
            Setting::Night,
            vec![lost(), call("rescue.RestoreAlarms", "EnableAlarmActions", Kind::AccessDenied)],
        ),
        way(Setting::Night, vec![call("ResolveRun", "GetItem", Kind::AccessDenied)]),
        way(Setting::Night, vec![call("fleet.PlanFleet", "Query", Kind::AccessDenied)]),
        way(Setting::Night, vec![call("fleet.PlanFleet", "DescribeInstances", Kind::AccessDenied)]),
        way(Setting::Night, vec![lost()]),
        way(Setting::Night, vec![lost(), Trouble::World(Plight::NoCapacity)]),
        way(Setting::ShortPatience, vec![lost(), Trouble::World(Plight::NoCapacity)]),
        way(Setting::Night, vec![lost_later()]),
        way(Setting::Night, vec![lost_later(), Trouble::World(Plight::TagLimit)]),
        way(Setting::Night, vec![lost_later(), Trouble::World(Plight::SnapshotsFail)]),
        way(Setting::Night, vec![lost(), call("rescue.TakeOver", "GetItem", Kind::AccessDenied)]),
        way(Setting::Night, vec![call("rescue.FindDebts", "Query", Kind::AccessDenied)]),
    ]
}

/// All single scenarios, in a fixed order, each once.
///
/// # Errors
/// When the machines do not run.
pub fn singles(machines: &Machines) -> Result<Vec<Scenario>, String> {
    let mut known: BTreeSet<Place> = BTreeSet::new();
    let mut known_calls: BTreeSet<(Place, &'static str)> = BTreeSet::new();
    let mut scenarios = Vec::new();
    for Way { setting, first, rescuer } in ways() {
        let base = Scenario::new(setting, first, rescuer);
        let played = play(machines, &base, None)?;
        scenarios.push(base.clone());
        let mut add = |trouble: Trouble| {
            let lost = matches!(&trouble, Trouble::State(_, act) if act.needs_rescuer());
            let troubles = base.troubles.iter().cloned().chain([trouble]).collect();
            scenarios.push(Scenario::new(setting, troubles, rescuer || lost));
        };
        // What was stopped before is a world of its own: all of it goes wrong there, too. And a late fleet's ticket is the
        // only one.
        let again = |place: &Place| match setting {
            Setting::StoppedBefore => true,
            Setting::LateFleet => place.starts_with("fleet.Notify"),
            _ => false,
        };
        let is_new = |trouble: &Trouble| match trouble {
            Trouble::Call(place, operation, ..) => {
                again(place) || !known_calls.contains(&(Place::clone(place), *operation))
            }
            Trouble::State(place, _) => again(place) || !known.contains(place),
            Trouble::Event(..) | Trouble::World(_) => true,
        };
        for trouble in calls(&played, at(2, 1)).chain(acts(&played)).filter(is_new) {
            add(trouble);
        }
        if base.troubles.is_empty() && setting == Setting::Night {
            Plight::ALL.iter().for_each(|plight| add(Trouble::World(*plight)));
        }
        if setting == Setting::Night && base.troubles.len() <= 1 && (base.troubles.is_empty() || rescuer) {
            events(&played, base.troubles.is_empty()).for_each(&mut add);
        }
        known.extend(played.states.iter().map(|(_, state)| Place::from(&**state)));
        let site = |call: &Called| (Place::from(&*call.site.place), call.site.operation);
        known_calls.extend(played.calls.iter().map(site));
    }
    let mut seen = BTreeSet::new();
    scenarios.retain(|scenario| seen.insert(scenario.id()));
    Ok(scenarios)
}

/// Every call that was made, gone wrong in every way.
///
/// The fleet and the rescuer look again and again, all night; one look is like the other, so that only those count which are
/// made before `until`.
pub(super) fn calls(played: &Played, until: Timestamp) -> impl Iterator<Item = Trouble> {
    let one_of_many = move |call: &Called| LOOKS.contains(&&*call.site.place) && call.at > until;
    let calls = played.calls.iter().filter(move |call| !call.wrong && !one_of_many(call));
    calls.flat_map(|call| Kind::ALL.iter().map(|kind| Trouble::call(&call.site, *kind)))
}

/// Every act in every state that was entered.
pub(super) fn acts(played: &Played) -> impl Iterator<Item = Trouble> {
    let mut seen = BTreeSet::new();
    let states: Vec<Place> = played
        .states
        .iter()
        .map(|(_, state)| Place::from(&**state))
        .filter(|s| seen.insert(s.clone()))
        .collect();
    states.into_iter().flat_map(|place| {
        let of_fleet = place.starts_with("fleet.");
        let fits = move |act: &&Act| {
            !of_fleet || matches!(act, Act::Aborted | Act::TimedOut | Act::TableDown | Act::TopicDown)
        };
        Act::ALL
            .iter()
            .filter(fits)
            .map(move |act| Trouble::State(Place::clone(&place), *act))
            .collect::<Vec<_>>()
    })
}

/// Every event gone astray in every way; or only Step Functions' own, of which there is none in a night that goes well.
pub(super) fn events(played: &Played, all: bool) -> impl Iterator<Item = Trouble> {
    let hows = [Delivery::Lost, Delivery::Doubled, Delivery::Late, Delivery::OutOfOrder];
    let events = played.events.iter().filter(move |(event, _)| all || *event == "run-ended");
    events.flat_map(move |(event, nth)| hows.map(|how| Trouble::Event(event, *nth, how)))
}
