//! The way back, as a property of the graph: whatever fails, the machine goes where the instance is started again.
//!
//! Scenarios try failures one by one. This looks at every arrow, also at those that no scenario takes.

use std::collections::BTreeSet;

use stopgap_tests::definition::{Definition, State, errors, target};

/// The states that lead to the time down: where a run goes from `HowToGoOn` when it goes ahead.
const GOES_AHEAD: [&str; 4] = ["EnterStandby", "DeregisterTargets", "SilenceAlarms", "CreateSnapshots"];

/// The states that can be reached from `from` without going on beyond those in `stop`, errors included if `on_error`.
fn reached<'a>(instance: &'a Definition, from: &[&str], stop: &[&str], on_error: bool) -> BTreeSet<&'a str> {
    let mut reached: BTreeSet<&str> = from.iter().map(|name| instance.state(name).name).collect();
    let mut open: Vec<&str> = reached.iter().copied().collect();
    while let Some(name) = open.pop() {
        if stop.contains(&name) {
            continue;
        }
        let state = instance.state(name);
        let caught = state.catches().iter().filter(|_| on_error).map(target);
        for next in state.successors().into_iter().chain(caught) {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}

fn ends<'a>(instance: &'a Definition, states: &BTreeSet<&'a str>) -> Vec<&'a str> {
    states.iter().copied().filter(|name| instance.state(name).is_end()).collect()
}

/// Where the errors of a state lead, but for the loss of the lease: then the instance is someone else's to start.
fn failures(state: State<'_>) -> Vec<&str> {
    state.catches().iter().filter(|catch| errors(catch) != ["LeaseLost"]).map(target).collect()
}

#[test]
fn every_failure_while_the_instance_is_down_leads_to_the_question_whether_a_restart_is_owed() {
    let instance = Definition::instance();
    let down = reached(&instance, &GOES_AHEAD, &["IsRestartOwed"], false);
    let down: Vec<State<'_>> =
        down.iter().map(|name| instance.state(name)).filter(|state| state.is("Task")).collect();
    let names: Vec<&str> = down.iter().map(|state| state.name).collect();
    assert_eq!(
        names,
        [
            "CreateSnapshots",
            "DeregisterTargets",
            "EnterStandby",
            "SilenceAlarms",
            "StopInstance",
            "WaitUntilCompletedWhileDown",
            "WaitUntilStopped"
        ]
    );
    for state in down {
        for to in failures(state).into_iter().chain(state.successors()) {
            let way = reached(&instance, &[to], &["IsRestartOwed", "Superseded"], true);
            assert!(way.contains("IsRestartOwed"), "{} to {to} never asks", state.name);
            let ends = ends(&instance, &way);
            assert!(ends.iter().all(|end| *end == "Superseded"), "{} to {to} ends in {ends:?}", state.name);
        }
    }
}

#[test]
fn where_a_restart_is_owed_the_instance_is_started() {
    let instance = Definition::instance();
    let question = instance.state("IsRestartOwed").body;
    let rules = question["Choices"].as_array().unwrap();
    assert_eq!(rules[0]["Variable"], "$.prepared.Payload.restart_owed");
    assert_eq!(rules[0]["BooleanEquals"], true);
    assert_eq!(rules[0]["Next"], "StartInstance");
}

#[test]
fn after_the_start_there_is_no_end_without_seeing_it_run_or_a_critical_ticket() {
    let instance = Definition::instance();
    let confirmed = instance.state("ConfirmRunning").successors();
    let way = reached(
        &instance,
        &["StartInstance"],
        &[&confirmed[..], &["NotifyGivenUp", "Superseded"]].concat(),
        true,
    );
    assert_eq!(ends(&instance, &way), ["Superseded"]);
    let given_up = &instance.state("NotifyGivenUp").body["Parameters"]["Payload"];
    assert_eq!((&given_up["kind"], &given_up["action"]), (&"left-stopped".into(), &"open".into()));
}

#[test]
fn a_failed_start_opens_its_ticket_and_is_tried_again() {
    let instance = Definition::instance();
    for name in ["StartInstance", "WaitUntilRunning", "LeaveStandby", "RegisterTargets", "ConfirmRunning"] {
        let last = instance.state(name).catches().last().unwrap();
        assert_eq!(target(last), "NotifyLeftStopped", "{name}");
    }
    for (from, to) in [("NotifyLeftStopped", "PauseBeforeStart"), ("PauseBeforeStart", "StartInstance")] {
        let ways: Vec<_> =
            instance.state(from).successors().into_iter().chain(failures(instance.state(from))).collect();
        assert!(ways.iter().all(|way| *way == to), "{from} leads to {ways:?}");
    }
}

/// Where alarms are silent, and the start is behind it (or was given up), they act again before anything else is waited for.
#[test]
fn nothing_goes_on_after_the_time_down_without_having_asked_whether_alarms_are_silent() {
    for (machine, on) in [(Definition::instance(), "AreSnapshotsBegun"), (Definition::rescue(), "IsGivenUp")]
    {
        let leads = |state: &State<'_>| {
            state.successors().contains(&on) || state.catches().iter().any(|catch| target(catch) == on)
        };
        let mut asked = 0;
        for state in machine.states().into_iter().filter(leads) {
            if state.is("Choice") {
                let rules = state.body["Choices"].as_array().unwrap();
                let rule = rules.last().unwrap();
                assert_eq!(rule["Variable"], "$.prepared.Payload.silenced", "{}", state.name);
                assert_eq!((&rule["BooleanEquals"], &rule["Next"]), (&true.into(), &"RestoreAlarms".into()));
                asked += 1;
            } else {
                assert!(["RestoreAlarms", "NotifyAlarmsSilenced"].contains(&state.name), "{}", state.name);
            }
        }
        assert!(asked > 0, "{}: nobody asks", machine.path);
    }
    let rescue = Definition::rescue();
    let way = reached(&rescue, &["HowItStands"], &["IsGivenUp", "NothingOwed", "Superseded"], true);
    let ends = ends(&rescue, &way);
    assert!(ends.iter().all(|end| ["NothingOwed", "Superseded"].contains(end)), "{ends:?}");
}

/// Whom a run took out of its load balancers is back in them before the debt is struck off. Only a member of an Auto Scaling
/// group, which is in Standby instead, is not asked about.
#[test]
fn no_restart_is_confirmed_without_having_asked_whether_targets_are_out() {
    for machine in [Definition::instance(), Definition::rescue()] {
        let leads = |state: &State<'_>| {
            let caught = state.catches().iter().any(|catch| target(catch) == "ConfirmRunning");
            caught || state.successors().contains(&"ConfirmRunning")
        };
        let mut asked = 0;
        for state in machine.states().into_iter().filter(leads) {
            if state.is("Choice") {
                let rules = state.body["Choices"].as_array().unwrap();
                let rule = rules.last().unwrap();
                assert_eq!(rule["Variable"], "$.prepared.Payload.deregistered", "{}", state.name);
                assert_eq!(
                    (&rule["BooleanEquals"], &rule["Next"]),
                    (&true.into(), &"RegisterTargets".into())
                );
                asked += 1;
            } else {
                assert!(["LeaveStandby", "RegisterTargets"].contains(&state.name), "{}", state.name);
            }
        }
        assert_eq!(asked, 1, "{}", machine.path);
    }
}

#[test]
fn only_the_loss_of_the_lease_ends_a_run_at_once() {
    let instance = Definition::instance();
    for state in instance.states() {
        assert!(!state.successors().contains(&"Superseded"), "{}", state.name);
        for catch in state.catches().iter().filter(|catch| target(catch) == "Superseded") {
            assert_eq!(errors(catch), ["LeaseLost"], "{}", state.name);
        }
    }
}

#[test]
fn every_run_that_was_prepared_is_closed() {
    let instance = Definition::instance();
    let way = reached(&instance, &GOES_AHEAD, &["CloseRun"], true);
    // Of a run that could tell nobody the rescuer goes on telling, and closes it then.
    assert_eq!(ends(&instance, &way), ["NotTold", "Superseded"], "a run ends without releasing its lease");
}
