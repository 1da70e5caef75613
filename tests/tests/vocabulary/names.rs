//! Functions, states, modules, tickets: each has one name.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use stopgap_core::policy::Restart;
use stopgap_core::tasks::prepare_run::Outcome;
use stopgap_core::tasks::{BACKUP_STATES, NAMES, RESTART_STATES};
use stopgap_core::ticket::Kind;
use stopgap_sim::machines::state_name;
use stopgap_tests::definition::Definition;
use stopgap_tests::repository;

/// What a deployment fills in besides functions.
const MACHINES: [&str; 1] = ["InstanceMachine"];

/// The functions that events are delivered to, and no state calls.
const EVENT_FED: [&str; 1] = ["wake"];

#[test]
fn every_placeholder_is_a_function_or_a_machine() {
    let functions: Vec<String> = NAMES.iter().map(|name| state_name(name)).collect();
    for definition in Definition::all() {
        for name in definition.placeholders() {
            let known = functions.iter().any(|function| function == name) || MACHINES.contains(&name);
            assert!(known, "{}: ${{{name}}} is no function of {NAMES:?}", definition.path);
        }
    }
}

#[test]
fn every_function_is_called_by_a_state_or_fed_by_events() {
    let all = Definition::all();
    let called: BTreeSet<_> =
        all.iter().flat_map(Definition::tasks).filter_map(|state| state.function()).collect();
    let fed = BTreeSet::from(EVENT_FED);
    assert!(called.is_disjoint(&fed), "{fed:?} are called by states too");
    assert_eq!(called.union(&fed).copied().collect::<BTreeSet<_>>(), NAMES.iter().copied().collect());
}

#[test]
fn every_task_state_is_named_after_what_it_calls() {
    for definition in Definition::all() {
        for state in definition.tasks() {
            let resource = state.body["Resource"].as_str().unwrap();
            match state.function() {
                Some(function) => {
                    assert!(state.name.starts_with(&state_name(function)), "{} calls {function}", state.name);
                    assert!(resource.starts_with("arn:aws:states:::lambda:invoke"), "{}", state.name);
                }
                None => {
                    assert!(state.name.starts_with("Start"), "{}", state.name);
                    assert_eq!(resource, "arn:aws:states:::states:startExecution", "{}", state.name);
                }
            }
        }
    }
}

#[test]
fn every_function_has_a_module_and_every_module_with_a_run_is_a_function() {
    let folder = repository().join("functions/core/src/tasks");
    let modules: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| fs::read_to_string(path).unwrap().contains("\npub async fn run("))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().replace('_', "-"))
        .collect();
    assert_eq!(modules, NAMES.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_states_that_the_code_names_are_in_the_machines() {
    let (instance, rescue) = (Definition::instance(), Definition::rescue());
    let states = instance.states().into_iter().chain(rescue.states());
    let names: BTreeSet<_> = states.map(|state| state.name).collect();
    for state in BACKUP_STATES.iter().chain(&RESTART_STATES).chain(&["CopyTags", "PruneSnapshots"]) {
        assert!(names.contains(state), "there is no state {state}");
    }
}

#[test]
fn every_kind_of_ticket_is_opened_by_a_state_and_every_kind_in_a_machine_is_one() {
    let all = Definition::all();
    let payloads = all.iter().flat_map(|definition| definition.values_of("Payload"));
    let opened =
        payloads.filter(|payload| payload["action"] == "open").map(|payload| payload["kind"].clone());
    let opened: BTreeSet<Kind> = opened.map(|kind| serde_json::from_value(kind).unwrap()).collect();
    assert_eq!(opened, Kind::ALL.iter().copied().collect());
    for kind in all.iter().flat_map(|definition| definition.values_of("kind")) {
        assert!(serde_json::from_value::<Kind>(kind.clone()).is_ok(), "{kind} is no kind of ticket");
    }
}

/// The texts that rules compare `variable` with.
fn compared<'a>(definition: &'a Definition, variable: &str) -> Vec<&'a Value> {
    let states = definition.states().into_iter().filter(|state| state.is("Choice"));
    let rules = states.flat_map(|state| state.body["Choices"].as_array().into_iter().flatten());
    let tests =
        rules.flat_map(|rule| rule["And"].as_array().map_or(std::slice::from_ref(rule), Vec::as_slice));
    tests.filter(|test| test["Variable"] == variable).map(|test| &test["StringEquals"]).collect()
}

#[test]
fn what_a_choice_compares_with_can_be_answered() {
    let instance = Definition::instance();
    let outcomes = compared(&instance, "$.prepared.Payload.outcome");
    assert_eq!(outcomes.len(), 4, "all but `ready` lead elsewhere");
    for outcome in outcomes {
        assert!(serde_json::from_value::<Outcome>(outcome.clone()).is_ok(), "{outcome}");
    }
    let restarts = compared(&instance, "$.run.policy.restart");
    assert_eq!(restarts.len(), 1);
    assert!(serde_json::from_value::<Restart>(restarts[0].clone()).is_ok(), "{restarts:?}");
}

/// The simulations that give a second opinion cannot run these (and the engine refuses some by name).
#[test]
fn the_machines_use_plain_json_paths() {
    for definition in Definition::all() {
        for field in ["QueryLanguage", "Assign", "Arguments", "Output"] {
            assert!(definition.values_of(field).is_empty(), "{} uses {field}", definition.path);
        }
        for variable in definition.values_of("Variable") {
            let variable = variable.as_str().unwrap();
            assert!(!variable.starts_with("$$"), "{}: a rule reads {variable}", definition.path);
        }
    }
}
