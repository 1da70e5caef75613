//! What is broken on purpose, the matrix finds.

use std::collections::BTreeSet;

use serde_json::Value;
use stopgap_sim::aws::Sabotage;
use stopgap_sim::faults::{Line, Scenario, Tried, Trouble, play_all};
use stopgap_sim::machines;

/// The scenarios of single faults in which something goes wrong in, or leads through, one of these places.
fn scenarios(of: impl Fn(&Scenario) -> bool) -> Vec<Scenario> {
    super::played().iter().map(|line| line.scenario.clone()).filter(of).collect()
}

fn is_in(scenario: &Scenario, place: &str) -> bool {
    let last = scenario.troubles.last();
    matches!(last, Some(Trouble::Call(of, ..) | Trouble::State(of, _)) if **of == *place)
}

fn violations(tried: &Tried<'_>, scenarios: &[Scenario]) -> Vec<Line> {
    let lines = play_all(tried, scenarios, &|| {}).expect("it runs");
    lines.into_iter().filter(|line| !line.violations.is_empty()).collect()
}

/// Each Catch of a machine: the state, which of its catchers, and where that leads.
fn catches(text: &str) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    visit(&mut serde_json::from_str(text).expect("it is JSON"), &mut |name, state| {
        let catches = state["Catch"].as_array().into_iter().flatten().enumerate();
        found.extend(
            catches.map(|(n, catch)| {
                (name.to_owned(), n, catch["Next"].as_str().unwrap_or_default().to_owned())
            }),
        );
    });
    found
}

fn without(text: &str, state: &str, catch: usize) -> String {
    let mut machine = serde_json::from_str(text).expect("it is JSON");
    visit(&mut machine, &mut |name, body| {
        if name == state
            && let Some(catches) = body["Catch"].as_array_mut()
        {
            catches.remove(catch);
            if catches.is_empty()
                && let Some(body) = body.as_object_mut()
            {
                body.remove("Catch");
            }
        }
    });
    drop_unreachable(&mut machine);
    machine.to_string()
}

/// Takes out what nothing leads to any more: a machine with such states is refused.
fn drop_unreachable(graph: &mut Value) {
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = graph["StartAt"].as_str().map(str::to_owned).into_iter().collect();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            transitions(&graph["States"][&name], &mut open);
        }
    }
    let Some(states) = graph["States"].as_object_mut() else { return };
    states.retain(|name, _| reached.contains(name));
    for body in states.values_mut().filter(|body| body.get("ItemProcessor").is_some()) {
        drop_unreachable(&mut body["ItemProcessor"]);
    }
}

/// The states to which a state may lead.
fn transitions(state: &Value, to: &mut Vec<String>) {
    let of = |part: &Value, name: &str| part[name].as_str().map(str::to_owned);
    to.extend(of(state, "Next").into_iter().chain(of(state, "Default")));
    let parts = ["Choices", "Catch"].into_iter().filter_map(|name| state[name].as_array());
    to.extend(parts.flatten().filter_map(|part| of(part, "Next")));
}

fn visit(graph: &mut Value, see: &mut impl FnMut(&str, &mut Value)) {
    let Some(states) = graph["States"].as_object_mut() else { return };
    for (name, body) in states {
        see(name, body);
        if body.get("ItemProcessor").is_some() {
            visit(&mut body["ItemProcessor"], see);
        }
    }
}

/// Step Functions refuses to start an execution, or a Map fails as a whole.
const OF_STEP_FUNCTIONS: &str = "only Step Functions itself fails there";
/// The stage has no backups of instances that are gone.
const ORPHANS: &str = "tests/orphans.rs has what is pruned without a run";

/// The catchers without which no promise is broken, and why they are there.
const NEEDED_FOR_NO_PROMISE: [(&str, usize, &str); 10] = [
    ("fleet.Dispatch", 0, OF_STEP_FUNCTIONS),
    ("fleet.StartRun", 1, OF_STEP_FUNCTIONS),
    ("fleet.NotifyRunNotStarted", 0, OF_STEP_FUNCTIONS),
    ("fleet.PruneOrphans", 0, ORPHANS),
    ("fleet.NotifyPruneFailed", 0, ORPHANS),
    ("rescue.StartRescue", 0, OF_STEP_FUNCTIONS),
    ("rescue.StartRescue", 1, OF_STEP_FUNCTIONS),
    ("rescue.NotifyNotBegun", 0, OF_STEP_FUNCTIONS),
    ("rescue.ConfirmRunning", 0, "without it the start is tried again five minutes later"),
    ("rescue.CreateSnapshots", 0, "without it the next state that writes is refused"),
];

/// Whether a scenario finds what is broken: first those in which something goes wrong right there, then those that took the
/// way that is gone.
fn is_noticed(tried: &Tried<'_>, place: &str, way: &str) -> bool {
    let there = scenarios(|scenario| is_in(scenario, place));
    let took = |line: &&Line| line.states.contains(place) && line.states.contains(way);
    let took: Vec<Scenario> = super::played().iter().filter(took).map(|line| line.scenario.clone()).collect();
    let mut all = there.chunks(AT_ONCE).chain(took.chunks(AT_ONCE));
    all.any(|some| !violations(tried, some).is_empty())
}

/// How many scenarios are played before it is looked whether one of them has found something.
const AT_ONCE: usize = 32;

fn each_catch_is_needed(machine: &str, text: &str) {
    let named =
        |state: &str| if machine == "instance" { state.to_owned() } else { format!("{machine}.{state}") };
    let mut unneeded = Vec::new();
    for (state, n, next) in catches(text) {
        let broken = without(text, &state, n);
        let tried = match machine {
            "instance" => Tried { instance: &broken, ..Tried::SHIPPED },
            "rescue" => Tried { rescue: &broken, ..Tried::SHIPPED },
            _ => Tried { fleet: &broken, ..Tried::SHIPPED },
        };
        if !is_noticed(&tried, &named(&state), &named(&next)) {
            unneeded.push((named(&state), n));
        }
    }
    let of = |place: &str| place.split_once('.').map_or("instance", |(machine, _)| machine) == machine;
    let known: Vec<(String, usize)> = NEEDED_FOR_NO_PROMISE
        .iter()
        .filter(|(place, ..)| of(place))
        .map(|(place, n, _)| ((*place).to_owned(), *n))
        .collect();
    assert_eq!(unneeded, known, "removing these catchers is not found");
}

#[test]
fn each_catch_of_the_fleet_is_needed() {
    each_catch_is_needed("fleet", machines::FLEET);
}

#[test]
fn each_catch_of_the_instance_machine_is_needed() {
    each_catch_is_needed("instance", machines::INSTANCE);
}

#[test]
fn each_catch_of_the_rescuer_is_needed() {
    each_catch_is_needed("rescue", machines::RESCUE);
}

fn is_found(sabotage: Sabotage, promises: &[u8], of: impl Fn(&Scenario) -> bool) {
    let tried = Tried { sabotage: Some(&sabotage), ..Tried::SHIPPED };
    let found = violations(&tried, &scenarios(of));
    let broken = |line: &&Line| line.violations.iter().any(|violation| promises.contains(&violation.promise));
    assert!(found.iter().any(|line| broken(&line)), "{sabotage:?} is not found: {found:?}");
}

#[test]
fn a_run_that_writes_no_intent_is_found() {
    is_found(Sabotage::NoIntent, &[1], |scenario| is_in(scenario, "WaitUntilStopped"));
}

#[test]
fn a_create_that_does_not_look_for_what_it_made_is_found() {
    is_found(Sabotage::BlindLookup, &[5], |scenario| is_in(scenario, "CreateSnapshots"));
}

#[test]
fn a_run_that_does_not_heed_its_fence_is_found() {
    is_found(Sabotage::NoFence(Default::default()), &[5, 6], |scenario| {
        scenario.id().contains("redriven-after-rescue")
    });
}

#[test]
fn pruning_that_does_not_look_again_is_found() {
    is_found(Sabotage::StaleFloor(None), &[4], |scenario| is_in(scenario, "PruneSnapshots"));
}
